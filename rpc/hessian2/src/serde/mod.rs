//! Types of [serde](https://serde.rs) as Hessian 2: a bridge for types that have serde's derive and not this crate's.
//! It owns no rule of the wire: everything goes through [`Encoder`] and [`Decoder`].
//!
//! ```
//! use getty_hessian2::Hessian;
//! use getty_hessian2::serde::{Serde, from_slice, to_vec};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! #[serde(rename = "com.example.User", rename_all = "camelCase")]
//! struct User<'a> {
//!     user_name: &'a str,
//!     age: Option<i32>,
//!     level: Level,
//! }
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! #[serde(rename = "com.example.Level")]
//! enum Level {
//!     #[serde(rename = "GOLD")]
//!     Gold,
//! }
//!
//! #[derive(Debug, PartialEq, Hessian)]
//! #[hessian(class = "com.example.Order")]
//! struct Order<'a> {
//!     id: i64,
//!     user: Serde<User<'a>>,
//! }
//!
//! # fn main() -> getty_hessian2::Result<()> {
//! let user = User { user_name: "Tom", age: Some(18), level: Level::Gold };
//! let bytes = to_vec(&user)?; // an object of the class com.example.User
//! assert_eq!(from_slice::<User<'_>>(&bytes)?, user);
//!
//! let order = Order { id: 7, user: Serde(user) };
//! let bytes = getty_hessian2::to_vec(&order)?;
//! assert_eq!(getty_hessian2::from_slice::<Order<'_>>(&bytes)?, order);
//! # Ok(())
//! # }
//! ```
//!
//! # What becomes what
//!
//! | serde | on the wire | also read from |
//! |---|---|---|
//! | booleans, numbers, `char`, text | as in the [crate's table](crate#what-becomes-what) | the same; `i64` also from a date, as milliseconds |
//! | bytes (`serde_bytes`) | binary | lists of bytes, `null` as empty |
//! | `None`, unit, unit struct | `null` | |
//! | newtype struct | what it holds | |
//! | sequence, tuple, tuple struct | untyped list | lists of any form, `null` as empty, binary |
//! | map | untyped map | maps of any type, objects as maps of their fields, `null` as empty |
//! | struct | object; its class is the struct's name for serde | objects of any class, maps |
//! | unit variant | enum object: the class is the enum's name, the field `name` the variant's | text |
//! | other variants | untyped map of one entry, from the variant's name to its value | |
//! | [`Date`] | date; in other formats a number of milliseconds | |
//!
//! What asks for any value (`serde_json::Value`, `#[serde(untagged)]`, `#[serde(tag)]`, `#[serde(flatten)]`) sees a
//! date as a number of milliseconds, an object and an enum constant as a map of the fields without the class name, and
//! what is referred to as a copy. A cycle is an error, and so is the compact form of `java.time`, whose field has no
//! name. `is_human_readable` is false.
//!
//! # Limits
//!
//! What serde cannot say, this bridge cannot know. `#[derive(Hessian)]` has none of these limits.
//!
//! - Class names: `#[serde(rename = "com.example.User")]` on the struct or enum, which other formats of the type see as
//!   well. Without it the class is the Rust name.
//! - `Vec<u8>` is a list of ints for serde, which Java does not read as `byte[]`. Use `serde_bytes`; it does not reach
//!   into a `Vec<Vec<u8>>`. Both are read from binary.
//! - A field that `#[serde(skip_serializing_if)]` leaves out is left out of the class definition too: objects of one
//!   type then have several definitions of one class in a body. That is legal, and each is read by its own fields, but
//!   it is larger and slower to write. An `Option` that is always written costs one byte.
//! - `#[serde(flatten)]` turns a struct into a map: serde tells neither its name nor all of its fields.
//! - Internally tagged enums (`#[serde(tag)]`) are objects with the tag as a field, of classes that no Java class has.
//! - The first object of a class is written several times slower than the next ones, since the names of its fields
//!   come with their values. [`EncodeState`](crate::EncodeState) remembers them.
//! - Two structs of one name that lie next to each other are told apart by their fields; the objects stay right, but a
//!   definition may be written twice.
//! - A field of an object that comes twice is an error of serde's derive; `#[derive(Hessian)]` takes the last one.
//! - What `untagged`, `tag` and `flatten` read is buffered by serde. The buffer is bounded as everything is, but what
//!   serde makes of it is not seen: its memory is up to the size of the types for each value buffered, and its
//!   recursion is bounded by [`Limits::depth`](crate::Limits::depth) alone.
//! - Types inside each other count several times against [`Limits::stack`](crate::Limits::stack), since serde's derive
//!   takes more stack: a struct of 17 fields may lie in itself some 100 levels deep.
//! - References are never written: each place has a copy. See [`Shared`](crate::Shared).
//! - `i128` and `u128` are errors.

mod date;
mod de;
mod ser;

pub use de::Deserializer;
pub use ser::Serializer;

use std::fmt::Display;

use serde_core::{Deserialize, Serialize};

use crate::decode::{Decode, DecodeState, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::{Error, ErrorKind, Result};
use crate::java::JavaType;
use crate::sink::Sink;

#[cfg(doc)]
use crate::Date;

/// A type of serde as a field, an argument or a result.
///
/// Its Java type is `java.lang.Object`, since the class name is not known before a value is written. Java finds a
/// method by the declared types of its parameters: where one is a class, tell the descriptor with
/// `#[method(descriptor = "...")]`, or use `#[derive(Hessian)]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serde<T>(
    /// The value.
    pub T,
);

impl<T> From<T> for Serde<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> JavaType for Serde<T> {
    const DESCRIPTOR: &'static str = "Ljava/lang/Object;";
}

impl<T: Serialize> Encode for Serde<T> {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        self.0.serialize(Serializer::new(e))
    }
}

impl<'de, T: Deserialize<'de>> Decode<'de> for Serde<T> {
    #[inline]
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        T::deserialize(Deserializer::new(d)).map(Self)
    }

    /// What `null` is.
    fn absent(field: &'static str) -> Result<Self> {
        let mut state = DecodeState::new();
        let null = Self::decode_from(&mut Decoder::new(b"N", &mut state));
        null.map_err(|_| Error::new(ErrorKind::MissingField { field }))
    }
}

/// Writes one value with fresh tables.
///
/// # Errors
///
/// When containers lie too deep, a number has no form on the wire, or the value's `Serialize` fails.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    crate::to_vec(&Serde(value))
}

/// Reads one value that takes all of `bytes`, with the default [`Limits`](crate::Limits).
///
/// # Errors
///
/// When the bytes are malformed, hold another value than the type wants, or go beyond a limit; and
/// [`ErrorKind::Trailing`] when bytes are left.
pub fn from_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T> {
    crate::from_slice::<Serde<T>>(bytes).map(|value| value.0)
}

impl serde_core::ser::Error for Error {
    fn custom<M: Display>(message: M) -> Self {
        Self::custom(message.to_string())
    }
}

impl serde_core::de::Error for Error {
    fn custom<M: Display>(message: M) -> Self {
        Self::custom(message.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(ErrorKind::MissingField { field })
    }
}
