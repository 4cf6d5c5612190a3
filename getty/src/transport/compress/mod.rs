//! Compression between a session and its connection. This file owns when bytes move; it knows no format.
//!
//! ```text
//!   out-buffer --- compress, 64 KiB at a time ---> wire --- drain ---> the connection below
//!                  (nothing left: flush once)
//!
//!   read buffer <-- at most one chunk a fill --- input <--- fill ----- the connection below
//! ```
//!
//! A drain ends with a flush, so the peer can read every packet that was written before. A fill gives at most 64 KiB however
//! much there is: what a small input swells to is met by the session's limits long before it is all there, and no further
//! input is read meanwhile. The ratio of both is bounded too, for every format alike.

mod crc;
mod deflate;
mod snappy;
mod swell;

use std::{
    fmt,
    io::{Error, ErrorKind, Result},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};

use super::{Connection, Direct, Gate, HandshakeFailed, Listen, Transport};
use crate::{
    ConnInfo, Limits, Out,
    session::yield_turn,
    stock::{self, CHUNK},
};
use deflate::{Deflater, Inflater};
use snappy::{Decoder, Encoder};
use swell::Swell;

/// Reads of the connection below that bring nothing to the session before others get their turn.
const BARREN: usize = 8;

/// How the bytes of a connection are compressed. Both sides have to be told the same: nothing on the wire says it.
///
/// A session that has sent something keeps 370 KiB with deflate (of any level; zlib-rs 0.6) and 37 KiB with snappy, one that has
/// received something 47 KiB with deflate and 3 KiB with snappy. One that has done neither keeps nothing.
///
/// A packet of more than 2 MiB may have become at most 100 times as long by decompression
/// ([`Limits::compression_ratio`](field@Limits::compression_ratio)), else the session ends with [`Error::Transport`](crate::Error::Transport).
/// Deflate makes up to 1,000 times as much of one byte that is repeated, snappy 21 times; who sends such packets needs a higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// One raw deflate stream (RFC 1951, without the header of zlib or gzip) for each direction, with a sync flush at the end of what
    /// is written at a time. The window lives as long as the connection. The number is the level, from 0 (stored) to 9
    /// (smallest); larger ones are 9. Any level reads what any other has written.
    ///
    /// It is what Go's getty does for `CompressZip`, `CompressBestSpeed`, `CompressBestCompression`, `CompressHuffman` and, with
    /// level 0, for an explicit `CompressNone`.
    Deflate(u32),
    /// The framing format of snappy: blocks of up to 64 KiB, each with a checksum. Faster and larger than deflate.
    ///
    /// It is what Go's getty does for `CompressSnappy`. That one (v1.4.10) keeps what it writes until it has 64 KiB or closes,
    /// so answers of it come late.
    Snappy,
}

impl Default for Compression {
    /// Deflate, level 6.
    fn default() -> Self {
        Self::Deflate(6)
    }
}

/// Bytes that a compressed connection has moved below the compression. [`Stats`](crate::Stats) has those above it too.
#[derive(Debug, Default)]
pub struct Wire {
    read: AtomicU64,
    written: AtomicU64,
}

impl Wire {
    /// Compressed bytes that were read.
    pub fn read_bytes(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Compressed bytes that the connection below has taken.
    pub fn written_bytes(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }
}

/// A transport with compression, over any that carries a stream of bytes. Over one that carries messages it does not compile.
///
/// A peer that sends what cannot be decompressed, or that finishes in the middle of it, ends the session with
/// [`Error::Io`](crate::Error::Io). A deflate stream that ends behind a flush without a final block, as Go's getty ends it, has ended well.
#[derive(Debug)]
pub struct Compressed<T> {
    below: T,
    by: Compression,
    wire: Arc<Wire>,
}

impl<T: Transport> Compressed<T> {
    /// Over this transport.
    pub fn new(below: T, by: Compression) -> Self {
        Self { below, by, wire: Arc::default() }
    }
}

impl<T: Transport> Transport for Compressed<T> {
    type Task = CompressedTask<T::Task>;

    fn info(&self) -> ConnInfo {
        ConnInfo { wire: Some(Arc::clone(&self.wire)), ..self.below.info() }
    }

    fn configure(&self, limits: &Limits) {
        self.below.configure(limits);
    }

    fn split(self) -> (Self::Task, Option<Direct>) {
        const {
            assert!(!T::Task::MESSAGES, "a connection that carries messages cannot be compressed as a stream")
        };
        // Bytes must not go past the compression.
        let (below, _) = self.below.split();
        let task = CompressedTask {
            below,
            by: self.by,
            counts: self.wire,
            packer: None,
            unflushed: false,
            wire: Out::new(false),
            unpacker: None,
            input: BytesMut::new(),
            swell: Swell::new(Limits::default().compression_ratio),
            finished: false,
        };
        (task, None)
    }
}

/// The task's part of a [`Compressed`].
pub struct CompressedTask<C> {
    below: C,
    by: Compression,
    counts: Arc<Wire>,
    /// Made when something is first written: it is large.
    packer: Option<Box<dyn Pack>>,
    /// Something was compressed since the last flush.
    unflushed: bool,
    /// What the connection below has not taken yet.
    wire: Out,
    /// Made when something has first been read.
    unpacker: Option<Box<dyn Unpack>>,
    /// What was read and is not decompressed yet.
    input: BytesMut,
    /// What has become of it since the last packet.
    swell: Swell,
    /// The connection below has finished.
    finished: bool,
}

/// Makes the compressed stream of one direction.
trait Pack: Send {
    /// Compresses some of what is there, at most one chunk.
    fn pack(&mut self, from: &mut Out, to: &mut Out) -> Result<()>;

