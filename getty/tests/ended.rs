//! Handles of sessions that end, or have ended: every method can still be called, from anywhere, and answers.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use bytes::Bytes;
use getty::{Flush, Limits, Session, WriteError};
use support::{Frames, Recorder, over_tcp, reset, until, within};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_handle_still_answers_everything_after_its_session_has_ended() {
    let (recorder, mut events) = Recorder::new();
    let (peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
    session.set("kept");
    events.open().await;
    let (id, address, written) = (session.id(), session.peer(), session.write("hello".into()).unwrap());
    until(|| session.taken() == written.end).await;
    drop(peer);
    events.close().await;
    assert!(!session.is_open());
    assert_eq!((session.id(), session.peer(), session.info().peer), (id, address, address));
    assert_eq!(*session.limits(), Limits::default());
    assert_eq!((session.taken(), session.stats().written_bytes), (written.end, written.end));
    assert_eq!(session.get::<&str>().as_deref(), Some(&"kept"));
    session.set(7_u8);
    assert_eq!(session.get::<u8>().as_deref(), Some(&7));
    assert!(matches!(session.write("x".into()), Err(WriteError::Closed)));
    assert!(matches!(within(session.send("x".into())).await, Err(WriteError::Closed)));
    for period in [Some(Duration::ZERO), Some(Duration::MAX), None] {
        session.set_cron(period);
    }
    let ran = Arc::<AtomicBool>::default();
    let told = Arc::clone(&ran);
    session.run(async {}, move |_, ()| told.store(true, Ordering::SeqCst));
    assert!(ran.load(Ordering::SeqCst), "a future still runs, and learns of the end by its write");
    session.close();
    session.abort();
    assert!(session.clone() == session && format!("{session:?}").contains("open: false"));
    drop(session);
    assert!(events.names_to_the_end().await.is_empty(), "and nobody is told twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handles_may_be_used_by_many_threads_while_their_session_ends() {
    type End = fn(&Session<Frames>, TcpStream);
    let ends: [End; 4] = [
        |session, _| session.close(),
        |session, _| session.abort(),
        |_, peer| drop(peer),
        |_, peer| reset(peer),
    ];
    for end in ends.repeat(5) {
        let (recorder, mut events) = Recorder::new();
        let (peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
        events.open().await;
        let busy = Arc::<AtomicUsize>::default();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (session, busy) = (session.clone(), Arc::clone(&busy));
                thread::spawn(move || use_everything(&session, &busy))
            })
            .collect();
        until(|| busy.load(Ordering::SeqCst) == threads.len()).await;
        end(&session, peer);
        events.close().await;
        for thread in threads {
            until(|| thread.is_finished()).await;
            thread.join().unwrap();
        }
    }
}

/// Until some time after the session's end, which is when writes are refused.
fn use_everything(session: &Session<Frames>, busy: &AtomicUsize) {
    let mut rounds = 0_usize;
    let mut after = 0;
    while after < 20 {
        match session.write(Bytes::from_static(b"packet")) {
            Ok(_) | Err(WriteError::Full { .. }) => {}
            Err(WriteError::Closed) => after += 1,
            Err(other) => panic!("{other}"),
        }
        let _ = session.write_bytes(support::frame(b"bytes").into());
        let _ = session.write_with(Flush::Now, |out| {
            out.extend_from_slice(&support::frame(b"encoded"));
            Ok(())
        });
        session.set(rounds);
        session.set_cron(rounds.is_multiple_of(2).then_some(Duration::from_millis(10)));
        assert!(session.get::<usize>().is_some());
        assert!(session.peer().is_some() && session.info().local.is_some());
        assert!(session.stats().written_bytes <= session.taken());
        let _ = (session.is_open(), session.error(), session.try_ready(), format!("{session:?}"));
        rounds += 1;
        if rounds == 1 {
            busy.fetch_add(1, Ordering::SeqCst);
        }
    }
}
