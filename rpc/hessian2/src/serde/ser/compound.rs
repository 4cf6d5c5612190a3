//! Owns the lists, maps and objects that a serializer has begun.

use std::ops::Range;

use serde_core::Serialize;
use serde_core::ser;

use super::Serializer;
use crate::encode::{Encoder, LearnedObject};
use crate::error::{Error, Result};
use crate::sink::Sink;

/// A list that is being written.
#[derive(Debug)]
pub struct Items<'e, 'a, S: Sink> {
    e: &'e mut Encoder<'a, S>,
    announced: Option<usize>,
    written: usize,
    /// Where the head of a list of unknown length will be put.
    head: Range<usize>,
    /// Whether it is the value of a variant, in a map.
    in_variant: bool,
}

impl<'e, 'a, S: Sink> Items<'e, 'a, S> {
    #[inline]
    pub(super) fn begin(e: &'e mut Encoder<'a, S>, len: Option<usize>, in_variant: bool) -> Result<Self> {
        let start = e.size();
        e.list(len.unwrap_or(0))?;
        let head = start..e.size();
        Ok(Self { e, announced: len, written: 0, head, in_variant })
    }

    #[inline]
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let index = self.written;
        value.serialize(Serializer::new(self.e)).map_err(|error| error.in_item(index))?;
        self.written += 1;
        Ok(())
    }

    #[inline]
    fn finish(self) -> Result<()> {
        if self.announced != Some(self.written) {
            self.e.list_again(self.head, self.announced.unwrap_or(0), self.written)?;
        }
        self.e.end_list();
        if self.in_variant {
            self.e.end_map();
        }
        Ok(())
    }
}

impl<S: Sink> ser::SerializeSeq for Items<'_, '_, S> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.item(value)
    }

    #[inline]
    fn end(self) -> Result<()> {
        self.finish()
    }
}

impl<S: Sink> ser::SerializeTuple for Items<'_, '_, S> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.item(value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}

impl<S: Sink> ser::SerializeTupleStruct for Items<'_, '_, S> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.item(value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}

impl<S: Sink> ser::SerializeTupleVariant for Items<'_, '_, S> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.item(value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}

/// A map that is being written.
#[derive(Debug)]
pub struct Entries<'e, 'a, S: Sink> {
    e: &'e mut Encoder<'a, S>,
    index: usize,
    /// Whether it is the value of a variant, in another map.
    in_variant: bool,
}

impl<'e, 'a, S: Sink> Entries<'e, 'a, S> {
    pub(super) fn begin(e: &'e mut Encoder<'a, S>, in_variant: bool) -> Result<Self> {
        e.map(None)?;
        Ok(Self { e, index: 0, in_variant })
    }
}

impl<S: Sink> ser::SerializeMap for Entries<'_, '_, S> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        key.serialize(Serializer::new(self.e)).map_err(|error| error.in_item(self.index))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(Serializer::new(self.e)).map_err(|error| error.in_item(self.index))?;
        self.index += 1;
        Ok(())
    }

    fn end(self) -> Result<()> {
        self.e.end_map();
        Ok(())
    }
}

impl<S: Sink> ser::SerializeStructVariant for Entries<'_, '_, S> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        self.e.str(name);
        value.serialize(Serializer::new(self.e)).map_err(|error| error.in_field(name))
    }

    fn end(self) -> Result<()> {
        self.e.end_map();
        if self.in_variant {
            self.e.end_map();
        }
        Ok(())
    }
}

/// An object that is being written.
#[derive(Debug)]
pub struct Fields<'e, 'a, S: Sink> {
    e: &'e mut Encoder<'a, S>,
    object: LearnedObject,
}

impl<'e, 'a, S: Sink> Fields<'e, 'a, S> {
    #[inline]
    pub(super) fn begin(e: &'e mut Encoder<'a, S>, name: &'static str, len: usize) -> Result<Self> {
        let object = e.begin_fields(name, len)?;
        Ok(Self { e, object })
    }
}

impl<S: Sink> ser::SerializeStruct for Fields<'_, '_, S> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        self.e.next_field(&mut self.object, name);
        value.serialize(Serializer::new(self.e)).map_err(|error| error.in_field(name))
    }

    #[inline]
    fn end(self) -> Result<()> {
        self.e.end_fields(self.object);
        Ok(())
    }
}
