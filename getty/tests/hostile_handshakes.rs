//! Handshakes of TLS and WebSocket without end, from one address, on real sockets: honest peers get theirs, and nobody's is begun
//! for whom there is no place.

#![cfg(all(target_os = "linux", feature = "tls", feature = "ws"))]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use getty::{
    Limits, Server,
    transport::{TlsClient, TlsListen, TlsServer, WsListen, WsServer},
};
use support::{
    Authority, assert_echoes,
    hostile::{Honest, Target, connect_from, local},
    read_to_end, tls, until, within, ws,
};
use tokio::{io::AsyncWriteExt, task::JoinHandle};

const ANY: &str = "127.0.0.1:0";
const LOCAL: &str = "127.0.0.1";
/// Handshakes under way of one address, by default.
const PER_ADDRESS: usize = 256;

#[tokio::test]
async fn tls_handshakes_without_end_of_one_address_keep_no_honest_client_waiting() {
    let authority = Authority::new();
    let refused = Refused::default();
    let listen = TlsListen::bind(ANY, TlsServer::new(authority.certify(LOCAL).identity())).await.unwrap();
    let target = Target::of(Server::over(listen.on_refused(refused.hears())), Limits::default());
    let (client, events) = tls::client(&target.addr.to_string(), TlsClient::new(authority.roots()));
    let honest = Honest::over(client, events).await;
    // The beginning of a record that never comes.
    let flood = flood(target.addr, &[22, 3, 1]);
    for round in 1..=5 {
        until(|| refused.of(2) >= round * 100).await;
        let (client, mut events) = tls::client(&target.addr.to_string(), TlsClient::new(authority.roots()));
        assert_echoes(&client, &mut events).await;
        honest.goes_on().await;
    }
    assert!(!flood.is_finished());
    flood.abort();
    assert_eq!(refused.of(1), 0, "no honest handshake was refused");
    assert!(refused.has_text(&format!("{PER_ADDRESS} handshakes of this address are under way")));
}

#[tokio::test]
async fn websocket_handshakes_without_end_of_one_address_keep_no_honest_client_waiting() {
    let refused = Refused::default();
    let listen = WsListen::bind(ANY, WsServer::new("/echo")).await.unwrap();
    let target = Target::of(Server::over(listen.on_refused(refused.hears())), Limits::default());
    let (client, events) = ws::client(ws::ws_to(target.addr));
    let honest = Honest::over(client, events).await;
    let flood = flood(target.addr, b"GET /echo HTTP/1.1\r\nHost: ");
    for round in 1..=5 {
        until(|| refused.of(2) >= round * 100).await;
        let (client, mut events) = ws::client(ws::ws_to(target.addr));
        assert_echoes(&client, &mut events).await;
        honest.goes_on().await;
    }
    assert!(!flood.is_finished());
    flood.abort();
    assert_eq!(refused.of(1), 0, "no honest handshake was refused");
    assert!(refused.has_text(&format!("{PER_ADDRESS} handshakes of this address are under way")));
}

#[tokio::test]
async fn an_address_that_has_all_its_sessions_is_closed_before_its_handshake() {
    let authority = Authority::new();
    let refused = Refused::default();
    let listen = TlsListen::bind(ANY, TlsServer::new(authority.certify(LOCAL).identity())).await.unwrap();
    let listen = listen.on_refused(refused.hears());
    let target = Target::of(Server::over(listen), Limits::default().sessions_per_address(2));
    let mut honest = Vec::new();
    for _ in 0..2 {
        let (client, events) = tls::client(&target.addr.to_string(), TlsClient::new(authority.roots()));
        honest.push(Honest::over(client, events).await);
    }
    for peer in 1..=20 {
        // It says nothing, and needs not wait until its handshake takes too long.
        let mut stream = within(connect_from(1, target.addr)).await.unwrap();
        honest[peer as usize % 2].goes_on().await;
        assert_eq!(read_to_end(&mut stream).await, b"");
        assert_eq!(target.counts.refused_by_address(), peer);
    }
    assert!(refused.has_text("no place for a further session of this peer"));
    for honest in &honest {
        honest.goes_on().await;
    }
    // Another address has places of its own.
    let mut stream = within(connect_from(2, target.addr)).await.unwrap();
    stream.write_all(b"no TLS at all").await.unwrap();
    until(|| refused.of(2) == 1).await;
    assert!(refused.has_text("expected a TLS record"));
}

/// Begins handshakes from 127.0.0.2, and keeps more of them open than one address may have.
fn flood(addr: SocketAddr, begins: &'static [u8]) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut open = VecDeque::new();
        loop {
            let mut stream = within(connect_from(2, addr)).await.unwrap();
            // Those that are too many are closed.
            let _ = stream.write_all(begins).await;
            open.push_back(stream);
            if open.len() > 2 * PER_ADDRESS {
                open.pop_front();
            }
        }
    })
}

/// Handshakes that were refused.
#[derive(Clone, Default)]
struct Refused {
    of: Arc<[AtomicUsize; 3]>,
    texts: Arc<Mutex<Vec<String>>>,
}

impl Refused {
    fn hears(&self) -> impl Fn(SocketAddr, &std::io::Error) + Send + Sync + 'static {
        let Self { of, texts } = self.clone();
        move |peer, error| {
            let last = (1..3).find(|&last| peer.ip() == local(last)).unwrap();
            of[usize::from(last)].fetch_add(1, Ordering::SeqCst);
            let (mut texts, text) = (texts.lock().unwrap(), error.to_string());
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
    }

    /// How many of 127.0.0.1 or 127.0.0.2.
    fn of(&self, last: usize) -> usize {
        self.of[last].load(Ordering::SeqCst)
    }

    fn has_text(&self, text: &str) -> bool {
        self.texts.lock().unwrap().iter().any(|told| told.contains(text))
    }
}
