//! Owns the list of peers and the way from a peer and a mode to its code. A peer is one file with two functions,
//! `serve` and `load`, and its lines here; a peer knows nothing of processes, rounds and reports. A peer in another language
//! has a program in the place of `serve`.

mod getty;
mod getty_go;
mod tarpc;
mod tokio_echo;
mod tokio_idle;
mod tonic;

use crate::latency::Measurement;
use crate::load::{BoxError, LoadError, Shape};
use crate::setup::{self, Serialization, Setup, SetupError};
use crate::window::Budget;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use thiserror::Error;
use tokio::task::JoinHandle;

/// A framework to be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Peer {
    /// This project.
    Getty,
    /// A bare tokio loop: the ceiling of mode echo, and the floor of mode idle.
    Tokio,
    /// Go's getty, a program of its own, with the bare tokio loop as the client.
    #[serde(rename = "getty-go")]
    GettyGo,
    /// tarpc, bincode over TCP.
    Tarpc,
    /// tonic, protobuf over HTTP/2.
    Tonic,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Calls of `say` with the benchmark message.
    Rpc,
    /// Frames of 600 bytes, or of as many as are asked for, echoed without coding.
    Echo,
    /// The same by servers that are to hold as little as they can while nothing comes.
    Idle,
    /// A new connection with TLS for each frame, again and again.
    Handshake,
}

/// A peer cannot be run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum PeerError {
    /// The peer has no such mode.
    #[error("peer {peer} has no mode {mode}; it has: {}", list(peer.modes()))]
    NoSuchMode { peer: Peer, mode: Mode },
    /// The peer writes the message in one way only.
    #[error("peer {peer} has no choice of serialization in mode {mode}; leave --serialization away")]
    NoSuchChoice { peer: Peer, mode: Mode },
    /// The peer finds its server by no registry.
    #[error("peer {peer} knows no registries in mode {mode}; use -s instead of --registry")]
    NoRegistry { peer: Peer, mode: Mode },
    /// The peer knows of one server only.
    #[error("peer {peer} takes one address in mode {mode}, expected it after -s, got {got}")]
    OneAddress { peer: Peer, mode: Mode, got: usize },
    /// Addresses and registry.
    #[error("the options do not fit together")]
    Setup(#[from] SetupError),
    /// Its server is not part of this program.
    #[error("peer {peer} serves by a program of its own; start what {} names", getty_go::PROGRAM)]
    OtherProgram { peer: Peer },
    /// The server could not listen.
    #[error("peer {peer} cannot serve on {}", setup::list(addrs))]
    Listen {
        peer: Peer,
        addrs: Vec<SocketAddr>,
        #[source]
        source: BoxError,
    },
    /// The client gave no result.
    #[error("peer {peer} gave no result")]
    Load {
        peer: Peer,
        #[source]
        source: LoadError,
    },
}

/// A server that listens. It serves until the process ends.
#[derive(Debug)]
pub(crate) struct Serving {
    /// Where it listens, the ports filled in.
    pub(crate) addrs: Vec<SocketAddr>,
    /// Ends only if the server fails.
    pub(crate) failure: JoinHandle<Result<Infallible, BoxError>>,
}

impl Serving {
    /// Runs `accept` as a task, so that connections are accepted by the workers and not by the main thread.
    fn spawn(
        addr: SocketAddr,
        accept: impl Future<Output = Result<Infallible, BoxError>> + Send + 'static,
    ) -> Self {
        Self { addrs: vec![addr], failure: tokio::spawn(accept) }
    }
}

