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
    _open: Arc<dyn Registry>,
}

impl Providers {
    pub(crate) fn of(registry: &Arc<dyn Registry>, service: &ServiceInfo) -> Self {
        Self { list: listed::providers(registry, service), _open: Arc::clone(registry) }
    }

    /// Waits until a provider with this port is there.
    pub(crate) async fn has(&mut self, port: u16) {
        self.until(|ports| ports.contains(&port)).await;
    }

    /// Waits until none with this port is there any more.
    pub(crate) async fn has_not(&mut self, port: u16) {
        self.until(|ports| !ports.contains(&port)).await;
    }

    async fn until(&mut self, fits: impl Fn(&[u16]) -> bool) {
        let wait = async {
            let mut known = self.list.current();
            loop {
                let ports = known.iter().flat_map(|all| all.iter().map(|one| one.address().port()));
                if known.is_some() && fits(&ports.collect::<Vec<_>>()) {
                    return;
                }
                known = Some(self.list.next().await.expect("the registry is open").snapshot);
            }
        };
        timeout(PATIENCE, wait).await.expect("the registry says so in time");
    }
}
