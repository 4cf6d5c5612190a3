//! Times of any length are taken: none is a panic, none comes too early, and none keeps a thread busy. The clock is the test's own.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{collections::BTreeSet, time::Duration};

use getty::{ClientBuilder, Limits, Server, transport::memory};
use support::{Events, Frames, Place, Recorder, in_time, over_memory};
use tokio::{
    runtime::Builder,
    time::{Instant, advance, sleep},
};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn periods_from_nothing_to_for_ever_are_taken() {
    for (period, passes, expected) in [
        (Duration::ZERO, SECOND, 90..=100),
        (Duration::from_nanos(1), SECOND, 90..=100),
        (121 * SECOND, 120 * SECOND, 0..=0),
        (121 * SECOND, 122 * SECOND, 1..=1),
        (900 * SECOND, 1_801 * SECOND, 2..=2),
        (HOUR, HOUR + SECOND, 1..=1),
        (Duration::MAX, HOUR, 0..=0),
    ] {
        let (recorder, mut events) = Recorder::new();
        let limits = Limits::default().cron(Some(period)).first_packet(Duration::MAX);
        let (_peer, _session) = over_memory(Frames, recorder, limits);
        events.open().await;
        sleep(passes).await;
        let came = crons(&mut events);
        assert!(expected.contains(&came), "{came} times in {passes:?}, every {period:?}");
    }
}

#[test]
fn periods_are_kept_by_a_program_that_has_run_for_two_years() {
    // A task that never rests would keep the clock from moving.
    in_time(|| {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (recorder, mut events) = Recorder::new();
            let limits = Limits::default().cron(Some(10 * SECOND)).first_packet(Duration::MAX);
            let (_peer, _session) = over_memory(Frames, recorder, limits);
            events.open().await;
            for _ in 0..8 {
                advance(91 * 24 * HOUR).await;
                sleep(SECOND).await;
                crons(&mut events);
                sleep(100 * SECOND).await;
                let came = crons(&mut events);
                assert!((9..=10).contains(&came), "{came} times in 100 s");
            }
        });
    });
}

#[tokio::test(start_paused = true)]
async fn thousands_of_timers_at_once_all_come() {
    const TIMERS: usize = 3_000;
    let (connector, listen) = memory::listen();
    let (recorder, mut events) = Recorder::<Frames>::new();
    let server = Server::over(listen).limits(Limits::default().cron(Some(10 * SECOND)));
    tokio::spawn(server.serve(Frames, recorder));
    let mut peers = Vec::new();
    let mut ids = BTreeSet::new();
    for _ in 0..TIMERS {
        peers.push(connector.connect().await.unwrap());
        ids.insert(events.open().await.id());
    }
    // A period later than the wheel's tick in which the last one was set.
    sleep(SECOND).await;
    for round in 0..3 {
        sleep(10 * SECOND).await;
        let mut came: Vec<_> = events.drain().iter().map(|event| event.session.id()).collect();
        came.sort_unstable();
        assert!(came.into_iter().eq(ids.iter().copied()), "once for each session, in round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn waits_for_ever_hold_up_nobody_who_is_there() {
    let limits = Limits::default().dial(Duration::MAX).close_wait(Duration::MAX);
    let place = Place::new(Place::echo());
    let (recorder, mut events) = Recorder::new();
    let client = place.client_of(ClientBuilder::new(Frames, recorder).limits(limits));
    let start = Instant::now();
    let session = client.session().await.unwrap();
    events.open().await;
    session.write("hello".into()).unwrap();
    assert_eq!(events.message().await, "hello");
    client.close().await;
    assert_eq!(events.next().await.what.name(), "close");
    assert_eq!(start.elapsed(), Duration::ZERO);
}

/// How often `on_cron` came since the last look; nothing else may have come.
fn crons(events: &mut Events<Frames>) -> usize {
    let names: Vec<_> = events.drain().iter().map(|event| event.what.name()).collect();
    assert!(names.iter().all(|name| *name == "cron"), "{names:?}");
    names.len()
}
