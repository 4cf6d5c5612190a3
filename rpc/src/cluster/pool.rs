//! The connections to one provider address, shared by all services that it provides.

use std::{fmt, sync::Arc};

use getty::{Backoff, ClientBuilder, Session};

use crate::{
    error::{Error, ErrorKind, Result},
    exchange::{Channel, ClientListener, ClientProtocol, ClientShared},
    observing::Observing,
};

/// How pools are made.
#[derive(Debug, Clone)]
pub(crate) struct PoolSettings {
    pub(crate) connections: usize,
    pub(crate) backoff: Backoff,
    pub(crate) observing: Observing,
    pub(crate) shared: Arc<ClientShared>,
}

impl PoolSettings {
    pub(crate) fn builder(&self) -> ClientBuilder<ClientProtocol> {
        let builder = ClientBuilder::new(ClientProtocol(Arc::clone(&self.shared)), ClientListener);
        self.observing.of_client(builder).connections(self.connections).backoff(self.backoff)
    }
}

/// Sessions to one address. When the last invoker has let go of it, it dials no more, its calls in flight finish, and then its
/// sessions close.
pub(crate) struct Pool {
    address: String,
    client: getty::Client<ClientProtocol>,
}

impl Pool {
    /// Nothing is dialled before the first call.
    pub(crate) fn tcp(address: String, settings: &PoolSettings) -> Self {
        let client = settings.builder().tcp(address.clone());
        Self { address, client }
    }

    /// Over connections that the caller has a way to make.
    pub(crate) fn over(address: String, client: getty::Client<ClientProtocol>) -> Self {
        Self { address, client }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Waits until all its connections stand.
    pub(crate) async fn connect(&self) -> Result<()> {
        self.client.connect().await.map_err(unreachable)
    }

    /// Ends all connections, those on which calls wait at once, and waits for their end.
    pub(crate) async fn close(&self) {
        for session in self.client.sessions() {
            Channel::close(&session);
        }
        self.client.close().await;
    }

    /// Not while it is connected to a provider that is shutting down: another connection would lead to the same.
    pub(crate) fn is_available(&self) -> bool {
        self.client.any(Self::is_usable) || (!self.client.any(|_| true) && self.client.is_worthwhile())
    }

    pub(crate) fn try_session(&self) -> Option<Session<ClientProtocol>> {
        self.client.pick(Self::is_usable)
    }

    fn is_usable(session: &Session<ClientProtocol>) -> bool {
        session.state().is_usable()
    }

    pub(crate) async fn session(&self) -> Result<Session<ClientProtocol>> {
        match self.client.session().await {
            Ok(session) if Self::is_usable(&session) => Ok(session),
            Ok(session) => {
                let text = format!("the provider at {} is shutting down", session.info());
                Err(Error::not_run(ErrorKind::Connect, text))
            }
            Err(error) => Err(unreachable(error)),
        }
    }
}

fn unreachable(error: getty::SessionError) -> Error {
    let kind = match error {
        getty::SessionError::Closed => ErrorKind::Closed,
        _ => ErrorKind::Connect,
    };
    Error::not_run(kind, error.to_string()).caused_by(error)
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.client.leave();
        for session in self.client.sessions() {
            Channel::close_when_done(&session);
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.address).finish()
    }
}
