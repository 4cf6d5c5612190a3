//! A server: services on an address, and an orderly end.
//!
//! ```text
//!   serve_until:  serving ---- stop ----> announcing ----> withdrawing ---> draining -----------> closing ------> done
//!                 registered              read-only event  unregistered     calls in flight       what is queued
//!                                         to all, answers                   finish, late ones     is written,
//!                                         say `closing`                     are still served      connections close
//! ```

mod dispatcher;
mod export;
mod invocation;
mod recent;
mod registry;
mod reply;

use std::{
    fmt,
    future::{Future, pending, poll_fn},
    io,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use getty::{
    Observer, Pool,
    transport::{Listen, TcpListen},
};
use getty_registry::Registry;
use tokio::sync::oneshot;

use crate::{client::open_registry, observing::Observing, protocol::PAYLOAD, service::Service};

pub use invocation::Invocation;

use dispatcher::{Dispatcher, ServerProtocol, ServerShared};
use export::Exports;
use registry::Services;

/// Name of an application that does not say its own.
const APPLICATION: &str = "getty";
/// How long consumers may take to hear from their registry that a provider goes.
const NOTICE: Duration = Duration::from_secs(3);

/// Serves services.
///
/// ```no_run
/// # #[getty_rpc::service(interface = "com.example.Greeter")]
/// # trait Greeter { async fn greet(&self, name: String) -> String; }
/// struct Hello;
/// impl Greeter for Hello {
///     async fn greet(&self, name: String) -> String {
///         format!("Hello, {name}!")
///     }
/// }
///
/// # async fn run() -> std::io::Result<()> {
/// getty_rpc::Server::bind("0.0.0.0:20000").await?.service(GreeterServer::new(Hello)).serve().await
/// # }
/// ```
///
/// | setting | default | Dubbo's name for it |
/// |---|---|---|
/// | [`payload`](Self::payload) | 8 MiB | `payload` |
/// | [`heartbeat`](Self::heartbeat) | 60 s | `heartbeat` |
/// | [`shutdown_wait`](Self::shutdown_wait) | 10 s | `dubbo.service.shutdown.wait` |
/// | [`running`](Self::running) | 16,384 calls | `executes`, `threads` |
/// | [`connections`](Self::connections) | 16,384 | `accepts` |
/// | [`connections_per_address`](Self::connections_per_address) | 1,000 | |
/// | [`pool`](Self::pool) | in the connection's task | `dispatcher`, `threadpool` |
/// | [`application`](Self::application) | `getty` | `application` |
/// | [`notice`](Self::notice) | 3 s with a registry, else none | |
/// | [`name`](Self::name) | `server` | |
/// | [`observer`](Self::observer) | nobody | |
#[must_use = "a server serves only when `serve` is awaited"]
pub struct Server<A = TcpListen> {
    listen: A,
    services: Services,
    payload: usize,
    heartbeat: Duration,
    shutdown_wait: Duration,
    running: usize,
    connections: usize,
    connections_per_address: usize,
    pool: Pool,
    registries: Vec<Arc<dyn Registry>>,
    application: String,
    notice: Option<Duration>,
    observing: Observing,
}

impl Server {
    /// Binds to a TCP address; port 0 takes a free one. Nothing is accepted before [`serve`](Self::serve).
    ///
    /// # Errors
    /// Those of the system, such as an address in use.
    pub async fn bind(addr: impl tokio::net::ToSocketAddrs) -> io::Result<Self> {
        Ok(Self::over(TcpListen::bind(addr).await?))
    }
}

impl<A: Listen> Server<A> {
    /// Over any source of connections.
    pub fn over(listen: A) -> Self {
        Self {
            listen,
            services: Services::default(),
            payload: PAYLOAD,
            heartbeat: Duration::from_secs(60),
            shutdown_wait: Duration::from_secs(10),
            running: 16_384,
            connections: getty::Limits::default().sessions,
            connections_per_address: getty::Limits::default().sessions_per_address,
            pool: Pool::Inline,
            registries: Vec::new(),
            application: APPLICATION.to_owned(),
            notice: None,
            observing: Observing::default(),
        }
    }

    /// Adds a service, under the version and group of its trait.
    pub fn service(mut self, service: impl Service) -> Self {
        self.services.add(Arc::new(service), None, None);
        self
    }

    /// Adds a service under another version and group; empty for none.
    pub fn service_as(mut self, service: impl Service, version: &str, group: &str) -> Self {
        self.services.add(Arc::new(service), Some(version), Some(group));
        self
    }

    /// Longest body in bytes, in both directions. A longer request is skipped and answered with status 40, a longer answer is
    /// replaced by status 25.
    pub fn payload(mut self, bytes: usize) -> Self {
        self.payload = bytes;
        self
    }

    /// How long a connection may be silent before the peer is asked whether it lives; after two and a half times that it is closed.
    pub fn heartbeat(mut self, period: Duration) -> Self {
        self.heartbeat = period.max(Duration::from_millis(40));
        self
    }

    /// How long [`serve_until`](Self::serve_until) waits for calls in flight.
    pub fn shutdown_wait(mut self, wait: Duration) -> Self {
        self.shutdown_wait = wait;
        self
    }

    /// How many calls may run at a time. Further ones are answered with status 100 and surely do not run.
    pub fn running(mut self, calls: usize) -> Self {
        self.running = calls;
        self
    }

    /// Where requests are decoded and handlers begin. In the connection's task, which is the default, a handler that computes long
    /// holds up the requests behind it on the same connection; in a [`Pool::Fixed`] or [`Pool::Elastic`] it does not, and answers
    /// come back in another order. In a [`Pool::Ordered`] or [`Pool::Keyed`] handlers of one connection begin in the order of the
    /// calls, and those of other connections beside them. A handler that blocks belongs in none: its method is declared `blocking`.
    ///
    /// A pool without room stops the reading of connections until it has some, and refuses nothing; refusing is the business of
    /// [`running`](Self::running).
    pub fn pool(mut self, pool: Pool) -> Self {
        self.pool = pool;
        self
    }

    /// How many connections may be open at a time. Further ones are closed at once.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// How many of them may come from the same address, as [`getty::Limits::sessions_per_address`](field@getty::Limits::sessions_per_address)
    /// counts. Further ones are closed at once. Where many consumers share an address, such as that of a proxy, it has to be more.
    pub fn connections_per_address(mut self, connections: usize) -> Self {
        self.connections_per_address = connections;
        self
    }

    /// Registers all services with the registry that a URL names, once the server serves: `zookeeper://127.0.0.1:2181`,
    /// `etcd://127.0.0.1:2379`, `memory://name`. May be called for several. A concrete listen address is registered as it is, `0.0.0.0` as
    /// the machine's first address that is no loopback; `DUBBO_IP_TO_REGISTRY` and `DUBBO_PORT_TO_REGISTRY` override both.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) when that is no registry, or one whose feature is missing;
    /// [`ErrorKind::Connect`](crate::ErrorKind::Connect) when it cannot be reached, unless its URL says `check=false`.
    pub async fn registry(self, url: &str) -> crate::Result<Self> {
        let registry = open_registry(url).await?;
        Ok(self.registry_with(registry))
    }

    /// As [`registry`](Self::registry), with one that is open already and may be shared. Its
    /// [`registrations`](Registry::registrations) say whether consumers can find the services, for a health check.
    pub fn registry_with(mut self, registry: Arc<dyn Registry>) -> Self {
        self.registries.push(registry);
        self
    }

    /// The application's name in registries.
    pub fn application(mut self, name: impl Into<String>) -> Self {
        self.application = name.into();
        self
    }

    /// How long late calls are still served at the end, even when none is in flight: consumers hear of it only when their registry
    /// tells them. Part of [`shutdown_wait`](Self::shutdown_wait).
    pub fn notice(mut self, notice: Duration) -> Self {
        self.notice = Some(notice);
        self
    }

    /// Its name, for logs and metrics: that of all its connections ([`EndpointInfo::name`](getty::EndpointInfo::name)). Registries
    /// know it as [`application`](Self::application) says. Default `server`.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.observing.name = Some(name.into());
        self
    }

    /// Who is told what becomes of its connections; of calls it is told nothing. One; a second call replaces the first. Default:
    /// nobody.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observing.observer = Some(Arc::new(observer));
        self
    }

    /// Where it listens; `None` where the transport has no addresses.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.listen.local_addr()
    }

    /// Serves for ever.
    ///
    /// # Errors
    /// Those of [`getty::Server::serve_until`].
    pub async fn serve(self) -> io::Result<()> {
        self.serve_until(pending()).await
    }

    /// Serves until `stop` is ready, then ends in good order: callers are told to send nothing more (read-only event; answers to Go
    /// callers carry `closing`), the services are unregistered, calls in flight finish and late ones are still served, at most for
    /// [`shutdown_wait`](Self::shutdown_wait), then the connections close. Dropped before, it stops accepting.
    ///
    /// # Errors
    /// When a service cannot be registered, and those of [`getty::Server::serve_until`].
    pub async fn serve_until(self, stop: impl Future<Output = ()> + Send) -> io::Result<()> {
        let exports =
            Exports::publish(&self.registries, &self.services, &self.application, self.listen.local_addr())
                .map_err(io::Error::other)?;
        let shutdown_wait = self.shutdown_wait;
        let notice = self.notice.unwrap_or(if self.registries.is_empty() { Duration::ZERO } else { NOTICE });
        let limits = getty::Limits::default()
            .sessions(self.connections)
            .sessions_per_address(self.connections_per_address);
        let shared = Arc::new(ServerShared::new(self.services, self.payload, self.heartbeat, self.running));
        let (close, closed) = oneshot::channel::<()>();
        let server = self.observing.of_server(getty::Server::over(self.listen));
        let mut serving = pin!(server.limits(limits).pool(self.pool).serve_until(
            ServerProtocol(Arc::clone(&shared)),
            Dispatcher(Arc::clone(&shared)),
            async { drop(closed.await) },
        ));
        let mut drained = pin!(async {
            stop.await;
            shared.announce();
            exports.withdraw().await;
            shared.drain(shutdown_wait, notice).await;
        });
        let mut close = Some(close);
        poll_fn(|cx| {
            if close.is_some() && drained.as_mut().poll(cx).is_ready() {
                // Dropping it closes the transport's server.
                close = None;
            }
            match serving.as_mut().poll(cx) {
                Poll::Ready(result) => Poll::Ready(result),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

impl<A> fmt::Debug for Server<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("services", &self.services)
            .field("payload", &self.payload)
            .finish_non_exhaustive()
    }
}
