//! A client: when it dials, what it hands out, and that it comes back.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    collections::BTreeSet,
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use getty::{
    Attempt, Backoff, Client, ClientBuilder, ConnInfo, Error, Opened, Protocol, Server, Session,
    SessionError, WriteError, on_message, transport::memory,
};
use support::{
    Event, Events, Found, FrameReader, FrameWriter, Frames, Place, Recorder, What, read_frame, reset, until,
    within,
};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    sync::{Barrier, oneshot},
    task::JoinHandle,
    time::{Instant, sleep},
};

const SECOND: Duration = Duration::from_secs(1);
/// So long that a test which waited for it would fail.
const HOUR: Duration = Duration::from_secs(3600);

// Dialling.

#[test]
fn a_client_is_made_outside_a_runtime_and_dials_at_the_first_need() {
    let place = Place::new(Place::echo());
    let client = place.client(2, on_message(|_, _| {}));
    assert!(client.try_session().is_none());
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        tokio::task::yield_now().await;
        assert!(place.dials().is_empty());
        within(client.session()).await.unwrap();
        assert!(!place.dials().is_empty());
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_is_just_coming_up_is_waited_for_though_another_one_fails_meanwhile() {
    let (release, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let opened = AtomicUsize::new(0);
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_open(move |_: &Session<Frames>| {
        if opened.fetch_add(1, Ordering::SeqCst) == 1 {
            tokio::task::block_in_place(|| gate.lock().unwrap().recv())?;
        }
        Ok(())
    });
    let place = Place::new(Place::echo());
    let backoff = Backoff::default().first(HOUR).max(HOUR).on_demand(HOUR);
    let client = place.client_of(ClientBuilder::new(Frames, recorder).connections(2).backoff(backoff));
    let first = within(client.session()).await.unwrap();
    assert_eq!(events.open().await, first);
    // The second one is dialled, and nobody has it yet.
    let second = events.open().await;
    let waiting = {
        first.close();
        until(|| client.sessions().is_empty()).await;
        // The first one lived too short to be no failure, and the next dial for it is due in an hour.
        let client = client.clone();
        tokio::spawn(async move { client.session().await })
    };
    for _ in 0..1_000 {
        assert!(client.is_worthwhile());
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished());
    release.send(()).unwrap();
    assert_eq!(within(waiting).await.unwrap().unwrap(), second);
    assert!(client.is_worthwhile(), "it lives, though nothing has proven it yet");
}

#[tokio::test(start_paused = true)]
async fn there_are_as_many_connections_as_configured_and_they_are_used_in_turn() {
    for seats in [1, 2, 5, 13] {
        let place = Place::new(Place::echo());
        let client = place.client(seats, on_message(|_, _| {}));
        let start = Instant::now();
        client.connect().await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO, "no seat waits for the clock");
        let mut used = Vec::new();
        for _ in 0..3 * seats {
            used.push(client.session().await.unwrap().id());
        }
        let mut ids: Vec<_> = client.sessions().iter().map(Session::id).collect();
        assert_eq!(ids.len(), seats);
        ids.extend_from_within(..);
        ids.extend_from_within(..seats);
        used.sort_unstable();
        ids.sort_unstable();
        assert_eq!(used, ids, "each three times");
        sleep(1_000 * SECOND).await;
        assert_eq!((place.dials().len(), place.live()), (seats, seats));
    }
}

#[tokio::test(start_paused = true)]
async fn many_first_users_at_once_cause_no_more_connections() {
    let place = Place::new(Place::echo());
    let client = place.client(2, on_message(|_, _| {}));
    let users: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.session().await.unwrap().id() })
        })
        .collect();
    for user in users {
        within(user).await.unwrap();
    }
    sleep(SECOND).await;
    assert_eq!(place.dials().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_does_not_stop_the_dialling() {
    let (connector, listen) = memory::listen();
    let gate = Arc::new(Barrier::new(2));
    let client = {
        let gate = Arc::clone(&gate);
        Client::new(1, Frames, on_message(|_, _| {}), move || {
            let (connector, gate) = (connector.clone(), Arc::clone(&gate));
            async move {
                gate.wait().await;
                connector.connect().await
            }
        })
    };
    tokio::spawn(Server::over(listen).serve(Frames, on_message(|_, _| {})));
    {
        let mut session = Box::pin(client.session());
        assert!(poll_fn(|cx| Poll::Ready(session.as_mut().poll(cx).is_pending())).await);
    }
    gate.wait().await;
    within(client.session()).await.unwrap();
}

#[tokio::test]
async fn what_on_open_writes_goes_out_before_what_users_write() {
    for _ in 0..20 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (recorder, _events) = Recorder::new();
        let recorder = recorder.on_open(|session: &Session<Frames>| {
            session.write(Bytes::from_static(b"hello"))?;
            Ok(())
        });
        let client = Client::tcp(listener.local_addr().unwrap().to_string(), 1, Frames, recorder);
        for _ in 0..20 {
            let client = client.clone();
            tokio::spawn(async move { client.session().await.unwrap().write(Bytes::from_static(b"user")) });
        }
        let (mut peer, _) = listener.accept().await.unwrap();
        assert_eq!(read_frame(&mut peer).await, b"hello");
        for _ in 0..20 {
            assert_eq!(read_frame(&mut peer).await, b"user");
        }
    }
}

