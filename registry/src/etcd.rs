//! Owns the registry in etcd v3: Dubbo's keys under a lease, by the crate `etcd-client`. Must never reuse a revision over
//! a broken stream: a server that was wiped takes one of the future and says nothing.
//!
//! ```text
//! lease:  none --grant--> kept <--keep-alive answers, ttl > 0--+
//!          ^               |  \--------------------------------+
//!          |               |  no answer, stream ended: lost, the same lease is tried again
//!          +-- ttl 0, "not found", revoked: lost, a new one is granted
//! ```

mod lease;
mod session;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use etcd_client::{Client, ConnectOptions, Error, GetOptions};
use tokio::time::timeout;

pub(crate) use self::lease::EtcdLife;
pub(crate) use self::session::EtcdSession;
use crate::error::RegistryError;
use crate::keeper;
use crate::keeper::backend::{Backend, Fault, FaultKind, Opened};
use crate::registry::Registry;
use crate::settings::Settings;
use crate::url::Url;

const DEFAULT_PORT: u16 = 2379;

/// The lease of dubbo-go and of Dubbo Java.
const DEFAULT_LEASE: Duration = Duration::from_secs(30);

/// Longest connecting to one server.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// How often a connection is asked for a sign of life. A server ends one that asks more often than every 5 s (etcd's
/// `grpc-keepalive-min-time`) while nothing else is said on it.
const PING: Duration = Duration::from_secs(6);

/// How long that may take.
const PING_ANSWER: Duration = Duration::from_secs(3);

/// Opens an etcd registry.
pub(crate) async fn connect(url: &Url) -> Result<Arc<dyn Registry>, RegistryError> {
    let settings = Settings::of(url, DEFAULT_PORT, DEFAULT_LEASE)?;
    let backend = Etcd { settings: settings.clone(), lease: Arc::default() };
    keeper::start(settings, backend).await
}

/// Opens sessions: a client of one server, and a lease. Not a client of all servers: the crate sends each request to one of
/// them by chance, and if that is down the request fails.
pub(crate) struct Etcd {
    settings: Settings,
    /// The lease of the last session, if it may live on; 0 for none.
    lease: Arc<AtomicI64>,
}

impl Backend for Etcd {
    type Session = EtcdSession;
    type Life = EtcdLife;

    /// Tries every server once, in an order of chance.
    async fn open(&mut self) -> Result<Opened<Self>, Fault> {
        let mut servers: Vec<&str> = self.settings.servers.iter().map(String::as_str).collect();
        fastrand::shuffle(&mut servers);
        let share = self.settings.timeout / u32::try_from(servers.len()).unwrap_or(u32::MAX).max(1);
        let mut last = Fault::link("no server to try");
        for server in servers {
            last = match timeout(share, self.open_at(server)).await {
                Ok(Ok(opened)) => return Ok(opened),
                Ok(Err(fault)) if fault.kind == FaultKind::Login => return Err(fault),
                Ok(Err(fault)) => fault,
                Err(_) => {
                    Fault::link(format_args!("{server} did not answer within {} ms", share.as_millis()))
                }
            };
        }
        Err(last)
    }
}

impl Etcd {
    async fn open_at(&self, server: &str) -> Result<Opened<Self>, Fault> {
        let mut client = self.dial(server).await?;
        self.probe(&client).await?;
        let life = match self.old_lease(&mut client).await? {
            Some(life) => life,
            None => self.new_lease(&mut client).await?,
        };
        tracing::debug!(server, lease = %format_args!("{:x}", life.id()), "opened an etcd session");
        let session = EtcdSession::new(client, life.id(), &self.settings);
        Ok(Opened { session: Arc::new(session), life })
    }

    /// With a user this logs in, else it does not even connect.
    async fn dial(&self, server: &str) -> Result<Client, Fault> {
        let mut options = ConnectOptions::new()
            .with_connect_timeout(CONNECT_LIMIT.min(self.settings.timeout))
            .with_timeout(self.settings.timeout)
            .with_keep_alive(PING, PING_ANSWER)
            .with_require_leader(true);
        if let Some(login) = &self.settings.login {
            // A token is forgotten when its server restarts.
            options = options.with_user(&login.user, &login.password).with_auto_token_refresh(true);
        }
        Client::connect([server], Some(options)).await.map_err(|error| fault(&error))
    }

    /// Reads a key, which need not be there nor be readable. A server gives leases to everybody, and without a leader too.
    async fn probe(&self, client: &Client) -> Result<(), Fault> {
        let options = GetOptions::new().with_count_only();
        let root = format!("/{}", self.settings.root);
        match client.kv_client().get(root, Some(options)).await.map_err(|error| fault(&error)) {
            Err(fault) if fault.kind == FaultKind::Refused => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// Takes up the last lease. A server that restarts keeps its leases, and the keys with them.
    async fn old_lease(&self, client: &mut Client) -> Result<Option<EtcdLife>, Fault> {
        let id = self.lease.load(Ordering::Relaxed);
        if id == 0 {
            return Ok(None);
        }
        match client.lease_keep_alive(id).await {
            Ok((keeper, answers)) => {
                Ok(Some(EtcdLife::new(keeper, answers, self.lease_ttl(), Arc::clone(&self.lease))))
            }
            Err(Error::LeaseKeepAliveError(_)) => {
                self.lease.store(0, Ordering::Relaxed);
                Ok(None)
            }
            Err(error) => Err(fault(&error)),
        }
    }

    async fn new_lease(&self, client: &mut Client) -> Result<EtcdLife, Fault> {
        let ttl = i64::try_from(self.lease_ttl().as_secs()).unwrap_or(i64::MAX);
        let granted = client.lease_grant(ttl, None).await.map_err(|error| fault(&error))?;
        self.lease.store(granted.id(), Ordering::Relaxed);
        let (keeper, answers) = client.lease_keep_alive(granted.id()).await.map_err(|error| fault(&error))?;
        // The server may grant more than was asked for, and says so.
        let ttl = u64::try_from(granted.ttl()).map_or(self.lease_ttl(), Duration::from_secs);
        Ok(EtcdLife::new(keeper, answers, ttl, Arc::clone(&self.lease)))
    }

    /// A lease has whole seconds.
    fn lease_ttl(&self) -> Duration {
        Duration::from_secs(self.settings.session.as_secs().max(1))
    }
}

fn fault(error: &Error) -> Fault {
    match error {
        Error::GRpcStatus(status) => {
            let text = status.message();
            let kind = if text.contains("requested lease not found") {
                FaultKind::Session
            } else if is_login(text) {
                FaultKind::Login
            } else {
                // gRPC's numbers: a client library and a proxy give many of them for a broken connection.
                match status.code() as i32 {
                    INVALID_ARGUMENT | PERMISSION_DENIED => FaultKind::Refused,
                    _ => FaultKind::Link,
                }
            };
            Fault::new(kind, format_args!("{:?}: {text}", status.code()))
        }
        error => Fault::link(error),
    }
}

const INVALID_ARGUMENT: i32 = 3;
const PERMISSION_DENIED: i32 = 7;

/// etcd 3.4 answers a wrong user and a wrong password by InvalidArgument with one of these texts.
fn is_login(text: &str) -> bool {
    ["authentication failed", "user name is empty", "authentication is not enabled"]
        .iter()
        .any(|known| text.contains(known))
}
