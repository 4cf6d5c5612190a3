//! What a session knows of itself: its endpoint, its values by type, its counters, and how long it has heard nothing.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use getty::{ClientBuilder, EndpointKind, Limits, Server, Session, transport::memory};
use support::{Frames, HEADER, Recorder, frame, over_memory, over_tcp, read_frame, until, within};
use tokio::{io::AsyncWriteExt, time::advance};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_session_knows_the_name_and_the_side_of_its_endpoint() {
    for (names, expected) in [(None, ["server", "client"]), (Some(["orders", "till"]), ["orders", "till"])] {
        let (connector, listen) = memory::listen();
        let (accepted, mut at_server) = Recorder::new();
        let (dialled, mut at_client) = Recorder::new();
        let mut server = Server::over(listen);
        let mut client = ClientBuilder::new(Frames, dialled);
        if let Some([of_server, of_client]) = names {
            server = server.name(of_server);
            client = client.name(of_client.to_owned());
        }
        tokio::spawn(server.serve(Frames, accepted));
        let client = client.dial("memory", move || {
            let connector = connector.clone();
            async move { connector.connect().await }
        });
        within(client.session()).await.unwrap();
        let (accepted, dialled) = (at_server.open().await, at_client.open().await);
        assert_eq!([accepted.name(), dialled.name()], expected);
        assert_eq!([accepted.kind(), dialled.kind()], [EndpointKind::Server, EndpointKind::Client]);
    }
}

#[tokio::test]
async fn both_addresses_of_a_tcp_session_are_known() {
    let (recorder, _events) = Recorder::new();
    let (peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
    assert_eq!(session.local(), Some(peer.peer_addr().unwrap()));
    assert_eq!(session.peer(), Some(peer.local_addr().unwrap()));
}

// Values by type.

#[tokio::test]
async fn a_session_keeps_one_value_of_each_type_until_it_is_removed() {
    let (recorder, _events) = Recorder::new();
    let (_peer, session) = over_memory(Frames, recorder, Limits::default());
    assert!(session.get::<u32>().is_none() && session.remove::<u32>().is_none());
    session.set(1_u32);
    session.set("user".to_owned());
    session.set(2_u32);
    assert_eq!(session.get::<u32>().as_deref(), Some(&2));
    assert_eq!(session.remove::<u32>().as_deref(), Some(&2));
    assert!(session.get::<u32>().is_none() && session.remove::<u32>().is_none());
    assert_eq!(session.get::<String>().as_deref().map(String::as_str), Some("user"));
}

#[tokio::test]
async fn a_value_that_looks_at_its_session_when_it_is_dropped_may_be_replaced_and_removed() {
    struct Looks(Session<Frames>, Arc<Mutex<Vec<bool>>>);
    impl Drop for Looks {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(self.0.get::<Self>().is_some());
        }
    }
    let (recorder, _events) = Recorder::new();
    let (_peer, session) = over_memory(Frames, recorder, Limits::default());
    let seen = Arc::<Mutex<Vec<bool>>>::default();
    session.set(Looks(session.clone(), Arc::clone(&seen)));
    session.set(Looks(session.clone(), Arc::clone(&seen)));
    drop(session.remove::<Looks>());
    assert_eq!(*seen.lock().unwrap(), [true, false]);
}

// Counters.

