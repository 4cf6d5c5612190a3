//! TCP: accepting and dialling.

use std::{
    io::{Error, ErrorKind, Result},
    net::SocketAddr,
};

use tokio::net::{
    TcpListener, TcpStream, ToSocketAddrs,
    tcp::{OwnedReadHalf, OwnedWriteHalf},
};

use super::{Direct, Gate, Host, Listen, Transport, halves::Halves, socket::configure_tcp};
use crate::{ConnInfo, Limits};

/// A TCP connection. `TCP_NODELAY` is on: packets are gathered here, not in the kernel. The [`Limits`] of its session can change
/// that, and set further options of the socket.
#[derive(Debug)]
pub struct Tcp(TcpStream);

impl Tcp {
    /// Over a connected socket, which the user may have configured.
    ///
    /// # Errors
    /// When the system refuses `TCP_NODELAY`, which means that the socket is dead; `AddrNotAvailable` when the socket has connected
    /// to itself, as can happen where nothing listens on a local port.
    pub fn new(stream: TcpStream) -> Result<Self> {
        if let (Ok(own), Ok(peer)) = (stream.local_addr(), stream.peer_addr())
            && own == peer
        {
            let text = format!("the socket to {peer} connected to itself");
            return Err(Error::new(ErrorKind::AddrNotAvailable, text));
        }
        Self::accepted(stream)
    }

    fn accepted(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    #[cfg(any(feature = "tls", feature = "ws"))]
    pub(super) fn into_inner(self) -> TcpStream {
        self.0
    }
}

impl Transport for Tcp {
    type Task = Halves<OwnedReadHalf, OwnedWriteHalf>;

    fn info(&self) -> ConnInfo {
        ConnInfo::accepted("tcp", self.0.peer_addr().ok(), self.0.local_addr().ok())
    }

    fn configure(&self, limits: &Limits) {
        configure_tcp(&self.0, limits);
    }

    fn split(self) -> (Self::Task, Option<Direct>) {
        let (read, write) = self.0.into_split();
        Halves::new(read, write)
    }
}

/// Accepts TCP connections.
#[derive(Debug)]
pub struct TcpListen {
    listener: TcpListener,
    gate: Option<Gate>,
}

impl TcpListen {
    /// Binds to an address; port 0 takes a free one.
    ///
    /// # Errors
    /// Those of the system, such as an address in use.
    pub async fn bind(addr: impl ToSocketAddrs) -> Result<Self> {
        Ok(Self { listener: TcpListener::bind(addr).await?, gate: None })
    }

    #[cfg(any(feature = "tls", feature = "ws"))]
    pub(super) fn into_inner(self) -> TcpListener {
        self.listener
    }
}

impl Listen for TcpListen {
    type Conn = Tcp;

    async fn accept(&mut self) -> Result<Tcp> {
        loop {
            let (stream, peer) = self.listener.accept().await?;
            if self.gate.as_ref().is_none_or(|gate| gate.admits(Some(peer))) {
                return Tcp::accepted(stream);
            }
        }
    }

    fn gate(&mut self, gate: Gate) {
        self.gate = Some(gate);
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }
}

/// Dials a host and port, which is looked up at every call; all its addresses are tried in turn. It has no time limit of its own
/// where there is one address; a client's dial has that of [`Limits::dial`](field@crate::Limits::dial). Cancel-safe.
///
/// # Errors
/// That of the last address tried; see also [`Tcp::new`].
pub async fn dial_tcp(addr: &str) -> Result<Tcp> {
    Host::from(addr).dial_tcp().await
}

impl Host {
    pub(crate) async fn dial_tcp(&self) -> Result<Tcp> {
        self.dial(async |addr| Tcp::new(TcpStream::connect(addr).await?)).await
    }
}
