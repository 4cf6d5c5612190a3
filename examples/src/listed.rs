//! What programs ask a registry for beside their calls: to be opened, and whether a service is in it.

use std::{net::SocketAddr, sync::Arc};

use getty_rpc::{
    ServiceInfo,
    registry::{self, Registry, Subscription, Target},
};

/// Any error, for a `main` that prints it.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Opens the registry that a URL names, to be shared by server, client and subscriptions.
///
/// # Errors
/// When the text is no such URL, its feature is missing, or nothing answers there.
pub async fn open(url: &str) -> Result<Arc<dyn Registry>, Failure> {
    let open = async { Ok::<_, Failure>(registry::connect(&registry::registry_url(url)?).await?) };
    open.await.map_err(|error| format!("--registry {url}: {error}").into())
}

/// Follows the providers of a service.
pub fn providers(registry: &Arc<dyn Registry>, service: &ServiceInfo) -> Subscription {
    let target = Target::new(service.interface).version(service.version).group(service.group);
    registry.subscribe(&target)
}

/// Waits until consumers can find the service of a server that listens here.
///
/// # Errors
/// When it has no address that could be registered.
pub async fn listed(
    registry: &Arc<dyn Registry>,
    service: &ServiceInfo,
    listen: SocketAddr,
) -> Result<(), Failure> {
    let own = registry::advertised_address(listen)?;
    let mut providers = providers(registry, service);
    while let Some(update) = providers.next().await {
        if update.snapshot.iter().any(|provider| *provider.address() == own) {
            return Ok(());
        }
    }
    Err("the registry was closed".into())
}
