//! What a Reader is promised, and what becomes of one that breaks its own promises.

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

use bytes::{Bytes, BytesMut};
use getty::{
    BoxError, Chunks, ConnInfo, Error, Limits, Opened, Protocol, Reader, Session, Step, accept, transport::Io,
};
use support::{
    Events, FrameReader, Frames, HEADER, Recorder, frame, open_over_memory, over_memory, over_tcp,
    read_frame, read_to_end, until, within,
};
use tokio::{
    io::{AsyncWriteExt, DuplexStream, duplex},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

// The four cases of a Reader.

#[tokio::test]
async fn bytes_that_can_never_be_a_packet_end_the_session_with_an_error() {
    let (mut peer, mut events) = open_over_memory(Frames, Limits::default()).await;
    peer.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    assert!(matches!(&*events.error().await, Error::Read(_)));
    assert_eq!(events.names_to_the_end().await, ["close"]);
    assert_eq!(read_to_end(&mut peer).await, b"");
}

#[tokio::test]
async fn a_header_that_is_not_whole_waits_for_the_rest() {
    let (mut peer, mut events, mut steps) = watched_session().await;
    let packet = frame(b"hello");
    peer.write_all(&packet[..HEADER - 2]).await.unwrap();
    assert_eq!(steps.next().await, Step::Need(2));
    assert!(events.try_next().is_none());
    peer.write_all(&packet[HEADER - 2..]).await.unwrap();
    assert_eq!(events.message().await, "hello");
}

#[tokio::test]
async fn a_body_that_is_not_whole_waits_for_the_rest() {
    let (mut peer, mut events, mut steps) = watched_session().await;
    let packet = frame(b"hello");
    peer.write_all(&packet[..HEADER + 1]).await.unwrap();
    assert_eq!(steps.next().await, Step::Need(4));
    assert!(events.try_next().is_none());
    peer.write_all(&packet[HEADER + 1..]).await.unwrap();
    assert_eq!(events.message().await, "hello");
}

#[tokio::test]
async fn packets_of_one_read_are_delivered_in_their_order_and_a_begun_one_is_kept() {
    let (mut peer, mut events) = open_over_memory(Frames, Limits::default()).await;
    let mut bytes = [frame(b"one"), frame(b""), frame(b"three"), frame(b"four")].concat();
    let rest = bytes.split_off(bytes.len() - 2);
    peer.write_all(&bytes).await.unwrap();
    for body in ["one", "", "three"] {
        assert_eq!(events.message().await, body);
    }
    peer.write_all(&rest).await.unwrap();
    assert_eq!(events.message().await, "four");
}

// How bytes come must not matter.

#[tokio::test]
async fn bytes_that_come_one_by_one_make_the_same_packets() {
    let (listener, mut events) = Recorder::new();
    let (mut peer, session) = over_memory(Frames, listener, Limits::default());
    for byte in [frame(b"hello"), frame(b"you")].concat() {
        let before = session.stats().read_bytes;
        peer.write_all(&[byte]).await.unwrap();
        // It has been read before the next one is sent.
        until(|| session.stats().read_bytes > before).await;
    }
    events.open().await;
    assert_eq!(events.message().await, "hello");
    assert_eq!(events.message().await, "you");
}

#[tokio::test]
async fn a_reader_is_not_asked_again_before_what_it_misses_has_come() {
    let (protocol, mut steps) = watched();
    let (listener, mut events) = Recorder::new();
    let (mut peer, session) = over_memory(protocol, listener, Limits::default());
    let packets = [frame(b"hello"), frame(b"you")].concat();
    let (header, rest) = packets.split_at(HEADER);
    peer.write_all(header).await.unwrap();
    assert_eq!(steps.next().await, Step::Need(5));
    for byte in &rest[..4] {
        let before = session.stats().read_bytes;
        peer.write_all(&[*byte]).await.unwrap();
        until(|| session.stats().read_bytes > before).await;
    }
    // More than is missing is no harm.
    peer.write_all(&rest[4..]).await.unwrap();
    assert_eq!(steps.next().await, Step::Packet(5));
    assert_eq!(steps.next().await, Step::Packet(3));
    events.open().await;
    assert_eq!(events.message().await, "hello");
    assert_eq!(events.message().await, "you");
}

#[tokio::test]
async fn a_packet_without_a_body_is_delivered_once() {
    let (mut peer, mut events) = open_over_memory(Frames, Limits::default()).await;
    peer.write_all(&frame(b"")).await.unwrap();
    peer.shutdown().await.unwrap();
    assert_eq!(events.names_to_the_end().await, ["message", "close"]);
}

#[tokio::test]
async fn packets_that_keep_slices_of_the_buffer_stay_as_they_were_while_later_data_arrives() {
    let (listener, mut events) = Recorder::new();
    let (mut peer, session) = over_tcp(Frames, listener, Limits::default()).await;
    drop(session);
    events.open().await;
    // Sizes that cut chunks at all sorts of places.
    let bodies: Vec<Vec<u8>> =
        (0..2_000_u32).map(|i| vec![(i % 251) as u8; (i * 37 % 3_000) as usize]).collect();
    let sent = bodies.clone();
    let sender = tokio::spawn(async move {
        for body in sent {
            peer.write_all(&frame(&body)).await.unwrap();
        }
        peer
    });
    let mut kept = Vec::new();
    for _ in &bodies {
        kept.push(events.message().await);
    }
    assert_eq!(kept, bodies);
    sender.await.unwrap();
}

#[tokio::test]
async fn a_large_packet_is_looked_at_a_few_times_only() {
    // The whole packet is there before the session reads, so it comes in reads of 64 KiB.
    let (listener, mut events) = Recorder::new();
    let (mut peer, own) = duplex(2 * 1024 * 1024);
    peer.write_all(&frame(&vec![1; 1024 * 1024])).await.unwrap();
    let (protocol, mut steps) = watched();
    accept(Io::new(own, "memory"), protocol, listener, Limits::default());
    events.open().await;
    assert_eq!(events.message().await.len(), 1024 * 1024);
    let calls = std::iter::from_fn(|| steps.0.try_recv().ok()).count();
    assert!(calls <= 20, "{calls} calls of the Reader for one packet");
}

#[tokio::test]
async fn a_packet_of_8_mib_that_comes_in_pieces_of_4_kib_is_the_same_packet() {
    let (listener, mut events) = Recorder::new();
    // The pipe holds one piece.
    let (mut peer, own) = duplex(4096);
    accept(Io::new(own, "memory"), Frames, listener, Limits::default());
    events.open().await;
    let body: Vec<u8> = (0..8 << 20).map(|at| (at % 251) as u8).collect();
    let sent = frame(&body);
    let sender = tokio::spawn(async move {
        peer.write_all(&sent).await.unwrap();
        peer.write_all(&frame(b"next")).await.unwrap();
        peer
    });
    assert!(events.message().await == body, "8 MiB did not come as they were sent");
    assert_eq!(events.message().await, "next");
    sender.await.unwrap();
}

#[tokio::test]
async fn a_packet_that_grows_byte_by_byte_is_the_same_packet_whatever_comes_behind_it() {
    // What comes last completes the packet and begins, or completes, the next.
    for last in [1, 2, 700, 5_000, 70_000] {
        let (mut peer, mut events) = open_over_memory(Frames, Limits::default()).await;
        let body: Vec<u8> = (0..3_000_u32).map(|at| (at % 251) as u8).collect();
        let first = frame(&body);
        let next = frame(&vec![9; 70_000]);
        let (slow, rest) = first.split_at(first.len() - 1);
        for byte in slow {
            peer.write_all(&[*byte]).await.unwrap();
            // The session reads it by itself.
            tokio::task::yield_now().await;
        }
        let rest = [rest, &next].concat();
        let (now, then) = rest.split_at(last);
        let sender = async {
            peer.write_all(now).await.unwrap();
            tokio::task::yield_now().await;
            peer.write_all(then).await.unwrap();
        };
        let receiver = async {
            assert!(events.message().await == body, "{last}");
            assert!(events.message().await == vec![9; 70_000], "{last}");
        };
        tokio::join!(sender, receiver);
    }
}

// Limits.

#[tokio::test]
async fn a_packet_of_just_the_limit_is_delivered() {
    let (mut peer, mut events) = open_over_memory(Frames, Limits::default().max_packet(4_096)).await;
    peer.write_all(&frame(&[1; 4_096 - HEADER])).await.unwrap();
    assert_eq!(events.message().await.len(), 4_096 - HEADER);
}

#[tokio::test]
async fn a_header_that_claims_too_much_ends_the_session_before_the_body_comes() {
    let (mut peer, mut events) = open_over_memory(Frames, Limits::default().max_packet(4_096)).await;
    peer.write_all(&frame(&[0; 5_000])[..HEADER]).await.unwrap();
    let error = events.error().await;
    assert!(matches!(*error, Error::TooLong { length: 5_005, limit: 4_096 }), "{error}");
    assert_eq!(events.names_to_the_end().await, ["close"]);
}

#[tokio::test]
async fn the_limit_does_not_depend_on_how_many_reads_a_packet_came_in() {
    let (mut peer, mut events) = open_over_memory(Frames, Limits::default().max_packet(4_096)).await;
    // Whole in one read, and one byte too long.
    peer.write_all(&frame(&[1; 4_097 - HEADER])).await.unwrap();
    let error = events.error().await;
    assert!(matches!(*error, Error::TooLong { length: 4_097, limit: 4_096 }), "{error}");
}

#[tokio::test]
async fn packets_before_one_that_is_too_long_are_delivered_and_their_answers_written() {
    let (listener, mut events) = Recorder::new();
    let listener =
        listener.on_message(|session: &Session<Frames>, packet| assert!(session.write(packet).is_ok()));
    let (mut peer, session) = over_memory(Frames, listener, Limits::default().max_packet(4_096));
    drop(session);
    peer.write_all(&[frame(b"good"), frame(&[0; 9_000])].concat()).await.unwrap();
    assert_eq!(events.names_to_the_end().await, ["open", "message", "error", "close"]);
    assert_eq!(read_to_end(&mut peer).await, frame(b"good"));
}

#[tokio::test]
async fn the_limit_binds_a_reader_that_never_says_a_length() {
    let largest = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&largest);
    let endless = ReadBy(move |buf: &mut BytesMut| {
        seen.fetch_max(buf.len(), Ordering::SeqCst);
        Ok(Step::Need(0))
    });
    let (mut peer, mut events) = open_over_memory(endless, Limits::default().max_packet(100_000)).await;
    let sender = tokio::spawn(async move {
        // Ends when the session closes the pipe.
        while peer.write_all(&[0; 10_000]).await.is_ok() {}
    });
    let error = events.error().await;
    assert!(matches!(*error, Error::TooLong { limit: 100_000, .. }), "{error}");
    assert_eq!(events.names_to_the_end().await, ["close"]);
    sender.await.unwrap();
    let largest = largest.load(Ordering::SeqCst);
    assert!(largest <= 100_000 + 64 * 1024, "{largest} bytes were gathered");
}

