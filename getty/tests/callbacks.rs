//! The order of callbacks at every end of a session: `on_open` first, `on_error` at most once and right before `on_close`,
//! `on_close` exactly once and last; and what the peer sees then.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    hint,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use getty::{
    BoxError, ConnInfo, Error, EventListener, Limits, Opened, Out, Protocol, Reader, Server, Session, Step,
    Writer,
};
use support::{
    Events, FrameReader, FrameWriter, Frames, Recorder, What, frame, over_memory, over_tcp, read_to_end,
    reset, within,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
};

// Ends by the peer.

#[tokio::test]
async fn the_peer_closes() {
    let (peer, mut events) = open(Recorder::new()).await;
    drop(peer);
    assert_eq!(events.names_to_the_end().await, ["close"]);
}

#[tokio::test]
async fn the_peer_closes_its_half() {
    let (mut peer, mut events) = open(Recorder::new()).await;
    peer.shutdown().await.unwrap();
    assert_eq!(events.names_to_the_end().await, ["close"]);
    assert_eq!(read_to_end(&mut peer).await, b"");
}

#[tokio::test]
async fn packets_then_the_end_and_all_are_delivered() {
    let (mut peer, mut events) = open(Recorder::new()).await;
    peer.write_all(&frame(b"one").repeat(10_000)).await.unwrap();
    drop(peer);
    let mut expected = vec!["message"; 10_000];
    expected.push("close");
    assert_eq!(events.names_to_the_end().await, expected);
}

#[tokio::test]
async fn the_end_inside_a_packet() {
    let (mut peer, mut events) = open(Recorder::new()).await;
    peer.write_all(&frame(b"one")[..3]).await.unwrap();
    drop(peer);
    assert!(matches!(*error_then_close(&mut events).await, Error::Truncated { .. }));
}

#[tokio::test]
async fn a_reset() {
    let (peer, mut events) = open(Recorder::new()).await;
    reset(peer);
    assert!(matches!(*error_then_close(&mut events).await, Error::Io(_)));
}

#[tokio::test]
async fn a_packet_that_is_too_long() {
    let (recorder, mut events) = Recorder::new();
    let (mut peer, _) = over_tcp(Frames, recorder, Limits::default().max_packet(10)).await;
    events.open().await;
    peer.write_all(&frame(b"much too long")).await.unwrap();
    assert!(matches!(*error_then_close(&mut events).await, Error::TooLong { .. }));
    assert_eq!(read_to_end(&mut peer).await, b"");
}

#[tokio::test]
async fn input_that_the_reader_refuses() {
    let (mut peer, mut events) = open(Recorder::new()).await;
    peer.write_all(b"nonsense").await.unwrap();
    assert!(matches!(*error_then_close(&mut events).await, Error::Read(_)));
    assert_eq!(read_to_end(&mut peer).await, b"");
}

// Ends by the user's own code.

#[tokio::test]
async fn close_from_another_task() {
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
    events.open().await;
    for _ in 0..3 {
        session.close();
    }
    assert!(!session.is_open());
    drop(session);
    assert_eq!(events.names_to_the_end().await, ["close"]);
    assert_eq!(read_to_end(&mut peer).await, b"");
}

#[tokio::test]
async fn close_inside_on_open() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_open(|session: &Session<Frames>| {
        session.write(Bytes::from_static(b"good bye"))?;
        session.close();
        Ok(())
    });
    let (mut peer, _) = over_tcp(Frames, recorder, Limits::default()).await;
    assert_eq!(events.names_to_the_end().await, ["open", "close"]);
    assert_eq!(read_to_end(&mut peer).await, frame(b"good bye"));
}

#[tokio::test]
async fn close_inside_on_message_delivers_nothing_further_and_writes_the_answers() {
    let (recorder, events) = Recorder::new();
    let recorder = recorder.on_message(|session: &Session<Frames>, packet| {
        session.write(packet).unwrap();
        session.close();
    });
    let (mut peer, mut events) = open((recorder, events)).await;
    peer.write_all(&[frame(b"one"), frame(b"two")].concat()).await.unwrap();
    assert_eq!(read_to_end(&mut peer).await, frame(b"one"));
    drop(peer);
    assert_eq!(events.names_to_the_end().await, ["message", "close"]);
}

#[tokio::test]
async fn close_inside_on_cron() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_cron(Session::close);
    let (mut peer, _) = over_tcp(Frames, recorder, ticking()).await;
    assert_eq!(events.names_to_the_end().await, ["open", "cron", "close"]);
    assert_eq!(read_to_end(&mut peer).await, b"");
}

