//! UDP: a session for each peer, one datagram for each packet, and addresses that anybody can forge.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    io::ErrorKind,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use getty::{
    Client, ClientBuilder, Error, EventListener, Limits, Lines, Protocol, Server, Session, WriteError,
    accept, on_message,
    transport::{Udp, UdpCounts, UdpListen},
};
use support::{Frames, Lengths, Recorder, What, frame, until, vectors, within};
use tokio::{
    net::UdpSocket,
    sync::{RwLock, mpsc::unbounded_channel, oneshot},
    task::{JoinHandle, block_in_place},
    time::sleep,
};

/// The longest packet of [`Frames`] in a datagram.
const LONGEST: usize = 65_507 - support::HEADER;

// Client and server.

#[tokio::test]
async fn packets_of_one_byte_to_a_whole_datagram_come_back_over_ipv4_and_ipv6() {
    for local in ["127.0.0.1:0", "[::1]:0"] {
        let Serving { address, .. } = serve(UdpListen::bind(local).await.unwrap(), Frames, echo());
        let (client, mut answered) = client(address);
        let session = client.session().await.unwrap();
        assert_eq!(session.info().transport, "udp");
        assert_eq!(session.peer(), Some(address));
        assert_eq!(session.info().local.unwrap().is_ipv6(), address.is_ipv6());
        for len in [1, 100, 1_400, 9_000, LONGEST] {
            let body = Bytes::from(vec![len as u8; len]);
            session.write(body.clone()).unwrap();
            assert!(within(answered.recv()).await.unwrap() == body, "{local}: {len} bytes");
        }
    }
}

#[tokio::test]
async fn what_gos_getty_sends_is_read_and_answered_alike_and_its_probe_is_dropped_and_counted() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_message(|session: &Session<Lengths>, packet| drop(session.write(packet)));
    let server = serve(UdpListen::bind("127.0.0.1:0").await.unwrap(), Lengths, recorder);
    let go = peer_of(server.address).await;
    let probe = vectors("udp", "client to server", "connect: probe");
    assert_eq!(probe, [b"connect-ping"]);
    for (datagram, answer) in [&probe[..], &vectors("udp", "client to server", "packet ")]
        .concat()
        .iter()
        .zip([vec![vec![]], vectors("udp", "server to client", "packet ")].concat())
    {
        go.send(datagram).await.unwrap();
        if !answer.is_empty() {
            assert_eq!(receive(&go).await, answer);
        }
    }
    let session = events.open().await;
    assert_eq!([events.message().await, events.message().await], ["hello getty", "hello getty"]);
    assert_eq!(events.message().await, [b'z'; 64][..]);
    assert_eq!((session.stats().dropped_messages, session.stats().read_packets), (1, 3));
    assert!(session.is_open());
}

#[tokio::test]
async fn each_peer_has_a_session_of_its_own() {
    let (recorder, mut events) = Recorder::new();
    let server = serve(UdpListen::bind("127.0.0.1:0").await.unwrap(), Frames, recorder);
    let mut sessions = Vec::new();
    for _ in 0..3 {
        let peer = peer_of(server.address).await;
        peer.send(&frame(b"first")).await.unwrap();
        let session = events.open().await;
        assert_eq!(session.peer(), Some(peer.local_addr().unwrap()));
        assert_eq!(events.message().await, "first");
        sessions.push((peer, session));
    }
    for (peer, session) in sessions.iter().rev() {
        peer.send(&frame(b"second")).await.unwrap();
        let event = events.next().await;
        assert!(event.session == *session && matches!(event.what, What::Message(_)));
        session.write(Bytes::from_static(b"answer")).unwrap();
        assert_eq!(receive(peer).await, frame(b"answer"));
    }
}

#[tokio::test]
async fn a_session_that_was_closed_makes_way_for_a_new_one_of_the_same_peer() {
    let (recorder, mut events) = Recorder::new();
    let server = serve(UdpListen::bind("127.0.0.1:0").await.unwrap().peers(1), Frames, recorder);
    let peer = peer_of(server.address).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        peer.send(&frame(b"x")).await.unwrap();
        let session = events.open().await;
        assert_eq!(events.message().await, "x");
        ids.push(session.id());
        session.close();
        assert!(events.close().await == session && session.error().is_none());
    }
    assert!(ids.is_sorted() && ids[0] != ids[1] && ids[1] != ids[2]);
    assert_eq!(server.counts.refused(), 0);
}

