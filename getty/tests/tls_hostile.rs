//! Peers of TLS that speak something else, or stall: what they are told, and that they hold up nobody.

#![cfg(feature = "tls")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{net::SocketAddr, time::Duration};

use getty::transport::{TlsClient, TlsListen, TlsServer};
use support::{
    Authority, assert_echoes, echo, read_to_end,
    tls::{cause, cause_within, client, refusals, serve_with},
    within,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const ANY: &str = "127.0.0.1:0";
const LOCAL: &str = "127.0.0.1";

// Peers that speak no TLS.

#[tokio::test]
async fn a_plain_peer_on_a_tls_port_is_told_apart_and_harms_nobody() {
    let authority = Authority::new();
    let (refusals, mut refused) = refusals();
    let addr = serve_with(TlsServer::new(authority.certify(LOCAL).identity()), refusals, echo()).await;
    let mut plain = TcpStream::connect(addr).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let (peer, error) = within(refused.recv()).await.unwrap();
    assert_eq!(peer, plain.local_addr().unwrap());
    assert_eq!(error, "expected a TLS record, the client sent something else; does it speak plain text?");
    let (client, mut events) = client(&addr.to_string(), TlsClient::new(authority.roots()));
    assert_echoes(&client, &mut events).await;
}

#[tokio::test]
async fn a_tls_client_of_a_plain_server_says_what_it_met() {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"220 ready\r\n").await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    let cause = cause(addr, TlsClient::new(Authority::new().roots())).await;
    assert!(
        cause.contains("expected a TLS record, the server sent something else; does it speak plain text?"),
        "{cause}"
    );
}

#[tokio::test]
async fn a_server_that_hangs_up_or_keeps_silent_is_a_failed_dial() {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let hangs_up = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // All of the hello is taken, so that what follows is a FIN and no reset.
        let _ = stream.read(&mut [0; 4096]).await;
        stream.shutdown().await.unwrap();
        (stream, listener)
    });
    let tls = TlsClient::new(Authority::new().roots());
    let cause_of_end = cause(addr, tls.clone()).await;
    assert!(
        cause_of_end.contains("the server closed the connection in the middle of the TLS handshake"),
        "{cause_of_end}"
    );
    let _silent = hangs_up.await.unwrap();
    let cause_of_silence = cause_within(addr, tls, Duration::from_millis(50)).await;
    assert!(cause_of_silence.contains("no connection within 50ms"), "{cause_of_silence}");
}

#[tokio::test]
async fn a_panic_of_on_refused_does_not_end_the_server() {
    let authority = Authority::new();
    let panics = |listen: TlsListen| listen.on_refused(|_, _| panic!("on purpose"));
    let addr = serve_with(TlsServer::new(authority.certify(LOCAL).identity()), panics, echo()).await;
    let mut plain = TcpStream::connect(addr).await.unwrap();
    plain.write_all(b"no TLS at all").await.unwrap();
    read_to_end(&mut plain).await;
    let (client, mut events) = client(&addr.to_string(), TlsClient::new(authority.roots()));
    assert_echoes(&client, &mut events).await;
}

// Stalled handshakes.

#[tokio::test]
async fn two_hundred_stalled_handshakes_hold_nobody_up() {
    let authority = Authority::new();
    let (refusals, mut refused) = refusals();
    let addr = serve_with(TlsServer::new(authority.certify(LOCAL).identity()), refusals, echo()).await;
    let mut stalled = stall(addr, 200).await;
    for _ in 0..10 {
        let (client, mut events) = client(&addr.to_string(), TlsClient::new(authority.roots()));
        assert_echoes(&client, &mut events).await;
        within(client.close()).await;
    }
    assert!(refused.try_recv().is_err(), "none of them has been given up yet");
    // They are still being listened to.
    stalled[0].write_all(b"no TLS at all").await.unwrap();
    let (peer, _) = within(refused.recv()).await.unwrap();
    assert_eq!(peer, stalled[0].local_addr().unwrap());
}

#[tokio::test]
async fn more_stalled_handshakes_than_there_is_room_for_give_way_to_others() {
    let authority = Authority::new();
    let (told, mut refused) = refusals();
    let few = |listen: TlsListen| told(listen).handshakes(4);
    let addr = serve_with(TlsServer::new(authority.certify(LOCAL).identity()), few, echo()).await;
    let mut stalled = stall(addr, 6).await;
    let (client, mut events) = self::client(&addr.to_string(), TlsClient::new(authority.roots()));
    assert_echoes(&client, &mut events).await;
    // The oldest ones, and no more than had to.
    for stalled in &mut stalled[..3] {
        let (peer, error) = within(refused.recv()).await.unwrap();
        assert_eq!(peer, stalled.local_addr().unwrap());
        assert!(error.contains("gave way to others after 1s: 4 are under way"), "{error}");
        read_to_end(stalled).await;
    }
    assert!(refused.try_recv().is_err(), "nobody else waited");
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_given_up() {
    let authority = Authority::new();
    let (told, mut refused) = refusals();
    let brief = |listen: TlsListen| told(listen).handshake_within(Duration::from_millis(20));
    let addr = serve_with(TlsServer::new(authority.certify(LOCAL).identity()), brief, echo()).await;
    let mut stalled = stall(addr, 3).await;
    for _ in &stalled {
        let (_, error) = within(refused.recv()).await.unwrap();
        assert!(error.contains("the handshake was not done within 20ms"), "{error}");
    }
    for stalled in &mut stalled {
        assert_eq!(within(stalled.read_to_end(&mut Vec::new())).await.unwrap(), 0);
    }
}

/// Connections that send the beginning of a handshake, and no more.
async fn stall(addr: SocketAddr, count: usize) -> Vec<TcpStream> {
    let mut stalled = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(&[22, 3, 1]).await.unwrap();
        stalled.push(stream);
    }
    stalled
}
