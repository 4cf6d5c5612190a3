//! Peers that speak something else, on real sockets: no answer, no resynchronising, and honest peers go on.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use getty::{Error, Limits};
use support::{
    frame,
    hostile::{Honest, Target, connect},
    read_frames, read_to_end,
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// The first byte of a packet.
const MAGIC: u8 = 0xc5;

#[tokio::test]
async fn garbage_is_closed_at_its_first_byte_without_an_answer_and_honest_peers_go_on() {
    let mut target = Target::serve(Limits::default()).await;
    let honest = Honest::tcp(target.addr).await;
    let mut random = fastrand::Rng::with_seed(13);
    let mut garbage: Vec<Vec<u8>> = [
        &b"\0"[..],
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\xda\xbb\xc2\x00",
        b"telnet\r\n",
    ]
    .map(<[u8]>::to_vec)
    .into();
    for _ in 0..200 {
        let length = random.usize(1..20_000);
        let mut bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(length).collect();
        if bytes[0] == MAGIC {
            bytes[0] ^= 1;
        }
        // A good packet behind the bad byte is not looked for.
        bytes.extend(frame(b"good"));
        garbage.push(bytes);
    }
    for (at, bytes) in garbage.iter().enumerate() {
        if at % 20 == 0 {
            honest.goes_on().await;
        }
        let mut peer = TcpStream::connect(target.addr).await.unwrap();
        // It may be closed before all has left.
        let _ = peer.write_all(bytes).await;
        let (session, error) = target.next_end().await;
        assert!(matches!(error.as_deref(), Some(Error::Read(_))), "{error:?}");
        assert_eq!((session.stats().read_packets, session.taken()), (0, 0));
        assert_eq!(read_to_end(&mut peer).await, b"");
    }
    honest.goes_on().await;
}

#[tokio::test]
async fn a_good_packet_before_garbage_is_answered_and_nothing_behind_it() {
    let mut target = Target::serve(Limits::default()).await;
    let honest = Honest::tcp(target.addr).await;
    for mut peer in connect(20, target.addr).await {
        peer.write_all(&[&frame(b"good")[..], b"\0", &frame(b"late")].concat()).await.unwrap();
        honest.goes_on().await;
        let (session, error) = target.next_end().await;
        assert!(matches!(error.as_deref(), Some(Error::Read(_))), "{error:?}");
        assert_eq!(session.stats().read_packets, 1);
        assert_eq!(read_frames(&read_to_end(&mut peer).await), (vec![b"good".to_vec()], 0));
    }
    honest.goes_on().await;
}
