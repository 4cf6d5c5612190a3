//! Who may come in: owns how many sessions a server has, in all and of each address, and counts whom it refused. Knows no socket
//! and no protocol.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::rarely::Rarely;
use crate::{Limits, observer::Observing};

/// What a server has accepted and refused so far. Of [`Server::counts`](crate::Server::counts).
#[derive(Debug, Default)]
pub struct ServerCounts {
    accepted: AtomicU64,
    refused: AtomicU64,
    refused_by_address: AtomicU64,
    turned_away: AtomicU64,
    failed: AtomicU64,
}

impl ServerCounts {
    /// Sessions that were opened.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Connections that were closed as they were accepted, because there were [`Limits::sessions`](field@Limits::sessions).
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Those that were closed because their address had [`Limits::sessions_per_address`](field@Limits::sessions_per_address).
    pub fn refused_by_address(&self) -> u64 {
        self.refused_by_address.load(Ordering::Relaxed)
    }

    /// Those that were closed because there had been no descriptor for them, nor for any other, for a second or more.
    pub fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Accepts that failed, because no descriptors were left or the peer had gone meanwhile.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    pub(super) fn count_failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }
}

/// Says whether a server has a place for one more session. A server gives it to what accepts for it
/// ([`Listen::gate`](crate::transport::Listen::gate)), so that nothing is done for peers that will be turned away. Clones are the same gate.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    sessions: usize,
    per_address: usize,
    live: Mutex<Live>,
    counts: Arc<ServerCounts>,
    observing: Observing,
}

#[derive(Default)]
struct Live {
    all: usize,
    of: HashMap<IpAddr, usize>,
    /// Nobody has a place, because there are no descriptors.
    shut: bool,
    told: Rarely,
}

impl Gate {
    pub(super) fn new(limits: &Limits, counts: Arc<ServerCounts>, observing: Observing) -> Self {
        let Limits { sessions, sessions_per_address: per_address, .. } = *limits;
        Self(Arc::new(Inner { sessions, per_address, live: Mutex::default(), counts, observing }))
    }

    /// Whether a connection of this peer may become a session now. A refusal is counted ([`ServerCounts`](crate::ServerCounts)), told
    /// to the observer, and told in the log once a second. `None` for a transport without addresses.
    pub fn admits(&self, peer: Option<SocketAddr>) -> bool {
        let Inner { sessions, per_address, counts, observing, .. } = &*self.0;
        let mut live = self.lock();
        if live.shut {
            drop(live);
            self.turned_away();
            return false;
        }
        let (count, limit, name) = if live.all >= *sessions {
            (&counts.refused, sessions, "sessions")
        } else if peer.is_some_and(|peer| live.of.get(&place_of(peer)).is_some_and(|of| of >= per_address)) {
            (&counts.refused_by_address, per_address, "sessions_per_address")
        } else {
            return true;
        };
        count.fetch_add(1, Ordering::Relaxed);
        let told = live.told.now();
        drop(live);
        observing.tell(|observer, endpoint| observer.refused(endpoint, name));
        if let Some(untold) = told {
            let peer = peer.map(|peer| peer.ip());
            tracing::warn!(
                ?peer,
                limit,
                untold,
                "no session left, closing what is accepted (Limits::{name})"
            );
        }
        false
    }

    /// Notes that somebody was turned away. It is the server who tells this in the log.
    pub(super) fn turned_away(&self) {
        let Inner { counts, observing, .. } = &*self.0;
        counts.turned_away.fetch_add(1, Ordering::Relaxed);
        observing.tell(|observer, endpoint| observer.refused(endpoint, "descriptors"));
    }

    /// Turns everybody away until it is said otherwise.
    pub(super) fn shut(&self, shut: bool) {
        self.lock().shut = shut;
    }

    pub(super) fn enter(&self, peer: Option<SocketAddr>) {
        self.0.counts.accepted.fetch_add(1, Ordering::Relaxed);
        let mut live = self.lock();
        live.all += 1;
        if let Some(peer) = peer {
            *live.of.entry(place_of(peer)).or_default() += 1;
        }
    }

    pub(super) fn leave(&self, peer: Option<SocketAddr>) {
        let mut live = self.lock();
        live.all = live.all.saturating_sub(1);
        if let Some(peer) = peer
            && let Entry::Occupied(mut of) = live.of.entry(place_of(peer))
        {
            *of.get_mut() -= 1;
            if *of.get() == 0 {
                of.remove();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Live> {
        self.0.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("sessions", &self.0.sessions)
            .field("per_address", &self.0.per_address)
            .finish_non_exhaustive()
    }
}

/// Addresses that one peer may have for nothing are one: those of an IPv6 network of 64 bits.
fn place_of(peer: SocketAddr) -> IpAddr {
    match peer.ip().to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EndpointKind;

    fn gate(per_address: usize) -> Gate {
        let limits = Limits::default().sessions(5).sessions_per_address(per_address);
        Gate::new(&limits, Arc::default(), Observing::new(EndpointKind::Server))
    }

    fn peer(address: &str) -> Option<SocketAddr> {
        Some(address.parse().unwrap())
    }

    #[test]
    fn an_address_is_refused_at_its_limit_and_let_in_again_when_a_session_has_left() {
        let gate = gate(2);
        for port in ["1.1.1.1:1", "1.1.1.1:2"] {
            assert!(gate.admits(peer(port)));
            gate.enter(peer(port));
        }
        assert!(!gate.admits(peer("1.1.1.1:3")));
        assert!(!gate.admits(peer("[::ffff:1.1.1.1]:3")), "the same address, written otherwise");
        assert!(gate.admits(peer("1.1.1.2:3")) && gate.admits(None));
        gate.leave(peer("1.1.1.1:1"));
        assert!(gate.admits(peer("1.1.1.1:3")));
        gate.leave(peer("1.1.1.1:2"));
        assert!(gate.lock().of.is_empty(), "nothing is kept of addresses that have gone");
        assert_eq!((gate.0.counts.refused_by_address(), gate.0.counts.refused()), (2, 0));
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_count_as_one() {
        let gate = gate(1);
        gate.enter(peer("[2001:db8:0:1::1]:1"));
        assert!(!gate.admits(peer("[2001:db8:0:1:ffff::2]:1")));
        assert!(gate.admits(peer("[2001:db8:0:2::1]:1")));
    }

    #[test]
    fn the_limit_of_all_sessions_holds_for_every_address_and_for_none() {
        let gate = gate(5);
        for _ in 0..5 {
            gate.enter(None);
        }
        assert!(!gate.admits(None) && !gate.admits(peer("1.1.1.1:1")));
        assert_eq!(gate.0.counts.refused(), 2);
    }
}
