//! What the system says about connections.

use std::{net::Ipv4Addr, time::Duration};

use tokio::{net::TcpListener, time::timeout};

/// Established connections to a local port.
pub(crate) fn connections_to(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux");
    let remote = format!(":{port:04X}");
    table
        .lines()
        .filter(|line| {
            let mut fields = line.split_whitespace().skip(2);
            fields.next().is_some_and(|address| address.ends_with(&remote)) && fields.next() == Some("01")
        })
        .count()
}

/// From a second on, nobody dials the place where a provider was. To see that takes a while by its nature.
pub(crate) async fn nobody_dials(port: u16, watched: Duration) {
    tokio::time::sleep(Duration::from_secs(1)).await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.expect("the port is free again");
    let dialled = timeout(watched, listener.accept()).await;
    assert!(dialled.is_err(), "dialled by {dialled:?}");
}
