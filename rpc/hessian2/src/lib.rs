#![doc = include_str!("../README.md")]
//!
//! # Where to find it
//!
//! - Types: [`Encode`] and [`Decode`], by [`#[derive(Hessian)]`](derive@Hessian) or by hand; Java's own types in [`java`],
//!   [`Date`], [`Throwable`], [`Shared`].
//! - Values: [`Value`] holds anything, with class names, sharing and cycles; [`Values`] holds those of a body together.
//! - Bytes: [`Encoder`] and [`Decoder`], with [`EncodeState`] and [`DecodeState`]; [`Limits`] and [`Dialect`].
//! - Errors: [`Error`], which tells its [`ErrorKind`] and where in the bytes it is.
#![forbid(unsafe_code)]

// The derive names this crate, also inside of it.
extern crate self as getty_hessian2;

mod class;
mod compact;
mod date;
mod decode;
#[doc(hidden)]
pub mod derive;
mod encode;
mod error;
mod exception;
pub mod java;
mod kind;
mod limits;
#[cfg(feature = "serde")]
pub mod serde;
mod shared;
mod sink;
mod utf16;
mod value;

pub use class::Class;
pub use date::{Date, DateRangeError};
pub use decode::{Decode, DecodeOwned, DecodeState, Decoder, ListReader, MapReader, Mark, ObjectReader};
pub use encode::{Dialect, Encode, EncodeAs, EncodeState, Encoder};
pub use error::{Error, ErrorKind, Found, Result};
pub use exception::{Exception, StackFrame, Throwable};
/// Implements [`Encode`], [`Decode`] and [`JavaType`] for a struct with named fields, an enum of constants, or a struct
/// around one collection.
///
/// On the struct or enum, `#[hessian(...)]` takes:
///
/// - `class = "com.example.User"`: Java's name of the class, as `Class.getName()` gives it. Required. It is what is
///   written; reading takes objects of any class by their fields, so one type reads several classes.
/// - `rename_all = "..."`: how Rust names become Java names: `camelCase` (default for fields), `PascalCase`,
///   `snake_case`, `SCREAMING_SNAKE_CASE` (default for constants), `lowercase`, `UPPERCASE`.
/// - `exception`: the struct is a Java exception and implements [`Exception`].
/// - `map`: written as a map of that class. The keys are the field names, or those of the one map that the struct is
///   around: `struct Dict(HashMap<String, i32>)`.
/// - `list`: written as a list of that class: `struct Items(Vec<Item>)`.
/// - `part`: other structs can hold the fields of this one as their own. Such a struct needs no `class`.
///
/// On a field:
///
/// - `rename = "..."`: its name on the wire.
/// - `default`: `Default` when the object lacks the field or has `null` there.
/// - `skip`: neither written nor read; `Default` when read.
/// - `flatten`: the field is a `part`, and its fields belong to this object, as those of a parent class do in Java.
/// - `message`: of an exception, the field that is Java's `getMessage()`. Without it, a field named `message` or
///   `detail_message` is.
///
/// On a variant: `rename`, and `other` for one `Other(String)` that takes all constants the enum does not know.
///
/// # Parent classes, and one type under several classes
///
/// ```
/// use getty_hessian2::{Hessian, Value, to_vec};
///
/// #[derive(Hessian)]
/// #[hessian(part)] // an abstract class: written only as a part of others
/// struct Entity {
///     id: i64,
/// }
///
/// #[derive(Hessian)]
/// #[hessian(class = "com.example.User", part)]
/// struct User {
///     #[hessian(flatten)]
///     entity: Entity,
///     name: String,
/// }
///
/// #[derive(Hessian)]
/// #[hessian(class = "com.example.v2.User")] // the same fields under another name
/// struct UserV2 {
///     #[hessian(flatten)]
///     user: User,
/// }
///
/// # fn main() -> getty_hessian2::Result<()> {
/// let user = User { entity: Entity { id: 7 }, name: "Tom".into() };
/// let bytes = to_vec(&UserV2 { user })?;
/// let value = Value::parse(&bytes)?;
/// assert_eq!(value.root().class(), Some("com.example.v2.User"));
/// assert_eq!(value.root().get("id").as_i64(), Some(7));
/// # Ok(())
/// # }
/// ```
pub use getty_macros::Hessian;
pub use java::JavaType;
pub use kind::Kind;
pub use limits::Limits;
pub use shared::Shared;
pub use sink::Sink;
pub use value::{Entries, Fields, Items, Val, Value, Values};

/// Writes one value with fresh tables.
///
/// # Errors
///
/// Those of the value's [`Encode`].
pub fn to_vec<T: Encode + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut state = EncodeState::new();
    state.begin(&out);
    Encoder::new(&mut out, &mut state).write(value)?;
    Ok(out)
}

/// Reads one value that takes all of `bytes`, with the default [`Limits`].
///
/// # Errors
///
/// Those of the value's [`Decode`], and [`ErrorKind::Trailing`] when bytes are left.
pub fn from_slice<'de, T: Decode<'de>>(bytes: &'de [u8]) -> Result<T> {
    let mut state = DecodeState::new();
    let mut decoder = Decoder::new(bytes, &mut state);
    let value = decoder.read()?;
    decoder.end()?;
    Ok(value)
}
