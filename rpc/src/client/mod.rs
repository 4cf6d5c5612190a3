//! A client: connections to one or more addresses of a provider, and the stubs that call through them.

mod call;
mod reference;

use std::{
    collections::HashMap,
    fmt,
    future::{Future, poll_fn},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::Poll,
    time::Duration,
};

use getty::{Backoff, Observer, transport::Transport};
use getty_registry::{FixedList, Registry, RegistryError};

use crate::{
    cluster::{Cluster, Directory, LoadBalance, Pool, PoolSettings, Pools},
    error::{Error, ErrorKind, Result},
    exchange::{ClientSettings, ClientShared},
    observing::Observing,
    protocol::PAYLOAD,
    service::{Stub, Target},
};

pub use call::{Call, CallFuture};
pub use reference::{Reference, ReferenceBuilder};

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
    source: Source,
    directories: Mutex<HashMap<Target, Weak<Directory>>>,
    connections: Arc<ClientShared>,
    pub(crate) timeout: Duration,
    pub(crate) cluster: Cluster,
    balance: LoadBalance,
}

/// Where a client finds its providers.
enum Source {
    Fixed(Vec<Arc<Pool>>),
    Registry(Arc<dyn Registry>, Arc<Pools>),
}

impl Client {
    /// A client of one or more fixed addresses: `127.0.0.1:20000`, `dubbo://a:20880`, `dubbo://a:20880,b:20880`.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] when that is no list of addresses, or a URL of a registry or of a protocol that is not Dubbo's.
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

