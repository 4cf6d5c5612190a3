//! In steady state a packet costs no allocation: neither in reading nor in writing, with one packet under way and with many,
//! nor does putting a timer off, nor a byte that comes by itself. And a session that has ended leaves nothing behind.
//!
//! One test alone, because the counting allocator counts for the whole process.

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

use bytes::{Buf, Bytes, BytesMut};
use getty::{
    BoxError, Chunks, Client, ConnInfo, EventListener, In, Limits, Opened, Out, OutOf, Protocol, Reader,
    Server, Session, Step, Writer, accept, on_message,
    transport::{Io, memory},
};
use support::{until, within};
use tokio::{io::AsyncWriteExt, sync::Notify};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const SIZE: usize = 600;
const WARM_UP: usize = 2_000;
const PACKETS: usize = 10_000;

/// A buffer that doubles.
const MOST_FOR_BYTES: f64 = 0.01;

/// Both sides together. Not none, but one for a hundred packets: a chunk whose slices are still held when it is needed again
/// is replaced, and a read that ends inside a packet keeps the beginning of it.
const MOST: f64 = 0.01;

#[tokio::test]
async fn in_steady_state_nothing_is_allocated() {
    let _profiler = dhat::Profiler::builder().testing().build();
    for under_way in [1, 64] {
        let numbers = blocks_for_packets(Numbers, under_way, || [7; SIZE]).await;
        assert!(numbers <= MOST, "{numbers} allocations for a packet, {under_way} under way");
        let body = Bytes::from_static(&[7; SIZE]);
        let slices = blocks_for_packets(Slices, under_way, || body.clone()).await;
        assert!(slices <= MOST, "{slices} allocations for a packet kept as a slice, {under_way} under way");
    }
    let bytes = bytes_for_timers();
    assert_eq!(bytes, 0, "held by the wheel for a timer that was put off");
    let blocks = blocks_for_single_bytes().await;
    assert!(blocks <= MOST_FOR_BYTES, "{blocks} allocations for each byte that comes by itself");
    let bytes = bytes_left_of_a_session().await;
    assert!(bytes < STATE, "{bytes} bytes are held of a session that has ended");
}

/// What a timer takes that is put off again and again, as one does who waits for silence.
fn bytes_for_timers() -> usize {
    let (connection, _peer) = memory::pair();
    let session = accept(connection, Numbers, on_message(|_, _| {}), Limits::default());
    session.set_cron(Some(Duration::from_secs(60)));
    let before = dhat::HeapStats::get().curr_bytes;
    for _ in 0..PACKETS {
        session.set_cron(Some(Duration::from_secs(60)));
    }
    dhat::HeapStats::get().curr_bytes - before
}

/// Allocated blocks for a byte of a long packet, each of which wakes the session.
async fn blocks_for_single_bytes() -> f64 {
    const BYTES: usize = 5_000;
    let (own, mut peer) = tokio::io::duplex(1024);
    let session = accept(Io::new(own, "memory"), Long, on_message(|_, _| {}), Limits::default());
    let mut before = 0;
    for sent in 1..=BYTES as u64 {
        peer.write_all(&[7]).await.unwrap();
        until(|| session.stats().read_bytes == sent).await;
        if sent == 1 {
            before = dhat::HeapStats::get().total_blocks;
        }
    }
    let blocks = dhat::HeapStats::get().total_blocks - before;
    println!("{blocks} blocks for {BYTES} bytes one by one");
    blocks as f64 / BYTES as f64
}

/// What is held of a session after its end, though a timer of it was still to come.
async fn bytes_left_of_a_session() -> usize {
    let (connector, listen) = memory::listen();
    let closed = Arc::new(AtomicUsize::new(0));
    let limits = Limits::default().cron(Some(Duration::from_secs(3600)));
    let serving = tokio::spawn(Server::over(listen).limits(limits).serve(Heavy, Closed(Arc::clone(&closed))));
    let session = async |number: usize| {
        drop(connector.connect().await.unwrap());
        until(|| closed.load(Ordering::SeqCst) == number).await;
    };
    // What the server takes once is no matter here.
    session(1).await;
    let before = dhat::HeapStats::get().curr_bytes;
    session(2).await;
    let held = dhat::HeapStats::get().curr_bytes.saturating_sub(before);
    serving.abort();
    held
}

