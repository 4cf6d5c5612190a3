//! How long the end of a client takes: nothing for what it dials and waits for, and for its sessions what the user chose.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    future::{pending, poll_fn},
    sync::{Arc, Mutex, mpsc},
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use getty::{Client, ClientBuilder, Limits, Session, SessionError, WriteError, on_message, transport::Io};
use support::{Events, Found, Frames, Place, Recorder, until, within};
use tokio::{
    io::{DuplexStream, duplex},
    net::TcpListener,
    task::block_in_place,
    time::{Instant, sleep},
};

const SECOND: Duration = Duration::from_secs(1);
/// So long that a test which waited for it would fail.
const HOUR: Duration = Duration::from_secs(3600);
/// Far more than a pipe in memory holds.
const LARGE: Bytes = Bytes::from_static(&[7; 1_000_000]);

/// The two ends that a user can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Close,
    Abort,
}

impl By {
    async fn end(self, client: &Client<Frames>) {
        match self {
            Self::Close => client.close().await,
            Self::Abort => client.abort().await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn dials_under_way_and_pauses_end_at_once_and_so_do_those_who_wait_for_them() {
    for by in [By::Close, By::Abort] {
        for found in [Found::Silence, Found::Refusal] {
            let place = Place::new(found);
            let limits = Limits::default().dial(HOUR);
            let builder = ClientBuilder::new(Frames, on_message(|_, _| {})).connections(4).limits(limits);
            let client = place.client_of(builder);
            let waiting: Vec<_> = (0..10)
                .map(|_| {
                    let client = client.clone();
                    tokio::spawn(async move { client.connect_now().await })
                })
                .collect();
            sleep(20 * SECOND).await;
            let (start, dials) = (Instant::now(), place.dials().len());
            by.end(&client).await;
            for waiting in waiting {
                within(waiting).await.unwrap().unwrap_err();
            }
            assert_eq!(start.elapsed(), Duration::ZERO, "{by:?}");
            assert!(matches!(client.session().await, Err(SessionError::Closed)));
            sleep(HOUR).await;
            assert_eq!(place.dials().len(), dials);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn peers_that_take_nothing_are_waited_for_by_close_no_longer_than_its_limit_and_by_abort_not_at_all() {
    for (by, takes) in [(By::Close, 2 * SECOND), (By::Abort, Duration::ZERO)] {
        let (client, _peers, mut events) = stuck(2 * SECOND).await;
        let start = Instant::now();
        by.end(&client).await;
        assert_eq!(start.elapsed(), takes, "{by:?}");
        assert!(client.sessions().is_empty());
        drop(client);
        assert_eq!(events.names_to_the_end().await, ["close"; 4]);
    }
}

#[tokio::test(start_paused = true)]
async fn futures_in_flight_are_waited_for_by_close_no_longer_than_its_limit_and_by_abort_not_at_all() {
    for (by, takes) in [(By::Close, 2 * SECOND), (By::Abort, Duration::ZERO)] {
        let place = Place::new(Place::echo());
        let limits = Limits::default().close_wait(2 * SECOND);
        let client = place.client_of(ClientBuilder::new(Frames, on_message(|_, _| {})).limits(limits));
        client.session().await.unwrap().run(pending::<()>(), |_, ()| {});
        let start = Instant::now();
        by.end(&client).await;
        assert_eq!(start.elapsed(), takes, "{by:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn close_lets_a_peer_that_is_slow_have_what_is_queued_and_abort_drops_it() {
    for by in [By::Close, By::Abort] {
        let (client, peers, _events) = stuck(HOUR).await;
        let reading = tokio::spawn(async move {
            // Nothing is dropped before it is looked at.
            let mut read = 0;
            for mut peer in peers {
                sleep(10 * SECOND).await;
                read += support::read_to_end(&mut peer).await.len();
            }
            read
        });
        by.end(&client).await;
        let all = 4 * (support::HEADER + LARGE.len());
        let read = reading.await.unwrap();
        match by {
            By::Close => assert_eq!(read, all),
            By::Abort => assert!(read < all / 2, "{read} bytes"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn abort_cuts_a_close_short() {
    let (client, _peers, mut events) = stuck(HOUR).await;
    let start = Instant::now();
    {
        let mut closing = Box::pin(client.close());
        assert!(poll_fn(|cx| Poll::Ready(closing.as_mut().poll(cx).is_pending())).await);
        sleep(SECOND).await;
        client.abort().await;
        closing.await;
    }
    assert_eq!(start.elapsed(), SECOND);
    drop(client);
    assert_eq!(events.names_to_the_end().await, ["close"; 4]);
}

#[tokio::test]
async fn a_real_peer_that_takes_nothing_does_not_hold_up_abort() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (recorder, mut events) = Recorder::new();
    let limits = Limits::default().close_wait(HOUR);
    let client =
        ClientBuilder::new(Frames, recorder).limits(limits).tcp(listener.local_addr().unwrap().to_string());
    let session = within(client.session()).await.unwrap();
    let (_peer, _) = within(listener.accept()).await.unwrap();
    // Until the system takes no more, whatever its buffers are.
    while session.write(LARGE).is_ok() {}
    assert!(matches!(session.write(LARGE), Err(WriteError::Full { .. })));
    within(client.abort()).await;
    assert!(session.stats().queued_bytes > 0 && !session.is_open());
    events.open().await;
    assert_eq!(events.close().await, session);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_just_coming_up_ends_as_its_client_does() {
    // Neither would come to an end soon if it were the other.
    for (by, close_wait) in [(By::Close, Duration::ZERO), (By::Abort, HOUR)] {
        let (release, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let (recorder, mut events) = Recorder::new();
        let recorder = recorder.on_open(move |session: &Session<Frames>| {
            session.write(LARGE)?;
            block_in_place(|| gate.lock().unwrap().recv())?;
            Ok(())
        });
        let place = Place::new(Found::Brief { sends: vec![], after: HOUR });
        let limits = Limits::default().close_wait(close_wait);
        let client = place.client_of(ClientBuilder::new(Frames, recorder).limits(limits));
        let user = tokio::spawn({
            let client = client.clone();
            async move { client.connect().await }
        });
        events.open().await;
        let ending = tokio::spawn(async move { by.end(&client).await });
        // It is told before the session is there for others.
        within(user).await.unwrap().unwrap_err();
        release.send(()).unwrap();
        within(ending).await.unwrap();
        assert_eq!(events.names_to_the_end().await, ["close"], "{by:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn close_after_leave_closes_the_sessions_that_were_left() {
    for by in [By::Close, By::Abort] {
        let place = Place::new(Place::echo());
        let client = place.client(3, on_message(|_, _| {}));
        client.connect().await.unwrap();
        client.leave();
        sleep(HOUR).await;
        assert_eq!(place.live(), 3);
        within(by.end(&client)).await;
        until(|| place.live() == 0).await;
    }
}

/// A client of four sessions, whose peers have taken nothing of much that is queued for them.
async fn stuck(close_wait: Duration) -> (Client<Frames>, Vec<DuplexStream>, Events<Frames>) {
    let peers = Arc::new(Mutex::new(Vec::new()));
    let (recorder, mut events) = Recorder::new();
    let client = {
        let peers = Arc::clone(&peers);
        ClientBuilder::new(Frames, recorder)
            .connections(4)
            .limits(Limits::default().close_wait(close_wait))
            .dial("nobody reads", move || {
                let (own, theirs) = duplex(64 * 1024);
                peers.lock().unwrap().push(theirs);
                async { Ok(Io::new(own, "memory")) }
            })
    };
    client.connect().await.unwrap();
    for session in client.sessions() {
        events.open().await;
        let span = session.write(LARGE).unwrap();
        until(|| session.taken() > span.start).await;
    }
    let peers = std::mem::take(&mut *peers.lock().unwrap());
    (client, peers, events)
}
