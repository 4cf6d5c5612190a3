//! Who provides what, where: Dubbo URLs, registries, and the lists of providers that they give. Knows no transport: it
//! dials no provider and resolves no name of one.
//!
//! | module | owns |
//! |---|---|
//! | [`url`] | [`Url`], its text form and its form as a name of a registry node |
//! | [`address`] | [`Address`], a host and a port, the host as it was written |
//! | [`fixed`] | [`FixedList`], providers that a user writes down, so that no registry has to run |
//! | [`export`] | [`ProviderUrl`] and [`advertised_address`], what a provider registers |
//!
//! [`connect`] opens a [`Registry`]. A provider hands it a URL, a consumer a [`Target`]:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use getty_registry::{Address, ProviderUrl, Target, connect, registry_url};
//!
//! let registry = connect(&registry_url("memory://doc")?).await?;
//!
//! let address = Address::new("10.0.0.5", 20880)?;
//! let url = ProviderUrl::new(&address, "com.x.Greeter").version("1.0.0").methods(["greet"]).build()?;
//! registry.register(url.clone())?.registered().await?;
//!
//! let mut providers = registry.subscribe(&Target::new("com.x.Greeter").version("1.0.0"));
//! while let Some(update) = providers.next().await {
//!     println!("{} providers, {} new, {} gone", update.snapshot.len(), update.added.len(), update.removed.len());
//!     registry.close().await;
//! }
//! # Ok(()) }
//! ```
//!
//! # Features
//!
//! | feature | brings | needs to build |
//! |---|---|---|
//! | `zookeeper` | `zookeeper://`, by the crate `zookeeper-client` | |
//! | `etcd` | `etcd://`, by the crate `etcd-client` | `protoc` and Google's common `.proto` files: on Debian the packages `protobuf-compiler` and `libprotobuf-dev` |

#![forbid(unsafe_code)]

pub mod address;
mod backoff;
mod connect;
mod error;
#[cfg(feature = "etcd")]
mod etcd;
pub mod export;
pub mod fixed;
mod keeper;
#[cfg_attr(
    not(any(feature = "zookeeper", feature = "etcd")),
    allow(dead_code, reason = "what only servers need is not used without a backend")
)]
mod layout;
mod listing;
mod memory;
mod provider;
mod race;
mod registration;
mod registry;
#[cfg_attr(
    not(any(feature = "zookeeper", feature = "etcd")),
    allow(dead_code, reason = "what only servers need is not used without a backend")
)]
mod settings;
mod subscription;
mod target;
pub mod url;
#[cfg(feature = "zookeeper")]
mod zookeeper;

pub use crate::address::Address;
pub use crate::connect::{connect, registry_url};
pub use crate::error::{RegisterError, RegistryError, UnregisterError};
pub use crate::export::{AdvertiseError, ProviderUrl, advertised_address};
pub use crate::fixed::{FixedList, FixedListError, FixedRegistry};
pub use crate::listing::{MAX_ENTRIES_OF_A_SERVICE, Publisher};
pub use crate::provider::{DEFAULT_WEIGHT, Provider};
pub use crate::registration::{Registration, RegistrationEnded, RegistrationState};
pub use crate::registry::{Registry, RegistryState, Wait};
pub use crate::subscription::{Skipped, Subscription, Update};
pub use crate::target::{Mismatch, Target};
pub use crate::url::{ParameterError, Part, Url, UrlBuilder, UrlError};

/// Most URLs that one registry handle keeps registered.
pub const MAX_REGISTRATIONS: usize = 10_000;
