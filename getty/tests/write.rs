//! Writing: order, failures of a Writer, and what is known of a frame when its session ends.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use bytes::Bytes;
use getty::{
    BoxError, ConnInfo, Error, Flush, Limits, Opened, Out, Protocol, Session, Span, WriteError, Writer,
};
use support::{
    FrameReader, FrameWriter, Frames, Recorder, What, frame, over_memory, over_tcp, read_frame, read_frames,
    read_to_end, reset, within,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// From this size on a body is kept by reference, not copied.
const LARGE: usize = 8 * 1024;

// Order.

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn frames_of_many_writers_arrive_whole_where_their_spans_say() {
    const WRITERS: u32 = 8;
    const EACH: u32 = 500;
    let (recorder, _events) = Recorder::new();
    let (mut peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let session = session.clone();
            tokio::spawn(async move {
                let mut spans = Vec::new();
                for number in 0..EACH {
                    // Now and then one that is large enough to be kept by reference.
                    let length = 8 + (number * 97 % 800) as usize + usize::from(number % 50 == 0) * LARGE;
                    let mut body = vec![number as u8; length];
                    body[..4].copy_from_slice(&writer.to_be_bytes());
                    body[4..8].copy_from_slice(&number.to_be_bytes());
                    spans.push((session.send(body.clone().into()).await.unwrap(), body));
                }
                spans
            })
        })
        .collect();
    let reading = tokio::spawn(async move { read_to_end(&mut peer).await });
    let mut written: BTreeMap<u64, (Span, Vec<u8>)> = BTreeMap::new();
    for writer in writers {
        let spans = within(writer).await.unwrap();
        assert!(spans.is_sorted_by_key(|(span, _)| span.start), "a writer's own frames keep their order");
        written.extend(spans.into_iter().map(|(span, body)| (span.start, (span, body))));
    }
    session.close();
    let received = within(reading).await.unwrap();
    let mut offset = 0;
    for (start, (span, body)) in &written {
        assert_eq!(*start, offset, "spans leave no gap");
        assert_eq!(received[span.start as usize..span.end as usize], frame(body));
        offset = span.end;
    }
    assert_eq!(offset, received.len() as u64);
    assert_eq!(written.len(), (WRITERS * EACH) as usize);
}

