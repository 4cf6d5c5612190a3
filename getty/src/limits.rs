//! Every bound of a session in one place, finite by default.

use std::time::Duration;

/// Bounds of a session and of the endpoint that holds it. All are finite by default.
///
/// ```
/// let limits = getty::Limits::default().max_packet(64 * 1024);
/// assert_eq!(limits.max_packet, 65_536);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Longest packet in bytes that a Reader may wait for, header included. Above it the session ends with
    /// [`Error::TooLong`](crate::Error::TooLong). It also binds a Reader that never says a length. Default 8 MiB + 64 KiB.
    pub max_packet: usize,
    /// Bytes waiting in the out-buffer from which [`Session::ready`](crate::Session::ready) waits and, on accepted sessions, no
    /// further packet is decoded. Both go on at half of it. A client's session decodes on: were both sides to wait for the
    /// other to read, none would. Default 256 KiB.
    pub out_high: usize,
    /// Bytes waiting in the out-buffer from which writes fail with [`WriteError::Full`](crate::WriteError::Full). One packet may
    /// go beyond it, so the memory bound is this plus the longest packet. Default 16 MiB.
    pub out_hard: usize,
    /// Bytes that a session reads before others get their turn; a read of up to 64 KiB that began below it may go beyond it.
    /// Default 64 KiB.
    pub turn: usize,
    /// How long an ending session waits for futures given to [`Session::run`](crate::Session::run) and for the peer to take what is
    /// still queued. Default 3 s.
    pub close_wait: Duration,
    /// Period of [`on_cron`](crate::EventListener::on_cron); `None`: never called. Rounded up to 10 ms. Default `None`.
    pub cron: Option<Duration>,
    /// Sessions that a server holds at a time; further connections are closed right after they are accepted. Default 16,384.
    pub sessions: usize,
    /// How long a client's dial may take. Default 3 s.
    pub dial: Duration,
    /// After so long without a sign of life the system asks the peer's system over TCP whether it still has the connection, and asks again
    /// every quarter of that time (at least a second, where the system lets that be set); a session whose peer does not answer ends with
    /// [`Error::Io`](crate::Error::Io), on Linux after nine questions. It costs the program nothing, and tells nothing of a peer whose system
    /// lives while its program hangs. In seconds, rounded up; `None` leaves the socket as it is. Default 60 s.
    pub keep_alive: Option<Duration>,
    /// Whether TCP sends what is written at once (`TCP_NODELAY`), and not together with what follows: packets are gathered here, not in
    /// the kernel. Default `true`.
    pub no_delay: bool,
    /// Bytes of the system's send buffer (`SO_SNDBUF`) of a connection over TCP, Unix sockets, or a client's UDP. The system has bounds of
    /// its own, and Linux doubles the number. `None`: as the system thinks best. Default `None`.
    pub send_buffer: Option<usize>,
    /// As [`send_buffer`](field@Limits::send_buffer), of the receive buffer (`SO_RCVBUF`). It is set when the connection is there already: a
    /// window that TCP has promised by then is not taken back.
    pub receive_buffer: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_packet: 8 * 1024 * 1024 + 64 * 1024,
            out_high: 256 * 1024,
            out_hard: 16 * 1024 * 1024,
            turn: 64 * 1024,
            close_wait: Duration::from_secs(3),
            cron: None,
            sessions: 16_384,
            dial: Duration::from_secs(3),
            keep_alive: Some(Duration::from_secs(60)),
            no_delay: true,
            send_buffer: None,
            receive_buffer: None,
        }
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $field:ident: $type:ty),* $(,)?) => {
        /// Setters, one for each field.
        impl Limits {
            $($(#[$doc])* #[must_use] pub const fn $field(mut self, value: $type) -> Self { self.$field = value; self })*
        }
    };
}

setters! {
    /// Sets [`Limits::max_packet`](field@Limits::max_packet), in bytes.
    max_packet: usize,
    /// Sets [`Limits::out_high`](field@Limits::out_high), in bytes.
    out_high: usize,
    /// Sets [`Limits::out_hard`](field@Limits::out_hard), in bytes.
    out_hard: usize,
    /// Sets [`Limits::turn`](field@Limits::turn), in bytes.
    turn: usize,
    /// Sets [`Limits::close_wait`](field@Limits::close_wait).
    close_wait: Duration,
    /// Sets [`Limits::cron`](field@Limits::cron).
    cron: Option<Duration>,
    /// Sets [`Limits::sessions`](field@Limits::sessions).
    sessions: usize,
    /// Sets [`Limits::dial`](field@Limits::dial).
    dial: Duration,
    /// Sets [`Limits::keep_alive`](field@Limits::keep_alive).
    keep_alive: Option<Duration>,
    /// Sets [`Limits::no_delay`](field@Limits::no_delay).
    no_delay: bool,
    /// Sets [`Limits::send_buffer`](field@Limits::send_buffer), in bytes.
    send_buffer: Option<usize>,
    /// Sets [`Limits::receive_buffer`](field@Limits::receive_buffer), in bytes.
    receive_buffer: Option<usize>,
}