#[tokio::test]
async fn a_session_that_ends_while_its_peer_still_sends_makes_way_too() {
    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_message(|session: &Session<Frames>, _| session.close());
    let server = serve(UdpListen::bind("127.0.0.1:0").await.unwrap(), Frames, recorder);
    let peer = peer_of(server.address).await;
    for _ in 0..3 {
        // The second one waits when the session is closed, and has nobody to read it.
        peer.send(&frame(b"last")).await.unwrap();
        peer.send(&frame(b"late")).await.unwrap();
        let session = events.open().await;
        assert_eq!(events.message().await, "last");
        assert!(events.close().await == session);
    }
}

#[tokio::test]
async fn a_server_that_stops_closes_its_sessions_and_frees_its_address() {
    let (recorder, mut events) = Recorder::new();
    let server = serve(UdpListen::bind("127.0.0.1:0").await.unwrap(), Frames, recorder);
    let peer = peer_of(server.address).await;
    peer.send(&frame(b"x")).await.unwrap();
    events.open().await;
    assert_eq!(events.message().await, "x");
    server.stop.send(()).unwrap();
    within(server.serving).await.unwrap().unwrap();
    assert_eq!(events.names_to_the_end().await, ["close"]);
    until(|| std::net::UdpSocket::bind(server.address).is_ok()).await;
}

// Datagrams that are wrong.

#[tokio::test]
async fn a_datagram_that_is_no_packet_is_dropped_and_counted_and_the_next_one_is_read() {
    let (recorder, mut events) = Recorder::new();
    let listen = UdpListen::bind("127.0.0.1:0").await.unwrap();
    let server = serve_with(listen, Frames, recorder, Limits::default().max_packet(1_000));
    let peer = peer_of(server.address).await;
    let half = frame(b"half")[..7].to_vec();
    let wrong = [&b"garbage"[..], &half, &[0xc5], &frame(&[0; 996]), &[0xc5, 0xff, 0xff, 0xff, 0xff]];
    for datagram in wrong {
        peer.send(datagram).await.unwrap();
        peer.send(&frame(b"good")).await.unwrap();
    }
    // Behind a packet there may be nothing. An empty datagram is not even looked at.
    peer.send(&[&frame(b"front")[..], &half].concat()).await.unwrap();
    peer.send(&[]).await.unwrap();
    peer.send(&frame(&[7; 995])).await.unwrap();
    let session = events.open().await;
    for _ in wrong {
        assert_eq!(events.message().await, "good");
    }
    assert_eq!(events.message().await, "front");
    assert_eq!(events.message().await, [7; 995][..]);
    assert_eq!(session.stats().dropped_messages, wrong.len() as u64 + 1);
}

#[tokio::test]
async fn a_line_that_is_cut_off_does_not_spoil_the_next() {
    let (recorder, mut events) = Recorder::new();
    let server = serve(UdpListen::bind("127.0.0.1:0").await.unwrap(), Lines::default(), recorder);
    let peer = peer_of(server.address).await;
    for datagram in [&b"a long line without its end"[..], b"one\n", b"half", b"\xff\n", b"two\n"] {
        peer.send(datagram).await.unwrap();
    }
    let session = events.open().await;
    assert_eq!([events.message().await, events.message().await], ["one", "two"]);
    assert_eq!(session.stats().dropped_messages, 3);
}

#[tokio::test]
async fn a_packet_that_fits_into_no_datagram_is_an_error_of_its_writer() {
    let (one, other) = (peer().await, peer().await);
    one.connect(other.local_addr().unwrap()).await.unwrap();
    let session = accept(Udp::new(one).unwrap(), Frames, on_message(|_, _| {}), Limits::default());
    let refused = session.write(vec![0; LONGEST + 1].into());
    assert!(matches!(refused, Err(WriteError::TooLong { length: 65_508, limit: 65_507 })), "{refused:?}");
    let refused = session.write_bytes(vec![0; 1_000_000].into());
    assert!(matches!(refused, Err(WriteError::TooLong { length: 1_000_000, .. })), "{refused:?}");
    session.write(Bytes::from_static(b"short")).unwrap();
    assert_eq!(receive(&other).await, frame(b"short"));
    assert!(session.is_open());
}

