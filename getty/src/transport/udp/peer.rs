//! One peer of a UDP server: the datagrams that wait for its session, how long it may be silent, and how much may be sent to it.

use std::{
    collections::VecDeque,
    future::Future,
    io::Result,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::{Bytes, BytesMut};
use tokio::{
    net::UdpSocket,
    time::{Instant, Sleep, sleep_until},
};

use super::table::Table;

/// What a datagram costs beside its bytes, so that empty ones are not free.
const COST: usize = 64;
/// Bytes of the headers of IP and UDP, which a datagram has on the wire beside its own.
const HEADERS: usize = 28;

/// The session's end of a queue. Dropped, its place is free for another peer.
pub(super) struct Peer {
    table: Arc<Table>,
    queue: Arc<Queue>,
    address: SocketAddr,
    /// When its silence has been long enough, unless something has come since that was set.
    silence: Option<Pin<Box<Sleep>>>,
    last: Instant,
    /// Bytes that may be sent to it, headers included. Its address may be that of somebody else, who asked for nothing.
    credit: u64,
    left: bool,
}

/// Datagrams of one peer that wait.
pub(super) struct Queue {
    /// No other queue has it, also none of the same address later.
    id: u64,
    born: Instant,
    /// The peer has sent a packet.
    proven: AtomicBool,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    datagrams: VecDeque<Bytes>,
    cost: usize,
    waker: Option<Waker>,
    /// Another peer has got the place.
    displaced: bool,
}

static IDS: AtomicU64 = AtomicU64::new(0);

impl Queue {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            born: Instant::now(),
            proven: AtomicBool::new(false),
            waiting: Mutex::default(),
        })
    }

    pub(super) fn born(&self) -> Instant {
        self.born
    }

    pub(super) fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }

    /// Ends the session.
    pub(super) fn displace(&self) {
        let mut waiting = self.lock();
        *waiting = Waiting { displaced: true, waker: waiting.waker.take(), ..Waiting::default() };
        let waker = waiting.waker.take();
        drop(waiting);
        waker.into_iter().for_each(Waker::wake);
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.id == other.id
    }

    /// Whether there was room.
    pub(super) fn push(&self, datagram: &[u8], limit: usize) -> bool {
        let mut waiting = self.lock();
        let cost = waiting.cost.saturating_add(datagram.len()).saturating_add(COST);
        // One that is longer than the limit has to fit too, when it is alone.
        if cost > limit && !waiting.datagrams.is_empty() {
            return false;
        }
        waiting.cost = cost;
        waiting.datagrams.push_back(Bytes::copy_from_slice(datagram));
        let waker = waiting.waker.take();
        drop(waiting);
        waker.into_iter().for_each(Waker::wake);
        true
    }

    /// `None` when another peer has got the place.
    fn poll_pop(&self, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        let mut waiting = self.lock();
        if waiting.displaced {
            return Poll::Ready(None);
        }
        match waiting.datagrams.pop_front() {
            Some(datagram) => {
                waiting.cost = waiting.cost.saturating_sub(datagram.len() + COST);
                if waiting.datagrams.is_empty() {
                    // A burst is over: a silent peer needs no room.
                    waiting.datagrams = VecDeque::new();
                }
                Poll::Ready(Some(datagram))
            }
            None => {
                waiting.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peer {
    pub(super) fn new(table: Arc<Table>, queue: Arc<Queue>, address: SocketAddr) -> Self {
        Self { table, queue, address, silence: None, last: Instant::now(), credit: 0, left: false }
    }

    pub(super) fn socket(&self) -> &Arc<UdpSocket> {
        &self.table.socket
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn proven(&mut self) {
        self.queue.proven.store(true, Ordering::Relaxed);
    }

    /// Sends a datagram, or drops and counts it where that would be more than a stranger may be sent.
    pub(super) fn try_send(&mut self, datagram: &[u8]) -> Result<()> {
        let cost = (datagram.len() + HEADERS) as u64;
        if !self.queue.is_proven() || cost > self.credit {
            self.table.withheld();
            return Ok(());
        }
        self.socket().try_send_to(datagram, self.address)?;
        self.credit -= cost;
        Ok(())
    }

    /// The next datagram; 0 when the peer has been silent for long, was left, or has lost its place.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>, buf: &mut BytesMut) -> Poll<usize> {
        if self.left {
            return Poll::Ready(0);
        }
        if let Poll::Ready(popped) = self.queue.poll_pop(cx) {
            let Some(datagram) = popped else { return Poll::Ready(0) };
            self.last = Instant::now();
            let earned = ((datagram.len() + HEADERS) as u64).saturating_mul(u64::from(self.table.answers));
            self.credit = self.credit.saturating_add(earned);
            buf.extend_from_slice(&datagram);
            return Poll::Ready(datagram.len());
        }
        loop {
            let end = self.last + self.table.idle;
            let silence = self.silence.get_or_insert_with(|| Box::pin(sleep_until(end)));
            if silence.deadline() < end && silence.is_elapsed() {
                // Moved only when it is over, not with each datagram.
                silence.as_mut().reset(end);
            }
            match silence.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) if Instant::now() >= self.last + self.table.idle => return Poll::Ready(0),
                Poll::Ready(()) => {}
            }
        }
    }

    /// Another session may have the place of this one.
    pub(super) fn leave(&mut self) {
        if !std::mem::replace(&mut self.left, true) {
            self.table.remove(self.address, &self.queue);
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.leave();
    }
}
