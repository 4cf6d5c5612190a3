//! What the sessions of one server or one client share: the name, the listener, the default limits, the wheel, the pool and the
//! runtime.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    EventListener, Limits, Protocol,
    observer::Observing,
    pool::{Full, Pool, Workers},
    sync::Handle,
    wheel::Wheel,
};

/// Which side of a connection an endpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndpointKind {
    /// It accepts.
    Server,
    /// It dials.
    Client,
}

impl fmt::Display for EndpointKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "server",
            Self::Client => "client",
        })
    }
}

/// What names a server or a client, for logs and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointInfo {
    /// Its name: `server` or `client`, unless it was given another one ([`Server::name`](crate::Server::name),
    /// [`ClientBuilder::name`](crate::ClientBuilder::name)).
    pub name: Arc<str>,
    /// Which side it is.
    pub kind: EndpointKind,
}

impl EndpointInfo {
    pub(crate) fn new(kind: EndpointKind) -> Self {
        Self { name: kind.to_string().into(), kind }
    }
}

pub(crate) struct Endpoint<P: Protocol> {
    pub(crate) protocol: P,
    pub(crate) listener: Box<dyn EventListener<P>>,
    pub(crate) limits: Limits,
    pub(crate) observing: Observing,
    pub(crate) wheel: Wheel,
    pub(crate) runtime: Handle,
    /// Where `on_message` runs, if not in the sessions' tasks.
    pub(crate) pool: Option<Workers>,
    /// Bytes that sessions hold and cannot get rid of.
    held: AtomicUsize,
}

impl<P: Protocol> Endpoint<P> {
    /// Must be called in a tokio runtime, which then runs the sessions.
    pub(crate) fn new(
        protocol: P,
        listener: impl EventListener<P>,
        limits: Limits,
        pool: Pool,
        full: Full,
        observing: Observing,
    ) -> Arc<Self> {
        let runtime = Handle::current();
        let wheel = Wheel::new(runtime.clone());
        let pool = Workers::start(pool, full, &runtime);
        let held = AtomicUsize::new(0);
        Arc::new(Self {
            protocol,
            listener: Box::new(listener),
            limits,
            observing,
            wheel,
            runtime,
            pool,
            held,
        })
    }

    /// A session holds so many bytes now, and so many before. Gives what all hold.
    pub(crate) fn hold(&self, before: usize, now: usize) -> usize {
        let change = now.wrapping_sub(before);
        self.held.fetch_add(change, Ordering::Relaxed).wrapping_add(change)
    }

    /// Whether that is so much that each should hold less: a half of what they may.
    pub(crate) fn holds_much(&self) -> bool {
        self.held.load(Ordering::Relaxed) > self.limits.held / 2
    }
}
