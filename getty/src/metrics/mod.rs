//! Counters for Prometheus (feature `metrics`): an [`Observer`] that sums up the sessions of any number of endpoints.
//!
//! ```
//! use getty::{ClientBuilder, Lines, Server, metrics::Metrics, on_message};
//!
//! # async fn run() -> std::io::Result<()> {
//! let metrics = Metrics::default();
//! let server = Server::bind("127.0.0.1:0").await?.name("lines").observer(metrics.clone());
//! let client = ClientBuilder::new(Lines::default(), on_message(|_, _| {})).observer(metrics.clone());
//! // What an HTTP server answers to GET /metrics, with Metrics::CONTENT_TYPE:
//! let text = metrics.text();
//! # drop((server, client, text));
//! # Ok(())
//! # }
//! ```
//!
//! | metric | labels | what |
//! |---|---|---|
//! | `getty_sessions` | e, t | sessions that live now |
//! | `getty_sessions_opened_total` | e, t | sessions that began |
//! | `getty_sessions_closed_total` | e, t, `reason` | sessions that ended, by [`CloseReason::name`] |
//! | `getty_read_bytes_total`, `getty_written_bytes_total` | e, t | bytes as Readers and Writers see them |
//! | `getty_wire_read_bytes_total`, `getty_wire_written_bytes_total` | e, t | the same below the compression |
//! | `getty_read_packets_total`, `getty_written_packets_total` | e, t | packets |
//! | `getty_refused_packets_total` | e, t | packets that a full pool refused |
//! | `getty_dropped_messages_total` | e, t | datagrams that were no packet |
//! | `getty_queued_bytes` | e, t | bytes that wait in out-buffers now |
//! | `getty_dials_total` | e, `outcome` | dials of clients, `ok` or `failed` |
//! | `getty_dial_seconds_total` | e | time that those which succeeded took together |
//! | `getty_refused_connections_total` | e, `limit` | connections closed right after they were accepted |
//! | `getty_failed_handshakes_total` | e | accepted connections whose handshake failed |
//! | `getty_failed_accepts_total` | e | failures to accept |
//!
//! e and t stand for `endpoint`, the [name](crate::Server::name) of the server or client, and `transport`, the
//! [name](crate::ConnInfo::transport) of what the session runs over. No label holds an address or anything else that a peer says, and
//! the number of series is bounded whatever the names are: see [`Metrics::new`].

mod encode;
mod sums;

use std::{
    fmt::{self, Debug},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The library that writes the text; its [`Registry`] is where [`Metrics`] can be registered beside
/// others.
pub use prometheus_client;
use prometheus_client::{encoding::text, registry::Registry};

use crate::{CloseReason, EndpointInfo, Observed, Observer};
use sums::Sums;

/// Sums up what the sessions of its endpoints do. Give a clone to each server and client; all clones are the same one.
///
/// A session is looked at when it begins, when it ends, and when the sums are asked for, never for a packet. So asking takes time for
/// every session that lives, a few tens of nanoseconds each, during which none of them can begin or end.
#[derive(Clone)]
pub struct Metrics(Arc<Mutex<Sums>>);

impl Metrics {
    /// The type of [`text`](Self::text) for HTTP's `Content-Type`.
    pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// With a bound of the number of series. Each pair of an endpoint's name and a transport takes up to 32 series, each endpoint's name
    /// up to 8 more. Pairs and names beyond `pairs` of either are counted together under the name `other`, so there are at most
    /// `40 * (pairs + 1)` series. At least one; default 64.
    pub fn new(pairs: usize) -> Self {
        Self(Arc::new(Mutex::new(Sums::new(pairs.max(1)))))
    }

    /// Adds the metrics to a registry, so that they are in its text beside those of others.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(self.clone()));
    }

    /// All metrics of now, and nothing else, in the text form of OpenMetrics 1.0, which Prometheus reads.
    pub fn text(&self) -> String {
        let mut registry = Registry::default();
        self.register(&mut registry);
        let mut text = String::new();
        // A String takes everything.
        let _ = text::encode(&mut text, &registry);
        text
    }

    fn lock(&self) -> MutexGuard<'_, Sums> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(64)
    }
}

impl Observer for Metrics {
    fn opened(&self, session: &Observed) {
        self.lock().opened(session);
    }

    fn closed(&self, session: &Observed, reason: &CloseReason<'_>) {
        self.lock().closed(session, reason.name());
    }

    fn refused(&self, endpoint: &EndpointInfo, limit: &'static str) {
        self.lock().refused(endpoint, limit);
    }

    fn accept_failed(&self, endpoint: &EndpointInfo, _: &io::Error) {
        self.lock().endpoint(endpoint).failed_accepts += 1;
    }

    fn handshake_failed(&self, endpoint: &EndpointInfo, _: SocketAddr, _: &io::Error) {
        self.lock().endpoint(endpoint).failed_handshakes += 1;
    }

    fn dialled(&self, endpoint: &EndpointInfo, took: Duration) {
        let mut sums = self.lock();
        let endpoint = sums.endpoint(endpoint);
        endpoint.dials += 1;
        endpoint.dialling += took;
    }

    fn dial_failed(&self, endpoint: &EndpointInfo, _: &str) {
        self.lock().endpoint(endpoint).failed_dials += 1;
    }
}

impl Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
