//! `on_cron`: when it comes, and that nothing delays or stops it but its own session. The clock is the test's own.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    sync::{Arc, Mutex, OnceLock, mpsc},
    time::Duration,
};

use bytes::Bytes;
use getty::{Limits, Server, Session, transport::memory};
use support::{Events, Frames, Recorder, frame, over_memory, over_tcp, read_frame, until};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{advance, sleep},
};

const SECOND: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(10);

/// Their peers say nothing, and may.
fn limits() -> Limits {
    Limits::default().first_packet(Duration::MAX)
}

#[tokio::test(start_paused = true)]
async fn there_is_none_by_default() {
    let (recorder, mut events) = Recorder::new();
    let (_peer, _session) = over_memory(Frames, recorder, limits());
    events.open().await;
    sleep(3600 * SECOND).await;
    assert!(events.try_next().is_none());
}

#[tokio::test(start_paused = true)]
async fn it_comes_once_a_period() {
    for (period, seconds, expected) in
        [(SECOND, 60, 59..=60), (60 * SECOND, 3600, 59..=60), (TICK, 1, 97..=100)]
    {
        let (recorder, mut events) = Recorder::new();
        let (_peer, _session) = over_memory(Frames, recorder, limits().cron(Some(period)));
        events.open().await;
        sleep(seconds * SECOND).await;
        let came = crons(&mut events);
        assert!(expected.contains(&came), "{came} times in {seconds} s, every {period:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_never_comes_before_its_period_has_passed() {
    let (recorder, mut events) = Recorder::new();
    let (_peer, session) = over_memory(Frames, recorder, limits());
    events.open().await;
    for millis in [1, 9, 10, 11, 999, 10_235, 20_001] {
        let period = Duration::from_millis(millis);
        session.set_cron(Some(period));
        sleep(period).await;
        assert_eq!(crons(&mut events), 0, "{period:?}");
        sleep(3 * TICK).await;
        session.set_cron(None);
        let came = crons(&mut events);
        assert!(came >= 1, "{period:?}");
        assert!(came == 1 || period < 3 * TICK, "{came} times, {period:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_period_can_be_changed_at_any_time() {
    let (recorder, mut events) = Recorder::new();
    let (_peer, session) = over_memory(Frames, recorder, limits().cron(Some(3600 * SECOND)));
    events.open().await;
    for (period, least, most) in [
        (Some(SECOND), 9, 10),
        (Some(5 * SECOND), 1, 2),
        (None, 0, 0),
        (Some(2 * SECOND), 4, 5),
        (Some(3600 * SECOND), 0, 0),
        (Some(SECOND), 9, 10),
    ] {
        session.set_cron(period);
        sleep(10 * SECOND).await;
        let came = crons(&mut events);
        assert!((least..=most).contains(&came), "{came} times in 10 s, every {period:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_period_that_is_set_anew_all_the_time_is_put_off_each_time() {
    let (recorder, mut events) = Recorder::new();
    let (_peer, session) = over_memory(Frames, recorder, limits());
    events.open().await;
    // As one does who wants to know of silence.
    for _ in 0..1_000 {
        session.set_cron(Some(SECOND));
        sleep(SECOND / 2).await;
    }
    assert_eq!(crons(&mut events), 0);
    sleep(10 * SECOND).await;
    let came = crons(&mut events);
    assert!((9..=10).contains(&came), "{came} times in 10 s");
}

#[tokio::test(start_paused = true)]
async fn it_can_change_its_own_period_and_stop_itself() {
    let (recorder, mut events) = Recorder::new();
    let periods = Mutex::new(vec![None, Some(2 * SECOND), Some(SECOND)]);
    let recorder = recorder.on_cron(move |session: &Session<Frames>| {
        session.set_cron(periods.lock().unwrap().pop().flatten());
    });
    let (_peer, _session) = over_memory(Frames, recorder, limits().cron(Some(SECOND)));
    events.open().await;
    sleep(1000 * SECOND).await;
    assert_eq!(crons(&mut events), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn none_comes_after_it_was_stopped_though_it_was_due_before() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_message(|session: &Session<Frames>, packet| {
        if packet == "stop" {
            session.set_cron(Some(TICK));
            // It becomes due while its session is busy, and has not been called when it is stopped.
            tokio::task::block_in_place(|| std::thread::sleep(6 * TICK));
            session.set_cron(None);
            session.write(packet).unwrap();
        }
    });
    let (mut peer, _session) = over_memory(Frames, recorder, limits());
    peer.write_all(&frame(b"stop")).await.unwrap();
    assert_eq!(read_frame(&mut peer).await, b"stop");
    peer.write_all(&frame(b"next")).await.unwrap();
    events.open().await;
    assert_eq!(events.message().await, "stop");
    assert_eq!(events.message().await, "next");
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_after_the_clock_was_held_up_for_many_periods() {
    let (recorder, mut events) = Recorder::new();
    let (_peer, _session) = over_memory(Frames, recorder, limits().cron(Some(10 * TICK)));
    events.open().await;
    for _ in 0..5 {
        // A jump, as a blocked runtime sees it: missed periods are not made up for.
        advance(57 * TICK).await;
        sleep(TICK).await;
        let came = crons(&mut events);
        assert!((1..=2).contains(&came), "{came} times after a jump");
        sleep(SECOND).await;
        let came = crons(&mut events);
        assert!((9..=11).contains(&came), "{came} times in the second after a jump");
    }
}

#[tokio::test]
async fn it_goes_on_after_its_own_callback_took_longer_than_its_period() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_cron(|_: &Session<Frames>| std::thread::sleep(3 * TICK));
    let (_peer, _session) = over_memory(Frames, recorder, limits().cron(Some(TICK)));
    events.open().await;
    for _ in 0..5 {
        assert_eq!(events.next().await.what.name(), "cron");
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_inside_it_stops_no_other_timer() {
    let (connector, listen) = memory::listen();
    let (recorder, mut events) = Recorder::new();
    let first = Mutex::new(None);
    let recorder = recorder.on_cron(move |session: &Session<Frames>| {
        if *first.lock().unwrap().get_or_insert(session.id()) == session.id() {
            session.close();
        }
    });
    let server = Server::over(listen).limits(limits().cron(Some(SECOND)));
    tokio::spawn(server.serve(Frames, recorder));
    let _closed = connector.connect().await.unwrap();
    let _kept = connector.connect().await.unwrap();
    sleep(10 * SECOND + SECOND / 2).await;
    let mut names = names(&mut events);
    names.sort_unstable();
    assert_eq!(names.iter().filter(|name| **name == "cron").count(), 1 + 10);
    assert_eq!(names.iter().filter(|name| **name == "close").count(), 1);
    // New sessions have a clock too.
    let _new = connector.connect().await.unwrap();
    sleep(SECOND + SECOND / 2).await;
    let came = crons(&mut events);
    assert!(came >= 2, "{came} times in all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slow_one_delays_nobody_elses() {
    let (release, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(Some(gate));
    let slow = Arc::new(OnceLock::new());
    let (recorder, mut events) = Recorder::new();
    let recorder = {
        let slow = Arc::clone(&slow);
        recorder.on_cron(move |session: &Session<Frames>| {
            // The first one to come blocks its session.
            let mine = gate.lock().unwrap().take();
            if let Some(gate) = mine {
                slow.set(session.clone()).unwrap();
                tokio::task::block_in_place(|| gate.recv().unwrap());
            }
        })
    };
    let server = Server::bind("127.0.0.1:0").await.unwrap().limits(limits().cron(Some(TICK)));
    let address = server.local_addr().unwrap();
    tokio::spawn(server.serve(Frames, recorder));
    let _peers = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
    until(|| slow.get().is_some()).await;
    let slow = slow.get().unwrap();
    let mut of_the_other = 0;
    while of_the_other < 5 {
        let event = events.next().await;
        of_the_other += usize::from(event.session != *slow && event.what.name() == "cron");
    }
    let of_the_slow = events.drain().iter().filter(|event| event.session == *slow).count();
    assert_eq!(of_the_slow, 0);
    release.send(()).unwrap();
    while events.next().await.session != *slow {}
}

#[tokio::test(start_paused = true)]
async fn it_comes_while_the_peer_reads_nothing_and_can_end_the_session() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_cron(|session: &Session<Frames>| {
        if session.stats().queued_bytes > 0 {
            session.close();
        }
    });
    let limits = limits().cron(Some(SECOND)).close_wait(2 * SECOND);
    let (_peer, session) = over_memory(Frames, recorder, limits);
    session.write(Bytes::from(vec![0; 1_000_000])).unwrap();
    events.open().await;
    sleep(4 * SECOND).await;
    assert_eq!(names(&mut events), ["cron", "close"]);
}

#[tokio::test]
async fn it_comes_on_real_sockets_too() {
    let (recorder, mut events) = Recorder::new();
    let (_peer, session) = over_tcp(Frames, recorder, limits().cron(Some(TICK))).await;
    events.open().await;
    for _ in 0..3 {
        assert_eq!(events.next().await.what.name(), "cron");
    }
    drop(session);
}

/// How often `on_cron` came since the last look; nothing else may have come.
fn crons(events: &mut Events<Frames>) -> usize {
    let names = names(events);
    assert!(names.iter().all(|name| matches!(*name, "cron" | "open")), "{names:?}");
    names.iter().filter(|name| **name == "cron").count()
}

fn names(events: &mut Events<Frames>) -> Vec<&'static str> {
    events.drain().iter().map(|event| event.what.name()).collect()
}
