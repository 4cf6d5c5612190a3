//! A server: services on an address, and an orderly end.
//!
//! ```text
//!   serve_until:  serving ---- stop ----> draining ------------------> closing ------> done
//!                                         read-only event to all,      what is queued
//!                                         calls in flight finish,      is written,
//!                                         late ones are still served   connections close
//! ```

mod dispatcher;
mod invocation;
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

use getty::transport::{Listen, TcpListen};
use tokio::sync::oneshot;

use crate::{protocol::PAYLOAD, service::Service};

pub use invocation::Invocation;
pub use reply::Reply;

use dispatcher::{Dispatcher, ServerProtocol, ServerShared};
use registry::Services;

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
#[must_use = "a server serves only when `serve` is awaited"]
pub struct Server<A = TcpListen> {
    listen: A,
    services: Services,
    payload: usize,
    heartbeat: Duration,
    shutdown_wait: Duration,
    running: usize,
    connections: usize,
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

    /// How many connections may be open at a time. Further ones are closed at once.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
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
    /// callers carry `closing`), calls in flight finish and late ones are still served, at most for
    /// [`shutdown_wait`](Self::shutdown_wait), then the connections close. Dropped before, it stops accepting.
    ///
    /// # Errors
    /// Those of [`getty::Server::serve_until`].
    pub async fn serve_until(self, stop: impl Future<Output = ()> + Send) -> io::Result<()> {
        let shutdown_wait = self.shutdown_wait;
        let connections = self.connections;
        let shared = Arc::new(ServerShared::new(self.services, self.payload, self.heartbeat, self.running));
        let (close, closed) = oneshot::channel::<()>();
        let limits = getty::Limits::default().sessions(connections);
        let mut serving = pin!(getty::Server::over(self.listen).limits(limits).serve_until(
            ServerProtocol(Arc::clone(&shared)),
            Dispatcher(Arc::clone(&shared)),
            async { drop(closed.await) },
        ));
        let mut drained = pin!(async {
            stop.await;
            shared.drain(shutdown_wait).await;
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
