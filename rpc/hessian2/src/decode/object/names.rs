//! Owns the names of fields, for readers that want to see those that the type does not have. It never reads values.

use std::borrow::Cow;

use super::{FieldName, ObjectReader, Source};
use crate::decode::Decoder;
use crate::error::Result;

/// Name of a field.
pub(crate) enum Name<'de> {
    /// One of the type's.
    Known(&'static str),
    /// A key of a map that the type does not have.
    Other(Cow<'de, str>),
    /// A field of an object that the type does not have: [`Decoder::other_name`] tells its name.
    Unnamed,
}

impl<'de> Decoder<'de, '_> {
    /// Name of the next field, if there is one. The caller then reads or skips exactly one value.
    #[inline]
    pub(crate) fn next_name(&mut self, object: &mut ObjectReader) -> Result<Option<Name<'de>>> {
        if let Source::Map(_) = object.source {
            return self.next_name_of_map(object);
        }
        let Some(index) = self.next_field(object)? else { return Ok(None) };
        Ok(Some(object.names.get(index).map_or(Name::Unnamed, |name| Name::Known(name))))
    }

    fn next_name_of_map(&mut self, object: &mut ObjectReader) -> Result<Option<Name<'de>>> {
        let Source::Map(map) = &mut object.source else { return Ok(None) };
        while let Some(FieldName(key)) = self.next_key(map)? {
            let Some(key) = key else {
                // No text, so it names no field.
                self.skip()?;
                continue;
            };
            let known = object.names.iter().find(|name| **name == key);
            return Ok(Some(known.map_or(Name::Other(key), |name| Name::Known(name))));
        }
        Ok(None)
    }

    /// Name of the field of an object that [`next_name`](Self::next_name) gave last, before its value is read.
    #[cold]
    pub(crate) fn other_name(&mut self, object: &ObjectReader) -> Result<Cow<'de, str>> {
        let Source::Object { next, end, opened: Some(opened) } = &object.source else {
            return Ok(Cow::Borrowed(""));
        };
        let behind = end.saturating_sub(*next) as u32;
        let start = self.state.slots.get(opened.slot as usize).map_or(0, |slot| slot.start as usize);
        let pos = std::mem::replace(&mut self.pos, start);
        let tag = self.byte()?;
        let class = self.class_index(tag)?;
        self.pos = pos;
        let Some(class) = class else { return Ok(Cow::Borrowed("")) };
        self.in_definition(class, |d, class| {
            let named = d.skip_class_name()?;
            for _ in behind + 1..class.fields {
                d.field_name(named)?;
            }
            d.field_name(named)
        })
    }
}
