//! Who is told what an endpoint does: for metrics, audit logs and tests. Nothing here is called for a packet.

use std::{
    fmt, io,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use crate::{ConnInfo, EndpointInfo, EndpointKind, Error, Stats, error::panicked};

/// Is told what becomes of the connections of a server or a client ([`Server::observer`](crate::Server::observer),
/// [`ClientBuilder::observer`](crate::ClientBuilder::observer)). One observer may serve any number of endpoints.
///
/// ```text
///   dialled -----+
///                +--> opened --> (on_open ... on_close) --> closed
///   accepted ----+
///        |
///        +--> refused | handshake_failed | accept_failed        dial_failed
/// ```
///
/// There is no call for a packet, whether or not there is an observer: a session counts by itself, and [`Observed::stats`] reads the
/// counters at any time. So an observer that wants them in between keeps what [`opened`](Self::opened) gave it until
/// [`closed`](Self::closed). The `metrics` feature has one that does.
///
/// The calls come from the sessions' tasks and from the accepting and dialling ones, so they must be short and must not block. A
/// panic in one of them is logged and has no other consequence. All of them do nothing by default.
pub trait Observer: Send + Sync + 'static {
    /// A session begins: right before `on_open`, exactly once.
    fn opened(&self, session: &Observed) {
        let _ = session;
    }

    /// A session that was [`opened`](Self::opened) has ended, be it that `on_open` refused it. After `on_close` and the session's close
    /// callbacks, exactly once; its counters are final.
    fn closed(&self, session: &Observed, reason: &CloseReason<'_>) {
        let _ = (session, reason);
    }

    /// A server has accepted a connection and closed it at once, because so many were not allowed. `limit` is the field of
    /// [`Limits`](crate::Limits) that says so, or `descriptors` where the system has none left.
    fn refused(&self, endpoint: &EndpointInfo, limit: &'static str) {
        let _ = (endpoint, limit);
    }

    /// A server could not accept, as when no descriptors are left, or lost a connection before it had it.
    fn accept_failed(&self, endpoint: &EndpointInfo, error: &io::Error) {
        let _ = (endpoint, error);
    }

    /// A connection that a server accepted has failed in the handshake of TLS or WebSocket.
    fn handshake_failed(&self, endpoint: &EndpointInfo, peer: SocketAddr, error: &io::Error) {
        let _ = (endpoint, peer, error);
    }

    /// A client has connected, handshakes included, and it took so long.
    fn dialled(&self, endpoint: &EndpointInfo, took: Duration) {
        let _ = (endpoint, took);
    }

    /// A client could not connect.
    fn dial_failed(&self, endpoint: &EndpointInfo, cause: &str) {
        let _ = (endpoint, cause);
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn opened(&self, session: &Observed) {
        (**self).opened(session);
    }

    fn closed(&self, session: &Observed, reason: &CloseReason<'_>) {
        (**self).closed(session, reason);
    }

    fn refused(&self, endpoint: &EndpointInfo, limit: &'static str) {
        (**self).refused(endpoint, limit);
    }

    fn accept_failed(&self, endpoint: &EndpointInfo, error: &io::Error) {
        (**self).accept_failed(endpoint, error);
    }

    fn handshake_failed(&self, endpoint: &EndpointInfo, peer: SocketAddr, error: &io::Error) {
        (**self).handshake_failed(endpoint, peer, error);
    }

    fn dialled(&self, endpoint: &EndpointInfo, took: Duration) {
        (**self).dialled(endpoint, took);
    }

    fn dial_failed(&self, endpoint: &EndpointInfo, cause: &str) {
        (**self).dial_failed(endpoint, cause);
    }
}

/// Why a session ended, as an [`Observer`] is told.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum CloseReason<'a> {
    /// This side closed it: [`Session::close`](crate::Session::close), or the end of its client or server.
    Local,
    /// This side gave it up: [`Session::abort`](crate::Session::abort).
    Aborted,
    /// The peer finished between two packets.
    Peer,
    /// The error that `on_error` was told.
    Error(&'a Error),
}

impl CloseReason<'_> {
    /// A short name out of a small, fixed set, for the label of a metric: `local`, `aborted`, `peer`, or that of the error's variant,
    /// such as `too_long`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Aborted => "aborted",
            Self::Peer => "peer",
            Self::Error(error) => error.name(),
        }
    }
}

/// What a session shows to an [`Observer`], whatever its protocol. Cloning it is cheap. It keeps the session's counters, but not the
/// connection: the session ends whether or not somebody has one.
#[derive(Clone)]
pub struct Observed(pub(crate) Arc<dyn View>);

/// The part of a session that does not depend on its protocol.
pub(crate) trait View: Send + Sync {
    fn id(&self) -> u64;
    fn endpoint(&self) -> &EndpointInfo;
    fn info(&self) -> &ConnInfo;
    fn stats(&self) -> Stats;
    fn idle(&self) -> Duration;
}

impl Observed {
    /// As [`Session::id`](crate::Session::id).
    pub fn id(&self) -> u64 {
        self.0.id()
    }

    /// The server or client that has the session.
    pub fn endpoint(&self) -> &EndpointInfo {
        self.0.endpoint()
    }

    /// As [`Session::info`](crate::Session::info).
    pub fn info(&self) -> &ConnInfo {
        self.0.info()
    }

    /// As [`Session::stats`](crate::Session::stats).
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }

    /// As [`Session::idle`](crate::Session::idle).
    pub fn idle(&self) -> Duration {
        self.0.idle()
    }
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed")
            .field("id", &self.id())
            .field("endpoint", self.endpoint())
            .field("info", self.info())
            .field("stats", &self.stats())
            .finish()
    }
}

/// The name of an endpoint, and who is told what it does.
#[derive(Clone)]
pub(crate) struct Observing {
    pub(crate) endpoint: EndpointInfo,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

impl Observing {
    pub(crate) fn new(kind: EndpointKind) -> Self {
        Self { endpoint: EndpointInfo::new(kind), observer: None }
    }

    /// Tells the observer, if there is one.
    pub(crate) fn tell(&self, event: impl FnOnce(&dyn Observer, &EndpointInfo)) {
        if let Some(observer) = &self.observer {
            report("an observer", || event(&**observer, &self.endpoint));
        }
    }
}

/// Calls what has nobody to tell of a panic but the log.
pub(crate) fn report(what: &'static str, callback: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(callback)) {
        tracing::error!("{}", panicked(what, panic));
    }
}
