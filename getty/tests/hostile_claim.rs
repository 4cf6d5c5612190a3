//! Lengths that lie, on real sockets: a claim costs nothing until its bytes come.
//!
//! One test alone, because the counting allocator counts for the whole process.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use getty::{Error, Limits};
use support::{
    HEADER, frame,
    hostile::{Honest, Target, connect},
    read_to_end, until,
};
use tokio::io::AsyncWriteExt;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const PEERS: usize = 100;
/// A header that says: four gibibytes, less one byte, follow.
const CLAIM: [u8; HEADER] = [0xc5, 0xff, 0xff, 0xff, 0xff];

#[tokio::test]
async fn a_claim_of_4_gib_reserves_nothing_and_ends_its_session_at_the_header() {
    let mut target = Target::serve(Limits::default()).await;
    // It allocates for itself, so it must not do so while others are measured.
    drop(Honest::tcp(target.addr).await);
    target.next_end().await;
    let _profiler = dhat::Profiler::builder().testing().build();

    // Refused: what it costs more than a connection that sends a bad first byte, which is refused too.
    let bad_byte = bytes_for_peers(&mut target, b"\0").await;
    let claimed = bytes_for_peers(&mut target, &CLAIM).await;
    println!(
        "{claimed} bytes allocated for a claim and its connection, {bad_byte} for a bad first byte and its own"
    );
    assert!(
        claimed < bad_byte + 1_024,
        "{claimed} bytes for a claim, {bad_byte} for a connection without one"
    );
    drop(Honest::tcp(target.addr).await);
    target.next_end().await;

    // Allowed, and not kept: what is held grows with what has come.
    let mut peers = connect(PEERS, target.addr).await;
    until(|| target.live() == PEERS).await;
    let packet = frame(&vec![0; 8 * 1024 * 1024]);
    let sessions = target.sessions();
    let before = dhat::HeapStats::get().curr_bytes;
    let mut sent = 0;
    // A little is copied out of the buffer that it was read into; much stays in one that doubles when less than 64 KiB are free.
    for (come, most) in [(1_000, 1_000 + 4 * 1024), (200_000, 2 * (200_000 + 64 * 1024))] {
        for peer in &mut peers {
            peer.write_all(&packet[sent..come]).await.unwrap();
        }
        sent = come;
        until(|| {
            let read = sessions.iter().rev().take(PEERS).map(|session| session.stats().read_bytes);
            read.sum::<u64>() == (PEERS * come) as u64
        })
        .await;
        let held = dhat::HeapStats::get().curr_bytes.saturating_sub(before) / PEERS;
        println!("{held} bytes held for a packet of 8 MiB of which {come} have come");
        assert!(held <= most, "{held} bytes held of {come} that came");
    }
    let honest = Honest::tcp(target.addr).await;
    assert_eq!(target.live(), PEERS + 1);
    honest.goes_on().await;
}

/// Bytes that are allocated for a peer that sends this and is refused, at both ends.
async fn bytes_for_peers(target: &mut Target, sends: &[u8]) -> u64 {
    let before = dhat::HeapStats::get().total_bytes;
    for _ in 0..PEERS {
        let [mut peer] = <[_; 1]>::try_from(connect(1, target.addr).await).unwrap();
        peer.write_all(sends).await.unwrap();
        let (session, error) = target.next_end().await;
        match error.as_deref() {
            Some(Error::Read(_)) => assert_eq!(sends.len(), 1),
            Some(Error::TooLong { length, .. }) => assert_eq!(*length, HEADER + u32::MAX as usize),
            other => panic!("{other:?}"),
        }
        assert_eq!(session.stats().read_bytes, sends.len() as u64);
        assert_eq!(read_to_end(&mut peer).await, b"");
    }
    (dhat::HeapStats::get().total_bytes - before) / PEERS as u64
}
