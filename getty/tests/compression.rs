//! Compressed connections: what Go's getty wrote is read, what is written others read, and hostile input ends a session and no more.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{io::Read, io::Write, sync::Arc, time::Duration};

use bytes::Bytes;
use flate2::{FlushDecompress, Status};
use getty::{
    Chunks, ClientBuilder, Error, Limits, Server, Session, accept, on_message,
    transport::{Compressed, Compression, Io},
};
use support::{Events, Frames, Recorder, What, frame, read_to_end, until, vectors, within};
use tokio::{
    io::{AsyncWriteExt, DuplexStream, duplex},
    sync::mpsc::unbounded_channel,
};

const DEFLATE: Compression = Compression::Deflate(6);

// Between two of us.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_of_one_byte_to_a_megabyte_come_back_as_they_were_sent() {
    let levels = [0, 1, 6, 9, u32::MAX].map(Compression::Deflate);
    for by in levels.into_iter().chain([Compression::Snappy]) {
        let server = Server::bind("127.0.0.1:0").await.unwrap().compressed(by);
        let address = server.local_addr().unwrap().to_string();
        let echo = on_message(|session: &Session<Frames>, packet| {
            session.write(packet).unwrap();
        });
        let serving = tokio::spawn(server.serve(Frames, echo));
        let (answers, mut answered) = unbounded_channel();
        let client = ClientBuilder::new(
            Frames,
            on_message(move |_: &Session<Frames>, packet: Bytes| answers.send(packet).unwrap()),
        )
        .tcp_compressed(address, by);
        let session = client.session().await.unwrap();
        let mut sent = 0;
        for len in [1, 2, 100, 4_000, 8_191, 8_192, 65_531, 65_532, 65_536, 70_000, 1_000_000] {
            for body in [Bytes::from(vec![b'z'; len]), random(len)] {
                session.send(body.clone()).await.unwrap();
                sent += body.len() as u64 + 5;
                assert!(within(answered.recv()).await.unwrap() == body, "{by:?}: {len} bytes are others now");
            }
        }
        let (stats, wire) = (session.stats(), session.info().wire.clone().unwrap());
        assert_eq!((stats.written_bytes, stats.read_bytes), (sent, sent));
        // Half of it is one letter, the other half nothing makes smaller. Level 0 makes everything longer.
        let expected =
            if by == Compression::Deflate(0) { sent..sent + sent / 100 } else { sent / 2..sent * 6 / 10 };
        assert!(expected.contains(&wire.written_bytes()), "{by:?}: {} of {sent}", wire.written_bytes());
        assert!(expected.contains(&wire.read_bytes()), "{by:?}: {} of {sent}", wire.read_bytes());
        client.close().await;
        serving.abort();
    }
}

#[tokio::test]
async fn what_is_queued_when_a_session_closes_still_arrives_whole() {
    for by in [DEFLATE, Compression::Snappy] {
        let (mut peer, session, _events) = session(by, Limits::default());
        let body = random(50_000);
        session.write_bytes(body.clone()).unwrap();
        session.close();
        let wire = read_to_end(&mut peer).await;
        assert!(plain_of(by, &wire) == body);
    }
}

// Go's getty, and the libraries.

#[tokio::test]
async fn what_gos_getty_wrote_is_read_however_it_is_cut() {
    let one = [&[0, 0, 0, 11][..], b"hello getty"].concat();
    let three = [&[0, 0, 0, 64][..], &[b'z'; 64]].concat();
    let large = [&66_000_u32.to_be_bytes()[..], &[b'z'; 66_000]].concat();
    let all = [&one[..], &one, &three].concat();
    let behind = [&one[..], &large].concat();
    let zip = |name: &str| vectors(name, "client to server", "packet ").concat();
    let snappy = |what: &str| vectors("tcp-snappy", "client to server", what).concat();
    let streams = [
        (DEFLATE, zip("tcp-zip"), &all[..]),
        (DEFLATE, zip("tcp-none"), &all),
        (Compression::Snappy, snappy("client's Client.Close after packets 1, 2, 3"), &all),
        (Compression::Snappy, snappy("client's Client.Close after packet 1 alone"), &one),
        (Compression::Snappy, snappy("one packet of 66,000 bytes 'z' on an empty buffer"), &large),
        // The rest was never sent.
        (Compression::Snappy, snappy("one packet of 66,000 bytes 'z' behind"), &behind[..65_536]),
    ];
    for (by, wire, plain) in streams {
        for piece in [1, 2, 3, 7, 1_000, wire.len()] {
            let (read, end) = received(by, wire.chunks(piece)).await;
            assert!(read == plain, "{by:?} in pieces of {piece}: {} bytes of {}", read.len(), plain.len());
            assert!(end.is_none(), "{by:?}: a stream without a final block has ended well, not by {end:?}");
        }
    }
}

