//! What several test files share: a small protocol, a listener that records, and raw peers. It decides no test.

#![allow(dead_code, unused_imports, reason = "each test binary uses a part of it")]

#[cfg(feature = "tls")]
mod authority;
#[cfg(target_os = "linux")]
pub(crate) mod child;
mod echo;
mod flooded;
mod folder;
mod frames;
pub(crate) mod hostile;
mod lengths;
pub(crate) mod logs;
mod messages;
mod peer;
mod place;
mod recorder;
mod records;
mod serving;
#[cfg(feature = "tls")]
pub(crate) mod tls;
mod vectors;
mod watcher;
#[cfg(feature = "ws")]
pub(crate) mod ws;

use std::{
    future::Future,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

#[cfg(feature = "tls")]
pub(crate) use authority::{Authority, Own};
pub(crate) use echo::{assert_echoes, echo};
pub(crate) use flooded::packets_before_a_quiet_one;
pub(crate) use folder::Folder;
pub(crate) use frames::{FrameReader, FrameWriter, Frames, HEADER, frame};
pub(crate) use lengths::Lengths;
pub(crate) use logs::Logs;
pub(crate) use messages::{MessageListen, Messages, message_pipes};
pub(crate) use peer::{
    open_over_memory, over_memory, over_tcp, read_frame, read_frames, read_to_end, reset, tcp_pair,
};
pub(crate) use place::{Found, Place};
pub(crate) use recorder::{Event, Events, Recorder, What};
pub(crate) use records::Records;
pub(crate) use serving::{POOLS, serve, serve_in_memory};
pub(crate) use vectors::{Row, rows, vectors};
pub(crate) use watcher::{Told, Watcher};

/// Far more than anything here takes. What has not come by then will never come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for what must come.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("what the test waits for does not come")
}

/// For what would otherwise hang instead of failing, such as a thread that waits for itself or a task that never rests.
pub(crate) fn in_time(test: impl FnOnce() + Send + 'static) {
    let (done, finished) = mpsc::channel();
    thread::spawn(move || {
        test();
        done.send(()).unwrap();
    });
    finished.recv_timeout(PATIENCE).expect("it has failed, or does not come to its end");
}

/// Lets others run until something has come about that no event tells of.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    // By the system's clock: one that is paused stands still while there is work.
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "what the test waits for does not come");
        tokio::task::yield_now().await;
    }
}