impl Peer {
    /// The modes in which this peer can be measured.
    pub(crate) fn modes(self) -> &'static [Mode] {
        match self {
            Self::Getty => &[Mode::Rpc, Mode::Echo, Mode::Idle, Mode::Handshake],
            Self::Tokio | Self::GettyGo => &[Mode::Echo, Mode::Idle],
            Self::Tarpc | Self::Tonic => &[Mode::Rpc],
        }
    }

    /// Where this peer's server is, if it is not part of this program and was built.
    pub(crate) fn program(self) -> Option<PathBuf> {
        (self == Self::GettyGo).then(getty_go::program)?
    }

    /// Why this peer cannot take part here; `None` if it can.
    pub(crate) fn absence(self) -> Option<String> {
        (self == Self::GettyGo && self.program().is_none()).then(|| {
            format!(
                "{self} is left out: {} does not say where its program is, and scripts/build-peers \
                 getty-go-benchmark builds it where Go is",
                getty_go::PROGRAM
            )
        })
    }

    /// Whether the serialization can be chosen, and a registry be put between client and server.
    pub(crate) fn has_choice(self, mode: Mode) -> bool {
        (self, mode) == (Self::Getty, Mode::Rpc)
    }

    /// How the message is written: named where a peer has several ways, `native` where it has one or none.
    pub(crate) fn serialization(self, mode: Mode, chosen: Option<Serialization>) -> String {
        match self.has_choice(mode) {
            true => chosen.unwrap_or_default().to_string(),
            false => "native".to_owned(),
        }
    }

    /// Listens on the addresses of the setup; port 0 takes a free one.
    pub(crate) async fn serve(self, mode: Mode, setup: Setup) -> Result<Serving, PeerError> {
        setup.check_server()?;
        let addrs = setup.addrs.clone();
        let serving = if self.has_choice(mode) {
            getty::rpc::serve(setup).await
        } else {
            let addr = self.only_address(mode, &setup)?;
            match (self, mode) {
                (Self::Getty, Mode::Echo | Mode::Idle) => getty::echo::serve(addr).await,
                (Self::Getty, Mode::Handshake) => getty::handshake::serve(addr).await,
                (Self::Tokio, Mode::Echo) => tokio_echo::serve(addr).await,
                (Self::Tokio, Mode::Idle) => tokio_idle::serve(addr).await,
                (Self::GettyGo, Mode::Echo | Mode::Idle) => {
                    return Err(PeerError::OtherProgram { peer: self });
                }
                (Self::Tarpc, Mode::Rpc) => tarpc::serve(addr).await,
                (Self::Tonic, Mode::Rpc) => tonic::serve(addr).await,
                _ => return Err(PeerError::NoSuchMode { peer: self, mode }),
            }
        };
        serving.map_err(|source| PeerError::Listen { peer: self, addrs, source })
    }

    /// Connects, then measures until the budget is spent.
    pub(crate) async fn load(
        self,
        mode: Mode,
        setup: Setup,
        shape: Shape,
        budget: Budget,
    ) -> Result<Measurement, PeerError> {
        setup.check_client()?;
        let measured = if self.has_choice(mode) {
            getty::rpc::load(setup, shape, budget).await
        } else {
            let addr = self.only_address(mode, &setup)?;
            match (self, mode) {
                (Self::Getty, Mode::Echo | Mode::Idle) => getty::echo::load(addr, shape, budget).await,
                (Self::Getty, Mode::Handshake) => getty::handshake::load(addr, shape, budget).await,
                (Self::Tokio | Self::GettyGo, Mode::Echo | Mode::Idle) => {
                    tokio_echo::load(addr, shape, budget).await
                }
                (Self::Tarpc, Mode::Rpc) => tarpc::load(addr, shape, budget).await,
                (Self::Tonic, Mode::Rpc) => tonic::load(addr, shape, budget).await,
                _ => return Err(PeerError::NoSuchMode { peer: self, mode }),
            }
        };
        measured.map_err(|source| PeerError::Load { peer: self, source })
    }

    /// The address of a peer that has no choice, and is given none.
    fn only_address(self, mode: Mode, setup: &Setup) -> Result<SocketAddr, PeerError> {
        if !self.modes().contains(&mode) {
            return Err(PeerError::NoSuchMode { peer: self, mode });
        }
        match (setup, &*setup.addrs) {
            (Setup { serialization: Some(_), .. }, _) => Err(PeerError::NoSuchChoice { peer: self, mode }),
            (Setup { registry: Some(_), .. }, _) => Err(PeerError::NoRegistry { peer: self, mode }),
            (_, &[addr]) => Ok(addr),
            (_, addrs) => Err(PeerError::OneAddress { peer: self, mode, got: addrs.len() }),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Getty => "getty",
            Self::Tokio => "tokio",
            Self::GettyGo => "getty-go",
            Self::Tarpc => "tarpc",
            Self::Tonic => "tonic",
        })
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Rpc => "rpc",
            Self::Echo => "echo",
            Self::Idle => "idle",
            Self::Handshake => "handshake",
        })
    }
}

