//! What happens when more is written than the peer takes: bounds, waiting for room, back-pressure.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use bytes::Bytes;
use getty::{Limits, Session, WriteError};
use support::{
    Frames, HEADER, Place, Recorder, frame, over_memory, over_tcp, read_frame, read_to_end, reset, within,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Barrier,
};

// Bounds.

#[tokio::test]
async fn writes_fail_when_the_out_buffer_is_full_and_go_on_when_it_is_not() {
    const HARD: usize = 100_000;
    let limits = Limits::default().out_high(50_000).out_hard(HARD);
    let (recorder, _events) = Recorder::new();
    let (mut peer, session) = over_memory(Frames, recorder, limits);
    let body = Bytes::from(vec![7; 1_000]);
    let mut written = 0;
    let queued = loop {
        match session.write(body.clone()) {
            Ok(_) => written += 1,
            Err(WriteError::Full { queued, limit: HARD }) => break queued,
            Err(other) => panic!("{other}"),
        }
        tokio::task::yield_now().await;
    };
    assert!((HARD..HARD + 1_000 + HEADER).contains(&queued), "{queued} bytes wait");
    assert_eq!(session.stats().queued_bytes, queued as u64);
    for _ in 0..written {
        assert_eq!(read_frame(&mut peer).await, body);
    }
    within(session.send(body.clone())).await.unwrap();
    assert_eq!(read_frame(&mut peer).await, body);
}

#[tokio::test]
async fn ready_and_send_wait_from_the_high_mark_until_half_of_it() {
    const HIGH: usize = 40_000;
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_memory(Frames, recorder, Limits::default().out_high(HIGH));
    events.open().await;
    let body = Bytes::from(vec![7; 10_000 - HEADER]);
    let mut written = 0;
    while session.try_ready() {
        session.write(body.clone()).unwrap();
        written += 1;
        tokio::task::yield_now().await;
    }
    assert!(session.stats().queued_bytes >= HIGH as u64);
    let mut ready = Box::pin(session.ready());
    let mut send = Box::pin(session.send(Bytes::from_static(b"last")));
    let mut cancelled = Box::pin(session.send(Bytes::from_static(b"never")));
    assert!(is_pending(&mut ready).await && is_pending(&mut send).await && is_pending(&mut cancelled).await);
    drop(cancelled);
    for _ in 0..written {
        assert_eq!(read_frame(&mut peer).await, body);
        // The session fills the room in the pipe.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        let queued = session.stats().queued_bytes;
        if queued > HIGH as u64 / 2 {
            assert!(is_pending(&mut ready).await, "{queued} bytes wait");
        }
    }
    within(ready).await.unwrap();
    within(send).await.unwrap();
    session.close();
    // The cancelled one has queued nothing.
    assert_eq!(read_to_end(&mut peer).await, frame(b"last"));
}

#[tokio::test]
async fn those_who_wait_for_room_are_told_when_the_session_ends() {
    let (recorder, mut events) = Recorder::new();
    let (peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
    events.open().await;
    while session.try_ready() {
        session.write(Bytes::from(vec![0; 100_000])).unwrap();
        tokio::task::yield_now().await;
    }
    let mut ready = Box::pin(session.ready());
    let mut send = Box::pin(session.send(Bytes::from_static(b"x")));
    assert!(is_pending(&mut ready).await && is_pending(&mut send).await);
    reset(peer);
    assert!(matches!(within(ready).await, Err(WriteError::Closed)));
    assert!(matches!(within(send).await, Err(WriteError::Closed)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_waits_for_room_is_woken_however_the_bytes_leave() {
    const ROUNDS: usize = 1_000;
    let (recorder, mut events) = Recorder::new();
    // A single frame is above the mark, and leaves by the writer itself or by the session's task.
    let (mut peer, session) = over_tcp(Frames, recorder, Limits::default().out_high(1_000)).await;
    events.open().await;
    let reading = tokio::spawn(async move { read_to_end(&mut peer).await.len() });
    let together = Arc::new(Barrier::new(2));
    let waiter = {
        let (session, together) = (session.clone(), Arc::clone(&together));
        tokio::spawn(async move {
            for _ in 0..ROUNDS {
                together.wait().await;
                within(session.ready()).await.unwrap();
            }
        })
    };
    for _ in 0..ROUNDS {
        within(together.wait()).await;
        session.write(Bytes::from(vec![0; 2_000])).unwrap();
        // Every write finds the buffer empty, and nothing comes after it that could wake the waiter in its place.
        within(session.ready()).await.unwrap();
    }
    within(waiter).await.unwrap();
    session.close();
    assert_eq!(within(reading).await.unwrap(), ROUNDS * (2_000 + HEADER));
}

// Back-pressure.

#[tokio::test]
async fn a_peer_that_reads_no_answers_gets_no_further_request_handled() {
    const REQUESTS: usize = 20_000;
    const ANSWER: usize = 20_000;
    let made = Arc::new(AtomicUsize::new(0));
    let answer = Bytes::from(frame(&[9; ANSWER - HEADER]));
    let (recorder, mut events) = Recorder::new();
    let recorder = {
        let made = Arc::clone(&made);
        recorder.on_message(move |session: &Session<Frames>, _| {
            made.fetch_add(1, Ordering::SeqCst);
            session.write_bytes(answer.clone()).unwrap();
        })
    };
    let (peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
    events.open().await;
    let (mut input, mut output) = peer.into_split();
    let sender = tokio::spawn(async move {
        output.write_all(&frame(b"").repeat(REQUESTS)).await.unwrap();
        output
    });
    // The session rests once more than the high mark waits and the socket takes no more.
    let mut before = (0, 0);
    loop {
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        let now = (session.taken(), made.load(Ordering::SeqCst));
        if now == before && now.1 > 0 {
            break;
        }
        before = now;
    }
    let unread = made.load(Ordering::SeqCst);
    assert!(unread * ANSWER < 20_000_000, "{unread} answers were made for a peer that reads none");
    let mut chunk = vec![0; 1024 * 1024];
    let mut received = 0;
    while received < REQUESTS * ANSWER {
        let n = within(input.read(&mut chunk)).await.unwrap();
        assert_ne!(n, 0, "the session ended after {received} bytes");
        received += n;
    }
    assert_eq!(made.load(Ordering::SeqCst), REQUESTS);
    within(sender).await.unwrap();
}

#[tokio::test]
async fn input_is_handled_to_its_end_though_the_output_is_stuck() {
    const PACKETS: usize = 1_000;
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_memory(Frames, recorder, Limits::default());
    events.open().await;
    // More than the pipe holds, and less than the mark from which nothing is decoded.
    session.write(Bytes::from(vec![0; 150_000])).unwrap();
    within(peer.write_all(&frame(&[1; 1_000]).repeat(PACKETS))).await.unwrap();
    for _ in 0..PACKETS {
        assert_eq!(events.message().await.len(), 1_000);
    }
    assert!(session.stats().queued_bytes > 0);
}

#[tokio::test]
async fn two_ends_that_send_much_do_not_both_wait_for_the_other_to_read() {
    let (recorder, mut events) = Recorder::new();
    let client = Place::new(Place::echo()).client(1, recorder);
    let session = within(client.session()).await.unwrap();
    events.open().await;
    let body = Bytes::from(vec![1; 1_000_000]);
    for _ in 0..5 {
        session.write(body.clone()).unwrap();
    }
    for _ in 0..5 {
        assert!(events.message().await == body);
    }
}

async fn is_pending<F: Future>(future: &mut Pin<Box<F>>) -> bool {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}
