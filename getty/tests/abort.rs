//! `Session::abort`: an end at once, whatever is queued, in flight, or ending already.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use bytes::Bytes;
use getty::{Error, Limits, Pool, Server, Session, WriteError};
use support::{Events, Frames, Recorder, What, frame, over_memory, over_tcp, read_to_end, until, within};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    task::block_in_place,
    time::{Instant, sleep, timeout},
};

const SECOND: Duration = Duration::from_secs(1);
/// So long that a test which waited for it would fail.
const HOUR: Duration = Duration::from_secs(3600);
/// Far more than a pipe in memory holds.
const LARGE: Bytes = Bytes::from_static(&[7; 1_000_000]);

fn patient() -> Limits {
    Limits::default().close_wait(HOUR)
}

// What it does not wait for.

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_is_not_waited_for() {
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_memory(Frames, recorder, patient());
    events.open().await;
    let span = session.write(LARGE).unwrap();
    until(|| session.taken() > span.start).await;
    let start = Instant::now();
    session.abort();
    assert!(!session.is_open());
    assert_eq!(to_close(&mut events).await, ["close"]);
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(session.error().is_none());
    let received = read_to_end(&mut peer).await;
    assert_eq!(received.len() as u64, session.taken(), "what the session says had left");
    assert!(session.taken() < span.end);
}

#[tokio::test(start_paused = true)]
async fn futures_in_flight_are_not_waited_for_and_cannot_answer() {
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_memory(Frames, recorder, patient());
    events.open().await;
    let (answered, answer) = tokio::sync::oneshot::channel();
    session.run(sleep(SECOND), |session, ()| {
        answered.send(session.write(Bytes::from_static(b"late"))).unwrap();
    });
    session.run(pending::<()>(), |_, ()| {});
    let start = Instant::now();
    session.abort();
    events.close().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(matches!(within(answer).await.unwrap(), Err(WriteError::Closed)));
    assert_eq!(read_to_end(&mut peer).await, b"");
}

#[tokio::test]
async fn writers_are_refused_from_then_on_and_those_that_wait_for_room_are_told() {
    let (recorder, mut events) = Recorder::new();
    let (_peer, session) = over_memory(Frames, recorder, patient());
    events.open().await;
    session.write(LARGE).unwrap();
    let waiting = tokio::spawn({
        let session = session.clone();
        async move { session.ready().await }
    });
    tokio::task::yield_now().await;
    session.abort();
    // The session's task has not run yet.
    assert!(matches!(session.write(Bytes::new()), Err(WriteError::Closed)));
    assert!(matches!(session.write_bytes(Bytes::new()), Err(WriteError::Closed)));
    assert!(matches!(session.ready().await, Err(WriteError::Closed)));
    assert!(matches!(within(waiting).await.unwrap(), Err(WriteError::Closed)));
    events.close().await;
}

// An end that is under way.

