//! Owns what can be chosen beside peer, mode and load: the addresses, the serialization, and the registry between client
//! and server. Refuses what makes no sense together; whether a peer has a choice at all is for the peer to say.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use thiserror::Error;

/// What the URL of a registry inside one process begins with.
const MEMORY: &str = "memory:";

/// How peer getty writes the message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Serialization {
    /// Hessian 2, Dubbo's default.
    #[default]
    Hessian2,
    /// Protobuf, as tonic writes it too.
    Protobuf,
}

/// Where and how client and server meet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Setup {
    /// Where the server listens. None: the registry knows.
    pub(crate) addrs: Vec<SocketAddr>,
    /// `None`: the peer's usual one.
    pub(crate) serialization: Option<Serialization>,
    /// The URL of a registry that both ask.
    pub(crate) registry: Option<String>,
}

/// Addresses and registry do not fit together.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum SetupError {
    /// A server in a registry that no other process sees.
    #[error(
        "no other process finds a server in {0}; start it without --registry, and let the client register its address: \
         client -s ADDR --registry {0}"
    )]
    NobodySees(String),
    /// A client of such a registry that knows no address to register.
    #[error(
        "{0} is empty, as it is in this process alone; say with -s where the server listens, and it is registered there"
    )]
    Empty(String),
    /// Two answers to the same question.
    #[error("the server's address is what {0} is asked for; leave -s away")]
    Both(String),
}

impl Setup {
    /// The server registers its address where the client can find it.
    pub(crate) fn check_server(&self) -> Result<(), SetupError> {
        match &self.registry {
            Some(url) if is_memory(url) => Err(SetupError::NobodySees(url.clone())),
            _ => Ok(()),
        }
    }

    /// The client has exactly one way to find the server.
    pub(crate) fn check_client(&self) -> Result<(), SetupError> {
        match &self.registry {
            Some(url) if is_memory(url) && self.addrs.is_empty() => Err(SetupError::Empty(url.clone())),
            Some(url) if !is_memory(url) && !self.addrs.is_empty() => Err(SetupError::Both(url.clone())),
            _ => Ok(()),
        }
    }
}

fn is_memory(url: &str) -> bool {
    url.starts_with(MEMORY)
}

/// Several addresses as the command line spells them.
pub(crate) fn list(addrs: &[SocketAddr]) -> String {
    addrs.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(",")
}

impl fmt::Display for Serialization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hessian2 => "hessian2",
            Self::Protobuf => "protobuf",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(addrs: &[&str], registry: Option<&str>) -> Setup {
        let addrs = addrs.iter().map(|addr| addr.parse().unwrap()).collect();
        Setup { addrs, registry: registry.map(str::to_owned), ..Setup::default() }
    }

    #[test]
    fn a_registry_in_memory_is_filled_by_the_client_and_every_other_by_the_server() {
        let (memory, zookeeper) = ("memory://it", "zookeeper://127.0.0.1:2181");
        let here = ["127.0.0.1:1"];
        assert_eq!(setup(&here, None).check_client(), Ok(()));
        assert_eq!(setup(&here, Some(memory)).check_client(), Ok(()));
        assert_eq!(setup(&[], Some(zookeeper)).check_client(), Ok(()));
        assert_eq!(setup(&[], Some(memory)).check_client(), Err(SetupError::Empty(memory.into())));
        assert_eq!(setup(&here, Some(zookeeper)).check_client(), Err(SetupError::Both(zookeeper.into())));
        assert_eq!(setup(&here, Some(zookeeper)).check_server(), Ok(()));
        assert_eq!(setup(&here, Some(memory)).check_server(), Err(SetupError::NobodySees(memory.into())));
    }
}
