//! What an observer is told: every session's begin and end with the reason, and every connection that became no session.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use getty::{
    ClientBuilder, CloseReason, EndpointKind, EventListener, Limits, Observed, Observer, Server, Session,
    on_message,
    transport::{
        Listen,
        memory::{self, Memory, MemoryConnector},
    },
};
use support::{
    Found, Frames, HEADER, Place, Recorder, Told, Watcher, echo, frame, read_to_end, reset, until, within,
};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};

/// A server over TCP with an observer.
async fn serve(watcher: &Watcher, limits: Limits, listener: impl EventListener<Frames>) -> SocketAddr {
    let server = Server::bind("127.0.0.1:0").await.unwrap().name("orders").limits(limits);
    let address = server.local_addr().unwrap();
    tokio::spawn(server.observer(watcher.clone()).serve(Frames, listener));
    address
}

fn in_memory(builder: ClientBuilder<Frames>, connector: MemoryConnector) -> getty::Client<Frames> {
    builder.dial("memory", move || {
        let connector = connector.clone();
        async move { connector.connect().await }
    })
}

#[tokio::test]
async fn a_session_is_opened_before_on_open_and_closed_after_on_close_with_its_final_counters() {
    let watcher = Watcher::default();
    let (recorder, mut events) = Recorder::new();
    let count = |watcher: &Watcher| {
        let watcher = watcher.clone();
        move || watcher.told().len()
    };
    let (at_open, at_close) = (count(&watcher), count(&watcher));
    let recorder = recorder
        .on_open(move |_: &Session<Frames>| {
            assert_eq!(at_open(), 1);
            Ok(())
        })
        .on_message(|session: &Session<Frames>, packet| {
            session.write(packet).unwrap();
        })
        .on_close(move |_| assert_eq!(at_close(), 1));
    let address = serve(&watcher, Limits::default(), recorder).await;
    let mut peer = TcpStream::connect(address).await.unwrap();
    let session = events.open().await;
    peer.write_all(&frame(b"hello").repeat(3)).await.unwrap();
    peer.shutdown().await.unwrap();
    assert_eq!(read_to_end(&mut peer).await, frame(b"hello").repeat(3));
    until(|| watcher.told().len() == 2).await;
    let [opened, closed] = &watcher.told()[..] else { panic!("{watcher:?}") };
    let (id, endpoint) = (session.id(), || "orders".to_owned());
    let kind = EndpointKind::Server;
    assert_eq!(*opened, Told::Opened { endpoint: endpoint(), kind, transport: "tcp", id });
    assert_eq!(*closed, Told::Closed { endpoint: endpoint(), id, reason: "peer", stats: session.stats() });
    let stats = session.stats();
    let bytes = 3 * (5 + HEADER as u64);
    assert_eq!((stats.read_packets, stats.read_bytes), (3, bytes));
    assert_eq!((stats.written_packets, stats.written_bytes), (3, bytes));
}

#[tokio::test]
async fn the_reason_of_every_kind_of_end_is_told() {
    type End = fn(TcpStream, Session<Frames>);
    let ends: [(&str, End); 6] = [
        ("local", |_, session| session.close()),
        ("aborted", |_, session| session.abort()),
        ("peer", |peer, _| drop(peer)),
        ("io", |peer, _| reset(peer)),
        ("read", |peer, _| assert_eq!(peer.try_write(b"nonsense").unwrap(), 8)),
        ("truncated", |peer, _| assert_eq!(peer.try_write(&frame(b"half")[..7]).unwrap(), 7)),
    ];
    for (expected, end) in ends {
        let watcher = Watcher::default();
        let (recorder, mut events) = Recorder::new();
        let address = serve(&watcher, Limits::default(), recorder).await;
        let peer = TcpStream::connect(address).await.unwrap();
        end(peer, events.open().await);
        until(|| watcher.told().len() == 2).await;
        let told = watcher.told();
        assert!(matches!(told[1], Told::Closed { reason, .. } if reason == expected), "{expected}: {told:?}");
    }
}

