//! Codecs of `tokio_util` as protocols: what comes whole, what is bounded, and what the end of the input means.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use getty::{
    Client, Codec, Error, Full, Limits, Pool, Server, Session, WriteError, accept, on_message,
    transport::memory,
};
use support::{
    Recorder, What, message_pipes, open_over_memory, over_memory, over_tcp, read_to_end, serve, until, within,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::codec::{Decoder, Encoder, LengthDelimitedCodec, LinesCodec, LinesCodecError};

type Lengths = Codec<LengthDelimitedCodec, Bytes>;
type TextLines = Codec<LinesCodec, String>;

fn lengths() -> Lengths {
    Codec::new(LengthDelimitedCodec::new)
}

fn text_lines() -> TextLines {
    Codec::new(LinesCodec::new)
}

/// A frame of [`LengthDelimitedCodec`].
fn frame(body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
}

// Both directions.

#[tokio::test]
async fn what_a_codec_encodes_on_one_side_it_decodes_on_the_other() {
    let (connector, listen) = memory::listen();
    let echo = on_message(|session: &Session<Lengths>, frame: BytesMut| {
        session.write(frame.freeze()).unwrap();
    });
    tokio::spawn(Server::over(listen).serve(lengths(), echo));
    let (recorder, mut events) = Recorder::<Lengths>::new();
    let dial = move || {
        let connector = connector.clone();
        async move { connector.connect().await }
    };
    let client = Client::new(1, lengths(), recorder, dial);
    let session = within(client.session()).await.unwrap();
    events.open().await;
    let bodies: Vec<_> = [0, 1, 70_000, 1_000_000, 5].map(|length| Bytes::from(vec![7; length])).into();
    for body in &bodies {
        session.write(body.clone()).unwrap();
    }
    for body in &bodies {
        assert_eq!(events.message().await, body);
    }
}

#[tokio::test]
async fn frames_come_whole_however_they_are_cut() {
    let (mut peer, mut events) = open_over_memory(lengths(), Limits::default()).await;
    let bodies = [&b"hello"[..], b"", b"you"];
    for byte in bodies.map(frame).concat() {
        peer.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    peer.write_all(&bodies.map(frame).concat()).await.unwrap();
    for body in bodies.iter().chain(&bodies) {
        assert_eq!(events.message().await, body);
    }
}

#[tokio::test]
async fn what_one_session_has_decoded_of_a_frame_is_nothing_to_another() {
    let (listener, mut events) = Recorder::<Lengths>::new();
    let listener = Arc::new(listener);
    let (mut one, begun) = over_memory(lengths(), Arc::clone(&listener), Limits::default());
    events.open().await;
    one.write_all(&frame(b"begun")[..6]).await.unwrap();
    until(|| begun.stats().read_bytes == 6).await;
    let (mut other, _other) = over_memory(lengths(), listener, Limits::default());
    events.open().await;
    other.write_all(&frame(b"whole")).await.unwrap();
    assert_eq!(events.message().await, &b"whole"[..]);
    one.write_all(&frame(b"begun")[6..]).await.unwrap();
    assert_eq!(events.message().await, &b"begun"[..]);
}

#[tokio::test]
async fn a_packet_that_the_encoder_refuses_leaves_no_byte_and_the_session_lives_on() {
    let short = || LengthDelimitedCodec::builder().max_frame_length(5).new_codec();
    let (listener, mut events) = Recorder::<Lengths>::new();
    let (mut peer, session) = over_memory(Codec::new(short), listener, Limits::default());
    events.open().await;
    let refused = session.write(Bytes::from_static(b"too long")).unwrap_err();
    assert!(matches!(refused, WriteError::Encode(_)), "{refused}");
    session.write(Bytes::from_static(b"right")).unwrap();
    session.close();
    peer.shutdown().await.unwrap();
    assert_eq!(read_to_end(&mut peer).await, frame(b"right"));
}

#[tokio::test]
async fn an_error_of_the_decoder_ends_the_session_and_is_told() {
    let short = Codec::new(|| LinesCodec::new_with_max_length(5));
    let (mut peer, mut events) = open_over_memory::<TextLines>(short, Limits::default()).await;
    peer.write_all(b"right\ntoo long\n").await.unwrap();
    assert_eq!(events.message().await, "right");
    let Error::Read(error) = &*events.error().await else { panic!("not an error of the decoder") };
    assert!(matches!(error.downcast_ref(), Some(LinesCodecError::MaxLineLengthExceeded)), "{error}");
    assert_eq!(events.names_to_the_end().await, ["close"]);
}

#[tokio::test]
async fn over_messages_a_frame_that_was_begun_in_one_does_not_go_on_in_the_next() {
    let (peer, own) = message_pipes();
    let (recorder, mut events) = Recorder::new();
    accept(own, lengths(), recorder, Limits::default());
    events.open().await;
    peer.send(frame(b"begun")[..4].to_vec());
    peer.send(frame(b"begun")[..7].to_vec());
    peer.send(frame(b"whole"));
    assert_eq!(events.message().await, &b"whole"[..]);
}

// Bounds.

#[tokio::test]
async fn the_limit_of_packets_binds_a_codec_that_has_none() {
    let (mut peer, mut events) = open_over_memory(text_lines(), Limits::default().max_packet(100_000)).await;
    let sender = tokio::spawn(async move {
        // Ends when the session closes the pipe.
        while peer.write_all(&[b'x'; 10_000]).await.is_ok() {}
    });
    let error = events.error().await;
    assert!(matches!(*error, Error::TooLong { limit: 100_000, .. }), "{error}");
    sender.await.unwrap();
}

#[tokio::test]
async fn the_limit_of_packets_counts_what_a_decoder_has_taken_and_given_nothing_for() {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let hoarder = Codec::<_, Bytes>::new(move || Hoarder(Arc::clone(&count)));
    let (mut peer, mut events) = open_over_memory(hoarder, Limits::default().max_packet(100_000)).await;
    let sender = tokio::spawn(async move { while peer.write_all(&[0; 10_000]).await.is_ok() {} });
    let error = events.error().await;
    assert!(matches!(*error, Error::TooLong { limit: 100_000, .. }), "{error}");
    sender.await.unwrap();
    let seen = seen.load(Ordering::SeqCst);
    assert!(seen <= 100_000 + 64 * 1024, "{seen} bytes went into the decoder");
}

#[tokio::test]
async fn what_a_decoder_reserves_for_a_claimed_length_is_given_back() {
    let excess = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&excess);
    let watched = Codec::<_, Bytes>::new(move || Watched(LengthDelimitedCodec::new(), Arc::clone(&seen)));
    let (listener, mut events) = Recorder::new();
    let (mut peer, session) = over_memory(watched, listener, Limits::default());
    events.open().await;
    let body = vec![1; 8 * 1024 * 1024];
    let frame = frame(&body);
    for part in frame.chunks(50_000) {
        // Each part by itself, so that the session goes on to wait for the rest.
        let read = session.stats().read_bytes + part.len() as u64;
        peer.write_all(part).await.unwrap();
        until(|| session.stats().read_bytes == read).await;
    }
    assert_eq!(events.message().await, body);
    let excess = excess.load(Ordering::SeqCst);
    assert!(excess <= 256 * 1024, "{excess} bytes more than twice what had come");
}

// The end of the input.

#[tokio::test]
async fn a_last_line_without_a_line_end_is_delivered() {
    let (mut peer, mut events) = open_over_memory(text_lines(), Limits::default()).await;
    peer.write_all(b"first\nlast").await.unwrap();
    peer.shutdown().await.unwrap();
    assert_eq!(events.message().await, "first");
    assert_eq!(events.message().await, "last");
    assert_eq!(events.names_to_the_end().await, ["close"]);
}

#[tokio::test]
async fn the_end_after_a_header_that_the_decoder_has_taken_is_an_error() {
    let (mut peer, mut events) = open_over_memory(lengths(), Limits::default()).await;
    peer.write_all(&frame(b"hello")[..4]).await.unwrap();
    peer.shutdown().await.unwrap();
    let error = events.error().await;
    assert!(matches!(*error, Error::Truncated { pending: 4 }), "{error}");
    assert_eq!(events.names_to_the_end().await, ["close"]);
}

#[tokio::test]
async fn the_end_in_a_frame_is_an_error_in_the_words_of_the_decoder() {
    let (mut peer, mut events) = open_over_memory(lengths(), Limits::default()).await;
    peer.write_all(&frame(b"hello")[..6]).await.unwrap();
    peer.shutdown().await.unwrap();
    let error = events.error().await;
    assert!(error.to_string().contains("bytes remaining on stream"), "{error}");
    assert_eq!(events.names_to_the_end().await, ["close"]);
}

#[tokio::test]
async fn the_end_between_two_frames_is_no_error() {
    let (mut peer, mut events) = open_over_memory(lengths(), Limits::default()).await;
    peer.write_all(&frame(b"hello")).await.unwrap();
    peer.shutdown().await.unwrap();
    assert_eq!(events.names_to_the_end().await, ["message", "close"]);
}

#[tokio::test]
async fn last_packets_wait_for_a_place_in_the_pool_like_all_others() {
    for pool in [
        Pool::Fixed { queues: 1, workers: 1, depth: 1 },
        Pool::Ordered { workers: 1, depth: 1 },
        Pool::Keyed { queues: 1, depth: 1 },
    ] {
        let (recorder, mut events) = Recorder::new();
        let (address, _stop, _serving) =
            serve(Codec::<_, Bytes>::new(|| Words), pool, Full::Wait, recorder).await;
        let mut peer = TcpStream::connect(address).await.unwrap();
        events.open().await;
        peer.write_all(b"one two three four five").await.unwrap();
        peer.shutdown().await.unwrap();
        for word in ["one ", "two ", "three ", "four ", "five"] {
            assert_eq!(events.message().await, word, "{pool:?}");
        }
        assert!(matches!(events.next().await.what, What::Close), "{pool:?}");
    }
}

#[tokio::test]
async fn last_packets_wait_for_room_in_the_out_buffer_and_all_are_answered() {
    let echo = on_message(|session: &Session<Codec<Words, Bytes>>, word| {
        session.write(word).unwrap();
    });
    let (mut peer, _) = over_tcp(Codec::new(|| Words), echo, Limits::default().out_high(0)).await;
    peer.write_all(b"one two three four five").await.unwrap();
    peer.shutdown().await.unwrap();
    let mut answer = Vec::new();
    within(peer.read_to_end(&mut answer)).await.unwrap();
    assert_eq!(answer, b"one two three four five");
}

/// Takes all that comes, counts it and never gives anything.
struct Hoarder(Arc<AtomicUsize>);

impl Decoder for Hoarder {
    type Item = Bytes;
    type Error = io::Error;

    fn decode(&mut self, buf: &mut BytesMut) -> io::Result<Option<Bytes>> {
        self.0.fetch_add(buf.split().len(), Ordering::SeqCst);
        Ok(None)
    }
}

/// Notes how much larger than twice its content the buffer is that it gets.
struct Watched(LengthDelimitedCodec, Arc<AtomicUsize>);

impl Decoder for Watched {
    type Item = BytesMut;
    type Error = io::Error;

    fn decode(&mut self, buf: &mut BytesMut) -> io::Result<Option<BytesMut>> {
        self.1.fetch_max(buf.capacity().saturating_sub(2 * buf.len()), Ordering::SeqCst);
        self.0.decode(buf)
    }
}

/// Words, which are known only when the peer has finished.
struct Words;

impl Decoder for Words {
    type Item = Bytes;
    type Error = io::Error;

    fn decode(&mut self, _: &mut BytesMut) -> io::Result<Option<Bytes>> {
        Ok(None)
    }

    fn decode_eof(&mut self, buf: &mut BytesMut) -> io::Result<Option<Bytes>> {
        let space = buf.iter().position(|byte| *byte == b' ');
        let word = buf.split_to(space.map_or(buf.len(), |at| at + 1));
        Ok((!word.is_empty()).then(|| word.freeze()))
    }
}

macro_rules! writes_bytes {
    ($($codec:ty),*) => {$(
        impl Encoder<Bytes> for $codec {
            type Error = io::Error;

            fn encode(&mut self, bytes: Bytes, out: &mut BytesMut) -> io::Result<()> {
                out.extend_from_slice(&bytes);
                Ok(())
            }
        }
    )*};
}

writes_bytes!(Hoarder, Watched, Words);
