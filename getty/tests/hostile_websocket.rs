//! Hostile peers of WebSocket behind their handshake, on real sockets: messages without end, pings without end, and pings that
//! nobody reads the answers to.

#![cfg(feature = "ws")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::time::Duration;

use getty::{
    Error, Limits, Server,
    transport::{WsListen, WsServer},
};
use support::{
    hostile::{Honest, Target},
    within,
    ws::{BINARY, CLOSE, FIN, PING, PONG, RawWs, client, ws_to},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    time::sleep,
};

const LIMIT: Duration = Duration::from_secs(1);
const PEERS: usize = 20;

async fn serve(limits: Limits) -> (Target, Honest) {
    let listen = WsListen::bind("127.0.0.1:0", WsServer::new("/echo")).await.unwrap();
    let target = Target::of(Server::over(listen), limits);
    let (client, events) = client(ws_to(target.addr));
    let honest = Honest::over(client, events).await;
    (target, honest)
}

#[tokio::test]
async fn messages_that_come_in_fragments_without_end_or_in_half_a_frame_are_given_up_in_time() {
    let (mut target, honest) = serve(Limits::default().packet_wait(LIMIT).packet_rate(10_000)).await;
    let mut slow = Vec::new();
    for peer in 0..PEERS {
        let mut raw = RawWs::client(target.addr, "/echo").await;
        slow.push(tokio::spawn(async move {
            let whole = raw.frame(BINARY, &[0xc5; 1_000]);
            let mut pieces = match peer % 3 {
                // Fragments of one byte each, or of none; none is the last one.
                0 => vec![raw.frame(BINARY & !FIN, &[0xc5]), raw.frame(0, &[0])],
                1 => vec![raw.frame(BINARY & !FIN, &[]), raw.frame(0, &[])],
                // One frame, byte by byte.
                _ => whole.iter().map(|&byte| vec![byte]).collect(),
            }
            .into_iter();
            let mut piece = pieces.next().unwrap();
            while raw.stream.write_all(&piece).await.is_ok() {
                sleep(Duration::from_millis(20)).await;
                piece = pieces.next().unwrap_or(piece);
            }
        }));
    }
    honest.goes_on().await;
    for _ in 0..PEERS {
        let (session, error) = target.next_end().await;
        assert!(matches!(error.as_deref(), Some(Error::Slow { limit: LIMIT, .. })), "{error:?}");
        assert_eq!(session.stats().read_packets, 0);
    }
    for peer in slow {
        within(peer).await.unwrap();
    }
    honest.goes_on().await;
}

#[tokio::test]
async fn a_message_of_more_than_1024_fragments_ends_its_session_whatever_their_length() {
    let (mut target, honest) = serve(Limits::default()).await;
    for payload in [&b""[..], b"x"] {
        let mut raw = RawWs::client(target.addr, "/echo").await;
        let fragment = raw.frame(0, payload);
        let mut fragments = raw.frame(BINARY & !FIN, payload);
        fragments.extend(fragment.repeat(1_023));
        raw.send_raw(&fragments).await;
        honest.goes_on().await;
        raw.send_raw(&fragment).await;
        let (_, error) = target.next_end().await;
        let Some(Error::Transport(error)) = error.as_deref() else { panic!("{error:?}") };
        assert!(error.to_string().contains("more than 1024 fragments"), "{error}");
        assert_eq!(raw.receive().await, (CLOSE, 1008_u16.to_be_bytes().to_vec()));
    }
    honest.goes_on().await;
}

#[tokio::test]
async fn frames_that_bring_nothing_end_their_session_when_they_come_without_end() {
    let (mut target, honest) = serve(Limits::default()).await;
    let mut floods = Vec::new();
    for first in [PING, PONG, BINARY] {
        let mut raw = RawWs::client(target.addr, "/echo").await;
        floods.push(tokio::spawn(async move {
            let frame = raw.frame(first, b"");
            let mut frames = Vec::new();
            // Four times as many as may come, and not more: the honest peer is to have its part of the machine.
            while raw.stream.write_all(&frame).await.is_ok() {
                let _ = raw.stream.try_read_buf(&mut frames);
                if frames.ends_with(&[CLOSE, 2, 3, 0xf0]) {
                    return frames;
                }
                sleep(Duration::from_millis(25)).await;
            }
            within(raw.stream.read_to_end(&mut frames)).await.unwrap();
            frames
        }));
    }
    honest.goes_on().await;
    for _ in 0..floods.len() {
        let (session, error) = target.next_end().await;
        let Some(Error::Transport(error)) = error.as_deref() else { panic!("{error:?}") };
        assert!(error.to_string().contains("more than 10 a second"), "{error}");
        assert_eq!(session.stats().read_packets, 0);
        honest.goes_on().await;
    }
    for flood in floods {
        let frames = within(flood).await.unwrap();
        // 1008: a policy was violated.
        assert!(frames.ends_with(&[CLOSE, 2, 3, 0xf0]), "{frames:02x?}");
    }
    honest.goes_on().await;
}

#[tokio::test]
async fn a_peer_that_pings_without_end_and_reads_no_pong_is_given_up() {
    // Else it would be given up for its pings.
    let (mut target, honest) = serve(Limits::default().stall(LIMIT).control_frames(usize::MAX)).await;
    let socket = TcpSocket::new_v4().unwrap();
    // The system is not to read much in its place.
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut raw = RawWs::over(socket.connect(target.addr).await.unwrap(), "/echo").await;
    let flood = tokio::spawn(async move {
        let ping = raw.frame(PING, &[7; 125]);
        // One by one, as many at once are answered once.
        while raw.stream.write_all(&ping).await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    honest.goes_on().await;
    let (session, error) = target.next_end().await;
    assert!(matches!(error.as_deref(), Some(Error::Stalled { limit: LIMIT, .. })), "{error:?}");
    assert_eq!(session.stats().read_packets, 0);
    within(flood).await.unwrap();
    honest.goes_on().await;
}
