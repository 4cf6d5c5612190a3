//! A client: connections to one or more addresses of a provider, and the stubs that call through them.

mod call;
mod reference;
mod returned;

use std::{
    fmt,
    future::{Future, poll_fn},
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use getty::{Backoff, ClientBuilder as Dial, Session, transport::Transport};
use getty_registry::FixedList;

use crate::{
    error::{Error, ErrorKind, Result},
    exchange::{ClientListener, ClientProtocol, ClientSettings},
    protocol::PAYLOAD,
    service::Stub,
};

pub use call::{Call, CallFuture};
pub use reference::{Reference, ReferenceBuilder};
pub use returned::{Fallible, Plain, Returned};

/// Connections to the provider of some services. Clones are the same client; when the last one and the last stub are gone its
/// connections are closed.
///
/// Nothing is dialled before the first call.
///
/// ```no_run
/// # #[getty_rpc::service(interface = "com.example.Greeter")]
/// # trait Greeter { async fn greet(&self, name: String) -> String; }
/// # async fn run() -> getty_rpc::Result<()> {
/// let client = getty_rpc::Client::direct("127.0.0.1:20000")?;
/// let greeter: GreeterClient = client.refer();
/// println!("{}", greeter.greet("Ada").await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    /// One pool of sessions for each address.
    pools: Vec<getty::Client<ClientProtocol>>,
    turn: AtomicUsize,
    closed: AtomicBool,
    pub(crate) timeout: Duration,
}

impl Client {
    /// A client of one or more fixed addresses: `127.0.0.1:20000`, `dubbo://a:20880`, `dubbo://a:20880,b:20880`.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] when that is no list of addresses.
    pub fn direct(addresses: &str) -> Result<Self> {
        Self::builder().direct(addresses)
    }

    /// A client with settings of its own.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A stub for a service, as its trait declares it.
    pub fn refer<S: Stub>(&self) -> S {
        self.reference(S::INFO).refer()
    }

    /// A reference to a service with another version, group or timeout than its trait declares.
    pub fn reference(&self, info: &'static crate::ServiceInfo) -> ReferenceBuilder {
        ReferenceBuilder::new(self, info)
    }

    /// Dials now, and waits until all connections to all addresses stand; without it the first call dials.
    ///
    /// # Errors
    /// [`ErrorKind::Connect`] when an address cannot be reached, [`ErrorKind::Closed`] after [`close`](Self::close).
    pub async fn connect(&self) -> Result<()> {
        for pool in &self.0.pools {
            pool.connect().await.map_err(unreachable)?;
        }
        Ok(())
    }

    /// Closes all connections and waits until they have ended. Calls in flight fail at once, and so do later ones, with
    /// [`ErrorKind::Closed`]. Dropped before it is done, the closing goes on.
    pub async fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        let mut closing: Vec<_> = self.0.pools.iter().map(|pool| Box::pin(pool.close())).collect();
        poll_fn(|cx| {
            closing.retain_mut(|pool| pool.as_mut().poll(cx).is_pending());
            if closing.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Shared {
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// A session that calls may go to, without waiting.
    pub(crate) fn try_session(&self) -> Option<Session<ClientProtocol>> {
        self.in_turn().find_map(|pool| pool.pick(|session| session.state().is_usable()))
    }

    /// A session that calls may go to; dials where that is needed.
    pub(crate) async fn session(&self) -> Result<Session<ClientProtocol>> {
        let mut last = None;
        for pool in self.in_turn() {
            match pool.session().await {
                Ok(session) if session.state().is_usable() => return Ok(session),
                Ok(session) => {
                    let text = format!("the provider at {} is shutting down", session.info());
                    last = Some(Error::not_run(ErrorKind::Connect, text));
                }
                Err(error) => last = Some(unreachable(error)),
            }
        }
        Err(last.unwrap_or_else(|| Error::not_run(ErrorKind::Connect, "the client has no address")))
    }

    fn in_turn(&self) -> impl Iterator<Item = &getty::Client<ClientProtocol>> {
        let count = self.pools.len();
        let first = if count > 1 { self.turn.fetch_add(1, Ordering::Relaxed) } else { 0 };
        (0..count).filter_map(move |i| self.pools.get(first.wrapping_add(i) % count))
    }
}

fn unreachable(error: getty::SessionError) -> Error {
    let kind = match error {
        getty::SessionError::Closed => ErrorKind::Closed,
        _ => ErrorKind::Connect,
    };
    Error::not_run(kind, error.to_string()).caused_by(error)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("pools", &self.0.pools)
            .field("timeout", &self.0.timeout)
            .finish_non_exhaustive()
    }
}

/// Settings of a [`Client`].
///
/// | setting | default | Dubbo's name for it |
/// |---|---|---|
/// | [`connections`](Self::connections) | 1 to each address | `connections` |
/// | [`timeout`](Self::timeout) | 1 s | `timeout` |
/// | [`payload`](Self::payload) | 8 MiB | `payload` |
/// | [`heartbeat`](Self::heartbeat) | 60 s | `heartbeat` |
/// | [`pending`](Self::pending) | 65,536 calls on a connection | |
#[derive(Debug, Clone)]
#[must_use = "a builder makes nothing until `direct` or `dial`"]
pub struct ClientBuilder {
    connections: usize,
    timeout: Duration,
    settings: ClientSettings,
    backoff: Backoff,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            connections: 1,
            timeout: Duration::from_secs(1),
            settings: ClientSettings {
                payload: PAYLOAD,
                heartbeat: Duration::from_secs(60),
                pending: 65_536,
            },
            backoff: Backoff::default(),
        }
    }
}

