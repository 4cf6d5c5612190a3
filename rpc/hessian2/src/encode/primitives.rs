//! Owns `Encode` of numbers, text, binary and wrappers. It decides which kind a Rust type is; bytes are the
//! encoder's.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::{Encode, Encoder};
use crate::error::{Error, ErrorKind, Result};
use crate::sink::Sink;

impl Encode for bool {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        e.bool(*self);
        Ok(())
    }
}

macro_rules! as_int {
    ($($ty:ty)*) => {$(
        impl Encode for $ty {
            #[inline]
            fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
                e.i32(i32::from(*self));
                Ok(())
            }
        }
    )*};
}

as_int!(i16 u16 i32);

/// A single `byte` is an `int`; a slice of them is binary.
impl Encode for i8 {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        e.i32(i32::from(*self));
        Ok(())
    }

    fn encode_slice<S: Sink>(items: &[Self], e: &mut Encoder<'_, S>) -> Result<()> {
        let bytes: Vec<u8> = items.iter().map(|item| item.cast_unsigned()).collect();
        e.bytes(&bytes);
        Ok(())
    }
}

/// A single byte is an `int` of 0 to 255; a slice of them is binary.
impl Encode for u8 {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        e.i32(i32::from(*self));
        Ok(())
    }

    #[inline]
    fn encode_slice<S: Sink>(items: &[Self], e: &mut Encoder<'_, S>) -> Result<()> {
        e.bytes(items);
        Ok(())
    }
}

/// A `long`: Java's `int` has no room for it.
impl Encode for u32 {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        e.i64(i64::from(*self));
        Ok(())
    }
}

impl Encode for i64 {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        e.i64(*self);
        Ok(())
    }
}

/// A `long`; a value above `i64::MAX` is an error.
impl Encode for u64 {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        let value = i64::try_from(*self)
            .map_err(|_| Error::new(ErrorKind::OutOfRange { target: "long", value: self.to_string() }))?;
        e.i64(value);
        Ok(())
    }
}

impl Encode for f32 {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        e.f32(*self);
        Ok(())
    }
}

impl Encode for f64 {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        e.f64(*self);
        Ok(())
    }
}

/// A string of one character, as Java writes `char`.
impl Encode for char {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        e.str(self.encode_utf8(&mut [0; 4]));
        Ok(())
    }
}

/// `null`.
impl Encode for () {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        e.null();
        Ok(())
    }
}

impl Encode for str {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        e.str(self);
        Ok(())
    }
}

impl Encode for String {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        e.str(self);
        Ok(())
    }
}

macro_rules! as_binary {
    ($($ty:ty)*) => {$(
        impl Encode for $ty {
            #[inline]
            fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
                e.bytes(self);
                Ok(())
            }
        }
    )*};
}

as_binary!(Bytes BytesMut);

/// `None` is `null`.
impl<T: Encode> Encode for Option<T> {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        match self {
            Some(value) => value.encode_to(e),
            None => {
                e.null();
                Ok(())
            }
        }
    }
}

macro_rules! as_inner {
    ($($ty:ty)*) => {$(
        impl<T: Encode + ?Sized> Encode for $ty {
            #[inline]
            fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
                (**self).encode_to(e)
            }
        }
    )*};
}

as_inner!(&T &mut T Box<T> Rc<T> Arc<T>);

impl<T: Encode + ToOwned + ?Sized> Encode for Cow<'_, T> {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        (**self).encode_to(e)
    }
}
