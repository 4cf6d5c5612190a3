//! Hessian 2 for Rust, byte-compatible with Java's hessian-lite 4 and readable by dubbo-go. Useful alone; it knows
//! no Dubbo, no socket and no clock.
#![forbid(unsafe_code)]

mod class;
mod date;
mod decode;
mod encode;
mod error;
mod exception;
pub mod java;
mod kind;
mod limits;
mod sink;
mod utf16;
mod value;

pub use class::Class;
pub use date::{Date, DateRangeError};
pub use decode::{Decode, DecodeOwned, DecodeState, Decoder, ListReader, MapReader, Mark, ObjectReader};
pub use encode::{Encode, EncodeAs, EncodeState, Encoder};
pub use error::{Error, ErrorKind, Found, Result};
pub use exception::{Exception, StackFrame, Throwable};
pub use getty_macros::Hessian;
pub use java::JavaType;
pub use kind::Kind;
pub use limits::Limits;
pub use sink::Sink;
pub use value::{Entries, Fields, Items, Val, Value};

/// What the code that `#[derive(Hessian)]` makes calls. Not for others: it changes without notice.
#[doc(hidden)]
pub mod derive {
    pub use crate::decode::required;
}

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
