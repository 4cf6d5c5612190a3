//! Owns how text becomes bytes: lengths in UTF-16 units, pairs of surrogates as two times three bytes, chunks of
//! 0x8000 units.

use super::Encoder;
use super::encoder::NUMBER_MARGIN;
use crate::kind::tag;
use crate::sink::Sink;
use crate::utf16;

/// Units of a chunk that is not the last.
const CHUNK: usize = 0x8000;

impl<S: Sink> Encoder<'_, S> {
    /// Writes a `String`.
    #[inline]
    pub fn str(&mut self, text: &str) {
        let bytes = text.as_bytes();
        if bytes.len() <= 31 && bytes.is_ascii() {
            self.flush_at(NUMBER_MARGIN);
            self.out.put(&[bytes.len() as u8]);
            self.narrow(bytes);
        } else if bytes.len() <= 3 * 31 && utf16::is_three_byte(bytes) {
            self.flush_at(NUMBER_MARGIN);
            self.out.put(&[(bytes.len() / 3) as u8]);
            self.narrow(bytes);
        } else {
            self.long_text(text);
        }
    }

    fn long_text(&mut self, text: &str) {
        self.out.reserve(text.len() + 3);
        let mut rest = text;
        // What begins with a chunk of ASCII and goes on needs no counting to be cut there.
        while rest.len() > CHUNK
            && let Some((chunk, tail)) = rest.split_at_checked(CHUNK)
            && chunk.is_ascii()
        {
            self.chunk_header(CHUNK);
            self.narrow(chunk.as_bytes());
            rest = tail;
        }
        let count = utf16::count(rest.as_bytes());
        if count.units <= CHUNK && count.pairs == 0 {
            self.text_header(count.units);
            return self.narrow(rest.as_bytes());
        }
        let mut units = count.units;
        while units > CHUNK {
            let (len, taken) = utf16::prefix(rest, CHUNK);
            let (chunk, tail) = rest.split_at(len);
            self.chunk_header(taken);
            self.units(chunk, count.pairs);
            rest = tail;
            units -= taken;
        }
        self.text_header(units);
        self.units(rest, count.pairs);
    }

    /// Writes text that is in wire form already: each UTF-16 unit by itself, halves of pairs allowed.
    pub(crate) fn wire_text(&mut self, mut bytes: &[u8]) {
        let mut units = utf16::count(bytes).units;
        while units > CHUNK {
            let (mut chunk, mut tail) = bytes.split_at(utf16::wire_prefix(bytes, CHUNK));
            let mut taken = CHUNK;
            if utf16::ends_in_high_surrogate(chunk) {
                (chunk, tail) = bytes.split_at(chunk.len() - 3);
                taken -= 1;
            }
            self.chunk_header(taken);
            self.narrow(chunk);
            bytes = tail;
            units -= taken;
        }
        self.text_header(units);
        self.narrow(bytes);
    }

    #[inline]
    fn text_header(&mut self, units: usize) {
        self.flush_at(NUMBER_MARGIN);
        match units {
            0..=31 => self.out.put(&[units as u8]),
            32..=1023 => self.out.put(&((0x3000 + units) as u16).to_be_bytes()),
            _ => {
                let [high, low] = (units as u16).to_be_bytes();
                self.out.put(&[tag::STRING, high, low]);
            }
        }
    }

    fn chunk_header(&mut self, units: usize) {
        self.flush_at(NUMBER_MARGIN);
        let [high, low] = (units as u16).to_be_bytes();
        self.out.put(&[tag::STRING_CHUNK, high, low]);
    }

    /// A piece of text that has `pairs` characters of four bytes as a whole: each becomes two units of three.
    fn units(&mut self, text: &str, pairs: usize) {
        if pairs == 0 {
            return self.narrow(text.as_bytes());
        }
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| byte >= 0xf0) {
            let (before, from) = rest.split_at(at);
            self.narrow(before.as_bytes());
            let mut chars = from.chars();
            if let Some(char) = chars.next() {
                self.narrow(&utf16::pair_to_wire(char));
            }
            rest = chars.as_str();
        }
        self.narrow(rest.as_bytes());
    }

    /// Bytes that are units already. Java flushes its buffer between two units, never inside one.
    #[inline]
    fn narrow(&mut self, bytes: &[u8]) {
        let start = self.out.size();
        self.out.put(bytes);
        if start + bytes.len() + NUMBER_MARGIN > self.state.full {
            self.flush_inside(start, bytes);
        }
    }

    #[cold]
    fn flush_inside(&mut self, start: usize, bytes: &[u8]) {
        let mut at = (self.state.full - NUMBER_MARGIN).saturating_sub(start);
        while let Some(rest) = bytes.get(at..) {
            let Some(boundary) = rest.iter().position(|byte| byte & 0xc0 != 0x80) else { return };
            self.state.flushed_at(start + at + boundary);
            at += boundary + self.state.buffer() - NUMBER_MARGIN;
        }
    }
}
