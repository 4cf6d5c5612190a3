//! WebSocket (RFC 6455), over TCP or TLS: one packet is one message is one unfragmented binary frame.
//!
//! | file | owns |
//! |---|---|
//! | `head` | the heads of HTTP requests and answers: bounded reading, what makes an upgrade |
//! | `server`, `client` | settings of each side, and the handshake |
//! | `frames` | frames and messages, without a socket |
//! | `allowance` | how often frames may come that bring nothing |
//! | `connection` | the connection: pings, close frames, when to read and when to yield |
//!
//! Text messages are given to the Reader like binary ones. There is no compression: nobody is offered any, so peers that have
//! it, such as Go's getty, send plain messages.

mod allowance;
mod client;
mod connection;
mod frames;
mod head;
mod server;

pub use client::{WsClient, WsError, dial_ws};
pub use connection::Ws;
pub use server::{WsListen, WsServer};

/// What a WebSocket handshake said. Text of the peer, so it may be anything that HTTP allows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WsInfo {
    /// What was asked for: the path, and the query if there is one.
    pub path: String,
    /// The web site whose script connects, as browsers say; other clients usually say none.
    pub origin: Option<String>,
    /// The subprotocol that both sides agreed on, if they did.
    pub subprotocol: Option<String>,
}
