//! What a client says of itself, that it costs no task beside its sessions, and dialling at once.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use getty::{
    Backoff, Client, ClientBuilder, ClientState, ClientStates, Limits, Session, SessionError, on_message,
    transport::Io,
};
use support::{Found, Frames, Place, within};
use tokio::{
    io::duplex,
    runtime::{Handle, Runtime},
    time::{Instant, sleep},
};

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);
/// So long that a test which waited for it would fail.
const HOUR: Duration = Duration::from_secs(3600);

use ClientState::{Closed, Connecting, Failing, Idle, Ready};

// States.

#[tokio::test(start_paused = true)]
async fn each_state_is_told_as_it_comes_and_closed_is_the_last() {
    let place = Place::new(Found::Silence);
    let limits = Limits::default().dial(SECOND);
    let client = place.client_of(ClientBuilder::new(Frames, on_message(|_, _| {})).limits(limits));
    let mut states = client.states();
    told(&mut states, &client, Idle).await;
    let user = tokio::spawn({
        let client = client.clone();
        async move { client.session().await.map(drop) }
    });
    told(&mut states, &client, Connecting).await;
    // Nobody answers the dial.
    told(&mut states, &client, Failing).await;
    within(user).await.unwrap().unwrap_err();
    place.put(Place::echo());
    told(&mut states, &client, Ready).await;
    // Proven by its age, so its end is a loss.
    sleep(6 * SECOND).await;
    place.close_all();
    told(&mut states, &client, Connecting).await;
    told(&mut states, &client, Ready).await;
    // Of no use, so its end is a failure.
    sleep(6 * SECOND).await;
    place.put(Found::Brief { sends: vec![], after: 100 * MILLI });
    place.close_all();
    told(&mut states, &client, Connecting).await;
    told(&mut states, &client, Ready).await;
    told(&mut states, &client, Failing).await;
    client.close().await;
    told(&mut states, &client, Closed).await;
    assert_eq!(within(states.next()).await, None);
    assert_eq!(within(client.states().next()).await, Some(Closed), "also to those who come late");
}

