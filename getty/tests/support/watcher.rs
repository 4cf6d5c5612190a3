//! An observer that notes what it is told.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use getty::{CloseReason, EndpointInfo, EndpointKind, Observed, Observer, Stats};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Opened { endpoint: String, kind: EndpointKind, transport: &'static str, id: u64 },
    Closed { endpoint: String, id: u64, reason: &'static str, stats: Stats },
    Refused { endpoint: String, limit: &'static str },
    AcceptFailed(io::ErrorKind),
    HandshakeFailed { endpoint: String, peer: SocketAddr, error: String },
    Dialled(String),
    DialFailed { endpoint: String, cause: String },
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Watcher(Arc<Mutex<Vec<Told>>>);

impl Watcher {
    /// All of it, in order.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.0.lock().unwrap().clone()
    }

    fn note(&self, told: Told) {
        self.0.lock().unwrap().push(told);
    }
}

impl Observer for Watcher {
    fn opened(&self, session: &Observed) {
        let EndpointInfo { name, kind, .. } = session.endpoint();
        let (endpoint, transport) = (name.to_string(), session.info().transport);
        self.note(Told::Opened { endpoint, kind: *kind, transport, id: session.id() });
    }

    fn closed(&self, session: &Observed, reason: &CloseReason<'_>) {
        let endpoint = session.endpoint().name.to_string();
        let (id, reason, stats) = (session.id(), reason.name(), session.stats());
        self.note(Told::Closed { endpoint, id, reason, stats });
    }

    fn refused(&self, endpoint: &EndpointInfo, limit: &'static str) {
        self.note(Told::Refused { endpoint: endpoint.name.to_string(), limit });
    }

    fn accept_failed(&self, _: &EndpointInfo, error: &io::Error) {
        self.note(Told::AcceptFailed(error.kind()));
    }

    fn handshake_failed(&self, endpoint: &EndpointInfo, peer: SocketAddr, error: &io::Error) {
        let endpoint = endpoint.name.to_string();
        self.note(Told::HandshakeFailed { endpoint, peer, error: error.to_string() });
    }

    fn dialled(&self, endpoint: &EndpointInfo, _: Duration) {
        self.note(Told::Dialled(endpoint.name.to_string()));
    }

    fn dial_failed(&self, endpoint: &EndpointInfo, cause: &str) {
        self.note(Told::DialFailed { endpoint: endpoint.name.to_string(), cause: cause.to_owned() });
    }
}