    /// Dials now, and waits until all connections stand: those to fixed addresses, or to all providers of the stubs that were made
    /// so far. Without it the first call dials.
    ///
    /// # Errors
    /// [`ErrorKind::Connect`](crate::ErrorKind::Connect) when an address cannot be reached or a service has no provider,
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed) after [`close`](Self::close).
    pub async fn connect(&self) -> Result<()> {
        if let Source::Registry(..) = &self.0.source {
            let directories: Vec<_> = self.0.directories().values().filter_map(Weak::upgrade).collect();
            for directory in directories {
                directory.known().await?;
            }
        }
        for pool in self.0.pools() {
            pool.connect().await?;
        }
        Ok(())
    }

    /// Closes all connections and waits until they have ended. Calls in flight fail at once, whatever the provider does, and so do
    /// later ones, with [`ErrorKind::Closed`](crate::ErrorKind::Closed); the error says whether the call can have run. Dropped
    /// before it is done, the closing goes on.
    ///
    /// One-way calls that still wait to be written are written, for three seconds at most, where no other call is in flight on
    /// their connection; else they are dropped. To lose none, let the other calls end first.
    pub async fn close(&self) {
        self.0.connections.close();
        let pools = self.0.pools();
        let mut closing: Vec<_> = pools.iter().map(|pool| Box::pin(pool.close())).collect();
        poll_fn(|cx| {
            closing.retain_mut(|pool| pool.as_mut().poll(cx).is_pending());
            if closing.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Shared {
    pub(crate) fn is_closed(&self) -> bool {
        self.connections.is_closed()
    }

    /// The providers of a service. All stubs for one service share them.
    fn directory(&self, target: &Target) -> Arc<Directory> {
        let mut directories = self.directories();
        directories.retain(|_, directory| directory.strong_count() > 0);
        if let Some(known) = directories.get(target).and_then(Weak::upgrade) {
            return known;
        }
        let made = Arc::new(match &self.source {
            Source::Fixed(pools) => Directory::fixed(target.clone(), pools, self.balance),
            Source::Registry(registry, pools) => {
                let subscription = registry.subscribe(&target.wanted());
                Directory::subscribed(target.clone(), subscription, Arc::clone(pools), self.balance)
            }
        });
        directories.insert(target.clone(), Arc::downgrade(&made));
        made
    }

    fn directories(&self) -> MutexGuard<'_, HashMap<Target, Weak<Directory>>> {
        self.directories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pools(&self) -> Vec<Arc<Pool>> {
        match &self.source {
            Source::Fixed(pools) => pools.clone(),
            Source::Registry(_, pools) => pools.all(),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pools = self.0.pools();
        f.debug_struct("Client")
            .field("pools", &pools)
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
/// | [`cluster`](Self::cluster) | failover, 2 retries | `cluster`, `retries` |
/// | [`load_balance`](Self::load_balance) | random | `loadbalance` |
/// | [`name`](Self::name) | `client` | |
/// | [`observer`](Self::observer) | nobody | |
#[derive(Debug, Clone)]
#[must_use = "a builder makes nothing until `direct` or `dial`"]
pub struct ClientBuilder {
    connections: usize,
    timeout: Duration,
    settings: ClientSettings,
    backoff: Backoff,
    cluster: Cluster,
    balance: LoadBalance,
    observing: Observing,
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
            cluster: Cluster::default(),
            balance: LoadBalance::default(),
            observing: Observing::default(),
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

    /// What happens when a call fails.
    pub fn cluster(mut self, cluster: Cluster) -> Self {
        self.cluster = cluster;
        self
    }

    /// How a provider is chosen where there are several.
    pub fn load_balance(mut self, balance: LoadBalance) -> Self {
        self.balance = balance;
        self
    }

    /// How it waits between failed attempts to connect.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Its name, for logs and metrics: that of all its connections, wherever they lead
    /// ([`EndpointInfo::name`](getty::EndpointInfo::name)). Default `client`.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.observing.name = Some(name.into());
        self
    }

    /// Who is told what becomes of its dials and connections, to all addresses; of calls it is told nothing. One; a second call
    /// replaces the first. Default: nobody.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observing.observer = Some(Arc::new(observer));
        self
    }

    /// The client, for one or more fixed addresses: `127.0.0.1:20000`, `dubbo://a:20880`, `dubbo://a:20880,b:20880`.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] when that is no list of addresses, or a URL of a registry or of a protocol that is not Dubbo's.
    pub fn direct(self, addresses: &str) -> Result<Client> {
        speaks(addresses)?;
        let list = FixedList::parse(addresses)
            .map_err(|error| Error::not_run(ErrorKind::BadRequest, error.to_string()).caused_by(error))?;
        let settings = self.pools();
        let pools =
            list.addresses().map(|address| Arc::new(Pool::tcp(address.to_string(), &settings))).collect();
        Ok(self.client(settings.shared, Source::Fixed(pools)))
    }

    /// The client, for the providers that a registry knows: `zookeeper://127.0.0.1:2181`, `etcd://127.0.0.1:2379`,
    /// `memory://name`. The registries of other processes are features of this crate.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] when that is no registry, or one whose feature is missing; [`ErrorKind::Connect`] when it cannot
    /// be reached, unless its URL says `check=false`.
    pub async fn registry(self, url: &str) -> Result<Client> {
        Ok(self.registry_with(open_registry(url).await?))
    }

    /// As [`registry`](Self::registry), with one that is open already and may be shared.
    pub fn registry_with(self, registry: Arc<dyn Registry>) -> Client {
        let settings = self.pools();
        let connections = Arc::clone(&settings.shared);
        self.client(connections, Source::Registry(registry, Arc::new(Pools::new(settings))))
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
        let address = address.into();
        let settings = self.pools();
        let client = settings.builder().dial(address.clone(), dial);
        self.client(settings.shared, Source::Fixed(vec![Arc::new(Pool::over(address, client))]))
    }

    fn pools(&self) -> PoolSettings {
        PoolSettings {
            connections: self.connections,
            backoff: self.backoff,
            observing: self.observing.clone(),
            shared: Arc::new(ClientShared::new(self.settings.clone())),
        }
    }

    fn client(self, connections: Arc<ClientShared>, source: Source) -> Client {
        Client(Arc::new(Shared {
            source,
            directories: Mutex::default(),
            connections,
            timeout: self.timeout,
            cluster: self.cluster,
            balance: self.balance,
        }))
    }
}

/// Protocols of URLs that name a registry.
const REGISTRIES: [&str; 4] = ["zookeeper", "etcd", "etcd3", "memory"];

/// Refuses a list of addresses with a URL whose protocol is another one than `dubbo`. Looked at before anything else in the list:
/// such a URL may well have no port, which is not what is wrong with it.
fn speaks(addresses: &str) -> Result<()> {
    let is_name = |name: &&str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let protocols = addresses.split(';').filter_map(|entry| entry.split_once("://"));
    for protocol in protocols.map(|(protocol, _)| protocol.trim()).filter(is_name) {
        let text = match protocol.to_ascii_lowercase().as_str() {
            "dubbo" => continue,
            registry if REGISTRIES.contains(&registry) => format!(
                "expected addresses of providers such as dubbo://host:20880, found a registry, {protocol}://; use `registry` for it"
            ),
            _ => format!(
                "expected addresses of providers such as dubbo://host:20880, found the protocol {protocol}, which this client does \
                 not speak"
            ),
        };
        return Err(Error::not_run(ErrorKind::BadRequest, text));
    }
    Ok(())
}

/// Opens the registry that a URL names.
pub(crate) async fn open_registry(url: &str) -> Result<Arc<dyn Registry>> {
    let bad = |text: String| Error::not_run(ErrorKind::BadRequest, text);
    let url = getty_registry::registry_url(url).map_err(|error| bad(error.to_string()).caused_by(error))?;
    getty_registry::connect(&url).await.map_err(|error| {
        let kind = match error {
            RegistryError::Unreachable { .. } => ErrorKind::Connect,
            _ => ErrorKind::BadRequest,
        };
        Error::not_run(kind, error.to_string()).caused_by(error)
    })
}
