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
//! left to be written is finite; `Aborted` has nothing left to be written. `on_close` comes when it is `Closed`, then the close
//! callbacks; behind the last of them it is `Over`.

mod core;
mod driver;
mod ending;
mod extras;
mod out;
mod run;
mod timers;
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
pub use extras::CloseCallback;
pub use out::Out;
pub use write::Span;

use crate::{
    ConnInfo, EndpointInfo, EndpointKind, Error, Limits, Protocol,
    observer::{Observed, View},
};

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
    /// Messages of which something was dropped, because it was no whole packet. One that the Reader refuses, or that is too long, is
    /// only dropped over transports that lose messages anyway ([`Connection::LOSSY`](crate::transport::Connection::LOSSY)), and ends
    /// the session over others.
    pub dropped_messages: u64,
    /// Bytes that the connection has taken.
    pub written_bytes: u64,
    /// Packets that writes have queued, also those that still wait, or were dropped with the out-buffer at the end. What one call
    /// writes counts as one.
    pub written_packets: u64,
    /// Bytes that wait in the out-buffer.
    pub queued_bytes: u64,
    /// Bytes read below the compression; where nothing is compressed, the same as `read_bytes`.
    pub wire_read_bytes: u64,
    /// Bytes written below the compression; where nothing is compressed, the same as `written_bytes`.
    pub wire_written_bytes: u64,
}

impl<P: Protocol> Session<P> {
    /// A number that no other session of this process has.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// The name of the server or client that has the session ([`Server::name`](crate::Server::name),
    /// [`ClientBuilder::name`](crate::ClientBuilder::name)).
    pub fn name(&self) -> &str {
        &self.0.endpoint.observing.endpoint.name
    }

    /// Whether a server accepted it or a client dialled.
    pub fn kind(&self) -> EndpointKind {
        self.0.endpoint.observing.endpoint.kind
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

    /// Own address; `None` where the transport has none.
    pub fn local(&self) -> Option<SocketAddr> {
        self.0.info.local
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
        self.0.extras.error()
    }

    /// What has been moved so far. Cheap: no lock. The numbers are read one after the other, so a busy session's need not belong to the
    /// same moment.
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }

    /// How long nothing has come from the peer, be it a part of a packet; since it opened, if nothing ever came. By a clock that is
    /// never set. What is written does not count: a connection takes bytes also while its peer is gone.
    ///
    /// A session is not closed for being idle. A listener that wants that asks in [`on_cron`](crate::EventListener::on_cron).
    pub fn idle(&self) -> Duration {
        self.0.idle()
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
        self.0.extras.set(value);
    }

    /// The value of this type that was [`set`](Self::set).
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.0.extras.get()
    }

    /// Takes the value of this type away.
    pub fn remove<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.0.extras.remove()
    }

    /// Runs `callback` once when the session has ended, after [`on_close`](crate::EventListener::on_close), in the session's task and
    /// in the order in which they were added; if that is over, at once and here. For whoever holds something on behalf of a session
    /// and is not its listener.
    ///
    /// It must be short and must not block. A panic in it is logged, and the others still run. It can keep a handle of the session: it is
    /// dropped when it has run. Nothing that it holds is dropped before, unless
    /// [`remove_close_callback`](Self::remove_close_callback) takes it away.
    pub fn add_close_callback(&self, callback: impl FnOnce(&Self) + Send + 'static) -> CloseCallback {
        self.add_callback(Box::new(callback))
    }

    /// Drops a callback, so that it will not run. False where it has run already, or is about to.
    pub fn remove_close_callback(&self, callback: CloseCallback) -> bool {
        self.0.extras.remove_callback(callback)
    }

    /// What observers see.
    pub(crate) fn observed(&self) -> Observed {
        let shared: Arc<dyn View> = Arc::<Shared<P>>::clone(&self.0);
        Observed(shared)
    }
}

/// What does not depend on the protocol.
impl<P: Protocol> View for Shared<P> {
    fn id(&self) -> u64 {
        self.id
    }

    fn endpoint(&self) -> &EndpointInfo {
        &self.endpoint.observing.endpoint
    }

    fn info(&self) -> &ConnInfo {
        &self.info
    }

    fn stats(&self) -> Stats {
        let read_bytes = self.read_bytes.load(Ordering::Relaxed);
        let written_bytes = self.taken.load(Ordering::Acquire);
        let (wire_read_bytes, wire_written_bytes) =
            self.info.wire_bytes().unwrap_or((read_bytes, written_bytes));
        Stats {
            read_bytes,
            read_packets: self.read_packets.load(Ordering::Relaxed),
            refused_packets: self.extras.refused_packets(),
            dropped_messages: self.extras.dropped_messages(),
            written_bytes,
            written_packets: self.written_packets.load(Ordering::Relaxed),
            queued_bytes: self.end.load(Ordering::Relaxed).saturating_sub(written_bytes),
            wire_read_bytes,
            wire_written_bytes,
        }
    }

    fn idle(&self) -> Duration {
        let heard = self.heard.load(Ordering::Relaxed);
        Duration::from_nanos(self.endpoint.wheel.nanos().saturating_sub(heard))
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
