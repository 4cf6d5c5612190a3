//! Owns the seam between the keeper and the servers: what a backend must be able to do. Knows no wish and no clock; the
//! keeper says what should be there and how long it waits.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::layout::Node;
use crate::listing::Publisher;

/// A kind of registry.
pub(crate) trait Backend: Send + 'static {
    type Session: Session;
    type Life: Life;

    /// Opens a session, or takes an old one up again. Cancel-safe: the keeper gives it a time limit.
    fn open(&mut self) -> impl Future<Output = Result<Opened<Self>, Fault>> + Send;
}

/// A session, and the news of how it fares.
pub(crate) struct Opened<B: Backend + ?Sized> {
    pub(crate) session: Arc<B::Session>,
    pub(crate) life: B::Life,
}

/// Holds what is registered: when it ends, so do the nodes.
pub(crate) trait Session: Send + Sync + 'static {
    /// Sees to it that a node is there and belongs to this session.
    fn ensure(&self, node: &Node) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Sees to it that a node is not there.
    fn remove(&self, node: &Node) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Publishes the list of an interface's providers, and returns once it may have changed. May publish more than once.
    /// Must be cancel-safe: it is called again on a clock, whatever a watch says.
    fn follow(&self, interface: &str, list: &Publisher) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Ends the session and with it all its nodes.
    fn close(self: Arc<Self>) -> impl Future<Output = ()> + Send;
}

/// How a session fares.
pub(crate) trait Life: Send + 'static {
    /// Waits for news, and keeps the session alive meanwhile. Cancel-safe. Not called again after [`News::Lost`].
    fn news(&mut self) -> impl Future<Output = News> + Send;
}

#[derive(Debug)]
pub(crate) enum News {
    /// The server does not answer; the session may live on.
    Away(Fault),
    /// It answers again, in the same session.
    Back,
    /// The session has ended, or no longer leads anywhere.
    Lost(Fault),
}

/// Why something did not work.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) text: Arc<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// No connection, or no answer in time: nothing else will work now either.
    Link,
    /// The server refuses this one thing.
    Refused,
    /// The server refuses the user or the password.
    Login,
    /// The session has ended: a new one is needed.
    Session,
}

impl Fault {
    pub(crate) fn new(kind: FaultKind, text: impl fmt::Display) -> Self {
        Self { kind, text: text.to_string().into() }
    }

    pub(crate) fn link(text: impl fmt::Display) -> Self {
        Self::new(FaultKind::Link, text)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
