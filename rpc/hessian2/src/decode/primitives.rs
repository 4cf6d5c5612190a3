//! Owns `Decode` of numbers, text, binary and wrappers. It decides what a Rust type takes; bytes are the decoder's.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::{Decode, Decoder};
use crate::error::Result;
use crate::kind::Kind;

impl<'de> Decode<'de> for bool {
    #[inline]
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        d.bool()
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok(false)
    }
}

impl<'de> Decode<'de> for i32 {
    #[inline]
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        d.i32()
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok(0)
    }
}

impl<'de> Decode<'de> for i64 {
    #[inline]
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        d.i64()
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok(0)
    }
}

macro_rules! narrowed {
    ($($ty:ident)*) => {$(
        impl<'de> Decode<'de> for $ty {
            fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
                let value = d.i64()?;
                Self::try_from(value).map_err(|_| d.out_of_range(stringify!($ty), value))
            }

            fn absent(_: &'static str) -> Result<Self> {
                Ok(0)
            }
        }
    )*};
}

narrowed!(i16 u16 u32 u64);

/// -128 to 127, and 128 to 255 as the `byte` with the same bits.
impl<'de> Decode<'de> for i8 {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        byte(d, "i8").map(u8::cast_signed)
    }

    /// Reads binary as well.
    fn decode_vec(d: &mut Decoder<'de, '_>) -> Result<Vec<Self>> {
        let bytes = u8::decode_vec(d)?;
        Ok(bytes.into_iter().map(u8::cast_signed).collect())
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok(0)
    }
}

/// 0 to 255, and -128 to -1 as Java's `byte` with the same bits.
impl<'de> Decode<'de> for u8 {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        byte(d, "u8")
    }

    /// Reads binary as well.
    fn decode_vec(d: &mut Decoder<'de, '_>) -> Result<Vec<Self>> {
        match d.peek() {
            Some(Kind::Binary) => d.bytes().map(Cow::into_owned),
            _ => super::collections::vec(d),
        }
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok(0)
    }
}

fn byte(d: &mut Decoder<'_, '_>, target: &'static str) -> Result<u8> {
    let value = d.i64()?;
    match value {
        -128..=255 => Ok(value as u8),
        _ => Err(d.out_of_range(target, value)),
    }
}

/// The nearest `f32`, as Java's reader does.
impl<'de> Decode<'de> for f32 {
    #[inline]
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        d.f64().map(|value| value as Self)
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok(0.0)
    }
}

impl<'de> Decode<'de> for f64 {
    #[inline]
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        d.f64()
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok(0.0)
    }
}

/// A string of one character; `null` is NUL, as in Java.
impl<'de> Decode<'de> for char {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        let Some(text) = d.opt_str()? else { return Ok('\0') };
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(char), None) => Ok(char),
            _ => Err(d.out_of_range("a char", format_args!("a string of {} bytes", text.len()))),
        }
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok('\0')
    }
}

/// Any value: it is skipped.
impl<'de> Decode<'de> for () {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        d.skip()
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok(())
    }
}

impl<'de> Decode<'de> for String {
    #[inline]
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        d.string()
    }
}

macro_rules! text {
    ($($ty:ty)*) => {$(
        impl<'de> Decode<'de> for $ty {
            fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
                d.str().map(Self::from)
            }
        }
    )*};
}

text!(Box<str> Rc<str> Arc<str>);

/// Only what lies in the body in one piece: see [`ErrorKind::NotContiguous`](crate::ErrorKind::NotContiguous).
impl<'de: 'a, 'a> Decode<'de> for &'a str {
    #[inline]
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        d.borrowed_str()
    }
}

/// Borrows what lies in the body in one piece, and owns the rest.
impl<'de: 'a, 'a> Decode<'de> for Cow<'a, str> {
    #[inline]
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        d.str()
    }
}

/// Only what lies in the body in one piece: see [`ErrorKind::NotContiguous`](crate::ErrorKind::NotContiguous).
impl<'de: 'a, 'a> Decode<'de> for &'a [u8] {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        d.borrowed_bytes()
    }
}

/// Borrows what lies in the body in one piece, and owns the rest.
impl<'de: 'a, 'a> Decode<'de> for Cow<'a, [u8]> {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        d.bytes()
    }
}

macro_rules! buffer {
    ($($ty:ident)*) => {$(
        /// A copy: the body's buffer is not kept alive. `null` is empty.
        impl<'de> Decode<'de> for $ty {
            fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
                u8::decode_vec(d).map(|bytes| Bytes::from(bytes).into())
            }

            fn absent(_: &'static str) -> Result<Self> {
                Ok(Self::new())
            }
        }
    )*};
}

buffer!(Bytes BytesMut);

/// `null` is `None`.
impl<'de, T: Decode<'de>> Decode<'de> for Option<T> {
    #[inline]
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        if d.take_null() { Ok(None) } else { T::decode_from(d).map(Some) }
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok(None)
    }
}

macro_rules! wrapped {
    ($($wrapper:ident)*) => {$(
        impl<'de, T: Decode<'de>> Decode<'de> for $wrapper<T> {
            fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
                // Two counters lie before what is counted.
                d.charge(size_of::<T>() + 2 * size_of::<usize>())?;
                d.inside::<T, _>(|d| T::decode_from(d).map(Self::new))
            }

            fn absent(field: &'static str) -> Result<Self> {
                T::absent(field).map(Self::new)
            }
        }
    )*};
}

wrapped!(Box Rc Arc);
