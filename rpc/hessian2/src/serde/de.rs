//! Owns what serde's types take of Hessian's kinds of values. It decides on kinds only; bytes, references and budgets
//! are the decoder's.

mod access;

use std::borrow::Cow;

use serde_core::de::{self, Visitor};

use access::{Bytes, Constant, Entries, Fields, Items, Variant};

use crate::decode::{Any, Decoder, ListReader, MapReader, Number};
use crate::error::Result;
use crate::kind::Kind;

/// Reads the next value of a body as a value of serde.
///
/// It is used up by one value; the decoder goes on. A hand-written visitor of a struct is told all fields of an object
/// that it did not list under one made-up name, since their true names are looked up for an error only. After an error the decoder cannot be used further, as with any
/// [`Decode`](crate::Decode).
#[derive(Debug)]
pub struct Deserializer<'d, 'de, 's> {
    d: &'d mut Decoder<'de, 's>,
}

/// What a level counts against [`Limits::stack`](crate::Limits::stack), beside the type's size: the code of serde's
/// derive has frames many times as large as the type, above all without optimization.
const LEVEL: usize = 128;
/// What each byte of the type counts.
const BYTE: usize = 2;
/// What each field of a struct counts.
const FIELD: usize = 16;

impl<'d, 'de, 's> Deserializer<'d, 'de, 's> {
    /// Reads with `decoder`.
    pub fn new(decoder: &'d mut Decoder<'de, 's>) -> Self {
        Self { d: decoder }
    }
}

/// Reads what lies inside of a container, an option or a newtype.
#[inline]
fn inside<'de, V: Visitor<'de>>(
    d: &mut Decoder<'de, '_>,
    fields: usize,
    read: impl FnOnce(&mut Decoder<'de, '_>) -> Result<V::Value>,
) -> Result<V::Value> {
    let bytes =
        size_of::<V::Value>().saturating_mul(BYTE).saturating_add(LEVEL + fields.saturating_mul(FIELD));
    d.inside_bytes(bytes, read)
}

/// As [`inside`], for what may lie in a box of its own, which is charged.
#[inline]
fn inside_box<'de, V: Visitor<'de>>(
    d: &mut Decoder<'de, '_>,
    fields: usize,
    read: impl FnOnce(&mut Decoder<'de, '_>) -> Result<V::Value>,
) -> Result<V::Value> {
    d.charge(size_of::<V::Value>())?;
    inside::<V>(d, fields, read)
}

fn items<'de, V: Visitor<'de>>(d: &mut Decoder<'de, '_>, list: ListReader, visitor: V) -> Result<V::Value> {
    inside_box::<V>(d, 0, |d| {
        let mut items = Items::new(d, list);
        let value = visitor.visit_seq(&mut items)?;
        items.end()?;
        Ok(value)
    })
}

fn entries<'de, V: Visitor<'de>>(d: &mut Decoder<'de, '_>, map: MapReader, visitor: V) -> Result<V::Value> {
    inside_box::<V>(d, 0, |d| {
        let mut entries = Entries::new(d, map);
        let value = visitor.visit_map(&mut entries)?;
        entries.end()?;
        Ok(value)
    })
}

fn bytes<'de, V: Visitor<'de>>(bytes: Cow<'de, [u8]>, visitor: V) -> Result<V::Value> {
    match bytes {
        Cow::Borrowed(bytes) => visitor.visit_borrowed_bytes(bytes),
        Cow::Owned(bytes) => visitor.visit_byte_buf(bytes),
    }
}

fn text<'de, V: Visitor<'de>>(text: Cow<'de, str>, visitor: V) -> Result<V::Value> {
    match text {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

macro_rules! as_decoded {
    ($($method:ident $visit:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            visitor.$visit(self.d.read()?)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Deserializer<'_, 'de, '_> {
    type Error = crate::Error;

    as_decoded! {
        deserialize_bool visit_bool
        deserialize_i8 visit_i8
        deserialize_i16 visit_i16
        deserialize_i32 visit_i32
        deserialize_u8 visit_u8
        deserialize_u16 visit_u16
        deserialize_u32 visit_u32
        deserialize_u64 visit_u64
        deserialize_f32 visit_f32
        deserialize_f64 visit_f64
        deserialize_char visit_char
        deserialize_byte_buf visit_byte_buf
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.d.any()? {
            Any::Number(Number::Null) => visitor.visit_unit(),
            Any::Number(Number::Bool(value)) => visitor.visit_bool(value),
            Any::Number(Number::Int(value)) => visitor.visit_i32(value),
            Any::Number(Number::Long(value)) => visitor.visit_i64(value),
            Any::Number(Number::Double(value)) => visitor.visit_f64(value),
            Any::Date(millis) => visitor.visit_i64(millis),
            Any::Text(value) => text(value, visitor),
            Any::Binary(value) => bytes(value, visitor),
            Any::List(list) => items(self.d, list, visitor),
            Any::Map(map) => entries(self.d, map, visitor),
        }
    }

    #[inline]
    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.d.peek() {
            Some(Kind::Date) => visitor.visit_i64(self.d.date()?),
            _ => visitor.visit_i64(self.d.i64()?),
        }
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        text(self.d.str()?, visitor)
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_string(self.d.string()?)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.d.peek() {
            Some(Kind::Binary) => bytes(self.d.bytes()?, visitor),
            _ => self.deserialize_byte_buf(visitor),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.d.take_null() {
            return visitor.visit_none();
        }
        inside::<V>(self.d, 0, |d| visitor.visit_some(Deserializer { d }))
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.d.take_null() {
            return visitor.visit_unit();
        }
        let tag = self.d.byte()?;
        Err(self.d.unexpected("null", tag))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        inside::<V>(self.d, 0, |d| visitor.visit_newtype_struct(Deserializer { d }))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.d.peek() == Some(Kind::Binary) {
            let bytes = self.d.bytes()?;
            return inside_box::<V>(self.d, 0, |d| visitor.visit_seq(Bytes::new(d, &bytes)));
        }
        let list = self.d.list()?;
        items(self.d, list, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let map = self.d.map()?;
        entries(self.d, map, visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let object = self.d.object(fields)?;
        inside_box::<V>(self.d, fields.len(), |d| {
            let mut object = Fields::new(d, object, fields);
            let value = visitor.visit_map(&mut object)?;
            object.end()?;
            Ok(value)
        })
    }

    /// Plain text and an object with the field `name` are constants; a map has the variant as its only key.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.d.take_definitions()?;
        if self.d.peek_target()? != Some(Kind::Map) {
            let name = self.d.constant()?;
            return visitor.visit_enum(Constant(name));
        }
        let map = self.d.map()?;
        inside_box::<V>(self.d, variants.len(), |d| {
            let mut variant = Variant::new(d, map);
            let value = visitor.visit_enum(&mut variant)?;
            variant.end()?;
            Ok(value)
        })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.d.skip()?;
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}
