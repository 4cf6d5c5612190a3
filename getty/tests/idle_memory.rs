//! A session at rest keeps no buffer, however large its packets were, and what sessions borrow for their work is bounded.
//!
//! One test alone, because the counting allocator counts for the whole process.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use getty::Server;
use support::{Frames, HEADER, Recorder, frame, within};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const SESSIONS: usize = 200;
const LENGTH: usize = 1024 * 1024;
/// What the process may keep for sessions to borrow, however many there are.
const STOCK: usize = 8 * 1024 * 1024;
/// What a session may have grown by, for good.
const MOST: usize = 1024;

#[tokio::test]
async fn a_session_at_rest_keeps_no_buffer_however_large_its_packets_were() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_message(|session, packet| {
        session.write(packet).unwrap();
    });
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    tokio::spawn(server.serve(Frames, recorder));
    let mut peers = Vec::new();
    for _ in 0..SESSIONS {
        peers.push(TcpStream::connect(address).await.unwrap());
        events.open().await;
    }
    let packet = frame(&vec![7; LENGTH]);
    let mut answer = vec![0; HEADER + LENGTH];
    let held = || dhat::HeapStats::get().curr_bytes;
    let before = held();
    for peer in &mut peers {
        let (mut input, mut output) = peer.split();
        let there = output.write_all(&packet);
        let back = input.read_exact(&mut answer);
        let (sent, received) = within(async { tokio::join!(there, back) }).await;
        sent.unwrap();
        received.unwrap();
        assert!(answer == packet);
        drop(events.message().await);
    }
    let kept = held().saturating_sub(before);
    println!("{kept} bytes are kept after {SESSIONS} packets of {LENGTH} bytes");
    assert!(kept <= STOCK + SESSIONS * MOST, "{kept} bytes are kept by sessions at rest");
}