#[tokio::test]
async fn a_claimed_length_reserves_no_memory() {
    for parts in [1, 2, 7, 50, 200] {
        let excess = Arc::new(AtomicUsize::new(usize::MAX));
        let (listener, mut events) = Recorder::new();
        let limits = Limits::default().max_packet(usize::MAX);
        let (mut peer, session) = over_memory(Greedy(Arc::clone(&excess)), listener, limits);
        for part in 1..=parts {
            // Each part by itself, so that the session goes on to wait for the rest.
            peer.write_all(&[0; 5_000]).await.unwrap();
            until(|| session.stats().read_bytes == part * 5_000).await;
        }
        drop(session);
        peer.shutdown().await.unwrap();
        assert_eq!(events.names_to_the_end().await, ["open", "error", "close"]);
        let excess = excess.load(Ordering::SeqCst);
        // It doubles when it has to grow; and it may be one that others have used before, of up to 256 KiB.
        assert!(excess <= 256 * 1024, "{excess} bytes more than twice what had come in {parts} parts");
    }
}

#[test]
fn every_default_bound_is_finite() {
    let limits = Limits::default();
    let Limits { max_packet, packet_rate, out_high, out_hard, turn, turn_packets, runs, .. } = limits;
    let Limits { packet_wait, first_packet, stall, close_wait, dial, held, sessions, .. } = limits;
    let day = Duration::from_secs(24 * 3600);
    for bytes in [max_packet, packet_rate, out_high, out_hard, turn, turn_packets, runs, sessions] {
        assert!(bytes > 0 && bytes <= 64 * 1024 * 1024, "{bytes}");
    }
    assert!(limits.sessions_per_address <= sessions && held <= 1024 * 1024 * 1024);
    for time in [packet_wait, first_packet, stall, close_wait, dial] {
        assert!(!time.is_zero() && time < day, "{time:?}");
    }
}

