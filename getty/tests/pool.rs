//! `on_message` in a pool: nothing is lost, nothing grows without end, and `on_close` still comes last.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use getty::{BoxError, ConnInfo, Error, Full, Opened, Pool, Protocol, Reader, Session, Step, on_message};
use support::{
    FrameReader, FrameWriter, Frames, POOLS, Recorder, What, frame, read_frame, read_to_end, serve, until,
    within,
};
use tokio::{io::AsyncWriteExt, net::TcpStream, sync::RwLock, task::block_in_place};

const PACKETS: usize = 5_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_packet_is_handled_once_and_as_it_was_sent() {
    for pool in POOLS {
        every_packet_is_handled_once(pool).await;
    }
}

async fn every_packet_is_handled_once(pool: Pool) {
    let echo = on_message(|session: &Session<Frames>, packet| {
        session.write(packet).unwrap();
    });
    let (address, _stop, _serving) = serve(Frames, pool, Full::Wait, echo).await;
    let (mut input, mut output) = TcpStream::connect(address).await.unwrap().into_split();
    // Sizes that cut the chunks of the read buffer at all sorts of places.
    let body = |i: usize| [i.to_be_bytes().to_vec(), vec![i as u8; i % 700]].concat();
    let sender = tokio::spawn(async move {
        for i in 0..PACKETS {
            output.write_all(&frame(&body(i))).await.unwrap();
        }
        output
    });
    let mut answers = BTreeSet::new();
    for _ in 0..PACKETS {
        assert!(answers.insert(read_frame(&mut input).await), "an answer came twice");
    }
    assert_eq!(answers, (0..PACKETS).map(body).collect());
    within(sender).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_reads_no_further_than_the_pool_has_places() {
    // Those that wait, one with each worker, and with keys the one that has been read and finds no room.
    let (depth, idle) = (8, Duration::ZERO);
    no_more_than(Pool::Fixed { queues: 2, workers: 4, depth }, 2 * 8 + 4).await;
    no_more_than(Pool::Ordered { workers: 4, depth }, 8 + 1).await;
    no_more_than(Pool::Keyed { queues: 2, depth }, 8 + 1 + 1).await;
    no_more_than(Pool::Elastic { min: 1, max: 4, idle, depth }, 8 + 4).await;
}

/// While no handler returns, exactly so many packets are decoded, and never are more decoded and not handled.
async fn no_more_than(pool: Pool, most: usize) {
    const PACKETS: usize = 20_000;
    let census = Arc::new(Mutex::new(Census::default()));
    let count = || census.lock().unwrap();
    let gate = Arc::new(RwLock::new(()));
    let shut = gate.clone().write_owned().await;
    let listener = {
        let census = Arc::clone(&census);
        on_message(move |_: &Session<Counted>, _| {
            block_in_place(|| drop(gate.blocking_read()));
            census.lock().unwrap().handled += 1;
        })
    };
    let (address, _stop, _serving) = serve(Counted(Arc::clone(&census)), pool, Full::Wait, listener).await;
    let mut peer = TcpStream::connect(address).await.unwrap();
    let sender = tokio::spawn(async move {
        peer.write_all(&frame(b"").repeat(PACKETS)).await.unwrap();
        peer
    });
    until(|| count().decoded >= most).await;
    drop(shut);
    until(|| count().handled == PACKETS).await;
    let longest = count().longest;
    assert!(longest <= most, "{pool:?}: {longest} packets were decoded and not handled, {most} may be");
    within(sender).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_packet_does_not_hold_up_those_behind_it() {
    let (release, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let echo = on_message(move |session: &Session<Frames>, packet: Bytes| {
        if packet == "slow" {
            block_in_place(|| gate.lock().unwrap().recv().unwrap());
        }
        session.write(packet).unwrap();
    });
    let pool = Pool::Fixed { queues: 1, workers: 2, depth: 16 };
    let (address, _stop, _serving) = serve(Frames, pool, Full::Wait, echo).await;
    let mut peer = TcpStream::connect(address).await.unwrap();
    peer.write_all(&frame(b"slow")).await.unwrap();
    peer.write_all(&frame(b"quick").repeat(100)).await.unwrap();
    for _ in 0..100 {
        assert_eq!(read_frame(&mut peer).await, b"quick");
    }
    release.send(()).unwrap();
    assert_eq!(read_frame(&mut peer).await, b"slow");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_close_comes_after_the_last_packet_is_handled_and_its_answer_written() {
    for (by_the_peer, pool) in [true, false].into_iter().flat_map(|by| POOLS.map(|pool| (by, pool))) {
        let handled = Arc::new(AtomicUsize::new(0));
        let (release, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let (recorder, mut events) = Recorder::new();
        let at_close = Arc::new(AtomicUsize::new(0));
        let recorder = {
            let (handled, at_close) = (Arc::clone(&handled), Arc::clone(&at_close));
            let counted = Arc::clone(&handled);
            recorder
                .on_message(move |session: &Session<Frames>, packet| {
                    block_in_place(|| gate.lock().unwrap().recv().unwrap());
                    session.write(packet).unwrap();
                    counted.fetch_add(1, Ordering::SeqCst);
                })
                .on_close(move |_| at_close.store(handled.load(Ordering::SeqCst), Ordering::SeqCst))
        };
        let (address, stop, serving) = serve(Frames, pool, Full::Wait, recorder).await;
        let mut peer = TcpStream::connect(address).await.unwrap();
        peer.write_all(&frame(b"x").repeat(10)).await.unwrap();
        let session = events.open().await;
        until(|| session.stats().read_packets == 10).await;
        if by_the_peer {
            peer.shutdown().await.unwrap();
        } else {
            session.close();
        }
        until(|| !session.is_open()).await;
        (0..10).for_each(|_| release.send(()).unwrap());
        assert_eq!(read_to_end(&mut peer).await, frame(b"x").repeat(10));
        drop((peer, session));
        stop.send(()).unwrap();
        within(serving).await.unwrap().unwrap();
        let mut expected = vec!["message"; 10];
        expected.push("close");
        assert_eq!(events.names_to_the_end().await, expected);
        assert_eq!(at_close.load(Ordering::SeqCst), 10);
    }
}

#[tokio::test]
async fn a_panic_in_the_pool_ends_its_session_and_no_other() {
    for pool in POOLS {
        a_panic_ends_its_session(pool).await;
    }
}

async fn a_panic_ends_its_session(pool: Pool) {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_message(|session: &Session<Frames>, packet| {
        assert_ne!(packet, "bad", "on purpose");
        session.write(packet).unwrap();
    });
    let (address, _stop, _serving) = serve(Frames, pool, Full::Wait, recorder).await;
    let mut good = TcpStream::connect(address).await.unwrap();
    events.open().await;
    for _ in 0..3 {
        let mut bad = TcpStream::connect(address).await.unwrap();
        let session = events.open().await;
        bad.write_all(&frame(b"bad")).await.unwrap();
        assert_eq!(events.message().await, "bad");
        let event = events.next().await;
        assert!(matches!(&event.what, What::Error(error) if matches!(**error, Error::Panicked { .. })));
        assert!(event.session == session && events.close().await == session);
        assert_eq!(read_to_end(&mut bad).await, b"");
    }
    good.write_all(&frame(b"good")).await.unwrap();
    assert_eq!(read_frame(&mut good).await, b"good");
}

/// Packets so far. Under one lock, so that none is counted as handled before it is counted as decoded.
#[derive(Default)]
struct Census {
    decoded: usize,
    handled: usize,
    /// The most that were decoded and not handled.
    longest: usize,
}

/// As [`Frames`], but counts the packets that its Readers gave.
struct Counted(Arc<Mutex<Census>>);

struct CountedReader(Arc<Mutex<Census>>);

impl Protocol for Counted {
    type Reader = CountedReader;
    type Writer = FrameWriter;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<CountedReader, FrameWriter, ()> {
        Opened::new(CountedReader(Arc::clone(&self.0)), FrameWriter, ())
    }
}

impl Reader for CountedReader {
    type Packet = Bytes;

    fn read(&mut self, buf: &mut BytesMut) -> Result<Step<Bytes>, BoxError> {
        let step = FrameReader.read(buf)?;
        if let Step::Packet(_) = step {
            let mut census = self.0.lock().unwrap();
            census.decoded += 1;
            census.longest = census.longest.max(census.decoded - census.handled);
        }
        Ok(step)
    }
}
