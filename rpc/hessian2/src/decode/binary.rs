//! Owns how byte arrays are read and their chunks joined.

use std::borrow::Cow;

use super::Decoder;
use crate::error::{Error, ErrorKind, Result};
use crate::kind::tag;

impl<'de> Decoder<'de, '_> {
    /// Reads a `byte[]`, borrowed from the body if it is one chunk; `null` is an error.
    ///
    /// # Errors
    ///
    /// When the next value is something else.
    pub fn bytes(&mut self) -> Result<Cow<'de, [u8]>> {
        let tag = self.byte()?;
        self.bytes_after(tag)
    }

    /// As [`bytes`](Self::bytes), when the first byte has been taken.
    pub(crate) fn bytes_after(&mut self, tag: u8) -> Result<Cow<'de, [u8]>> {
        let Some((len, last)) = self.binary_chunk(tag)? else { return Err(self.unexpected("binary", tag)) };
        let first = self.slice(len)?;
        self.check_bytes(len)?;
        if last {
            return Ok(Cow::Borrowed(first));
        }
        // All chunks are gone over before they are copied: memory is taken once, and none for what does not end.
        let second = self.pos;
        let mut bytes = Vec::with_capacity(self.skip_further_chunks(len)?);
        self.pos = second;
        bytes.extend_from_slice(first);
        loop {
            let (part, last) = self.next_binary_chunk()?;
            bytes.extend_from_slice(part);
            if last {
                return Ok(Cow::Owned(bytes));
            }
        }
    }

    /// As [`bytes`](Self::bytes), with `null` as `None`.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes), except for `null`.
    pub fn opt_bytes(&mut self) -> Result<Option<Cow<'de, [u8]>>> {
        if self.take_null() { Ok(None) } else { self.bytes().map(Some) }
    }

    pub(super) fn borrowed_bytes(&mut self) -> Result<&'de [u8]> {
        let start = self.pos;
        match self.bytes()? {
            Cow::Borrowed(bytes) => Ok(bytes),
            Cow::Owned(_) => Err(Error::at(ErrorKind::NotContiguous { what: "binary" }, start)),
        }
    }

    /// Goes over a binary that begins with `tag`.
    pub(super) fn skip_binary(&mut self, tag: u8) -> Result<()> {
        let Some((len, last)) = self.binary_chunk(tag)? else { return Err(self.unexpected("binary", tag)) };
        self.slice(len)?;
        self.check_bytes(len)?;
        if last { Ok(()) } else { self.skip_further_chunks(len).map(drop) }
    }

    /// Goes over the chunks behind the first, which has `len` bytes. Gives the length of all.
    fn skip_further_chunks(&mut self, mut len: usize) -> Result<usize> {
        loop {
            let (part, last) = self.next_binary_chunk()?;
            len += part.len();
            self.check_bytes(len)?;
            if last {
                return Ok(len);
            }
        }
    }

    fn next_binary_chunk(&mut self) -> Result<(&'de [u8], bool)> {
        let tag = self.byte()?;
        let Some((len, last)) = self.binary_chunk(tag)? else {
            return Err(self.unexpected("a further chunk of a binary", tag));
        };
        Ok((self.slice(len)?, last))
    }

    /// Length of a chunk whose first byte has been taken, and whether it is the last; none if it begins no binary.
    fn binary_chunk(&mut self, tag: u8) -> Result<Option<(usize, bool)>> {
        Ok(Some(match tag {
            0x20..=0x2f => (usize::from(tag & 0xf), true),
            0x34..=0x37 => (usize::from(tag & 3) << 8 | usize::from(self.byte()?), true),
            tag::BINARY => (usize::from(u16::from_be_bytes(self.array()?)), true),
            tag::BINARY_CHUNK => (usize::from(u16::from_be_bytes(self.array()?)), false),
            _ => return Ok(None),
        }))
    }
}