fn list(modes: &[Mode]) -> String {
    if modes.is_empty() {
        return "none yet".to_owned();
    }
    modes.iter().map(Mode::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;

    const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

    fn at(addrs: Vec<SocketAddr>) -> Setup {
        Setup { addrs, ..Setup::default() }
    }

    const USUAL: Size = Size::USUAL;

    /// A short run against a server in the same process.
    async fn run(peer: Peer, mode: Mode, connections: usize, callers: usize) -> Measurement {
        let serving = peer.serve(mode, at(vec![ANY])).await.unwrap();
        let shape = Shape { connections, callers, size: USUAL };
        peer.load(mode, at(serving.addrs), shape, Budget::Calls(500)).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_peer_answers_rightly_in_each_of_its_modes() {
        for peer in Peer::value_variants().iter().filter(|peer| **peer != Peer::GettyGo) {
            for &mode in peer.modes() {
                let measured = run(*peer, mode, 3, 30).await;
                assert_eq!((measured.calls(), measured.errors), (500, 0), "{peer} {mode}");
            }
        }
    }

    #[tokio::test]
    async fn a_mode_that_a_peer_lacks_is_refused_by_name() {
        let error = Peer::Tarpc.serve(Mode::Echo, at(vec![ANY])).await.unwrap_err();
        assert_eq!(error.to_string(), "peer tarpc has no mode echo; it has: rpc");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn getty_answers_in_each_serialization_and_through_a_registry_of_several_providers() {
        for serialization in [Serialization::Hessian2, Serialization::Protobuf] {
            for registry in [None, Some("memory://peers".to_owned())] {
                let chosen = Setup { serialization: Some(serialization), ..at(vec![ANY; 3]) };
                let serving = Peer::Getty.serve(Mode::Rpc, chosen.clone()).await.unwrap();
                let found = Setup { addrs: serving.addrs, registry: registry.clone(), ..chosen };
                let shape = Shape { connections: 1, callers: 10, size: USUAL };
                let measured = Peer::Getty.load(Mode::Rpc, found, shape, Budget::Calls(500)).await.unwrap();
                assert_eq!((measured.calls(), measured.errors), (500, 0), "{serialization}, {registry:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_choice_that_a_peer_lacks_is_refused_and_not_ignored() {
        let one = || at(vec![ANY]);
        let (serialization, registry) =
            (Some(Serialization::Protobuf), Some("dubbo://127.0.0.1:1".to_owned()));
        for (setup, text) in [
            (
                Setup { serialization, ..one() },
                "peer tarpc has no choice of serialization in mode rpc; leave --serialization away",
            ),
            (
                Setup { registry, ..one() },
                "peer tarpc knows no registries in mode rpc; use -s instead of --registry",
            ),
            (at(vec![ANY; 2]), "peer tarpc takes one address in mode rpc, expected it after -s, got 2"),
        ] {
            let error = Peer::Tarpc.serve(Mode::Rpc, setup).await.unwrap_err();
            assert_eq!(error.to_string(), text);
        }
        let setup = Setup { serialization, ..one() };
        let error = Peer::Getty.serve(Mode::Echo, setup).await.unwrap_err();
        assert!(matches!(error, PeerError::NoSuchChoice { .. }), "{error}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn more_echoes_in_flight_than_the_sockets_hold_do_not_lock_up() {
        let measured = run(Peer::Tokio, Mode::Echo, 1, 20_000).await;
        assert_eq!((measured.calls(), measured.errors), (500, 0));
    }
}
