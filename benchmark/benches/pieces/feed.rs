//! Owns the connection that brings packets as it is told, and the session on it.

use std::io::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use getty::transport::{Connection, Direct, Transport};
use getty::{
    BoxError, ConnInfo, EventListener, Limits, Opened, Out, Protocol, Reader, Session, Step, Writer, accept,
};
use tokio::sync::Notify;

const HEADER: usize = 4;

/// How packets come.
pub(crate) struct Feed {
    packet: Bytes,
    /// Bytes that one read brings.
    piece: usize,
    /// Wake-ups before each packet that bring nothing.
    empty: usize,
    /// Whether each piece comes by a wake-up of its own.
    alone: bool,
    /// Packets that are still to come after this one.
    left: usize,
    /// Bytes of this packet that have come.
    given: usize,
    /// Wake-ups that have brought nothing for this packet.
    waited: usize,
    /// A piece has come by this wake-up.
    came: bool,
}

impl Feed {
    /// Packets of this length, header included.
    pub(crate) fn new(length: usize, piece: usize, empty: usize) -> Self {
        let mut packet = BytesMut::with_capacity(length);
        packet.put_u32((length - HEADER) as u32);
        packet.resize(length, b'.');
        Self {
            packet: packet.freeze(),
            piece,
            empty,
            alone: false,
            left: 0,
            given: 0,
            waited: 0,
            came: false,
        }
    }

    /// Feeds a session with so many packets, and gives how many it has delivered.
    pub(crate) async fn run(mut self, packets: usize, alone: bool) -> usize {
        let length = self.packet.len();
        (self.left, self.alone) = (packets, alone);
        let delivered = Arc::new(Delivered { length, packets: AtomicUsize::new(0), over: Notify::new() });
        accept(self, Frames, Arc::clone(&delivered), Limits::default());
        delivered.over.notified().await;
        delivered.packets.load(Ordering::Relaxed)
    }
}

impl Transport for Feed {
    type Task = Self;

    fn split(self) -> (Self, Option<Direct>) {
        (self, None)
    }
}

impl Connection for Feed {
    fn poll_fill(&mut self, cx: &mut Context<'_>, buf: &mut BytesMut) -> Poll<Result<usize>> {
        if self.left == 0 {
            return Poll::Ready(Ok(0));
        }
        let waits = self.waited < self.empty;
        if waits || std::mem::take(&mut self.came) {
            self.waited += usize::from(waits);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let room = buf.chunk_mut().len();
        let piece = self.packet.get(self.given..).unwrap_or_default();
        let piece = piece.get(..self.piece.min(room)).unwrap_or(piece);
        buf.extend_from_slice(piece);
        self.given += piece.len();
        self.came = self.alone;
        if self.given == self.packet.len() {
            (self.given, self.waited) = (0, 0);
            self.left -= 1;
        }
        Poll::Ready(Ok(piece.len()))
    }

    fn poll_drain(&mut self, _: &mut Context<'_>, _: &mut Out) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Packets with four bytes of length before the body.
struct Frames;

impl Protocol for Frames {
    type Reader = Self;
    type Writer = Self;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<Self, Self, ()> {
        Opened::new(Self, Self, ())
    }
}

impl Reader for Frames {
    type Packet = Bytes;

    fn read(&mut self, buf: &mut BytesMut) -> std::result::Result<Step<Bytes>, BoxError> {
        let Some(header) = buf.first_chunk::<HEADER>() else { return Ok(Step::Need(HEADER - buf.len())) };
        let length = HEADER + u32::from_be_bytes(*header) as usize;
        if buf.len() < length {
            return Ok(Step::Need(length - buf.len()));
        }
        let mut packet = buf.split_to(length).freeze();
        packet.advance(HEADER);
        Ok(Step::Packet(packet))
    }
}

impl Writer for Frames {
    type Packet = Bytes;

    fn write(&mut self, packet: Bytes, out: &mut Out) -> std::result::Result<(), BoxError> {
        out.put_bytes(packet);
        Ok(())
    }
}

/// Counts the packets that are as long as they should be.
struct Delivered {
    length: usize,
    packets: AtomicUsize,
    over: Notify,
}

impl EventListener<Frames> for Delivered {
    fn on_message(&self, _: &Session<Frames>, packet: Bytes) {
        if packet.len() + HEADER == self.length {
            self.packets.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn on_close(&self, _: &Session<Frames>) {
        self.over.notify_one();
    }
}
