//! Dialling a peer that is of no use, for ever, holds no more memory and no more tasks than at the beginning.
//!
//! One test alone, because the counting allocator counts for the whole process.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use getty::{Backoff, Client, ClientBuilder, on_message, transport::Io};
use support::{Frames, frame};
use tokio::{
    io::{AsyncWriteExt, duplex},
    runtime::Handle,
    time::sleep,
};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const SEATS: usize = 4;
const WARM_UP: usize = 500;
const DIALS: usize = 2_000;

/// What is not kept for good: buffers, timers and log lines come and go.
const SWAY: usize = 16 * 1024;

#[derive(Debug, Clone, Copy)]
enum Peer {
    Refuses,
    Closes,
    GreetsAndCloses,
}

#[tokio::test(start_paused = true)]
async fn thousands_of_dials_to_a_useless_peer_leave_nothing_behind() {
    let _profiler = dhat::Profiler::builder().testing().build();
    for peer in [Peer::Refuses, Peer::Closes, Peer::GreetsAndCloses] {
        let dials = Arc::new(AtomicUsize::new(0));
        let client = client(peer, Arc::clone(&dials));
        drop(client.session().await);
        let mut held = Vec::new();
        for count in [WARM_UP, WARM_UP + DIALS] {
            while dials.load(Ordering::SeqCst) < count {
                drop(client.session().await);
                sleep(Duration::from_millis(1)).await;
            }
            held.push(dhat::HeapStats::get().curr_bytes);
        }
        let [before, after] = held[..] else { panic!("two measurements") };
        assert!(after <= before + SWAY, "{peer:?}: {before} bytes were held, then {after}");
        let tasks = Handle::current().metrics().num_alive_tasks();
        assert_eq!(tasks, SEATS, "{peer:?}");
        client.close().await;
    }
}

/// With pauses as short as can be.
fn client(peer: Peer, dials: Arc<AtomicUsize>) -> Client<Frames> {
    let backoff = Backoff::default().max(Duration::ZERO);
    ClientBuilder::new(Frames, on_message(|_, _| {})).connections(SEATS).backoff(backoff).dial(
        "nobody of use",
        move || {
            dials.fetch_add(1, Ordering::SeqCst);
            async move {
                let (own, mut theirs) = duplex(1024);
                match peer {
                    Peer::Refuses => return Err(io::ErrorKind::ConnectionRefused.into()),
                    Peer::Closes => {}
                    Peer::GreetsAndCloses => theirs.write_all(&frame(b"hello")).await?,
                }
                Ok(Io::new(own, "memory"))
            }
        },
    )
}
