//! What is counted, by endpoint and transport, and the bound of how many of them are told apart.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use crate::{EndpointInfo, Observed, Stats};

/// Under this name is counted what is beyond the bound.
const OTHER: &str = "other";

pub(super) struct Sums {
    /// Pairs, and names, that are told apart.
    bound: usize,
    pub(super) pairs: BTreeMap<(Arc<str>, &'static str), Pair>,
    pub(super) endpoints: BTreeMap<Arc<str>, Endpoint>,
}

/// The sessions of an endpoint over one transport.
#[derive(Default)]
pub(super) struct Pair {
    pub(super) opened: u64,
    /// By reason.
    pub(super) closed: BTreeMap<&'static str, u64>,
    live: HashMap<u64, Observed>,
    /// Of those that have ended.
    ended: Stats,
}

/// What has no transport yet.
#[derive(Default)]
pub(super) struct Endpoint {
    pub(super) dials: u64,
    pub(super) failed_dials: u64,
    pub(super) dialling: Duration,
    /// By limit.
    pub(super) refused: BTreeMap<&'static str, u64>,
    pub(super) failed_handshakes: u64,
    pub(super) failed_accepts: u64,
}

impl Sums {
    pub(super) fn new(bound: usize) -> Self {
        Self { bound, pairs: BTreeMap::new(), endpoints: BTreeMap::new() }
    }

    pub(super) fn opened(&mut self, session: &Observed) {
        let pair = self.pair(session);
        pair.opened += 1;
        pair.live.insert(session.id(), session.clone());
    }

    pub(super) fn closed(&mut self, session: &Observed, reason: &'static str) {
        let pair = self.pair(session);
        if pair.live.remove(&session.id()).is_some() {
            *pair.closed.entry(reason).or_default() += 1;
            add(&mut pair.ended, &session.stats());
        }
    }

    pub(super) fn refused(&mut self, endpoint: &EndpointInfo, limit: &'static str) {
        *self.endpoint(endpoint).refused.entry(limit).or_default() += 1;
    }

    pub(super) fn endpoint(&mut self, endpoint: &EndpointInfo) -> &mut Endpoint {
        let mut name = &endpoint.name;
        let other = OTHER.into();
        if self.endpoints.len() >= self.bound && !self.endpoints.contains_key(name) {
            name = &other;
        }
        self.endpoints.entry(Arc::clone(name)).or_default()
    }

    /// A session has the same one at its end, as pairs never go.
    fn pair(&mut self, session: &Observed) -> &mut Pair {
        let mut pair = (Arc::clone(&session.endpoint().name), session.info().transport);
        if self.pairs.len() >= self.bound && !self.pairs.contains_key(&pair) {
            pair = (OTHER.into(), OTHER);
        }
        self.pairs.entry(pair).or_default()
    }
}

impl Pair {
    pub(super) fn live(&self) -> usize {
        self.live.len()
    }

    /// Of all sessions, those that live and those that have ended.
    pub(super) fn total(&self) -> Stats {
        self.live.values().fold(self.ended, |mut sum, session| {
            add(&mut sum, &session.stats());
            sum
        })
    }
}

fn add(sum: &mut Stats, stats: &Stats) {
    let Stats {
        read_bytes,
        read_packets,
        refused_packets,
        dropped_messages,
        written_bytes,
        written_packets,
        queued_bytes,
        wire_read_bytes,
        wire_written_bytes,
    } = stats;
    sum.read_bytes += read_bytes;
    sum.read_packets += read_packets;
    sum.refused_packets += refused_packets;
    sum.dropped_messages += dropped_messages;
    sum.written_bytes += written_bytes;
    sum.written_packets += written_packets;
    sum.queued_bytes += queued_bytes;
    sum.wire_read_bytes += wire_read_bytes;
    sum.wire_written_bytes += wire_written_bytes;
}
