//! Everything a session can run over: bytes come as they were sent over each of them, and connections of other crates can be
//! made with the public API alone.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    io,
    sync::{Arc, Mutex, atomic::Ordering},
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use getty::{
    Client, Error, Limits, Out, Server, Session, WriteError, accept, on_message,
    transport::{Connection, Direct, Io, Tcp, Transport, memory},
};
use support::{
    Frames, HEADER, MessageListen, Recorder, Records, What, frame, message_pipes, over_tcp, tcp_pair, within,
};
use tokio::{io::duplex, net::UnixStream, sync::mpsc};

// Every transport carries every size.

#[tokio::test]
async fn tcp() {
    let (a, b) = tcp_pair().await;
    assert_echoes(Tcp::new(a).unwrap(), Tcp::new(b).unwrap()).await;
}

#[tokio::test]
async fn memory_pipes() {
    let (a, b) = memory::pair();
    assert_echoes(a, b).await;
}

#[tokio::test]
async fn unix_sockets() {
    let (a, b) = UnixStream::pair().unwrap();
    assert_echoes(Io::new(a, "unix"), Io::new(b, "unix")).await;
}

#[tokio::test]
async fn a_stream_that_keeps_what_is_written_until_it_is_flushed() {
    let (a, b) = duplex(64 * 1024);
    assert_echoes(Io::new(Records::new(a), "records"), Io::new(Records::new(b), "records")).await;
    let (a, b) = tcp_pair().await;
    assert_echoes(Io::new(Records::new(a), "records"), Io::new(Records::new(b), "records")).await;
}

#[tokio::test]
async fn a_connection_of_messages() {
    let (a, b) = message_pipes();
    assert_echoes(a, b).await;
}

#[tokio::test]
async fn a_connection_that_takes_and_gives_one_byte_at_a_time() {
    let (a, b) = duplex(1);
    let (recorder, mut events) = Recorder::new();
    let client = accept(Io::new(a, "narrow"), Frames, recorder, Limits::default());
    accept(Io::new(b, "narrow"), Frames, echo(), Limits::default());
    events.open().await;
    for body in [&b"hello"[..], b"", &[7; 10_000]] {
        client.write(Bytes::copy_from_slice(body)).unwrap();
        assert_eq!(events.message().await, body);
    }
}

// What is known of a connection.