#[tokio::test]
async fn bounds_of_zero_are_as_small_as_can_be_and_nothing_hangs() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_message(|session: &Session<Frames>, packet| {
        session.write(packet).unwrap();
    });
    let limits = Limits::default().turn(0).turn_packets(0).runs(0).packet_rate(0).out_high(0);
    let (mut peer, session) = over_memory(Frames, recorder, limits);
    events.open().await;
    within(session.ready()).await.unwrap();
    for _ in 0..3 {
        peer.write_all(&frame(b"hello")).await.unwrap();
        assert_eq!(read_frame(&mut peer).await, b"hello");
    }
}

// Readers that break their contract.

#[tokio::test]
async fn a_reader_that_gives_a_packet_and_takes_nothing_does_not_loop() {
    let (mut peer, mut events) =
        open_over_memory(ReadBy(|_: &mut BytesMut| Ok(Step::Packet(Bytes::new()))), Limits::default()).await;
    peer.write_all(b"x").await.unwrap();
    let error = events.error().await;
    assert!(matches!(*error, Error::Contract(_)), "{error}");
    assert_eq!(events.names_to_the_end().await, ["close"]);
}

#[tokio::test]
async fn a_reader_that_takes_bytes_and_gives_no_packet_is_stopped() {
    let nibbling = ReadBy(|buf: &mut BytesMut| {
        drop(buf.split_to(1));
        Ok(Step::Need(1))
    });
    let (mut peer, mut events) = open_over_memory(nibbling, Limits::default()).await;
    peer.write_all(b"xyz").await.unwrap();
    let error = events.error().await;
    assert!(matches!(*error, Error::Contract(_)), "{error}");
    assert_eq!(events.names_to_the_end().await, ["close"]);
}

