//! Owns the load generators, which know the clock and the window but no peer: callers for `rpc`, packets in flight for
//! `echo`, one after the other for `handshake`.

pub(crate) mod echo;
pub(crate) mod rpc;
pub(crate) mod turns;

use crate::frame::Size;
use crate::latency::MeasureError;
use std::error::Error;
use thiserror::Error;
use tokio::task::JoinError;

/// Whatever a peer's own error is.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// How a run is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Connections, at least 1.
    pub(crate) connections: usize,
    /// Mode `rpc`: all callers together. Mode `echo`: packets in flight per connection. At least 1.
    pub(crate) callers: usize,
    /// Mode `echo`: of each frame.
    pub(crate) size: Size,
}

/// A run that gave no result. Single calls that fail are not here: they are counted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum LoadError {
    /// No connection to the server.
    #[error("cannot connect to {0}; is a server of the same peer and mode listening there?")]
    Connect(String, #[source] BoxError),
    /// An echoing connection ended or brought bytes that are no frames.
    #[error("a connection broke under load")]
    Broken(#[source] BoxError),
    /// A task of the load generator panicked.
    #[error("a caller panicked")]
    Panicked(#[source] JoinError),
    /// The calls ended, but cannot be evaluated.
    #[error("the run cannot be evaluated")]
    Measure(#[from] MeasureError),
}
