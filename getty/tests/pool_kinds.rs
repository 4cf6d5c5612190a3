//! What each kind of pool promises: which packets keep their order, who is held up by whom, and how many workers there are.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use getty::{Chunks, EventListener, Full, Pool, Session, accept, on_message};
use support::{Frames, frame, read_frame, serve, serve_in_memory, until, within};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    runtime::Handle,
    sync::{RwLock, RwLockReadGuard},
    task::{JoinSet, block_in_place},
    time::{Instant, sleep},
};

const HOUR: Duration = Duration::from_secs(3600);

// Order.

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_a_fixed_pool_packets_overtake_each_other() {
    // Which worker is faster is the scheduler's choice; that none ever is cannot be.
    for _ in 0..50 {
        let orders = orders_of_answers(Pool::Fixed { queues: 4, workers: 8, depth: 64 }).await;
        if orders.iter().any(|order| !order.is_sorted()) {
            return;
        }
    }
    panic!("every packet was handled in its turn");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_an_ordered_pool_the_packets_of_a_session_keep_their_order() {
    for order in orders_of_answers(Pool::Ordered { workers: 8, depth: 64 }).await {
        assert!(order.is_sorted());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_a_keyed_pool_the_packets_of_a_session_keep_their_order_unless_the_listener_says_otherwise() {
    for order in orders_of_answers(Pool::Keyed { queues: 8, depth: 64 }).await {
        assert!(order.is_sorted());
    }
}

/// The order in which 5,000 packets of each of four sessions were handled.
async fn orders_of_answers(pool: Pool) -> Vec<Vec<u32>> {
    const PACKETS: u32 = 5_000;
    let echo = on_message(|session: &Session<Frames>, packet: Bytes| {
        // Some take longer than others.
        let rounds = if packet[3].is_multiple_of(8) { 2_000 } else { 0 };
        for round in 0..rounds {
            std::hint::black_box(round);
        }
        session.write(packet).unwrap();
    });
    let (address, _stop, _serving) = serve(Frames, pool, Full::Wait, echo).await;
    let mut sessions = JoinSet::new();
    for _ in 0..4 {
        let (mut input, mut output) = TcpStream::connect(address).await.unwrap().into_split();
        sessions.spawn(async move {
            let packets = (0..PACKETS).flat_map(|i| frame(&i.to_be_bytes())).collect::<Vec<u8>>();
            let sending = tokio::spawn(async move {
                output.write_all(&packets).await.unwrap();
                output
            });
            let mut order = Vec::new();
            for _ in 0..PACKETS {
                order.push(u32::from_be_bytes(read_frame(&mut input).await.try_into().unwrap()));
            }
            sending.await.unwrap();
            order
        });
    }
    let orders = within(sessions.join_all()).await;
    for order in &orders {
        let mut all = order.clone();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..PACKETS), "a packet was lost or came twice");
    }
    orders
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_an_ordered_pool_a_slow_session_holds_up_itself_and_no_other() {
    let gate = Gate::default();
    let shut = gate.0.clone().write_owned().await;
    let pool = Pool::Ordered { workers: 2, depth: 4 };
    let (address, _stop, _serving) = serve(Frames, pool, Full::Wait, Gated(gate)).await;
    let mut slow = connect(address, &["slow", "behind"]).await;
    for _ in 0..20 {
        let mut quick = connect(address, &["one", "two", "three", "four", "five"]).await;
        for expected in ["one", "two", "three", "four", "five"] {
            assert_eq!(read_frame(&mut quick).await, expected.as_bytes());
        }
    }
    drop(shut);
    assert_eq!([read_frame(&mut slow).await, read_frame(&mut slow).await], ["slow".as_bytes(), b"behind"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_a_keyed_pool_packets_of_a_key_wait_for_each_other_and_not_for_other_keys() {
    let gate = Gate::default();
    let shut = gate.0.clone().write_owned().await;
    let handled = Arc::new(Mutex::new(Vec::new()));
    let listener = ByFirstLetter { gate, handled: Arc::clone(&handled) };
    let pool = Pool::Keyed { queues: 64, depth: 64 };
    let (address, _stop, _serving) = serve(Frames, pool, Full::Wait, listener).await;
    // The two of the key `s` come over different connections.
    let mut first = connect(address, &["slow"]).await;
    until(|| handled.lock().unwrap().len() == 1).await;
    let letters: Vec<String> = ('A'..='Z').map(|letter| format!("{letter}1")).collect();
    let mut second = connect(address, &["second"]).await;
    let mut others = connect(address, &letters.iter().map(String::as_str).collect::<Vec<_>>()).await;
    // All others in the one queue of 64 would be a chance of one in 64 to the 26th.
    let answer = read_frame(&mut others).await;
    assert!(letters.iter().any(|letter| letter.as_bytes() == answer));
    assert!(!handled.lock().unwrap().contains(&Bytes::from_static(b"second")));
    drop(shut);
    assert_eq!(read_frame(&mut first).await, b"slow");
    assert_eq!(read_frame(&mut second).await, b"second");
    for _ in 1..letters.len() {
        read_frame(&mut others).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_a_keyed_pool_all_packets_of_a_key_keep_their_order() {
    let handled = Arc::new(Mutex::new(Vec::new()));
    let listener = ByFirstLetter { gate: Gate::default(), handled: Arc::clone(&handled) };
    let pool = Pool::Keyed { queues: 4, depth: 16 };
    let (address, _stop, _serving) = serve(Frames, pool, Full::Wait, listener).await;
    let packets: Vec<String> =
        (0..8_000).map(|i| format!("{}{i:06}", char::from(b'A' + (i % 13) as u8))).collect();
    let _peer = connect(address, &packets.iter().map(String::as_str).collect::<Vec<_>>()).await;
    until(|| handled.lock().unwrap().len() == packets.len()).await;
    let mut of_key = HashMap::<u8, Vec<Bytes>>::new();
    for packet in handled.lock().unwrap().iter() {
        of_key.entry(packet[0]).or_default().push(packet.clone());
    }
    assert_eq!(of_key.len(), 13);
    assert!(of_key.values().all(|packets| packets.is_sorted()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_a_fixed_pool_a_slow_packet_holds_up_nobody_while_a_worker_is_left() {
    let gate = Gate::default();
    let shut = gate.0.clone().write_owned().await;
    // Three of the four workers are busy, each with its own queue.
    let pool = Pool::Fixed { queues: 4, workers: 4, depth: 2 };
    let (address, _stop, _serving) = serve(Frames, pool, Full::Wait, Gated(gate)).await;
    let mut slow = connect(address, &["slow", "slow", "slow"]).await;
    let mut quick = connect(address, &["quick"; 1_000]).await;
    for _ in 0..1_000 {
        assert_eq!(read_frame(&mut quick).await, b"quick");
    }
    drop(shut);
    for _ in 0..3 {
        assert_eq!(read_frame(&mut slow).await, b"slow");
    }
}

// How many workers there are.

#[tokio::test(start_paused = true)]
async fn an_elastic_pool_grows_when_it_is_busy_and_shrinks_when_it_is_idle() {
    const IDLE: Duration = Duration::from_secs(10);
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let handled = Arc::new(AtomicUsize::new(0));
    let listener = {
        let handled = Arc::clone(&handled);
        on_message(move |_: &Session<Frames>, _| {
            handled.fetch_add(1, Ordering::SeqCst);
        })
    };
    let pool = Pool::Elastic { min: 1, max: 4, idle: IDLE, depth: 100 };
    let connector = serve_in_memory(Frames, pool, listener);
    let peer = accept(connector.connect().await.unwrap(), Chunks, on_message(|_, _| {}), Default::default());
    sleep(Duration::from_secs(1)).await;
    let at_rest = tasks();
    for round in 1..=3 {
        peer.write_bytes(frame(b"x").repeat(50).into()).unwrap();
        until(|| handled.load(Ordering::SeqCst) == 50 * round).await;
        assert_eq!(tasks(), at_rest + 3, "four workers instead of one");
        sleep(IDLE / 2).await;
        assert_eq!(tasks(), at_rest + 3, "none has been idle for long");
        sleep(IDLE).await;
        assert_eq!(tasks(), at_rest, "the one that stays");
    }
    // One packet at a time keeps one worker busy, and the others go.
    peer.write_bytes(frame(b"x").repeat(50).into()).unwrap();
    let began = Instant::now();
    while began.elapsed() < IDLE * 5 {
        peer.write_bytes(frame(b"x").into()).unwrap();
        sleep(IDLE / 20).await;
    }
    assert_eq!(tasks(), at_rest, "what one worker can do keeps others");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_elastic_pool_handles_as_many_packets_at_a_time_as_it_may_have_workers() {
    let gate = Gate::default();
    let shut = gate.0.clone().write_owned().await;
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let listener = {
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        on_message(move |session: &Session<Frames>, packet| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            drop(gate.pass());
            running.fetch_sub(1, Ordering::SeqCst);
            session.write(packet).unwrap();
        })
    };
    let pool = Pool::Elastic { min: 0, max: 3, idle: HOUR, depth: 10 };
    let (address, _stop, _serving) = serve(Frames, pool, Full::Wait, listener).await;
    let mut peer = connect(address, &["x"; 1_000]).await;
    until(|| running.load(Ordering::SeqCst) == 3).await;
    drop(shut);
    for _ in 0..1_000 {
        assert_eq!(read_frame(&mut peer).await, b"x");
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

/// A connection over which these packets have been sent. The answers fit into the socket's buffers.
async fn connect(address: SocketAddr, packets: &[&str]) -> TcpStream {
    let mut peer = TcpStream::connect(address).await.unwrap();
    let bytes: Vec<u8> = packets.iter().flat_map(|packet| frame(packet.as_bytes())).collect();
    peer.write_all(&bytes).await.unwrap();
    peer
}

/// Blocks a handler while the test has it shut.
#[derive(Default)]
struct Gate(Arc<RwLock<()>>);

impl Gate {
    fn pass(&self) -> RwLockReadGuard<'_, ()> {
        block_in_place(|| self.0.blocking_read())
    }
}

/// Answers with what it gets; for `slow` only when the gate is open.
struct Gated(Gate);

impl EventListener<Frames> for Gated {
    fn on_message(&self, session: &Session<Frames>, packet: Bytes) {
        if packet == "slow" {
            drop(self.0.pass());
        }
        session.write(packet).unwrap();
    }
}

/// The key is a packet's first letter. `slow` waits at the gate.
struct ByFirstLetter {
    gate: Gate,
    handled: Arc<Mutex<Vec<Bytes>>>,
}

impl EventListener<Frames> for ByFirstLetter {
    fn key(&self, _: &Session<Frames>, packet: &Bytes) -> u64 {
        packet[0].into()
    }

    fn on_message(&self, session: &Session<Frames>, packet: Bytes) {
        self.handled.lock().unwrap().push(packet.clone());
        if packet == "slow" {
            drop(self.gate.pass());
        }
        session.write(packet).unwrap();
    }
}
