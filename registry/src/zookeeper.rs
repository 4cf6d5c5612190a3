//! Owns the registry in ZooKeeper: sessions of the crate `zookeeper-client`, and Dubbo's nodes in them. Must never use
//! persistent watches, which that crate (0.11.2) loses at every reconnect, nor watch more than [`session::WATCHED_BYTES`] of paths
//! in one session, above which its reconnects fail.
//!
//! ```text
//! session:  connected <---> disconnected ---- expired ----> lost
//!                               |                             ^
//!                               +-- a second session is up ---+   (the first sleeps longer and longer between its tries)
//! ```

mod life;
mod session;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use zookeeper_client::{Acls, Client, Error};

pub(crate) use self::life::ZooKeeperLife;
pub(crate) use self::session::ZooKeeperSession;
use crate::error::RegistryError;
use crate::keeper;
use crate::keeper::backend::{Backend, Fault, FaultKind, Opened};
use crate::registry::Registry;
use crate::settings::Settings;
use crate::url::Url;

const DEFAULT_PORT: u16 = 2181;

/// ZooKeeper's servers allow 2 to 20 ticks: 4 to 40 s by default. Dubbo Java asks for 60 s.
const DEFAULT_SESSION: Duration = Duration::from_secs(15);

/// A server that collects its garbage is silent for a while.
const LEAST_SILENCE: Duration = Duration::from_secs(1);

/// Opens a ZooKeeper registry.
pub(crate) async fn connect(url: &Url) -> Result<Arc<dyn Registry>, RegistryError> {
    let settings = Settings::of(url, DEFAULT_PORT, DEFAULT_SESSION)?;
    let backend = ZooKeeper { dialler: Dialler::of(&settings), spare: Arc::default() };
    keeper::start(settings, backend).await
}

/// Opens sessions.
pub(crate) struct ZooKeeper {
    dialler: Dialler,
    /// A second session, opened while the first was disconnected.
    spare: Arc<Mutex<Option<Client>>>,
}

/// What a new session needs.
#[derive(Clone)]
struct Dialler {
    settings: Arc<Settings>,
    cluster: String,
}

impl Backend for ZooKeeper {
    type Session = ZooKeeperSession;
    type Life = ZooKeeperLife;

    async fn open(&mut self) -> Result<Opened<Self>, Fault> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        let client = match spare.filter(|client| !client.state().is_terminated()) {
            Some(client) => client,
            None => self.dialler.dial().await?,
        };
        tracing::debug!(session = %client.session_id(), "opened a ZooKeeper session");
        let life = ZooKeeperLife::of(&client, self.dialler.clone(), Arc::clone(&self.spare));
        let session = ZooKeeperSession::new(client, &self.dialler.settings);
        Ok(Opened { session: Arc::new(session), life })
    }
}

impl Dialler {
    fn of(settings: &Settings) -> Self {
        Self { settings: Arc::new(settings.clone()), cluster: settings.servers.join(",") }
    }

    /// Tries every server once, in an order of chance.
    async fn dial(&self) -> Result<Client, Fault> {
        let mut connector = Client::connector()
            .with_session_timeout(self.settings.session)
            .with_connection_timeout(self.silence())
            .with_fail_eagerly();
        if let Some(login) = &self.settings.login {
            let secret = format!("{}:{}", login.user, login.password);
            connector = connector.with_auth("digest", secret.as_bytes());
        }
        connector.connect(&self.cluster).await.map_err(fault)
    }

    /// How long a server may be silent before the next is tried: the crate's two fifths of a session, but of several
    /// servers all must have had their turn within the time limit.
    fn silence(&self) -> Duration {
        let usual = self.settings.session.mul_f64(0.4);
        match u32::try_from(self.settings.servers.len()) {
            Ok(count @ 2..) => usual.min((self.settings.timeout / count).max(LEAST_SILENCE)),
            _ => usual,
        }
    }
}

/// Who may do what with the nodes that we make: as Dubbo Java, everything for everyone, or, with a user in the URL, for
/// that user alone.
fn acls(settings: &Settings) -> Acls<'static> {
    if settings.login.is_some() { Acls::creator_all() } else { Acls::anyone_all() }
}

fn fault(error: Error) -> Fault {
    let kind = match error {
        Error::NoHosts | Error::Timeout | Error::ConnectionLoss | Error::Throttled | Error::Custom(_) => {
            FaultKind::Link
        }
        Error::SessionExpired | Error::SessionMoved | Error::ClientClosed => FaultKind::Session,
        Error::AuthFailed => FaultKind::Login,
        _ => FaultKind::Refused,
    };
    let text = match error {
        Error::NoHosts => "no server of the list accepts a connection".to_owned(),
        error => error.to_string(),
    };
    Fault::new(kind, text)
}
