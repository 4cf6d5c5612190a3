//! Handshakes of accepted connections, beside the accepting: each in a task of its own, bounded in number and in time.
//!
//! ```text
//!   accept --> one task each, at most `at_once` --> done    --> the server
//!                                               \-> refused --> on_refused
//! ```
//!
//! While as many are under way as may be, further peers wait in the system's backlog. The oldest handshake then has to give
//! way once it is [`PATIENCE`] old: an honest one takes a few round trips, and peers that stall keep nobody out for long. One
//! address has a part of the places only; what it wants beyond that is closed at once, and so leaves the backlog.

use std::{
    collections::VecDeque,
    fmt,
    future::{Future, poll_fn},
    io::{self, Error, ErrorKind},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, Id, JoinSet},
    time::{Instant, Sleep, sleep_until, timeout},
};

use super::{Gate, HandshakeFailed};
use crate::observer::report;

/// How long a handshake is safe from giving way to others.
const PATIENCE: Duration = Duration::from_secs(1);

/// Accepts on a socket and gives what its handshakes make.
pub(super) struct Handshakes<T> {
    listener: TcpListener,
    pub(super) at_once: usize,
    pub(super) per_address: usize,
    pub(super) within: Duration,
    pub(super) on_refused: Option<HandshakeFailed>,
    /// The observer of the server, which counts by itself what fails.
    pub(super) observer: Option<HandshakeFailed>,
    /// Closed for those whom the server would turn away behind their handshake.
    pub(super) gate: Option<Gate>,
    tasks: JoinSet<io::Result<T>>,
    /// Those under way, the oldest first.
    running: VecDeque<Running>,
    /// When the oldest one has to give way, while others wait.
    patience: Option<Pin<Box<Sleep>>>,
}

struct Running {
    began: Instant,
    peer: SocketAddr,
    task: AbortHandle,
}

