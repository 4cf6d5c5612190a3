//! UDP: one packet is one datagram. This file owns a connection over it, whose peer is one address; it knows nothing of other peers.
//!
//! ```text
//!   client                         server
//!   ------                         ------
//!   Udp, a socket of its own <---> one socket --- demultiplexer ---> a queue for each peer ---> Udp
//!                                       ^------------------ datagrams out ----------------------'
//! ```
//!
//! Datagrams get lost, come twice and overtake each other, and the address that they come from can be forged. What is no packet
//! is dropped and counted ([`Stats::dropped_messages`](crate::Stats::dropped_messages)), and ends nothing: so a probe that
//! is no packet, such as the `connect-ping` of Go's getty, does no harm.

mod listen;
mod peer;
mod table;

use std::{
    fmt,
    future::Future,
    io::{Error, ErrorKind, Result},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use tokio::{io::Interest, net::UdpSocket};

use super::{Connection, Direct, Host, Transport, socket::configure_buffers};
use crate::{ConnInfo, Limits, Out, stock::CHUNK};
use peer::Peer;

pub use listen::{UdpCounts, UdpListen};

/// Bytes that fit into a datagram over IPv4: 65,535 less the headers of IP and UDP. Over IPv6 it would be a little more.
const LARGEST: usize = 65_507;

/// A UDP connection: a connected socket, or one peer of a [`UdpListen`].
///
/// Messages of more than 65,507 bytes are refused when they are written ([`WriteError::TooLong`](crate::WriteError::TooLong)). One
/// that the system does not take, as it is longer than the way allows, is lost like any other datagram.
pub struct Udp {
    way: Way,
    /// What the system did not take at once.
    leaving: Option<Bytes>,
    /// Waits until the system may take more. Made only when it has to: there is one socket for many sessions, so each needs
    /// a place of its own among those that wait.
    writable: Option<Waiting>,
    /// Waits for an error of a connected socket: the system does not say by readable that nobody listens.
    failing: Option<Waiting>,
}

type Waiting = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

enum Way {
    /// Datagrams of others do not come in here.
    Connected(Arc<UdpSocket>),
    Peer(Peer),
}

impl Udp {
    /// Over a connected socket, which the user may have configured.
    ///
    /// # Errors
    /// `NotConnected` when the socket is not connected.
    pub fn new(socket: UdpSocket) -> Result<Self> {
        socket.peer_addr()?;
        Ok(Self::over(Way::Connected(Arc::new(socket))))
    }

    fn over(way: Way) -> Self {
        Self { way, leaving: None, writable: None, failing: None }
    }

    fn socket(&self) -> &Arc<UdpSocket> {
        match &self.way {
            Way::Connected(socket) => socket,
            Way::Peer(peer) => peer.socket(),
        }
    }

    fn try_send(&mut self, datagram: &[u8]) -> Result<()> {
        match &mut self.way {
            Way::Connected(socket) => socket.try_send(datagram).map(drop),
            Way::Peer(peer) => peer.try_send(datagram),
        }
    }

    fn poll_writable(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if self.writable.is_none() {
            let socket = Arc::clone(self.socket());
            self.writable = Some(Box::pin(async move { socket.writable().await }));
        }
        let Some(writable) = &mut self.writable else { return Poll::Ready(Ok(())) };
        let ready = ready!(writable.as_mut().poll(cx));
        self.writable = None;
        Poll::Ready(ready)
    }

    /// Ready with the error that the socket has; also without one when that was taken by a write.
    fn poll_failing(&mut self, socket: &Arc<UdpSocket>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let failing = self.failing.get_or_insert_with(|| {
            let socket = Arc::clone(socket);
            Box::pin(async move { socket.ready(Interest::ERROR).await.map(drop) })
        });
        let ready = ready!(failing.as_mut().poll(cx));
        self.failing = None;
        ready?;
        // Not ready any more from here on, so that an error which comes now is told too.
        let cleared = socket.try_io(Interest::ERROR, || Err::<(), _>(ErrorKind::WouldBlock.into()));
        drop(cleared);
        Poll::Ready(socket.take_error()?.map_or(Ok(()), Err))
    }
}

impl Transport for Udp {
    type Task = Self;

    fn info(&self) -> ConnInfo {
        let peer = match &self.way {
            Way::Connected(socket) => socket.peer_addr().ok(),
            Way::Peer(peer) => Some(peer.address()),
        };
        ConnInfo::accepted("udp", peer, self.socket().local_addr().ok())
    }

    fn configure(&self, limits: &Limits) {
        // The socket of a server is that of all its peers.
        if let Way::Connected(socket) = &self.way {
            configure_buffers(&(&**socket).into(), limits);
        }
    }

    fn split(self) -> (Self, Option<Direct>) {
        (self, None)
    }
}

impl Connection for Udp {
    const MESSAGES: bool = true;
    const LOSSY: bool = true;
    const LARGEST: usize = LARGEST;

    fn proven(&mut self) {
        if let Way::Peer(peer) = &mut self.way {
            peer.proven();
        }
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>, buf: &mut BytesMut) -> Poll<Result<usize>> {
        match &mut self.way {
            Way::Peer(peer) => peer.poll_fill(cx, buf).map(Ok),
            Way::Connected(socket) => {
                let socket = Arc::clone(socket);
                loop {
                    buf.reserve(CHUNK);
                    // Only this session reads from its socket, so the one place for a waker is enough.
                    match socket.poll_recv_ready(cx)? {
                        Poll::Pending => ready!(self.poll_failing(&socket, cx))?,
                        Poll::Ready(()) => match socket.try_recv_buf(buf) {
                            // An empty datagram holds no packet, and would be the end.
                            Ok(0) => {}
                            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                            read => return Poll::Ready(read),
                        },
                    }
                }
            }
        }
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>, out: &mut Out) -> Poll<Result<()>> {
        loop {
            let Some(datagram) = self.leaving.take().or_else(|| out.take_message()) else {
                return Poll::Ready(Ok(()));
            };
            match self.try_send(&datagram) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.leaving = Some(datagram);
                    ready!(self.poll_writable(cx))?;
                }
                // Nobody listens there, says the peer's system. For a server that is the peer's affair.
                Err(error) if matches!(self.way, Way::Connected(_)) && is_refusal(&error) => {
                    return Poll::Ready(Err(error));
                }
                Err(error) => tracing::trace!(%error, len = datagram.len(), "a datagram was not sent"),
            }
        }
    }

    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        // There is nothing that could be said to the peer. Its next datagram opens another session.
        if let Way::Peer(peer) = &mut self.way {
            peer.leave();
        }
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for Udp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Udp").field("info", &self.info()).finish_non_exhaustive()
    }
}

fn is_refusal(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset)
}

/// A socket that is connected to a host and port. The name is looked up at every call, and its first address is taken that the
/// system has a way to. Nothing is sent, so it does not tell whether anybody is there: the session ends with an error when
/// the peer's system says that nobody is. Cancel-safe.
///
/// # Errors
/// That of the last address tried.
pub async fn dial_udp(address: &str) -> Result<Udp> {
    Host::from(address).dial_udp().await
}

impl Host {
    pub(crate) async fn dial_udp(&self) -> Result<Udp> {
        self.dial(connected).await
    }
}

async fn connected(to: SocketAddr) -> Result<Udp> {
    let any: SocketAddr = match to {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(to).await?;
    Udp::new(socket)
}
