//! Running registries, and what they say of a service. `scripts/registry-servers run COMMAND` starts them and names them in
//! `GETTY_ZOOKEEPER` and `GETTY_ETCD`.

use std::sync::Arc;

use getty_examples::listed;
use getty_rpc::{
    ServiceInfo,
    registry::{Registry, Subscription},
};
use tokio::time::timeout;

use super::PATIENCE;

/// `zookeeper://host:port` with a root of the test's own, so that tests do not see each other's providers. A provider that
/// is killed stays in it for three seconds.
pub(crate) fn zookeeper(root: &str) -> String {
    format!("zookeeper://{}?session=3s&group={root}", address("GETTY_ZOOKEEPER"))
}

/// `etcd://host:port` with a root of the test's own.
pub(crate) fn etcd(root: &str) -> String {
    format!("etcd://{}?group={root}", address("GETTY_ETCD"))
}

/// The address of a registry that runs beside the tests.
fn address(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} names a running server; scripts/registry-servers starts one"))
}

/// The list of a service's providers, as a registry changes it.
pub(crate) struct Providers {
    list: Subscription,
    /// The ports of the last update, and whether it was stale.
    known: Option<(Vec<u16>, bool)>,
    _open: Arc<dyn Registry>,
}

impl Providers {
    pub(crate) fn of(registry: &Arc<dyn Registry>, service: &ServiceInfo) -> Self {
        Self { list: listed::providers(registry, service), known: None, _open: Arc::clone(registry) }
    }

    /// Waits until a provider with this port is there.
    pub(crate) async fn has(&mut self, port: u16) {
        self.until(|ports| ports.contains(&port)).await;
    }

    /// Waits until none with this port is there any more.
    pub(crate) async fn has_not(&mut self, port: u16) {
        self.until(|ports| !ports.contains(&port)).await;
    }

    /// Waits until none with this port is there any more, or the registry says that there is nobody at all.
    pub(crate) async fn has_not_or_is_stale(&mut self, port: u16) {
        self.until_update(|ports, stale| stale || !ports.contains(&port)).await;
    }

    async fn until(&mut self, fits: impl Fn(&[u16]) -> bool) {
        self.until_update(|ports, _| fits(ports)).await;
    }

    async fn until_update(&mut self, fits: impl Fn(&[u16], bool) -> bool) {
        let wait = async {
            loop {
                if let Some((ports, stale)) = &self.known
                    && fits(ports, *stale)
                {
                    return;
                }
                let update = self.list.next().await.expect("the registry is open");
                let ports = update.snapshot.iter().map(|one| one.address().port()).collect();
                self.known = Some((ports, update.stale));
            }
        };
        timeout(PATIENCE, wait).await.expect("the registry says so in time");
    }
}
