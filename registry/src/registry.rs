//! Owns the [`Registry`] trait, what every registry promises, and its state. Knows no server and no list.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::error::{RegisterError, UnregisterError};
use crate::registration::Registration;
use crate::subscription::Subscription;
use crate::target::Target;
use crate::url::Url;

/// A future of a registry, which outlives the call that made it.
pub type Wait<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Who provides what, where.
///
/// What a program says to a registry is a wish, not a command: that a URL be there, that a list be followed. A wish is
/// written down at once and never waits for a server; the registry sees to it in the background, after every break and
/// on a clock, until the wish is withdrawn. There is no limit of tries.
///
/// Dropping the last handle of a registry closes it in the background. Registrations and subscriptions do not keep it
/// open.
pub trait Registry: Send + Sync + fmt::Debug {
    /// Wishes that a URL be in the registry; returns without waiting. The same URL twice is one registration.
    ///
    /// A URL whose `category` is `consumers`, or whose protocol is `consumer`, is listed as a consumer, every other as a
    /// provider.
    ///
    /// # Errors
    /// [`RegisterError`] if the URL can never be registered.
    fn register(&self, url: Url) -> Result<Registration, RegisterError>;

    /// Withdraws a URL. It is withdrawn when this returns; the future only waits until it is confirmed gone, and may be
    /// dropped. After that it never comes back, unless it is registered anew. A URL that is not registered is gone.
    ///
    /// # Errors
    /// The future gives [`UnregisterError`] if the registry does not confirm it within its `timeout`.
    fn unregister(&self, url: &Url) -> Wait<Result<(), UnregisterError>>;

    /// All URLs that are wished for, each with its state, in the order of their text: for a health check or a metric. A provider
    /// that serves its callers while nobody else can find it shows here and nowhere else.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use getty_registry::{Registration, Url, connect};
    ///
    /// let registry = connect(&Url::parse("memory://health")?).await?;
    /// registry.register(Url::parse("dubbo://10.0.0.5:20880/com.x.Greeter")?)?.registered().await?;
    ///
    /// let all = registry.registrations();
    /// let missing = all.iter().filter(|one| !one.is_registered()).count();
    /// println!("{missing} of {} services cannot be found", all.len());
    /// # assert_eq!((missing, all.len()), (0, 1));
    /// # Ok(()) }
    /// ```
    fn registrations(&self) -> Vec<Registration>;

    /// Follows the providers of a service. Dropping the subscription ends it.
    fn subscribe(&self, target: &Target) -> Subscription;

    /// Whether the registry is there, now and whenever it changes.
    fn state(&self) -> watch::Receiver<RegistryState>;

    /// Withdraws all URLs and ends. The future waits until that is done, at most for the registry's `timeout` twice; it
    /// may be dropped. Subscriptions end.
    fn close(&self) -> Wait<()>;
}

/// Whether a registry is there.
///
/// ```text
/// NotYet --> Connected <--> Away
///    |           |           |
///    +-----------+-----------+--> Closed
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistryState {
    /// It was never reached.
    NotYet {
        /// Why the last try failed; `None` before the first has.
        cause: Option<Arc<str>>,
    },
    /// It answers.
    Connected,
    /// It was there and does not answer. The last lists stay in use, what is declared stays declared.
    Away {
        /// Since when.
        since: Instant,
        /// What was seen last.
        cause: Arc<str>,
    },
    /// It was closed by its user.
    Closed,
}

impl RegistryState {
    /// Whether it is [`RegistryState::Connected`].
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self, Self::Connected)
    }
}

impl fmt::Display for RegistryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet { cause: None } => f.write_str("not reached yet"),
            Self::NotYet { cause: Some(cause) } => write!(f, "not reached yet: {cause}"),
            Self::Connected => f.write_str("connected"),
            Self::Away { since, cause } => write!(f, "away for {} s: {cause}", since.elapsed().as_secs()),
            Self::Closed => f.write_str("closed"),
        }
    }
}
