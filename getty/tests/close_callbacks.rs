//! Callbacks of a session's end: each runs once, after `on_close`, whatever ended the session and whenever it was added.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use getty::{Limits, Server, Session, accept, on_message, transport::memory};
use support::{Frames, Recorder, over_memory, over_tcp, read_to_end, reset, until, within};
use tokio::{net::TcpStream, runtime::Builder, sync::oneshot, task::yield_now};

type Log = Arc<Mutex<Vec<&'static str>>>;

fn noting(log: &Log, what: &'static str) -> impl Fn(&Session<Frames>) + Send + Sync + 'static {
    let log = Arc::clone(log);
    move |session| {
        assert!(!session.is_open() && session.write(bytes::Bytes::new()).is_err());
        log.lock().unwrap().push(what);
    }
}

#[tokio::test]
async fn they_run_after_on_close_in_the_order_in_which_they_were_added() {
    let ends: [fn(TcpStream, &Session<Frames>); 4] = [
        |peer, _| drop(peer),
        |peer, _| reset(peer),
        |_, session| session.close(),
        |_, session| session.abort(),
    ];
    for end in ends {
        let log = Log::default();
        let (recorder, mut events) = Recorder::new();
        let (peer, session) =
            over_tcp(Frames, recorder.on_close(noting(&log, "on_close")), Limits::default()).await;
        events.open().await;
        session.add_close_callback(noting(&log, "first"));
        session.add_close_callback(noting(&log, "second"));
        end(peer, &session);
        drop(session);
        // The listener is dropped with the session.
        events.names_to_the_end().await;
        assert_eq!(*log.lock().unwrap(), ["on_close", "first", "second"]);
    }
}

#[tokio::test]
async fn one_that_on_open_added_runs_also_when_on_open_refuses() {
    let log = Log::default();
    let (recorder, mut events) = Recorder::new();
    let added = Arc::clone(&log);
    let recorder = recorder.on_open(move |session: &Session<Frames>| {
        session.add_close_callback(noting(&added, "callback"));
        Err("no".into())
    });
    let (_peer, _) = over_memory(Frames, recorder, Limits::default());
    assert_eq!(events.names_to_the_end().await, ["open", "error", "close"]);
    assert_eq!(*log.lock().unwrap(), ["callback"]);
}

#[tokio::test]
async fn one_that_is_added_after_the_end_runs_at_once_and_once() {
    let (recorder, mut events) = Recorder::new();
    let (_peer, session) = over_memory(Frames, recorder, Limits::default());
    let log = Log::default();
    session.close();
    // On the one thread of this test the session's task has done the rest too.
    events.close().await;
    for times in 1..=2 {
        session.add_close_callback(noting(&log, "late"));
        assert_eq!(log.lock().unwrap().len(), times);
    }
}

#[tokio::test]
async fn one_that_was_removed_does_not_run_and_what_it_holds_is_dropped() {
    let (recorder, mut events) = Recorder::new();
    let (_peer, session) = over_memory(Frames, recorder, Limits::default());
    let log = Log::default();
    let held = Arc::new(());
    let holds = Arc::clone(&held);
    let removed = session.add_close_callback(move |_| panic!("it was removed, and held {holds:?}"));
    let stays = session.add_close_callback(noting(&log, "stays"));
    assert!(session.remove_close_callback(removed));
    assert!(!session.remove_close_callback(removed));
    assert_eq!(Arc::strong_count(&held), 1);
    session.close();
    until(|| !log.lock().unwrap().is_empty()).await;
    events.close().await;
    assert!(!session.remove_close_callback(stays));
    assert_eq!(*log.lock().unwrap(), ["stays"]);
}

#[tokio::test]
async fn a_panic_in_one_keeps_no_other_from_running() {
    let log = Log::default();
    let (recorder, mut events) = Recorder::new();
    let (_peer, session) = over_memory(Frames, recorder, Limits::default());
    session.add_close_callback(|_| panic!("on purpose"));
    session.add_close_callback(noting(&log, "next"));
    session.close();
    drop(session);
    events.names_to_the_end().await;
    assert_eq!(*log.lock().unwrap(), ["next"]);
}

#[tokio::test]
async fn one_that_a_callback_or_on_close_adds_runs_too() {
    let log = Log::default();
    let (recorder, mut events) = Recorder::new();
    let late = Arc::clone(&log);
    let recorder = recorder.on_close(move |session: &Session<Frames>| {
        session.add_close_callback(noting(&late, "of on_close"));
    });
    let (_peer, session) = over_memory(Frames, recorder, Limits::default());
    let further = Arc::clone(&log);
    session.add_close_callback(move |session| {
        session.add_close_callback(noting(&further, "of a callback"));
    });
    session.close();
    drop(session);
    events.names_to_the_end().await;
    assert_eq!(*log.lock().unwrap(), ["of on_close", "of a callback"]);
}

#[test]
fn they_run_when_the_runtime_goes_be_it_before_the_session_was_seen() {
    for seen in [false, true] {
        let log = Log::default();
        // Nothing of it runs before `block_on`.
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (own, _peer) = memory::pair();
        let session = {
            let _entered = runtime.enter();
            accept(own, Frames, on_message(|_, _| {}), Limits::default())
        };
        session.add_close_callback(noting(&log, "callback"));
        if seen {
            runtime.block_on(yield_now());
        }
        drop(runtime);
        assert_eq!(*log.lock().unwrap(), ["callback"], "seen: {seen}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn none_is_lost_and_none_runs_twice_when_it_races_the_end() {
    for _ in 0..300 {
        let ran = Arc::new(AtomicUsize::new(0));
        let (_peer, session) = over_memory(Frames, on_message(|_, _| {}), Limits::default());
        let adders: Vec<_> = (0..3)
            .map(|_| {
                let (session, ran) = (session.clone(), Arc::clone(&ran));
                thread::spawn(move || {
                    for _ in 0..20 {
                        let ran = Arc::clone(&ran);
                        session.add_close_callback(move |_| {
                            ran.fetch_add(1, Ordering::SeqCst);
                        });
                    }
                })
            })
            .collect();
        session.close();
        adders.into_iter().for_each(|adder| adder.join().unwrap());
        until(|| ran.load(Ordering::SeqCst) >= 60).await;
        let (over, is_over) = oneshot::channel();
        session.add_close_callback(move |_| over.send(()).unwrap());
        within(is_over).await.unwrap();
        assert_eq!(ran.load(Ordering::SeqCst), 60);
    }
}

#[tokio::test]
async fn a_server_that_ends_waits_for_them() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let log = Log::default();
    let (recorder, mut events) = Recorder::new();
    let added = Arc::clone(&log);
    let recorder = recorder.on_open(move |session: &Session<Frames>| {
        session.add_close_callback(noting(&added, "callback"));
        Ok(())
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve_until(Frames, recorder, async { drop(stopped.await) }));
    let mut peer = TcpStream::connect(address).await.unwrap();
    events.open().await;
    drop(stop);
    within(serving).await.unwrap().unwrap();
    assert_eq!(*log.lock().unwrap(), ["callback"]);
    assert!(read_to_end(&mut peer).await.is_empty());
}
