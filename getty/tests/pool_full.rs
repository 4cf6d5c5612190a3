//! A pool without room, and a pool that ends: what is refused, who is woken, what is still handled, and what is freed.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use bytes::Bytes;
use getty::{Chunks, Error, EventListener, Full, Pool, Session, accept, on_message};
use support::{Frames, POOLS, Recorder, What, frame, read_frame, serve, serve_in_memory, until, within};
use tokio::{io::AsyncWriteExt, net::TcpStream, runtime, sync::RwLock, task::block_in_place};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_pool_may_refuse_and_every_packet_is_handled_or_refused() {
    const PACKETS: usize = 20_000;
    for pool in POOLS {
        let gate = Arc::new(RwLock::new(()));
        let shut = gate.clone().write_owned().await;
        let busy = Busy { gate, handled: AtomicUsize::default(), session: Mutex::default() };
        let busy = Arc::new(busy);
        let (address, _stop, _serving) = serve(Frames, pool, Full::Refuse, Arc::clone(&busy)).await;
        let mut peer = TcpStream::connect(address).await.unwrap();
        peer.write_all(&frame(b"x").repeat(PACKETS)).await.unwrap();
        // Though no handler returns, the session reads on and answers.
        assert_eq!(read_frame(&mut peer).await, b"busy");
        let read = || busy.session.lock().unwrap().as_ref().map_or(0, |s| s.stats().read_packets);
        until(|| read() == PACKETS as u64).await;
        let refused = busy.session.lock().unwrap().as_ref().unwrap().stats().refused_packets as usize;
        // Ten in each of three queues, and one with each of seven workers.
        assert!((PACKETS - 3 * 10 - 7..PACKETS).contains(&refused), "{pool:?}: {refused} refused");
        drop(shut);
        until(|| busy.handled.load(Ordering::SeqCst) == PACKETS - refused).await;
        peer.write_all(&frame(b"again")).await.unwrap();
        while read_frame(&mut peer).await != b"again" {}
    }
}

#[tokio::test]
async fn a_panic_in_key_or_in_on_refused_ends_its_session() {
    for (pool, what) in [
        (Pool::Keyed { queues: 1, depth: 1 }, "key"),
        (Pool::Fixed { queues: 1, workers: 1, depth: 1 }, "on_refused"),
    ] {
        let (recorder, mut events) = Recorder::new();
        let listener = Panicking(recorder);
        let (address, _stop, _serving) = serve(Frames, pool, Full::Refuse, listener).await;
        let mut peer = TcpStream::connect(address).await.unwrap();
        peer.write_all(&frame(b"x").repeat(100)).await.unwrap();
        let session = events.open().await;
        let error = loop {
            if let What::Error(error) = events.next().await.what {
                break error;
            }
        };
        assert!(matches!(&*error, Error::Panicked { what: panicked, .. } if *panicked == what), "{error}");
        assert!(events.close().await == session);
    }
}

#[tokio::test]
async fn sessions_that_wait_for_room_all_get_their_turn() {
    const SESSIONS: usize = 20;
    const PACKETS: usize = 100;
    for pool in [
        Pool::Fixed { queues: 1, workers: 1, depth: 1 },
        Pool::Keyed { queues: 1, depth: 1 },
        Pool::Elastic { min: 0, max: 1, idle: PATIENCE, depth: 1 },
    ] {
        let echo = on_message(|session: &Session<Frames>, packet| {
            session.write(packet).unwrap();
        });
        let (address, _stop, _serving) = serve(Frames, pool, Full::Wait, echo).await;
        let mut peers = Vec::new();
        for _ in 0..SESSIONS {
            let mut peer = TcpStream::connect(address).await.unwrap();
            peer.write_all(&frame(b"x").repeat(PACKETS)).await.unwrap();
            peers.push(peer);
        }
        for peer in &mut peers {
            for _ in 0..PACKETS {
                assert_eq!(read_frame(peer).await, b"x");
            }
        }
    }
}

