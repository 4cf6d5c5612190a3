//! Text.

pub use ::prost::encoding::string::{encoded_len, encoded_len_repeated};

use ::prost::{
    DecodeError,
    bytes::{Buf, BufMut},
    encoding::{DecodeContext, WireType, string},
};

use super::number::{encode_key, encode_varint, short};

/// As prost's own.
#[inline]
pub fn encode(tag: u32, value: &String, buf: &mut impl BufMut) {
    encode_key(tag, WireType::LengthDelimited, buf);
    encode_varint(value.len() as u64, buf);
    buf.put_slice(value.as_bytes());
}

pub fn encode_repeated(tag: u32, values: &[String], buf: &mut impl BufMut) {
    values.iter().for_each(|value| encode(tag, value, buf));
}

/// As prost's own. All but long text that is in one piece and well-formed is left to that, errors too.
pub fn merge(
    wire_type: WireType,
    value: &mut String,
    buf: &mut impl Buf,
    ctx: DecodeContext,
) -> Result<(), DecodeError> {
    if wire_type == WireType::LengthDelimited
        && let Some(taken) = take(buf.chunk(), value)
    {
        buf.advance(taken);
        return Ok(());
    }
    string::merge(wire_type, value, buf, ctx)
}

pub fn merge_repeated(
    wire_type: WireType,
    values: &mut Vec<String>,
    buf: &mut impl Buf,
    ctx: DecodeContext,
) -> Result<(), DecodeError> {
    let mut value = String::new();
    merge(wire_type, &mut value, buf, ctx)?;
    values.push(value);
    Ok(())
}

/// What SIMD looks at in one step. It does not look at less, so shorter text is filled up with zeros.
const BLOCK: usize = 64;
/// Bytes of text from which on that pays. Text that begins in ASCII is taken for ASCII, which the standard library checks by
/// words.
const SHORTEST: usize = 15;

/// Sets `value` to the text that `bytes` begin with, behind its length. Returns how many bytes that took, or none if the text
/// is for prost to read; `value` is as it was then.
fn take(bytes: &[u8], value: &mut String) -> Option<usize> {
    let (length, head) = short(bytes)?;
    let length = length as usize;
    let taken = head + length;
    let text = bytes.get(head..taken)?;
    let mut block;
    let text = if length >= BLOCK {
        simdutf8::basic::from_utf8(text).ok()?
    } else if length >= SHORTEST && !text.first()?.is_ascii() {
        block = [0; BLOCK];
        block.get_mut(..length)?.copy_from_slice(text);
        simdutf8::basic::from_utf8(&block).ok()?.get(..length)?
    } else {
        return None;
    };
    if value.capacity() < text.len() {
        // To make room in a string that is there takes longer.
        *value = text.to_owned();
    } else {
        text.clone_into(value);
    }
    Some(taken)
}
