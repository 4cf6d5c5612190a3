//! How a client ends: by `close`, by its last handle, by its runtime; and that a panic of users' code does not end it.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use getty::{Client, ClientBuilder, ConnInfo, Opened, Protocol, SessionError, on_message};
use support::{Found, FrameReader, FrameWriter, Frames, Place, Recorder, What, until, within};
use tokio::{
    runtime::Runtime,
    sync::oneshot,
    time::{Instant, sleep},
};

const SECOND: Duration = Duration::from_secs(1);

// Closing.

#[tokio::test]
async fn close_waits_for_every_on_close_and_nothing_is_dialled_afterwards() {
    let place = Place::new(Place::echo());
    let (recorder, mut events) = Recorder::new();
    let client = place.client(4, recorder);
    client.connect().await.unwrap();
    let (open_gate, gate) = oneshot::channel::<()>();
    client.try_session().unwrap().run(gate, |_, _| {});
    let closing = tokio::spawn({
        let client = client.clone();
        async move { client.close().await }
    });
    until(|| client.sessions().len() == 1).await;
    assert!(!closing.is_finished(), "one session still has a future in flight");
    open_gate.send(()).unwrap();
    within(closing).await.unwrap();
    let closes = events.drain().iter().filter(|event| matches!(event.what, What::Close)).count();
    assert_eq!(closes, 4);
    assert!(matches!(client.session().await, Err(SessionError::Closed)));
    assert!(matches!(client.connect().await, Err(SessionError::Closed)));
    assert!(client.try_session().is_none() && client.sessions().is_empty());
    assert_eq!(place.dials().len(), 4);
    // Once more does no harm.
    within(client.close()).await;
}

#[tokio::test(start_paused = true)]
async fn close_ends_a_dial_under_way_and_a_pause() {
    for found in [Found::Silence, Found::Refusal] {
        let place = Place::new(found);
        let client = place.client(4, on_message(|_, _| {}));
        let user = tokio::spawn({
            let client = client.clone();
            async move { client.session().await.map(drop) }
        });
        sleep(SECOND).await;
        let (start, dials) = (Instant::now(), place.dials().len());
        client.close().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        within(user).await.unwrap().unwrap_err();
        sleep(100 * SECOND).await;
        assert_eq!(place.dials().len(), dials);
    }
}

#[tokio::test]
async fn a_client_that_never_dialled_can_be_closed() {
    let place = Place::new(Place::echo());
    let client = place.client(1, on_message(|_, _| {}));
    within(client.close()).await;
    assert!(matches!(client.session().await, Err(SessionError::Closed)));
    assert!(place.dials().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_close_that_races_dials_leaves_no_session_behind() {
    for round in 0..100 {
        let (recorder, mut events) = Recorder::new();
        let place = Place::new(Place::echo());
        let client = place.client(4, recorder);
        let user = tokio::spawn({
            let client = client.clone();
            async move { client.connect().await }
        });
        for _ in 0..round % 10 {
            tokio::task::yield_now().await;
        }
        within(client.close()).await;
        let dials = place.dials().len();
        drop(within(user).await.unwrap());
        drop(client);
        let names = events.names_to_the_end().await;
        let count = |name| names.iter().filter(|other| **other == name).count();
        assert_eq!(count("open"), count("close"), "{names:?}");
        assert_eq!(place.dials().len(), dials, "nothing is dialled after close");
        until(|| place.live() == 0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_closes_the_client() {
    let place = Place::new(Place::echo());
    let (recorder, mut events) = Recorder::new();
    let client = place.client(3, recorder);
    client.connect().await.unwrap();
    let other = client.clone();
    drop(client);
    sleep(SECOND).await;
    assert_eq!(place.live(), 3, "there is another handle");
    drop(other);
    assert_eq!(
        events.names_to_the_end().await,
        ["open", "open", "open", "close", "close", "close"],
        "and the listener is gone"
    );
    sleep(100 * SECOND).await;
    assert_eq!((place.live(), place.dials().len()), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_ends_the_dialling() {
    for found in [Found::Silence, Found::Refusal] {
        let place = Place::new(found);
        let client = place.client(3, on_message(|_, _| {}));
        drop(tokio::time::timeout(SECOND, client.session()).await);
        let dials = place.dials().len();
        drop(client);
        sleep(100 * SECOND).await;
        assert_eq!(place.dials().len(), dials);
    }
}

#[test]
fn a_client_whose_runtime_has_gone_is_closed() {
    let place = Place::new(Place::echo());
    let (recorder, mut events) = Recorder::new();
    let client = place.client(2, recorder);
    let first = Runtime::new().unwrap();
    let session = first.block_on(async {
        client.connect().await.unwrap();
        client.session().await.unwrap()
    });
    drop(first);
    assert!(!session.is_open());
    let second = Runtime::new().unwrap();
    second.block_on(async {
        assert!(matches!(within(client.session()).await, Err(SessionError::Closed)));
        assert!(matches!(within(client.connect()).await, Err(SessionError::Closed)));
        within(client.close()).await;
    });
    let names: Vec<_> = events.drain().iter().map(|event| event.what.name()).collect();
    let count = |name| names.iter().filter(|other| **other == name).count();
    assert_eq!((count("open"), count("close")), (2, 2), "{names:?}");
}

// Users' code that panics.

#[tokio::test(start_paused = true)]
async fn a_panic_in_dialling_is_a_failed_attempt() {
    for early in [true, false] {
        let calls = Arc::new(AtomicUsize::new(0));
        let place = Place::new(Place::echo());
        let client = {
            let (place, calls) = (place.clone(), Arc::clone(&calls));
            Client::new(2, Frames, on_message(|_, _| {}), move || {
                let first = calls.fetch_add(1, Ordering::SeqCst) == 0;
                assert!(!(first && early), "on purpose");
                let place = place.clone();
                async move {
                    assert!(!first, "on purpose");
                    place.dial().await
                }
            })
        };
        let error = within(client.session()).await.unwrap_err().to_string();
        assert!(error.contains("on purpose"), "{error}");
        sleep(SECOND).await;
        within(client.session()).await.unwrap();
        sleep(10 * SECOND).await;
        assert_eq!(client.sessions().len(), 2, "no seat was lost");
    }
}

#[tokio::test(start_paused = true)]
async fn a_protocol_that_panics_is_a_failed_attempt() {
    let place = Place::new(Place::echo());
    let client = {
        let place = place.clone();
        ClientBuilder::new(Panicky(AtomicUsize::new(0)), on_message(|_, _| {}))
            .connections(2)
            .dial("the place", move || place.clone().dial())
    };
    let error = within(client.session()).await.unwrap_err().to_string();
    assert!(error.contains("on purpose"), "{error}");
    sleep(SECOND).await;
    within(client.session()).await.unwrap();
    sleep(10 * SECOND).await;
    assert_eq!(client.sessions().len(), 2, "no seat was lost");
}

/// As [`Frames`], but making the first session panics.
struct Panicky(AtomicUsize);

impl Protocol for Panicky {
    type Reader = FrameReader;
    type Writer = FrameWriter;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<FrameReader, FrameWriter, ()> {
        assert_ne!(self.0.fetch_add(1, Ordering::SeqCst), 0, "on purpose");
        Opened::new(FrameReader, FrameWriter, ())
    }
}