#[tokio::test]
async fn what_we_write_is_the_same_bytes_as_gos_getty_where_it_has_no_choice() {
    let one = [&[0, 0, 0, 11][..], b"hello getty"].concat();
    let large = [&66_000_u32.to_be_bytes()[..], &[b'z'; 66_000]].concat();
    let stored = vectors("tcp-none", "client to server", "packet ");
    let alone =
        vectors("tcp-snappy", "client to server", "client's Client.Close after packet 1 alone").concat();
    let chunks =
        vectors("tcp-snappy", "client to server", "one packet of 66,000 bytes 'z' on an empty").concat();
    // Too little to be worth compressing.
    assert_eq!(sent(Compression::Snappy, &[&one]).await, alone);
    // A stored block has one form, but may be cut anywhere: the first packet is in one.
    assert_eq!(plain_of(DEFLATE, &sent(Compression::Deflate(0), &[&one]).await), one);
    assert_eq!(plain_of(DEFLATE, &stored.concat()).len(), 15 + 15 + 68);
    // The same chunks, with the same checksums.
    let ours = sent(Compression::Snappy, &[&large]).await;
    assert_eq!(snappy_chunks(&ours), snappy_chunks(&chunks));
    // Each drain ends with a flush, and the window lives on: the second packet refers to the first.
    let ours = sent(DEFLATE, &[&one, &one]).await;
    let theirs = vectors("tcp-zip", "client to server", "packet ");
    assert!(ours.ends_with(&[0, 0, 0xff, 0xff]));
    assert!(ours.starts_with(&theirs[0]));
    assert!(ours.len() - theirs[0].len() <= theirs[1].len() + 1, "{ours:02x?}");
}

#[tokio::test]
async fn what_we_write_is_read_by_other_readers_at_every_flush() {
    for by in [DEFLATE, Compression::Deflate(0), Compression::Deflate(9), Compression::Snappy] {
        let packets = [random(3), Bytes::from(vec![7; 200_000]), random(70_000), Bytes::new(), random(1)];
        let (mut peer, session, _events) = session(by, Limits::default());
        let mut wire = Vec::new();
        let mut plain = Vec::new();
        for packet in packets {
            plain.extend_from_slice(&frame(&packet));
            session.write_bytes(frame(&packet).into()).unwrap();
            // What has come can be read whole, though more is to follow.
            while plain_of(by, &wire) != plain {
                let read = within(tokio::io::AsyncReadExt::read_buf(&mut peer, &mut wire)).await.unwrap();
                assert_ne!(read, 0);
            }
        }
        session.close();
    }
}

#[tokio::test]
async fn what_has_come_is_read_before_more_comes() {
    // The last of the sixteen references to the byte before goes beyond the 4 KiB that are made at a time.
    let zeros = vec![0; 1 + 16 * 258];
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&zeros).unwrap();
    encoder.flush().unwrap();
    let wire = encoder.get_ref();
    for cut in 0..=wire.len() {
        let (mut peer, session, _events) = session(DEFLATE, Limits::default());
        peer.write_all(&wire[..cut]).await.unwrap();
        let expected = plain_of(DEFLATE, &wire[..cut]).len() as u64;
        until(|| session.stats().read_bytes == expected).await;
    }
}

#[tokio::test]
async fn what_other_writers_write_is_read() {
    let plain = [random(100_000), Bytes::from(vec![0; 300_000]), Bytes::from_static(b"end")].concat();
    let mut snappy = snap::write::FrameEncoder::new(Vec::new());
    snappy.write_all(&plain).unwrap();
    let mut finished = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    finished.write_all(&plain).unwrap();
    for (by, wire) in
        [(Compression::Snappy, snappy.into_inner().unwrap()), (DEFLATE, finished.finish().unwrap())]
    {
        let (read, end) = received(by, wire.chunks(10_000)).await;
        assert!(read == plain && end.is_none(), "{by:?}: {} bytes, {end:?}", read.len());
    }
}

// Streams that are wrong.