#[tokio::test(start_paused = true)]
async fn a_client_is_ready_while_any_of_its_sessions_is_open() {
    let place = Place::new(Place::echo());
    let client = place.client(2, on_message(|_, _| {}));
    client.connect().await.unwrap();
    sleep(6 * SECOND).await;
    place.put(Found::Refusal);
    let sessions = client.sessions();
    sessions[0].close();
    sleep(SECOND).await;
    assert_eq!((client.sessions().len(), client.state()), (1, Ready));
    sessions[1].close();
    sleep(SECOND).await;
    assert_eq!(client.state(), Failing);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_takes_long_to_end_is_none_that_a_client_is_ready_with() {
    let place = Place::new(Place::echo());
    let client = place.client(1, on_message(|_, _| {}));
    let session = client.session().await.unwrap();
    session.run(std::future::pending::<()>(), |_, ()| {});
    let mut states = client.states();
    told(&mut states, &client, Ready).await;
    let start = Instant::now();
    session.close();
    told(&mut states, &client, Connecting).await;
    assert_eq!(start.elapsed(), Duration::ZERO, "it waits for the future for three seconds");
}

#[tokio::test(start_paused = true)]
async fn whoever_watches_a_client_does_not_keep_it_open() {
    for leave in [false, true] {
        let place = Place::new(Place::echo());
        let client = place.client(2, on_message(|_, _| {}));
        client.connect().await.unwrap();
        let mut states = client.states();
        told(&mut states, &client, Ready).await;
        let start = Instant::now();
        if leave {
            client.leave();
        }
        drop(client);
        assert_eq!(within(states.next()).await, Some(Closed));
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(within(states.next()).await, None);
        sleep(SECOND).await;
        assert_eq!(place.live(), if leave { 2 } else { 0 });
    }
}

#[tokio::test]
async fn a_client_that_never_dialled_is_idle_until_it_is_closed() {
    let client = Place::new(Place::echo()).client(2, on_message(|_, _| {}));
    let mut states = client.states();
    told(&mut states, &client, Idle).await;
    client.close().await;
    told(&mut states, &client, Closed).await;
}

#[test]
fn a_client_whose_runtime_has_gone_says_that_it_is_closed() {
    let place = Place::new(Place::echo());
    let client = place.client(2, on_message(|_, _| {}));
    let runtime = Runtime::new().unwrap();
    runtime.block_on(client.connect()).unwrap();
    assert_eq!(client.state(), Ready);
    drop(runtime);
    assert_eq!(client.state(), Closed);
    let mut states = client.states();
    let other = Runtime::new().unwrap();
    assert_eq!(other.block_on(async { within(states.next()).await }), Some(Closed));
}

// Tasks.

#[tokio::test(start_paused = true)]
async fn an_idle_client_has_one_task_for_each_session_and_no_other() {
    const SEATS: usize = 5;
    let ends = Arc::new(Mutex::new(Vec::new()));
    let client = {
        let ends = Arc::clone(&ends);
        Client::new(SEATS, Frames, on_message(|_, _| {}), move || {
            let (own, theirs) = duplex(1024);
            ends.lock().unwrap().push(theirs);
            async { Ok(Io::new(own, "memory")) }
        })
    };
    let tasks = || Handle::current().metrics().num_alive_tasks();
    assert_eq!(tasks(), 0, "before the first need");
    client.connect().await.unwrap();
    for _ in 0..10 {
        sleep(HOUR).await;
        assert_eq!((client.sessions().len(), tasks()), (SEATS, SEATS));
    }
    // Nor after a loss and the way back.
    ends.lock().unwrap().clear();
    sleep(HOUR).await;
    assert_eq!((client.sessions().len(), tasks()), (SEATS, SEATS));
    client.close().await;
    assert_eq!(tasks(), 0);
}

// Dialling at once.

#[tokio::test(start_paused = true)]
async fn connect_now_dials_on_every_seat_without_regard_to_the_back_off() {
    for seats in [1, 4] {
        let place = failed_for_a_minute(seats).await;
        place.0.put(Place::echo());
        let (start, dials) = (Instant::now(), place.0.dials().len());
        within(place.1.connect_now()).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!((place.1.sessions().len(), place.0.live()), (seats, seats));
        sleep(60 * SECOND).await;
        assert_eq!(place.0.dials().len(), dials + seats, "and no more than that");
    }
}

#[tokio::test(start_paused = true)]
async fn connect_now_to_a_peer_that_is_still_away_fails_and_leaves_the_back_off_as_it_was() {
    let (place, client) = failed_for_a_minute(4).await;
    let attempts = attempts(&client).await;
    let (start, dials) = (Instant::now(), place.dials().len());
    for round in 1..=3 {
        let error = within(client.connect_now()).await.unwrap_err();
        assert!(matches!(error, SessionError::Unreachable { .. }), "{error}");
        assert_eq!(place.dials().len(), dials + 4 * round);
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    let error = client.session().await.unwrap_err();
    let SessionError::Unreachable { attempts: now, next, .. } = &error else { panic!("{error}") };
    assert!(*now > attempts, "they count as failures");
    assert!(*next > 5 * SECOND, "the next one is due in {next:?}");
    // And go on as ever.
    sleep(60 * SECOND).await;
    let later = place.dials().len() - dials - 12;
    assert!((2..=10).contains(&later), "{later} dials in the next minute");
}

#[tokio::test(start_paused = true)]
async fn connect_now_does_not_rely_on_a_dial_that_was_under_way_before() {
    let place = Place::new(Found::Silence);
    let limits = Limits::default().dial(3 * SECOND);
    let backoff = Backoff::default().first(HOUR).max(HOUR).on_demand(HOUR);
    let builder = ClientBuilder::new(Frames, on_message(|_, _| {})).limits(limits).backoff(backoff);
    let client = place.client_of(builder);
    let user = tokio::spawn({
        let client = client.clone();
        async move { client.session().await.map(drop) }
    });
    sleep(SECOND).await;
    place.put(Place::echo());
    let start = Instant::now();
    within(client.connect_now()).await.unwrap();
    assert_eq!(start.elapsed(), 2 * SECOND, "as soon as the old one had failed");
    assert_eq!(place.dials().len(), 2);
    within(user).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_up_connect_now_has_the_dialling_done_all_the_same() {
    let (place, client) = failed_for_a_minute(2).await;
    place.put(Place::echo());
    {
        let mut connecting = Box::pin(client.connect_now());
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(connecting.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
    }
    sleep(MILLI).await;
    assert_eq!((client.sessions().len(), client.state()), (2, Ready));
}

#[tokio::test(start_paused = true)]
async fn connect_now_fails_though_another_session_is_open() {
    let place = Place::new(Place::echo());
    let client = place.client(2, on_message(|_, _| {}));
    client.connect().await.unwrap();
    sleep(10 * SECOND).await;
    place.put(Found::Refusal);
    client.sessions()[0].close();
    sleep(SECOND).await;
    let (start, dials) = (Instant::now(), place.dials().len());
    let error = within(client.connect_now()).await.unwrap_err();
    assert!(matches!(error, SessionError::Unreachable { .. }), "{error}");
    assert_eq!((start.elapsed(), place.dials().len()), (Duration::ZERO, dials + 1));
    assert_eq!((client.sessions().len(), client.state()), (1, Ready));
}

#[tokio::test(start_paused = true)]
async fn connect_now_leaves_sessions_that_are_open_alone_and_asks_nothing_of_a_closed_client() {
    let place = Place::new(Place::echo());
    let client = place.client(3, on_message(|_, _| {}));
    // The first dial of all is as ever: one seat, then the others.
    within(client.connect_now()).await.unwrap();
    let sessions = client.sessions();
    for _ in 0..10 {
        within(client.connect_now()).await.unwrap();
    }
    assert!(client.sessions() == sessions && sessions.iter().all(Session::is_open));
    // Nor does one that was asked for while all was well make a seat hasty later.
    sleep(SECOND / 2).await;
    place.put(Found::Refusal);
    place.close_all();
    sleep(50 * MILLI).await;
    assert_eq!(place.dials().len(), 3, "an end so early is a failure, and has its pause");
    client.close().await;
    assert!(matches!(client.connect_now().await, Err(SessionError::Closed)));
}

/// The next state, which must be this one, and which the client says too.
async fn told(states: &mut ClientStates, client: &Client<Frames>, state: ClientState) {
    assert_eq!(within(states.next()).await, Some(state));
    assert_eq!(client.state(), state);
}

/// A client whose peer has refused for a minute.
async fn failed_for_a_minute(seats: usize) -> (Place, Client<Frames>) {
    let place = Place::new(Found::Refusal);
    let client = place.client(seats, on_message(|_, _: Bytes| {}));
    within(client.session()).await.unwrap_err();
    sleep(60 * SECOND).await;
    (place, client)
}

/// Failed attempts in a row.
async fn attempts(client: &Client<Frames>) -> u32 {
    match client.session().await.unwrap_err() {
        SessionError::Unreachable { attempts, .. } => attempts,
        error => panic!("{error}"),
    }
}
