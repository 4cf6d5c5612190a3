//! How long a peer may keep a session waiting, to the tick: on paused time, so that no machine is too slow for it.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use getty::{Error, Limits, Session};
use support::{Events, Frames, HEADER, Place, Recorder, What, frame, over_memory, read_frame};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::Semaphore,
    time::{Instant, sleep},
};

const SECOND: Duration = Duration::from_secs(1);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
/// A few ticks of the wheel, and the step in which it is looked.
const LATE: Duration = Duration::from_millis(40);
/// How often it is looked whether it has come.
const STEP: Duration = Duration::from_millis(10);

// The first packet.

#[tokio::test(start_paused = true)]
async fn a_session_that_brings_nothing_ends_at_the_limit_and_not_before() {
    let (_peer, mut events, began) = opened(Limits::default()).await;
    let (error, after) = end(&mut events, began).await;
    assert!(matches!(*error, Error::Silent { limit } if limit == 180 * SECOND), "{error}");
    assert_in_time(after, 180 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn after_a_packet_a_session_may_be_idle_for_ever() {
    let (mut peer, mut events, _) = opened(Limits::default()).await;
    sleep(179 * SECOND).await;
    peer.write_all(&frame(b"x")).await.unwrap();
    assert_eq!(events.message().await, "x");
    sleep(YEAR).await;
    peer.write_all(&frame(b"y")).await.unwrap();
    assert_eq!(events.message().await, "y");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_only_listens_is_not_silent_once_something_was_written_to_it() {
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_memory(Frames, recorder, Limits::default());
    events.open().await;
    sleep(179 * SECOND).await;
    session.write(Bytes::from_static(b"news")).unwrap();
    assert_eq!(read_frame(&mut peer).await, b"news");
    sleep(YEAR).await;
    assert!(session.is_open());
}

#[tokio::test(start_paused = true)]
async fn a_client_may_wait_for_its_server_to_speak_first() {
    let (recorder, mut events) = Recorder::new();
    let place = Place::new(Place::echo());
    let client = place.client(1, recorder);
    let session = client.session().await.unwrap();
    events.open().await;
    sleep(YEAR).await;
    assert!(session.is_open());
    session.write(Bytes::from_static(b"x")).unwrap();
    assert_eq!(events.message().await, "x");
}

// The whole packet.

#[tokio::test(start_paused = true)]
async fn a_packet_that_stops_coming_ends_its_session_at_the_limit() {
    let (mut peer, mut events, _) = opened(Limits::default()).await;
    peer.write_all(&frame(b"whole")).await.unwrap();
    assert_eq!(events.message().await, "whole");
    sleep(1_000 * SECOND).await;
    let began = Instant::now();
    peer.write_all(&frame(b"half")[..HEADER + 2]).await.unwrap();
    let (error, after) = end(&mut events, began).await;
    let Error::Slow { received, limit } = &*error else { panic!("{error}") };
    assert_eq!((*received, *limit), (HEADER + 2, 30 * SECOND));
    assert_in_time(after, 30 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn bytes_that_come_too_slowly_earn_their_packet_less_time_than_they_take() {
    let limits = Limits::default().packet_wait(10 * SECOND).packet_rate(100);
    let (mut peer, mut events, began) = opened(limits).await;
    let trickle = tokio::spawn(async move {
        let packet = frame(&[7; 5_000]);
        // Half of what it has to be: after t seconds 50 t bytes have come, which earn t / 2 seconds.
        for part in packet.chunks(50) {
            if peer.write_all(part).await.is_err() {
                break;
            }
            sleep(SECOND).await;
        }
    });
    let (error, after) = end(&mut events, began).await;
    let Error::Slow { received, .. } = &*error else { panic!("{error}") };
    // 10 + t / 2 = t, but for the steps in which the bytes come.
    assert!((19 * SECOND..=22 * SECOND).contains(&after), "{after:?}");
    assert!((950..=1_100).contains(received), "{received} bytes");
    trickle.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn bytes_that_come_fast_enough_may_take_as_long_as_they_need() {
    let limits = Limits::default().packet_wait(10 * SECOND).packet_rate(100);
    let (mut peer, mut events, began) = opened(limits).await;
    for part in frame(&[7; 50_000]).chunks(110) {
        peer.write_all(part).await.unwrap();
        sleep(SECOND).await;
    }
    assert_eq!(events.message().await.len(), 50_000);
    assert!(began.elapsed() > 400 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn every_packet_has_its_own_time() {
    let limits = Limits::default().packet_wait(10 * SECOND).packet_rate(usize::MAX);
    let (mut peer, mut events, _) = opened(limits).await;
    let packet = frame(b"x");
    peer.write_all(&packet[..3]).await.unwrap();
    for _ in 0..50 {
        sleep(9 * SECOND).await;
        // The end of one comes together with the beginning of the next, so there is always one that is not whole.
        peer.write_all(&[&packet[3..], &packet[..3]].concat()).await.unwrap();
        assert_eq!(events.message().await, "x");
    }
}

#[tokio::test(start_paused = true)]
async fn time_in_which_this_side_does_not_read_does_not_count() {
    let limits = Limits::default().packet_wait(10 * SECOND).runs(1);
    let gate = Arc::new(Semaphore::new(0));
    let (recorder, mut events) = Recorder::new();
    let recorder = {
        let gate = Arc::clone(&gate);
        recorder.on_message(move |session: &Session<Frames>, _| {
            let gate = Arc::clone(&gate);
            session.run(async move { gate.acquire_owned().await.unwrap().forget() }, |_, ()| {});
        })
    };
    let (mut peer, session) = over_memory(Frames, recorder, limits);
    events.open().await;
    let packet = frame(b"x");
    peer.write_all(&[&packet[..], &packet[..3]].concat()).await.unwrap();
    assert_eq!(events.message().await, "x");
    sleep(1_000 * SECOND).await;
    assert!(session.is_open(), "it was this side that waited");
    let began = Instant::now();
    gate.add_permits(1);
    let (error, after) = end(&mut events, began).await;
    assert!(matches!(*error, Error::Slow { .. }), "{error}");
    assert_in_time(after, 10 * SECOND);
}

// The peer that takes nothing.

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_given_up_at_the_limit_and_one_that_takes_a_little_is_not() {
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_memory(Frames, recorder, Limits::default());
    events.open().await;
    session.write(Bytes::from(vec![7; 1_000_000])).unwrap();
    let mut some = vec![0; 1_000];
    for _ in 0..20 {
        sleep(29 * SECOND).await;
        assert!(session.is_open());
        peer.read_exact(&mut some).await.unwrap();
    }
    let began = Instant::now();
    let (error, after) = end(&mut events, began).await;
    let Error::Stalled { queued, limit } = &*error else { panic!("{error}") };
    assert_eq!((*queued > 900_000, *limit), (true, 30 * SECOND));
    assert_in_time(after, 30 * SECOND);
    assert_eq!(session.stats().queued_bytes, *queued as u64);
}

// Together with the rest.

#[tokio::test(start_paused = true)]
async fn on_cron_keeps_its_time_beside_deadlines_and_they_theirs() {
    let limits = Limits::default().cron(Some(7 * SECOND)).packet_wait(30 * SECOND);
    let (mut peer, mut events, began) = opened(limits).await;
    peer.write_all(&frame(b"half")[..3]).await.unwrap();
    let mut crons = Vec::new();
    let error = loop {
        match events.next().await.what {
            What::Cron => crons.push(began.elapsed()),
            What::Error(error) => break error,
            other => panic!("{}", other.name()),
        }
    };
    assert!(matches!(*error, Error::Slow { .. }), "{error}");
    assert_in_time(began.elapsed(), 30 * SECOND);
    assert_eq!(crons.len(), 4);
    for (cron, nth) in crons.into_iter().zip(1..) {
        assert_in_time(cron, 7 * nth * SECOND);
    }
}

async fn opened(limits: Limits) -> (DuplexStream, Events<Frames>, Instant) {
    let (recorder, mut events) = Recorder::new();
    let (peer, _) = over_memory(Frames, recorder, limits);
    events.open().await;
    (peer, events, Instant::now())
}

/// The error that ends the session, and how long after a time.
async fn end(events: &mut Events<Frames>, began: Instant) -> (Arc<Error>, Duration) {
    loop {
        match events.try_next().map(|event| event.what) {
            Some(What::Error(error)) => return (error, began.elapsed()),
            Some(other) => panic!("on_error was expected, {} came", other.name()),
            None if began.elapsed() > 10_000 * SECOND => panic!("the session does not end"),
            None => sleep(STEP).await,
        }
    }
}

fn assert_in_time(after: Duration, limit: Duration) {
    assert!((limit..=limit + LATE).contains(&after), "{after:?} where {limit:?} was expected");
}