#[tokio::test]
async fn on_open_refuses_and_the_socket_is_closed_at_once() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_open(|session: &Session<Frames>| {
        session.write(Bytes::from_static(b"no room"))?;
        Err("not you".into())
    });
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let serving = tokio::spawn(server.serve(Frames, recorder));
    // The peers keep their ends open: only the session can be who closes.
    let mut peers = Vec::new();
    for _ in 0..100 {
        let mut peer = TcpStream::connect(address).await.unwrap();
        assert_eq!(read_to_end(&mut peer).await, frame(b"no room"));
        peers.push(peer);
    }
    for _ in &peers {
        events.open().await;
        match events.next().await.what {
            What::Error(error) => {
                assert!(matches!(&*error, Error::Refused(why) if why.to_string() == "not you"))
            }
            other => panic!("on_error was expected, {} came", other.name()),
        }
        assert_eq!(events.next().await.what.name(), "close");
    }
    serving.abort();
    assert!(events.names_to_the_end().await.is_empty());
}

// Panics: each ends its session, and no other.

#[tokio::test]
async fn a_panic_in_the_reader() {
    assert_eq!(panics_in(Fault::Read).await, ["error", "close"]);
}

#[tokio::test]
async fn a_panic_in_the_writer_inside_a_callback() {
    assert_eq!(panics_in(Fault::Write).await, ["message", "error", "close"]);
}

#[tokio::test]
async fn a_panic_in_on_open() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_open(|_: &Session<Frames>| panic!("on purpose"));
    let (mut peer, _) = over_tcp(Frames, recorder, Limits::default()).await;
    events.open().await;
    assert_panic(error_then_close(&mut events).await, "on_open");
    assert_eq!(read_to_end(&mut peer).await, b"");
}

#[tokio::test]
async fn a_panic_in_on_message() {
    let (recorder, events) = Recorder::new();
    let recorder = recorder.on_message(|_: &Session<Frames>, _| panic!("on purpose"));
    let (mut peer, mut events) = open((recorder, events)).await;
    peer.write_all(&frame(b"one")).await.unwrap();
    events.message().await;
    assert_panic(error_then_close(&mut events).await, "on_message");
    assert_eq!(read_to_end(&mut peer).await, b"");
}

#[tokio::test]
async fn a_panic_in_on_cron() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_cron(|_: &Session<Frames>| panic!("on purpose"));
    let (mut peer, _) = over_tcp(Frames, recorder, ticking()).await;
    events.open().await;
    assert_eq!(events.next().await.what.name(), "cron");
    assert_panic(error_then_close(&mut events).await, "on_cron");
    assert_eq!(read_to_end(&mut peer).await, b"");
}

#[tokio::test]
async fn a_panic_in_on_error_does_not_keep_on_close_away() {
    let (recorder, events) = Recorder::new();
    let recorder = recorder.on_error(|_: &Session<Frames>| panic!("on purpose"));
    let (mut peer, mut events) = open((recorder, events)).await;
    peer.write_all(b"nonsense").await.unwrap();
    assert_eq!(events.names_to_the_end().await, ["error", "close"]);
    assert_eq!(read_to_end(&mut peer).await, b"");
}

#[tokio::test]
async fn a_panic_in_on_close_harms_neither_the_socket_nor_the_server() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_close(|_: &Session<Frames>| panic!("on purpose"));
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve_until(Frames, recorder, async { drop(stopped.await) }));
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(b"nonsense").await.unwrap();
    assert_eq!(read_to_end(&mut first).await, b"");
    let mut second = TcpStream::connect(address).await.unwrap();
    second.write_all(&frame(b"still there?")).await.unwrap();
    for expected in ["open", "error", "close", "open", "message"] {
        assert_eq!(events.next().await.what.name(), expected);
    }
    stop.send(()).unwrap();
    within(serving).await.unwrap().unwrap();
    assert_eq!(events.names_to_the_end().await, ["close"]);
}

#[tokio::test]
async fn a_panic_in_one_session_leaves_the_others_of_its_server_alone() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_message(|session: &Session<Frames>, packet| {
        assert_ne!(packet, "bad");
        session.write(packet).unwrap();
    });
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    tokio::spawn(server.serve(Frames, recorder));
    let mut good = TcpStream::connect(address).await.unwrap();
    let mut bad = TcpStream::connect(address).await.unwrap();
    bad.write_all(&frame(b"bad")).await.unwrap();
    events.close().await;
    good.write_all(&frame(b"good")).await.unwrap();
    assert_eq!(support::read_frame(&mut good).await, b"good");
}

// The runtime goes.

#[test]
fn a_session_whose_runtime_is_dropped_ends_with_an_error() {
    let runtime = Runtime::new().unwrap();
    let (recorder, mut events) = Recorder::new();
    let (peer, session) = runtime.block_on(async {
        let opened = over_tcp(Frames, recorder, Limits::default()).await;
        events.open().await;
        opened
    });
    let waiting = session.clone();
    drop(runtime);
    assert!(matches!(session.error().map(|error| &**error), Some(Error::Dropped)));
    assert!(session.write(Bytes::from_static(b"late")).is_err());
    drop((peer, session, waiting));
    let names = Runtime::new().unwrap().block_on(events.names_to_the_end());
    assert_eq!(names, ["error", "close"]);
}