/// The pool has one place, which the first session's packet has. Both others wait for it. The one that is woken when it is
/// free has been aborted just then.
#[tokio::test]
async fn a_session_that_ends_while_it_waits_for_room_leaves_its_turn_to_another() {
    for pool in [
        Pool::Fixed { queues: 1, workers: 1, depth: 1 },
        Pool::Keyed { queues: 1, depth: 1 },
        Pool::Elastic { min: 1, max: 1, idle: PATIENCE, depth: 1 },
    ] {
        let sessions = Arc::new(Mutex::new(Vec::<Session<Frames>>::new()));
        let (recorder, mut events) = Recorder::new();
        let recorder = {
            let (opened, known) = (Arc::clone(&sessions), Arc::clone(&sessions));
            recorder
                .on_open(move |session| {
                    opened.lock().unwrap().push(session.clone());
                    Ok(())
                })
                .on_message(move |_, packet| {
                    if packet == "first" {
                        known.lock().unwrap()[1].abort();
                    }
                })
        };
        let connector = serve_in_memory(Frames, pool, recorder);
        let mut peers = Vec::new();
        for _ in 0..3 {
            let connection = connector.connect().await.unwrap();
            peers.push(accept(connection, Chunks, on_message(|_, _| {}), Default::default()));
            events.open().await;
        }
        for (peer, packet) in peers.iter().zip(["first", "second", "third"]) {
            peer.write_bytes(frame(packet.as_bytes()).into()).unwrap();
        }
        assert_eq!(events.message().await, "first");
        let mut rest = Vec::new();
        while rest.len() < 2 {
            match events.next().await.what {
                What::Message(packet) => rest.push(packet),
                What::Close => rest.push(Bytes::from_static(b"closed")),
                other => panic!("{} came", other.name()),
            }
        }
        rest.sort();
        assert_eq!(rest, ["closed", "third"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_handles_every_packet_that_its_pool_has() {
    for pool in POOLS {
        let gate = Arc::new(RwLock::new(()));
        let shut = gate.clone().write_owned().await;
        let (recorder, mut events) = Recorder::new();
        let recorder = recorder.on_message(move |_: &Session<Frames>, _| {
            block_in_place(|| drop(gate.blocking_read()));
        });
        let (address, stop, serving) = serve(Frames, pool, Full::Wait, recorder).await;
        let mut peer = TcpStream::connect(address).await.unwrap();
        peer.write_all(&frame(b"x").repeat(10)).await.unwrap();
        let session = events.open().await;
        until(|| session.stats().read_packets == 10).await;
        stop.send(()).unwrap();
        until(|| !session.is_open()).await;
        drop((shut, session));
        within(serving).await.unwrap().unwrap();
        let names = events.names_to_the_end().await;
        let expected = [vec!["message"; 10], vec!["close"]].concat();
        assert_eq!(names, expected, "{pool:?}");
    }
}

#[test]
fn a_pool_whose_runtime_ends_with_packets_queued_is_freed() {
    // A worker does some thousand at the most before its thread sees that the runtime ends.
    const PACKETS: usize = 20_000;
    let depth = PACKETS;
    for pool in [
        Pool::Fixed { queues: 2, workers: 2, depth },
        Pool::Ordered { workers: 2, depth },
        Pool::Keyed { queues: 2, depth },
        Pool::Elastic { min: 0, max: 2, idle: PATIENCE, depth },
    ] {
        let (freed, is_freed) = mpsc::channel();
        let (begun, has_begun) = mpsc::channel();
        let (release, gate) = mpsc::channel::<()>();
        let handled = Arc::new(AtomicUsize::new(0));
        let listener = Blocking {
            gate: Mutex::new(gate),
            begun,
            handled: Arc::clone(&handled),
            _freed: TellsDrop(freed),
        };
        let runtime = runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
        let peer = runtime.block_on(async {
            let (address, stop, serving) = serve(Frames, pool, Full::Wait, listener).await;
            drop((stop, serving));
            let mut peer = TcpStream::connect(address).await.unwrap();
            peer.write_all(&frame(b"x").repeat(PACKETS)).await.unwrap();
            peer
        });
        // The first handlers stand still while the rest is queued, and until the runtime has been told to end.
        let session = has_begun.recv_timeout(PATIENCE).unwrap();
        while session.stats().read_packets < PACKETS as u64 {
            std::thread::yield_now();
        }
        drop(session);
        runtime.shutdown_background();
        drop(release);
        is_freed.recv_timeout(PATIENCE).expect("something still holds the listener");
        assert!(handled.load(Ordering::SeqCst) < PACKETS, "nothing was queued when the runtime ended");
        drop(peer);
    }
}

/// Handles packets while the gate is open, and says `busy` for those that are refused.
struct Busy {
    gate: Arc<RwLock<()>>,
    handled: AtomicUsize,
    session: Mutex<Option<Session<Frames>>>,
}

impl EventListener<Frames> for Busy {
    fn on_message(&self, session: &Session<Frames>, packet: Bytes) {
        block_in_place(|| drop(self.gate.blocking_read()));
        if packet == "again" {
            session.write(packet).unwrap();
        } else {
            self.handled.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn on_refused(&self, session: &Session<Frames>, _: Bytes) {
        self.session.lock().unwrap().get_or_insert_with(|| session.clone());
        // One is enough to see that it can be said.
        if session.stats().refused_packets == 1 {
            session.write(Bytes::from_static(b"busy")).unwrap();
        }
    }
}

/// Records as its part does, but panics in the callbacks of pools.
struct Panicking(Recorder<Frames>);

impl EventListener<Frames> for Panicking {
    fn on_open(&self, session: &Session<Frames>) -> Result<(), getty::BoxError> {
        EventListener::on_open(&self.0, session)
    }

    fn on_message(&self, _: &Session<Frames>, _: Bytes) {}

    fn key(&self, _: &Session<Frames>, _: &Bytes) -> u64 {
        panic!("on purpose")
    }

    fn on_refused(&self, _: &Session<Frames>, _: Bytes) {
        panic!("on purpose")
    }

    fn on_error(&self, session: &Session<Frames>, error: &Error) {
        EventListener::on_error(&self.0, session, error);
    }

    fn on_close(&self, session: &Session<Frames>) {
        EventListener::on_close(&self.0, session);
    }
}

/// Its handlers stand still until the sender of the gate is dropped.
struct Blocking {
    gate: Mutex<mpsc::Receiver<()>>,
    begun: mpsc::Sender<Session<Frames>>,
    handled: Arc<AtomicUsize>,
    _freed: TellsDrop,
}

impl EventListener<Frames> for Blocking {
    fn on_message(&self, session: &Session<Frames>, _: Bytes) {
        if self.handled.fetch_add(1, Ordering::SeqCst) == 0 {
            self.begun.send(session.clone()).unwrap();
        }
        block_in_place(|| self.gate.lock().unwrap().recv()).unwrap_err();
    }
}

struct TellsDrop(mpsc::Sender<()>);

impl Drop for TellsDrop {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}
