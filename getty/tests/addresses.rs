//! Addresses that are of no use are errors that say so, not panics; and a client's own address can be the user's choice.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{io::ErrorKind, time::Duration};

use getty::{
    Attempt, Backoff, ClientBuilder, Server, SessionError, on_message,
    transport::{Tcp, TcpListen, UdpListen},
};
use support::{Frames, Recorder, echo, reset, within};
use tokio::net::{TcpListener, TcpSocket, UdpSocket};

const ANY: &str = "127.0.0.1:0";
/// Of a network that is for documentation only, so no machine has it.
const NOBODYS: &str = "192.0.2.1:0";
/// A part of a name may have 63 letters, so nobody has to be asked about this one.
const NO_NAME: &str = "there-is-no-host-with-a-name-that-has-more-than-sixty-three-letters:80";

#[tokio::test]
async fn an_address_that_cannot_be_listened_at_is_an_error() {
    let taken = TcpListener::bind(ANY).await.unwrap();
    let taken_udp = UdpSocket::bind(ANY).await.unwrap();
    for (address, udp, expected) in [
        (
            taken.local_addr().unwrap().to_string(),
            taken_udp.local_addr().unwrap().to_string(),
            ErrorKind::AddrInUse,
        ),
        (NOBODYS.to_owned(), NOBODYS.to_owned(), ErrorKind::AddrNotAvailable),
        ("127.0.0.1".to_owned(), "127.0.0.1".to_owned(), ErrorKind::InvalidInput),
    ] {
        assert_eq!(Server::bind(&address).await.unwrap_err().kind(), expected, "{address}");
        assert_eq!(TcpListen::bind(&address).await.unwrap_err().kind(), expected, "{address}");
        assert_eq!(UdpListen::bind(&udp).await.unwrap_err().kind(), expected, "{udp}");
        #[cfg(feature = "ws")]
        {
            use getty::transport::{WsListen, WsServer};
            let bound = WsListen::bind(&address, WsServer::new("/")).await;
            assert_eq!(bound.unwrap_err().kind(), expected, "{address}");
        }
        #[cfg(feature = "tls")]
        {
            use getty::transport::{TlsListen, TlsServer};
            let tls = TlsServer::new(support::Authority::new().certify("localhost").identity());
            let bound = TlsListen::bind(&address, tls).await;
            assert_eq!(bound.unwrap_err().kind(), expected, "{address}");
        }
    }
}

#[tokio::test]
async fn a_name_that_is_nobodys_is_an_error_that_says_which() {
    for address in [NO_NAME, "localhost", "127.0.0.1:http", ""] {
        let builder = || ClientBuilder::new(Frames, on_message(|_, _| {}));
        for client in [builder().tcp(address), builder().udp(address)] {
            match within(client.session()).await {
                Err(SessionError::Unreachable { address: named, cause, attempts: 1, .. }) => {
                    assert!(named == address && !cause.is_empty(), "{named:?}: {cause:?}");
                }
                other => panic!("{address:?} came to {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_socket_that_is_connected_to_itself_is_no_connection() {
    // What a dial comes to that meets its own port, where nobody listens.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(ANY.parse().unwrap()).unwrap();
    let own = socket.local_addr().unwrap();
    let stream = within(socket.connect(own)).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap(), own);
    let refused = Tcp::new(stream).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AddrNotAvailable);
    assert_eq!(refused.to_string(), format!("the socket to {own} connected to itself"));
}

#[tokio::test]
async fn a_client_may_keep_its_own_port_over_reconnects() {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let server = listener.local_addr().unwrap();
    let own = TcpListener::bind(ANY).await.unwrap().local_addr().unwrap();
    let (recorder, mut events) = Recorder::new();
    let client = ClientBuilder::new(Frames, recorder)
        .backoff(Backoff::default().first(Duration::from_millis(1)))
        .dial(server.to_string(), move || async move {
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            socket.bind(own)?;
            Tcp::new(socket.connect(server).await?)
        });
    let _user = tokio::spawn({
        let client = client.clone();
        async move { client.connect().await }
    });
    for round in 0..3 {
        let (peer, address) = within(listener.accept()).await.unwrap();
        assert_eq!(address, own);
        let session = events.open().await;
        assert_eq!(session.info().local, Some(own));
        assert_eq!(session.info().attempt, if round == 0 { Attempt::First } else { Attempt::Again });
        // An orderly end would keep the port for a minute, on whichever side says it first.
        reset(peer);
        events.close().await;
    }
}

#[tokio::test]
async fn a_port_that_the_system_chooses_is_said() {
    for addresses in [ANY, "[::1]:0"] {
        let server = Server::bind(addresses).await.unwrap();
        let address = server.local_addr().unwrap();
        assert_ne!(address.port(), 0);
        tokio::spawn(server.serve(Frames, echo()));
        let (recorder, mut events) = Recorder::new();
        let client = ClientBuilder::new(Frames, recorder).tcp(address.to_string());
        let session = within(client.session()).await.unwrap();
        assert_eq!(session.peer(), Some(address));
        session.write("hello".into()).unwrap();
        events.open().await;
        assert_eq!(events.message().await, "hello");
    }
}