#[tokio::test]
async fn a_session_knows_its_transport_and_its_addresses() {
    let (recorder, _events) = Recorder::new();
    let (peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
    assert_eq!(session.info().transport, "tcp");
    assert_eq!(session.peer(), Some(peer.local_addr().unwrap()));
    assert_eq!(session.info().local, Some(peer.peer_addr().unwrap()));
    let (pipe, _other) = message_pipes();
    let session = accept(pipe, Frames, echo(), Limits::default());
    assert_eq!((session.info().transport, session.peer()), ("messages", None));
}

// Streams with a buffer of their own, such as TLS.

#[tokio::test]
async fn packets_written_together_are_one_record() {
    let (a, b) = duplex(64 * 1024);
    let a = Records::new(a);
    let records = Arc::clone(&a.flushed);
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_open(|session: &Session<Frames>| {
        for _ in 0..100 {
            session.write(Bytes::from_static(b"x"))?;
        }
        Ok(())
    });
    accept(Io::new(a, "records"), Frames, recorder, Limits::default());
    accept(Io::new(Records::new(b), "records"), Frames, echo(), Limits::default());
    events.open().await;
    for _ in 0..100 {
        assert_eq!(events.message().await, "x");
    }
    assert_eq!(records.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_end_of_such_a_stream_is_said_and_understood() {
    let (a, b) = duplex(64 * 1024);
    let (recorder, mut events) = Recorder::new();
    let (other, mut other_events) = Recorder::new();
    let session = accept(Io::new(Records::new(a), "records"), Frames, recorder, Limits::default());
    accept(Io::new(Records::new(b), "records"), Frames, other, Limits::default());
    session.write(Bytes::from_static(b"last words")).unwrap();
    session.close();
    drop(session);
    assert_eq!(other_events.names_to_the_end().await, ["open", "message", "close"]);
    assert_eq!(events.names_to_the_end().await, ["open", "close"]);
}

// Connections of messages, such as WebSocket and UDP.

#[tokio::test]
async fn one_packet_is_one_message() {
    let (own, theirs) = message_pipes();
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_open(|session: &Session<Frames>| {
        // Written together, and still apart on the wire; the second one by reference.
        session.write(Bytes::from_static(b"one"))?;
        session.write(Bytes::from(vec![2; 20_000]))?;
        session.write_bytes(Bytes::from_static(b"three"))?;
        Ok(())
    });
    let session = accept(own, Frames, recorder, Limits::default());
    events.open().await;
    assert_eq!(theirs.receive().await, frame(b"one"));
    assert_eq!(theirs.receive().await, frame(&[2; 20_000]));
    assert_eq!(theirs.receive().await, b"three"[..]);
    session.write(Bytes::from_static(b"four")).unwrap();
    assert_eq!(theirs.receive().await, frame(b"four"));
    theirs.send(frame(b"in"));
    assert_eq!(events.message().await, "in");
}

#[tokio::test]
async fn a_message_that_holds_no_whole_packet_harms_no_other() {
    let (own, theirs) = message_pipes();
    let (recorder, mut events) = Recorder::new();
    let _session = accept(own, Frames, recorder, Limits::default());
    events.open().await;
    for _ in 0..3 {
        theirs.send(frame(b"cut short")[..HEADER + 2].to_vec());
        theirs.send(frame(b"good"));
        assert_eq!(events.message().await, "good");
    }
}

#[tokio::test]
async fn a_message_that_is_cut_is_counted_and_one_that_the_reader_refuses_ends_the_session() {
    let (own, theirs) = message_pipes();
    let (recorder, mut events) = Recorder::new();
    let session = accept(own, Frames, recorder, Limits::default());
    theirs.send(frame(b"good"));
    theirs.send(frame(b"cut short")[..HEADER + 2].to_vec());
    theirs.send([frame(b"whole"), b"\xc5".to_vec()].concat());
    theirs.send(b"no packet".to_vec());
    events.open().await;
    assert_eq!([events.message().await, events.message().await], ["good", "whole"]);
    assert!(matches!(events.next().await.what, What::Error(error) if matches!(*error, Error::Read(_))));
    assert!(events.close().await == session);
    assert_eq!(session.stats().dropped_messages, 2);
}

#[tokio::test]
async fn a_message_cut_short_harms_no_other_when_its_session_had_to_wait_for_room() {
    let (own, theirs) = message_pipes();
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_message(|session: &Session<Frames>, _| {
        session.write(Bytes::from(vec![0; 10_000])).unwrap();
    });
    let _session = accept(own, Frames, recorder, Limits::default().out_high(1_000));
    events.open().await;
    // A packet, and half of another in the same message: the answer to the first stops the decoding right between them.
    theirs.send([frame(b"one"), frame(b"half")[..HEADER + 2].to_vec()].concat());
    theirs.send(frame(b"two"));
    assert_eq!(events.message().await, "one");
    assert_eq!(theirs.receive().await.len(), 10_000 + HEADER);
    assert_eq!(events.message().await, "two");
}

#[tokio::test]
async fn an_empty_message_leaves_like_any_other() {
    let (own, theirs) = message_pipes();
    let (recorder, mut events) = Recorder::new();
    let session = accept(own, Frames, recorder, Limits::default());
    events.open().await;
    session.write_bytes(Bytes::new()).unwrap();
    assert_eq!(theirs.receive().await, b""[..]);
    session.write_bytes(Bytes::from_static(b"x")).unwrap();
    session.write_bytes(Bytes::new()).unwrap();
    assert_eq!(theirs.receive().await, b"x"[..]);
    assert_eq!(theirs.receive().await, b""[..]);
}

#[tokio::test]
async fn a_packet_that_fails_is_no_message() {
    let (own, theirs) = message_pipes();
    let (recorder, mut events) = Recorder::new();
    let session = accept(own, Frames, recorder, Limits::default());
    events.open().await;
    let failed = session.write_with(getty::Flush::Auto, |out| {
        out.extend_from_slice(b"half");
        Err::<(), _>("on purpose".into())
    });
    assert!(matches!(failed, Err(WriteError::Encode(_))));
    session.write(Bytes::from_static(b"good")).unwrap();
    assert_eq!(theirs.receive().await, frame(b"good"));
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_the_session() {
    let (own, theirs) = message_pipes();
    let (recorder, mut events) = Recorder::new();
    accept(own, Frames, recorder, Limits::default().max_packet(1_000));
    theirs.send(frame(&[0; 1_000 - HEADER]));
    theirs.send(frame(&[0; 1_001 - HEADER]));
    assert_eq!(events.names_to_the_end().await, ["open", "message", "error", "close"]);
}

#[tokio::test]
async fn messages_that_the_connection_does_not_take_wait_in_the_session() {
    let (own, theirs) = message_pipes();
    let (recorder, mut events) = Recorder::new();
    let session = accept(own, Frames, recorder, Limits::default());
    events.open().await;
    // Many more than the pipe holds.
    for i in 0..100_u8 {
        session.write(Bytes::copy_from_slice(&[i])).unwrap();
    }
    session.close();
    for i in 0..100_u8 {
        assert_eq!(theirs.receive().await, frame(&[i]));
    }
    drop(theirs);
    assert_eq!(events.close().await.stats().queued_bytes, 0);
}

#[tokio::test]
async fn servers_and_clients_run_over_connections_of_other_crates() {
    let (dialled, accepted) = mpsc::unbounded_channel();
    tokio::spawn(Server::over(MessageListen(accepted)).serve(Frames, echo()));
    let (recorder, mut events) = Recorder::new();
    let client = Client::new(2, Frames, recorder, move || {
        let dialled = dialled.clone();
        async move {
            let (own, theirs) = message_pipes();
            dialled.send(theirs).map_err(|_| io::ErrorKind::ConnectionRefused)?;
            Ok(own)
        }
    });
    within(client.connect()).await.unwrap();
    for _ in 0..2 {
        events.open().await;
    }
    for body in ["one", "two", "three"] {
        client.session().await.unwrap().write(body.into()).unwrap();
        assert_eq!(events.message().await, body);
    }
    within(client.close()).await;
}

// A connection that breaks its contract.

#[tokio::test]
async fn a_connection_that_says_it_is_drained_and_is_not_ends_its_session() {
    let (recorder, mut events) = Recorder::new();
    let session = accept(Lazy, Frames, recorder, Limits::default());
    events.open().await;
    session.write(Bytes::from_static(b"x")).unwrap();
    drop(session);
    assert_eq!(events.names_to_the_end().await, ["error", "close"]);
}

/// Sends packets of many sizes from one end to the other and back, and compares every byte.
async fn assert_echoes<C: Transport>(a: C, b: C) {
    let (recorder, mut events) = Recorder::new();
    let dialled = Mutex::new(Some(a));
    let client = Client::new(1, Frames, recorder, move || {
        let dialled = dialled.lock().unwrap().take();
        async move { dialled.ok_or(io::ErrorKind::ConnectionRefused.into()) }
    });
    accept(b, Frames, echo(), Limits::default());
    let session = within(client.session()).await.unwrap();
    events.open().await;
    for size in [0, 1, 100, 4_000, 5_000, 70_000, 1_000_000, 8_000_000] {
        let bodies: Vec<Bytes> =
            (0..if size > 1_000_000 { 1 } else { 3 }).map(|seed| pattern(size, seed)).collect();
        // Large ones in both directions at the same time.
        for body in &bodies {
            session.write(body.clone()).unwrap();
        }
        for body in bodies {
            assert!(events.message().await == body, "{size} bytes did not come back as they were");
        }
    }
    within(client.close()).await;
    drop((client, session));
    assert_eq!(events.names_to_the_end().await, ["close"]);
}

fn pattern(size: usize, seed: usize) -> Bytes {
    (0..size).map(|i| ((i + seed) % 251) as u8).collect()
}

fn echo() -> impl getty::EventListener<Frames> {
    on_message(|session: &Session<Frames>, packet| {
        session.write(packet).unwrap();
    })
}

/// A connection that takes nothing and says that it has taken all.
struct Lazy;

impl Transport for Lazy {
    type Task = Self;

    fn split(self) -> (Self, Option<Direct>) {
        (self, None)
    }
}

impl Connection for Lazy {
    fn poll_fill(&mut self, _: &mut Context<'_>, _: &mut BytesMut) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_drain(&mut self, _: &mut Context<'_>, _: &mut Out) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
