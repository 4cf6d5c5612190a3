//! Raw deflate streams (RFC 1951): one for each direction, flushed, never finished.

use std::io::Result;

use bytes::{Buf, BytesMut};
use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};

use super::{Pack, Unpack, cut, invalid};
use crate::{Out, stock::CHUNK};

/// Room that is made for output at a time: for an empty block with its flush, and for most packets.
const STEP: usize = 4 * 1024;
/// How a sync flush ends: the lengths of an empty stored block.
const FLUSHED: [u8; 4] = [0, 0, 0xff, 0xff];

/// Writes one stream.
pub(super) struct Deflater(Compress);

impl Deflater {
    pub(super) fn new(level: u32) -> Self {
        Self(Compress::new(flate2::Compression::new(level.min(9)), false))
    }

    /// One step of at most [`STEP`] bytes of output. Gives the bytes that were taken, and whether all the room was used.
    fn step(&mut self, input: &[u8], to: &mut Out, flush: FlushCompress) -> Result<(usize, bool)> {
        let (before_in, before_out) = (self.0.total_in(), self.0.total_out());
        let tail = to.tail_mut();
        let start = tail.len();
        tail.resize(start + STEP, 0);
        let done = self.0.compress(input, tail.get_mut(start..).unwrap_or_default(), flush);
        let made = difference(self.0.total_out(), before_out);
        tail.truncate(start + made);
        done.map_err(invalid)?;
        Ok((difference(self.0.total_in(), before_in), made == STEP))
    }
}

impl Pack for Deflater {
    fn pack(&mut self, from: &mut Out, to: &mut Out) -> Result<()> {
        let mut left = CHUNK;
        while left > 0 && from.has_remaining() {
            let input = from.chunk();
            let input = input.get(..input.len().min(left)).unwrap_or(input);
            let (taken, _) = self.step(input, to, FlushCompress::None)?;
            from.advance(taken);
            left = left.saturating_sub(taken.max(1));
        }
        Ok(())
    }

    fn flush(&mut self, to: &mut Out) -> Result<()> {
        // Room that was used up may have been too little.
        while self.step(&[], to, FlushCompress::Sync)?.1 {}
        Ok(())
    }
}

/// Reads one stream.
pub(super) struct Inflater {
    stream: Decompress,
    /// The last bytes that were read: whether they are a flush tells whether an end is clean.
    last: [u8; 4],
    fresh: bool,
    /// All room was used, so there may be more without further input.
    more: bool,
    /// A final block has come. Go's getty sends none, others may.
    finished: bool,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self { stream: Decompress::new(false), last: [0; 4], fresh: true, more: false, finished: false }
    }

    fn took(&mut self, bytes: &[u8]) {
        self.fresh &= bytes.is_empty();
        for &byte in bytes.get(bytes.len().saturating_sub(4)..).unwrap_or_default() {
            self.last.rotate_left(1);
            self.last[3] = byte;
        }
    }
}

impl Unpack for Inflater {
    fn unpack(&mut self, from: &mut BytesMut, to: &mut BytesMut) -> Result<usize> {
        if self.finished {
            return if from.is_empty() {
                Ok(0)
            } else {
                Err(invalid("bytes follow the end of the deflate stream"))
            };
        }
        if from.is_empty() && !self.more {
            return Ok(0);
        }
        // Enough for text, and asked for again if not: room has to be cleared first.
        let room = from.len().saturating_mul(4).clamp(STEP, CHUNK);
        let start = to.len();
        to.resize(start + room, 0);
        let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
        let output = to.get_mut(start..).unwrap_or_default();
        let status = self.stream.decompress(from, output, FlushDecompress::Sync);
        let made = difference(self.stream.total_out(), before_out).min(room);
        to.truncate(start + made);
        self.more = made == room;
        match status {
            Ok(Status::StreamEnd) => self.finished = true,
            Ok(Status::Ok | Status::BufError) => {}
            Err(error) => return Err(invalid(format_args!("the input is no deflate stream: {error}"))),
        }
        let taken = difference(self.stream.total_in(), before_in).min(from.len());
        self.took(from.get(..taken).unwrap_or_default());
        from.advance(taken);
        if made == 0 && !self.finished && !from.is_empty() {
            return Err(invalid("the input is no deflate stream: it cannot be taken any further"));
        }
        if made == 0 && self.finished {
            return self.unpack(from, to);
        }
        Ok(made)
    }

    fn end(&self, _: &[u8]) -> Result<()> {
        match self.fresh || self.finished || self.last == FLUSHED {
            true => Ok(()),
            false => Err(cut("the peer finished in the middle of a deflate stream, not behind a flush")),
        }
    }
}

fn difference(after: u64, before: u64) -> usize {
    usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX)
}
