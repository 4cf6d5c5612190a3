//! A client's pool: what its sessions share of it, and that it lasts as long as the client.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use getty::{Client, ClientBuilder, EventListener, Full, Pool, Session};
use support::{Frames, POOLS, Recorder, read_frame, until, within};
use tokio::{
    io::{AsyncWriteExt, duplex},
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::{RwLock, mpsc},
    task::block_in_place,
    time::sleep,
};

const SECOND: Duration = Duration::from_secs(1);

/// A client with a pool, and the other ends of its sessions.
async fn pooled<const N: usize>(
    pool: Pool,
    full: Full,
    listener: impl EventListener<Frames>,
) -> (Client<Frames>, [TcpStream; N]) {
    let acceptor = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = ClientBuilder::new(Frames, listener)
        .connections(N)
        .pool(pool)
        .when_full(full)
        .tcp(acceptor.local_addr().unwrap().to_string());
    let connecting = tokio::spawn({
        let client = client.clone();
        async move { client.connect().await }
    });
    let mut peers = Vec::new();
    for _ in 0..N {
        peers.push(within(acceptor.accept()).await.unwrap().0);
    }
    within(connecting).await.unwrap().unwrap();
    (client, peers.try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_packets_of_a_client_are_handled_by_its_pool_in_the_order_that_the_pool_keeps() {
    const PACKETS: u32 = 5_000;
    for pool in POOLS {
        let seen: Arc<Mutex<BTreeMap<u64, Vec<u32>>>> = Arc::default();
        let (recorder, _events) = Recorder::new();
        let recorder = {
            let seen = Arc::clone(&seen);
            recorder.on_message(move |session: &Session<Frames>, packet| {
                let number = u32::from_be_bytes(packet[..].try_into().unwrap());
                seen.lock().unwrap().entry(session.id()).or_default().push(number);
            })
        };
        let (client, peers) = pooled::<2>(pool, Full::Wait, recorder).await;
        for mut peer in peers {
            tokio::spawn(async move {
                for number in 0..PACKETS {
                    peer.write_all(&support::frame(&number.to_be_bytes())).await.unwrap();
                }
                // Stays open.
                std::future::pending::<()>().await;
            });
        }
        let count = || seen.lock().unwrap().values().map(Vec::len).sum::<usize>();
        until(|| count() == 2 * PACKETS as usize).await;
        for numbers in seen.lock().unwrap().values() {
            let keeps_order = matches!(pool, Pool::Ordered { .. } | Pool::Keyed { .. });
            assert!(!keeps_order || numbers.is_sorted(), "{pool:?}");
            let mut sorted = numbers.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..PACKETS), "{pool:?}");
        }
        within(client.close()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slow_packet_of_one_session_holds_up_no_other_session_and_not_what_is_written() {
    for pool in [
        Pool::Ordered { workers: 2, depth: 4 },
        Pool::Fixed { queues: 1, workers: 2, depth: 4 },
        Pool::Elastic { min: 0, max: 2, idle: SECOND, depth: 4 },
    ] {
        let gate = Arc::new(RwLock::new(()));
        let shut = gate.clone().write_owned().await;
        let (recorder, _events) = Recorder::new();
        let recorder = recorder.on_message(move |session: &Session<Frames>, packet: Bytes| {
            if packet == "slow" {
                block_in_place(|| drop(gate.blocking_read()));
            }
            session.write(packet).unwrap();
        });
        let (client, [mut slow, mut quick]) = pooled(pool, Full::Wait, recorder).await;
        slow.write_all(&support::frame(b"slow")).await.unwrap();
        for _ in 0..20 {
            quick.write_all(&support::frame(b"quick")).await.unwrap();
            assert_eq!(read_frame(&mut quick).await, b"quick", "{pool:?}");
        }
        for session in client.sessions() {
            session.write(Bytes::from_static(b"written")).unwrap();
        }
        assert_eq!(read_frame(&mut slow).await, b"written");
        drop(shut);
        assert_eq!(read_frame(&mut slow).await, b"slow");
        within(client.close()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_pool_of_a_client_refuses_if_it_is_told_to() {
    const PACKETS: u64 = 1_000;
    for pool in POOLS {
        let gate = Arc::new(RwLock::new(()));
        let shut = gate.clone().write_owned().await;
        let refusing = Arc::new(Refusing { gate, handled: AtomicUsize::new(0) });
        let (client, [mut peer]) = pooled(pool, Full::Refuse, Arc::clone(&refusing)).await;
        let session = client.try_session().unwrap();
        peer.write_all(&support::frame(b"x").repeat(PACKETS as usize)).await.unwrap();
        // Though no handler returns, the session reads on.
        until(|| session.stats().read_packets == PACKETS).await;
        drop(shut);
        let refused = session.stats().refused_packets;
        assert!((1..PACKETS).contains(&refused), "{pool:?}: {refused} refused");
        until(|| refusing.handled.load(Ordering::SeqCst) as u64 == PACKETS - refused).await;
        within(client.close()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_waits_for_every_packet_that_the_pool_has_and_abort_too() {
    for pool in POOLS {
        for abort in [false, true] {
            let gate = Arc::new(RwLock::new(()));
            let shut = gate.clone().write_owned().await;
            let (recorder, mut events) = Recorder::new();
            let recorder = recorder.on_message(move |_: &Session<Frames>, _| {
                block_in_place(|| drop(gate.blocking_read()));
            });
            let (client, [mut peer]) = pooled(pool, Full::Wait, recorder).await;
            peer.write_all(&support::frame(b"x").repeat(8)).await.unwrap();
            let session = events.open().await;
            until(|| session.stats().read_packets == 8).await;
            let ending = tokio::spawn({
                let client = client.clone();
                async move { if abort { client.abort().await } else { client.close().await } }
            });
            until(|| !session.is_open()).await;
            drop(client);
            assert!(!ending.is_finished());
            drop((shut, session));
            within(ending).await.unwrap();
            let names = events.names_to_the_end().await;
            assert_eq!(names, [vec!["message"; 8], vec!["close"]].concat(), "{pool:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_pool_is_made_at_the_first_need_serves_all_sessions_to_come_and_ends_with_its_client() {
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let (sender, mut received) = mpsc::unbounded_channel();
    let listener = getty::on_message(move |_: &Session<Frames>, packet: Bytes| sender.send(packet).unwrap());
    let ends = Arc::new(Mutex::new(Vec::new()));
    let client = {
        let ends = Arc::clone(&ends);
        ClientBuilder::new(Frames, listener)
            .connections(2)
            .pool(Pool::Fixed { queues: 1, workers: 3, depth: 4 })
            .dial("memory", move || {
                let (own, theirs) = duplex(1024);
                ends.lock().unwrap().push(theirs);
                async { Ok(getty::transport::Io::new(own, "memory")) }
            })
    };
    assert_eq!(tasks(), 0);
    for _ in 0..5 {
        client.connect().await.unwrap();
        assert_eq!(tasks(), 2 + 3, "two sessions, and the same three workers");
        let own = std::mem::take(&mut *ends.lock().unwrap());
        for mut end in own {
            end.write_all(&support::frame(b"x")).await.unwrap();
            assert_eq!(within(received.recv()).await.unwrap(), "x");
            sleep(10 * SECOND).await;
        }
        sleep(SECOND).await;
    }
    client.close().await;
    until(|| tasks() == 0).await;
    assert!(within(received.recv()).await.is_none(), "the listener is gone");
}

#[tokio::test]
async fn packets_of_one_key_are_in_order_across_the_sessions_of_a_client() {
    // The listener's own key: what the packet is about, not which session brought it.
    let (sender, mut received) = mpsc::unbounded_channel();
    let (client, mut peers) =
        pooled::<3>(Pool::Keyed { queues: 4, depth: 8 }, Full::Wait, ByAccount(sender)).await;
    for number in 0..300_u32 {
        let peer = &mut peers[number as usize % 3];
        let packet = [&[(number % 7) as u8][..], &number.to_be_bytes()].concat();
        peer.write_all(&support::frame(&packet)).await.unwrap();
        // The sessions read one after the other, so the order in which the packets came is known.
        let read = || client.sessions().iter().map(|session| session.stats().read_packets).sum::<u64>();
        until(|| read() == u64::from(number) + 1).await;
    }
    let mut last = BTreeMap::new();
    for _ in 0..300 {
        let (account, number) = within(received.recv()).await.unwrap();
        assert!(last.insert(account, number).is_none_or(|before| before < number));
    }
}

/// Holds every packet until the gate is open, and drops those that are refused.
struct Refusing {
    gate: Arc<RwLock<()>>,
    handled: AtomicUsize,
}

impl EventListener<Frames> for Refusing {
    fn on_message(&self, _: &Session<Frames>, _: Bytes) {
        block_in_place(|| drop(self.gate.blocking_read()));
        self.handled.fetch_add(1, Ordering::SeqCst);
    }
}

/// Packets are an account and a number.
struct ByAccount(mpsc::UnboundedSender<(u8, u32)>);

impl EventListener<Frames> for ByAccount {
    fn on_message(&self, _: &Session<Frames>, packet: Bytes) {
        let number = u32::from_be_bytes(packet[1..].try_into().unwrap());
        self.0.send((packet[0], number)).unwrap();
    }

    fn key(&self, _: &Session<Frames>, packet: &Bytes) -> u64 {
        packet[0].into()
    }
}
