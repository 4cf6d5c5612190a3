//! No session starves another: what a quiet one waits for is counted in packets of the busy ones, not in time.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{sync::mpsc, thread, time::Duration};

use bytes::Bytes;
use getty::{Chunks, Flush, Limits, Out, Session, accept, transport::Io};
use support::{Frames, HEADER, Recorder, frame, over_memory, packets_before_a_quiet_one, read_to_end};
use tokio::{
    io::{AsyncWriteExt, duplex},
    runtime::Builder,
    time::sleep,
};

/// Length of a flooding packet in all.
const SIZE: usize = 1_024;
const FLOODS: usize = 4;
const HOUR: Duration = Duration::from_secs(3600);

// One thread: whatever runs keeps all others waiting.
#[tokio::test]
async fn a_packet_on_a_quiet_session_waits_for_a_few_turns_of_the_flooding_ones() {
    let packets = frame(&[0; SIZE - HEADER]).repeat(256);
    let longest = packets_before_a_quiet_one(FLOODS, packets).await;
    // Each flooding session has one turn before the runtime looks for input, and at most one more before the quiet session
    // is run. A turn ends with the read that reaches its limit, so it can be twice as long.
    let bound = FLOODS * 2 * (2 * Limits::default().turn / SIZE);
    assert!(longest <= bound, "{longest} packets of others were handled first, {bound} are fair");
    println!("{longest} of at most {bound}");
}

#[tokio::test]
async fn a_read_brings_one_chunk_at_most_also_into_a_buffer_that_others_made_larger() {
    for _ in 0..8 {
        // A session that writes much makes its buffer larger, and hands it back for others to use.
        let (recorder, mut events) = Recorder::new();
        let (mut peer, session) = over_memory(Chunks, recorder, Limits::default());
        events.open().await;
        let much = |out: &mut Out| {
            out.extend_from_slice(&[0; 200_000]);
            Ok(())
        };
        session.write_with(Flush::Auto, much).unwrap();
        session.close();
        assert_eq!(read_to_end(&mut peer).await.len(), 200_000);
        events.close().await;
    }
    let (recorder, mut events) = Recorder::new();
    let (mut peer, own) = duplex(1_000_000);
    peer.write_all(&[0; 1_000_000]).await.unwrap();
    accept(Io::new(own, "memory"), Chunks, recorder, Limits::default());
    events.open().await;
    let mut came = 0;
    while came < 1_000_000 {
        let length = events.message().await.len();
        assert!(length <= 64 * 1024, "{length} bytes in one read");
        came += length;
    }
}

#[test]
fn a_session_that_has_to_wait_does_not_spin() {
    // The clock of a paused runtime moves only when no task can run.
    let (done, finished) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let limits = Limits::default().close_wait(HOUR).stall(10 * HOUR);
            let (recorder, mut events) = Recorder::new();
            let large = Bytes::from(vec![0; 300_000]);
            let recorder = recorder.on_message(move |session: &Session<Frames>, _| {
                session.write(large.clone()).unwrap();
            });
            // Its peer reads nothing, so more than the high mark waits, and further packets wait to be decoded.
            let (mut peer, session) = over_memory(Frames, recorder, limits);
            events.open().await;
            peer.write_all(&frame(b"").repeat(100)).await.unwrap();
            sleep(HOUR).await;
            assert!(session.stats().queued_bytes > 0);
            let answered = events.drain().len();
            assert!((1..=3).contains(&answered), "{answered} packets were handled");
            // The same while it is closing.
            session.close();
            sleep(HOUR / 2).await;
            assert!(events.try_next().is_none());
            sleep(HOUR / 2).await;
            events.close().await;
        });
        done.send(()).unwrap();
    });
    finished.recv_timeout(Duration::from_secs(30)).expect("a task never rests");
}
