#![doc = include_str!("../README.md")]
//!
//! # Where to find it
//!
//! * [`Protocol`] names the [`Reader`], the [`Writer`] and the state of a session; [`Lines`] and [`Chunks`] are two that come along.
//! * [`EventListener`] has the callbacks; [`on_message`] makes one of a function.
//! * [`Server`] accepts sessions, [`Client`] keeps a number of them to one address; [`ClientBuilder`] and [`Backoff`] set it up;
//!   [`ClientState`] is what it is at, [`transport::Host`] what it dials.
//! * [`Session`] is a handle to one connection, [`Out`] what a Writer appends to.
//! * [`Pool`] says where `on_message` runs; [`Limits`] bounds everything.
//! * [`transport`] has what a session runs over.
//! * [`Session::stats`] has the counters of a session; an [`Observer`] hears of all sessions of an endpoint.
//! * [`Error`], [`WriteError`] and [`SessionError`] say why a session ended, a packet was not queued, a client has no session to give.
//! * [`defects`] lists what the Go original got wrong, and the tests that guard it here.
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

#[cfg(doc)]
#[doc = include_str!("../docs/defects.md")]
pub mod defects {}

pub use client::{Backoff, Client, ClientBuilder, ClientState, ClientStates};
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
pub use server::{Server, ServerCounts, accept};
pub use session::{CloseCallback, Flush, Out, Session, Span, Stats};