impl<T: Send + 'static> Handshakes<T> {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            at_once: 512,
            per_address: 256,
            within: Duration::from_secs(10),
            on_refused: None,
            observer: None,
            gate: None,
            tasks: JoinSet::new(),
            running: VecDeque::new(),
            patience: None,
        }
    }

    pub(super) fn local_addr(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// The next connection that has shaken hands. Cancel-safe: handshakes go on meanwhile.
    ///
    /// # Errors
    /// Those of the listening socket. A handshake that fails concerns its peer alone.
    pub(super) async fn accept<F>(&mut self, shake: impl Fn(TcpStream) -> F) -> io::Result<T>
    where
        F: Future<Output = io::Result<T>> + Send + 'static,
    {
        poll_fn(|cx| {
            loop {
                match self.tasks.poll_join_next_with_id(cx) {
                    Poll::Ready(Some(Ok((id, result)))) => match (self.over(id), result) {
                        (_, Ok(conn)) => return Poll::Ready(Ok(conn)),
                        (Some(peer), Err(error)) => self.refused(peer, &error),
                        (None, Err(_)) => {}
                    },
                    Poll::Ready(Some(Err(failed))) => {
                        if let Some(peer) = self.over(failed.id()) {
                            self.refused(peer, &Error::other(failed.to_string()));
                        }
                    }
                    Poll::Pending | Poll::Ready(None) if !self.poll_room(cx) => return Poll::Pending,
                    Poll::Pending | Poll::Ready(None) => match self.listener.poll_accept(cx) {
                        Poll::Ready(Ok((stream, peer))) => match self.admits(peer) {
                            Ok(()) => self.start(peer, shake(stream)),
                            Err(error) => self.refused(peer, &error),
                        },
                        Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                        Poll::Pending => return Poll::Pending,
                    },
                }
            }
        })
        .await
    }

    fn admits(&self, peer: SocketAddr) -> io::Result<()> {
        if self.gate.as_ref().is_some_and(|gate| !gate.admits(Some(peer))) {
            let text = "the server has no place for a further session of this peer";
            return Err(Error::new(ErrorKind::ConnectionRefused, text));
        }
        let ip = peer.ip();
        if self.running.iter().filter(|running| running.peer.ip() == ip).count() >= self.per_address {
            let text = format!("{} handshakes of this address are under way", self.per_address);
            return Err(Error::new(ErrorKind::ConnectionRefused, text));
        }
        Ok(())
    }

    fn start(&mut self, peer: SocketAddr, shake: impl Future<Output = io::Result<T>> + Send + 'static) {
        if self.is_full() {
            self.give_way();
        }
        let within = self.within;
        let task = self.tasks.spawn(async move {
            timeout(within, shake).await.unwrap_or_else(|_| {
                Err(Error::new(
                    ErrorKind::TimedOut,
                    format!(
                        "the handshake was not done within {within:?}; does the peer speak this protocol?"
                    ),
                ))
            })
        });
        self.running.push_back(Running { began: Instant::now(), peer, task });
    }

    /// Whose handshake is over; `None` if it had given way before.
    fn over(&mut self, id: Id) -> Option<SocketAddr> {
        let index = self.running.iter().position(|running| running.task.id() == id)?;
        self.running.remove(index).map(|running| running.peer)
    }

    fn is_full(&self) -> bool {
        self.running.len() >= self.at_once.max(1)
    }

    /// Whether a further handshake may begin, if need be in the place of the oldest. If not, it sees to being asked again.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(oldest) = self.running.front().filter(|_| self.is_full()) else {
            self.patience = None;
            return true;
        };
        let gives_way = oldest.began + PATIENCE;
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep_until(gives_way)));
        if patience.deadline() != gives_way {
            patience.as_mut().reset(gives_way);
        }
        patience.as_mut().poll(cx).is_ready()
    }

    fn give_way(&mut self) {
        if let Some(Running { peer, task, .. }) = self.running.pop_front() {
            task.abort();
            let text = format!(
                "the handshake gave way to others after {PATIENCE:?}: {} are under way",
                self.at_once
            );
            self.refused(peer, &Error::new(ErrorKind::TimedOut, text));
        }
    }

    fn refused(&self, peer: SocketAddr, error: &Error) {
        tracing::debug!(%peer, %error, "a handshake failed");
        // What the user's functions do must not end the accepting.
        for told in [&self.on_refused, &self.observer].into_iter().flatten() {
            report("on_refused", || told(peer, error));
        }
    }
}

impl<T> fmt::Debug for Handshakes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshakes")
            .field("listener", &self.listener)
            .field("at_once", &self.at_once)
            .field("per_address", &self.per_address)
            .field("within", &self.within)
            .field("running", &self.running.len())
            .finish_non_exhaustive()
    }
}

/// The settings of handshakes, for a source of connections that has them in `self.handshakes`.
macro_rules! handshake_settings {
    () => {
        /// How many handshakes may be under way at once, at least one. Default 512. Where more peers come, the oldest handshake has to
        /// give way once it is a second old, so that peers which stall keep nobody out.
        #[must_use]
        pub fn handshakes(mut self, at_once: usize) -> Self {
            self.handshakes.at_once = at_once.max(1);
            self
        }

        /// How many of them may be of the same address, at least one. Default 256. Further connections of it are closed at once.
        #[must_use]
        pub fn handshakes_per_address(mut self, at_once: usize) -> Self {
            self.handshakes.per_address = at_once.max(1);
            self
        }

        /// How long a handshake may take, from the accept on. Default 10 s.
        #[must_use]
        pub fn handshake_within(mut self, time: Duration) -> Self {
            self.handshakes.within = time;
            self
        }

        /// Told of every handshake that fails, with the peer and the reason; for logs and metrics. It must not block. Without it they are
        /// seen in the log at level debug only, as any passer-by can cause them.
        #[must_use]
        pub fn on_refused(mut self, told: impl Fn(SocketAddr, &io::Error) + Send + Sync + 'static) -> Self {
            self.handshakes.on_refused = Some(Arc::new(told));
            self
        }
    };
}

pub(super) use handshake_settings;
