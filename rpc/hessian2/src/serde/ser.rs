//! Owns how serde's kinds of values become Hessian's. It decides on kinds only; bytes are the encoder's.

mod compound;

use compound::{Entries, Fields, Items};

use serde_core::Serialize;
use serde_core::ser;

use super::date;
use crate::encode::{Encode, Encoder};
use crate::error::{Error, ErrorKind, Result};
use crate::sink::Sink;

/// Writes a value of serde as the next value of a body.
///
/// It is used up by one value; the encoder goes on. After an error the body is incomplete, as with any
/// [`Encode`](crate::Encode).
#[derive(Debug)]
pub struct Serializer<'e, 'a, S: Sink> {
    e: &'e mut Encoder<'a, S>,
    /// Newtype structs and options around the value, from the next container inwards.
    wrappers: u8,
    /// Whether a number is a date.
    date: bool,
}

/// Newtype structs and options directly inside each other. They have no byte on the wire, so no level of containers
/// bounds them.
const WRAPPERS: u8 = 128;

impl<'e, 'a, S: Sink> Serializer<'e, 'a, S> {
    /// Writes with `encoder`.
    pub fn new(encoder: &'e mut Encoder<'a, S>) -> Self {
        Self { e: encoder, wrappers: 0, date: false }
    }

    fn wrapped(mut self) -> Result<Self> {
        if self.wrappers >= WRAPPERS {
            let limit = u64::from(WRAPPERS);
            return Err(Error::new(ErrorKind::Limit { what: "newtypes inside each other", limit }));
        }
        self.wrappers += 1;
        Ok(self)
    }

    /// Begins the map that stands for a variant with data.
    fn variant(self, variant: &'static str) -> Result<&'e mut Encoder<'a, S>> {
        self.e.map(None)?;
        self.e.str(variant);
        Ok(self.e)
    }
}

macro_rules! as_encoded {
    ($($method:ident $ty:ty)*) => {$(
        #[inline]
        fn $method(self, value: $ty) -> Result<()> {
            value.encode_to(self.e)
        }
    )*};
}

impl<'e, 'a, S: Sink> ser::Serializer for Serializer<'e, 'a, S> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'e, 'a, S>;
    type SerializeTuple = Items<'e, 'a, S>;
    type SerializeTupleStruct = Items<'e, 'a, S>;
    type SerializeTupleVariant = Items<'e, 'a, S>;
    type SerializeMap = Entries<'e, 'a, S>;
    type SerializeStruct = Fields<'e, 'a, S>;
    type SerializeStructVariant = Entries<'e, 'a, S>;

    as_encoded! {
        serialize_bool bool
        serialize_i8 i8
        serialize_i16 i16
        serialize_i32 i32
        serialize_u8 u8
        serialize_u16 u16
        serialize_u32 u32
        serialize_u64 u64
        serialize_f32 f32
        serialize_f64 f64
        serialize_char char
        serialize_str &str
    }

    #[inline]
    fn serialize_i64(self, value: i64) -> Result<()> {
        if self.date {
            self.e.date(value);
        } else {
            self.e.i64(value);
        }
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<()> {
        self.e.bytes(value);
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Result<()> {
        self.e.null();
        Ok(())
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self.wrapped()?)
    }

    fn serialize_unit(self) -> Result<()> {
        self.e.null();
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.e.null();
        Ok(())
    }

    fn serialize_unit_variant(self, name: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.e.constant(name, variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<()> {
        let date = name == date::NAME;
        value.serialize(Self { date, ..self.wrapped()? })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        let e = self.variant(variant)?;
        value.serialize(Serializer::new(e)).map_err(|error| error.in_field(variant))?;
        e.end_map();
        Ok(())
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Items<'e, 'a, S>> {
        Items::begin(self.e, len, false)
    }

    fn serialize_tuple(self, len: usize) -> Result<Items<'e, 'a, S>> {
        Items::begin(self.e, Some(len), false)
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Items<'e, 'a, S>> {
        Items::begin(self.e, Some(len), false)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Items<'e, 'a, S>> {
        Items::begin(self.variant(variant)?, Some(len), true)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'e, 'a, S>> {
        Entries::begin(self.e, false)
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Fields<'e, 'a, S>> {
        Fields::begin(self.e, name, len)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Entries<'e, 'a, S>> {
        Entries::begin(self.variant(variant)?, true)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}
