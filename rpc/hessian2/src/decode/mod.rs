//! Owns reading: the trait of values that can be read, and the parts of the decoder. It never writes.

#[cfg(feature = "serde")]
mod any;
mod binary;
mod cache;
mod collections;
mod containers;
mod decoder;
mod definitions;
mod number;
mod object;
mod primitives;
mod skip;
mod state;
mod text;
mod tuples;

pub use containers::{ListReader, MapReader};
pub use decoder::{Decoder, Mark};
pub use object::ObjectReader;
pub use state::DecodeState;

pub use object::required;

#[cfg(feature = "serde")]
pub(crate) use any::Any;
pub(crate) use collections::{Growth, each_entry, table_growth};
pub(crate) use containers::Opened;
pub(crate) use definitions::short_names;
pub(crate) use number::Number;
#[cfg(feature = "serde")]
pub(crate) use object::Name;
pub(crate) use text::Text;

use crate::error::{Error, ErrorKind, Result};

/// A value that can be read from Hessian 2, borrowing from the input where it can.
///
/// `#[derive(Hessian)]` implements it for structs and enums. Written by hand, it reads exactly one value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from Hessian 2",
    note = "add `#[derive(Hessian)]` and `#[hessian(class = \"...\")]` to the type, or mark the field `#[hessian(skip)]`"
)]
pub trait Decode<'de>: Sized {
    /// Reads one value.
    ///
    /// # Errors
    ///
    /// When the input ends, is no Hessian 2, holds another kind of value, or goes beyond a limit. The decoder cannot
    /// be used further then.
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self>;

    /// Reads a list of `Self` in any of its forms; `null` is an empty one. `u8` and `i8` read binary as well.
    ///
    /// # Errors
    ///
    /// As [`decode_from`](Self::decode_from).
    fn decode_vec(d: &mut Decoder<'de, '_>) -> Result<Vec<Self>> {
        collections::vec(d)
    }

    /// What a field is when the object lacks it. As in Java it is what `null` would give: zero, `false`, `None`, an
    /// empty collection; types without such a form give an error that names the field.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MissingField`] by default.
    fn absent(field: &'static str) -> Result<Self> {
        Err(Error::new(ErrorKind::MissingField { field }))
    }
}

/// A value that can be read and keeps nothing of the input.
pub trait DecodeOwned: for<'de> Decode<'de> {}

impl<T: for<'de> Decode<'de>> DecodeOwned for T {}
