//! Owns the errors of registries, one enum for each operation. Must never hold a password: registries are named by the
//! masked form of their URL.

use std::sync::Arc;
use std::time::Duration;

use crate::fixed::FixedListError;
use crate::url::{ParameterError, UrlError};

/// Why [`connect`](crate::connect) gives no registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No registry has this protocol.
    #[error(
        "expected a registry of protocol zookeeper, etcd, memory or dubbo (a fixed list), found `{protocol}`"
    )]
    UnknownProtocol {
        /// The protocol of the URL.
        protocol: String,
    },
    /// The registry is not compiled in.
    #[error("`{protocol}` needs the cargo feature `{feature}` of getty-registry, which is not enabled")]
    FeatureMissing {
        /// The protocol of the URL.
        protocol: String,
        /// The feature to enable.
        feature: &'static str,
    },
    /// It did not answer in time. With `check=false` it would be waited for in the background.
    #[error(
        "cannot reach the registry {registry} within {} ms: {cause}; add check=false to its URL to start without it",
        waited.as_millis()
    )]
    Unreachable {
        /// Its URL, masked.
        registry: String,
        /// The `timeout` of its URL.
        waited: Duration,
        /// What the last try ended in.
        cause: Arc<str>,
    },
    /// It refuses the user name or the password.
    #[error("the registry {registry} refuses the user name or the password: {cause}")]
    Login {
        /// Its URL, masked.
        registry: String,
        /// What it said.
        cause: Arc<str>,
    },
    /// A parameter of the URL is wrong.
    #[error("{0}")]
    Parameter(#[from] ParameterError),
    /// A host in `backup` is wrong.
    #[error("parameter `backup`: {0}")]
    Backup(UrlError),
    /// The fixed list is wrong.
    #[error("{0}")]
    FixedList(#[from] FixedListError),
}

/// Why a URL can never be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// It names no service.
    #[error("expected a URL with an interface, as its path or its parameter `interface`")]
    NoInterface,
    /// A fixed list is written by a person.
    #[error(
        "a fixed list of providers takes no registrations; add the provider to the list where it is written"
    )]
    FixedList,
    /// Over [`MAX_REGISTRATIONS`](crate::MAX_REGISTRATIONS).
    #[error("expected at most {} registrations in one registry, found more", crate::MAX_REGISTRATIONS)]
    TooMany,
    /// The registry was closed.
    #[error("the registry is closed; connect to it anew")]
    Closed,
}

/// Why an unregistered URL is not known to be gone. It is withdrawn all the same: it is removed when the registry is back,
/// and it goes at the latest with the session or lease that holds it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnregisterError {
    /// No answer in time.
    #[error(
        "the registry did not confirm within {} ms that the URL is gone: {cause}; it is withdrawn and goes as soon as the \
         registry is back",
        waited.as_millis()
    )]
    NotConfirmed {
        /// The `timeout` of the registry's URL.
        waited: Duration,
        /// What was seen last.
        cause: Arc<str>,
    },
}
