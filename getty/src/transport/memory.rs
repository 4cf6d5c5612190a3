//! Connections inside one process, for tests, for trying things out, and for services that need no network.

use std::{io, net::SocketAddr};

use tokio::{
    io::{DuplexStream, duplex},
    sync::mpsc,
};

use super::{Io, Listen};

/// Bytes that a pipe holds in each direction before its writer waits.
const PIPE: usize = 64 * 1024;
/// Connections that may wait to be accepted.
const BACKLOG: usize = 128;

/// One end of a pipe in memory.
pub type Memory = Io<DuplexStream>;

/// The two ends of a new connection.
pub fn pair() -> (Memory, Memory) {
    let (a, b) = duplex(PIPE);
    (Io::new(a, "memory"), Io::new(b, "memory"))
}

/// A place to connect to, and what accepts there.
pub fn listen() -> (MemoryConnector, MemoryListen) {
    let (sender, receiver) = mpsc::channel(BACKLOG);
    (MemoryConnector(sender), MemoryListen(receiver))
}

/// Connects to its [`MemoryListen`]. Clones connect to the same one.
#[derive(Debug, Clone)]
pub struct MemoryConnector(mpsc::Sender<Memory>);

impl MemoryConnector {
    /// A new connection.
    ///
    /// # Errors
    /// `ConnectionRefused` when nobody accepts there any more.
    pub async fn connect(&self) -> io::Result<Memory> {
        let (own, theirs) = pair();
        self.0.send(theirs).await.map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(own)
    }
}

/// Accepts what its [`MemoryConnector`]s connect.
#[derive(Debug)]
pub struct MemoryListen(mpsc::Receiver<Memory>);

impl Listen for MemoryListen {
    type Conn = Memory;

    async fn accept(&mut self) -> io::Result<Memory> {
        match self.0.recv().await {
            Some(connection) => Ok(connection),
            // All connectors have gone. There will never be another connection, and that is no error.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }
}
