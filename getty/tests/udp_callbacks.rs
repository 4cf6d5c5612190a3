//! UDP: what listeners may do in their callbacks and beside them, and how a client's session begins.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{net::SocketAddr, thread, time::Duration};

use bytes::Bytes;
use getty::{ClientBuilder, EventListener, Server, Session, on_message, transport::UdpListen};
use support::{Frames, Recorder, frame, within};
use tokio::{net::UdpSocket, time::Instant};

const ANY: &str = "127.0.0.1:0";

#[tokio::test]
async fn a_callback_that_refuses_or_panics_ends_its_own_session_and_no_other() {
    let refused = UdpSocket::bind(ANY).await.unwrap();
    let by_address = refused.local_addr().unwrap();
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder
        .on_open(move |session: &Session<Frames>| match session.peer() {
            Some(peer) if peer == by_address => Err("not you".into()),
            _ => Ok(()),
        })
        .on_message(|session, packet| {
            assert_ne!(packet, "bad", "on purpose");
            session.write(packet).unwrap();
        });
    let server = serve(recorder).await;
    let good = peer_of(server).await;
    good.send(&frame(b"before")).await.unwrap();
    assert_eq!(receive(&good).await, frame(b"before"));
    let (first, _) = (events.open().await, events.message().await);
    let bad = peer_of(server).await;
    refused.connect(server).await.unwrap();
    for _ in 0..3 {
        // Each datagram of a peer whose session has ended is a new beginning.
        bad.send(&frame(b"bad")).await.unwrap();
        events.open().await;
        assert_eq!(events.message().await, "bad");
        assert_eq!(events.next().await.what.name(), "error");
        assert_eq!(events.next().await.what.name(), "close");
        refused.send(&frame(b"let me in")).await.unwrap();
        events.open().await;
        assert_eq!(events.next().await.what.name(), "error");
        assert_eq!(events.next().await.what.name(), "close");
    }
    good.send(&frame(b"after")).await.unwrap();
    assert_eq!(receive(&good).await, frame(b"after"));
    let event = events.next().await;
    assert!(event.session == first && event.what.name() == "message");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_inside_and_outside_of_callbacks_do_not_wait_for_each_other() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_message(|session: &Session<Frames>, packet| {
        for _ in 0..3 {
            let _ = session.write(packet.clone());
        }
    });
    let server = serve(recorder).await;
    let peer = peer_of(server).await;
    peer.send(&frame(b"first")).await.unwrap();
    let session = events.open().await;
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let session = session.clone();
            thread::spawn(move || {
                for _ in 0..5_000 {
                    let _ = session.write(Bytes::from_static(b"outside"));
                }
            })
        })
        .collect();
    while !writers.iter().all(|writer| writer.is_finished()) {
        peer.send(&frame(b"inside")).await.unwrap();
        tokio::task::yield_now().await;
    }
    // Datagrams get lost, so the last word may have to be said again.
    within(async {
        loop {
            let _ = peer.send(&frame(b"last")).await;
            let answer = tokio::time::timeout(Duration::from_millis(20), receive(&peer)).await;
            if answer.is_ok_and(|answer| answer == frame(b"last")) {
                break;
            }
        }
    })
    .await;
    assert!(session.is_open());
}

#[tokio::test(start_paused = true)]
async fn a_session_to_a_silent_peer_is_there_at_once_and_sends_nothing_of_its_own() {
    for local in [ANY, "[::1]:0"] {
        let silent = UdpSocket::bind(local).await.unwrap();
        let start = Instant::now();
        let client =
            ClientBuilder::new(Frames, on_message(|_, _| {})).udp(silent.local_addr().unwrap().to_string());
        let session = client.session().await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO, "nothing was waited for");
        session.write(Bytes::from_static(b"first")).unwrap();
        assert_eq!(receive(&silent).await, frame(b"first"));
    }
}

async fn serve(listener: impl EventListener<Frames>) -> SocketAddr {
    let server = Server::over(UdpListen::bind(ANY).await.unwrap());
    let address = server.local_addr().unwrap();
    tokio::spawn(server.serve(Frames, listener));
    address
}

async fn peer_of(server: SocketAddr) -> UdpSocket {
    let peer = UdpSocket::bind(ANY).await.unwrap();
    peer.connect(server).await.unwrap();
    peer
}

async fn receive(peer: &UdpSocket) -> Vec<u8> {
    let mut buf = vec![0; 64 * 1024];
    let length = within(peer.recv(&mut buf)).await.unwrap();
    buf.truncate(length);
    buf
}