impl ClientBuilder {
    /// Connections to each address, at least one. Each carries many calls at a time, so few are enough.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// How long a call waits for its answer, unless it, its method or its reference says otherwise. The time for dialling counts.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Longest body in bytes, in both directions. A longer request fails before it is sent, a longer answer when its header comes.
    pub fn payload(mut self, bytes: usize) -> Self {
        self.settings.payload = bytes;
        self
    }

    /// How long a connection may be silent before the peer is asked whether it lives; after two and a half times that it is closed.
    pub fn heartbeat(mut self, period: Duration) -> Self {
        self.settings.heartbeat = period.max(Duration::from_millis(40));
        self
    }

    /// How many calls may wait for answers on one connection. Further ones fail with [`ErrorKind::Busy`].
    pub fn pending(mut self, calls: usize) -> Self {
        self.settings.pending = calls;
        self
    }

    /// How it waits between failed attempts to connect.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// The client, for one or more fixed addresses: `127.0.0.1:20000`, `dubbo://a:20880`, `dubbo://a:20880,b:20880`.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] when that is no list of addresses.
    pub fn direct(self, addresses: &str) -> Result<Client> {
        let list = FixedList::parse(addresses)
            .map_err(|error| Error::not_run(ErrorKind::BadRequest, error.to_string()).caused_by(error))?;
        let settings = Arc::new(self.settings.clone());
        let pools = list.addresses().map(|address| self.pool(&settings).tcp(address.to_string())).collect();
        Ok(self.client(pools))
    }

    /// The client, over connections that `dial` makes: TLS, a Unix socket, memory. `address` names the place in messages.
    ///
    /// ```
    /// # #[getty_rpc::service(interface = "com.example.Greeter")]
    /// # trait Greeter { async fn greet(&self, name: String) -> String; }
    /// # struct Hello;
    /// # impl Greeter for Hello { async fn greet(&self, name: String) -> String { format!("Hello, {name}!") } }
    /// use getty_rpc::{Client, Server, getty::transport::memory};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> getty_rpc::Result<()> {
    /// let (connector, listen) = memory::listen();
    /// tokio::spawn(Server::over(listen).service(GreeterServer::new(Hello)).serve());
    /// let client = Client::builder().dial("memory", move || {
    ///     let connector = connector.clone();
    ///     async move { connector.connect().await }
    /// });
    /// assert_eq!(client.refer::<GreeterClient>().greet("Ada").await?, "Hello, Ada!");
    /// # Ok(())
    /// # }
    /// ```
    pub fn dial<C, D, F>(self, address: impl Into<String>, dial: D) -> Client
    where
        C: Transport,
        D: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<C>> + Send + 'static,
    {
        let pool = self.pool(&Arc::new(self.settings.clone())).dial(address, dial);
        self.client(vec![pool])
    }

    fn pool(&self, settings: &Arc<ClientSettings>) -> Dial<ClientProtocol> {
        Dial::new(ClientProtocol(Arc::clone(settings)), ClientListener)
            .connections(self.connections)
            .backoff(self.backoff)
    }

    fn client(self, pools: Vec<getty::Client<ClientProtocol>>) -> Client {
        Client(Arc::new(Shared { pools, turn: AtomicUsize::new(0), closed: AtomicBool::new(false), timeout: self.timeout }))
    }
}
