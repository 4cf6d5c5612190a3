//! Peers that ask for much and read nothing, on real sockets: what waits for them is bounded, and so is how long it waits.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use getty::{Error, Limits, Server, Session};
use support::{
    Frames, HEADER, Recorder, What, frame,
    hostile::{Honest, connect},
    read_frames, until, within,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PEERS: usize = 50;
/// 1,024 answers of 64 KiB are 64 MiB.
const ANSWER: usize = 64 * 1024;
const REQUESTS: usize = 1_024;

/// Answers "much" with so many bytes, all else with itself, and notes the most that waited for a peer.
fn answering(recorder: Recorder<Frames>, bytes: usize) -> (Recorder<Frames>, Arc<AtomicU64>) {
    let most = Arc::new(AtomicU64::new(0));
    let noted = Arc::clone(&most);
    let recorder = recorder.on_message(move |session: &Session<Frames>, packet: Bytes| {
        let answer = if packet == "much" { vec![0; bytes].into() } else { packet };
        session.write(answer).unwrap();
        noted.fetch_max(session.stats().queued_bytes, Ordering::SeqCst);
    });
    (recorder, most)
}

#[tokio::test]
async fn peers_that_ask_for_64_mib_and_read_nothing_cost_their_share_and_are_closed_at_the_limit() {
    let limits = Limits::default().stall(Duration::from_secs(1));
    let (recorder, mut events) = Recorder::new();
    let (recorder, most) = answering(recorder, ANSWER);
    let server = Server::bind("127.0.0.1:0").await.unwrap().limits(limits);
    let addr = server.local_addr().unwrap();
    tokio::spawn(server.serve(Frames, recorder));
    let honest = Honest::tcp(addr).await;
    let mut peers = connect(PEERS, addr).await;
    for peer in &mut peers {
        // It fits into what the system buffers.
        within(peer.write_all(&frame(b"much").repeat(REQUESTS))).await.unwrap();
    }
    honest.goes_on().await;
    within(async {
        let mut stalled = 0;
        while stalled < PEERS {
            let event = events.next().await;
            if let What::Error(error) = event.what {
                let Error::Stalled { queued, .. } = &*error else { panic!("{error}") };
                assert!(*queued > 0);
                let answered = event.session.stats().read_packets;
                assert!(answered < REQUESTS as u64, "it was not answered to the end");
                stalled += 1;
            }
        }
    })
    .await;
    honest.goes_on().await;
    let most = most.load(Ordering::SeqCst);
    let bound = (limits.out_high + ANSWER + HEADER) as u64;
    println!("at most {most} bytes waited for a peer, {bound} may");
    assert!(most <= bound, "{most} bytes waited for one peer");
}

#[tokio::test]
async fn where_all_hold_much_each_is_held_to_little_and_none_is_closed() {
    const MANY: usize = 100;
    const REQUESTS: usize = 64;
    const ANSWER: usize = 16 * 1024;
    // Room for sixteen that hold as much as a session may.
    let limits = Limits::default().held(4 * 1024 * 1024).send_buffer(Some(16 * 1024));
    let (recorder, mut events) = Recorder::new();
    let (recorder, _) = answering(recorder, ANSWER);
    let server = Server::bind("127.0.0.1:0").await.unwrap().limits(limits);
    let addr = server.local_addr().unwrap();
    tokio::spawn(server.serve(Frames, recorder));
    let mut peers = connect(MANY, addr).await;
    let mut sessions = Vec::new();
    for _ in &peers {
        sessions.push(events.open().await);
    }
    for peer in &mut peers {
        within(peer.write_all(&frame(b"much").repeat(REQUESTS))).await.unwrap();
    }
    let honest = Honest::tcp(addr).await;
    // What the system buffers is full.
    until(|| sessions.iter().all(|session| session.stats().queued_bytes > 0)).await;
    honest.goes_on().await;
    for peer in &mut peers {
        let mut answers = vec![1; REQUESTS * (HEADER + ANSWER)];
        within(peer.read_exact(&mut answers)).await.unwrap();
        assert!(read_frames(&answers) == (vec![vec![0; ANSWER]; REQUESTS], 0));
    }
    honest.goes_on().await;
    assert!(sessions.iter().all(Session::is_open));
}