#[test]
fn a_session_that_never_came_to_on_open_gets_no_other_callback_either() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (recorder, mut events) = Recorder::new();
    // Nothing runs on this runtime after the session is made.
    let (peer, session) = runtime.block_on(async { over_memory(Frames, recorder, Limits::default()) });
    drop(runtime);
    assert!(session.write(Bytes::from_static(b"late")).is_err());
    drop((peer, session));
    let names = Runtime::new().unwrap().block_on(events.names_to_the_end());
    assert!(names.is_empty(), "{names:?}");
}

// One at a time.

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callbacks_of_one_session_never_overlap() {
    let listener = Arc::new(Exclusive::default());
    let (mut peer, session) = over_tcp(Frames, Arc::clone(&listener), ticking()).await;
    let writers: Vec<_> = (0..3)
        .map(|_| {
            let session = session.clone();
            tokio::spawn(async move {
                while session.send(Bytes::from_static(b"x")).await.is_ok() {
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let (mut input, mut output) = peer.split();
    let sender = async {
        while listener.crons.load(Ordering::SeqCst) < 5 {
            output.write_all(&frame(&[1; 600]).repeat(20)).await.unwrap();
        }
        session.close();
    };
    let mut sink = vec![0; 64 * 1024];
    let receiver = async { while let Ok(1..) = input.read(&mut sink).await {} };
    within(async { tokio::join!(sender, receiver) }).await;
    for writer in writers {
        within(writer).await.unwrap();
    }
    assert!(listener.messages.load(Ordering::SeqCst) > 0);
    assert!(!listener.overlapped.load(Ordering::SeqCst));
}

/// Notes when two callbacks run at the same time.
#[derive(Default)]
struct Exclusive {
    busy: AtomicBool,
    overlapped: AtomicBool,
    messages: AtomicUsize,
    crons: AtomicUsize,
}

impl Exclusive {
    fn alone(&self) {
        if self.busy.swap(true, Ordering::SeqCst) {
            self.overlapped.store(true, Ordering::SeqCst);
        }
        (0..50).for_each(|_| hint::spin_loop());
        self.busy.store(false, Ordering::SeqCst);
    }
}

impl EventListener<Frames> for Exclusive {
    fn on_open(&self, _: &Session<Frames>) -> Result<(), BoxError> {
        self.alone();
        Ok(())
    }

    fn on_message(&self, _: &Session<Frames>, _: Bytes) {
        self.messages.fetch_add(1, Ordering::SeqCst);
        self.alone();
    }

    fn on_cron(&self, _: &Session<Frames>) {
        self.crons.fetch_add(1, Ordering::SeqCst);
        self.alone();
    }

    fn on_close(&self, _: &Session<Frames>) {
        self.alone();
    }
}

/// Limits with a fast clock.
fn ticking() -> Limits {
    Limits::default().cron(Some(Duration::from_millis(10)))
}

/// A session over TCP that has opened.
async fn open((recorder, mut events): (Recorder<Frames>, Events<Frames>)) -> (TcpStream, Events<Frames>) {
    let (peer, _) = over_tcp(Frames, recorder, Limits::default()).await;
    events.open().await;
    (peer, events)
}

/// The error of a session whose next callbacks must be `on_error` and `on_close`, and no further one.
async fn error_then_close(events: &mut Events<Frames>) -> Arc<Error> {
    let event = events.next().await;
    let What::Error(error) = event.what else { panic!("on_error was expected, {} came", event.what.name()) };
    drop(event.session);
    assert_eq!(events.names_to_the_end().await, ["close"]);
    error
}

fn assert_panic(error: Arc<Error>, place: &str) {
    assert!(
        matches!(&*error, Error::Panicked { what, message } if *what == place && message == "on purpose"),
        "{error}"
    );
}

/// Where a [`Faulty`] panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Read,
    Write,
}

/// As [`Frames`], but one part panics.
#[derive(Debug, Clone, Copy)]
struct Faulty(Fault);

impl Protocol for Faulty {
    type Reader = Self;
    type Writer = Self;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<Self, Self, ()> {
        Opened::new(*self, *self, ())
    }
}

impl Reader for Faulty {
    type Packet = Bytes;

    fn read(&mut self, buf: &mut BytesMut) -> Result<Step<Bytes>, BoxError> {
        assert_ne!(self.0, Fault::Read, "on purpose");
        FrameReader.read(buf)
    }
}

impl Writer for Faulty {
    type Packet = Bytes;

    fn write(&mut self, packet: Bytes, out: &mut Out) -> Result<(), BoxError> {
        FrameWriter.write(packet, out)?;
        assert_ne!(self.0, Fault::Write, "on purpose");
        Ok(())
    }
}

/// The callbacks after `on_open` of a session that answers a packet.
async fn panics_in(fault: Fault) -> Vec<&'static str> {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_message(|session: &Session<Faulty>, packet| drop(session.write(packet)));
    let (mut peer, _) = over_tcp(Faulty(fault), recorder, Limits::default()).await;
    events.open().await;
    peer.write_all(&frame(b"one")).await.unwrap();
    let names = events.names_to_the_end().await;
    assert_eq!(read_to_end(&mut peer).await, b"", "no byte of a packet that failed is written");
    names
}