#[tokio::test]
async fn a_socket_that_is_not_connected_is_no_connection() {
    assert_eq!(Udp::new(peer().await).unwrap_err().kind(), ErrorKind::NotConnected);
}

// Peers that are many, silent, too fast, or gone.

#[tokio::test]
async fn of_many_addresses_only_so_many_get_sessions_and_those_that_have_one_go_on() {
    const PEERS: usize = 8;
    let opened = Arc::new(AtomicUsize::new(0));
    let (recorder, mut events) = Recorder::new();
    let recorder = {
        let opened = Arc::clone(&opened);
        recorder
            .on_open(move |_| {
                opened.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
            .on_message(|session: &Session<Frames>, packet| drop(session.write(packet)))
    };
    let server = serve(UdpListen::bind("127.0.0.1:0").await.unwrap().peers(PEERS), Frames, recorder);
    let old = peer_of(server.address).await;
    old.send(&frame(b"old")).await.unwrap();
    assert_eq!(receive(&old).await, frame(b"old"));
    let mut flood = Vec::new();
    for i in 0..200_u64 {
        let forged = peer_of(server.address).await;
        forged.send(&frame(b"forged")).await.unwrap();
        flood.push(forged);
        // Each is either let in or refused, so none is still under way.
        until(|| opened.load(Ordering::SeqCst) as u64 + server.counts.refused() == i + 2).await;
    }
    assert_eq!(opened.load(Ordering::SeqCst), PEERS);
    old.send(&frame(b"old")).await.unwrap();
    assert_eq!(receive(&old).await, frame(b"old"));
    // A place that becomes free goes to the next who comes.
    let session = events.open().await;
    session.close();
    events.close().await;
    let new = peer_of(server.address).await;
    new.send(&frame(b"new")).await.unwrap();
    assert_eq!(receive(&new).await, frame(b"new"));
    assert_eq!(opened.load(Ordering::SeqCst), PEERS + 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_without_an_error_when_its_peer_has_been_silent_for_long() {
    let (recorder, mut events) = Recorder::new();
    let listen = UdpListen::bind("127.0.0.1:0").await.unwrap().idle(Duration::from_secs(10));
    let server = serve(listen, Frames, recorder);
    let peer = peer_of(server.address).await;
    peer.send(&frame(b"x")).await.unwrap();
    let session = events.open().await;
    for count in 1..=5 {
        until(|| session.stats().read_packets == count).await;
        sleep(Duration::from_secs(9)).await;
        assert!(session.is_open(), "it was silent for nine seconds, ten are allowed");
        peer.send(&frame(b"x")).await.unwrap();
    }
    until(|| session.stats().read_packets == 6).await;
    // What is sent to it is no sign of life.
    session.write(Bytes::from_static(b"are you there")).unwrap();
    sleep(Duration::from_millis(10_001)).await;
    assert!(!session.is_open());
    assert!(events.close().await == session && session.error().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_peer_that_sends_faster_than_its_session_takes_loses_datagrams_and_holds_up_no_other() {
    let gate = Arc::new(RwLock::new(()));
    let shut = gate.clone().write_owned().await;
    let handled = Arc::new(Mutex::new(Vec::new()));
    let listener = {
        let handled = Arc::clone(&handled);
        on_message(move |session: &Session<Frames>, packet: Bytes| {
            if packet == "slow" {
                block_in_place(|| drop(gate.blocking_read()));
            }
            handled.lock().unwrap().push(packet.clone());
            session.write(packet).unwrap();
        })
    };
    // Room for eleven packets of five bytes, with their headers and what each counts more.
    let server =
        serve(UdpListen::bind("127.0.0.1:0").await.unwrap().queue(11 * (10 + 64) + 73), Frames, listener);
    let fast = peer_of(server.address).await;
    fast.send(&frame(b"slow")).await.unwrap();
    let other = peer_of(server.address).await;
    for _ in 0..100 {
        for _ in 0..10 {
            fast.send(&frame(b"quick")).await.unwrap();
        }
        other.send(&frame(b"other")).await.unwrap();
        assert_eq!(receive(&other).await, frame(b"other"));
    }
    assert!(server.counts.overflowed() >= 500, "{:?}", server.counts);
    drop(shut);
    assert_eq!(receive(&fast).await, frame(b"slow"));
    for _ in 0..10 {
        assert_eq!(receive(&fast).await, frame(b"quick"));
    }
    fast.send(&frame(b"again")).await.unwrap();
    while receive(&fast).await != frame(b"again") {}
    let quick = handled.lock().unwrap().iter().filter(|packet| **packet == "quick").count();
    assert!(quick <= 12, "{quick} waited, there is room for eleven and the slow one");
}

#[tokio::test]
async fn peers_that_have_gone_end_neither_the_server_nor_the_sessions_of_others() {
    let (recorder, mut events) = Recorder::new();
    let server = serve(UdpListen::bind("127.0.0.1:0").await.unwrap(), Frames, recorder);
    let other = peer_of(server.address).await;
    for _ in 0..5 {
        let gone = peer_of(server.address).await;
        gone.send(&frame(b"x")).await.unwrap();
        let session = events.open().await;
        assert_eq!(events.message().await, "x");
        drop(gone);
        // The system says now that nobody is there; it is not known of whom it says so.
        for _ in 0..10 {
            let written = session.write(Bytes::from_static(b"lost")).unwrap();
            until(|| session.taken() == written.end).await;
        }
        assert!(session.is_open());
    }
    other.send(&frame(b"still here")).await.unwrap();
    let session = events.open().await;
    assert_eq!(events.message().await, "still here");
    session.write(Bytes::from_static(b"so am I")).unwrap();
    assert_eq!(receive(&other).await, frame(b"so am I"));
}

#[tokio::test]
async fn a_client_hears_that_nobody_listens_and_tries_again() {
    let nobody = peer().await.local_addr().unwrap();
    let (recorder, mut events) = Recorder::new();
    let client = ClientBuilder::new(Frames, recorder).udp(nobody.to_string());
    let session = client.session().await.unwrap();
    assert!(events.open().await == session);
    session.write(Bytes::from_static(b"is anybody there")).unwrap();
    let What::Error(error) = events.next().await.what else { panic!("on_error was expected") };
    assert!(matches!(&*error, Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused), "{error}");
    assert!(events.close().await == session);
    let bound = UdpSocket::bind(nobody).await.unwrap();
    let session = events.open().await;
    session.write(Bytes::from_static(b"and now")).unwrap();
    assert_eq!(receive(&bound).await, frame(b"and now"));
    client.close().await;
}

struct Serving {
    address: SocketAddr,
    counts: Arc<UdpCounts>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

fn serve<P: Protocol>(listen: UdpListen, protocol: P, listener: impl EventListener<P>) -> Serving {
    serve_with(listen, protocol, listener, Limits::default())
}

fn serve_with<P: Protocol>(
    listen: UdpListen,
    protocol: P,
    listener: impl EventListener<P>,
    limits: Limits,
) -> Serving {
    let counts = listen.counts();
    let server = Server::over(listen).limits(limits);
    let address = server.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async {
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let serving = tokio::spawn(server.serve_until(protocol, listener, stopped));
    Serving { address, counts, stop, serving }
}

fn echo() -> impl EventListener<Frames> {
    on_message(|session: &Session<Frames>, packet| {
        session.write(packet).unwrap();
    })
}

fn client(address: SocketAddr) -> (Client<Frames>, tokio::sync::mpsc::UnboundedReceiver<Bytes>) {
    let (answers, answered) = unbounded_channel();
    let listener = on_message(move |_: &Session<Frames>, packet| drop(answers.send(packet)));
    (ClientBuilder::new(Frames, listener).udp(address.to_string()), answered)
}

async fn peer() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.unwrap()
}

/// A peer that is no session.
async fn peer_of(server: SocketAddr) -> UdpSocket {
    let peer = peer().await;
    peer.connect(server).await.unwrap();
    peer
}

async fn receive(peer: &UdpSocket) -> Vec<u8> {
    let mut datagram = vec![0; 65_536];
    let len = within(peer.recv(&mut datagram)).await.unwrap();
    datagram.truncate(len);
    datagram
}