/// Allocated blocks for a packet there and back, in the client and in the server.
async fn blocks_for_packets<P>(protocol: P, under_way: usize, packet: impl Fn() -> OutOf<P>) -> f64
where
    P: Protocol<Writer: Writer<Packet = In<P>>> + Clone,
{
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap().to_string();
    let echo = on_message(|session: &Session<P>, packet: In<P>| {
        session.write(packet).unwrap();
    });
    let serving = tokio::spawn(server.serve(protocol.clone(), echo));
    let answers = Arc::new(Answers::default());
    let listener = {
        let answers = Arc::clone(&answers);
        on_message(move |_: &Session<P>, _: In<P>| {
            answers.count.fetch_add(1, Ordering::SeqCst);
            answers.came.notify_one();
        })
    };
    let client = Client::tcp(address, 1, protocol, listener);
    let session = within(client.session()).await.unwrap();
    let run = async |packets: usize| {
        let end = answers.count.load(Ordering::SeqCst) + packets;
        let mut sent = end - packets;
        loop {
            let came = answers.count.load(Ordering::SeqCst);
            if came == end {
                return;
            }
            while sent < end.min(came + under_way) {
                session.write(packet()).unwrap();
                sent += 1;
            }
            answers.came.notified().await;
        }
    };
    within(run(WARM_UP)).await;
    let before = dhat::HeapStats::get().total_blocks;
    within(run(PACKETS)).await;
    let blocks = dhat::HeapStats::get().total_blocks - before;
    client.close().await;
    serving.abort();
    println!("{blocks} blocks for {PACKETS} packets, {under_way} under way");
    blocks as f64 / PACKETS as f64
}

#[derive(Default)]
struct Answers {
    count: AtomicUsize,
    came: Notify,
}

/// Sessions with a state that cannot be overlooked.
struct Heavy;

const STATE: usize = 64 * 1024;

impl Protocol for Heavy {
    type Reader = Chunks;
    type Writer = Chunks;
    type State = [u8; STATE];

    fn open(&self, _: &ConnInfo) -> Opened<Chunks, Chunks, [u8; STATE]> {
        Opened::new(Chunks, Chunks, [0; STATE])
    }
}

/// Counts the sessions that have ended.
struct Closed(Arc<AtomicUsize>);

impl EventListener<Heavy> for Closed {
    fn on_message(&self, _: &Session<Heavy>, _: Bytes) {}

    fn on_close(&self, _: &Session<Heavy>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Packets that are copied out of the buffer.
#[derive(Debug, Clone, Copy)]
struct Numbers;

/// Packets that are slices of the buffer.
#[derive(Debug, Clone, Copy)]
struct Slices;

/// Packets longer than what the test sends of them.
#[derive(Debug, Clone, Copy)]
struct Long;

macro_rules! protocol {
    ($name:ident, $size:expr, $packet:ty, $take:expr) => {
        impl Protocol for $name {
            type Reader = Self;
            type Writer = Self;
            type State = ();

            fn open(&self, _: &ConnInfo) -> Opened<Self, Self, ()> {
                Opened::new(*self, *self, ())
            }
        }

        impl Reader for $name {
            type Packet = $packet;

            fn read(&mut self, buf: &mut BytesMut) -> Result<Step<$packet>, BoxError> {
                if buf.len() < $size {
                    return Ok(Step::Need($size - buf.len()));
                }
                let take: fn(&mut BytesMut) -> $packet = $take;
                Ok(Step::Packet(take(buf)))
            }
        }

        impl Writer for $name {
            type Packet = $packet;

            fn write(&mut self, packet: $packet, out: &mut Out) -> Result<(), BoxError> {
                out.extend_from_slice(&packet[..]);
                Ok(())
            }
        }
    };
}

protocol!(Numbers, SIZE, [u8; SIZE], |buf| {
    let mut packet = [0; SIZE];
    buf.copy_to_slice(&mut packet);
    packet
});

protocol!(Slices, SIZE, Bytes, |buf| buf.split_to(SIZE).freeze());
protocol!(Long, 1 << 20, Bytes, |buf| buf.split_to(1 << 20).freeze());
