//! Owns the contents of lists, maps, objects and enums on their way to serde's visitors. It charges memory before a
//! visitor can take it: serde's collections grow unseen.

use std::borrow::Cow;

use serde_core::de::value::{BorrowedStrDeserializer, CowStrDeserializer, U8Deserializer};
use serde_core::de::{
    DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};

use super::{Deserializer, entries, items};
use crate::decode::{Decoder, ListReader, MapReader, Name, ObjectReader};
use crate::error::{Error, Result};

/// Charges what a vector takes that grows by doubling. No length is told beforehand, since serde would allocate for it
/// before the size of an item is known.
#[derive(Debug, Default)]
struct Room(usize);

impl Room {
    /// Room for item number `index`.
    #[inline]
    fn take<T>(&mut self, d: &mut Decoder<'_, '_>, index: usize) -> Result<()> {
        if index == self.0 {
            let more = index.max(4);
            d.charge(more.saturating_mul(size_of::<T>()))?;
            self.0 += more;
        }
        Ok(())
    }
}

/// The items of a list.
pub(super) struct Items<'d, 'de, 's> {
    d: &'d mut Decoder<'de, 's>,
    list: ListReader,
    index: usize,
    room: Room,
}

impl<'d, 'de, 's> Items<'d, 'de, 's> {
    pub(super) fn new(d: &'d mut Decoder<'de, 's>, list: ListReader) -> Self {
        Self { d, list, index: 0, room: Room::default() }
    }

    /// Ends the list, which must have no further item.
    pub(super) fn end(mut self) -> Result<()> {
        match self.d.next_item(&mut self.list)? {
            false => Ok(()),
            true => Err(Error::invalid_length(self.index + 1, &"fewer items: the type takes no more")),
        }
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de, '_> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if !self.d.next_item(&mut self.list)? {
            return Ok(None);
        }
        let index = self.index;
        self.room.take::<T::Value>(self.d, index)?;
        self.index += 1;
        let item = seed.deserialize(Deserializer::new(self.d));
        item.map(Some).map_err(|error| error.in_item(index))
    }
}

/// The bytes of a binary, for types that want a list.
pub(super) struct Bytes<'b, 'd, 'de, 's> {
    d: &'d mut Decoder<'de, 's>,
    bytes: std::iter::Enumerate<std::slice::Iter<'b, u8>>,
    room: Room,
}

impl<'b, 'd, 'de, 's> Bytes<'b, 'd, 'de, 's> {
    pub(super) fn new(d: &'d mut Decoder<'de, 's>, bytes: &'b [u8]) -> Self {
        Self { d, bytes: bytes.iter().enumerate(), room: Room::default() }
    }
}

impl<'de> SeqAccess<'de> for Bytes<'_, '_, 'de, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Some((index, &byte)) = self.bytes.next() else { return Ok(None) };
        self.room.take::<T::Value>(self.d, index)?;
        let byte: U8Deserializer<Error> = byte.into_deserializer();
        seed.deserialize(byte).map(Some).map_err(|error| error.in_item(index))
    }
}

/// The entries of a map, or of an object as a map.
pub(super) struct Entries<'d, 'de, 's> {
    d: &'d mut Decoder<'de, 's>,
    map: MapReader,
    index: usize,
}

impl<'d, 'de, 's> Entries<'d, 'de, 's> {
    pub(super) fn new(d: &'d mut Decoder<'de, 's>, map: MapReader) -> Self {
        Self { d, map, index: 0 }
    }

    /// Ends the map, which must have no further entry.
    pub(super) fn end(mut self) -> Result<()> {
        match self.d.next_key_with(&mut self.map, |_| Ok(()))? {
            None => Ok(()),
            Some(()) => Err(Error::invalid_length(self.index + 1, &"fewer entries: the type takes no more")),
        }
    }

    /// Charges a key or value. The first of a `BTreeMap` takes a node for eleven; later nodes are half full, and hash
    /// tables have less than three places for each entry.
    fn charge<T>(&mut self) -> Result<()> {
        let places = match self.index {
            0 => 11,
            1..11 => 1,
            _ => 3,
        };
        self.d.charge((size_of::<T>() + 1).saturating_mul(places))
    }
}

impl<'de> MapAccess<'de> for Entries<'_, 'de, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let index = self.index;
        let key = self.d.next_key_with(&mut self.map, |d| seed.deserialize(Deserializer::new(d)));
        let key = key.map_err(|error| error.in_item(index))?;
        if key.is_some() {
            self.charge::<K::Value>()?;
        }
        Ok(key)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        let index = self.index;
        self.charge::<V::Value>()?;
        self.index += 1;
        seed.deserialize(Deserializer::new(self.d)).map_err(|error| error.in_item(index))
    }
}

