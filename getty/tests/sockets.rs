//! Options of sockets: what the limits of a session say is set, and what they leave open stays.

#![cfg(unix)]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{net, time::Duration};

use getty::{
    ConnInfo, Limits, Opened, Protocol, Session, accept, on_message,
    transport::{Tcp, Transport, Udp, Unix},
};
use socket2::SockRef;
use support::{FrameReader, FrameWriter, Frames, tcp_pair};
use tokio::net::{TcpStream, UdpSocket, UnixStream};

/// A TCP connection for a session, a second handle of its socket, and the other end.
async fn tcp() -> (Tcp, net::TcpStream, TcpStream) {
    let (own, peer) = tcp_pair().await;
    let own = own.into_std().unwrap();
    let same = own.try_clone().unwrap();
    (Tcp::new(TcpStream::from_std(own).unwrap()).unwrap(), same, peer)
}

fn session(conn: impl Transport, limits: Limits) -> Session<Frames> {
    accept(conn, Frames, on_message(|_, _| {}), limits)
}

/// Linux doubles the number that was asked for.
fn is_about(bytes: usize, wanted: usize) -> bool {
    [wanted, 2 * wanted].contains(&bytes)
}

#[tokio::test]
async fn a_tcp_session_keeps_its_connection_alive_and_sends_at_once_by_default() {
    let (conn, socket, _peer) = tcp().await;
    let _session = session(conn, Limits::default());
    let socket = SockRef::from(&socket);
    assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
    assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(60));
    assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(15));
}

#[tokio::test]
async fn a_tcp_session_sets_what_its_limits_say() {
    let (conn, socket, _peer) = tcp().await;
    let limits = Limits::default()
        .keep_alive(Some(Duration::from_millis(39_500)))
        .no_delay(false)
        .send_buffer(Some(32 * 1024))
        .receive_buffer(Some(48 * 1024));
    let _session = session(conn, limits);
    let socket = SockRef::from(&socket);
    assert!(!socket.tcp_nodelay().unwrap());
    assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(40));
    assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(10));
    assert!(is_about(socket.send_buffer_size().unwrap(), 32 * 1024));
    assert!(is_about(socket.recv_buffer_size().unwrap(), 48 * 1024));
}

#[tokio::test]
async fn what_the_limits_leave_open_stays_as_the_user_has_set_it() {
    let (conn, socket, _peer) = tcp().await;
    let socket = SockRef::from(&socket);
    socket.set_keepalive(false).unwrap();
    socket.set_send_buffer_size(20 * 1024).unwrap();
    let before = (socket.send_buffer_size().unwrap(), socket.recv_buffer_size().unwrap());
    let _session = session(conn, Limits::default().keep_alive(None));
    assert!(!socket.keepalive().unwrap());
    assert_eq!((socket.send_buffer_size().unwrap(), socket.recv_buffer_size().unwrap()), before);
}

#[tokio::test]
async fn limits_that_a_protocol_gives_one_session_hold_for_its_socket() {
    struct Small;
    impl Protocol for Small {
        type Reader = FrameReader;
        type Writer = FrameWriter;
        type State = ();

        fn open(&self, _: &ConnInfo) -> Opened<FrameReader, FrameWriter, ()> {
            let limits = Limits::default().send_buffer(Some(24 * 1024));
            Opened { limits: Some(limits), ..Opened::new(FrameReader, FrameWriter, ()) }
        }
    }
    let (conn, socket, _peer) = tcp().await;
    let _session = accept(conn, Small, on_message(|_, _| {}), Limits::default());
    assert!(is_about(SockRef::from(&socket).send_buffer_size().unwrap(), 24 * 1024));
}

