//! Floods of packets, on real sockets: the smallest ones hold up others no longer than large ones, and slow requests pile up no
//! further than to a limit.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use getty::{EventListener, Limits, Server, Session};
use support::{Frames, frame, hostile::Honest, packets_before_a_quiet_one, until, within};
use tokio::{io::AsyncWriteExt, net::TcpStream, sync::Semaphore};

// One thread: whatever runs keeps all others waiting.
#[tokio::test]
async fn a_packet_on_a_quiet_session_waits_for_few_of_others_however_small_they_are() {
    const FLOODS: usize = 4;
    let longest = packets_before_a_quiet_one(FLOODS, frame(&[0]).repeat(50_000)).await;
    // Each flooding session has four turns before the runtime looks for input, and at most as many more before the quiet session
    // is run.
    let bound = FLOODS * 2 * 4 * Limits::default().turn_packets;
    assert!(longest <= bound, "{longest} packets of others were handled first, {bound} are fair");
    println!("{longest} of at most {bound}");
}

#[tokio::test]
async fn a_flood_of_slow_requests_makes_no_more_tasks_than_the_limit_and_all_are_done_in_the_end() {
    const RUNS: usize = 50;
    const REQUESTS: usize = 10_000;
    let slow = Arc::new(Slow::default());
    let server = Server::bind("127.0.0.1:0").await.unwrap().limits(Limits::default().runs(RUNS));
    let addr = server.local_addr().unwrap();
    tokio::spawn(server.serve(Frames, Arc::clone(&slow)));
    let honest = Honest::tcp(addr).await;
    let mut flood = TcpStream::connect(addr).await.unwrap();
    let flooding = tokio::spawn(async move {
        flood.write_all(&frame(b"slow").repeat(REQUESTS)).await.unwrap();
        flood
    });
    until(|| slow.started.load(Ordering::SeqCst) >= RUNS).await;
    // An honest session goes on, so there was time enough for more.
    honest.goes_on().await;
    assert_eq!(slow.started.load(Ordering::SeqCst), RUNS);
    // One that is done makes room for one.
    slow.gate.add_permits(1);
    until(|| slow.started.load(Ordering::SeqCst) > RUNS).await;
    honest.goes_on().await;
    assert_eq!(slow.started.load(Ordering::SeqCst), RUNS + 1);
    slow.gate.add_permits(REQUESTS);
    until(|| slow.done.load(Ordering::SeqCst) == REQUESTS).await;
    drop(within(flooding).await.unwrap());
    honest.goes_on().await;
}

/// Echoes; but packets that say so wait for the gate, each in a future of its own.
struct Slow {
    gate: Arc<Semaphore>,
    started: AtomicUsize,
    done: Arc<AtomicUsize>,
}

impl Default for Slow {
    fn default() -> Self {
        Self { gate: Arc::new(Semaphore::new(0)), started: AtomicUsize::new(0), done: Arc::default() }
    }
}

impl EventListener<Frames> for Slow {
    fn on_message(&self, session: &Session<Frames>, packet: Bytes) {
        if packet != "slow" {
            session.write(packet).unwrap();
            return;
        }
        self.started.fetch_add(1, Ordering::SeqCst);
        let (gate, done) = (Arc::clone(&self.gate), Arc::clone(&self.done));
        session.run(async move { gate.acquire_owned().await.unwrap().forget() }, move |_, ()| {
            done.fetch_add(1, Ordering::SeqCst);
        });
    }
}
