//! The pools: every packet is handled once, or dropped once where nobody can handle it; every place comes back; who waits for a
//! place gets one; and the workers end. A worker that does not, or a place that is lost, is a model in which all threads wait.

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Poll, Waker},
    time::Duration,
};

use loom::{future::block_on, thread};

use super::{Bench, check, check_with, wire::Wire};
use crate::{
    Full, Limits, Pool,
    pool::{Place, Reserved, Workers},
    sync::Handle,
};

const FIXED: Pool = Pool::Fixed { queues: 1, workers: 2, depth: 1 };
const ORDERED: Pool = Pool::Ordered { workers: 2, depth: 1 };
const KEYED: Pool = Pool::Keyed { queues: 1, depth: 1 };
const ELASTIC: Pool = Pool::Elastic { min: 0, max: 2, idle: Duration::MAX, depth: 1 };

/// Sessions with more packets than places.
pub fn fixed_handles_each_packet_once() {
    sessions(FIXED, &[1, 1], Handle::current);
}

/// As before.
pub fn ordered_handles_each_packet_once() {
    sessions(ORDERED, &[2], Handle::current);
}

/// As before.
pub fn keyed_handles_each_packet_once() {
    sessions(KEYED, &[2, 1], Handle::current);
}

/// As before.
pub fn elastic_handles_each_packet_once() {
    sessions(ELASTIC, &[1, 1], Handle::current);
}

/// The runtime, and all workers with it, end while sessions hand packets over.
pub fn fixed_keeps_no_packet_when_its_runtime_ends() {
    sessions(FIXED, &[1, 1], Handle::that_ends);
}

/// As before.
pub fn ordered_keeps_no_packet_when_its_runtime_ends() {
    sessions(ORDERED, &[2], Handle::that_ends);
}

/// As before.
pub fn keyed_keeps_no_packet_when_its_runtime_ends() {
    sessions(KEYED, &[2, 1], Handle::that_ends);
}

/// As before.
pub fn elastic_keeps_no_packet_when_its_runtime_ends() {
    sessions(ELASTIC, &[1, 1], Handle::that_ends);
}

/// Of two sessions that wait for the only place one gives up, perhaps when it was its turn: the other one gets it.
pub fn a_place_that_one_gives_up_goes_to_the_next() {
    check(|| {
        let workers = start(KEYED, &Handle::that_ends());
        let place = workers.reserve_by_key(1, 0, Waker::noop());
        assert!(place.is_some(), "the only place is free");
        let quitter = {
            let workers = Arc::clone(&workers);
            thread::spawn(move || {
                block_on(poll_fn(|cx| {
                    drop(workers.reserve_by_key(2, 0, cx.waker()));
                    Poll::Ready(())
                }));
                workers.give_up(2);
            })
        };
        let waiter = {
            let workers = Arc::clone(&workers);
            thread::spawn(move || drop(block_on(place_by_key(&workers, 3))))
        };
        drop(place);
        quitter.join().unwrap();
        waiter.join().unwrap();
        let place = workers.reserve_by_key(1, 0, Waker::noop());
        assert!(place.is_some(), "the place has come back");
        assert!(workers.reserve_by_key(1, 0, Waker::noop()).is_none(), "and there is only one");
    });
}

/// The session's end waits for a packet that a worker has, and does not miss its end.
pub fn the_peers_end_waits_for_the_packet_of_a_worker() {
    check(|| {
        let pool = Pool::Fixed { queues: 1, workers: 1, depth: 1 };
        let wire = Wire::that_expects(0).with_input(&[1]);
        let (bench, task) = Bench::with(wire, Limits::default(), pool, |session, packet| {
            let _ = session.write(packet);
        });
        block_on(task);
        assert_eq!(bench.wire.sent(), [1, 1], "the packet is answered, though the peer has finished");
        bench.assert_closed(1, 0);
    });
}

