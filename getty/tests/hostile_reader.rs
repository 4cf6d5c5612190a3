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
    within,
};
use tokio::io::AsyncWriteExt;

const PEERS: usize = 50;
/// 1,024 answers of 64 KiB are 64 MiB.
const ANSWER: usize = 64 * 1024;
const REQUESTS: usize = 1_024;

#[tokio::test]
async fn peers_that_ask_for_64_mib_and_read_nothing_cost_their_share_and_are_closed_at_the_limit() {
    let limits = Limits::default().stall(Duration::from_secs(1));
    let most = Arc::new(AtomicU64::new(0));
    let (recorder, mut events) = Recorder::new();
    let recorder = {
        let most = Arc::clone(&most);
        recorder.on_message(move |session: &Session<Frames>, packet: Bytes| {
            let answer = if packet == "much" { vec![0; ANSWER].into() } else { packet };
            session.write(answer).unwrap();
            most.fetch_max(session.stats().queued_bytes, Ordering::SeqCst);
        })
    };
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
