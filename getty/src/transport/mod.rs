//! What a session runs over. Everything above sees only [`Connection`].
//!
//! * **TCP** and **Unix sockets** have a half through which an idle session's writer writes at once.
//! * **TLS** (feature `tls`) verifies the other side by authorities that the program names; only `TlsClient::dangerous_trust_anyone` does
//!   not. An end without close_notify is an error: anyone on the way could have made it.
//! * **WebSocket** (feature `ws`): one packet is one message, sent as one unfragmented binary frame, so a packet that holds several
//!   for its Reader is one message too. Text messages are given to the Reader like binary ones, empty ones to nobody. Every
//!   [`Limits::cron`](field@Limits::cron) period a ping keeps the ways open between the two sides; it judges nobody, so whoever wants
//!   to notice a dead peer sends packets of their own. A close frame with code 1000, 1001 or none, or that of Go's getty, is an end
//!   without error; `close` sends 1000 and waits for the answer within [`Limits::close_wait`](field@Limits::close_wait). There is no
//!   compression: none is offered and none accepted, so peers that could send plain messages. A message may have
//!   [`Limits::max_packet`](field@Limits::max_packet) bytes in at most 1,024 fragments.
//! * **UDP**: one packet is one datagram. A server has one session for each peer address, bounded in number and in what waits for it,
//!   which ends when the peer is silent; a datagram that is no packet is dropped and counted, and no more is sent to an address than
//!   three times what came from it ([`UdpListen::answers`]).
//! * **Memory**: pipes inside one process.
//!
//! A client looks its host up at every dial, and tries all addresses that it has: [`Host`].
//!
//! Servers of TLS and WebSocket shake hands beside the accepting, in a bounded number and within a time limit; see
//! `TlsListen::handshakes`. A client's handshakes are part of its dial, which [`Limits::dial`](field@Limits::dial) bounds.

#[cfg(feature = "compression")]
mod compress;
pub(crate) mod halves;
#[cfg(any(feature = "tls", feature = "ws"))]
mod handshakes;
mod host;
mod io;
pub mod memory;
mod socket;
#[cfg(feature = "ws")]
mod stream;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
mod udp;
#[cfg(unix)]
mod unix;
#[cfg(feature = "ws")]
mod ws;

