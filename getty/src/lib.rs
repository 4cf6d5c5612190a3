//! A netty-like transport core for tokio: sessions, listeners, readers and writers. It moves packets; it knows no RPC.
//!
//! ```text
//!            you write                                getty runs
//!  +---------------------------+      +--------------------------------------------------+
//!  | Protocol: Reader, Writer, |      |  Session = one connection = ONE task             |
//!  |           State           | ---> |                                                  |
//!  | EventListener: on_open,   |      |  socket -> Reader -> on_message                  |
//!  |   on_message, on_cron,    | <--- |  any task -> Writer -> out-buffer -> socket      |
//!  |   on_error, on_close      |      |                                                  |
//!  +---------------------------+      +--------------------------------------------------+
//! ```
//!
//! * [`Protocol`] names the [`Reader`], the [`Writer`] and the state of a session and makes them anew for every
//!   session, so also after every reconnect.
//! * [`EventListener`] has the callbacks. They are plain functions; futures go to [`Session::run`].
//! * [`Server`] accepts sessions, [`Client`] keeps a number of them to one address and dials again when they end.
//! * [`Pool`] says where `on_message` runs: in the session's task, or in a pool that keeps the order of sessions, of keys, or none.
//! * [`Limits`] bounds everything. Nothing is infinite by default.
//! * [`Session::stats`] has a session's counters; an [`Observer`] hears of all sessions of an endpoint, and feature `metrics` gives their
//!   sums to Prometheus (`metrics::Metrics`).
//!
//! An echo server for lines of text:
//!
//! ```no_run
//! use getty::{EventListener, Lines, Server, Session};
//!
//! struct Echo;
//! impl EventListener<Lines> for Echo {
//!     fn on_message(&self, session: &Session<Lines>, line: String) {
//!         let _ = session.write(line);
//!     }
//! }
//!
//! # async fn run() -> std::io::Result<()> {
//! Server::bind("127.0.0.1:7001").await?.serve(Lines::default(), Echo).await
//! # }
//! ```
//!
//! and its client:
//!
//! ```no_run
//! use getty::{Client, Lines, on_message};
//!
//! # async fn run() -> Result<(), getty::BoxError> {
//! let client = Client::tcp("127.0.0.1:7001", 1, Lines::default(), on_message(|_, line: String| println!("{line}")));
//! client.session().await?.send("hello".into()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! What a session runs over is a [`transport`]. Those that bring dependencies are features, off by default:
//!
//! | transport | feature | server | client |
//! |---|---|---|---|
//! | TCP | | [`Server::bind`] | [`Client::tcp`] |
//! | Unix sockets | | [`Server::over`] a `transport::UnixListen` | `ClientBuilder::unix` |
//! | UDP, one packet a datagram | | [`Server::over`] a [`transport::UdpListen`] | [`ClientBuilder::udp`] |
//! | pipes in memory | | [`transport::memory`] | [`transport::memory`] |
//! | TLS 1.2 and 1.3 over TCP | `tls` | `transport::TlsListen` | `ClientBuilder::tls` |
//! | WebSocket, over TCP or TLS | `ws` (and `tls`) | `transport::WsListen` | `ClientBuilder::ws` |
//! | any other | | [`Server::over`] a [`transport::Listen`] | [`ClientBuilder::dial`] |
//!
//! `tls-native-roots` adds `transport::Roots::native`: the authorities that the operating system trusts.
//! `compression` adds `transport::Compressed`: deflate or snappy between session and connection, as Go's getty does it.
//! `codec` adds `Codec`: what reads and writes may also be a codec of `tokio_util`, one's own or a ready-made one.
#![forbid(unsafe_code)]

mod client;
mod codec;
mod endpoint;
mod error;
mod limits;
mod listener;
#[cfg(feature = "metrics")]
pub mod metrics;
mod observer;
mod pool;
mod server;
mod session;
mod stock;
mod sync;
pub mod transport;
mod wheel;

pub use client::{Backoff, Client, ClientBuilder};
#[cfg(feature = "codec")]
pub use codec::Codec;
pub use codec::{
    Attempt, Chunks, ConnInfo, In, LineError, Lines, Opened, OutOf, Protocol, Reader, Step, Writer,
};
pub use endpoint::{EndpointInfo, EndpointKind};
pub use error::{BoxError, Error, SessionError, WriteError};
pub use limits::Limits;
pub use listener::{EventListener, OnMessage, on_message};
pub use observer::{CloseReason, Observed, Observer};
pub use pool::{Full, Pool};
pub use server::{Server, accept};
pub use session::{CloseCallback, Flush, Out, Session, Span, Stats};
