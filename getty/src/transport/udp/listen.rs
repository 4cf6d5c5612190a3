//! The server's socket: its settings, its counts, and the task that reads from it.
//!
//! ```text
//!                   known peer, room in its queue
//!                  +-------------------------------> its queue        no room: dropped, counted
//!   datagram ------+
//!                  +-------------------------------> a new peer       too many: in the place of the oldest one that has
//!                   unknown address                                   sent no packet for a second, or dropped, counted
//! ```
//!
//! One task reads from the socket. It ends when nobody listens any more and the last peer has gone.

use std::{
    fmt,
    future::{Future, pending, poll_fn},
    io::Result,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use tokio::{
    net::{ToSocketAddrs, UdpSocket},
    sync::{
        Notify,
        mpsc::{self, Receiver, Sender},
    },
    time::sleep,
};

use super::{Udp, table::Table};
use crate::{
    stock::CHUNK,
    transport::{Gate, Listen},
};

/// New peers that may wait to be accepted.
const BACKLOG: usize = 128;
/// Pause after an error of the socket, so that one that stays costs no processor.
const PAUSE: Duration = Duration::from_millis(5);

/// Makes a connection of every address that datagrams come from.
///
/// Anybody can forge addresses. So there are only so many peers at a time; while there are, datagrams of others are dropped, and
/// those that are there go on. A peer goes when nothing has come from it for a while, or when its session ends; one that has sent
/// datagrams and no packet for a second gives way to others.
///
/// What is answered goes to whoever was named. So nothing is sent to an address before a packet has come from it, and then at most
/// three times the bytes that have ([`answers`](Self::answers)): whoever forges an address floods it cheaper without this server.
pub struct UdpListen {
    socket: Arc<UdpSocket>,
    peers: usize,
    queue: usize,
    idle: Duration,
    answers: u32,
    gate: Option<Gate>,
    counts: Arc<UdpCounts>,
    /// There once it has begun to read.
    reading: Option<Reading>,
}

struct Reading {
    table: Arc<Table>,
    accepted: Receiver<Udp>,
}

/// What a [`UdpListen`] dropped: datagrams that no session got, and those that no peer was sent.
#[derive(Debug, Default)]
pub struct UdpCounts {
    pub(super) refused: AtomicU64,
    pub(super) overflowed: AtomicU64,
    pub(super) displaced: AtomicU64,
    pub(super) withheld: AtomicU64,
}

impl UdpCounts {
    /// Datagrams of new peers for which there was no place.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Datagrams for which their peer's queue had no room: they came faster than the session took them.
    pub fn overflowed(&self) -> u64 {
        self.overflowed.load(Ordering::Relaxed)
    }

    /// Peers that had sent no packet and gave way to new ones.
    pub fn displaced(&self) -> u64 {
        self.displaced.load(Ordering::Relaxed)
    }

    /// Datagrams that were not sent, as their peer had sent too little ([`UdpListen::answers`]).
    pub fn withheld(&self) -> u64 {
        self.withheld.load(Ordering::Relaxed)
    }
}

impl UdpListen {
    /// Binds to an address; port 0 takes a free one.
    ///
    /// # Errors
    /// Those of the system, such as an address in use.
    pub async fn bind(address: impl ToSocketAddrs) -> Result<Self> {
        UdpSocket::bind(address).await.map(Self::new)
    }

    /// Over a socket that is bound and not connected, and that the user may have configured.
    pub fn new(socket: UdpSocket) -> Self {
        Self {
            socket: Arc::new(socket),
            peers: 1_024,
            queue: 128 * 1024,
            idle: Duration::from_secs(60),
            answers: 3,
            gate: None,
            counts: Arc::default(),
            reading: None,
        }
    }

    /// Peers at a time. Default 1,024. The limit of the server's sessions ([`Limits::sessions`](field@crate::Limits::sessions)) holds too.
    #[must_use]
    pub fn peers(mut self, peers: usize) -> Self {
        self.peers = peers;
        self
    }

    /// Bytes of one peer that may wait for its session, each datagram counted with 64 more. Default 128 KiB. What is longer may
    /// wait alone.
    #[must_use]
    pub fn queue(mut self, bytes: usize) -> Self {
        self.queue = bytes;
        self
    }

    /// How long nothing may come from a peer before its session ends, without an error. What is sent to it does not count. Default
    /// 60 s.
    #[must_use]
    pub fn idle(mut self, idle: Duration) -> Self {
        // Deadlines are made of it; a century is no deadline.
        self.idle = idle.min(Duration::from_secs(100 * 365 * 24 * 3600));
        self
    }

    /// Bytes that may be sent to a peer for each that has come from it, 28 bytes of headers counted with each datagram. Default 3, as
    /// QUIC has it for addresses that are not validated (RFC 9000, 8.1). What is more is dropped and counted. For a protocol that answers
    /// much to little, or pushes, it has to be more; `u32::MAX` is right where nobody can forge addresses, or where the protocol lets
    /// a peer prove that it gets what is sent to it before it sends much.
    #[must_use]
    pub fn answers(mut self, times: u32) -> Self {
        self.answers = times;
        self
    }

    /// What was dropped. The counts go on after the listener was given to a server.
    pub fn counts(&self) -> Arc<UdpCounts> {
        Arc::clone(&self.counts)
    }

    fn start(&self) -> Reading {
        let (accept, accepted) = mpsc::channel(BACKLOG);
        let table = Arc::new(Table {
            socket: Arc::clone(&self.socket),
            idle: self.idle,
            answers: self.answers,
            peers: Mutex::default(),
            most: self.peers,
            gate: self.gate.clone(),
            queue: self.queue,
            counts: Arc::clone(&self.counts),
            unheard: AtomicBool::new(false),
            gone: Notify::new(),
        });
        tokio::spawn(read(Arc::clone(&table), accept));
        Reading { table, accepted }
    }
}

impl Listen for UdpListen {
    type Conn = Udp;

    async fn accept(&mut self) -> Result<Udp> {
        let reading = match self.reading.take() {
            Some(reading) => reading,
            None => self.start(),
        };
        match self.reading.insert(reading).accepted.recv().await {
            Some(accepted) => Ok(accepted),
            // The runtime is ending.
            None => pending().await,
        }
    }

    fn gate(&mut self, gate: Gate) {
        self.gate = Some(gate);
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }
}

impl Drop for UdpListen {
    fn drop(&mut self) {
        if let Some(Reading { table, .. }) = &self.reading {
            table.unheard.store(true, Ordering::Release);
            table.gone.notify_one();
        }
    }
}

impl fmt::Debug for UdpListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UdpListen")
            .field("socket", &self.socket)
            .field("peers", &self.peers)
            .field("queue", &self.queue)
            .field("idle", &self.idle)
            .field("answers", &self.answers)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

async fn read(table: Arc<Table>, accept: Sender<Udp>) {
    let mut buf = vec![0; CHUNK];
    while !table.is_over() {
        let Some(received) = receive(&table, &mut buf).await else { continue };
        match received {
            Ok((len, from)) => table.take(from, buf.get(..len).unwrap_or_default(), &accept),
            Err(error) => {
                // Some systems tell here that nobody listened where a datagram was sent to. It is no reason to stop.
                tracing::trace!(%error, "a datagram could not be received");
                sleep(PAUSE).await;
            }
        }
    }
}

/// The next datagram; `None` when the listener or a peer has gone meanwhile.
async fn receive(table: &Table, buf: &mut [u8]) -> Option<Result<(usize, SocketAddr)>> {
    let mut receiving = pin!(table.socket.recv_from(buf));
    let mut gone = pin!(table.gone.notified());
    poll_fn(|cx| match receiving.as_mut().poll(cx) {
        Poll::Ready(received) => Poll::Ready(Some(received)),
        Poll::Pending => gone.as_mut().poll(cx).map(|()| None),
    })
    .await
}