use std::{
    fmt,
    future::Future,
    io::Result,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::BytesMut;

use crate::{ConnInfo, Limits, Out};

pub use crate::server::Gate;

#[cfg(feature = "compression")]
pub use compress::{Compressed, CompressedListen, CompressedTask, Compression, Wire};
pub use host::Host;
pub use io::Io;
pub use tcp::{Tcp, TcpListen, dial_tcp};
#[cfg(feature = "tls")]
pub use tls::{Identity, Roots, Tls, TlsClient, TlsError, TlsInfo, TlsListen, TlsServer, dial_tls};
pub use udp::{Udp, UdpCounts, UdpListen, dial_udp};
#[cfg(unix)]
pub use unix::{Unix, UnixListen, dial_unix};
#[cfg(feature = "ws")]
pub use ws::{Ws, WsClient, WsError, WsInfo, WsListen, WsServer, dial_ws};

/// A connection as a session's task sees it. Owned by that task alone.
///
/// TLS, WebSocket and compression are connections around other connections: they get the whole gathered out-buffer and
/// flush once a call, so a batch of packets is one record, one write.
pub trait Connection: Send + Unpin + 'static {
    /// Whether it carries messages (WebSocket, UDP) rather than a stream of bytes: then one fill gives exactly one message,
    /// which is one packet, and packets are taken with [`Out::take_message`].
    const MESSAGES: bool = false;

    /// Whether a message that the Reader refuses, or that is too long, is dropped, and counted in
    /// [`Stats::dropped_messages`](crate::Stats::dropped_messages), instead of ending the session (UDP, where anybody may have sent it).
    /// Means nothing on a stream of bytes.
    const LOSSY: bool = false;

    /// Bytes of the longest message that can be sent. Longer ones are refused when they are written
    /// ([`WriteError::TooLong`](crate::WriteError::TooLong)). Means nothing on a stream of bytes.
    const LARGEST: usize = usize::MAX;

    /// Called once, before anything else, with the bounds of the session: for connections that put together what they give, and must
    /// hold to [`Limits::max_packet`](field@Limits::max_packet) themselves.
    fn begin(&mut self, limits: &Limits) {
        let _ = limits;
    }

    /// Called once a period of [`Limits::cron`](field@Limits::cron), right before `on_cron`: for connections that have a sign of life of
    /// their own. [`poll_drain`](Self::poll_drain) follows.
    fn keep_alive(&mut self) {}

    /// Called once, when the first packet was taken out of what this has given: only now is it sure that the peer speaks the
    /// protocol.
    fn proven(&mut self) {}

    /// Called when at least one packet has been made of what [`poll_fill`](Self::poll_fill) gave: for connections that bound what may
    /// come of one. Of the next packet something may have been given already.
    fn decoded(&mut self) {}

    /// Bytes that have come of what [`poll_fill`](Self::poll_fill) has not given yet, as it is not whole. They count for
    /// [`Limits::packet_wait`](field@Limits::packet_wait).
    fn pending(&self) -> usize {
        0
    }

    /// Appends what has come to `buf`; 0 when the peer has finished, so an empty message has to be left out. `buf` has some
    /// room, and may be made larger; a read of more than 64 KiB makes others wait. Cancel-safe.
    ///
    /// # Errors
    /// The session ends with it. One that holds an [`Error`](crate::Error) of getty becomes that one.
    fn poll_fill(&mut self, cx: &mut Context<'_>, buf: &mut BytesMut) -> Poll<Result<usize>>;

    /// Takes from `out` all it can and flushes; ready when `out` is empty and everything is on its way. It is also called
    /// with an empty `out`, for connections that write by themselves (pongs).
    ///
    /// # Errors
    /// The session ends with it.
    fn poll_drain(&mut self, cx: &mut Context<'_>, out: &mut Out) -> Poll<Result<()>>;

    /// Says to the peer that nothing more comes (FIN, close_notify, close frame).
    ///
    /// # Errors
    /// Are of no consequence: the session is ending.
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>>;
}

/// What accepting or dialling gives: any [`Connection`], or one that also has a half for writes outside the session's task.
pub trait Transport: Send + 'static {
    /// The part that the session's task owns.
    type Task: Connection;

    /// Name and addresses, for [`ConnInfo`].
    fn info(&self) -> ConnInfo {
        ConnInfo::accepted("custom", None, None)
    }

    /// Called once, before [`split`](Self::split), with the bounds of the session: for sockets, which set their options by them
    /// ([`Limits::keep_alive`](field@Limits::keep_alive) and those that follow it).
    fn configure(&self, limits: &Limits) {
        let _ = limits;
    }

    /// Splits it.
    fn split(self) -> (Self::Task, Option<Direct>);
}

/// A half of a plain socket through which an idle session's writer writes at once, without a hop to the session's task.
pub struct Direct(pub(crate) Arc<dyn halves::WriteHalf>);

impl Direct {
    pub(crate) fn try_write(&self, out: &Out) -> Result<usize> {
        halves::write_some(&*self.0, out)
    }
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Direct").finish()
    }
}

/// A source of accepted connections for a [`Server`](crate::Server). Handshakes belong inside it, beside the accepting, so that a slow one
/// holds nobody up.
pub trait Listen: Send + 'static {
    /// What is accepted.
    type Conn: Transport;

    /// The next connection. Cancel-safe.
    ///
    /// # Errors
    /// Of one accept; the server waits a little and goes on.
    fn accept(&mut self) -> impl Future<Output = Result<Self::Conn>> + Send;

    /// Called once, before the first [`accept`](Self::accept). Those that know a peer's address before they have done much for it
    /// ask the gate, and close the connection where it says no. The server asks too, so it can be left out.
    fn gate(&mut self, gate: Gate) {
        let _ = gate;
    }

    /// Where it listens; `None` where there is no such thing.
    fn local_addr(&self) -> Option<SocketAddr>;

    /// Called once by a server that has an [`Observer`](crate::Observer), before it accepts: who shakes hands inside
    /// [`accept`](Self::accept) tells `failed` of every handshake that fails, with the peer and the reason. By default nobody does.
    fn on_handshake_failed(&mut self, failed: HandshakeFailed) {
        let _ = failed;
    }
}

/// Is told of a handshake that failed, with the peer and the reason.
pub type HandshakeFailed = Arc<dyn Fn(SocketAddr, &std::io::Error) + Send + Sync>;