#[tokio::test]
async fn bytes_and_packets_are_counted_in_both_directions_at_both_ends() {
    const PACKETS: u64 = 100;
    const SIZE: u64 = 50;
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap().to_string();
    let (recorder, mut accepted) = Recorder::new();
    let recorder = recorder.on_message(|session: &Session<Frames>, packet| {
        // Two answers to each, by different ways of writing.
        session.write(packet.clone()).unwrap();
        session.write_bytes(frame(&packet).into()).unwrap();
    });
    tokio::spawn(server.serve(Frames, recorder));
    let (recorder, mut answers) = Recorder::new();
    let client = ClientBuilder::new(Frames, recorder).tcp(address);
    let session = within(client.session()).await.unwrap();
    answers.open().await;
    for _ in 0..PACKETS {
        session.send(vec![1; SIZE as usize].into()).await.unwrap();
    }
    for _ in 0..2 * PACKETS {
        answers.message().await;
    }
    let each = SIZE + HEADER as u64;
    let theirs = accepted.open().await;
    // An answer is seen before the writer has counted it.
    until(|| theirs.stats().written_bytes == 2 * PACKETS * each).await;
    let (own, theirs) = (session.stats(), theirs.stats());
    assert_eq!((own.written_packets, own.read_packets), (PACKETS, 2 * PACKETS));
    assert_eq!((own.written_bytes, own.read_bytes), (PACKETS * each, 2 * PACKETS * each));
    assert_eq!((theirs.written_packets, theirs.read_packets), (2 * PACKETS, PACKETS));
    assert_eq!((theirs.written_bytes, theirs.read_bytes), (2 * PACKETS * each, PACKETS * each));
    // Nothing is compressed.
    assert_eq!((own.wire_written_bytes, own.wire_read_bytes), (own.written_bytes, own.read_bytes));
}

#[tokio::test]
async fn a_packet_that_was_not_queued_is_not_counted() {
    let (recorder, mut events) = Recorder::new();
    let (_peer, session) = over_memory(Frames, recorder, Limits::default().out_high(10).out_hard(10));
    events.open().await;
    session.write(vec![0; 100_000].into()).unwrap();
    until(|| session.write(Bytes::new()).is_err()).await;
    let queued = session.stats().written_packets;
    assert!(session.write(Bytes::new()).is_err());
    assert_eq!(session.stats().written_packets, queued);
    session.abort();
    events.close().await;
    assert!(session.write(Bytes::new()).is_err());
    assert_eq!(session.stats().written_packets, queued);
}

#[cfg(feature = "compression")]
#[tokio::test]
async fn a_compressed_session_counts_what_it_moves_above_and_below() {
    use getty::{
        accept,
        transport::{Compressed, Compression, Transport},
    };
    use support::echo;

    let (own, theirs) = memory::pair();
    let by = Compression::default();
    accept(Compressed::new(theirs, by), Frames, echo(), Limits::default());
    let (recorder, mut events) = Recorder::new();
    let own = Compressed::new(own, by);
    let wire = own.info().wire.unwrap();
    let session = accept(own, Frames, recorder, Limits::default());
    events.open().await;
    session.write(vec![b'z'; 10_000].into()).unwrap();
    events.message().await;
    let stats = session.stats();
    assert_eq!((stats.written_bytes, stats.read_bytes), (10_005, 10_005));
    assert_eq!((stats.wire_written_bytes, stats.wire_read_bytes), (wire.written_bytes(), wire.read_bytes()));
    assert!((1..1_000).contains(&stats.wire_read_bytes), "{stats:?}");
}

// Silence.

#[tokio::test(start_paused = true)]
async fn idle_is_the_time_since_a_byte_came_whatever_is_written() {
    let (recorder, mut events) = Recorder::new();
    let (mut peer, session) = over_memory(Frames, recorder, Limits::default());
    events.open().await;
    advance(3 * SECOND).await;
    assert_eq!(session.idle(), 3 * SECOND);
    session.write(Bytes::new()).unwrap();
    assert_eq!(read_frame(&mut peer).await, b"");
    assert_eq!(session.idle(), 3 * SECOND);
    // A part of a packet is a sign of life.
    let read = session.stats().read_bytes;
    peer.write_all(&frame(b"packet")[..3]).await.unwrap();
    until(|| session.stats().read_bytes > read).await;
    assert_eq!(session.idle(), Duration::ZERO);
    advance(SECOND / 2).await;
    assert_eq!(session.idle(), SECOND / 2);
}
