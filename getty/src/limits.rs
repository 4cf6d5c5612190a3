//! Every bound of a session in one place, finite by default.

use std::time::Duration;

/// Bounds of a session and of the endpoint that holds it. All are finite by default.
///
/// ```
/// let limits = getty::Limits::default().max_packet(64 * 1024);
/// assert_eq!(limits.max_packet, 65_536);
/// ```
///
/// What each is for, and who is held to it. To lift one, set it to the largest value of its type.
///
/// | limit | default | against | when it is reached |
/// |---|---|---|---|
/// | [`sessions`](field@Self::sessions) | 16,384 | floods of connections | closed as it is accepted |
/// | [`sessions_per_address`](field@Self::sessions_per_address) | 1,000 | one peer that takes all the places | closed as it is accepted |
/// | [`first_packet`](field@Self::first_packet) | 180 s | accepted peers that say nothing | the session ends ([`Error::Silent`](crate::Error::Silent)) |
/// | [`packet_wait`](field@Self::packet_wait), [`packet_rate`](field@Self::packet_rate) | 30 s, and 1 s for each 1,024 bytes | a packet that comes byte by byte | the session ends ([`Error::Slow`](crate::Error::Slow)) |
/// | [`max_packet`](field@Self::max_packet) | 8 MiB + 64 KiB | lengths that lie, packets without end | the session ends ([`Error::TooLong`](crate::Error::TooLong)) |
/// | [`compression_ratio`](field@Self::compression_ratio) | 100 above 2 MiB | little that swells to much | the session ends ([`Error::Transport`](crate::Error::Transport)) |
/// | [`turn`](field@Self::turn), [`turn_packets`](field@Self::turn_packets) | 64 KiB, 128 packets | floods of packets | the others get their turn |
/// | [`control_frames`](field@Self::control_frames) | 10 a second | floods of pings over WebSocket | the session ends ([`Error::Transport`](crate::Error::Transport)) |
/// | [`runs`](field@Self::runs) | 32,768 futures | a flood of slow requests | nothing more is decoded (accepted sessions) |
/// | [`out_high`](field@Self::out_high) | 256 KiB | peers that read no answers | nothing more is decoded (accepted sessions) |
/// | [`out_hard`](field@Self::out_hard) | 16 MiB | the same, where much is written unasked | writes fail ([`WriteError::Full`](crate::WriteError::Full)) |
/// | [`stall`](field@Self::stall) | 30 s | the same, for ever | the session ends ([`Error::Stalled`](crate::Error::Stalled)) |
/// | [`held`](field@Self::held) | 128 MiB in all | many of the above together | the session that wants more ends ([`Error::Overloaded`](crate::Error::Overloaded)) |
/// | [`close_wait`](field@Self::close_wait) | 3 s | peers that hold up the end | the connection is closed as it is |
/// | [`dial`](field@Self::dial) | 3 s | servers that do not answer | the dial fails |
///
/// [`cron`](field@Self::cron) bounds nothing. Handshakes of TLS and WebSocket have limits of their own (`TlsListen`, `WsListen`), as
/// have the peers of UDP ([`UdpListen`](crate::transport::UdpListen)).
///
/// The defaults let an honest peer of Dubbo be: it may say nothing until its first heartbeat, after a minute, and between
/// heartbeats a session has no deadline here at all. A session that is idle, because a whole packet has come or something was
/// written to its peer, may stay so for ever; whoever wants it otherwise looks at it in
/// [`on_cron`](crate::EventListener::on_cron).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Longest packet in bytes that a Reader may wait for, header included. Above it the session ends with
    /// [`Error::TooLong`](crate::Error::TooLong). It also binds a Reader that never says a length. Default 8 MiB + 64 KiB.
    pub max_packet: usize,
    /// How many times as long as it came a packet may have become by decompression
    /// (feature `compression`). It counts for those of more than 2 MiB, as shorter ones cost little. Above it
    /// the session ends with [`Error::Transport`](crate::Error::Transport). Default 100, which text and tables do not reach; millions of
    /// one byte do.
    pub compression_ratio: usize,
    /// How long a packet that has begun may take to be whole, with a second more for each [`packet_rate`](field@Self::packet_rate)
    /// bytes of it that have come. Above it the session ends with [`Error::Slow`](crate::Error::Slow). While this side does not read,
    /// because its pool is full or the peer takes no answers, the time does not count. Rounded up to 10 ms. Default 30 s.
    pub packet_wait: Duration,
    /// Bytes of a packet that earn it a second more than [`packet_wait`](field@Self::packet_wait), at least 1. Default 1,024.
    pub packet_rate: usize,
    /// How long an accepted session may have brought no packet, while nothing was written to its peer either. Above it the
    /// session ends with [`Error::Silent`](crate::Error::Silent). Rounded up to 10 ms. Default 180 s, which is three heartbeats of Dubbo.
    pub first_packet: Duration,
    /// Bytes waiting in the out-buffer from which [`Session::ready`](crate::Session::ready) waits and, on accepted sessions, no
    /// further packet is decoded. Both go on at half of it. A client's session decodes on: were both sides to wait for the
    /// other to read, none would. Where sessions hold much together, nothing is decoded from 16 KiB on: see
    /// [`held`](field@Self::held). Default 256 KiB.
    pub out_high: usize,
    /// Bytes waiting in the out-buffer from which writes fail with [`WriteError::Full`](crate::WriteError::Full). One packet may
    /// go beyond it, so the memory bound is this plus the longest packet. Default 16 MiB.
    pub out_hard: usize,
    /// How long a peer may take none of the bytes that wait for it. Above it the session ends with
    /// [`Error::Stalled`](crate::Error::Stalled). Rounded up to 10 ms. Default 30 s.
    pub stall: Duration,
    /// Bytes that the sessions of a server or client may hold together while they wait for their peers: of packets that are not whole,
    /// and of output that is not taken. A session of up to 64 KiB is not counted. From half of it on, accepted sessions decode no further
    /// packet while more than 16 KiB wait for their peer, so that many who read slowly are slowed down, and need not end. One that is to
    /// hold more than before while all hold too much ends with [`Error::Overloaded`](crate::Error::Overloaded). The limit of a single session, which
    /// [`Opened::limits`](field@crate::Opened::limits) can set, has no say in it. Default 128 MiB.
    pub held: usize,
    /// Bytes that a session reads before others get their turn; a read of up to 64 KiB that began below it may go beyond it.
    /// Default 64 KiB.
    pub turn: usize,
    /// Packets that a session decodes before others get their turn, at least 1: small ones cost more than their bytes.
    /// Default 128.
    pub turn_packets: usize,
    /// Frames that bring nothing, which are pings, pongs and empty messages, that a peer may send over WebSocket in a second. A second
    /// with more is a strike, and the third one, if none is more than 5 s after the one before, ends the session with
    /// [`Error::Transport`](crate::Error::Transport) and the close code 1008. This side sends at most a third as many pings a second, and at
    /// least one, however short [`cron`](field@Self::cron) is. Other transports have no such frames. Default 10.
    pub control_frames: usize,
    /// Futures of [`Session::run`](crate::Session::run) that have become tasks, from which an accepted session decodes no further packet
    /// until one of them is done. Default 32,768.
    pub runs: usize,
    /// How long an ending session waits for futures given to [`Session::run`](crate::Session::run) and for the peer to take what is
    /// still queued. Default 3 s.
    pub close_wait: Duration,
    /// Period of [`on_cron`](crate::EventListener::on_cron), and of the pings of WebSocket; `None`: never called. Rounded up to 10 ms. Default `None`.
    pub cron: Option<Duration>,
    /// Sessions that a server holds at a time; further connections are closed right after they are accepted. Default 16,384.
    pub sessions: usize,
    /// Those among [`sessions`](field@Self::sessions) that have the same peer address, whatever its port; in IPv6 the same first 64
    /// bits, as whoever has one address of a network has them all. Further ones are closed right after they are accepted.
    /// Transports without addresses know no such limit. Default 1,000. Many honest peers behind one address (a proxy, a
    /// translator) need more.
    pub sessions_per_address: usize,
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
            compression_ratio: 100,
            packet_wait: Duration::from_secs(30),
            packet_rate: 1_024,
            first_packet: Duration::from_secs(180),
            out_high: 256 * 1024,
            out_hard: 16 * 1024 * 1024,
            stall: Duration::from_secs(30),
            held: 128 * 1024 * 1024,
            turn: 64 * 1024,
            turn_packets: 128,
            control_frames: 10,
            runs: 32_768,
            close_wait: Duration::from_secs(3),
            cron: None,
            sessions: 16_384,
            sessions_per_address: 1_000,
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
    /// Sets [`Limits::compression_ratio`](field@Limits::compression_ratio).
    compression_ratio: usize,
    /// Sets [`Limits::packet_wait`](field@Limits::packet_wait).
    packet_wait: Duration,
    /// Sets [`Limits::packet_rate`](field@Limits::packet_rate), in bytes a second.
    packet_rate: usize,
    /// Sets [`Limits::first_packet`](field@Limits::first_packet).
    first_packet: Duration,
    /// Sets [`Limits::out_high`](field@Limits::out_high), in bytes.
    out_high: usize,
    /// Sets [`Limits::out_hard`](field@Limits::out_hard), in bytes.
    out_hard: usize,
    /// Sets [`Limits::stall`](field@Limits::stall).
    stall: Duration,
    /// Sets [`Limits::held`](field@Limits::held), in bytes.
    held: usize,
    /// Sets [`Limits::turn`](field@Limits::turn), in bytes.
    turn: usize,
    /// Sets [`Limits::turn_packets`](field@Limits::turn_packets).
    turn_packets: usize,
    /// Sets [`Limits::control_frames`](field@Limits::control_frames), in frames a second.
    control_frames: usize,
    /// Sets [`Limits::runs`](field@Limits::runs).
    runs: usize,
    /// Sets [`Limits::close_wait`](field@Limits::close_wait).
    close_wait: Duration,
    /// Sets [`Limits::cron`](field@Limits::cron).
    cron: Option<Duration>,
    /// Sets [`Limits::sessions`](field@Limits::sessions).
    sessions: usize,
    /// Sets [`Limits::sessions_per_address`](field@Limits::sessions_per_address).
    sessions_per_address: usize,
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
