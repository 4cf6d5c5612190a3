//! A session: one connection and one task. This file owns the handle that users hold.
//!
//! ```text
//!   user's tasks                 core (one lock)                 driver (one task)
//!  +-------------+   write    +--------------------+   swap    +-------------------+
//!  | Session<P>  | ---------> | out-buffer, Writer | --------> | reads, decodes,   | <==> connection
//!  | (a handle)  |   wake     | waker, life        |           | calls back, writes|
//!  +-------------+ ---------> +--------------------+ <-------- +-------------------+
//! ```
//!
//! Life of a session, never back:
//!
//! ```text
//!             close               runs done          written, or close_wait is over
//!   Open ---------------> Closing -----------> Sealed ---------------> Closed
//!     |                      |                   |                       ^
//!     +----------------------+--- abort ---------+----> Aborted ---------+
//! ```
//!
//! While it is `Closing`, callbacks and futures in flight can still answer; from `Sealed` on writes are refused, so what is
//! left to be written is finite; `Aborted` has nothing left to be written. `on_close` comes after that.

mod core;
mod driver;
mod ending;
mod out;
mod run;
mod write;

use std::{
    any::Any,
    fmt,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

pub(crate) use self::core::Shared;
pub(crate) use driver::Driver;
#[cfg(feature = "compression")]
pub(crate) use driver::yield_turn;
pub use out::Out;
pub use write::Span;

use crate::{ConnInfo, Error, Limits, Protocol};

/// A handle to one session. Cloning it is cheap; all clones are the same session.
///
/// A session that has ended never comes back to life: a client that reconnects makes a new one.
pub struct Session<P: Protocol>(pub(crate) Arc<Shared<P>>);

/// When written bytes leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Flush {
    /// Right for nearly everything: at once when the session is idle, together with others when it is busy.
    #[default]
    Auto,
    /// At once if the session's task is asleep, even when waiting a little would gather more.
    Now,
    /// With the next batch: the task is woken, and lets others write first.
    Gather,
}

/// What a session has moved so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Bytes read.
    pub read_bytes: u64,
    /// Packets decoded.
    pub read_packets: u64,
    /// Packets among them that were refused, because a pool had no place for them ([`Full::Refuse`](crate::Full::Refuse)).
    pub refused_packets: u64,
    /// Messages that were dropped because they were no packet, or began with one and went on. Only over transports that lose
    /// messages anyway ([`Connection::LOSSY`](crate::transport::Connection::LOSSY)); others end the session.
    pub dropped_messages: u64,
    /// Bytes that the connection has taken.
    pub written_bytes: u64,
    /// Bytes that wait in the out-buffer.
    pub queued_bytes: u64,
}

impl<P: Protocol> Session<P> {
    /// A number that no other session of this process has.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// What [`Protocol::open`] made for this session.
    pub fn state(&self) -> &P::State {
        &self.0.state
    }

    /// What was known of the connection when the session opened.
    pub fn info(&self) -> &ConnInfo {
        &self.0.info
    }

    /// Address of the other side; `None` where the transport has none.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.0.info.peer
    }

    /// The bounds of this session.
    pub fn limits(&self) -> &Limits {
        self.0.limits()
    }

    /// Whether the session is open: neither ended nor closing.
    pub fn is_open(&self) -> bool {
        self.0.is_open()
    }

    /// Why the session ended: `None` while it lives and after a clean end.
    pub fn error(&self) -> Option<&Arc<Error>> {
        self.0.error.get()
    }

    /// What has been moved so far. Cheap: no lock.
    pub fn stats(&self) -> Stats {
        let written_bytes = self.taken();
        Stats {
            read_bytes: self.0.read_bytes.load(Ordering::Relaxed),
            read_packets: self.0.read_packets.load(Ordering::Relaxed),
            refused_packets: self.0.refused_packets.load(Ordering::Relaxed),
            dropped_messages: self.0.dropped_messages.load(Ordering::Relaxed),
            written_bytes,
            queued_bytes: self.0.end.load(Ordering::Relaxed).saturating_sub(written_bytes),
        }
    }

    /// How many bytes of the session's output the connection has taken. Final before `on_close`.
    ///
    /// A frame whose [`Span::start`] is not below this has surely not reached the peer; any other may have.
    pub fn taken(&self) -> u64 {
        self.0.taken.load(Ordering::Acquire)
    }

    /// Ends the session: no further packet is delivered, what is queued is still written, at most for
    /// [`Limits::close_wait`](field@Limits::close_wait). Idempotent, returns at once; `on_close` tells the end. The socket of
    /// a peer that is still sending stays open until it has finished too, for the rest of that time.
    pub fn close(&self) {
        self.0.close();
    }

    /// Ends the session at once: no further packet is delivered, what is queued is dropped, writes are refused from now on, and
    /// nothing is waited for but packets that a [`Pool`](crate::Pool) has already, because [`on_close`](crate::EventListener::on_close)
    /// comes after the last [`on_message`](crate::EventListener::on_message). For a peer that is given up.
    ///
    /// It may be called at any time and from any callback, also while [`close`](Self::close) is still writing: that is cut short then.
    /// Idempotent, returns at once; `on_close` tells the end, and after it this does nothing. It is no error, so `on_error` comes
    /// only where one had ended the session before. [`taken`](Self::taken) says how much had left, as ever. The peer may find
    /// the last packet incomplete.
    pub fn abort(&self) {
        self.0.abort();
    }

    /// Changes the period of [`on_cron`](crate::EventListener::on_cron) from now on; `None` stops it. Periods are rounded up to 10 ms.
    /// It may be called inside [`write_with`](Self::write_with).
    pub fn set_cron(&self, period: Option<Duration>) {
        self.0.set_cron(period);
    }

    /// Keeps a value with the session, one for each type. The one before, if any, is dropped.
    pub fn set<T: Any + Send + Sync>(&self, value: T) {
        self.0.attributes.set(value);
    }

    /// The value of this type that was [`set`](Self::set).
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.0.attributes.get()
    }
}

impl<P: Protocol> Clone for Session<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Protocol> PartialEq for Session<P> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<P: Protocol> Eq for Session<P> {}

impl<P: Protocol> fmt::Debug for Session<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id())
            .field("info", self.info())
            .field("open", &self.is_open())
            .field("stats", &self.stats())
            .finish()
    }
}
