//! The out-buffer of a session: what was written and is not yet taken by the connection. Knows no lock and no socket.

use std::{collections::VecDeque, io::IoSlice};

use bytes::{Buf, Bytes, BytesMut};

use crate::stock::{self, CHUNK, Stock};

/// From this length on, [`Out::put_bytes`] keeps a reference instead of copying.
const BY_REFERENCE: usize = 8 * 1024;
/// What has room for more pieces than this is not kept in the stock.
const PIECES: usize = 256;

static STOCK: Stock<Box<Held>> = Stock::new();

/// Where a [`Writer`](crate::Writer) appends. A tail that grows, behind pieces kept by reference.
///
/// ```text
///   base            taken                                      end
///    |----- gone -----|---- pieces (Bytes) ----|---- tail -------|
/// ```
///
/// Offsets count all bytes of the session's output since it opened.
#[derive(Debug)]
pub struct Out {
    /// Offset of the first byte that is still here.
    start: u64,
    /// What waits. Borrowed with the first byte and given back when nothing is left, so that an idle session has none.
    held: Option<Box<Held>>,
    /// Whether ends of frames are kept, for message transports.
    messages: bool,
}

#[derive(Debug, Default)]
struct Held {
    pieces: VecDeque<Bytes>,
    pieces_len: usize,
    tail: BytesMut,
    /// Bytes of the tail that are taken already; only ever set when there are no pieces.
    tail_taken: usize,
    /// Ends of frames as offsets.
    ends: VecDeque<u64>,
}

/// A place in an [`Out`] to go back to.
#[derive(Default)]
pub(super) struct Mark {
    start: u64,
    pieces: usize,
    pieces_len: usize,
    tail: usize,
    tail_taken: usize,
}

impl Out {
    pub(crate) fn new(messages: bool) -> Self {
        Self { start: 0, held: None, messages }
    }

    /// Bytes that wait here.
    pub fn len(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.len())
    }

    /// Whether nothing waits here, not even an empty message.
    pub fn is_empty(&self) -> bool {
        self.held.as_ref().is_none_or(|held| held.len() == 0 && held.ends.is_empty())
    }

    /// Offset of the next byte in the session's whole output.
    pub fn offset(&self) -> u64 {
        self.start + self.len() as u64
    }

    /// Offset up to which the connection has taken the output.
    pub(crate) fn taken(&self) -> u64 {
        self.start
    }

    /// Makes room for so many further bytes.
    pub fn reserve(&mut self, additional: usize) {
        self.tail_mut().reserve(additional);
    }

    /// Appends a copy.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.tail_mut().extend_from_slice(bytes);
    }

    /// Appends; from 8 KiB on without a copy.
    pub fn put_bytes(&mut self, bytes: Bytes) {
        if bytes.len() < BY_REFERENCE {
            return self.extend_from_slice(&bytes);
        }
        let held = self.held();
        held.close_tail();
        held.pieces_len += bytes.len();
        held.pieces.push_back(bytes);
    }

    /// As [`put_bytes`](Self::put_bytes), from bytes that stay the caller's.
    pub(super) fn put_shared(&mut self, bytes: &Bytes) {
        if bytes.len() < BY_REFERENCE {
            self.extend_from_slice(bytes);
        } else {
            self.put_bytes(bytes.clone());
        }
    }

    /// The growing end, for encoders that write into a `BytesMut`. Only append, and patch only what this packet has
    /// appended since the last [`put_bytes`](Self::put_bytes): what stands before belongs to other packets.
    pub fn tail_mut(&mut self) -> &mut BytesMut {
        let tail = &mut self.held().tail;
        if tail.capacity() == 0 {
            *tail = stock::take();
        }
        tail
    }

    fn held(&mut self) -> &mut Held {
        self.held.get_or_insert_with(|| {
            let mut held = STOCK.take().unwrap_or_default();
            if held.tail.capacity() > 0 {
                // As `stock::take` does: where slices of it are still held elsewhere, a new one.
                held.tail.reserve(CHUNK);
            }
            held
        })
    }

    pub(super) fn mark(&self) -> Mark {
        let start = self.start;
        let Some(held) = &self.held else { return Mark { start, ..Mark::default() } };
        Mark {
            start,
            pieces: held.pieces.len(),
            pieces_len: held.pieces_len,
            tail: held.tail.len(),
            tail_taken: held.tail_taken,
        }
    }

    /// Whether what stood before the mark is still there, as far as lengths can tell.
    pub(super) fn holds(&self, mark: &Mark) -> bool {
        if self.start != mark.start {
            return false;
        }
        let Some(held) = &self.held else { return mark.pieces == 0 && mark.tail == 0 };
        match held.pieces.get(mark.pieces) {
            None => held.pieces.len() == mark.pieces && held.tail.len() >= mark.tail,
            // The tail of the mark became this piece, or part of it, unless it was empty.
            Some(piece) => piece.len() >= mark.tail - mark.tail_taken,
        }
    }

    /// Takes back everything that was appended since the mark.
    pub(super) fn rewind(&mut self, mark: &Mark) {
        if let Some(held) = &mut self.held {
            held.rewind(mark);
        }
    }

    /// Marks the end of a frame, where the transport keeps messages apart.
    pub(super) fn end_frame(&mut self) {
        if self.messages {
            let end = self.offset();
            self.held().ends.push_back(end);
        }
    }

    /// For message transports: takes one whole packet off the front. `None` when nothing waits, or on byte streams.
    pub fn take_message(&mut self) -> Option<Bytes> {
        let end = self.held.as_mut()?.ends.pop_front()?;
        let len = usize::try_from(end.saturating_sub(self.start)).unwrap_or(usize::MAX).min(self.len());
        Some(self.copy_to_bytes(len))
    }

    /// Moves everything over into an empty other one and goes on from there.
    pub(super) fn swap_into(&mut self, other: &mut Self) {
        let end = self.offset();
        std::mem::swap(self, other);
        self.start = end;
    }

    /// Gives the room of an empty out-buffer back.
    pub(crate) fn release(&mut self) {
        if self.is_empty()
            && let Some(mut held) = self.held.take()
            && held.pieces.capacity() <= PIECES
            && held.ends.capacity() <= PIECES
        {
            held.tail_taken = 0;
            stock::freshen(&mut held.tail);
            STOCK.give(held);
        }
    }
}