#[tokio::test]
async fn buffers_of_unix_and_udp_sockets_and_below_a_compression_are_set_too() {
    let limits = Limits::default().send_buffer(Some(40 * 1024)).receive_buffer(Some(44 * 1024));
    let check = |socket: SockRef<'_>| {
        assert!(is_about(socket.send_buffer_size().unwrap(), 40 * 1024));
        assert!(is_about(socket.recv_buffer_size().unwrap(), 44 * 1024));
    };

    let (own, _peer) = UnixStream::pair().unwrap();
    let own = own.into_std().unwrap();
    let socket = own.try_clone().unwrap();
    let _session = session(Unix::new(UnixStream::from_std(own).unwrap()), limits);
    check(SockRef::from(&socket));

    let own = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    own.connect("127.0.0.1:9").await.unwrap();
    let own = own.into_std().unwrap();
    let socket = own.try_clone().unwrap();
    let _session = session(Udp::new(UdpSocket::from_std(own).unwrap()).unwrap(), limits);
    check(SockRef::from(&socket));

    #[cfg(feature = "compression")]
    {
        let (conn, socket, _peer) = tcp().await;
        let conn = getty::transport::Compressed::new(conn, getty::transport::Compression::default());
        let _session = session(conn, limits);
        check(SockRef::from(&socket));
    }
}

#[cfg(all(target_os = "linux", feature = "tls", feature = "ws"))]
#[tokio::test]
async fn tls_and_websocket_sessions_keep_their_connections_alive_as_their_limits_say() {
    use getty::transport::{TlsClient, TlsListen, TlsServer, WsClient, WsListen, WsServer};

    const ANY: &str = "127.0.0.1:0";
    let authority = support::Authority::new();
    let tls = TlsServer::new(authority.certify("127.0.0.1").identity());
    let trusting = TlsClient::new(authority.roots());

    let listen = TlsListen::bind(ANY, tls.clone()).await.unwrap();
    keeps_alive(listen, |client, server| client.tls(server.to_string(), trusting.clone())).await;

    let listen = WsListen::bind(ANY, WsServer::new("/")).await.unwrap();
    keeps_alive(listen, |client, server| client.ws(WsClient::new(&format!("ws://{server}/")).unwrap())).await;

    let listen = WsListen::bind(ANY, WsServer::new("/").tls(tls)).await.unwrap();
    keeps_alive(listen, |client, server| {
        client.ws(WsClient::over_tls(&format!("wss://{server}/"), trusting.clone()).unwrap())
    })
    .await;
}

/// Both sides of a session, each with limits of its own.
#[cfg(all(target_os = "linux", feature = "tls", feature = "ws"))]
async fn keeps_alive(
    listen: impl getty::transport::Listen,
    dial: impl FnOnce(getty::ClientBuilder<Frames>, net::SocketAddr) -> getty::Client<Frames>,
) {
    use getty::{ClientBuilder, Server};

    const SECOND: Duration = Duration::from_secs(1);
    let limits = |silence| Limits::default().keep_alive(Some(silence)).dial(20 * SECOND);
    let (accepted, dialled) = (400 * SECOND, 800 * SECOND);
    let server = Server::over(listen).limits(limits(accepted));
    let address = server.local_addr().unwrap();
    tokio::spawn(server.serve(Frames, on_message(|_, _| {})));
    let builder = ClientBuilder::new(Frames, on_message(|_, _| {})).limits(limits(dialled));
    let client = dial(builder, address);
    let session = support::within(client.session()).await.unwrap();
    let own = session.info().local.unwrap();
    for (from, to, silence) in [(address, own, accepted), (own, address, dialled)] {
        // Some of the time has gone by already.
        let expected = silence - 100 * SECOND..=silence;
        support::until(|| time_to_the_probe(from, to).is_some_and(|time| expected.contains(&time))).await;
    }
}

/// When the system will probe whether the peer of this TCP connection lives; `None` where it will not, or has something else to do
/// first.
#[cfg(all(target_os = "linux", feature = "tls", feature = "ws"))]
fn time_to_the_probe(from: net::SocketAddr, to: net::SocketAddr) -> Option<Duration> {
    /// The timer of keep-alive, in the file's column `tr`.
    const KEEP_ALIVE: &str = "02";
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let (from, to) = (format!(":{:04X}", from.port()), format!(":{:04X}", to.port()));
    let mut rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row[1].ends_with(&from) && row[2].ends_with(&to))?;
    let (timer, when) = row[5].split_once(':').unwrap();
    let hundredths = u64::from_str_radix(when, 16).unwrap();
    (timer == KEEP_ALIVE).then(|| Duration::from_millis(10 * hundredths))
}
