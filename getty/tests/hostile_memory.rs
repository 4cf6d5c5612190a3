//! A server whose process may have little memory, under all kinds of hostile peers at once: it lives on, and serves.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    io::ErrorKind,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use getty::{Error, Limits, Server, Session, on_message};
use support::{
    Frames,
    child::{Child, is_child, let_go},
    frame,
    hostile::{Honest, Target, connect},
    read_frame, until,
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// In units of 1,024 bytes.
const MEMORY: usize = 512 * 1024;
const EACH: usize = 150;
const ANSWER: usize = 64 * 1024;
const TIME: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_half_a_gibibyte_a_server_outlives_hostile_peers_of_all_kinds() {
    if is_child() {
        return serve().await;
    }
    let mut child = Child::run(
        "with_half_a_gibibyte_a_server_outlives_hostile_peers_of_all_kinds",
        &format!("-v {MEMORY}"),
    );
    let addr = child.told("listens at ").parse().unwrap();
    let honest = Honest::tcp(addr).await;
    let silent = connect(EACH, addr).await;
    let mut halves = connect(EACH, addr).await;
    let mut unread = connect(EACH, addr).await;
    let mut floods = connect(EACH / 10, addr).await;
    // Packets of 8 MiB of which more comes all the time: more than a gibibyte in all.
    let half = &frame(&vec![0; 8 * 1024 * 1024])[..200_000];
    // 64 MiB for each, so ten gibibytes in all.
    let much = frame(b"much").repeat(1_024);
    let flood = frame(b"x").repeat(10_000);
    let end = Instant::now() + TIME;
    let mut random = fastrand::Rng::with_seed(50);
    while Instant::now() < end {
        for stream in &mut halves {
            push(stream, addr, half).await;
        }
        for stream in &mut unread {
            push(stream, addr, &much).await;
        }
        for stream in &mut floods {
            push(stream, addr, &flood).await;
        }
        for mut stream in connect(EACH / 10, addr).await {
            let garbage: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(1_000).collect();
            let _ = stream.write_all(&garbage).await;
        }
        for mut stream in connect(EACH / 10, addr).await {
            let _ = stream.write_all(&[0xc5, 0xff, 0xff, 0xff, 0xff]).await;
        }
        honest.goes_on().await;
        assert!(child.is_running(), "the server did not outlive it");
    }
    drop((silent, honest));
    drop(Honest::tcp(addr).await);
    assert!(child.end().success());
}

#[tokio::test]
async fn what_all_sessions_hold_together_is_bounded_and_those_of_small_packets_are_not_counted() {
    const HELD: usize = 1_200_000;
    const SMALL: usize = 5_000;
    let mut target = Target::serve(Limits::default().held(HELD)).await;
    let honest = Honest::tcp(target.addr).await;
    let part = &frame(&vec![7; 4_000_000])[..200_000];
    let packet = frame(&[7; 2 * SMALL]);
    let mut peers = Vec::new();
    let mut overloaded = 0;
    for peer in 1..=10 {
        let mut stream = TcpStream::connect(target.addr).await.unwrap();
        // It may be closed before it has sent all.
        let _ = stream.write_all(part).await;
        until(|| target.sessions().len() == peer + 1).await;
        let session = target.sessions().pop().unwrap();
        until(|| session.stats().read_bytes == part.len() as u64 || !session.is_open()).await;
        honest.goes_on().await;
        if !session.is_open() {
            let (_, error) = target.next_end().await;
            assert!(matches!(error.as_deref(), Some(Error::Overloaded { limit: HELD, .. })), "{error:?}");
            overloaded += 1;
        }
        peers.push(stream);
    }
    // Six would fit; but what is counted are buffers, which grow by doubling.
    assert!((4..=8).contains(&overloaded), "{overloaded} of ten ended");
    // Small packets in two parts meet no limit, though they are more than what is left of it: a buffer of one more did not fit.
    let (first, second) = packet.split_at(SMALL);
    let before = target.sessions().len();
    let mut small = connect(2 * part.len() / SMALL, target.addr).await;
    for stream in &mut small {
        stream.write_all(first).await.unwrap();
    }
    until(|| {
        let sessions = target.sessions();
        sessions.len() == before + small.len()
            && sessions
                .iter()
                .skip(before)
                .all(|session| session.stats().read_bytes == SMALL as u64 || !session.is_open())
    })
    .await;
    honest.goes_on().await;
    for stream in &mut small {
        stream.write_all(second).await.unwrap();
        assert_eq!(read_frame(stream).await.len(), 2 * SMALL);
    }
    // Those that go leave their share to others.
    drop((peers, small));
    until(|| target.live() == 1).await;
    let mut next = TcpStream::connect(target.addr).await.unwrap();
    next.write_all(part).await.unwrap();
    until(|| target.live() == 2).await;
    let session = target.sessions().pop().unwrap();
    until(|| session.stats().read_bytes == part.len() as u64).await;
    honest.goes_on().await;
    assert!(session.is_open());
}

/// Writes what the system takes. In the place of a connection that was closed comes another.
async fn push(stream: &mut TcpStream, addr: SocketAddr, bytes: &[u8]) {
    if stream.try_write(bytes).is_err_and(|error| error.kind() != ErrorKind::WouldBlock) {
        *stream = TcpStream::connect(addr).await.unwrap();
    }
}

async fn serve() {
    let listener = on_message(|session: &Session<Frames>, packet: Bytes| {
        let answer = if packet == "much" { vec![0; ANSWER].into() } else { packet };
        let _ = session.write(answer);
    });
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    println!("listens at {}", server.local_addr().unwrap());
    tokio::spawn(server.serve(Frames, listener));
    let_go().await;
}
