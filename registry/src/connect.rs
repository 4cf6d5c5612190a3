//! Owns the way from a URL to a registry. Knows no registry beyond its protocol and the cargo feature that it needs.

use std::sync::Arc;
use std::time::Duration;

use crate::address::split_host_port;
use crate::error::RegistryError;
use crate::fixed::{FixedList, FixedRegistry};
use crate::keeper;
use crate::memory::Memory;
use crate::registry::Registry;
use crate::settings::Settings;
use crate::url::{Split, Url, UrlError};

/// Opens the registry that a URL names. Needs a tokio runtime with time enabled.
///
/// | URL | registry | cargo feature |
/// |---|---|---|
/// | `zookeeper://h:2181?backup=h2:2181,h3:2181` | ZooKeeper, Dubbo's interface-level nodes | `zookeeper` |
/// | `etcd://h:2379`, `etcd3://h:2379` | etcd v3, the same layout | `etcd` |
/// | `memory://name` | inside this process, shared by name | always there |
/// | `dubbo://h:20880?backup=h2:20880`, `tri://...` | a fixed list | always there |
///
/// | parameter | meaning | default |
/// |---|---|---|
/// | `check` | `true`: a registry that cannot be reached is an error. `false`: it is waited for in the background | `true` |
/// | `timeout` | longest wait for an answer; also of `connect`, of an unregistration and, twice, of `close` | 5 s |
/// | `session` | ZooKeeper's session timeout, etcd's lease: how long what is registered outlives its process | 15 s, 30 s |
/// | `group` | the root node | `dubbo` |
/// | `audit` | how often all that is declared is compared with the registry; at most 50 s | 30 s |
/// | `empty-grace` | how long the last list is kept when the registry says that there is no provider; 0: not at all | 60 s |
///
/// Times are milliseconds, or have a unit: `5000`, `500ms`, `5s`, `1m`. User and password of the URL are those of the
/// registry; with them ZooKeeper's nodes are readable for that user only, as Dubbo Java makes them.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use getty_registry::{Target, Url, connect};
///
/// let registry = connect(&Url::parse("memory://tour")?).await?;
/// let mut registration = registry.register(Url::parse("dubbo://10.0.0.5:20880/com.x.Greeter")?)?;
/// registration.registered().await?;
///
/// let mut providers = registry.subscribe(&Target::new("com.x.Greeter"));
/// let update = providers.next().await.ok_or("closed")?;
/// assert_eq!(update.snapshot[0].address().to_string(), "10.0.0.5:20880");
/// # Ok(()) }
/// ```
///
/// Dropping the future while it waits opens nothing.
///
/// # Errors
/// [`RegistryError`].
pub async fn connect(url: &Url) -> Result<Arc<dyn Registry>, RegistryError> {
    match url.protocol() {
        "memory" => {
            let settings = Settings::of(url, 0, Duration::ZERO)?;
            let memory = Memory::of(url.host(), &settings.root);
            keeper::start(settings, memory).await
        }
        "zookeeper" => zookeeper(url).await,
        "etcd" | "etcd3" => etcd(url).await,
        "dubbo" | "tri" => Ok(Arc::new(FixedRegistry::new(fixed_list(url)?))),
        protocol => Err(RegistryError::UnknownProtocol { protocol: protocol.to_owned() }),
    }
}

/// Reads the URL of a registry as a person writes it: as [`Url::parse`], and several servers may stand between commas,
/// `zookeeper://h1:2181,h2:2181`, as well as in `backup`.
///
/// # Errors
/// [`UrlError`].
pub fn registry_url(text: &str) -> Result<Url, UrlError> {
    let split = Split::text(text)?;
    let (first, others) = split.hosts.split_once(',').unwrap_or((split.hosts, ""));
    let url = split.with_host(first.trim())?;
    if others.is_empty() {
        return Ok(url);
    }
    let backup = match url.parameter("backup") {
        Some(more) if !more.is_empty() => format!("{others},{more}"),
        _ => others.to_owned(),
    };
    url.to_builder().parameter("backup", backup).build()
}

fn fixed_list(url: &Url) -> Result<FixedList, RegistryError> {
    let backup = url.parameter("backup").unwrap_or_default();
    // What is left are parameters of the providers.
    let provider = |host: &str, port: Option<u16>| {
        let builder = url.to_builder().host(host).without_parameter("backup").without_parameter("check");
        port.map_or_else(|| Err(UrlError::NoPort), |port| builder.port(port).build())
    };
    let mut urls = vec![provider(url.host(), url.port()).map_err(RegistryError::Backup)?];
    for other in backup.split(',').map(str::trim).filter(|other| !other.is_empty()) {
        let (host, port) = split_host_port(other).map_err(RegistryError::Backup)?;
        urls.push(provider(&host, port).map_err(RegistryError::Backup)?);
    }
    Ok(FixedList::from_urls(urls)?)
}

#[cfg(feature = "zookeeper")]
async fn zookeeper(url: &Url) -> Result<Arc<dyn Registry>, RegistryError> {
    crate::zookeeper::connect(url).await
}

#[cfg(not(feature = "zookeeper"))]
async fn zookeeper(url: &Url) -> Result<Arc<dyn Registry>, RegistryError> {
    Err(RegistryError::FeatureMissing { protocol: url.protocol().to_owned(), feature: "zookeeper" })
}

#[cfg(feature = "etcd")]
async fn etcd(url: &Url) -> Result<Arc<dyn Registry>, RegistryError> {
    crate::etcd::connect(url).await
}

#[cfg(not(feature = "etcd"))]
async fn etcd(url: &Url) -> Result<Arc<dyn Registry>, RegistryError> {
    Err(RegistryError::FeatureMissing { protocol: url.protocol().to_owned(), feature: "etcd" })
}
