//! Owns [`FixedRegistry`], a fixed list in the place of a registry. Must never change the list: whoever wrote it does.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::FixedList;
use crate::error::{RegisterError, UnregisterError};
use crate::listing::Publisher;
use crate::registration::Registration;
use crate::registry::{Registry, RegistryState, Wait};
use crate::subscription::Subscription;
use crate::target::Target;
use crate::url::Url;

/// A [`FixedList`] as a [`Registry`]: it can be subscribed to and nothing else.
///
/// An entry that names no interface, version or group serves whichever is asked for; one that names them must match.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use getty_registry::{FixedList, FixedRegistry, Registry, Target};
///
/// let registry = FixedRegistry::new(FixedList::parse("10.0.0.5:20880,10.0.0.6:20880")?);
/// let mut providers = registry.subscribe(&Target::new("com.x.Greeter").version("1.0.0"));
/// assert_eq!(providers.next().await.ok_or("closed")?.snapshot.len(), 2);
/// # Ok(()) }
/// ```
pub struct FixedRegistry {
    list: FixedList,
    state: watch::Sender<RegistryState>,
    /// Holds the lists of the subscriptions until the end.
    lists: Mutex<Vec<Publisher>>,
}

impl FixedRegistry {
    /// A registry of a list.
    #[must_use]
    pub fn new(list: FixedList) -> Self {
        Self { list, state: watch::Sender::new(RegistryState::Connected), lists: Mutex::default() }
    }
}

impl Registry for FixedRegistry {
    fn register(&self, _: Url) -> Result<Registration, RegisterError> {
        Err(RegisterError::FixedList)
    }

    fn unregister(&self, _: &Url) -> Wait<Result<(), UnregisterError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn registrations(&self) -> Vec<Registration> {
        Vec::new()
    }

    fn subscribe(&self, target: &Target) -> Subscription {
        let list = Publisher::new();
        let subscription = list.subscribe(target.clone(), Duration::ZERO);
        list.publish(self.list.urls().iter().map(|url| completed(url, target)));
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*self.state.borrow(), RegistryState::Closed) {
            lists.retain(Publisher::is_wanted);
            lists.push(list);
        }
        subscription
    }

    fn state(&self) -> watch::Receiver<RegistryState> {
        self.state.subscribe()
    }

    fn close(&self) -> Wait<()> {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        self.state.send_replace(RegistryState::Closed);
        lists.clear();
        Box::pin(std::future::ready(()))
    }
}

impl fmt::Debug for FixedRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FixedRegistry").field("list", &self.list).finish_non_exhaustive()
    }
}

/// An entry with what it leaves open taken from the target. One that would become too long stays as it is, and does not
/// match.
fn completed(url: &Url, target: &Target) -> Url {
    let mut builder = url.to_builder();
    if url.interface().is_none() {
        builder = builder.path(target.interface());
    }
    for (name, value) in [("version", target.single_version()), ("group", target.single_group())] {
        if let Some(value) = value.filter(|_| url.parameter(name).is_none_or(str::is_empty)) {
            builder = builder.parameter(name, value);
        }
    }
    builder.build().unwrap_or_else(|_| url.clone())
}
