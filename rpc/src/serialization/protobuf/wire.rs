//! Owns the bytes of protobuf that are no user's message: items of a body, the fields of a few fixed messages, and how those are
//! written. It allocates nothing on a length that came from a peer.

use bytes::{BufMut, BytesMut};

/// Bytes that are no protobuf, or not what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    /// Nothing is left.
    #[error("the body ends where {0} was expected")]
    End(&'static str),
    /// A length that the rest cannot hold.
    #[error("{what} cannot have {length} bytes, {left} are left")]
    Length { what: &'static str, length: u64, left: usize },
    /// A number that does not end within ten bytes, or at the end of the bytes.
    #[error("a number of {0} has no end")]
    Number(&'static str),
    /// A field of another type than the message declares, or of one that protobuf does not have.
    #[error("field {field} of {what} has the wire type {kind}")]
    Type { what: &'static str, field: u32, kind: u8 },
    #[error("the text of {0} is no UTF-8")]
    Text(&'static str),
}

impl WireError {
    /// The same, of something else.
    fn about(self, what: &'static str) -> Self {
        match self {
            Self::End(_) => Self::End(what),
            Self::Length { length, left, .. } => Self::Length { what, length, left },
            Self::Number(_) => Self::Number(what),
            Self::Type { field, kind, .. } => Self::Type { what, field, kind },
            Self::Text(_) => Self::Text(what),
        }
    }
}

pub(crate) type Result<T, E = WireError> = std::result::Result<T, E>;

/// What is left of a body: items, each its length and then so many bytes.
#[derive(Debug, Clone)]
pub struct Items<'a>(&'a [u8]);

impl<'a> Items<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self(body)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Goes on behind so many bytes, which are whole items.
    pub(crate) fn advance(&mut self, bytes: usize) {
        self.0 = self.0.get(bytes..).unwrap_or_default();
    }

    /// The next one, which is `what` in error texts.
    pub(super) fn next(&mut self, what: &'static str) -> Result<&'a [u8]> {
        if self.0.is_empty() {
            return Err(WireError::End(what));
        }
        take_delimited(&mut self.0, what)
    }

    /// The next one, which holds a message of this type.
    pub(super) fn next_of<M>(&mut self) -> Result<&'a [u8]> {
        // The name is looked for only where somebody reads it.
        self.next("").map_err(|error| error.about(super::name_of::<M>()))
    }

    /// The next one, with its length.
    pub(crate) fn skipped(&mut self) -> Result<&'a [u8]> {
        let before = self.0;
        self.next("an argument")?;
        Ok(before.get(..before.len() - self.0.len()).unwrap_or_default())
    }
}

/// A field of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field<'a> {
    Number(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

impl<'a> Field<'a> {
    fn kind(self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Fixed64(_) => 1,
            Self::Bytes(_) => 2,
            Self::Fixed32(_) => 5,
        }
    }
}

/// The fields of a message, which is `what` in error texts, from the first to the last.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    what: &'static str,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn of(what: &'static str, message: &'a [u8]) -> Self {
        Self { what, rest: message }
    }

    /// The next field and its number.
    pub(super) fn next(&mut self) -> Result<Option<(u32, Field<'a>)>> {
        let what = self.what;
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = take_number(&mut self.rest, what)?;
        let (field, kind) = (u32::try_from(key >> 3).unwrap_or(u32::MAX), (key & 7) as u8);
        let value = match kind {
            0 => Field::Number(take_number(&mut self.rest, what)?),
            1 => Field::Fixed64(self.fixed()?),
            2 => Field::Bytes(take_delimited(&mut self.rest, what)?),
            5 => Field::Fixed32(self.fixed()?),
            // Groups are among them: proto3 has none, and none of these messages ever had one.
            kind => return Err(WireError::Type { what, field, kind }),
        };
        Ok(Some((field, value)))
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        let short = WireError::Length { what: self.what, length: N as u64, left: self.rest.len() };
        let (value, rest) = self.rest.split_first_chunk::<N>().ok_or(short)?;
        self.rest = rest;
        Ok(*value)
    }

    /// Says that a field is not of the type that the message declares.
    pub(super) fn unexpected(&self, field: u32, value: Field<'_>) -> WireError {
        WireError::Type { what: self.what, field, kind: value.kind() }
    }

    /// A field that is declared as text.
    pub(super) fn text(&self, field: u32, value: Field<'a>) -> Result<&'a str> {
        match value {
            Field::Bytes(text) => std::str::from_utf8(text).map_err(|_| WireError::Text(self.what)),
            other => Err(self.unexpected(field, other)),
        }
    }

    /// A field that is declared as a message.
    pub(super) fn message(&self, field: u32, value: Field<'a>) -> Result<&'a [u8]> {
        match value {
            Field::Bytes(message) => Ok(message),
            other => Err(self.unexpected(field, other)),
        }
    }
}

#[inline]
fn take_number(rest: &mut &[u8], what: &'static str) -> Result<u64> {
    match rest {
        // Nearly all: keys, and lengths of texts.
        [byte, tail @ ..] if *byte < 0x80 => {
            let number = u64::from(*byte);
            *rest = tail;
            Ok(number)
        }
        _ => take_long_number(rest, what),
    }
}

fn take_long_number(rest: &mut &[u8], what: &'static str) -> Result<u64> {
    let mut number = 0_u64;
    for (index, byte) in rest.iter().enumerate().take(10) {
        // The tenth byte has room for one bit; protobuf cuts off what is more.
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            *rest = rest.get(index + 1..).unwrap_or_default();
            return Ok(number);
        }
    }
    Err(WireError::Number(what))
}