impl Held {
    fn len(&self) -> usize {
        self.pieces_len + (self.tail.len() - self.tail_taken)
    }

    fn close_tail(&mut self) {
        if self.tail.len() > self.tail_taken {
            let mut piece = self.tail.split().freeze();
            piece.advance(self.tail_taken);
            self.pieces_len += piece.len();
            self.pieces.push_back(piece);
        } else {
            self.tail.clear();
        }
        self.tail_taken = 0;
    }

    fn rewind(&mut self, mark: &Mark) {
        if self.pieces.len() == mark.pieces {
            self.tail.truncate(mark.tail);
            return;
        }
        let kept = mark.tail.saturating_sub(mark.tail_taken);
        self.tail.clear();
        self.pieces.truncate(mark.pieces + 1);
        self.pieces_len = mark.pieces_len;
        match self.pieces.back_mut() {
            Some(piece) if kept > 0 => {
                piece.truncate(kept);
                self.pieces_len += piece.len();
            }
            _ => {
                self.pieces.pop_back();
            }
        }
    }

    fn chunk(&self) -> &[u8] {
        match self.pieces.front() {
            Some(piece) => piece,
            None => self.tail.get(self.tail_taken..).unwrap_or_default(),
        }
    }

    /// Takes so many bytes off the front, which are there.
    fn advance(&mut self, mut count: usize) {
        while let Some(piece) = self.pieces.front_mut() {
            if piece.len() > count {
                piece.advance(count);
                self.pieces_len -= count;
                return;
            }
            count -= piece.len();
            self.pieces_len -= piece.len();
            self.pieces.pop_front();
        }
        self.tail_taken += count;
        if self.tail_taken == self.tail.len() {
            self.tail.clear();
            self.tail_taken = 0;
        }
    }
}

/// What a connection takes from.
impl Buf for Out {
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        self.held.as_ref().map_or(&[], |held| held.chunk())
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let Some(held) = &self.held else { return 0 };
        let tail = held.tail.get(held.tail_taken..).unwrap_or_default();
        let chunks = held.pieces.iter().map(|p| &p[..]).chain((!tail.is_empty()).then_some(tail));
        slices.iter_mut().zip(chunks).map(|(slice, chunk)| *slice = IoSlice::new(chunk)).count()
    }

    fn advance(&mut self, count: usize) {
        let count = count.min(self.len());
        if let Some(held) = &mut self.held {
            held.advance(count);
        }
        self.start += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(out: &mut Out) -> Vec<u8> {
        let mut all = Vec::new();
        while out.has_remaining() {
            let n = out.chunk().len().min(3);
            all.extend_from_slice(&out.chunk()[..n]);
            out.advance(n);
        }
        all
    }

    #[test]
    fn keeps_order_of_copied_and_referenced_bytes() {
        let mut out = Out::new(false);
        let big = Bytes::from(vec![7; BY_REFERENCE]);
        out.extend_from_slice(b"ab");
        out.put_bytes(big.clone());
        out.extend_from_slice(b"cd");
        assert_eq!(out.offset(), 4 + BY_REFERENCE as u64);
        let mut expected = b"ab".to_vec();
        expected.extend_from_slice(&big);
        expected.extend_from_slice(b"cd");
        assert_eq!(drain(&mut out), expected);
        assert_eq!((out.len(), out.taken()), (0, 4 + BY_REFERENCE as u64));
    }

    #[test]
    fn rewind_takes_back_exactly_what_followed_the_mark() {
        for before in [&b""[..], b"frame"] {
            for taken in 0..=before.len() {
                let mut out = Out::new(false);
                out.extend_from_slice(before);
                out.advance(taken);
                let mark = out.mark();
                out.extend_from_slice(b"half");
                out.put_bytes(Bytes::from(vec![1; BY_REFERENCE]));
                out.extend_from_slice(b"more");
                assert!(out.holds(&mark));
                out.rewind(&mark);
                assert_eq!(drain(&mut out), before[taken..], "before {before:?}, taken {taken}");
            }
        }
    }

    #[test]
    fn offsets_go_on_over_a_swap() {
        let mut out = Out::new(false);
        let mut drained = Out::new(false);
        out.extend_from_slice(b"12345");
        out.swap_into(&mut drained);
        assert_eq!((out.offset(), drained.offset(), drained.taken()), (5, 5, 0));
        drained.advance(5);
        out.extend_from_slice(b"6");
        out.swap_into(&mut drained);
        assert_eq!((drained.taken(), drained.offset(), out.offset()), (5, 6, 6));
    }

    #[test]
    fn message_transports_get_one_packet_at_a_time() {
        let mut out = Out::new(true);
        for packet in [&b"one"[..], b"", b"three"] {
            out.extend_from_slice(packet);
            out.end_frame();
        }
        let taken: Vec<_> = std::iter::from_fn(|| out.take_message()).collect();
        assert_eq!(taken, [&b"one"[..], b"", b"three"]);
    }
}
