//! What can go wrong with a session, and with a single write.

use std::{io, time::Duration};

/// Any error of a user's Reader, Writer or callback.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a session ended. Given to [`EventListener::on_error`](crate::EventListener::on_error), at most once a session.
///
/// A clean end (the peer finished between two packets, [`Session::close`](crate::Session::close) or
/// [`Session::abort`](crate::Session::abort)) is no error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection failed: reset, broken pipe, time-out of the system.
    #[error("the connection failed: {0}")]
    Io(#[source] io::Error),
    /// The Reader refused the bytes that came.
    #[error("the reader refused the input: {0}")]
    Read(#[source] BoxError),
    /// The peer broke the rules of the transport, such as those of WebSocket, or said that this side did.
    #[error("the transport failed: {0}")]
    Transport(#[source] BoxError),
    /// `on_open` refused the session.
    #[error("on_open refused the session: {0}")]
    Refused(#[source] BoxError),
    /// A packet is, or would become, longer than [`Limits::max_packet`](crate::Limits::max_packet).
    #[error("a packet of at least {length} bytes came, at most {limit} are allowed (Limits::max_packet)")]
    TooLong {
        /// Bytes that the packet has, as far as known.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The peer finished in the middle of a packet.
    #[error("the peer finished in the middle of a packet, {pending} bytes of it had come")]
    Truncated {
        /// Bytes of the unfinished packet.
        pending: usize,
    },
    /// Nothing came from the peer of an accepted session, and nothing was written to it, for
    /// [`Limits::first_packet`](field@crate::Limits::first_packet).
    #[error("no packet came within {limit:?} (Limits::first_packet)")]
    Silent {
        /// The limit.
        limit: Duration,
    },
    /// A packet that had begun was not whole in time, and came more slowly than it may
    /// ([`Limits::packet_wait`](field@crate::Limits::packet_wait), [`Limits::packet_rate`](field@crate::Limits::packet_rate)).
    #[error(
        "a packet was not whole within {limit:?}, {received} bytes of it had come (Limits::packet_wait, packet_rate)"
    )]
    Slow {
        /// Bytes that had come of it.
        received: usize,
        /// [`Limits::packet_wait`](field@crate::Limits::packet_wait).
        limit: Duration,
    },
    /// The peer took nothing of what waits for it for [`Limits::stall`](field@crate::Limits::stall).
    #[error("the peer took nothing for {limit:?} while {queued} bytes waited for it (Limits::stall)")]
    Stalled {
        /// Bytes that waited.
        queued: usize,
        /// The limit.
        limit: Duration,
    },
    /// The session wanted to hold more, and all sessions of its endpoint together held [`Limits::held`](field@crate::Limits::held)
    /// already.
    #[error("{holds} bytes were to be held, and all sessions may hold {limit} together (Limits::held)")]
    Overloaded {
        /// Bytes of this session.
        holds: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The Reader broke its contract: a packet without taking a byte, or bytes taken without a packet and not counted
    /// ([`Reader::held`](crate::Reader::held)). Or a Writer did, and
    /// took bytes away that other packets had written.
    #[error("a contract was broken: {0}")]
    Contract(&'static str),
    /// A callback, the Reader or the Writer panicked.
    #[error("{what} panicked: {message}")]
    Panicked {
        /// Which part of the session's code it was.
        what: &'static str,
        /// The panic's text, if it had one.
        message: String,
    },
    /// The session's task was dropped before its end, usually because its runtime shut down.
    #[error("the session's task was dropped before its end; did its runtime shut down?")]
    Dropped,
}

impl Error {
    /// A short name of the variant, such as `too_long`: for labels of metrics, as there are few of them.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Io(_) => "io",
            Self::Read(_) => "read",
            Self::Transport(_) => "transport",
            Self::Refused(_) => "refused",
            Self::TooLong { .. } => "too_long",
            Self::Truncated { .. } => "truncated",
            Self::Silent { .. } => "silent",
            Self::Slow { .. } => "slow",
            Self::Stalled { .. } => "stalled",
            Self::Overloaded { .. } => "overloaded",
            Self::Contract(_) => "contract",
            Self::Panicked { .. } => "panicked",
            Self::Dropped => "dropped",
        }
    }
}

/// An error of a connection. One that a [`Connection`](crate::transport::Connection) has put an [`Error`] into is that error.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        error.downcast().unwrap_or_else(Self::Io)
    }
}

/// Why a packet was not queued. Nothing of it was, or will be, written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The session has ended.
    #[error("the session is closed")]
    Closed,
    /// More than [`Limits::out_hard`](crate::Limits::out_hard) bytes wait already. [`Session::send`](crate::Session::send) waits instead.
    #[error(
        "the out-buffer is full: {queued} bytes wait, the limit is {limit} (Limits::out_hard); use send or ready to wait"
    )]
    Full {
        /// Bytes that wait.
        queued: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// There was no room in time ([`Session::send_timeout`](crate::Session::send_timeout)).
    #[error("no room within {waited:?}: {queued} bytes wait to be taken by the peer")]
    TimedOut {
        /// Bytes that wait.
        queued: usize,
        /// How long there was none.
        waited: Duration,
    },
    /// The packet is longer than a message of its transport can be, such as a datagram of UDP.
    #[error(
        "the packet has {length} bytes, a message of this transport has at most {limit}; send it in parts"
    )]
    TooLong {
        /// Bytes that the packet has.
        length: usize,
        /// Bytes that a message has at the most.
        limit: usize,
    },
    /// The Writer refused the packet.
    #[error("the writer refused the packet: {0}")]
    Encode(#[source] BoxError),
}

/// Why a client has no session to give.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The client was closed.
    #[error("the client is closed")]
    Closed,
    /// The last dial failed, or its session ended before it proved itself; the next dial is at the end of the back-off.
    #[error(
        "no connection to {address}: {cause} ({attempts} attempts in a row failed, the next one is due in {next:?})"
    )]
    Unreachable {
        /// Where the client dials.
        address: String,
        /// What the last attempt ended with.
        cause: String,
        /// Failed attempts since the last good session.
        attempts: u32,
        /// Time until the next attempt.
        next: Duration,
    },
}

/// The text of a panic's payload.
pub(crate) fn panicked(what: &'static str, payload: Box<dyn std::any::Any + Send>) -> Error {
    let message = payload
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no text".to_owned());
    Error::Panicked { what, message }
}
