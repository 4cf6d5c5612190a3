//! Owns the trait of what can be written into. It never looks at the bytes.

use std::ops::Range;

use bytes::BytesMut;

/// A growing buffer of bytes.
pub trait Sink {
    /// Appends bytes.
    fn put(&mut self, bytes: &[u8]);

    /// Bytes in the buffer, also those that were there before.
    fn size(&self) -> usize;

    /// Makes room for `additional` bytes; a hint.
    fn reserve(&mut self, additional: usize);

    /// Puts bytes in the place of others, which lie in the buffer. What lies behind moves, so this is for rare cases.
    fn replace(&mut self, place: Range<usize>, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn size(&self) -> usize {
        self.len()
    }

    #[inline]
    fn reserve(&mut self, additional: usize) {
        Self::reserve(self, additional);
    }

    fn replace(&mut self, place: Range<usize>, bytes: &[u8]) {
        self.splice(place, bytes.iter().copied());
    }
}

impl Sink for BytesMut {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn size(&self) -> usize {
        self.len()
    }

    #[inline]
    fn reserve(&mut self, additional: usize) {
        Self::reserve(self, additional);
    }

    fn replace(&mut self, place: Range<usize>, bytes: &[u8]) {
        let behind = self.get(place.end..).unwrap_or_default().to_vec();
        self.truncate(place.start);
        self.extend_from_slice(bytes);
        self.extend_from_slice(&behind);
    }
}