#[tokio::test(start_paused = true)]
async fn a_close_that_is_still_writing_is_cut_short() {
    let (recorder, mut events) = Recorder::new();
    let (_peer, session) = over_memory(Frames, recorder, patient());
    events.open().await;
    session.write(LARGE).unwrap();
    let start = Instant::now();
    session.close();
    sleep(SECOND).await;
    assert!(events.try_next().is_none(), "close waits for the peer");
    session.abort();
    assert_eq!(to_close(&mut events).await, ["close"]);
    assert_eq!(start.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_close_that_waits_for_a_future_is_cut_short() {
    let (recorder, mut events) = Recorder::new();
    let (_peer, session) = over_memory(Frames, recorder, patient());
    events.open().await;
    session.run(pending::<()>(), |_, ()| {});
    let start = Instant::now();
    session.close();
    sleep(SECOND).await;
    session.abort();
    events.close().await;
    assert_eq!(start.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_end_by_an_error_is_cut_short_and_still_reported() {
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_memory(Frames, recorder, patient());
    events.open().await;
    session.write(LARGE).unwrap();
    let start = Instant::now();
    peer.write_all(b"no frame").await.unwrap();
    sleep(SECOND).await;
    session.abort();
    assert!(matches!(events.next().await.what, What::Error(error) if matches!(*error, Error::Read(_))));
    assert_eq!(to_close(&mut events).await, ["close"]);
    assert_eq!(start.elapsed(), SECOND);
}

#[tokio::test]
async fn twice_is_once_and_after_the_end_it_does_nothing() {
    let (recorder, mut events) = Recorder::new();
    let (_peer, session) = over_memory(Frames, recorder, patient());
    events.open().await;
    session.abort();
    session.abort();
    session.close();
    assert_eq!(to_close(&mut events).await, ["close"]);
    let taken = session.taken();
    session.abort();
    assert!(!session.is_open() && session.taken() == taken);
    drop(session);
    assert!(events.names_to_the_end().await.is_empty());
}

// Callbacks.

#[tokio::test]
async fn in_on_open_nothing_that_was_written_there_leaves() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_open(|session: &Session<Frames>| {
        session.write(Bytes::from_static(b"dropped")).unwrap();
        session.abort();
        Ok(())
    });
    let (mut peer, _) = over_tcp(Frames, recorder, patient()).await;
    assert_eq!(read_to_end(&mut peer).await, b"");
    assert_eq!(events.names_to_the_end().await, ["open", "close"]);
}

#[tokio::test]
async fn in_on_message_it_stops_those_behind_it_and_drops_what_was_answered() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_message(|session: &Session<Frames>, packet| {
        session.write(packet).unwrap();
        session.abort();
    });
    let (mut peer, session) = over_tcp(Frames, recorder, patient()).await;
    events.open().await;
    peer.write_all(&[frame(b"one"), frame(b"two")].concat()).await.unwrap();
    assert_eq!(read_to_end(&mut peer).await, b"");
    assert_eq!((session.taken(), session.error().is_none()), (0, true));
    drop(session);
    assert_eq!(events.names_to_the_end().await, ["message", "close"]);
}

#[tokio::test(start_paused = true)]
async fn in_on_cron_it_is_the_end_though_the_peer_reads_nothing() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_cron(Session::abort);
    let (_peer, session) = over_memory(Frames, recorder, patient().cron(Some(SECOND)));
    events.open().await;
    session.write(LARGE).unwrap();
    let start = Instant::now();
    assert_eq!(to_close(&mut events).await, ["cron", "close"]);
    assert!(start.elapsed() < 2 * SECOND, "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_close_still_comes_after_an_on_message_in_a_pool() {
    let (release, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_message(move |session: &Session<Frames>, _| {
        block_in_place(|| gate.lock().unwrap().recv().unwrap());
        session.set("handled");
    });
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let pool = Pool::Fixed { queues: 1, workers: 1, depth: 4 };
    let address = server.local_addr().unwrap();
    let serving = tokio::spawn(server.pool(pool).limits(patient()).serve(Frames, recorder));
    let mut peer = TcpStream::connect(address).await.unwrap();
    let session = events.open().await;
    peer.write_all(&frame(b"slow")).await.unwrap();
    events.message().await;
    session.abort();
    assert!(timeout(Duration::from_millis(50), events.next()).await.is_err(), "it is being handled");
    release.send(()).unwrap();
    let closed = events.next().await;
    assert_eq!((closed.what.name(), closed.session.get::<&str>().as_deref()), ("close", Some(&"handled")));
    serving.abort();
}

// How much had left.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_much_had_left_is_final_at_on_close_and_is_what_the_peer_gets() {
    for _ in 0..20 {
        let at_close = Arc::new(AtomicU64::new(0));
        let (recorder, mut events) = Recorder::new();
        let recorder = {
            let at_close = Arc::clone(&at_close);
            recorder.on_close(move |session: &Session<Frames>| {
                at_close.store(session.taken(), Ordering::SeqCst);
            })
        };
        let (mut peer, session) = over_tcp(Frames, recorder, patient()).await;
        events.open().await;
        let reading = tokio::spawn(async move { read_to_end(&mut peer).await.len() as u64 });
        let writer = thread::spawn({
            let session = session.clone();
            move || while !matches!(session.write(Bytes::from_static(&[0; 100])), Err(WriteError::Closed)) {}
        });
        until(|| session.taken() > 1_000).await;
        session.abort();
        assert_eq!(to_close(&mut events).await, ["close"]);
        writer.join().unwrap();
        // The event comes before the hook runs.
        until(|| at_close.load(Ordering::SeqCst) > 0).await;
        assert_eq!(session.taken(), at_close.load(Ordering::SeqCst));
        assert_eq!(within(reading).await.unwrap(), session.taken());
    }
}

/// The names of all callbacks that come, up to the first `on_close`.
async fn to_close(events: &mut Events<Frames>) -> Vec<&'static str> {
    let mut names = Vec::new();
    while names.last() != Some(&"close") {
        names.push(events.next().await.what.name());
    }
    names
}
