//! The peers of a UDP server: owns who there is, and who gets a place. Knows no socket's readiness and no task.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::UdpSocket,
    sync::{
        Notify,
        mpsc::{Permit, Sender},
    },
    time::Instant,
};

use super::{
    Udp, UdpCounts, Way,
    peer::{Peer, Queue},
};
use crate::transport::Gate;

/// How long a peer that has sent no packet keeps its place while others want one.
const PATIENCE: Duration = Duration::from_secs(1);

/// The peers that there are.
pub(super) struct Table {
    pub(super) socket: Arc<UdpSocket>,
    pub(super) idle: Duration,
    pub(super) answers: u32,
    pub(super) peers: Mutex<Peers>,
    pub(super) most: usize,
    pub(super) gate: Option<Gate>,
    pub(super) queue: usize,
    pub(super) counts: Arc<UdpCounts>,
    /// The listener was dropped.
    pub(super) unheard: AtomicBool,
    /// The listener was dropped, or a peer went.
    pub(super) gone: Notify,
}

#[derive(Default)]
pub(super) struct Peers {
    all: HashMap<SocketAddr, Arc<Queue>>,
    /// Those that had sent no packet when they came, the oldest first. They may have sent one, or have gone, since.
    strangers: VecDeque<(SocketAddr, Arc<Queue>)>,
}

impl Peers {
    fn add(&mut self, from: SocketAddr, queue: &Arc<Queue>) {
        self.all.insert(from, Arc::clone(queue));
        let Self { all, strangers } = self;
        if strangers.len() >= all.len().saturating_mul(2).saturating_add(16) {
            strangers.retain(|(address, queue)| is_stranger(all, address, queue));
        }
        strangers.push_back((from, Arc::clone(queue)));
    }

    /// Whether a place has become free.
    fn make_room(&mut self) -> bool {
        while let Some((address, queue)) = self.strangers.front() {
            let is_stranger = is_stranger(&self.all, address, queue);
            if is_stranger && queue.born() + PATIENCE > Instant::now() {
                return false;
            }
            if let Some((address, queue)) = self.strangers.pop_front()
                && is_stranger
            {
                self.all.remove(&address);
                queue.displace();
                return true;
            }
        }
        false
    }
}

fn is_stranger(all: &HashMap<SocketAddr, Arc<Queue>>, address: &SocketAddr, queue: &Queue) -> bool {
    !queue.is_proven() && all.get(address).is_some_and(|known| known.is(queue))
}

impl Table {
    /// A datagram has come.
    pub(super) fn take(self: &Arc<Self>, from: SocketAddr, datagram: &[u8], accept: &Sender<Udp>) {
        if datagram.is_empty() {
            // It holds no packet, and a session would take it for the end.
            return;
        }
        let mut peers = self.lock();
        if let Some(queue) = peers.all.get(&from).map(Arc::clone) {
            drop(peers);
            if !queue.push(datagram, self.queue) {
                self.counts.overflowed.fetch_add(1, Ordering::Relaxed);
            }
            return;
        }
        let Some(place) = self.place(&mut peers, from, accept) else {
            self.counts.refused.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let queue = Queue::new();
        queue.push(datagram, self.queue);
        peers.add(from, &queue);
        drop(peers);
        place.send(Udp::over(Way::Peer(Peer::new(Arc::clone(self), queue, from))));
    }

    /// A place for a new peer among those that wait to be accepted, if there is one for it here too.
    fn place<'a>(
        &self,
        peers: &mut Peers,
        from: SocketAddr,
        accept: &'a Sender<Udp>,
    ) -> Option<Permit<'a, Udp>> {
        let place = accept.try_reserve().ok()?;
        if self.gate.as_ref().is_some_and(|gate| !gate.admits(Some(from))) {
            return None;
        }
        if peers.all.len() >= self.most {
            if !peers.make_room() {
                return None;
            }
            self.counts.displaced.fetch_add(1, Ordering::Relaxed);
        }
        Some(place)
    }

    /// A datagram was not sent.
    pub(super) fn withheld(&self) {
        self.counts.withheld.fetch_add(1, Ordering::Relaxed);
    }

    /// Only if it is still this one: another session may have the address by now.
    pub(super) fn remove(&self, address: SocketAddr, queue: &Queue) {
        let mut peers = self.lock();
        if peers.all.get(&address).is_some_and(|known| known.is(queue)) {
            peers.all.remove(&address);
        }
        drop(peers);
        self.gone.notify_one();
    }

    pub(super) fn is_over(&self) -> bool {
        self.unheard.load(Ordering::Acquire) && self.lock().all.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Peers> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
