//! Owns writing: the trait of values that can be written, and the parts of the encoder. It never reads.

mod as_type;
mod binary;
mod collections;
mod dialect;
mod encoder;
#[cfg(feature = "serde")]
mod learned;
mod number;
mod primitives;
mod state;
mod tables;
mod text;
mod tuples;

pub(crate) use collections::entries;

pub use as_type::EncodeAs;
pub use dialect::Dialect;
pub use encoder::Encoder;
pub use state::EncodeState;

#[cfg(feature = "serde")]
pub(crate) use learned::LearnedObject;

use crate::error::Result;
use crate::sink::Sink;

/// A value that can be written as Hessian 2.
///
/// `#[derive(Hessian)]` implements it for structs and enums. Written by hand, it writes exactly one value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written as Hessian 2",
    note = "add `#[derive(Hessian)]` and `#[hessian(class = \"...\")]` to the type, or mark the field `#[hessian(skip)]`"
)]
pub trait Encode {
    /// Writes `self` as one value.
    ///
    /// # Errors
    ///
    /// When containers lie deeper than the state allows, or when a number has no form on the wire (a `u64` above
    /// `i64::MAX`). Bytes may have been written by then: the caller truncates its buffer.
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()>;

    /// Writes a slice of `Self`: an untyped list of fixed length. `u8` and `i8` write binary instead.
    ///
    /// # Errors
    ///
    /// As [`encode_to`](Self::encode_to).
    fn encode_slice<S: Sink>(items: &[Self], e: &mut Encoder<'_, S>) -> Result<()>
    where
        Self: Sized,
    {
        e.list(items.len())?;
        for (index, item) in items.iter().enumerate() {
            item.encode_to(e).map_err(|error| error.in_item(index))?;
        }
        e.end_list();
        Ok(())
    }
}
