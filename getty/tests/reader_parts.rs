//! Readers that take a packet in parts, and what the end of the input is to a Reader.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use bytes::{Bytes, BytesMut};
use getty::{BoxError, Chunks, ConnInfo, Error, Limits, Opened, Protocol, Reader, Step};
use support::{Frames, HEADER, Recorder, frame, open_over_memory, over_memory, until};
use tokio::io::AsyncWriteExt;

// Readers that take a packet in parts.

#[tokio::test]
async fn a_reader_may_take_a_packet_in_parts_if_it_counts_them() {
    let (mut peer, mut events) = open_over_memory(Sipping::default(), Limits::default()).await;
    for byte in b"hello\nyou\n" {
        peer.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(events.message().await, "hello\n");
    assert_eq!(events.message().await, "you\n");
}

#[tokio::test]
async fn the_limit_counts_the_parts_that_a_reader_has_taken() {
    for (rest, length) in [(&[b'x'; 200][..], 1_100), (&[&[b'x'; 100][..], b"\n"].concat(), 1_001)] {
        let (listener, mut events) = Recorder::new();
        let limits = Limits::default().max_packet(1_000);
        let (mut peer, session) = over_memory(Sipping::default(), listener, limits);
        events.open().await;
        peer.write_all(&[b'x'; 900]).await.unwrap();
        until(|| session.stats().read_bytes == 900).await;
        peer.write_all(rest).await.unwrap();
        let error = events.error().await;
        assert!(matches!(*error, Error::TooLong { length: l, limit: 1_000 } if l == length), "{error}");
    }
}

#[tokio::test]
async fn the_end_after_parts_that_a_reader_has_taken_is_an_error() {
    let (mut peer, mut events) = open_over_memory(Sipping::default(), Limits::default()).await;
    peer.write_all(b"hel").await.unwrap();
    tokio::task::yield_now().await;
    peer.write_all(b"lo").await.unwrap();
    peer.shutdown().await.unwrap();
    let error = events.error().await;
    assert!(matches!(*error, Error::Truncated { pending: 5 }), "{error}");
    assert_eq!(events.names_to_the_end().await, ["close"]);
}

#[tokio::test]
async fn a_reader_whose_count_of_parts_is_wrong_is_stopped() {
    let (mut peer, mut events) =
        open_over_memory(Sipping { extra: 1, ..Sipping::default() }, Limits::default()).await;
    peer.write_all(b"hello").await.unwrap();
    let error = events.error().await;
    assert!(matches!(*error, Error::Contract(_)), "{error}");
    assert_eq!(events.names_to_the_end().await, ["close"]);
}

// The end of the input.

#[tokio::test]
async fn the_end_of_the_input_may_be_the_end_of_a_packet() {
    let last = Sipping { ends: true, ..Sipping::default() };
    let (mut peer, mut events) = open_over_memory(last, Limits::default()).await;
    peer.write_all(b"first\nlast").await.unwrap();
    peer.shutdown().await.unwrap();
    assert_eq!(events.message().await, "first\n");
    assert_eq!(events.message().await, "last");
    assert_eq!(events.names_to_the_end().await, ["close"]);
}

#[tokio::test]
async fn the_end_in_the_middle_of_a_packet_is_an_error_that_says_how_much_had_come() {
    let (mut peer, mut events) = open_over_memory(Frames, Limits::default()).await;
    peer.write_all(&frame(b"hello")[..HEADER + 2]).await.unwrap();
    peer.shutdown().await.unwrap();
    let error = events.error().await;
    assert!(matches!(*error, Error::Truncated { pending: 7 }), "{error}");
    assert_eq!(events.names_to_the_end().await, ["close"]);
}

#[tokio::test]
async fn the_end_between_two_packets_is_no_error() {
    let (mut peer, mut events) = open_over_memory(Frames, Limits::default()).await;
    peer.write_all(&frame(b"hello")).await.unwrap();
    peer.shutdown().await.unwrap();
    assert_eq!(events.names_to_the_end().await, ["message", "close"]);
}

/// Takes every byte as it comes, and gives them at a line end.
#[derive(Clone, Default)]
struct Sipping {
    taken: BytesMut,
    /// By how much it counts wrongly what it has taken.
    extra: usize,
    /// Whether the end of the input is a line end too.
    ends: bool,
}

impl Sipping {
    fn take(&mut self, bytes: BytesMut, whole: bool) -> Step<Bytes> {
        self.taken.extend_from_slice(&bytes);
        if whole { Step::Packet(self.taken.split().freeze()) } else { Step::Need(0) }
    }
}

impl Protocol for Sipping {
    type Reader = Self;
    type Writer = Chunks;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<Self, Chunks, ()> {
        Opened::new(self.clone(), Chunks, ())
    }
}

impl Reader for Sipping {
    type Packet = Bytes;

    fn read(&mut self, buf: &mut BytesMut) -> Result<Step<Bytes>, BoxError> {
        let end = buf.iter().position(|byte| *byte == b'\n');
        let bytes = buf.split_to(end.map_or(buf.len(), |at| at + 1));
        Ok(self.take(bytes, end.is_some()))
    }

    fn held(&self) -> usize {
        if self.taken.is_empty() { 0 } else { self.taken.len() + self.extra }
    }

    fn read_end(&mut self, buf: &mut BytesMut) -> Result<Step<Bytes>, BoxError> {
        let ends = self.ends;
        Ok(self.take(buf.split(), ends))
    }
}