#[tokio::test]
async fn a_stream_that_is_cut_is_an_error_and_one_that_ends_behind_a_flush_is_not() {
    let zip = vectors("tcp-zip", "client to server", "packet ");
    let snappy =
        vectors("tcp-snappy", "client to server", "client's Client.Close after packets 1, 2, 3").concat();
    let zip_ends: Vec<_> = (0..=3).map(|i| zip[..i].concat().len()).collect();
    for (by, wire, ends) in
        [(DEFLATE, zip.concat(), zip_ends), (Compression::Snappy, snappy.clone(), vec![0, 10, snappy.len()])]
    {
        for cut in 0..=wire.len() {
            let (_, end) = received(by, [&wire[..cut]].into_iter()).await;
            assert_eq!(end.is_none(), ends.contains(&cut), "{by:?} cut after {cut} bytes: {end:?}");
        }
    }
}

#[tokio::test]
async fn bytes_that_are_not_compressed_are_an_error() {
    let past = vectors("tcp-zip", "client to server", "WriteBytesArray").concat();
    for by in [DEFLATE, Compression::Snappy] {
        for garbage in [&past[..], b"GET / HTTP/1.1\r\n\r\n", &[0xff; 100], &[0x07; 3]] {
            let (read, end) = received(by, [garbage].into_iter()).await;
            let Some(end) = end else { panic!("{by:?}: {garbage:02x?} was read as {read:02x?}") };
            assert!(matches!(&*end, Error::Io(_)), "{end}");
        }
    }
}

#[tokio::test]
async fn random_bytes_always_end_a_session_once() {
    for by in [DEFLATE, Compression::Snappy] {
        for seed in 0..300 {
            let mut garbage = noise(seed, 400).to_vec();
            if by == Compression::Snappy && seed % 2 == 0 {
                garbage.splice(..0, *b"\xff\x06\0\0sNaPpY\0");
            }
            // That on_close comes, once and last, is seen to in there.
            received(by, [&garbage[..]].into_iter()).await;
        }
    }
}

#[tokio::test]
async fn bytes_behind_the_end_of_a_deflate_stream_are_an_error() {
    let mut finished = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    finished.write_all(b"packet").unwrap();
    let mut wire = finished.finish().unwrap();
    wire.push(0);
    let (read, end) = received(DEFLATE, [&wire[..]].into_iter()).await;
    assert_eq!(read, b"packet");
    assert!(end.unwrap().to_string().contains("follow the end"));
}

#[tokio::test]
async fn hostile_chunks_of_snappy_are_refused_and_those_to_be_skipped_are_skipped() {
    const ID: &[u8] = b"\xff\x06\0\0sNaPpY";
    let good =
        vectors("tcp-snappy", "client to server", "client's Client.Close after packet 1 alone").concat();
    let chunk = &good[ID.len()..];
    let mut bad_checksum = good.clone();
    bad_checksum[ID.len() + 4] ^= 1;
    // A block that says it is 65,537 bytes long.
    let swells = [ID, &[0, 8, 0, 0], &[0; 4], &[0x81, 0x80, 0x04, 0]].concat();
    let refused = [
        ("no identifier", chunk.to_vec(), "identifier"),
        ("another identifier", b"\xff\x06\0\0sNaPpy".to_vec(), "identifier"),
        ("a short identifier", b"\xff\x05\0\0sNaPp".to_vec(), "0xff"),
        ("a wrong checksum", bad_checksum, "checksum"),
        ("a reserved type", [ID, &[0x02, 4, 0, 0, 1, 2, 3, 4]].concat(), "0x02"),
        ("another reserved type", [ID, &[0x7f, 0, 0, 0]].concat(), "0x7f"),
        ("a plain chunk of 65,537 bytes", [ID, &[0x01, 5, 0, 1]].concat(), "65541"),
        ("a compressed chunk of 16 MiB", [ID, &[0x00, 0xff, 0xff, 0xff]].concat(), "16777215"),
        ("a chunk without a checksum", [ID, &[0x01, 3, 0, 0, 1, 2, 3]].concat(), "one of 3 came"),
        ("a block that swells", swells, "at most 65536 are allowed"),
        ("no block", [ID, &[0, 5, 0, 0], &[0; 4], &[0xff]].concat(), ""),
    ];
    for (what, wire, says) in refused {
        let (read, end) = received(Compression::Snappy, wire.chunks(5)).await;
        let end = end.unwrap_or_else(|| panic!("{what} was read as {} bytes", read.len())).to_string();
        assert!(read.is_empty() && end.contains(says), "{what}: {end}");
    }
    let padding = [&[0xfe, 0, 0, 1][..], &[0; 65_536]].concat();
    let skippable = [&[0x80, 0xff, 0xff, 0xff][..], &vec![9; 0xff_ffff]].concat();
    let wire = [ID, &padding, chunk, ID, &skippable, chunk].concat();
    let (read, end) = received(Compression::Snappy, wire.chunks(60_000)).await;
    assert_eq!((read, end.is_none()), (b"\0\0\0\x0bhello getty".repeat(2), true));
}

