//! Owns who is connected to the server beside the honest client, what that is compared with, and how much it may cost.

use super::Scene;
use super::busy;
use super::crowd::{Crowd, Habit};
use crate::frame::Size;
use crate::peer::Mode;
use clap::ValueEnum;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// They come from here and from the addresses behind it, so that they do not take the honest client's part of the places.
const FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// As many of one address as a server of getty takes by default.
const OF_ONE_ADDRESS: u32 = 1_000;
/// Peers that ask for much and read little.
const READERS: usize = 1_000;
/// Handshakes of one address: twice as many as may be under way.
const HANDSHAKES: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Attack {
    /// One connection that sends the smallest frames as fast as it can, and reads what comes.
    Flood,
    /// A crowd that says nothing.
    Silent,
    /// A crowd that sends a byte of a header a second.
    Bytewise,
    /// A crowd that sends the longest frames as fast as it can, and reads 4 KiB a second.
    SlowReaders,
    /// A crowd of one address that never ends its TLS handshake: half of it silent, half with a byte of its hello a second.
    Handshakes,
}

/// Who else is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    Nobody,
    /// One honest client that does as much as it can, with 64 frames in flight.
    Client,
    /// A crowd that sends a whole frame, the smallest, a second.
    Senders,
    /// A crowd that sends 4 KiB a second, and reads them when they are back.
    Readers,
    Attack(Attack),
}

impl Attack {
    /// What the honest client does meanwhile.
    pub(super) fn mode(self) -> Mode {
        match self {
            Self::Handshakes => Mode::Handshake,
            Self::Flood | Self::Silent | Self::Bytewise | Self::SlowReaders => Mode::Echo,
        }
    }
}

impl Beside {
    /// Who is there instead when it is compared: as many, and as busy.
    pub(super) fn instead(self) -> Option<Self> {
        Some(match self {
            Self::Nobody => return None,
            Self::Attack(Attack::Flood) => Self::Client,
            Self::Attack(Attack::Bytewise) => Self::Senders,
            Self::Attack(Attack::SlowReaders) => Self::Readers,
            Self::Attack(Attack::Silent | Attack::Handshakes) => Self::Nobody,
            Self::Client | Self::Senders | Self::Readers => Self::Nobody,
        })
    }

    /// How many times as long the honest client's p99 may be.
    pub(super) fn goal(self) -> Option<f64> {
        match self {
            Self::Nobody | Self::Client | Self::Senders | Self::Readers => None,
            Self::Attack(Attack::Flood | Attack::Handshakes) => Some(2.0),
            Self::Attack(Attack::Silent | Attack::Bytewise) => Some(1.25),
            Self::Attack(Attack::SlowReaders) => Some(1.5),
        }
    }

    /// How many connections it has, where a crowd has so many at most.
    pub(super) fn connections(self, crowd: usize) -> usize {
        match self {
            Self::Nobody => 0,
            Self::Client | Self::Attack(Attack::Flood) => 1,
            Self::Senders | Self::Attack(Attack::Silent | Attack::Bytewise) => crowd,
            Self::Readers | Self::Attack(Attack::SlowReaders) => crowd.min(READERS),
            Self::Attack(Attack::Handshakes) => crowd.min(HANDSHAKES),
        }
    }

    /// What those in a crowd do, in turn; nothing if there is none.
    fn habits(self) -> Vec<Habit> {
        match self {
            Self::Nobody | Self::Client | Self::Attack(Attack::Flood) => Vec::new(),
            Self::Senders => vec![Habit::frame(Size::SMALLEST)],
            Self::Readers => vec![Habit::frame(Size::PAGE)],
            Self::Attack(Attack::Silent) => vec![Habit::silent()],
            Self::Attack(Attack::Bytewise) => vec![Habit::bytewise()],
            Self::Attack(Attack::SlowReaders) => vec![Habit::greedy()],
            Self::Attack(Attack::Handshakes) => vec![Habit::silent(), Habit::hello()],
        }
    }
}

impl fmt::Display for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Nobody => "nobody",
            Self::Client => "a busy client",
            Self::Senders => "a frame a second",
            Self::Readers => "readers that keep up",
            Self::Attack(Attack::Flood) => "a flood of tiny frames",
            Self::Attack(Attack::Silent) => "silent peers",
            Self::Attack(Attack::Bytewise) => "a header byte a second",
            Self::Attack(Attack::SlowReaders) => "slow readers",
            Self::Attack(Attack::Handshakes) => "handshakes without end",
        })
    }
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} beside {}", self.mode, self.beside))
    }
}

/// Those who are connected. They go when it is dropped.
#[derive(Default)]
pub(super) struct Company {
    tasks: JoinSet<()>,
    counts: Arc<Counts>,
}

/// Connections.
#[derive(Default)]
pub(super) struct Counts {
    made: AtomicU64,
    closed: AtomicU64,
}

impl Counts {
    /// How many were made, and how many of them the server has closed.
    pub(super) fn read(&self) -> (u64, u64) {
        (self.made.load(Ordering::Relaxed), self.closed.load(Ordering::Relaxed))
    }
}

impl Company {
    /// Has them come. A crowd is there when this returns.
    pub(super) async fn start(&mut self, beside: Beside, server: SocketAddr, crowd: usize) {
        let place = Place::new(server);
        self.counts = place.counts();
        match beside {
            Beside::Nobody => {}
            Beside::Client => drop(self.tasks.spawn(busy::go_on(place, busy::client))),
            Beside::Attack(Attack::Flood) => drop(self.tasks.spawn(busy::go_on(place, busy::flood))),
            _ => {
                let crowd = Crowd::gather(place, beside.habits(), beside.connections(crowd)).await;
                self.tasks.spawn(crowd.go_on());
            }
        }
    }

    /// Ends it, and says how many connections were made and how many of them the server has closed.
    pub(super) fn end(self) -> (u64, u64) {
        self.counts.read()
    }
}

/// Where they connect to.
pub(super) struct Place {
    server: SocketAddr,
    counts: Arc<Counts>,
}

impl Place {
    pub(super) fn new(server: SocketAddr) -> Self {
        Self { server, counts: Arc::default() }
    }

    pub(super) fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    /// `None` if the server does not let it in. `number` is how many came before it, `buffers` the bytes that the system buffers for it.
    pub(super) async fn connect(&self, number: usize, buffers: Option<u32>) -> Option<TcpStream> {
        let behind = u32::try_from(number).unwrap_or_default() / OF_ONE_ADDRESS;
        let from = Ipv4Addr::from(u32::from(FROM).saturating_add(behind));
        let connect = async {
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            if let Some(bytes) = buffers {
                socket.set_send_buffer_size(bytes)?;
                socket.set_recv_buffer_size(bytes)?;
            }
            socket.bind((from, 0).into())?;
            socket.connect(self.server).await
        };
        let stream = connect.await.ok()?;
        self.counts.made.fetch_add(1, Ordering::Relaxed);
        Some(stream)
    }

    /// Notes that the server has closed one.
    pub(super) fn closed(&self) {
        self.counts.closed.fetch_add(1, Ordering::Relaxed);
    }
}