#[tokio::test]
async fn a_peer_can_speak_first() {
    let (recorder, _server_events) = Recorder::new();
    let recorder = recorder.on_open(|session: &Session<Frames>| {
        session.write(Bytes::from_static(b"welcome"))?;
        Ok(())
    });
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap().to_string();
    tokio::spawn(server.serve(Frames, recorder));
    let (recorder, mut events) = Recorder::new();
    let client = Client::tcp(address, 1, Frames, recorder);
    within(client.connect()).await.unwrap();
    events.open().await;
    assert_eq!(events.message().await, "welcome");
}

// Coming back.

#[tokio::test(start_paused = true)]
async fn after_a_restart_every_seat_has_a_new_session_with_new_state() {
    const SEATS: usize = 3;
    let place = Place::new(Place::echo());
    let made = Arc::new(AtomicUsize::new(0));
    let (recorder, mut events) = Recorder::new();
    let client = {
        let (place, protocol) = (place.clone(), Noted(Arc::clone(&made)));
        ClientBuilder::new(protocol, recorder)
            .connections(SEATS)
            .dial("the place", move || place.clone().dial())
    };
    client.connect().await.unwrap();
    let old = client.sessions();
    for session in &old {
        assert_eq!(session.info().attempt, Attempt::First);
        assert!(session.info().cause.is_none());
        session.set("an attribute");
    }
    // Long enough that the end counts as a loss.
    sleep(10 * SECOND).await;
    events.drain();
    assert_eq!(place.close_all(), SEATS);
    sleep(SECOND).await;
    let new = client.sessions();
    assert_eq!((new.len(), place.live(), place.dials().len()), (SEATS, SEATS, 2 * SEATS));
    let ids: BTreeSet<_> = old.iter().chain(&new).map(Session::id).collect();
    assert_eq!(ids.len(), 2 * SEATS, "no session comes back to life");
    let states: BTreeSet<_> = old.iter().chain(&new).map(|session| *session.state()).collect();
    assert_eq!(states.len(), 2 * SEATS, "Protocol::open is called for each");
    for session in &new {
        assert_eq!(session.info().attempt, Attempt::Again);
        assert!(session.get::<&str>().is_none());
    }
    for session in &old {
        assert!(!session.is_open());
        assert!(matches!(session.write(Bytes::new()), Err(WriteError::Closed)));
    }
    let mut names: Vec<_> = events.drain().iter().map(|event| event.what.name()).collect();
    names.sort_unstable();
    assert_eq!(names, [["close"; SEATS], ["open"; SEATS]].concat());
}

#[tokio::test]
async fn a_session_after_a_broken_one_knows_the_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (recorder, mut events) = Recorder::new();
    let client = Client::tcp(listener.local_addr().unwrap().to_string(), 1, Frames, recorder);
    let _user = tokio::spawn({
        let client = client.clone();
        async move { client.connect().await }
    });
    let (first, _) = within(listener.accept()).await.unwrap();
    events.open().await;
    reset(first);
    events.close().await;
    let (_second, _) = within(listener.accept()).await.unwrap();
    let session = events.open().await;
    assert_eq!(session.info().attempt, Attempt::Again);
    assert!(matches!(session.info().cause.as_deref(), Some(Error::Io(_))), "{:?}", session.info().cause);
}

