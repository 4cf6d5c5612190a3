//! Owns how byte arrays are cut into chunks: where Java's buffer would end.

use super::Encoder;
use super::encoder::FLAG_MARGIN;
use crate::kind::tag;
use crate::sink::Sink;

/// Bytes of a chunk's tag and length. Java wants room for them before the shortest binary too, which takes only one: where
/// they do not fit, an empty chunk comes before an empty binary.
const HEADER: usize = 3;

impl<S: Sink> Encoder<'_, S> {
    /// Writes a `byte[]`. Where it is cut depends on what the body holds already, as in Java.
    pub fn bytes(&mut self, mut bytes: &[u8]) {
        self.out.reserve(HEADER + bytes.len());
        if self.state.dialect().flushes_before_binaries() {
            self.flush();
        }
        while self.out.size() + HEADER + bytes.len() > self.state.full {
            let mut room = self.room();
            if room < 16 {
                self.flush();
                room = self.room().min(bytes.len());
            }
            let (chunk, rest) = bytes.split_at(room);
            self.header(tag::BINARY_CHUNK, room);
            self.out.put(chunk);
            self.flush();
            bytes = rest;
        }
        self.flush_at(FLAG_MARGIN);
        match bytes.len() {
            len @ 0..=15 => self.out.put(&[0x20 + len as u8]),
            len @ 16..=1023 => self.out.put(&((0x3400 + len) as u16).to_be_bytes()),
            len => self.header(tag::BINARY, len),
        }
        self.out.put(bytes);
    }

    /// Bytes that still fit Java's buffer behind a chunk's header.
    fn room(&self) -> usize {
        self.state.full.saturating_sub(self.out.size() + HEADER)
    }

    fn flush(&mut self) {
        self.state.flushed_at(self.out.size());
    }

    fn header(&mut self, tag: u8, len: usize) {
        let [high, low] = (len as u16).to_be_bytes();
        self.out.put(&[tag, high, low]);
    }
}
