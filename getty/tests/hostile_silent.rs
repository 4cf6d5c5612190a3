//! Peers that say nothing, or one byte at a time, on real sockets: they are closed in time, and honest ones go on.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::time::Duration;

use getty::{Error, Limits};
use support::{
    frame,
    hostile::{Honest, Target, connect},
    read_to_end, within,
};
use tokio::{
    io::AsyncWriteExt,
    time::{Instant, sleep},
};

const PEERS: usize = 200;
const LIMIT: Duration = Duration::from_secs(1);

#[tokio::test]
async fn peers_that_say_nothing_are_closed_at_the_limit_and_honest_ones_go_on() {
    let mut target = Target::serve(Limits::default().first_packet(LIMIT)).await;
    let honest = Honest::tcp(target.addr).await;
    let began = Instant::now();
    let silent = connect(PEERS, target.addr).await;
    honest.goes_on().await;
    for _ in 0..PEERS {
        let (session, error) = target.next_end().await;
        assert!(matches!(error.as_deref(), Some(Error::Silent { limit: LIMIT })), "{error:?}");
        assert_eq!(session.stats().read_bytes, 0);
        assert!(began.elapsed() >= LIMIT, "closed before its time");
    }
    for mut stream in silent {
        assert_eq!(read_to_end(&mut stream).await, b"");
    }
    honest.goes_on().await;
    assert_eq!(target.live(), 1);
}

#[tokio::test]
async fn a_header_or_a_body_that_comes_byte_by_byte_is_given_up_and_honest_peers_go_on() {
    // Honest ones send whole packets, so a busy machine does not make them slow.
    let limits = Limits::default().packet_wait(LIMIT).packet_rate(10_000);
    let mut target = Target::serve(limits).await;
    let honest = Honest::tcp(target.addr).await;
    let mut slow = Vec::new();
    for (peer, mut stream) in connect(PEERS, target.addr).await.into_iter().enumerate() {
        let packet = frame(&[7; 70_000]);
        // Half of them begin with the header, the others with that and a part of the body.
        let at_once = if peer % 2 == 0 { 1 } else { 1_000 };
        slow.push(tokio::spawn(async move {
            if stream.write_all(&packet[..at_once]).await.is_err() {
                return at_once;
            }
            for (sent, byte) in packet.iter().enumerate().skip(at_once) {
                sleep(Duration::from_millis(50)).await;
                if stream.write_all(&[*byte]).await.is_err() {
                    return sent;
                }
            }
            packet.len()
        }));
    }
    honest.goes_on().await;
    for _ in 0..PEERS {
        let (session, error) = target.next_end().await;
        let Some(Error::Slow { received, limit: LIMIT }) = error.as_deref() else { panic!("{error:?}") };
        assert_eq!(session.stats().read_bytes, *received as u64);
    }
    for peer in slow {
        let sent = within(peer).await.unwrap();
        assert!(sent < 2_000, "{sent} bytes were taken, one by one");
    }
    honest.goes_on().await;
}
