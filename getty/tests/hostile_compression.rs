//! Little that swells to much, on real sockets: it ends its session at the limit, and honest compressed sessions go on.

#![cfg(feature = "compression")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::io::Write;

use getty::{ClientBuilder, Error, Limits, Server, transport::Compression};
use support::{
    Frames, HEADER, Recorder, frame,
    hostile::{Honest, Target, connect},
    within,
};
use tokio::io::AsyncWriteExt;

const MIB: usize = 1024 * 1024;
const PEERS: usize = 10;

#[tokio::test]
async fn bombs_end_their_sessions_at_the_limit_and_honest_compressed_peers_go_on() {
    for by in [Compression::Deflate(6), Compression::Snappy] {
        let server = Server::bind("127.0.0.1:0").await.unwrap().compressed(by);
        let mut target = Target::of(server, Limits::default().max_packet(MIB));
        let (recorder, events) = Recorder::new();
        let client = ClientBuilder::new(Frames, recorder).tcp_compressed(target.addr.to_string(), by);
        let honest = Honest::over(client, events).await;
        // A packet as long as one may be, and then what is none; or a packet that is too long.
        for claim in [MIB - HEADER, 64 * MIB] {
            let header = compressed(by, &frame(&vec![0; claim])[..HEADER]);
            let bomb = [header, compressed(by, &vec![0; MIB]).repeat(64)].concat();
            println!("{by:?}: {} bytes that swell to {}", bomb.len(), 64 * MIB);
            let mut peers = connect(PEERS, target.addr).await;
            let sending: Vec<_> = peers
                .drain(..)
                .map(|mut peer| {
                    let bomb = bomb.clone();
                    tokio::spawn(async move {
                        // It is closed before it has sent all.
                        let _ = peer.write_all(&bomb).await;
                        peer
                    })
                })
                .collect();
            honest.goes_on().await;
            for _ in 0..PEERS {
                let (session, error) = target.next_end().await;
                match error.as_deref() {
                    Some(Error::TooLong { .. }) if claim > MIB => {}
                    Some(Error::Read(_)) if claim < MIB => {}
                    other => panic!("{other:?}"),
                }
                let read = session.stats().read_bytes;
                assert!(read <= MIB as u64 + 128 * 1024, "{read} bytes came out of the decompression");
            }
            for peer in sending {
                within(peer).await.unwrap();
            }
            honest.goes_on().await;
        }
    }
}

fn compressed(by: Compression, bytes: &[u8]) -> Vec<u8> {
    if by == Compression::Snappy {
        let mut encoder = snap::write::FrameEncoder::new(Vec::new());
        encoder.write_all(bytes).unwrap();
        return encoder.into_inner().unwrap();
    }
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.flush().unwrap();
    std::mem::take(encoder.get_mut())
}
