//! Large bytes are never copied between the user and the connection, in neither direction.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    io,
    ops::Range,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::{Buf, Bytes, BytesMut};
use getty::{
    Limits, Out, accept,
    transport::{Connection, Direct, Transport},
};
use support::{Frames, Recorder, frame, until};

/// From this length on bytes are referred to, says `Session::write_bytes`.
const LARGE: usize = 8 * 1024;

#[tokio::test]
async fn eight_kib_and_more_reach_the_connection_where_the_user_has_put_them() {
    let (recorder, mut events) = Recorder::new();
    let seen = Seen::default();
    let session = accept(Noting { seen: seen.clone(), input: None }, Frames, recorder, Limits::default());
    events.open().await;
    let sent: Vec<Bytes> = [LARGE, 100_000, 1_000_000].map(|length| vec![7; length].into()).into();
    for bytes in &sent {
        session.write(bytes.clone()).unwrap();
        session.write_bytes(bytes.clone()).unwrap();
    }
    until(|| session.stats().queued_bytes == 0).await;
    let taken = seen.0.lock().unwrap();
    for bytes in &sent {
        let there = taken.iter().filter(|piece| **piece == place_of(bytes)).count();
        assert_eq!(there, 2, "{} bytes, written as a packet and as they are", bytes.len());
    }
}

#[tokio::test]
async fn a_packet_is_a_part_of_the_buffer_that_it_was_read_into() {
    let (recorder, mut events) = Recorder::new();
    let seen = Seen::default();
    let input = [frame(b"short"), frame(&[7; 20_000])].concat();
    accept(Noting { seen: seen.clone(), input: Some(input) }, Frames, recorder, Limits::default());
    events.open().await;
    for length in [5, 20_000] {
        let packet = events.message().await;
        assert_eq!(packet.len(), length);
        let packet = place_of(&packet);
        let read = seen.0.lock().unwrap()[0].clone();
        assert!(read.start <= packet.start && packet.end <= read.end, "{packet:?} is not in {read:?}");
    }
}

/// Where some bytes lie in memory.
fn place_of(bytes: &[u8]) -> Range<usize> {
    let start = bytes.as_ptr().addr();
    start..start + bytes.len()
}

/// Places in memory that a connection has met.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Range<usize>>>>);

impl Seen {
    fn note(&self, bytes: &[u8]) {
        self.0.lock().unwrap().push(place_of(bytes));
    }
}

/// Takes all that is written and gives its input, if it has one, and notes where either lies.
struct Noting {
    seen: Seen,
    input: Option<Vec<u8>>,
}

impl Transport for Noting {
    type Task = Self;

    fn split(self) -> (Self, Option<Direct>) {
        (self, None)
    }
}

impl Connection for Noting {
    fn poll_fill(&mut self, _: &mut Context<'_>, buf: &mut BytesMut) -> Poll<io::Result<usize>> {
        let Some(input) = self.input.take() else { return Poll::Pending };
        buf.extend_from_slice(&input);
        self.seen.note(&buf[buf.len() - input.len()..]);
        Poll::Ready(Ok(input.len()))
    }

    fn poll_drain(&mut self, _: &mut Context<'_>, out: &mut Out) -> Poll<io::Result<()>> {
        while out.has_remaining() {
            let length = out.chunk().len();
            self.seen.note(out.chunk());
            out.advance(length);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