#[tokio::test(start_paused = true)]
async fn sessions_that_die_together_are_each_replaced_once() {
    let place = Place::new(Place::echo());
    let client = place.client(10, on_message(|_, _| {}));
    client.connect().await.unwrap();
    for round in 1..=5 {
        sleep(10 * SECOND).await;
        assert_eq!(place.close_all(), 10);
        sleep(SECOND).await;
        assert_eq!((place.live(), client.sessions().len()), (10, 10));
        assert_eq!(place.dials().len(), 10 + round * 10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_its_own_user_closes_is_replaced() {
    let place = Place::new(Place::echo());
    let (recorder, mut events) = Recorder::new();
    let client = place.client(1, recorder);
    for _ in 0..5 {
        let session = client.session().await.unwrap();
        sleep(10 * SECOND).await;
        session.close();
        let next = within(client.session()).await.unwrap();
        assert_ne!(session, next);
    }
    // The old one's last callback comes before the new one's first.
    let names: Vec<_> = events.drain().iter().map(|event| event.what.name()).collect();
    assert_eq!(names, ["open", "close"].repeat(6)[..11]);
}

#[tokio::test(start_paused = true)]
async fn calls_after_a_restart_need_no_retry() {
    // One call, the server ends and comes back, two seconds, three calls; fifty times.
    let place = Place::new(Place::echo());
    let (recorder, mut events) = Recorder::new();
    let client = place.client(1, recorder);
    echo(&client, &mut events).await;
    for _ in 0..50 {
        place.put(Found::Refusal);
        assert_eq!(place.close_all(), 1);
        sleep(SECOND / 3).await;
        place.put(Place::echo());
        sleep(2 * SECOND).await;
        for _ in 0..3 {
            echo(&client, &mut events).await;
        }
    }
}

#[tokio::test]
async fn a_restart_on_the_same_port_needs_no_retry_and_no_dead_session_is_handed_out() {
    let (recorder, mut events) = Recorder::new();
    let (mut address, mut stop, mut serving) = serve(([127, 0, 0, 1], 0).into()).await;
    // The rounds here are shorter than what counts as a brief session.
    let backoff = Backoff::default().first(Duration::from_millis(1)).brief(Duration::ZERO);
    let client =
        ClientBuilder::new(Frames, recorder).connections(8).backoff(backoff).tcp(address.to_string());
    within(client.connect()).await.unwrap();
    for round in 0..10 {
        // Each seat comes back, once: the first by itself, the others when it has proven that the peer is good.
        open(&mut events).await;
        echo(&client, &mut events).await;
        until(|| client.sessions().len() == 8).await;
        assert!(client.sessions().iter().all(Session::is_open), "round {round}");
        for _ in 0..24 {
            echo(&client, &mut events).await;
        }
        stop.send(()).unwrap();
        within(serving).await.unwrap().unwrap();
        for _ in 0..8 {
            let closed = events.close().await;
            assert!(client.try_session().is_none_or(|session| session != closed));
        }
        (address, stop, serving) = serve(address).await;
    }
}

// Addresses.

#[tokio::test]
async fn a_name_is_looked_up_and_an_error_names_what_was_dialled() {
    let (address, _stop, _serving) = serve(([127, 0, 0, 1], 0).into()).await;
    let (recorder, mut events) = Recorder::new();
    let client = Client::tcp(format!("localhost:{}", address.port()), 1, Frames, recorder);
    echo(&client, &mut events).await;
    let nobody = Client::tcp("127.0.0.1:1", 1, Frames, on_message(|_, _| {}));
    let error = within(nobody.session()).await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1"), "{error}");
}

#[tokio::test]
async fn nobody_listening_is_an_error_and_never_a_session() {
    // A port that was free a moment ago: a socket could even connect to itself.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = Client::tcp(address.to_string(), 1, Frames, on_message(|_, _| {}));
    assert!(matches!(within(client.session()).await, Err(SessionError::Unreachable { .. })));
    client.close().await;
    assert!(TcpStream::connect(address).await.is_err());
}

/// One packet there and back.
async fn echo(client: &Client<Frames>, events: &mut Events<Frames>) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let packet = Bytes::from(NUMBER.fetch_add(1, Ordering::SeqCst).to_string());
    let session = client.session().await.unwrap();
    session.write(packet.clone()).unwrap();
    loop {
        let Event { what, .. } = events.next().await;
        if let What::Message(answer) = what {
            return assert_eq!(answer, packet);
        }
    }
}

async fn open(events: &mut Events<Frames>) {
    while !matches!(events.next().await.what, What::Open) {}
}

/// An echo server over TCP, what stops it, and its task.
async fn serve(address: SocketAddr) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<io::Result<()>>) {
    let server = Server::bind(address).await.unwrap();
    let address = server.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let echo = on_message(|session: &Session<Frames>, packet| {
        let _ = session.write(packet);
    });
    (address, stop, tokio::spawn(server.serve_until(Frames, echo, async { drop(stopped.await) })))
}

/// As [`Frames`], with a number as state that no other session has.
struct Noted(Arc<AtomicUsize>);

impl Protocol for Noted {
    type Reader = FrameReader;
    type Writer = FrameWriter;
    type State = usize;

    fn open(&self, _: &ConnInfo) -> Opened<FrameReader, FrameWriter, usize> {
        Opened::new(FrameReader, FrameWriter, self.0.fetch_add(1, Ordering::SeqCst))
    }
}
