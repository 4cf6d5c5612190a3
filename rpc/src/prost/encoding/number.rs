//! Numbers of variable length. Those of up to three bytes are read and written in one step, longer and broken ones, and those at the
//! end, by prost.

use ::prost::{
    bytes::BufMut,
    encoding::{self as theirs, WireType},
};

/// The number that `bytes` begin with, and how many of them it takes; none if it is for prost to read.
#[inline(always)] // A call for each number costs as much as reading it.
pub(crate) fn short(bytes: &[u8]) -> Option<(u32, usize)> {
    let word = u32::from_le_bytes(*bytes.first_chunk()?);
    let (a, b, c) = (word & 0x7f, word >> 1 & 0x3f80, word >> 2 & 0x1f_c000);
    // The highest bit of a byte says that another one follows.
    match [word & 0x80, word & 0x8000, word & 0x80_0000] {
        [0, ..] => Some((a, 1)),
        [_, 0, _] => Some((a | b, 2)),
        [_, _, 0] => Some((a | b | c, 3)),
        _ => None,
    }
}

/// As prost's own.
#[inline]
pub(super) fn encode_varint(number: u64, buf: &mut impl BufMut) {
    let (a, b, c) = (number as u8, (number >> 7) as u8, (number >> 14) as u8);
    match number {
        ..0x80 => buf.put_slice(&[a]),
        0x80..0x4000 => buf.put_slice(&[a | 0x80, b]),
        0x4000..0x20_0000 => buf.put_slice(&[a | 0x80, b | 0x80, c]),
        _ => theirs::encode_varint(number, buf),
    }
}

/// As prost's own.
#[inline]
pub(super) fn encode_key(tag: u32, wire_type: WireType, buf: &mut impl BufMut) {
    encode_varint(u64::from(tag << 3 | wire_type as u32), buf);
}

macro_rules! numbers {
    ($($kind:ident: $rust:ty, |$number:ident| $read:expr;)*) => {$(
        pub mod $kind {
            pub use ::prost::encoding::$kind::*;

            use ::prost::{
                DecodeError,
                bytes::{Buf, BufMut},
                encoding::{$kind as theirs, DecodeContext, WireType},
            };

            #[inline]
            pub fn encode(tag: u32, value: &$rust, buf: &mut impl BufMut) {
                super::encode_key(tag, WireType::Varint, buf);
                super::encode_varint(*value as u64, buf);
            }

            #[inline]
            pub fn merge(
                wire_type: WireType,
                value: &mut $rust,
                buf: &mut impl Buf,
                ctx: DecodeContext,
            ) -> Result<(), DecodeError> {
                if wire_type == WireType::Varint
                    && let Some(($number, length)) = super::short(buf.chunk())
                {
                    buf.advance(length);
                    *value = $read;
                    return Ok(());
                }
                theirs::merge(wire_type, value, buf, ctx)
            }
        }
    )*};
}

numbers! {
    bool: bool, |number| number != 0;
    int32: i32, |number| number as i32;
    int64: i64, |number| i64::from(number);
    uint32: u32, |number| number;
    uint64: u64, |number| u64::from(number);
}
