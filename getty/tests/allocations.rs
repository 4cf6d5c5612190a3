//! In steady state a packet costs no allocation: neither in reading nor in writing, with one packet under way and with many,
//! nor does putting a timer off.
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
    BoxError, Client, ConnInfo, In, Limits, Opened, Out, OutOf, Protocol, Reader, Server, Session, Step,
    Writer, accept, on_message, transport::memory,
};
use support::within;
use tokio::sync::Notify;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const SIZE: usize = 600;
const WARM_UP: usize = 2_000;
const PACKETS: usize = 10_000;

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

/// Packets that are copied out of the buffer.
#[derive(Debug, Clone, Copy)]
struct Numbers;

/// Packets that are slices of the buffer.
#[derive(Debug, Clone, Copy)]
struct Slices;

macro_rules! protocol {
    ($name:ident, $packet:ty, $take:expr) => {
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
                if buf.len() < SIZE {
                    return Ok(Step::Need(SIZE - buf.len()));
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

protocol!(Numbers, [u8; SIZE], |buf| {
    let mut packet = [0; SIZE];
    buf.copy_to_slice(&mut packet);
    packet
});

protocol!(Slices, Bytes, |buf| buf.split_to(SIZE).freeze());