    /// Makes what was compressed so far readable for the peer.
    fn flush(&mut self, to: &mut Out) -> Result<()>;
}

/// Takes the compressed stream of one direction apart.
trait Unpack: Send {
    /// Takes from the front of the input, and appends at most one chunk. Nothing appended means that more input is needed.
    fn unpack(&mut self, from: &mut BytesMut, to: &mut BytesMut) -> Result<usize>;

    /// The peer has finished.
    ///
    /// # Errors
    /// When that was in the middle of something.
    fn end(&self, rest: &[u8]) -> Result<()>;
}

impl<C: Connection> Connection for CompressedTask<C> {
    fn begin(&mut self, limits: &Limits) {
        self.swell = Swell::new(limits.compression_ratio);
        self.below.begin(limits);
    }

    fn proven(&mut self) {
        self.below.proven();
    }

    fn decoded(&mut self) {
        self.swell.restart();
        self.below.decoded();
    }

    fn pending(&self) -> usize {
        self.input.len().saturating_add(self.below.pending())
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>, buf: &mut BytesMut) -> Poll<Result<usize>> {
        for _ in 0..BARREN {
            if let Some(unpacker) = &mut self.unpacker {
                let before = self.input.len();
                let appended = unpacker.unpack(&mut self.input, buf)?;
                self.swell.count(before.saturating_sub(self.input.len()), appended)?;
                if self.input.is_empty() {
                    stock::give(std::mem::take(&mut self.input));
                }
                if appended > 0 {
                    return Poll::Ready(Ok(appended));
                }
                if self.finished {
                    unpacker.end(&self.input)?;
                }
            }
            if self.finished {
                return Poll::Ready(Ok(0));
            }
            if self.input.capacity() == 0 {
                self.input = stock::take();
            } else if self.input.capacity() - self.input.len() < CHUNK / 2 {
                self.input.reserve(CHUNK);
            }
            let read = match self.below.poll_fill(cx, &mut self.input) {
                Poll::Ready(read) => read?,
                Poll::Pending => {
                    if self.input.is_empty() {
                        stock::give(std::mem::take(&mut self.input));
                    }
                    return Poll::Pending;
                }
            };
            self.finished = read == 0;
            if read > 0 && self.unpacker.is_none() {
                self.unpacker = Some(match self.by {
                    Compression::Deflate(_) => Box::new(Inflater::new()),
                    Compression::Snappy => Box::new(Decoder::default()),
                });
            }
            self.counts.read.fetch_add(read as u64, Ordering::Relaxed);
        }
        // Much input that says nothing, such as empty blocks.
        yield_turn(cx);
        Poll::Pending
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>, out: &mut Out) -> Poll<Result<()>> {
        loop {
            self.pack(out)?;
            let drained = self.below.poll_drain(cx, &mut self.wire);
            self.counts.written.store(self.wire.taken(), Ordering::Relaxed);
            ready!(drained)?;
            if !self.wire.is_empty() {
                return Poll::Ready(Err(Error::other(
                    "the connection below was ready before it had taken everything",
                )));
            }
            self.wire.release();
            if !out.has_remaining() && !self.unflushed {
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.below.poll_finish(cx)
    }
}

impl<C> CompressedTask<C> {
    /// Compresses what waits, up to a chunk of wire, and flushes when nothing waits any more.
    fn pack(&mut self, out: &mut Out) -> Result<()> {
        while self.wire.len() < CHUNK && (out.has_remaining() || self.unflushed) {
            let packer = match &mut self.packer {
                Some(packer) => packer,
                none => none.insert(match self.by {
                    Compression::Deflate(level) => Box::new(Deflater::new(level)),
                    Compression::Snappy => Box::new(Encoder::new()),
                }),
            };
            if out.has_remaining() {
                self.unflushed = true;
                packer.pack(out, &mut self.wire)?;
            } else {
                packer.flush(&mut self.wire)?;
                self.unflushed = false;
            }
        }
        Ok(())
    }
}

impl<C: fmt::Debug> fmt::Debug for CompressedTask<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompressedTask")
            .field("below", &self.below)
            .field("by", &self.by)
            .field("wire", &self.counts)
            .finish_non_exhaustive()
    }
}

/// Accepts connections and compresses them. Made by [`Server::compressed`](crate::Server::compressed) too.
#[derive(Debug)]
pub struct CompressedListen<L> {
    below: L,
    by: Compression,
}

impl<L: Listen> CompressedListen<L> {
    /// Over what this accepts.
    pub fn new(below: L, by: Compression) -> Self {
        Self { below, by }
    }
}

impl<L: Listen> Listen for CompressedListen<L> {
    type Conn = Compressed<L::Conn>;

    async fn accept(&mut self) -> Result<Self::Conn> {
        self.below.accept().await.map(|below| Compressed::new(below, self.by))
    }

    fn gate(&mut self, gate: Gate) {
        self.below.gate(gate);
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.below.local_addr()
    }

    fn on_handshake_failed(&mut self, failed: HandshakeFailed) {
        self.below.on_handshake_failed(failed);
    }
}

fn invalid(what: impl fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidData, what.to_string())
}

fn cut(what: &str) -> Error {
    Error::new(ErrorKind::UnexpectedEof, what)
}
