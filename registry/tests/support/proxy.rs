//! Owns a TCP proxy between a registry and its server, which a test can make deaf: what a cut cable or a lost route looks
//! like from both sides.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// How late the server gets what is sent to it, if that is to be [`Mode::Slow`].
pub(crate) const SLOW: Duration = Duration::from_millis(200);

/// What the proxy does with bytes and new connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// All goes through.
    Pass,
    /// Connections are accepted and stay, but no byte goes through. Nothing is lost: it goes through later.
    Hold,
    /// All goes through, but what goes to the server takes [`SLOW`].
    Slow,
    /// New connections are closed at once, and those that are there too.
    Refuse,
}

impl Mode {
    fn passes(&self) -> bool {
        matches!(self, Self::Pass | Self::Slow)
    }
}

/// A proxy on 127.0.0.1. Dropping it ends all its connections.
pub(crate) struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mode = watch::Sender::new(Mode::Pass);
        let seen = mode.subscribe();
        let task = tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                if *seen.borrow() != Mode::Refuse {
                    tokio::spawn(join(client, server, seen.clone()));
                }
            }
        });
        Self { address, mode, task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn join(client: TcpStream, server: SocketAddr, mode: watch::Receiver<Mode>) {
    let mut refused = mode.clone();
    let both = async {
        let mut dialled = mode.clone();
        dialled.wait_for(Mode::passes).await.ok()?;
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = TcpStream::connect(server).await.ok()?.into_split();
        tokio::select! {
            () = copy(from_client, to_server, mode.clone(), SLOW) => {}
            () = copy(from_server, to_client, mode, Duration::ZERO) => {}
        }
        Some(())
    };
    tokio::select! {
        _ = both => {}
        _ = refused.wait_for(|mode| *mode == Mode::Refuse) => {}
    }
}

/// `slow`: how long bytes take in [`Mode::Slow`].
async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut mode: watch::Receiver<Mode>,
    slow: Duration,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else { return };
        if *mode.borrow() == Mode::Slow {
            sleep(slow).await;
        }
        if mode.wait_for(Mode::passes).await.is_err() || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
