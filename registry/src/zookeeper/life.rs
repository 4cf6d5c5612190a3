//! Owns the watch over one ZooKeeper session, and the second session that is opened while the first is disconnected. Must
//! never hold a client of the first, or it would not end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use zookeeper_client::{Client, SessionState, StateWatcher};

use super::Dialler;
use crate::backoff::Backoff;
use crate::keeper::backend::{Fault, FaultKind, Life, News};
use crate::race::{Either, race};

/// How long a session may be disconnected before a second one is tried.
const PATIENCE: Duration = Duration::from_secs(1);

pub(crate) struct ZooKeeperLife {
    state: StateWatcher,
    /// The state that the keeper knows.
    told: SessionState,
    dialler: Dialler,
    spare: Arc<Mutex<Option<Client>>>,
}

impl ZooKeeperLife {
    pub(super) fn of(client: &Client, dialler: Dialler, spare: Arc<Mutex<Option<Client>>>) -> Self {
        Self { state: client.state_watcher(), told: SessionState::SyncConnected, dialler, spare }
    }

    /// Opens a second session. The crate doubles the pause between the tries of the first without a limit, so it may sleep
    /// until the session has expired although the server is back.
    async fn second(dialler: &Dialler) -> Client {
        sleep(PATIENCE).await;
        let mut backoff = Backoff::default();
        loop {
            match timeout(dialler.settings.timeout, dialler.dial()).await {
                Ok(Ok(client)) => return client,
                Ok(Err(fault)) => tracing::debug!(%fault, "no second ZooKeeper session yet"),
                Err(_) => tracing::debug!("no second ZooKeeper session yet: no answer"),
            }
            sleep(backoff.next()).await;
        }
    }
}

impl Life for ZooKeeperLife {
    async fn news(&mut self) -> News {
        // A new watcher takes the state of now for seen, so it is looked at first.
        let now = self.state.peek_state();
        self.told = match self.told {
            told if told != now => now,
            SessionState::Disconnected => match race(self.state.changed(), Self::second(&self.dialler)).await
            {
                Either::Left(state) => state,
                Either::Right(client) if self.state.peek_state() == SessionState::Disconnected => {
                    *self.spare.lock().unwrap_or_else(PoisonError::into_inner) = Some(client);
                    return News::Lost(Fault::link("disconnected; a new session takes its place"));
                }
                // The first was quicker after all.
                Either::Right(_) => self.state.peek_state(),
            },
            _ => self.state.changed().await,
        };
        match self.told {
            SessionState::Disconnected => News::Away(Fault::link("the connection to the server is lost")),
            SessionState::SyncConnected | SessionState::ConnectedReadOnly => News::Back,
            SessionState::Expired => News::Lost(Fault::new(FaultKind::Session, "the session has expired")),
            SessionState::AuthFailed => {
                News::Lost(Fault::new(FaultKind::Login, "the server refuses the user or the password"))
            }
            SessionState::Closed => News::Lost(Fault::new(FaultKind::Session, "the session was closed")),
        }
    }
}
