//! What a server has published in registries, and how it is withdrawn.

use std::{net::SocketAddr, sync::Arc};

use getty_registry::{ProviderUrl, Registry, Url, advertised_address};

use super::registry::Services;
use crate::{
    error::{Error, ErrorKind, Result},
    service::{Service, Target},
};

/// The services of a server in one or more registries.
#[derive(Default)]
pub(super) struct Exports(Vec<(Arc<dyn Registry>, Url)>);

impl Exports {
    /// Publishes all services. Must be called only when the server listens.
    pub(super) fn publish(
        registries: &[Arc<dyn Registry>],
        services: &Services,
        application: &str,
        listen: Option<SocketAddr>,
    ) -> Result<Self> {
        if registries.is_empty() {
            return Ok(Self::default());
        }
        let cannot =
            |text: String| Error::not_run(ErrorKind::BadRequest, format!("cannot be registered: {text}"));
        let listen = listen.ok_or_else(|| cannot("the transport has no address".into()))?;
        let address =
            advertised_address(listen).map_err(|error| cannot(error.to_string()).caused_by(error))?;
        let mut exports = Self::default();
        for (target, service) in services.iter() {
            let url = provider_url(&address, target, service.as_ref(), application)
                .map_err(|error| cannot(error.to_string()).caused_by(error))?;
            for registry in registries {
                registry.register(url.clone()).map_err(|error| cannot(error.to_string()).caused_by(error))?;
                exports.0.push((Arc::clone(registry), url.clone()));
            }
        }
        Ok(exports)
    }

    /// Takes everything back, and waits until consumers can no longer find it. What cannot be confirmed is gone with its session.
    pub(super) async fn withdraw(self) {
        // All at once: the calls themselves withdraw, the futures only wait.
        let waits: Vec<_> = self.0.iter().map(|(registry, url)| (url, registry.unregister(url))).collect();
        for (url, wait) in waits {
            if let Err(error) = wait.await {
                tracing::warn!(%url, %error, "not known to be unregistered");
            }
        }
    }
}

fn provider_url(
    address: &getty_registry::Address,
    target: &Target,
    service: &dyn Service,
    application: &str,
) -> std::result::Result<Url, getty_registry::UrlError> {
    let info = service.info();
    let methods = info.methods.iter().map(|method| method.name);
    let offered: Vec<_> = info.serializations.iter().map(|offered| offered.name()).collect();
    ProviderUrl::new(address, &target.interface)
        .application(application)
        .version(target.version.as_str())
        .group(target.group.as_str())
        .methods(methods)
        .serialization(info.serialization().name())
        .parameter("prefer.serialization", offered.join(","))
        .build()
}
