//! Owns how byte arrays are cut into chunks: where Java's buffer would end.

use super::Encoder;
use super::encoder::FLAG_MARGIN;
use crate::kind::tag;
use crate::sink::Sink;

impl<S: Sink> Encoder<'_, S> {
    /// Writes a `byte[]`. Where it is cut depends on what the body holds already, as in Java.
    pub fn bytes(&mut self, mut bytes: &[u8]) {
        self.out.reserve(bytes.len() + 3);
        loop {
            let mut room = self.room();
            if room >= bytes.len() {
                break;
            }
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
        (self.state.full - 3).saturating_sub(self.out.size())
    }

    fn flush(&mut self) {
        self.state.flushed_at(self.out.size());
    }

    fn header(&mut self, tag: u8, len: usize) {
        let [high, low] = (len as u16).to_be_bytes();
        self.out.put(&[tag, high, low]);
    }
}
