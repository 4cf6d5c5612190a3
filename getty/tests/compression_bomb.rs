//! A megabyte that decompresses to a gigabyte costs a session no more memory than its limits allow.
//!
//! One test alone, because the counting allocator counts for the whole process.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::io::Write;

use getty::{
    Limits, Lines, accept,
    transport::{Compressed, Compression, Io},
};
use support::{Recorder, What, within};
use tokio::io::{AsyncWriteExt, duplex};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const MIB: usize = 1024 * 1024;
const LIMIT: usize = MIB;

#[tokio::test]
async fn a_gigabyte_in_a_megabyte_ends_its_session_at_the_limit_and_is_never_in_memory() {
    for by in [Compression::Deflate(6), Compression::Snappy] {
        let bomb = bomb(by);
        let profiler = dhat::Profiler::builder().testing().build();
        let (mut peer, own) = duplex(64 * 1024);
        let (recorder, mut events) = Recorder::new();
        let limits = Limits::default().max_packet(LIMIT);
        let session = accept(Compressed::new(Io::new(own, "memory"), by), Lines::default(), recorder, limits);
        let mut sent = 0;
        while sent < 1024 * MIB && peer.write_all(&bomb).await.is_ok() {
            sent += MIB;
        }
        within(async {
            while session.is_open() {
                tokio::task::yield_now().await
            }
        })
        .await;
        let peak = dhat::HeapStats::get().max_bytes;
        drop(profiler);
        assert!(session.stats().read_bytes <= (LIMIT + 128 * 1024) as u64, "{:?}", session.stats());
        // The buffer doubles as it grows; the compression has its window, and the pipe its 64 KiB.
        assert!(peak < 3 * LIMIT, "{by:?}: {peak} bytes at the most");
        assert_eq!(events.open().await, session);
        let What::Error(error) = events.next().await.what else { panic!("on_error was expected") };
        assert!(matches!(*error, getty::Error::TooLong { .. }), "{error}");
        assert_eq!(events.close().await, session);
    }
}

/// A mebibyte of zeros, compressed so that it may be repeated: it refers to zeros before it, or to itself alone.
fn bomb(by: Compression) -> Vec<u8> {
    let zeros = vec![0; MIB];
    if by == Compression::Snappy {
        let mut encoder = snap::write::FrameEncoder::new(Vec::new());
        encoder.write_all(&zeros).unwrap();
        return encoder.into_inner().unwrap();
    }
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&zeros).unwrap();
    encoder.flush().unwrap();
    std::mem::take(encoder.get_mut())
}