#[tokio::test]
async fn a_reader_is_never_called_with_nothing() {
    let counted = ReadBy(|buf: &mut BytesMut| {
        assert!(!buf.is_empty());
        Ok(Step::Packet(buf.split().freeze()))
    });
    let (mut peer, mut events) = open_over_memory(counted, Limits::default()).await;
    for _ in 0..3 {
        peer.write_all(b"x").await.unwrap();
        assert_eq!(events.message().await, "x");
    }
    peer.shutdown().await.unwrap();
    assert_eq!(events.names_to_the_end().await, ["close"]);
}

/// As [`open_over_memory`], with the steps of its Reader.
async fn watched_session() -> (DuplexStream, Events<Watched>, Steps) {
    let (protocol, steps) = watched();
    let (peer, events) = open_over_memory(protocol, Limits::default()).await;
    (peer, events, steps)
}

/// A Reader that always misses 8 MiB, and sees at the end how much larger its buffer is than twice what has come.
#[derive(Clone)]
struct Greedy(Arc<AtomicUsize>);

impl Protocol for Greedy {
    type Reader = Self;
    type Writer = Chunks;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<Self, Chunks, ()> {
        Opened::new(self.clone(), Chunks, ())
    }
}

impl Reader for Greedy {
    type Packet = Bytes;

    fn read(&mut self, _: &mut BytesMut) -> Result<Step<Bytes>, BoxError> {
        Ok(Step::Need(8 * 1024 * 1024))
    }

    fn read_end(&mut self, buf: &mut BytesMut) -> Result<Step<Bytes>, BoxError> {
        self.0.store(buf.capacity().saturating_sub(2 * buf.len()), Ordering::SeqCst);
        Ok(Step::Need(0))
    }
}

/// A protocol whose Reader is a function.
#[derive(Clone)]
struct ReadBy<F>(F);

impl<F> Protocol for ReadBy<F>
where
    F: Fn(&mut BytesMut) -> Result<Step<Bytes>, BoxError> + Clone + Send + Sync + Unpin + 'static,
{
    type Reader = Self;
    type Writer = Chunks;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<Self, Chunks, ()> {
        Opened::new(self.clone(), Chunks, ())
    }
}

impl<F> Reader for ReadBy<F>
where
    F: Fn(&mut BytesMut) -> Result<Step<Bytes>, BoxError> + Send + Unpin + 'static,
{
    type Packet = Bytes;

    fn read(&mut self, buf: &mut BytesMut) -> Result<Step<Bytes>, BoxError> {
        (self.0)(buf)
    }
}

/// The Reader of [`Frames`], which tells what it answers.
struct Watched(UnboundedSender<Step<usize>>);

struct WatchedReader(FrameReader, UnboundedSender<Step<usize>>);

/// Answers of a Reader, in order; of a packet its length.
struct Steps(UnboundedReceiver<Step<usize>>);

fn watched() -> (Watched, Steps) {
    let (sender, steps) = unbounded_channel();
    (Watched(sender), Steps(steps))
}

impl Steps {
    async fn next(&mut self) -> Step<usize> {
        within(self.0.recv()).await.expect("the Reader has gone")
    }
}

impl Protocol for Watched {
    type Reader = WatchedReader;
    type Writer = Chunks;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<WatchedReader, Chunks, ()> {
        Opened::new(WatchedReader(FrameReader, self.0.clone()), Chunks, ())
    }
}

impl Reader for WatchedReader {
    type Packet = Bytes;

    fn read(&mut self, buf: &mut BytesMut) -> Result<Step<Bytes>, BoxError> {
        let step = self.0.read(buf)?;
        let _ = self.1.send(match &step {
            Step::Need(missing) => Step::Need(*missing),
            Step::Packet(packet) => Step::Packet(packet.len()),
        });
        Ok(step)
    }
}
