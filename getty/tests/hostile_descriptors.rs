//! A server whose process has no descriptors left: it costs no processor, says so once a second, serves those that it has, closes
//! the connections of those who wait in vain, and accepts again at once when there are some.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use getty::{Limits, Server, transport::UnixListen};
use support::{
    Folder, Frames,
    child::{Child, is_child, let_go},
    echo, frame,
    hostile::{Honest, Target, connect},
    logs::print_warnings,
    read_frame, read_to_end, within,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UnixStream},
};

const WINDOW: Duration = Duration::from_secs(3);
const AGAIN: Duration = Duration::from_secs(1);
/// A busy machine may spoil one.
const ROUNDS: usize = 3;

#[tokio::test]
async fn without_descriptors_a_server_rests_serves_on_and_accepts_again_when_it_has_some() {
    if is_child() {
        return serve().await;
    }
    let mut child = Child::run(
        "without_descriptors_a_server_rests_serves_on_and_accepts_again_when_it_has_some",
        "-n 256",
    );
    let addr = child.told("listens at ").parse().unwrap();
    let honest = Honest::tcp(addr).await;
    // The system has a place for those that the process cannot accept, up to its backlog.
    let mut crowd = connect(300, addr).await;
    child.told("cannot accept");
    honest.goes_on().await;
    the_last_are_turned_away(&mut crowd).await;
    honest.goes_on().await;
    // What an honest one uses is not to be counted with the accepting.
    drop(honest);
    let _in_its_place = served(addr).await;
    child.lines();
    let (cpu, began) = (child.cpu(), Instant::now());
    while began.elapsed() < WINDOW {
        // There is always somebody who waits.
        for mut peer in connect(20, addr).await {
            assert_eq!(read_to_end(&mut peer).await, b"");
        }
    }
    let (cpu, time) = (child.cpu() - cpu, began.elapsed());
    let lines = child.lines().iter().filter(|line| line.contains("cannot accept")).count();
    println!("{cpu:?} of processor time in {time:?} without descriptors, {lines} lines in the log");
    assert!(cpu <= time / 20, "{cpu:?} of processor time in {time:?}");
    assert!((1..=time.as_secs() as usize + 1).contains(&lines), "{lines} lines in {time:?}");
    assert!(child.is_running());

    let mut again = Vec::new();
    while again.iter().all(|time| *time > AGAIN) {
        assert!(again.len() < ROUNDS, "accepted again after {again:?}");
        if !again.is_empty() {
            crowd = connect(300, addr).await;
            the_last_are_turned_away(&mut crowd).await;
        }
        let began = Instant::now();
        crowd.clear();
        drop(served(addr).await);
        again.push(began.elapsed());
    }
    println!("accepted again after {again:?}");
    Honest::tcp(addr).await.goes_on().await;
    assert!(child.end().success());
}

#[cfg(feature = "ws")]
#[tokio::test]
async fn who_waits_for_a_handshake_without_descriptors_is_turned_away_too() {
    use getty::transport::{WsListen, WsServer};
    use support::ws;

    if is_child() {
        let listen = WsListen::bind("127.0.0.1:0", WsServer::new("/echo")).await.unwrap();
        let target = Target::of(Server::over(listen), Limits::default());
        println!("listens at {}", target.addr);
        let_go().await;
        return assert!(target.counts.turned_away() > 0);
    }
    let child = Child::run("who_waits_for_a_handshake_without_descriptors_is_turned_away_too", "-n 64");
    let addr = child.told("listens at ").parse().unwrap();
    let (client, events) = ws::client(ws::ws_to(addr));
    let honest = Honest::over(client, events).await;
    let mut crowd = connect(100, addr).await;
    the_last_are_turned_away(&mut crowd).await;
    honest.goes_on().await;
    assert!(child.end().success());
}

/// Its listener does not ask the gate.
#[tokio::test]
async fn who_waits_at_a_unix_socket_without_descriptors_is_turned_away_too() {
    if is_child() {
        let folder = Folder::new();
        let path = folder.socket();
        let server = Server::over(UnixListen::bind(&path).unwrap());
        let counts = server.counts();
        println!("listens at {}", path.display());
        server.serve_until(Frames, echo(), let_go()).await.unwrap();
        return assert!(counts.turned_away() > 0);
    }
    let child = Child::run("who_waits_at_a_unix_socket_without_descriptors_is_turned_away_too", "-n 64");
    let path = child.told("listens at ");
    let mut honest = UnixStream::connect(&path).await.unwrap();
    let mut crowd = Vec::new();
    for _ in 0..100 {
        crowd.push(UnixStream::connect(&path).await.unwrap());
    }
    the_last_are_turned_away(&mut crowd).await;
    honest.write_all(&frame(b"here still")).await.unwrap();
    assert_eq!(read_frame(&mut honest).await, b"here still");
    assert!(child.end().success());
}

/// Those that came last are not accepted, and are not left to wait for it either.
async fn the_last_are_turned_away(crowd: &mut [impl AsyncRead + Unpin]) {
    for last in crowd.iter_mut().rev().take(20) {
        assert_eq!(read_to_end(last).await, b"");
    }
}

/// Connects until an echo comes back: who comes too soon is turned away.
async fn served(addr: SocketAddr) -> TcpStream {
    let packet = frame(b"at last");
    let mut answer = vec![0; packet.len()];
    within(async {
        loop {
            let mut peer = TcpStream::connect(addr).await.unwrap();
            if peer.write_all(&packet).await.is_ok() && peer.read_exact(&mut answer).await.is_ok() {
                assert_eq!(answer, packet);
                return peer;
            }
        }
    })
    .await
}

async fn serve() {
    print_warnings();
    let target = Target::serve(Limits::default()).await;
    println!("listens at {}", target.addr);
    let_go().await;
    assert!(target.counts.failed() > 0);
    // Of the crowd alone more than forty had no place.
    assert!(target.counts.turned_away() > 40, "{:?}", target.counts);
}