/// As before, beside `close`: the packet is handled before `on_close`, or it is not delivered at all.
pub fn close_waits_for_the_packet_of_a_worker() {
    check(|| {
        let pool = Pool::Fixed { queues: 1, workers: 1, depth: 1 };
        let wire = Wire::endless().with_input(&[1]);
        let (bench, task) = Bench::with(wire, Limits::default(), pool, |session, packet| {
            let _ = session.write(packet);
        });
        let closer = {
            let session = bench.session.clone();
            thread::spawn(move || session.close())
        };
        block_on(task);
        closer.join().unwrap();
        let messages = bench.calls.lock().unwrap().iter().filter(|call| **call == "handled").count();
        assert_eq!(bench.wire.sent(), [1, 1].repeat(messages), "each packet is answered");
        bench.assert_closed(messages, 0);
    });
}

/// Each session hands over so many packets; then the pool is dropped, whether or not they are handled. One preemption, as polls
/// without a reason, which loom adds, make many orders already.
fn sessions(pool: Pool, packets: &'static [u8], runtime: fn() -> Handle) {
    check_with(1, move || sessions_once(pool, packets, &runtime()));
}

fn sessions_once(pool: Pool, packets: &[u8], runtime: &Handle) {
    let fate = Arc::new(Fate::default());
    let workers = start(pool, runtime);
    let others: Vec<_> = (1..packets.len())
        .map(|session| {
            let (workers, fate, packets) = (Arc::clone(&workers), Arc::clone(&fate), packets[session]);
            thread::spawn(move || hand_over(&workers, &fate, session, packets))
        })
        .collect();
    hand_over(&workers, &fate, 0, packets[0]);
    others.into_iter().for_each(|other| other.join().unwrap());
    drop(workers);
    runtime.join();
    let (handled, dropped) = (fate.handled.lock().unwrap(), fate.dropped.load(Ordering::SeqCst));
    let all: usize = packets.iter().map(|packets| usize::from(*packets)).sum();
    assert_eq!(handled.len() + dropped, all, "{handled:?}");
    for packet in handled.iter() {
        let times = handled.iter().filter(|other| *other == packet).count();
        assert_eq!(times, 1, "{packet:?} was handled {times} times");
    }
    if !runtime.ends() {
        assert_eq!(dropped, 0, "a pool that is dropped handles what it has: {handled:?}");
    }
    if matches!(pool, Pool::Ordered { .. } | Pool::Keyed { .. }) {
        let of_first = handled.iter().filter(|(session, _)| *session == 0).map(|(_, number)| *number);
        assert!(of_first.is_sorted(), "{handled:?}");
    }
}

fn hand_over(workers: &Workers, fate: &Arc<Fate>, session: usize, packets: u8) {
    let id = session as u64;
    let line = workers.line();
    for number in 0..packets {
        let place = block_on(poll_fn(|cx| match workers.reserve(id, line.as_ref(), cx.waker()) {
            Reserved::Place(place) => Poll::Ready(Some(place)),
            Reserved::ByKey => Poll::Ready(None),
            Reserved::Full => Poll::Pending,
        }));
        let place = place.unwrap_or_else(|| block_on(place_by_key(workers, id)));
        let packet = Packet { id: (id, number), fate: Arc::clone(fate), handled: false };
        place.fill(move || packet.handle());
    }
}

fn start(pool: Pool, runtime: &Handle) -> Arc<Workers> {
    Arc::new(Workers::start(pool, Full::Wait, runtime).unwrap())
}

async fn place_by_key(workers: &Workers, session: u64) -> Place {
    poll_fn(|cx| match workers.reserve_by_key(session, session, cx.waker()) {
        Some(place) => Poll::Ready(place),
        None => Poll::Pending,
    })
    .await
}

/// What has become of packets: their sessions and numbers. Behind std's lock, as it is no part of what is modelled.
#[derive(Default)]
struct Fate {
    handled: Mutex<Vec<(u64, u8)>>,
    dropped: AtomicUsize,
}

/// Says whether it was handled, or dropped without that.
struct Packet {
    id: (u64, u8),
    fate: Arc<Fate>,
    handled: bool,
}

impl Packet {
    fn handle(mut self) {
        self.handled = true;
        self.fate.handled.lock().unwrap().push(self.id);
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        if !self.handled {
            self.fate.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}
