//! One peer of a UDP server: the datagrams that wait for its session, and how long it may be silent.

use std::{
    collections::VecDeque,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::{Bytes, BytesMut};
use tokio::{
    net::UdpSocket,
    time::{Instant, Sleep, sleep_until},
};

use super::listen::Table;

/// What a datagram costs beside its bytes, so that empty ones are not free.
const COST: usize = 64;

/// The session's end of a queue. Dropped, its place is free for another peer.
pub(super) struct Peer {
    table: Arc<Table>,
    queue: Arc<Queue>,
    address: SocketAddr,
    /// When its silence has been long enough, unless something has come since that was set.
    silence: Option<Pin<Box<Sleep>>>,
    last: Instant,
    left: bool,
}

/// Datagrams of one peer that wait.
pub(super) struct Queue {
    /// No other queue has it, also none of the same address later.
    id: u64,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    datagrams: VecDeque<Bytes>,
    cost: usize,
    waker: Option<Waker>,
}

static IDS: AtomicU64 = AtomicU64::new(0);

impl Queue {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { id: IDS.fetch_add(1, Ordering::Relaxed), waiting: Mutex::default() })
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

    fn poll_pop(&self, cx: &Context<'_>) -> Poll<Bytes> {
        let mut waiting = self.lock();
        match waiting.datagrams.pop_front() {
            Some(datagram) => {
                waiting.cost = waiting.cost.saturating_sub(datagram.len() + COST);
                if waiting.datagrams.is_empty() {
                    // A burst is over: a silent peer needs no room.
                    waiting.datagrams = VecDeque::new();
                }
                Poll::Ready(datagram)
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
        Self { table, queue, address, silence: None, last: Instant::now(), left: false }
    }

    pub(super) fn socket(&self) -> &Arc<UdpSocket> {
        &self.table.socket
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next datagram; 0 when the peer has been silent for long, or was left.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>, buf: &mut BytesMut) -> Poll<usize> {
        if self.left {
            return Poll::Ready(0);
        }
        if let Poll::Ready(datagram) = self.queue.poll_pop(cx) {
            self.last = Instant::now();
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
