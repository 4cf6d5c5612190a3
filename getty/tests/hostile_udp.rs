//! Forged and garbage datagrams from many addresses, on real sockets: no answer to what is no packet, little to what is, a bounded
//! table, and honest peers that go on.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use getty::{
    ClientBuilder, Limits, Server, Session,
    transport::{UdpCounts, UdpListen},
};
use support::{
    Frames, Recorder, frame,
    hostile::{Honest, Target},
    until, within,
};
use tokio::time::timeout;

const PEERS: usize = 64;
const FORGED: u16 = 1_000;

#[tokio::test]
async fn garbage_from_a_thousand_addresses_gets_no_answer_and_keeps_neither_old_peers_nor_new_ones_out() {
    let listen = UdpListen::bind("127.0.0.1:0").await.unwrap().peers(PEERS);
    let counts = listen.counts();
    let target = Target::of(Server::over(listen), Limits::default());
    let old = honest(target.addr).await;
    let forged: Vec<_> = (0..FORGED).map(socket).collect();
    for (sent, forged) in forged.iter().enumerate() {
        forged.send_to(b"garbage", target.addr).unwrap();
        // Each is either let in or turned away, so none is still under way, and none is lost by the system.
        until(|| target.sessions().len() as u64 + counts.refused() == sent as u64 + 2).await;
        assert!(target.live() <= PEERS + 2, "{} sessions", target.live());
    }
    old.goes_on().await;
    // All places are taken by strangers. They give way to an honest one, which asks until it is heard.
    let mut new = newcomer(target.addr).await;
    old.goes_on().await;
    assert!(counts.displaced() > 0, "{counts:?}");
    for forged in &forged {
        let mut answer = [0; 16];
        assert!(forged.recv_from(&mut answer).is_err(), "an answer to garbage");
    }
    // A thousand more do not push it out: it has sent packets.
    for forged in &forged {
        forged.send_to(b"garbage", target.addr).unwrap();
        // The server is to take each before the system has no room left, which would lose those of honest ones.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
    }
    old.goes_on().await;
    assert!(new.echoes().await, "the new peer has lost its place");
}

#[tokio::test]
async fn to_a_peer_no_more_is_sent_than_three_times_what_came_from_it() {
    let (recorder, _events) = Recorder::new();
    let asked = Bytes::from_static(&[7; 100]);
    let recorder = recorder.on_message(move |session: &Session<Frames>, packet: Bytes| {
        for _ in 0..if packet == asked { 50 } else { 1 } {
            session.write(packet.clone()).unwrap();
        }
    });
    let (addr, counts) = serve(UdpListen::bind("127.0.0.1:0").await.unwrap(), recorder).await;
    let honest = honest(addr).await;
    let peer = tokio_socket(0);
    for round in 1..=3 {
        peer.send_to(&frame(&[7; 100]), addr).await.unwrap();
        for _ in 0..3 {
            assert_eq!(receive(&peer).await, frame(&[7; 100]));
        }
        until(|| counts.withheld() == round * 47).await;
        honest.goes_on().await;
    }
    assert!(timeout(Duration::from_millis(50), receive(&peer)).await.is_err(), "a tenth answer");
}

#[tokio::test]
async fn a_server_that_may_answer_more_does() {
    let (recorder, _events) = Recorder::new();
    let recorder = recorder.on_message(|session: &Session<Frames>, _| {
        session.write(Bytes::from(vec![7; 10_000])).unwrap();
    });
    let listen = UdpListen::bind("127.0.0.1:0").await.unwrap().answers(u32::MAX);
    let (addr, counts) = serve(listen, recorder).await;
    let peer = tokio_socket(0);
    for _ in 0..3 {
        peer.send_to(&frame(b"x"), addr).await.unwrap();
        assert_eq!(receive(&peer).await.len(), 10_005);
    }
    assert_eq!(counts.withheld(), 0);
}

#[tokio::test]
async fn a_greeting_goes_to_nobody_who_has_not_sent_a_packet() {
    let (recorder, _events) = Recorder::new();
    let recorder = recorder
        .on_open(|session: &Session<Frames>| {
            session.write(Bytes::from_static(b"hello")).unwrap();
            Ok(())
        })
        .on_message(|session, packet| drop(session.write(packet)));
    let (addr, counts) = serve(UdpListen::bind("127.0.0.1:0").await.unwrap(), recorder).await;
    let mut old = newcomer(addr).await;
    let mut forged = Vec::new();
    for peer in 1..=5 {
        let socket = tokio_socket(peer);
        socket.send_to(b"garbage", addr).await.unwrap();
        until(|| counts.withheld() == u64::from(peer)).await;
        assert!(old.echoes().await, "the old peer gets no answers meanwhile");
        forged.push(socket);
    }
    let honest = tokio_socket(6);
    honest.send_to(&frame(b"x"), addr).await.unwrap();
    assert_eq!(receive(&honest).await, frame(b"hello"));
    for forged in forged {
        let mut nothing = [0; 16];
        assert!(forged.try_recv_from(&mut nothing).is_err(), "a greeting for garbage");
    }
}

/// A peer that asks until it is heard, as datagrams get lost.
struct Newcomer {
    socket: tokio::net::UdpSocket,
    addr: SocketAddr,
    asked: u32,
}

async fn newcomer(addr: SocketAddr) -> Newcomer {
    let mut newcomer = Newcomer { socket: tokio_socket(FORGED), addr, asked: 0 };
    within(async { while !newcomer.echoes().await {} }).await;
    newcomer
}

impl Newcomer {
    /// Whether there is an answer before long.
    async fn echoes(&mut self) -> bool {
        let mut sent = Vec::new();
        for _ in 0..20 {
            self.asked += 1;
            sent.push(frame(&self.asked.to_be_bytes()));
            self.socket.send_to(&sent[sent.len() - 1], self.addr).await.unwrap();
            // What still comes of an earlier call is no answer to this one.
            let answer = async { while !sent.contains(&receive(&self.socket).await) {} };
            if timeout(Duration::from_millis(100), answer).await.is_ok() {
                return true;
            }
        }
        false
    }
}

async fn honest(addr: SocketAddr) -> Honest {
    let (recorder, events) = Recorder::new();
    // The longest packet of it is larger than a datagram.
    Honest::with_sizes(ClientBuilder::new(Frames, recorder).udp(addr.to_string()), events, &[1, 100, 5_000])
        .await
}

async fn serve(listen: UdpListen, recorder: Recorder<Frames>) -> (SocketAddr, Arc<UdpCounts>) {
    let counts = listen.counts();
    let server = Server::over(listen);
    let addr = server.local_addr().unwrap();
    tokio::spawn(server.serve(Frames, recorder));
    (addr, counts)
}

/// A socket of an address of its own.
fn socket(peer: u16) -> UdpSocket {
    let [high, low] = peer.to_be_bytes();
    let socket = UdpSocket::bind((Ipv4Addr::new(127, 1, high, low), 0)).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

fn tokio_socket(peer: u16) -> tokio::net::UdpSocket {
    tokio::net::UdpSocket::from_std(socket(peer)).unwrap()
}

async fn receive(socket: &tokio::net::UdpSocket) -> Vec<u8> {
    let mut datagram = vec![0; 65_536];
    let (len, _) = within(socket.recv_from(&mut datagram)).await.unwrap();
    datagram.truncate(len);
    datagram
}
