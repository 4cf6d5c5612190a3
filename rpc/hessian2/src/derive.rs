//! Owns what the code that `#[derive(Hessian)]` makes calls. Not for others: it changes without notice.

pub use crate::decode::required;

use crate::decode::{Decode, Decoder};
use crate::encode::Encoder;
use crate::error::Result;
use crate::sink::Sink;

/// A struct whose fields another one can hold as its own.
#[diagnostic::on_unimplemented(
    message = "the fields of `{Self}` cannot be flattened into another struct",
    note = "add `part` to its attributes: `#[hessian(part)]`, or `#[hessian(class = \"...\", part)]`"
)]
pub trait Part {
    /// Names of the fields on the wire, those of its own parts included.
    const NAMES: &'static [&'static str];
}

/// A part that can be written.
#[diagnostic::on_unimplemented(
    message = "the fields of `{Self}` cannot be flattened into another struct",
    note = "add `part` to its attributes: `#[hessian(part)]`, or `#[hessian(class = \"...\", part)]`"
)]
pub trait WritePart: Part {
    /// Writes the values of all fields in that order.
    fn write_fields<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()>;
}

/// A part that can be read.
#[diagnostic::on_unimplemented(
    message = "the fields of `{Self}` cannot be flattened into another struct",
    note = "add `part` to its attributes: `#[hessian(part)]`, or `#[hessian(class = \"...\", part)]`"
)]
pub trait ReadPart<'de>: Part + Sized {
    /// Where the fields are kept until all are read.
    type Places;

    /// Places without values.
    fn places() -> Self::Places;

    /// Reads the value of one field, by its index in [`Part::NAMES`].
    fn read_field(d: &mut Decoder<'de, '_>, places: &mut Self::Places, field: usize) -> Result<()>;

    /// The struct, once all fields are read.
    fn build(places: Self::Places) -> Result<Self>;
}

/// Reads an object as a struct with parts.
pub fn read_parts<'de, T: ReadPart<'de> + Decode<'de>>(d: &mut Decoder<'de, '_>) -> Result<T> {
    let mut object = d.object(T::NAMES)?;
    let mut places = T::places();
    while let Some(field) = d.next_field(&mut object)? {
        if field < T::NAMES.len() {
            T::read_field(d, &mut places, field)?;
        } else {
            d.skip()?;
        }
    }
    T::build(places)
}

/// The names of all parts, one behind the other. Runs in the compiler, where its panics are errors.
///
/// # Panics
///
/// When a name is there twice, or `N` is not their number.
pub const fn join<const N: usize>(parts: &[&[&'static str]]) -> [&'static str; N] {
    let mut names = [""; N];
    let (mut part, mut len) = (0, 0);
    while part < parts.len() {
        let mut at = 0;
        while at < parts[part].len() {
            let name = parts[part][at];
            let mut before = 0;
            while before < len {
                assert!(
                    !same(names[before].as_bytes(), name.as_bytes()),
                    "a struct and a part of it, or two parts, have a field of the same name on the wire"
                );
                before += 1;
            }
            names[len] = name;
            len += 1;
            at += 1;
        }
        part += 1;
    }
    assert!(len == N, "the number of names");
    names
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// Length of the bytes of a class definition.
pub const fn definition_len(name: &str, fields: &[&str]) -> usize {
    let mut len = 1 + int(fields.len()).1 + text_len(name);
    let mut at = 0;
    while at < fields.len() {
        len += text_len(fields[at]);
        at += 1;
    }
    len
}

/// The bytes of a class definition as hessian-lite 4 writes them: `C name count field*`. Runs in the compiler.
///
/// # Panics
///
/// When `N` is not their number.
pub const fn definition<const N: usize>(name: &str, fields: &[&str]) -> [u8; N] {
    let mut out = [0; N];
    out[0] = b'C';
    let (mut out, mut len) = put_text(name, out, 1);
    (out, len) = put(int(fields.len()), out, len);
    let mut at = 0;
    while at < fields.len() {
        (out, len) = put_text(fields[at], out, len);
        at += 1;
    }
    assert!(len == N, "the length of the definition");
    out
}

/// Up to three bytes, and how many they are.
type Short = ([u8; 3], usize);

const fn put<const N: usize>(bytes: Short, mut out: [u8; N], mut len: usize) -> ([u8; N], usize) {
    let mut at = 0;
    while at < bytes.1 {
        out[len] = bytes.0[at];
        len += 1;
        at += 1;
    }
    (out, len)
}

const fn put_text<const N: usize>(text: &str, out: [u8; N], len: usize) -> ([u8; N], usize) {
    let (mut out, mut len) = put(head(text), out, len);
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        out[len] = bytes[at];
        len += 1;
        at += 1;
    }
    (out, len)
}

const fn text_len(text: &str) -> usize {
    head(text).1 + text.len()
}

/// The length of a text in UTF-16 units, as it stands before the text. Up to U+FFFF each character is one unit, and
/// its bytes are those of UTF-8.
const fn head(text: &str) -> Short {
    let bytes = text.as_bytes();
    let (mut units, mut at) = (0, 0);
    while at < bytes.len() {
        assert!(bytes[at] < 0xf0, "a name of a class with parts has a character beyond U+FFFF");
        units += (bytes[at] & 0xc0 != 0x80) as usize;
        at += 1;
    }
    match units {
        0..=31 => ([units as u8, 0, 0], 1),
        32..=1023 => ([0x30 | (units >> 8) as u8, units as u8, 0], 2),
        _ => ([b'S', (units >> 8) as u8, units as u8], 3),
    }
}

const fn int(value: usize) -> Short {
    match value {
        0..=47 => ([0x90 + value as u8, 0, 0], 1),
        48..=2047 => ([0xc8 + (value >> 8) as u8, value as u8, 0], 2),
        _ => ([0xd4, (value >> 8) as u8, value as u8], 3),
    }
}
