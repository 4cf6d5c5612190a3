//! The crate [`::prost`], as messages of services see it: all of it, with other hands for what nearly every message is made of. A
//! message whose `prost_path` is `::getty_rpc::prost`, as `getty-build` writes it, is read and written through here; its type, its
//! traits and its bytes are prost's own.
//!
//! ```text
//!   short keys and numbers   in one step          prost goes by bytes
//!   long text                checked by SIMD      prost checks with the standard library: by bytes, where characters have several
//!   the rest, and errors     prost's
//! ```

pub use ::prost::*;

use ::prost::encoding::{self as theirs, DecodeContext, WireType};

#[doc(hidden)]
pub mod encoding;

/// As [`Message::merge`].
pub(crate) fn merge<M: Message>(message: &mut M, mut bytes: &[u8]) -> Result<(), DecodeError> {
    let context = DecodeContext::default();
    while !bytes.is_empty() {
        let (tag, wire_type) = decode_key(&mut bytes)?;
        message.merge_field(tag, wire_type, &mut bytes, context.clone())?;
    }
    Ok(())
}

/// As prost's own, to which long and wrong keys are left.
#[inline]
fn decode_key(bytes: &mut &[u8]) -> Result<(u32, WireType), DecodeError> {
    if let Some((key, length)) = encoding::number::short(bytes)
        && let Some(rest) = bytes.get(length..)
        && let tag @ 1.. = key >> 3
        && let Ok(wire_type) = WireType::try_from(u64::from(key & 7))
    {
        *bytes = rest;
        return Ok((tag, wire_type));
    }
    odd_key(bytes)
}

#[cold]
fn odd_key(bytes: &mut &[u8]) -> Result<(u32, WireType), DecodeError> {
    theirs::decode_key(bytes)
}

#[cfg(test)]
mod tests;
