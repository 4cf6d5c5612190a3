//! Makes a client.

use std::{fmt, future::Future, io, sync::Arc};

use super::{Backoff, Client, Handle, Shared, seat};
use crate::{
    EndpointKind, EventListener, Full, Limits, Observer, Pool, Protocol,
    observer::Observing,
    transport::{Host, Transport},
};

/// Makes a [`Client`] with settings of its own.
///
/// ```
/// use getty::{Backoff, ClientBuilder, Limits, Lines, on_message};
/// use std::time::Duration;
///
/// let client = ClientBuilder::new(Lines::default(), on_message(|_, line: String| println!("{line}")))
///     .connections(2)
///     .limits(Limits::default().max_packet(1024))
///     .backoff(Backoff::default().max(Duration::from_secs(5)))
///     .tcp("127.0.0.1:7001");
/// # drop(client);
/// ```
#[must_use = "a builder makes nothing until `tcp` or `dial`"]
pub struct ClientBuilder<P: Protocol> {
    protocol: P,
    listener: Box<dyn EventListener<P>>,
    connections: usize,
    limits: Limits,
    backoff: Backoff,
    observing: Observing,
    pool: Pool,
    full: Full,
}

impl<P: Protocol> ClientBuilder<P> {
    /// One connection, default limits and back-off, and no pool.
    pub fn new(protocol: P, listener: impl EventListener<P>) -> Self {
        Self {
            protocol,
            listener: Box::new(listener),
            connections: 1,
            limits: Limits::default(),
            backoff: Backoff::default(),
            observing: Observing::new(EndpointKind::Client),
            pool: Pool::Inline,
            full: Full::Wait,
        }
    }

    /// How many sessions are kept, at least one. Default 1.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// Bounds of its sessions.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How it waits between failed attempts.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Its name, for logs and metrics: [`Session::name`](crate::Session::name) and
    /// [`EndpointInfo::name`](crate::EndpointInfo::name). Default `client`.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.observing.endpoint.name = name.into();
        self
    }

    /// Who is told what becomes of its dials and sessions. One; a second call replaces the first. Default: nobody.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observing.observer = Some(Arc::new(observer));
        self
    }

    /// Where `on_message` runs; all its sessions, also those to come, share the pool. It is made at the first need and ends with
    /// the client. Default [`Pool::Inline`].
    pub fn pool(mut self, pool: Pool) -> Self {
        self.pool = pool;
        self
    }

    /// What becomes of a packet for which the pool has no place. Default [`Full::Wait`].
    pub fn when_full(mut self, full: Full) -> Self {
        self.full = full;
        self
    }

    /// Over TCP to a host and port, which is looked up at every dial.
    pub fn tcp(self, address: impl Into<Host>) -> Client<P> {
        self.to(address.into(), |host| async move { host.dial_tcp().await })
    }

    /// Over the Unix socket at a path.
    #[cfg(unix)]
    pub fn unix(self, path: impl Into<std::path::PathBuf>) -> Client<P> {
        let path: Arc<std::path::Path> = path.into().into();
        let place = Arc::clone(&path);
        self.dial(path.display().to_string(), move || {
            let place = Arc::clone(&place);
            async move { crate::transport::dial_unix(&place).await }
        })
    }

    /// Over TLS to a host and port. The host is looked up, and its certificate verified, at every dial; TCP and the TLS handshake
    /// together may take [`Limits::dial`](field@Limits::dial).
    #[cfg(feature = "tls")]
    pub fn tls(self, address: impl Into<Host>, tls: crate::transport::TlsClient) -> Client<P> {
        let tls = Arc::new(tls);
        self.to(address.into(), move |host| {
            let tls = Arc::clone(&tls);
            async move { host.dial_tls(&tls).await }
        })
    }

    /// Over WebSocket, to the URL that the settings name. The host is looked up at every dial; all handshakes together may take
    /// [`Limits::dial`](field@Limits::dial).
    #[cfg(feature = "ws")]
    pub fn ws(self, ws: crate::transport::WsClient) -> Client<P> {
        let url = ws.url().to_owned();
        let ws = Arc::new(ws);
        self.dial(url, move || {
            let ws = Arc::clone(&ws);
            async move { crate::transport::dial_ws(&ws).await }
        })
    }

    /// Over UDP to a host and port: one packet is one datagram. A session is there as soon as it is wanted, whether or not anybody
    /// listens; it ends with an error when the peer's system says that nobody does.
    pub fn udp(self, address: impl Into<Host>) -> Client<P> {
        self.to(address.into(), |host| async move { host.dial_udp().await })
    }

    /// Over TCP to a host and port, compressed. The server has to do the same. Over another transport, give `dial` a function that
    /// makes a [`Compressed`](crate::transport::Compressed).
    #[cfg(feature = "compression")]
    pub fn tcp_compressed(self, address: impl Into<Host>, by: crate::transport::Compression) -> Client<P> {
        self.to(address.into(), move |host| async move {
            host.dial_tcp().await.map(|tcp| crate::transport::Compressed::new(tcp, by))
        })
    }

    fn to<C, D, F>(self, host: Host, dial: D) -> Client<P>
    where
        C: Transport,
        D: Fn(Host) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<C>> + Send + 'static,
    {
        self.dial(host.name().to_owned(), move || dial(host.clone()))
    }

    /// Over connections that `dial` makes; `address` names the place in messages.
    pub fn dial<C, D, F>(self, address: impl Into<String>, dial: D) -> Client<P>
    where
        C: Transport,
        D: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<C>> + Send + 'static,
    {
        let Self { protocol, listener, connections, limits, backoff, observing, pool, full } = self;
        let start = seat::start(protocol, listener, limits, (pool, full), observing, dial);
        let shared = Shared::new(address.into(), connections, limits, backoff, start);
        Client(Arc::new(Handle(Arc::new(shared))))
    }
}

impl<P: Protocol> fmt::Debug for ClientBuilder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("connections", &self.connections)
            .field("limits", &self.limits)
            .field("backoff", &self.backoff)
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}
