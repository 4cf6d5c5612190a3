//! Writes that wait for room for a bounded time: the packet is queued whole or not at all, and nothing else changes. The clock is the
//! test's own.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use getty::{Limits, Session, WriteError};
use support::{Frames, Recorder, frame, over_memory, read_frame, read_to_end, until};
use tokio::{
    io::DuplexStream,
    time::{Instant, sleep},
};

const SECOND: Duration = Duration::from_secs(1);
const HIGH: usize = 40_000;
const SIZE: usize = 200_000;

/// A session with more to write than its peer takes; one packet of [`SIZE`] is on its way.
async fn stuck() -> (DuplexStream, Session<Frames>) {
    let (recorder, mut events) = Recorder::new();
    let (peer, session) =
        over_memory(Frames, recorder, Limits::default().stall(Duration::MAX).out_high(HIGH));
    events.open().await;
    session.write(vec![0; SIZE].into()).unwrap();
    until(|| session.taken() > 0).await;
    assert!(!session.try_ready());
    (peer, session)
}

#[tokio::test(start_paused = true)]
async fn it_gives_up_when_its_own_time_is_over_and_has_queued_nothing() {
    let (mut peer, session) = stuck().await;
    let stats = session.stats();
    for limit in [Duration::ZERO, Duration::from_millis(7), 5 * SECOND] {
        let began = Instant::now();
        let sent = session.send_timeout(Bytes::from_static(b"late"), limit).await;
        let Err(WriteError::TimedOut { queued, waited }) = sent else { panic!("{sent:?}") };
        assert_eq!((queued as u64, waited), (stats.queued_bytes, limit));
        let took = began.elapsed();
        // The clock of tokio has steps of a millisecond.
        assert!((limit..=limit + Duration::from_millis(1)).contains(&took), "{took:?} of {limit:?}");
    }
    assert_eq!(session.stats(), stats);
    assert_eq!(read_frame(&mut peer).await, vec![0; SIZE]);
    session.close();
    assert!(read_to_end(&mut peer).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn it_queues_the_packet_when_room_comes_in_time() {
    let (mut peer, session) = stuck().await;
    let sending = {
        let session = session.clone();
        tokio::spawn(async move { session.send_timeout(Bytes::from_static(b"in time"), 5 * SECOND).await })
    };
    sleep(4 * SECOND).await;
    assert_eq!(read_frame(&mut peer).await, vec![0; SIZE]);
    sending.await.unwrap().unwrap();
    assert_eq!(read_frame(&mut peer).await, b"in time");
}

#[tokio::test(start_paused = true)]
async fn the_time_of_one_write_is_not_that_of_the_next_or_of_others() {
    let (mut peer, session) = stuck().await;
    let patient = {
        let session = session.clone();
        tokio::spawn(async move { session.send(Bytes::from_static(b"patient")).await })
    };
    let limits = *session.limits();
    for _ in 0..10 {
        let sent = session.send_timeout(Bytes::from_static(b"hasty"), Duration::from_millis(1)).await;
        assert!(matches!(sent, Err(WriteError::TimedOut { .. })));
    }
    sleep(3600 * SECOND).await;
    assert!(!patient.is_finished(), "it has no time limit");
    assert!(session.is_open());
    assert_eq!(*session.limits(), limits);
    assert_eq!(read_frame(&mut peer).await, vec![0; SIZE]);
    assert_eq!(read_frame(&mut peer).await, b"patient");
    patient.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn where_there_is_room_it_needs_no_time() {
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_memory(Frames, recorder, Limits::default());
    events.open().await;
    session.send_timeout(Bytes::from_static(b"now"), Duration::ZERO).await.unwrap();
    assert_eq!(read_frame(&mut peer).await, b"now");
}

#[tokio::test(start_paused = true)]
async fn it_is_told_when_the_session_ends_meanwhile() {
    let (_peer, session) = stuck().await;
    let waiting = {
        let session = session.clone();
        tokio::spawn(async move { session.send_timeout(Bytes::new(), 3600 * SECOND).await })
    };
    sleep(SECOND).await;
    session.abort();
    assert!(matches!(waiting.await.unwrap(), Err(WriteError::Closed)));
    let after = session.send_timeout(Bytes::new(), SECOND).await;
    assert!(matches!(after, Err(WriteError::Closed)));
}

#[tokio::test(start_paused = true)]
async fn any_way_of_writing_can_wait_for_a_bounded_time() {
    let (mut peer, session) = stuck().await;
    assert!(matches!(session.ready_timeout(SECOND).await, Err(WriteError::TimedOut { .. })));
    assert_eq!(read_frame(&mut peer).await, vec![0; SIZE]);
    session.ready_timeout(SECOND).await.unwrap();
    session.write_vectored(&[frame(b"one").into(), frame(b"two").into()]).unwrap();
    assert_eq!(read_frame(&mut peer).await, b"one");
    assert_eq!(read_frame(&mut peer).await, b"two");
}