#[tokio::test]
async fn an_idle_session_writes_at_once_whatever_the_flush() {
    for flush in [Flush::Auto, Flush::Now, Flush::Gather] {
        let (recorder, mut events) = Recorder::new();
        let (mut peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
        events.open().await;
        for i in 0..10_u8 {
            let packet = frame(&[i]);
            session
                .write_with(flush, |out| {
                    out.extend_from_slice(&packet);
                    Ok(())
                })
                .unwrap();
            assert_eq!(read_frame(&mut peer).await, [i], "{flush:?}");
        }
    }
}

#[tokio::test]
async fn a_thread_outside_the_runtime_can_write_and_its_frames_keep_their_order() {
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
    events.open().await;
    let writer = thread::spawn(move || {
        for i in 0..1_000_u32 {
            session.write(Bytes::copy_from_slice(&i.to_be_bytes())).unwrap();
        }
        session
    });
    for i in 0..1_000_u32 {
        assert_eq!(read_frame(&mut peer).await, i.to_be_bytes());
    }
    writer.join().unwrap();
}

#[tokio::test]
async fn bytes_that_are_packets_already_go_out_as_they_are() {
    let (recorder, _events) = Recorder::new();
    let (mut peer, session) = over_memory(Frames, recorder, Limits::default());
    let packets = Bytes::from([frame(b"one"), frame(&[2; LARGE])].concat());
    let span = session.write_bytes(packets.clone()).unwrap();
    assert_eq!(span, Span { start: 0, end: packets.len() as u64 });
    assert_eq!(read_frame(&mut peer).await, b"one");
    assert_eq!(read_frame(&mut peer).await, [2; LARGE]);
    // Writing the same bytes again is possible: they were not emptied.
    session.write_bytes(packets).unwrap();
    assert_eq!(read_frame(&mut peer).await, b"one");
}

// Writers that fail.

#[tokio::test]
async fn a_packet_that_fails_midway_leaves_no_byte_behind() {
    for fault in [Fault::Error, Fault::Panic] {
        for size in [3, LARGE] {
            for before in [&[][..], &[b'b'; 10], &[b'B'; LARGE]] {
                // Inside a callback writes are gathered, so the good frame before is still in the same buffer.
                let (recorder, mut events) = Recorder::new();
                let recorder = recorder.on_message(move |session: &Session<Halves>, _| {
                    session.write(Half::good(before)).unwrap();
                    write_badly(session, Half { fault, body: vec![b'x'; size].into() });
                    session.write(Half::good(b"after")).unwrap();
                });
                let (mut peer, _) = over_memory(Halves, recorder, Limits::default());
                peer.write_all(&frame(b"go")).await.unwrap();
                assert_eq!(read_frame(&mut peer).await, before, "{fault:?} {size}");
                assert_eq!(read_frame(&mut peer).await, b"after", "{fault:?} {size}");
                drop(peer);
                assert_eq!(events.names_to_the_end().await, ["open", "message", "close"]);
            }
        }
    }
}

#[tokio::test]
async fn a_packet_that_fails_on_an_idle_session_is_not_written_and_the_session_lives_on() {
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_tcp(Halves, recorder, Limits::default()).await;
    events.open().await;
    let mut expected = 0;
    for fault in [Fault::Error, Fault::Panic] {
        for size in [3, LARGE] {
            write_badly(&session, Half { fault, body: vec![b'x'; size].into() });
            let span = session.write(Half::good(b"good")).unwrap();
            assert_eq!(span.start, expected, "failed packets take no room in the output");
            expected = span.end;
            assert_eq!(read_frame(&mut peer).await, b"good", "{fault:?} {size}");
        }
    }
    assert!(session.is_open());
    assert_eq!(session.stats().written_bytes, expected);
}

#[tokio::test]
async fn an_encoder_that_fails_hands_its_error_back_and_leaves_no_byte_behind() {
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
    events.open().await;
    let refused = session.write_with(Flush::Auto, |out| {
        out.tail_mut().extend_from_slice(b"half");
        Err::<(), BoxError>("cannot".into())
    });
    assert!(matches!(refused, Err(WriteError::Encode(why)) if why.to_string() == "cannot"));
    let (span, offset) = session
        .write_with(Flush::Auto, |out| {
            let offset = out.offset();
            out.extend_from_slice(&frame(b"good"));
            Ok(offset)
        })
        .unwrap();
    assert_eq!((span.start, offset), (0, 0));
    assert_eq!(read_frame(&mut peer).await, b"good");
}

#[tokio::test]
async fn an_encoder_that_takes_bytes_of_others_away_ends_the_session() {
    type Theft = fn(&mut Out);
    let thefts: [Theft; 3] = [
        |out| out.tail_mut().clear(),
        |out| bytes::Buf::advance(out, 1),
        |out| {
            out.tail_mut().clear();
            panic!("on purpose");
        },
    ];
    for theft in thefts {
        let (recorder, mut events) = Recorder::new();
        // A pipe that is full, so that frames wait in the out-buffer.
        let (peer, session) = over_memory(Frames, recorder, Limits::default());
        events.open().await;
        session.write(Bytes::from(vec![1; 200_000])).unwrap();
        session.write(Bytes::from_static(b"waits")).unwrap();
        while session.stats().written_bytes == 0 {
            tokio::task::yield_now().await;
        }
        session.write(Bytes::from_static(b"waits too")).unwrap();
        let steal = || {
            session.write_with(Flush::Auto, |out| {
                theft(out);
                Ok(())
            })
        };
        let stolen = catch_unwind(AssertUnwindSafe(steal));
        assert!(!matches!(stolen, Ok(Ok(_))), "it must not look like a success");
        assert!(matches!(session.write(Bytes::new()), Err(WriteError::Closed)));
        let event = events.next().await;
        assert!(matches!(event.what, What::Error(error) if matches!(*error, Error::Contract(_))));
        assert_eq!(events.next().await.what.name(), "close");
        drop(peer);
    }
}

// What is known of a frame when its session ends.

#[tokio::test]
async fn frames_from_taken_on_were_not_received_when_a_socket_that_did_not_drain_is_reset() {
    for read in [0, 1, 100_000, 3_000_000] {
        let (recorder, mut events) = Recorder::new();
        let at_close = Arc::new(AtomicU64::new(u64::MAX));
        let recorder = {
            let at_close = Arc::clone(&at_close);
            recorder.on_close(move |session: &Session<Frames>| {
                at_close.store(session.taken(), Ordering::SeqCst);
            })
        };
        let (mut peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
        events.open().await;
        let mut spans = Vec::new();
        for number in 0..12_000_u32 {
            let mut body = vec![0; 1_000];
            body[..4].copy_from_slice(&number.to_be_bytes());
            spans.push(session.write(body.into()).unwrap());
            if number % 100 == 0 {
                tokio::task::yield_now().await;
            }
        }
        let mut received = vec![0; read];
        within(peer.read_exact(&mut received)).await.unwrap();
        let unread = peer.try_read(&mut vec![0; 64 * 1024]).unwrap_or(0);
        reset(peer);
        events.close().await;
        let taken = session.taken();
        assert_eq!(at_close.load(Ordering::SeqCst), taken, "final before on_close");
        assert!(
            (read + unread) as u64 <= taken,
            "{read} + {unread} bytes came, {taken} are said to be taken"
        );
        assert!(spans.iter().any(|span| span.start >= taken), "the test wants frames that were not taken");
        // What the peer has is a part of what was written before `taken`.
        let (bodies, _) = read_frames(&received);
        for (number, body) in bodies.iter().enumerate() {
            assert_eq!(body[..4], (number as u32).to_be_bytes());
            assert!(spans[number].start < taken);
        }
        assert_eq!(session.stats().written_bytes, taken);
    }
}

#[tokio::test]
async fn a_clean_end_has_taken_every_frame() {
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
    let span = session.write(Bytes::from(vec![1; 500_000])).unwrap();
    session.close();
    assert_eq!(read_to_end(&mut peer).await.len() as u64, span.end);
    assert_eq!(events.close().await.taken(), span.end);
}

#[tokio::test]
async fn nothing_can_be_written_after_the_end() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_close(|session: &Session<Frames>| {
        assert!(matches!(session.write(Bytes::new()), Err(WriteError::Closed)));
    });
    let (_peer, session) = over_memory(Frames, recorder, Limits::default());
    session.close();
    events.close().await;
    assert!(matches!(session.write(Bytes::new()), Err(WriteError::Closed)));
    assert!(matches!(session.write_bytes(Bytes::new()), Err(WriteError::Closed)));
    assert!(matches!(session.ready().await, Err(WriteError::Closed)));
    assert!(matches!(session.send(Bytes::new()).await, Err(WriteError::Closed)));
    let ran = session.write_with(Flush::Now, |_| -> Result<(), BoxError> { panic!("the encoder ran") });
    assert!(matches!(ran, Err(WriteError::Closed)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_an_encoder_registers_is_there_before_on_close_and_never_after() {
    const WRITERS: usize = 4;
    const EACH: usize = 500;
    for round in 0..10 {
        // As an RPC does: the encoder enters a call, on_close fails all that have been entered.
        let calls = Arc::new(Mutex::new(BTreeSet::new()));
        let failed = Arc::new(Mutex::new(BTreeSet::new()));
        let (recorder, mut events) = Recorder::new();
        let recorder = {
            let (calls, failed) = (Arc::clone(&calls), Arc::clone(&failed));
            recorder.on_close(move |_: &Session<Frames>| {
                failed.lock().unwrap().append(&mut calls.lock().unwrap());
            })
        };
        let (mut peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
        events.open().await;
        let reading = tokio::spawn(async move { read_to_end(&mut peer).await });
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (session, calls) = (session.clone(), Arc::clone(&calls));
                thread::spawn(move || {
                    let mut written = BTreeSet::new();
                    for number in 0..EACH {
                        let call = writer * EACH + number;
                        if call == round * WRITERS * EACH / 10 {
                            session.close();
                        }
                        let entered = session.write_with(Flush::Auto, |out| {
                            calls.lock().unwrap().insert(call);
                            out.extend_from_slice(&frame(&call.to_be_bytes()));
                            Ok(())
                        });
                        match entered {
                            Ok(_) => drop(written.insert(call)),
                            Err(WriteError::Closed) => {}
                            Err(other) => panic!("{other}"),
                        }
                    }
                    written
                })
            })
            .collect();
        let mut written = BTreeSet::new();
        for writer in writers {
            written.append(&mut writer.join().unwrap());
        }
        drop(session);
        assert_eq!(events.names_to_the_end().await, ["close"]);
        within(reading).await.unwrap();
        assert!(calls.lock().unwrap().is_empty(), "calls were entered after on_close");
        assert_eq!(*failed.lock().unwrap(), written, "every call that was written is failed, and no other");
    }
}

/// Writes a packet that cannot be written.
fn write_badly(session: &Session<Halves>, packet: Half) {
    let fault = packet.fault;
    let written = catch_unwind(AssertUnwindSafe(|| session.write(packet)));
    match fault {
        Fault::Panic => assert!(written.is_err()),
        _ => assert!(matches!(written, Ok(Err(WriteError::Encode(why))) if why.to_string() == "on purpose")),
    }
}

/// As [`Frames`], but its Writer can fail after it has written.
#[derive(Debug, Clone, Copy)]
struct Halves;

#[derive(Debug)]
struct Half {
    fault: Fault,
    body: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Error,
    Panic,
}

impl Half {
    fn good(body: &[u8]) -> Self {
        Self { fault: Fault::None, body: Bytes::copy_from_slice(body) }
    }
}

impl Protocol for Halves {
    type Reader = FrameReader;
    type Writer = Self;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<FrameReader, Self, ()> {
        Opened::new(FrameReader, Self, ())
    }
}

impl Writer for Halves {
    type Packet = Half;

    fn write(&mut self, packet: Half, out: &mut Out) -> Result<(), BoxError> {
        FrameWriter.write(packet.body, out)?;
        match packet.fault {
            Fault::None => Ok(()),
            Fault::Error => Err("on purpose".into()),
            Fault::Panic => panic!("on purpose"),
        }
    }
}