#[tokio::test]
async fn a_packet_behind_megabytes_that_say_nothing_still_arrives() {
    let zip = vectors("tcp-zip", "client to server", "packet ");
    let wire = [[0, 0, 0, 0xff, 0xff].repeat(1_000_000), zip[0].clone()].concat();
    // All of it is there, so nothing but the session itself makes it go on.
    let (mut peer, own) = duplex(wire.len());
    peer.write_all(&wire).await.unwrap();
    let (recorder, mut events) = Recorder::new();
    let _session =
        accept(Compressed::new(Io::new(own, "memory"), DEFLATE), Chunks, recorder, Limits::default());
    events.open().await;
    assert_eq!(events.message().await, b"\0\0\0\x0bhello getty"[..]);
}

/// A session over a pipe in memory, and the end of the pipe that carries the compressed bytes.
fn session(by: Compression, limits: Limits) -> (DuplexStream, Session<Chunks>, Events<Chunks>) {
    let (peer, own) = duplex(64 * 1024);
    let (recorder, events) = Recorder::new();
    (peer, accept(Compressed::new(Io::new(own, "memory"), by), Chunks, recorder, limits), events)
}

/// What a session reads of these pieces before it ends, and the error that it ends with. `on_error` comes right before `on_close`.
async fn received<'a>(
    by: Compression,
    wire: impl Iterator<Item = &'a [u8]>,
) -> (Vec<u8>, Option<Arc<Error>>) {
    let (mut peer, session, mut events) = session(by, Limits::default().close_wait(Duration::from_millis(1)));
    for piece in wire {
        if peer.write_all(piece).await.is_err() {
            break;
        }
        // So that the session meets the pieces one by one.
        tokio::task::yield_now().await;
    }
    drop(peer);
    drop(session);
    let mut read = Vec::new();
    let mut end = None;
    events.open().await;
    loop {
        match events.next().await.what {
            What::Message(bytes) if end.is_none() => read.extend_from_slice(&bytes),
            What::Error(error) if end.is_none() => end = Some(error),
            What::Close => break,
            other => panic!("{} came", other.name()),
        }
    }
    assert!(events.names_to_the_end().await.is_empty());
    (read, end)
}

/// What a session sends for packets that are written one after the other, each when the one before has left.
async fn sent(by: Compression, packets: &[&[u8]]) -> Vec<u8> {
    let (mut peer, session, _events) = session(by, Limits::default());
    let mut written = 0;
    for packet in packets {
        session.write_bytes(packet.to_vec().into()).unwrap();
        written += packet.len() as u64;
        until(|| session.taken() == written).await;
    }
    session.close();
    read_to_end(&mut peer).await
}

/// What another reader makes of what has come so far.
fn plain_of(by: Compression, wire: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    if by == Compression::Snappy {
        // It fails at the end of what has come if that is inside a chunk.
        let _ = snap::read::FrameDecoder::new(wire).read_to_end(&mut plain);
        return plain;
    }
    let mut stream = flate2::Decompress::new(false);
    loop {
        plain.reserve(64 * 1024);
        let rest = &wire[stream.total_in() as usize..];
        let before = stream.total_out();
        let status = stream.decompress_vec(rest, &mut plain, FlushDecompress::Sync).unwrap();
        if status == Status::StreamEnd || stream.total_out() == before {
            return plain;
        }
    }
}

/// Type and checksum of each chunk of data; the compressed bytes are the encoder's choice.
fn snappy_chunks(mut wire: &[u8]) -> Vec<(u8, [u8; 4])> {
    let mut chunks = Vec::new();
    while let [kind, a, b, c, rest @ ..] = wire {
        let (chunk, behind) = rest.split_at(u32::from_le_bytes([*a, *b, *c, 0]) as usize);
        chunks.push((*kind, chunk[..4].try_into().unwrap()));
        wire = behind;
    }
    chunks
}

/// Bytes that no compression makes smaller.
fn random(len: usize) -> Bytes {
    noise(len as u64, len)
}

fn noise(seed: u64, len: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..len).map(next).collect()
}
