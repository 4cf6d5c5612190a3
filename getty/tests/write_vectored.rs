//! Several buffers written as one: together on the wire whoever else writes, without a copy of what is large, and the caller's
//! buffers stay as they are.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    io,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::{Buf, Bytes, BytesMut};
use getty::{
    Limits, Out, Span, WriteError, accept, on_message,
    transport::{Connection, Direct, Transport},
};
use support::{
    Frames, HEADER, Recorder, frame, message_pipes, over_memory, over_tcp, read_frame, read_to_end, until,
    within,
};
use tokio::io::AsyncReadExt;

/// From this size on a buffer is kept by reference, not copied.
const LARGE: usize = 8 * 1024;

/// The buffers of one packet: its header, then parts of its body.
fn parts(seed: u8, sizes: &[usize]) -> Vec<Bytes> {
    let body = vec![seed; sizes.iter().sum()];
    let mut rest = Bytes::from(frame(&body));
    let mut parts = vec![rest.split_to(HEADER)];
    parts.extend(sizes.iter().map(|&size| rest.split_to(size)));
    parts
}

#[tokio::test]
async fn buffers_of_all_sizes_arrive_as_one_and_stay_with_the_caller() {
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
    events.open().await;
    for sizes in [&[][..], &[0], &[1, 2, 3], &[LARGE], &[5, LARGE, 7, LARGE - 1, 3 * LARGE, 1]] {
        let buffers = parts(9, sizes);
        let before = buffers.clone();
        let start = session.taken();
        for times in 1..=2 {
            let span = session.write_vectored(&buffers).unwrap();
            let length = (HEADER + sizes.iter().sum::<usize>()) as u64;
            assert_eq!(span, Span { start: start + (times - 1) * length, end: start + times * length });
            assert_eq!(read_frame(&mut peer).await, vec![9; sizes.iter().sum()], "{sizes:?}");
            // The peer has it all, but the writer may not have counted it yet.
            until(|| session.taken() == span.end).await;
        }
        assert_eq!(buffers, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_other_packet_comes_between_the_buffers() {
    const WRITERS: u8 = 4;
    const EACH: usize = 200;
    let (recorder, _events) = Recorder::new();
    let (mut peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
    let writers: Vec<_> = (1..=WRITERS)
        .map(|writer| {
            let session = session.clone();
            tokio::spawn(async move {
                for number in 0..EACH {
                    session.ready().await.unwrap();
                    if number % 2 == 0 {
                        let large = if number % 10 == 0 { LARGE } else { 10 };
                        session.write_vectored(&parts(writer, &[3, large, 4])).unwrap();
                    } else {
                        session.write(vec![writer; 20].into()).unwrap();
                    }
                }
            })
        })
        .collect();
    let reading = tokio::spawn(async move { read_to_end(&mut peer).await });
    for writer in writers {
        within(writer).await.unwrap();
    }
    session.close();
    let (bodies, rest) = support::read_frames(&within(reading).await.unwrap());
    assert_eq!((bodies.len(), rest), (usize::from(WRITERS) * EACH, 0));
    for body in bodies {
        assert!(body.iter().all(|byte| *byte == body[0]), "a packet holds bytes of another");
    }
}

#[tokio::test]
async fn what_is_large_reaches_the_connection_where_the_caller_has_it_and_in_one_vectored_write() {
    let (recorder, mut events) = Recorder::new();
    let seen = Seen::default();
    let session = accept(Looking(seen.clone()), Frames, recorder, Limits::default());
    events.open().await;
    let buffers =
        [Bytes::from(vec![1; LARGE]), Bytes::from_static(b"small"), Bytes::from(vec![2; 5 * LARGE])];
    session.write_vectored(&buffers).unwrap();
    until(|| !seen.lock().unwrap().is_empty()).await;
    let drains = seen.lock().unwrap().clone();
    let [slices] = &drains[..] else { panic!("{} drains", drains.len()) };
    let place = |bytes: &Bytes| (bytes.as_ptr() as usize, bytes.len());
    assert_eq!(slices.len(), 3);
    assert_eq!((slices[0], slices[2]), (place(&buffers[0]), place(&buffers[2])));
    assert_ne!(slices[1].0, buffers[1].as_ptr() as usize, "what is small is copied");
}

#[tokio::test]
async fn on_a_transport_of_messages_they_are_one_message() {
    let (own, theirs) = message_pipes();
    let (recorder, mut events) = Recorder::new();
    accept(theirs, Frames, recorder, Limits::default());
    let session = accept(own, Frames, on_message(|_, _| {}), Limits::default());
    events.open().await;
    for sizes in [&[1, 2][..], &[LARGE, 3, LARGE]] {
        session.write_vectored(&parts(7, sizes)).unwrap();
        assert_eq!(events.message().await, vec![7; sizes.iter().sum()]);
    }
}

#[tokio::test]
async fn all_are_queued_or_none() {
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_memory(Frames, recorder, Limits::default().out_hard(200_000));
    events.open().await;
    // The pipe holds a part of it, the rest waits.
    session.write_vectored(&parts(1, &[LARGE; 40])).unwrap();
    until(|| session.write_vectored(&[]).is_err()).await;
    let refused = session.write_vectored(&parts(2, &[10, LARGE]));
    assert!(matches!(refused, Err(WriteError::Full { limit: 200_000, .. })), "{refused:?}");
    assert_eq!(read_frame(&mut peer).await, vec![1; 40 * LARGE]);
    session.close();
    let mut rest = Vec::new();
    within(peer.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.is_empty());
    assert!(matches!(session.write_vectored(&parts(3, &[1])), Err(WriteError::Closed)));
}

/// The place and length of each slice of each drain.
type Seen = Arc<Mutex<Vec<Vec<(usize, usize)>>>>;

/// Takes everything at once, and notes where it lies.
struct Looking(Seen);

impl Transport for Looking {
    type Task = Self;

    fn split(self) -> (Self, Option<Direct>) {
        (self, None)
    }
}

impl Connection for Looking {
    fn poll_fill(&mut self, _: &mut Context<'_>, _: &mut BytesMut) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_drain(&mut self, _: &mut Context<'_>, out: &mut Out) -> Poll<io::Result<()>> {
        let mut slices = [io::IoSlice::new(&[]); 16];
        let count = out.chunks_vectored(&mut slices);
        if count > 0 {
            let slices = slices[..count].iter().map(|slice| (slice.as_ptr() as usize, slice.len()));
            self.0.lock().unwrap().push(slices.collect());
        }
        out.advance(out.remaining());
        Poll::Ready(Ok(()))
    }

    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