#[tokio::test]
async fn a_session_that_on_open_refuses_is_opened_and_closed() {
    let watcher = Watcher::default();
    let (recorder, mut events) = Recorder::new();
    let address = serve(&watcher, Limits::default(), recorder.on_open(|_| Err("no".into()))).await;
    let _peer = TcpStream::connect(address).await.unwrap();
    events.close().await;
    until(|| watcher.told().len() == 2).await;
    assert!(matches!(watcher.told()[1], Told::Closed { reason: "refused", .. }));
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told_and_open_no_session() {
    let watcher = Watcher::default();
    let (recorder, mut events) = Recorder::new();
    let address = serve(&watcher, Limits::default().sessions(1), recorder).await;
    let _first = TcpStream::connect(address).await.unwrap();
    events.open().await;
    for refused in 1..=3 {
        let mut peer = TcpStream::connect(address).await.unwrap();
        assert!(read_to_end(&mut peer).await.is_empty());
        let expected = Told::Refused { endpoint: "orders".to_owned(), limit: "sessions" };
        let told = watcher.told();
        assert_eq!(told.iter().filter(|told| **told == expected).count(), refused, "{told:?}");
        assert_eq!(told.len(), refused + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn accepts_that_fail_are_told_and_those_that_follow_work() {
    struct Failing(VecDeque<io::ErrorKind>, memory::MemoryListen);
    impl Listen for Failing {
        type Conn = Memory;

        async fn accept(&mut self) -> io::Result<Memory> {
            match self.0.pop_front() {
                Some(kind) => Err(kind.into()),
                None => self.1.accept().await,
            }
        }

        fn local_addr(&self) -> Option<SocketAddr> {
            None
        }
    }
    let watcher = Watcher::default();
    let (connector, listen) = memory::listen();
    let kinds = [io::ErrorKind::ConnectionAborted, io::ErrorKind::OutOfMemory];
    let server = Server::over(Failing(kinds.into(), listen)).observer(watcher.clone());
    tokio::spawn(server.serve(Frames, echo()));
    let _conn = connector.connect().await.unwrap();
    // Longer than the pause after a failed accept, on a clock that stands still while there is work.
    sleep(Duration::from_secs(5)).await;
    let told = watcher.told();
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[..2], kinds.map(Told::AcceptFailed));
    assert!(matches!(told[2], Told::Opened { .. }));
}

#[tokio::test]
async fn dials_are_told_be_they_well_or_not() {
    let watcher = Watcher::default();
    let place = Place::new(Found::Refusal);
    let builder = ClientBuilder::new(Frames, on_message(|_, _| {})).name("till").observer(watcher.clone());
    let client = place.client_of(builder);
    within(client.session()).await.unwrap_err();
    let told = watcher.told();
    assert!(
        matches!(&told[..], [Told::DialFailed { endpoint, cause }]
        if endpoint == "till" && cause.contains("refused")),
        "{told:?}"
    );
    place.put(Place::echo());
    until(|| client.try_session().is_some()).await;
    client.close().await;
    let told = watcher.told();
    let [.., dialled, opened, closed] = &told[..] else { panic!("{told:?}") };
    assert_eq!(*dialled, Told::Dialled("till".to_owned()));
    assert!(matches!(opened, Told::Opened { transport: "memory", .. }));
    assert!(matches!(closed, Told::Closed { reason: "local", .. }));
}

#[cfg(feature = "ws")]
#[tokio::test]
async fn handshakes_that_fail_are_told_to_the_observer_and_to_the_listeners_own_function() {
    use getty::transport::{WsListen, WsServer};

    let watcher = Watcher::default();
    let own = Arc::<Mutex<Vec<SocketAddr>>>::default();
    let noted = Arc::clone(&own);
    let listen = WsListen::bind("127.0.0.1:0", WsServer::new("/echo")).await.unwrap();
    let listen = listen.on_refused(move |peer, _| noted.lock().unwrap().push(peer));
    let server = Server::over(listen).observer(watcher.clone());
    let address = server.local_addr().unwrap();
    tokio::spawn(server.serve(Frames, echo()));
    let mut peer = TcpStream::connect(address).await.unwrap();
    peer.write_all(support::ws::upgrade("/other", "").as_bytes()).await.unwrap();
    read_to_end(&mut peer).await;
    until(|| !watcher.told().is_empty() && !own.lock().unwrap().is_empty()).await;
    let from = peer.local_addr().unwrap();
    let told = watcher.told();
    assert!(
        matches!(&told[..], [Told::HandshakeFailed { endpoint, peer, error }]
        if endpoint == "server" && *peer == from && error.contains("404")),
        "{told:?}"
    );
    assert_eq!(*own.lock().unwrap(), [from]);
}

#[tokio::test]
async fn nothing_is_told_for_a_packet_and_the_counters_can_be_read_meanwhile() {
    /// Keeps the sessions.
    #[derive(Clone, Default)]
    struct Keeper(Arc<Mutex<Vec<Observed>>>);
    impl Observer for Keeper {
        fn opened(&self, session: &Observed) {
            self.0.lock().unwrap().push(session.clone());
        }
    }
    const PACKETS: u64 = 1_000;
    let keeper = Keeper::default();
    let watcher = Watcher::default();
    let (connector, listen) = memory::listen();
    tokio::spawn(Server::over(listen).observer(watcher.clone()).serve(Frames, echo()));
    let (recorder, mut events) = Recorder::new();
    let client = in_memory(ClientBuilder::new(Frames, recorder).observer(keeper.clone()), connector);
    let session = within(client.session()).await.unwrap();
    events.open().await;
    for _ in 0..PACKETS {
        session.write(Bytes::from_static(b"packet")).unwrap();
        events.message().await;
    }
    let seen = keeper.0.lock().unwrap()[0].clone();
    assert_eq!((seen.id(), seen.stats().read_packets), (session.id(), PACKETS));
    assert_eq!(watcher.told().len(), 1, "only that the session began");
}

#[tokio::test]
async fn an_observer_that_panics_does_no_harm() {
    struct Panics;
    impl Observer for Panics {
        fn opened(&self, _: &Observed) {
            panic!("on purpose");
        }
        fn closed(&self, _: &Observed, _: &CloseReason<'_>) {
            panic!("on purpose");
        }
        fn dialled(&self, _: &getty::EndpointInfo, _: Duration) {
            panic!("on purpose");
        }
    }
    let (connector, listen) = memory::listen();
    tokio::spawn(Server::over(listen).observer(Panics).serve(Frames, echo()));
    let (recorder, mut events) = Recorder::new();
    let client = in_memory(ClientBuilder::new(Frames, recorder).observer(Panics), connector);
    let session = within(client.session()).await.unwrap();
    session.write(Bytes::from_static(b"hello")).unwrap();
    events.open().await;
    assert_eq!(events.message().await, "hello");
    client.close().await;
    events.close().await;
}

#[tokio::test]
async fn one_observer_serves_any_number_of_endpoints() {
    let watcher = Watcher::default();
    let shared: Arc<dyn Observer> = Arc::new(watcher.clone());
    for name in ["first", "second"] {
        let (connector, listen) = memory::listen();
        tokio::spawn(Server::over(listen).name(name).observer(Arc::clone(&shared)).serve(Frames, echo()));
        drop(connector.connect().await.unwrap());
    }
    until(|| watcher.told().len() == 4).await;
    let names: Vec<_> = watcher
        .told()
        .into_iter()
        .filter_map(|told| match told {
            Told::Opened { endpoint, .. } => Some(endpoint),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["first", "second"]);
}
