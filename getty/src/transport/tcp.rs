//! TCP: accepting, dialling, and a connection whose write half the session's handle shares.

use std::{
    io::{Error, ErrorKind, IoSlice, Result},
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use tokio::net::{
    TcpListener, TcpStream, ToSocketAddrs, lookup_host,
    tcp::{OwnedReadHalf, OwnedWriteHalf},
};

use super::{Connection, Direct, Listen, Transport, io::fill};
use crate::{ConnInfo, Out};

/// Pieces in one vectored write.
const PIECES: usize = 32;

/// A TCP connection. `TCP_NODELAY` is on: packets are gathered here, not in the kernel.
#[derive(Debug)]
pub struct Tcp(TcpStream);

impl Tcp {
    /// Over a connected socket, which the user may have configured.
    ///
    /// # Errors
    /// When the system refuses `TCP_NODELAY`, which means that the socket is dead.
    pub fn new(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    #[cfg(any(feature = "tls", feature = "ws"))]
    pub(super) fn into_inner(self) -> TcpStream {
        self.0
    }
}

impl Transport for Tcp {
    type Task = TcpTask;

    fn info(&self) -> ConnInfo {
        ConnInfo::accepted("tcp", self.0.peer_addr().ok(), self.0.local_addr().ok())
    }

    fn split(self) -> (TcpTask, Option<Direct>) {
        let (read, write) = self.0.into_split();
        let write = Arc::new(write);
        let direct = Direct(DirectTcp(Arc::clone(&write)));
        (TcpTask { read, write: Some(write) }, Some(direct))
    }
}

/// The task's half of a [`Tcp`].
#[derive(Debug)]
pub struct TcpTask {
    read: OwnedReadHalf,
    /// Dropping the last one sends the FIN.
    write: Option<Arc<OwnedWriteHalf>>,
}

impl Connection for TcpTask {
    fn poll_fill(&mut self, cx: &mut Context<'_>, buf: &mut BytesMut) -> Poll<Result<usize>> {
        fill(&mut self.read, cx, buf)
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>, out: &mut Out) -> Poll<Result<()>> {
        let Some(stream) = &self.write else { return Poll::Ready(Err(ErrorKind::NotConnected.into())) };
        while out.has_remaining() {
            ready!(stream.as_ref().as_ref().poll_write_ready(cx))?;
            match write_some(stream, out) {
                Ok(n) => out.advance(n),
                // The readiness was stale; asking again registers for the next.
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        self.write = None;
        Poll::Ready(Ok(()))
    }
}

/// The handle's half of a [`Tcp`].
pub(super) struct DirectTcp(Arc<OwnedWriteHalf>);

impl DirectTcp {
    pub(super) fn try_write(&self, out: &Out) -> Result<usize> {
        write_some(&self.0, out)
    }
}

fn write_some(stream: &OwnedWriteHalf, out: &Out) -> Result<usize> {
    let first = out.chunk();
    let n = if first.len() == out.remaining() {
        stream.try_write(first)?
    } else {
        let mut slices = [IoSlice::new(&[]); PIECES];
        let count = out.chunks_vectored(&mut slices);
        stream.try_write_vectored(slices.get(..count).unwrap_or_default())?
    };
    if n == 0 { Err(ErrorKind::WriteZero.into()) } else { Ok(n) }
}

/// Accepts TCP connections.
#[derive(Debug)]
pub struct TcpListen(TcpListener);

impl TcpListen {
    /// Binds to an address; port 0 takes a free one.
    ///
    /// # Errors
    /// Those of the system, such as an address in use.
    pub async fn bind(addr: impl ToSocketAddrs) -> Result<Self> {
        TcpListener::bind(addr).await.map(Self)
    }

    #[cfg(any(feature = "tls", feature = "ws"))]
    pub(super) fn into_inner(self) -> TcpListener {
        self.0
    }
}

impl Listen for TcpListen {
    type Conn = Tcp;

    async fn accept(&mut self) -> Result<Tcp> {
        let (stream, _) = self.0.accept().await?;
        Tcp::new(stream)
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.0.local_addr().ok()
    }
}

/// Dials a host and port. The name is looked up at every call; all its addresses are tried in turn.
///
/// # Errors
/// That of the last address tried, or `AddrNotAvailable` when a socket has connected to itself, as can happen where
/// nothing listens on a local port. Cancel-safe.
pub async fn dial_tcp(addr: &str) -> Result<Tcp> {
    let mut last = Error::new(ErrorKind::NotFound, format!("{addr} resolves to no address"));
    for addr in lookup_host(addr).await? {
        match TcpStream::connect(addr).await {
            Ok(stream) if stream.local_addr().ok() == stream.peer_addr().ok() => {
                last = Error::new(
                    ErrorKind::AddrNotAvailable,
                    format!("the socket to {addr} connected to itself"),
                );
            }
            Ok(stream) => return Tcp::new(stream),
            Err(e) => last = e,
        }
    }
    Err(last)
}