#[inline]
fn take_delimited<'a>(rest: &mut &'a [u8], what: &'static str) -> Result<&'a [u8]> {
    let length = take_number(rest, what)?;
    let split = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    let (value, tail) = split.ok_or(WireError::Length { what, length, left: rest.len() })?;
    *rest = tail;
    Ok(value)
}

/// The text of a `google.protobuf.StringValue`.
pub(super) fn string_value<'a>(what: &'static str, item: &'a [u8]) -> Result<&'a str> {
    let mut fields = Fields::of(what, item);
    let mut text = "";
    while let Some((field, value)) = fields.next()? {
        if field == 1 {
            text = fields.text(field, value)?;
        }
    }
    Ok(text)
}

/// The number of an `Int32Value`, an `Int64Value` or a `BoolValue`.
pub(super) fn int_value(what: &'static str, item: &[u8]) -> Result<i64> {
    let mut fields = Fields::of(what, item);
    let mut number = 0;
    while let Some((field, value)) = fields.next()? {
        match (field, value) {
            (1, Field::Number(value)) => number = value as i64,
            (1, other) => return Err(fields.unexpected(field, other)),
            _ => {}
        }
    }
    Ok(number)
}

pub(super) fn put_number(out: &mut BytesMut, mut number: u64) {
    while number >= 0x80 {
        out.put_u8((number as u8) | 0x80);
        number >>= 7;
    }
    out.put_u8(number as u8);
}

/// How many bytes a number takes.
pub(super) fn number_len(number: u64) -> usize {
    // Seven bits to a byte, and one byte for zero.
    (u64::BITS - (number | 1).leading_zeros()).div_ceil(7) as usize
}

/// How many bytes a text or a message of so many bytes takes as a field with a number below 16.
pub(super) fn field_len(length: usize) -> usize {
    1 + number_len(length as u64) + length
}

/// The key and the length of a text or a message, as a field with a number below 16.
pub(super) fn put_field_head(out: &mut BytesMut, field: u8, length: usize) {
    out.put_u8(field << 3 | 2);
    put_number(out, length as u64);
}

/// A number as a field with a number below 16.
pub(super) fn put_number_field(out: &mut BytesMut, field: u8, number: u64) {
    out.put_u8(field << 3);
    put_number(out, number);
}

pub(super) fn put_text(out: &mut BytesMut, field: u8, text: &str) {
    put_field_head(out, field, text.len());
    out.put_slice(text.as_bytes());
}

/// An item that holds a `StringValue`.
pub(super) fn put_string_value(out: &mut BytesMut, text: &str) {
    put_bytes_value(out, text.as_bytes());
}

/// An item that holds a `BytesValue`; that of no bytes is empty, as protobuf leaves away what is empty.
pub(super) fn put_bytes_value(out: &mut BytesMut, bytes: &[u8]) {
    if bytes.is_empty() {
        return out.put_u8(0);
    }
    put_number(out, field_len(bytes.len()) as u64);
    put_field_head(out, 1, bytes.len());
    out.put_slice(bytes);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    #[test]
    fn numbers_are_as_long_as_their_length_says_and_are_read_as_they_were_written() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u32::MAX as u64, i64::MAX as u64, u64::MAX] {
            let mut out = BytesMut::new();
            put_number(&mut out, number);
            assert_eq!(number_len(number), out.len());
            let mut rest = &out[..];
            assert_eq!(take_number(&mut rest, "it"), Ok(number));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn a_number_without_an_end_and_a_length_beyond_the_end_are_refused() {
        assert_eq!(take_number(&mut &[0x80; 10][..], "it"), Err(WireError::Number("it")));
        assert_eq!(take_number(&mut &[0x80; 3][..], "it"), Err(WireError::Number("it")));
        let length = WireError::Length { what: "it", length: 5, left: 4 };
        assert_eq!(take_delimited(&mut &[5, 0, 0, 0, 0][..], "it"), Err(length));
        let mut most = vec![0xff; 9];
        most.push(1);
        let length = WireError::Length { what: "it", length: u64::MAX, left: 0 };
        assert_eq!(take_delimited(&mut &most[..], "it"), Err(length));
    }

    proptest! {
        #[test]
        fn wrappers_are_those_of_prost(text in ".*", number in any::<i64>()) {
            let mut out = BytesMut::new();
            put_string_value(&mut out, &text);
            prop_assert_eq!(&out[..], text.encode_length_delimited_to_vec());
            let mut items = Items::new(&out);
            prop_assert_eq!(string_value("it", items.next("it").unwrap()), Ok(&*text));
            prop_assert!(items.is_empty());
            prop_assert_eq!(int_value("it", &number.encode_to_vec()), Ok(number));
        }

        #[test]
        fn no_bytes_are_read_beyond_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut fields = Fields::of("it", &bytes);
            while let Ok(Some(_)) = fields.next() {}
            let mut items = Items::new(&bytes);
            while items.skipped().is_ok() {}
        }
    }
}
