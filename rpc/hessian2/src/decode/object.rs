//! Owns how objects are read into Rust types: by field name, in any order, from objects of any class and from maps.

#[cfg(feature = "serde")]
mod names;

use std::borrow::Cow;

#[cfg(feature = "serde")]
pub(crate) use names::Name;

use super::cache::UNKNOWN;
use super::containers::{MapReader, Opened};
use super::{Decode, Decoder};
use crate::error::{Error, ErrorKind, Result};
use crate::kind::{Kind, tag};

/// An object that is being read with [`Decoder::next_field`].
#[derive(Debug)]
pub struct ObjectReader {
    names: &'static [&'static str],
    source: Source,
}

#[derive(Debug)]
enum Source {
    Object {
        /// Next entry of the cache's maps, and the end.
        next: usize,
        end: usize,
        opened: Option<Opened>,
    },
    Map(MapReader),
}

impl<'de> Decoder<'de, '_> {
    /// Begins an object whose fields the type knows as `names`; a map with string keys is taken too. Call
    /// [`next_field`](Self::next_field) until there is none. `names` should be a `static`: what is learned about a
    /// class definition is kept under its address.
    ///
    /// # Errors
    ///
    /// When the next value is something else, also `null`, or it lies too deep.
    pub fn object(&mut self, names: &'static [&'static str]) -> Result<ObjectReader> {
        let (tag, resume) = self.enter()?;
        let start = self.pos - 1;
        let source = match self.class_head(tag)? {
            Some((class, class_at)) => {
                let next = match self.state.cache.map(class_at.entry, names) {
                    Some(start) => start,
                    None => self.learn_fields(class, names)?,
                };
                let opened = Some(self.open(start, resume)?);
                Source::Object { next, end: next + class_at.fields as usize, opened }
            }
            None if matches!(tag, tag::MAP | tag::MAP_UNTYPED) => Source::Map(self.map_after(tag, resume)?),
            None => return Err(self.unexpected("object", tag)),
        };
        Ok(ObjectReader { names, source })
    }

    /// Index in the type's names of the next field, if there is one; `usize::MAX` for a field that the type does not
    /// have. The caller then reads or skips exactly one value; after the last, the object is done.
    ///
    /// # Errors
    ///
    /// When the input ends.
    #[inline]
    pub fn next_field(&mut self, object: &mut ObjectReader) -> Result<Option<usize>> {
        if let Source::Object { next, end, .. } = &mut object.source
            && *next < *end
        {
            let field = self.state.cache.field(*next);
            *next += 1;
            return Ok(Some(if field == UNKNOWN { usize::MAX } else { usize::from(field) }));
        }
        self.next_key_or_end(object)
    }

    fn next_key_or_end(&mut self, object: &mut ObjectReader) -> Result<Option<usize>> {
        match &mut object.source {
            Source::Object { opened, .. } => {
                if let Some(opened) = opened.take() {
                    self.close(opened);
                }
                Ok(None)
            }
            Source::Map(map) => {
                let Some(key) = self.next_key::<FieldName<'_>>(map)? else { return Ok(None) };
                let known = |key: &str| object.names.iter().position(|name| *name == key);
                Ok(Some(key.0.as_deref().and_then(known).unwrap_or(usize::MAX)))
            }
        }
    }

    /// Reads a field into its place; the last one counts if there are several of the name. The derive calls this,
    /// one function for each field: it keeps their temporaries out of one frame.
    #[doc(hidden)]
    pub fn field<T: Decode<'de>>(&mut self, place: &mut Option<T>, name: &'static str) -> Result<()> {
        match T::decode_from(self) {
            Ok(value) => {
                *place = Some(value);
                Ok(())
            }
            Err(error) => Err(error.in_field(name)),
        }
    }

    /// As [`field`](Self::field), but `null` empties the place.
    #[doc(hidden)]
    pub fn field_or_null<T: Decode<'de>>(&mut self, place: &mut Option<T>, name: &'static str) -> Result<()> {
        *place = None;
        if self.take_null() { Ok(()) } else { self.field(place, name) }
    }

    /// As [`field_or_null`](Self::field_or_null), for the cause of an exception. Java writes the exception itself
    /// when there is none.
    #[doc(hidden)]
    pub fn cause<T: Decode<'de>>(&mut self, place: &mut Option<T>, name: &'static str) -> Result<()> {
        *place = None;
        if self.take_open_reference()? { Ok(()) } else { self.field_or_null(place, name) }
    }

    /// Reads the name of an enum constant: an object with the field `name`, or plain text as generic calls have it.
    #[doc(hidden)]
    pub fn constant(&mut self) -> Result<Cow<'de, str>> {
        static NAMES: [&str; 1] = ["name"];
        if self.peek() == Some(Kind::String) {
            return self.str();
        }
        let mut object = self.object(&NAMES)?;
        let mut constant = None;
        while let Some(field) = self.next_field(&mut object)? {
            match field {
                0 => self.field(&mut constant, "name")?,
                _ => self.skip()?,
            }
        }
        required(constant, "name")
    }

    /// The error of an enum that has no such constant.
    #[doc(hidden)]
    #[cold]
    pub fn unknown_constant(&self, class: &'static str, constant: &str) -> Error {
        self.error(ErrorKind::UnknownConstant { class, constant: constant.chars().take(64).collect() })
    }

    /// Maps the fields of a class to those of a type.
    #[cold]
    fn learn_fields(&mut self, class: u32, names: &'static [&'static str]) -> Result<usize> {
        if names.len() >= usize::from(UNKNOWN) {
            return Err(Error::custom("a type can have 65,534 fields at most"));
        }
        let fields = self.class_at(class)?.fields;
        let mut map = Vec::with_capacity(fields as usize);
        self.in_definition(class, |d, class| {
            let named = d.skip_class_name()?;
            // Most definitions have the type's order, so the next name is tried first.
            let mut guess = 0;
            for _ in 0..class.fields {
                let place = match names.get(guess) {
                    Some(name) if named && d.take_name(name) => Some(guess),
                    _ => {
                        let name = d.field_name(named)?;
                        names.iter().position(|candidate| **candidate == *name)
                    }
                };
                guess = place.map_or(guess, |place| place + 1);
                map.push(place.map_or(UNKNOWN, |place| place as u16));
            }
            Ok(())
        })?;
        let entry = self.class_at(class)?.entry;
        Ok(self.state.cache.add_map(entry, names, &map, self.state.limits.cache))
    }
}

/// A key of a map that stands for an object: text, or anything else, which names no field.
struct FieldName<'de>(Option<Cow<'de, str>>);

impl<'de> Decode<'de> for FieldName<'de> {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        if d.peek() == Some(Kind::String) {
            return d.str().map(Some).map(Self);
        }
        d.skip()?;
        Ok(Self(None))
    }
}

/// Turns what was read of a field into the field, or into what an absent one is.
#[doc(hidden)]
pub fn required<'de, T: Decode<'de>>(place: Option<T>, name: &'static str) -> Result<T> {
    match place {
        Some(value) => Ok(value),
        None => T::absent(name),
    }
}
