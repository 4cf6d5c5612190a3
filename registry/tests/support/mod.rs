//! What the tests of registries share. Each test file uses its part.

#![allow(dead_code, unused_imports, unused_macros, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

pub(crate) mod contract;
pub(crate) mod faults;
pub(crate) mod names;
pub(crate) mod proxy;
pub(crate) mod servers;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use getty_registry::{
    Address, ProviderUrl, Registry, Subscription, Target, Update, Url, connect, registry_url,
};

/// Longest wait for anything: a test that waits longer has failed. No test is quicker or slower for it.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Waits for a future, at most [`LIMIT`].
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what}: not within {LIMIT:?}"),
    }
}

/// Looks again and again until something holds, at most [`LIMIT`].
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    within(what, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

/// A registry to test: where it is, and the parameters that every connection to it has.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// `zookeeper://127.0.0.1:2181`
    pub(crate) at: String,
    /// `session=2s&audit=300ms`
    pub(crate) parameters: String,
}

impl Place {
    pub(crate) fn new(at: impl Into<String>, parameters: impl Into<String>) -> Self {
        Self { at: at.into(), parameters: parameters.into() }
    }

    pub(crate) fn url(&self, more: &str) -> Url {
        registry_url(&format!("{}?{}&{more}", self.at, self.parameters)).expect("a registry's URL")
    }

    pub(crate) async fn connect(&self) -> Arc<dyn Registry> {
        self.connect_with("").await
    }

    pub(crate) async fn connect_with(&self, more: &str) -> Arc<dyn Registry> {
        within("connect", connect(&self.url(more))).await.expect("a registry")
    }
}

/// An interface that no other test has.
pub(crate) fn interface() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("com.x.Greeter{}x{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn provider(interface: &str, port: u16) -> Url {
    ProviderUrl::new(&Address::new("10.0.0.5", port).unwrap(), interface).methods(["greet"]).build().unwrap()
}

/// The next update.
pub(crate) async fn next(subscription: &mut Subscription) -> Update {
    within("an update", subscription.next()).await.expect("an open registry")
}

/// Takes updates until the list has exactly these ports, and gives the last one.
pub(crate) async fn ports(subscription: &mut Subscription, expected: &[u16]) -> Update {
    within(&format!("a list of {expected:?}"), async {
        loop {
            let update = next(subscription).await;
            if ports_of(&update) == expected {
                return update;
            }
        }
    })
    .await
}

pub(crate) fn ports_of(update: &Update) -> Vec<u16> {
    update.snapshot.iter().map(|provider| provider.address().port()).collect()
}

/// Registers and waits until it is there.
pub(crate) async fn register(registry: &Arc<dyn Registry>, url: &Url) -> getty_registry::Registration {
    let mut registration = registry.register(url.clone()).expect("a registration");
    within("registered", registration.registered()).await.expect("registered");
    registration
}

pub(crate) fn subscribe(registry: &Arc<dyn Registry>, interface: &str) -> Subscription {
    registry.subscribe(&Target::new(interface))
}
