//! What an idle session costs a server: its task, its entry among the sessions, and what the runtime keeps for its socket.
//!
//! One test alone, because the counting allocator counts for the whole process.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::net::TcpStream;

use getty::Server;
use support::{Frames, echo, until};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// As many as fill the server's table, which grows by doubling.
const SESSIONS: usize = 448;
/// Bytes on the heap. What an allocator adds is not counted.
const MOST: usize = 1250;

#[tokio::test]
async fn an_idle_session_takes_at_most_1250_bytes() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let (address, counts) = (server.local_addr().unwrap(), server.counts());
    tokio::spawn(server.serve(Frames, echo()));
    let held = || dhat::HeapStats::get().curr_bytes;
    let mut peers = Vec::with_capacity(SESSIONS);
    let before = held();
    for accepted in 1..=SESSIONS as u64 {
        // A socket of the standard library, so that the peer's side takes nothing.
        peers.push(TcpStream::connect(address).unwrap());
        until(|| counts.accepted() == accepted).await;
    }
    let each = (held() - before) / SESSIONS;
    println!("{each} bytes for each of {SESSIONS} sessions");
    assert!(each <= MOST, "{each} bytes for each session");
}
