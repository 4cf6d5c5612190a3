//! What a user plugs into a session: how bytes become packets and packets bytes, and what state a session carries.

#[cfg(feature = "codec")]
mod adapter;
mod chunks;
mod lines;

use std::{fmt, net::SocketAddr, sync::Arc};

use bytes::BytesMut;

use crate::{BoxError, Error, Limits, Out};

#[cfg(feature = "codec")]
pub use adapter::Codec;
pub use chunks::Chunks;
pub use lines::{LineError, Lines};

/// Makes Reader, Writer and state anew for every session, so also after every reconnect.
pub trait Protocol: Send + Sync + 'static {
    /// Cuts the input into packets.
    type Reader: Reader;
    /// Turns packets into bytes.
    type Writer: Writer;
    /// What a session carries besides, reached through [`Session::state`](crate::Session::state); `()` if nothing.
    type State: Send + Sync + 'static;

    /// Called once for every session, before `on_open`. Must not block.
    fn open(&self, info: &ConnInfo) -> Opened<Self::Reader, Self::Writer, Self::State>;
}

/// The packet that a protocol's Reader gives.
pub type In<P> = <<P as Protocol>::Reader as Reader>::Packet;
/// The packet that a protocol's Writer takes.
pub type OutOf<P> = <<P as Protocol>::Writer as Writer>::Packet;

/// What [`Protocol::open`] gives a session.
#[derive(Debug)]
pub struct Opened<R, W, S> {
    /// The session's own Reader.
    pub reader: R,
    /// The session's own Writer.
    pub writer: W,
    /// The session's own state.
    pub state: S,
    /// Bounds of this session; `None`: those of the endpoint.
    pub limits: Option<Limits>,
}

impl<R, W, S> Opened<R, W, S> {
    /// With the limits of the endpoint.
    pub fn new(reader: R, writer: W, state: S) -> Self {
        Self { reader, writer, state, limits: None }
    }
}

/// What is known of a connection when its session opens.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConnInfo {
    /// Address of the other side; `None` where the transport has none (memory).
    pub peer: Option<SocketAddr>,
    /// Own address; `None` where the transport has none.
    pub local: Option<SocketAddr>,
    /// Name of the transport: `tcp`, `unix`, `udp`, `memory`, `tls`, `ws`, `wss`, or what the user's own says.
    pub transport: &'static str,
    /// Accepted, dialled for the first time, or dialled again.
    pub attempt: Attempt,
    /// Why the session before this one on the same seat of a client ended, if it ended with an error.
    pub cause: Option<Arc<Error>>,
    /// What the TLS handshake came to; `None` where the connection is not encrypted.
    #[cfg(feature = "tls")]
    pub tls: Option<Arc<crate::transport::TlsInfo>>,
    /// What the WebSocket handshake said; `None` on other transports.
    #[cfg(feature = "ws")]
    pub ws: Option<Arc<crate::transport::WsInfo>>,
    /// Bytes moved below the compression; `None` where the connection is not compressed.
    #[cfg(feature = "compression")]
    pub wire: Option<Arc<crate::transport::Wire>>,
}

impl ConnInfo {
    /// Of a connection that a server accepted.
    pub fn accepted(transport: &'static str, peer: Option<SocketAddr>, local: Option<SocketAddr>) -> Self {
        Self {
            peer,
            local,
            transport,
            attempt: Attempt::Accepted,
            cause: None,
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(feature = "ws")]
            ws: None,
            #[cfg(feature = "compression")]
            wire: None,
        }
    }

    /// Bytes read and written below the compression; `None` where there is none.
    pub(crate) fn wire_bytes(&self) -> Option<(u64, u64)> {
        #[cfg(feature = "compression")]
        return self.wire.as_ref().map(|wire| (wire.read_bytes(), wire.written_bytes()));
        #[cfg(not(feature = "compression"))]
        None
    }
}

impl fmt::Display for ConnInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.transport)?;
        match self.peer {
            Some(peer) => write!(f, " {peer}"),
            None => Ok(()),
        }
    }
}

/// How a session came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// A server accepted it.
    Accepted,
    /// A client's seat dialled and this is its first session.
    First,
    /// A client's seat dialled again after a session had ended.
    Again,
}

/// Cuts the input into packets.
///
/// The four cases of a Reader:
///
/// | what has come | answer |
/// |---|---|
/// | bytes that can never be a packet | `Err`: the session ends with `on_error`, `on_close` |
/// | too little to know the length | `Ok(Step::Need(0))`, or how much is missing until the length is known |
/// | the length is known, the packet is not whole | `Ok(Step::Need(missing))` |
/// | at least one whole packet | take it off the front, `Ok(Step::Packet(packet))` |
///
/// A Reader that takes the beginning of a packet before the rest has come says so in [`held`](Self::held).
pub trait Reader: Send + Unpin + 'static {
    /// What the input is cut into.
    type Packet: Send + 'static;

    /// Takes one packet off the front of `buf`, or takes nothing. Called until it says [`Step::Need`], and again when so many bytes
    /// have come, on transports of messages with the next message; never with an empty `buf`.
    ///
    /// Packets may keep slices of the buffer (`buf.split_to(n).freeze()`). A slice that outlives the callback pins a
    /// chunk of 64 KiB, so small packets that are kept for long are better copied.
    ///
    /// # Errors
    /// For input that can never become a packet. The session ends.
    fn read(&mut self, buf: &mut BytesMut) -> Result<Step<Self::Packet>, BoxError>;

    /// Bytes that were taken off the front and that no packet was made of yet. They count as a part of the next packet: for
    /// [`Limits::max_packet`](field@crate::Limits::max_packet), and where the peer finishes before it is whole. Cheap; the default is
    /// right for a Reader that takes whole packets.
    fn held(&self) -> usize {
        0
    }

    /// The peer has finished, and this is all that is left: takes one packet off the front, where the end of the input is the end of
    /// a packet, or takes nothing and says [`Step::Need`], as the default does. Called until nothing is left; what a Reader does not
    /// take then was no whole packet, and the session ends with [`Error::Truncated`]. `buf` may be empty if bytes are
    /// [`held`](Self::held). Not on transports of messages.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn read_end(&mut self, buf: &mut BytesMut) -> Result<Step<Self::Packet>, BoxError> {
        let _ = buf;
        Ok(Step::Need(0))
    }

    /// What was left in the buffer has been thrown away, and the next call begins with a fresh one: a message was no whole
    /// packet. Only on transports of messages. A Reader that remembers how far it has looked, or what it holds, forgets it here.
    fn reset(&mut self) {}
}

/// What a [`Reader`] made of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<T> {
    /// At least so many further bytes are needed, and the Reader is not asked before they have come; 0: some, unknown how many.
    /// Nothing was taken that [`Reader::held`] does not count.
    Need(usize),
    /// One packet, and its bytes have been taken off the front.
    Packet(T),
}

/// Turns packets into bytes. It lives under its session's lock, so the order of encoding is the order on the wire.
pub trait Writer: Send + 'static {
    /// What is written.
    type Packet;

    /// Appends the packet to `out`. Must be short, must not block and must not call into a session.
    ///
    /// # Errors
    /// When the packet cannot be written. What was appended is taken back; the session lives on. The same after a panic.
    fn write(&mut self, packet: Self::Packet, out: &mut Out) -> Result<(), BoxError>;
}
