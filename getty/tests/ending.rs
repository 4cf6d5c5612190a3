//! Ends that have something left to do: answers in flight, queued bytes, other sessions. And what a server outlives.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    collections::VecDeque,
    future::pending,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use bytes::Bytes;
use getty::{
    ConnInfo, Limits, Opened, Protocol, Server, Session, WriteError, on_message,
    transport::{Listen, memory},
};
use support::{
    Events, FrameReader, FrameWriter, Frames, Recorder, frame, over_memory, over_tcp, read_frame,
    read_to_end, until, within,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{oneshot, watch},
    task::JoinHandle,
    time::Instant,
};

const SECOND: Duration = Duration::from_secs(1);
/// So long that a test which waited for it would fail.
const HOUR: Duration = Duration::from_secs(3600);

// Answers in flight.

#[tokio::test]
async fn answers_that_are_pending_at_the_peers_half_close_are_still_written() {
    let (open_gate, gate) = watch::channel(false);
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_message(move |session: &Session<Frames>, packet| {
        let mut gate = gate.clone();
        session.run(async move { gate.wait_for(|open| *open).await.map(drop) }, |session, _| {
            session.write(packet).unwrap();
        });
    });
    let (mut peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
    events.open().await;
    peer.write_all(&[frame(b"one"), frame(b"two")].concat()).await.unwrap();
    peer.shutdown().await.unwrap();
    until(|| !session.is_open()).await;
    drop(session);
    open_gate.send(true).unwrap();
    let mut answers = [read_frame(&mut peer).await, read_frame(&mut peer).await];
    answers.sort();
    assert_eq!(answers, [b"one", b"two"]);
    assert_eq!(read_to_end(&mut peer).await, b"");
    assert_eq!(events.names_to_the_end().await, ["message", "message", "close"]);
}

#[tokio::test(start_paused = true)]
async fn a_future_that_never_ends_is_waited_for_no_longer_than_close_wait() {
    for by_the_peer in [true, false] {
        let (recorder, mut events) = Recorder::new();
        let (peer, session) = over_memory(Frames, recorder, Limits::default().close_wait(7 * SECOND));
        events.open().await;
        session.run(pending::<()>(), |_, ()| {});
        let start = Instant::now();
        if by_the_peer {
            drop(peer)
        } else {
            session.close()
        }
        events.close().await;
        assert_eq!(start.elapsed().as_secs(), 7);
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_with_nothing_left_to_do_takes_no_time() {
    let (recorder, mut events) = Recorder::new();
    let (_peer, session) = over_memory(Frames, recorder, Limits::default());
    events.open().await;
    let start = Instant::now();
    session.run(async {}, |_, ()| {});
    session.close();
    events.close().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}

// Queued bytes.

#[tokio::test]
async fn close_writes_what_is_queued_to_a_slow_reader() {
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_tcp(Frames, recorder, Limits::default().close_wait(HOUR)).await;
    events.open().await;
    let body = Bytes::from(vec![3; 8_000_000]);
    session.write(body.clone()).unwrap();
    session.close();
    assert!(session.stats().queued_bytes > 0, "the test wants more than the system buffers");
    let mut received = Vec::new();
    let mut chunk = vec![0; 16 * 1024];
    loop {
        tokio::task::yield_now().await;
        match within(peer.read(&mut chunk)).await.unwrap() {
            0 => break,
            n => received.extend_from_slice(&chunk[..n]),
        }
    }
    assert_eq!(received, frame(&body));
    events.close().await;
}

#[tokio::test]
async fn answers_reach_a_peer_that_was_still_sending_when_the_session_closed() {
    let (peer, mut events, body) = closing_at_the_first_packet(HOUR).await;
    let (mut input, mut output) = peer.into_split();
    // More than the session reads before it closes, and then more all the time, until the peer has seen the end.
    let sender = tokio::spawn(async move {
        loop {
            output.write_all(&frame(b"").repeat(1_000)).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(events.message().await, "");
    assert_eq!(events.next().await.what.name(), "close", "which does not wait for the peer");
    assert_eq!(read_to_end(&mut input).await, frame(&body));
    assert!(!sender.is_finished(), "the session's end must not reset what the peer sends");
    sender.abort();
    drop(sender.await);
    drop(input);
    assert!(events.names_to_the_end().await.is_empty());
}

#[tokio::test]
async fn a_peer_that_never_stops_sending_is_cut_off_after_close_wait() {
    let (mut peer, mut events, _) = closing_at_the_first_packet(Duration::from_millis(100)).await;
    within(async { while peer.write_all(&frame(b"").repeat(1_000)).await.is_ok() {} }).await;
    assert_eq!(events.names_to_the_end().await, ["message", "close"]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_is_waited_for_no_longer_than_close_wait() {
    let (recorder, mut events) = Recorder::new();
    let (peer, session) = over_memory(Frames, recorder, Limits::default());
    events.open().await;
    let span = session.write(Bytes::from(vec![0; 1_000_000])).unwrap();
    let start = Instant::now();
    session.close();
    events.close().await;
    assert_eq!(start.elapsed().as_secs(), 3);
    assert!(session.taken() < span.end);
    drop(peer);
}

#[tokio::test]
async fn a_close_comes_to_its_end_though_others_go_on_writing_and_writes_all_that_was_accepted() {
    for _ in 0..10 {
        let (recorder, mut events) = Recorder::new();
        let (mut peer, session) = over_tcp(Frames, recorder, Limits::default().close_wait(HOUR)).await;
        events.open().await;
        let reading = tokio::spawn(async move { read_to_end(&mut peer).await });
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let session = session.clone();
                thread::spawn(move || write_to_the_end(&session))
            })
            .collect();
        until(|| session.taken() > 1_000).await;
        session.close();
        events.close().await;
        let accepted = writers.into_iter().map(|writer| writer.join().unwrap()).max();
        assert_eq!(Some(session.taken()), accepted, "every frame that was accepted is written");
        assert_eq!(within(reading).await.unwrap().len() as u64, session.taken());
    }
}

#[tokio::test]
async fn a_handle_that_is_kept_does_not_keep_the_socket_open() {
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
    events.open().await;
    session.close();
    assert_eq!(read_to_end(&mut peer).await, b"");
    events.close().await;
    // Nothing holds the session's end any more, so writes to it fail sooner or later.
    within(async { while peer.write_all(b"anybody there?").await.is_ok() {} }).await;
    assert!(!session.is_open());
}

// Servers.

#[tokio::test]
async fn a_server_that_stops_waits_for_every_session() {
    const PEERS: usize = 20;
    let closed = Arc::new(AtomicUsize::new(0));
    let (recorder, mut events) = Recorder::new();
    let recorder = {
        let closed = Arc::clone(&closed);
        recorder.on_close(move |_: &Session<Frames>| {
            closed.fetch_add(1, Ordering::SeqCst);
        })
    };
    let (address, stop, serving) = serve(recorder, Limits::default()).await;
    let (open_gate, gate) = watch::channel(false);
    let mut peers = Vec::new();
    for _ in 0..PEERS {
        peers.push(TcpStream::connect(address).await.unwrap());
        // Each has an answer in flight.
        let mut gate = gate.clone();
        events.open().await.run(async move { gate.wait_for(|open| *open).await.map(drop) }, |session, _| {
            session.write(Bytes::from_static(b"answer")).unwrap();
        });
    }
    stop.send(()).unwrap();
    until(|| std::net::TcpStream::connect(address).is_err()).await;
    assert!(!serving.is_finished());
    open_gate.send(true).unwrap();
    within(serving).await.unwrap().unwrap();
    assert_eq!(closed.load(Ordering::SeqCst), PEERS);
    for peer in &mut peers {
        assert_eq!(read_to_end(peer).await, frame(b"answer"));
    }
    Server::bind(address).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_waits_no_longer_than_close_wait() {
    let (connector, listen) = memory::listen();
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_open(|session: &Session<Frames>| {
        session.write(vec![0; 1_000_000].into())?;
        Ok(())
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let serving =
        tokio::spawn(Server::over(listen).serve_until(Frames, recorder, async { drop(stopped.await) }));
    let _unread = connector.connect().await.unwrap();
    events.open().await;
    let start = Instant::now();
    stop.send(()).unwrap();
    within(serving).await.unwrap().unwrap();
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test]
async fn a_server_that_stops_closes_its_oldest_session_first() {
    let (connector, listen) = memory::listen();
    let (recorder, mut events) = Recorder::new();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving =
        tokio::spawn(Server::over(listen).serve_until(Frames, recorder, async { drop(stopped.await) }));
    let (mut peers, mut opened, mut closed) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..50 {
        peers.push(connector.connect().await.unwrap());
        opened.push(events.open().await.id());
    }
    drop(stop);
    for _ in 0..50 {
        closed.push(events.close().await.id());
    }
    assert_eq!(closed, opened);
    within(serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn sessions_outlive_a_server_that_is_dropped() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_message(|session: &Session<Frames>, packet| {
        session.write(packet).unwrap();
    });
    let (address, _stop, serving) = serve(recorder, Limits::default()).await;
    let mut peer = TcpStream::connect(address).await.unwrap();
    events.open().await;
    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled());
    assert!(TcpStream::connect(address).await.is_err());
    peer.write_all(&frame(b"still there?")).await.unwrap();
    assert_eq!(read_frame(&mut peer).await, b"still there?");
}

#[tokio::test]
async fn a_server_holds_no_more_sessions_than_its_limit() {
    let (recorder, mut events) = Recorder::new();
    let (address, _stop, _serving) = serve(recorder, Limits::default().sessions(2)).await;
    let first = TcpStream::connect(address).await.unwrap();
    let second = TcpStream::connect(address).await.unwrap();
    for _ in 0..2 {
        events.open().await;
    }
    for _ in 0..10 {
        let mut refused = TcpStream::connect(address).await.unwrap();
        assert_eq!(read_to_end(&mut refused).await, b"");
    }
    assert!(events.try_next().is_none(), "what is over the limit never becomes a session");
    drop(first);
    events.close().await;
    // The session leaves the count right after on_close.
    within(async {
        loop {
            let mut next = TcpStream::connect(address).await.unwrap();
            if let Ok(None) =
                tokio::time::timeout(Duration::from_millis(50), next.read_u8()).await.map(Result::ok)
            {
                continue;
            }
            break drop(next);
        }
    })
    .await;
    drop(second);
}

#[tokio::test(start_paused = true)]
async fn accepting_goes_on_after_failures_and_does_not_spin() {
    let calls = Arc::new(AtomicUsize::new(0));
    let (own, theirs) = memory::pair();
    let out_of_descriptors = || Err(io::Error::from_raw_os_error(24));
    let mut script: VecDeque<_> = (0..20).map(|_| out_of_descriptors()).collect();
    script.push_back(Err(io::ErrorKind::ConnectionAborted.into()));
    script.push_back(Ok(theirs));
    let listen = Scripted { script, calls: Arc::clone(&calls) };
    let (recorder, mut events) = Recorder::new();
    tokio::spawn(Server::over(listen).serve(Frames, recorder));
    tokio::time::sleep(10 * SECOND).await;
    let failed = calls.load(Ordering::SeqCst);
    assert!((10..=20).contains(&failed), "{failed} failed accepts in 10 s");
    events.open().await;
    drop(own);
}

#[tokio::test]
async fn a_protocol_that_panics_costs_its_own_connection_only() {
    let first = Arc::new(AtomicUsize::new(0));
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let (recorder, mut events) = Recorder::new();
    let serving = tokio::spawn(server.serve(Panicky(first), recorder));
    let mut unlucky = TcpStream::connect(address).await.unwrap();
    assert_eq!(read_to_end(&mut unlucky).await, b"");
    let _lucky = TcpStream::connect(address).await.unwrap();
    events.open().await;
    assert!(!serving.is_finished());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slow_on_open_keeps_nobody_else_from_being_served() {
    let (release, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(Some(gate));
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder
        .on_open(move |_: &Session<Frames>| {
            let mine = gate.lock().unwrap().take();
            match mine {
                Some(gate) => tokio::task::block_in_place(|| Ok(gate.recv()?)),
                None => Ok(()),
            }
        })
        .on_message(|session, packet| drop(session.write(packet)));
    let (address, _stop, _serving) = serve(recorder, Limits::default()).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    events.open().await;
    for _ in 0..5 {
        let mut quick = TcpStream::connect(address).await.unwrap();
        quick.write_all(&frame(b"me too")).await.unwrap();
        assert_eq!(read_frame(&mut quick).await, b"me too");
    }
    release.send(()).unwrap();
    slow.write_all(&frame(b"at last")).await.unwrap();
    assert_eq!(read_frame(&mut slow).await, b"at last");
}

#[tokio::test]
async fn stopping_a_server_without_sessions_returns_at_once() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    within(server.serve_until(Frames, on_message(|_, _| {}), async {})).await.unwrap();
}

/// Writes without a pause until the session has ended; gives the end of the last frame that it accepted.
fn write_to_the_end(session: &Session<Frames>) -> u64 {
    let mut accepted = 0;
    loop {
        match session.write(Bytes::from_static(&[0; 100])) {
            Ok(span) => accepted = span.end,
            Err(WriteError::Closed) => return accepted,
            Err(WriteError::Full { .. }) => thread::yield_now(),
            Err(other) => panic!("{other}"),
        }
    }
}

/// The peer of a session that answers the first packet with a large one and closes.
async fn closing_at_the_first_packet(close_wait: Duration) -> (TcpStream, Events<Frames>, Bytes) {
    let (recorder, mut events) = Recorder::new();
    let body = Bytes::from(vec![3; 1_000_000]);
    let answer = body.clone();
    let recorder = recorder.on_message(move |session: &Session<Frames>, _| {
        session.write(answer.clone()).unwrap();
        session.close();
    });
    let (peer, _) = over_tcp(Frames, recorder, Limits::default().close_wait(close_wait)).await;
    events.open().await;
    (peer, events, body)
}

/// A server over TCP, what stops it, and its task.
async fn serve(
    recorder: Recorder<Frames>,
    limits: Limits,
) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<io::Result<()>>) {
    let server = Server::bind("127.0.0.1:0").await.unwrap().limits(limits);
    let address = server.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async {
        if stopped.await.is_err() {
            pending::<()>().await;
        }
    };
    (address, stop, tokio::spawn(server.serve_until(Frames, recorder, stopped)))
}

/// Accepts what a script says, and then nothing.
struct Scripted {
    script: VecDeque<io::Result<memory::Memory>>,
    calls: Arc<AtomicUsize>,
}

impl Listen for Scripted {
    type Conn = memory::Memory;

    async fn accept(&mut self) -> io::Result<memory::Memory> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        match self.script.pop_front() {
            Some(next) => next,
            None => pending().await,
        }
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }
}

/// As [`Frames`], but making the first session panics.
struct Panicky(Arc<AtomicUsize>);

impl Protocol for Panicky {
    type Reader = FrameReader;
    type Writer = FrameWriter;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<FrameReader, FrameWriter, ()> {
        assert_ne!(self.0.fetch_add(1, Ordering::SeqCst), 0, "on purpose");
        Opened::new(FrameReader, FrameWriter, ())
    }
}
