//! Little that swells to much, on real sockets: it ends its session at the limit, and honest compressed sessions go on.

#![cfg(feature = "compression")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::io::Write;

use getty::{ClientBuilder, Error, Limits, Pool, Server, transport::Compression};
use support::{
    Frames, HEADER, Recorder, frame,
    hostile::{Honest, Target, connect},
    until, within,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpStream, tcp::OwnedWriteHalf},
};

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

#[tokio::test]
async fn a_long_packet_may_become_a_hundred_times_as_long_and_a_short_one_more() {
    const DEFLATE: Compression = Compression::Deflate(6);
    let server = Server::bind("127.0.0.1:0").await.unwrap().compressed(DEFLATE);
    let mut target = Target::of(server, Limits::default());
    let (recorder, events) = Recorder::new();
    let client = ClientBuilder::new(Frames, recorder).tcp_compressed(target.addr.to_string(), DEFLATE);
    let honest = Honest::over(client, events).await;

    // A thousand times as long, but short. There may be many of them, all in a few reads.
    let mut short = reading(&target).await;
    let one = frame(&vec![b'z'; MIB]);
    short.write_all(&compressed(DEFLATE, &one.repeat(5))).await.unwrap();
    until(|| has_read(&target, 1, 5)).await;
    honest.goes_on().await;

    // As long as a packet may be, and a little less than a hundred times as long as it came.
    let mut long = reading(&target).await;
    let mut random = fastrand::Rng::with_seed(24);
    let mut body = vec![b'z'; 8 * MIB];
    body[..120_000].fill_with(|| random.u8(..));
    let (dense, zeros) = (compressed(DEFLATE, &frame(&body)), compressed(DEFLATE, &frame(&vec![0; 8 * MIB])));
    assert!((50..100).contains(&(8 * MIB / dense.len())), "{} bytes", dense.len());
    long.write_all(&dense).await.unwrap();
    until(|| has_read(&target, 2, 1)).await;
    honest.goes_on().await;

    // A thousand times as long, and long.
    let mut bomb = reading(&target).await;
    println!("{} bytes that swell to {}", zeros.len(), 8 * MIB);
    bomb.write_all(&zeros).await.unwrap();
    let (session, error) = target.next_end().await;
    let Some(Error::Transport(error)) = error.as_deref() else { panic!("{error:?}") };
    assert!(error.to_string().contains("at most 100 times as many"), "{error}");
    assert!(session.stats().read_bytes <= 2 * MIB as u64, "{:?}", session.stats());
    honest.goes_on().await;

    // Where it is allowed, all of it comes.
    let server = Server::bind("127.0.0.1:0").await.unwrap().compressed(DEFLATE);
    let target = Target::of(server, Limits::default().compression_ratio(usize::MAX));
    let mut peer = reading(&target).await;
    peer.write_all(&zeros).await.unwrap();
    until(|| has_read(&target, 0, 1)).await;
}

#[tokio::test]
async fn short_packets_that_wait_for_places_in_a_pool_are_not_taken_for_a_long_one() {
    // Each packet takes the only place, so that all are decoded when the session has waited, and none when it has read.
    let pool = Pool::Ordered { workers: 1, depth: 1 };
    let server = Server::bind("127.0.0.1:0").await.unwrap().pool(pool).compressed(Compression::Deflate(6));
    let target = Target::of(server, Limits::default());
    let mut peer = reading(&target).await;
    // As many as fill more than two reads, so that each swells to 64 KiB, in which no packet is cut.
    let packets = compressed(Compression::Deflate(6), &frame(&[b'z'; 1024 - HEADER]).repeat(20_000));
    assert!((32 * 1024..20_000 * 1024 / 100).contains(&packets.len()), "{} bytes", packets.len());
    peer.write_all(&packets).await.unwrap();
    // Of the first few mebibytes.
    until(|| target.sessions().first().is_some_and(|session| session.stats().read_packets > 4_000)).await;
}

/// A peer that reads all answers, as else no more of it is read.
async fn reading(target: &Target) -> OwnedWriteHalf {
    let (mut input, output) = TcpStream::connect(target.addr).await.unwrap().into_split();
    tokio::spawn(async move { tokio::io::copy(&mut input, &mut tokio::io::sink()).await });
    output
}

/// Whether so many packets have come on the nth session.
fn has_read(target: &Target, nth: usize, packets: u64) -> bool {
    target.sessions().get(nth).is_some_and(|session| session.stats().read_packets == packets)
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
