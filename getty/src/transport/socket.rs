//! Options of the system's sockets, from the limits of their session.

use std::{io::Result, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use crate::Limits;

/// Sets what the limits say of a TCP socket.
pub(super) fn configure_tcp(stream: &TcpStream, limits: &Limits) {
    if !limits.no_delay {
        told("TCP_NODELAY", stream.set_nodelay(false));
    }
    let socket = SockRef::from(stream);
    if let Some(silence) = limits.keep_alive {
        told("SO_KEEPALIVE", socket.set_tcp_keepalive(&keep_alive(silence)));
    }
    configure_buffers(&socket, limits);
}

/// Sets what the limits say of any socket.
pub(super) fn configure_buffers(socket: &SockRef<'_>, limits: &Limits) {
    if let Some(bytes) = limits.send_buffer {
        told("SO_SNDBUF", socket.set_send_buffer_size(bytes));
    }
    if let Some(bytes) = limits.receive_buffer {
        told("SO_RCVBUF", socket.set_recv_buffer_size(bytes));
    }
}

fn keep_alive(silence: Duration) -> TcpKeepalive {
    const SECOND: Duration = Duration::from_secs(1);
    let whole =
        |time: Duration| Duration::from_secs(time.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX));
    let keep = TcpKeepalive::new().with_time(whole(silence.max(SECOND)));
    #[cfg(any(
        target_os = "linux",
        target_os = "android",
        target_os = "freebsd",
        target_vendor = "apple",
        windows
    ))]
    let keep = keep.with_interval(whole((silence / 4).max(SECOND)));
    keep
}

/// A socket that refuses an option is dead, which its session finds out by itself, or the system knows no such option.
fn told(option: &'static str, set: Result<()>) {
    if let Err(error) = set {
        tracing::debug!(option, %error, "an option of a socket was not set");
    }
}