/// The fields of an object, or of a map that stands for one.
pub(super) struct Fields<'d, 'de, 's> {
    d: &'d mut Decoder<'de, 's>,
    object: ObjectReader,
    names: &'static [&'static str],
    /// The field whose value is next, if the type has it.
    field: Option<&'static str>,
}

/// Stands for all fields of an object that a type does not have. The true name is looked up when it matters.
const OTHER: &str = "\0";

impl<'d, 'de, 's> Fields<'d, 'de, 's> {
    pub(super) fn new(
        d: &'d mut Decoder<'de, 's>,
        object: ObjectReader,
        names: &'static [&'static str],
    ) -> Self {
        Self { d, object, names, field: None }
    }

    /// Ends the object; fields that nobody asked for are skipped.
    pub(super) fn end(mut self) -> Result<()> {
        while self.d.next_field(&mut self.object)?.is_some() {
            self.d.skip()?;
        }
        Ok(())
    }

    /// A field that the type does not have: serde's derive ignores it or refuses it.
    fn other<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<K::Value> {
        seed.deserialize(BorrowedStrDeserializer::<Error>::new(OTHER)).or_else(|_| {
            let name = self.d.other_name(&self.object)?;
            Err(Error::unknown_field(&name.chars().take(64).collect::<String>(), self.names))
        })
    }
}

impl<'de> MapAccess<'de> for Fields<'_, 'de, '_> {
    type Error = Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.field = None;
        match self.d.next_name(&mut self.object)? {
            None => Ok(None),
            Some(Name::Known(name)) => {
                self.field = Some(name);
                seed.deserialize(BorrowedStrDeserializer::<Error>::new(name)).map(Some)
            }
            Some(Name::Unnamed) => self.other(seed).map(Some),
            Some(Name::Other(name)) => seed.deserialize(CowStrDeserializer::<Error>::new(name)).map(Some),
        }
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        match seed.deserialize(Deserializer::new(self.d)) {
            Ok(value) => Ok(value),
            Err(error) => Err(match self.field {
                Some(name) => error.in_field(name),
                None => error,
            }),
        }
    }
}

/// A constant of an enum.
pub(super) struct Constant<'de>(pub(super) Cow<'de, str>);

impl<'de> EnumAccess<'de> for Constant<'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self)> {
        let variant = seed.deserialize(CowStrDeserializer::<Error>::new(self.0))?;
        Ok((variant, Self(Cow::Borrowed(""))))
    }
}

impl<'de> VariantAccess<'de> for Constant<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<()> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value> {
        Err(Error::invalid_type(Unexpected::UnitVariant, &"a map from the variant's name to its value"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        Err(Error::invalid_type(Unexpected::UnitVariant, &visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value> {
        Err(Error::invalid_type(Unexpected::UnitVariant, &visitor))
    }
}

/// The only entry of a map: a variant and its value.
pub(super) struct Variant<'d, 'de, 's> {
    d: &'d mut Decoder<'de, 's>,
    map: MapReader,
}

impl<'d, 'de, 's> Variant<'d, 'de, 's> {
    pub(super) fn new(d: &'d mut Decoder<'de, 's>, map: MapReader) -> Self {
        Self { d, map }
    }

    /// Ends the map, which must have no further entry.
    pub(super) fn end(mut self) -> Result<()> {
        match self.d.next_key_with(&mut self.map, |_| Ok(()))? {
            None => Ok(()),
            Some(()) => {
                Err(Error::invalid_length(2, &"a map of one entry, from the variant's name to its value"))
            }
        }
    }
}

impl<'de> EnumAccess<'de> for &mut Variant<'_, 'de, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self)> {
        let variant = self.d.next_key_with(&mut self.map, |d| seed.deserialize(Deserializer::new(d)))?;
        match variant {
            Some(variant) => Ok((variant, self)),
            None => {
                Err(Error::invalid_length(0, &"a map of one entry, from the variant's name to its value"))
            }
        }
    }
}

impl<'de> VariantAccess<'de> for &mut Variant<'_, 'de, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<()> {
        serde_core::Deserialize::deserialize(Deserializer::new(self.d))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(Deserializer::new(self.d))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        let list = self.d.list()?;
        items(self.d, list, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value> {
        let map = self.d.map()?;
        entries(self.d, map, visitor)
    }
}
