//! Owns [`Registration`], the view that a user has of one URL which he wished to be in a registry. Must never withdraw the
//! wish: that is [`Registry::unregister`](crate::Registry::unregister)'s.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use crate::url::Url;

/// A URL that was handed to a registry. Clones are the same registration. Dropping it does not unregister.
#[derive(Clone)]
pub struct Registration {
    url: Arc<Url>,
    state: watch::Receiver<RegistrationState>,
}

/// Whether a URL is in the registry.
///
/// ```text
/// Waiting --> Registered <--> Uncertain
///    |            |               |
///    +------------+---------------+--> Unregistered
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistrationState {
    /// It was never there.
    Waiting {
        /// Why the last try failed; `None` before the first has.
        cause: Option<Arc<str>>,
    },
    /// It is there: the registry said so, at the last look.
    Registered,
    /// It was there, and may be gone: the registry is away or refuses it.
    Uncertain {
        /// What was seen last.
        cause: Arc<str>,
    },
    /// It was withdrawn, or its registry closed.
    Unregistered,
}

/// The URL was withdrawn, or its registry closed, before it was registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected the URL to be registered, but it was unregistered or its registry closed")]
#[non_exhaustive]
pub struct RegistrationEnded;

impl Registration {
    /// A registration whose state the holder of the sender decides: for a [`Registry`](crate::Registry) of your own.
    #[must_use]
    pub fn channel(url: Url) -> (watch::Sender<RegistrationState>, Self) {
        let (sender, state) = watch::channel(RegistrationState::Waiting { cause: None });
        (sender, Self { url: Arc::new(url), state })
    }

    /// The URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Waits until the URL is in the registry. Cancel-safe. There is no time limit: put one around it.
    ///
    /// # Errors
    /// [`RegistrationEnded`] if it was unregistered or the registry closed.
    pub async fn registered(&mut self) -> Result<(), RegistrationEnded> {
        let decided = |state: &RegistrationState| {
            matches!(state, RegistrationState::Registered | RegistrationState::Unregistered)
        };
        match self.state.wait_for(decided).await.as_deref() {
            Ok(RegistrationState::Registered) => Ok(()),
            _ => Err(RegistrationEnded),
        }
    }

    /// Whether it is [`RegistrationState::Registered`].
    #[must_use]
    pub fn is_registered(&self) -> bool {
        matches!(*self.state.borrow(), RegistrationState::Registered)
    }

    /// Whether it is there, and why not.
    #[must_use]
    pub fn state(&self) -> RegistrationState {
        self.state.borrow().clone()
    }

    /// The state, now and whenever it changes: for a health check or a metric.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<RegistrationState> {
        self.state.clone()
    }

    pub(crate) fn of(url: Arc<Url>, state: watch::Receiver<RegistrationState>) -> Self {
        Self { url, state }
    }
}

/// The URL without its secrets, and the state.
impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("url", &self.url).field("state", &*self.state.borrow()).finish()
    }
}
