//! What a sleeping session waits for in vain: a first packet, the rest of one, or a peer that takes what was written. It is asked
//! when the task goes to sleep; the wheel wakes it where nothing else does.
//!
//! ```text
//!   output waits, and the peer takes none --> Limits::stall
//!   a packet has begun ---------------------> Limits::packet_wait, packet_rate
//!   nothing came, and nothing was written --> Limits::first_packet
//!   else -----------------------------------> no deadline: an idle session has none
//! ```
//!
//! What a session holds meanwhile is counted, so that all those that wait together hold no more than [`Limits::held`](field@crate::Limits::held).
//!
//! A deadline costs one entry in the wheel, however often the session makes progress: an entry that comes early puts itself off.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    task::Poll,
    time::Duration,
};

use super::{Driver, Ending};
use crate::{Attempt, Error, Protocol, Reader, sync::atomic::Ordering, transport::Connection};

/// For what, and since when. Small, as every session has one.
#[derive(Default)]
pub(super) struct Watch {
    why: Why,
    /// What changes when the peer makes progress. Truncated: it is only compared with the one before.
    mark: u32,
    /// The tick of the wheel since which it has not, truncated too.
    since: u32,
    /// The wheel has an entry for it.
    armed: bool,
    /// The entry has come.
    pub(super) come: bool,
}

/// What a session may hold without being counted, so that those of small packets have nothing to fear from others.
const FREE: usize = 64 * 1024;

#[derive(Default, Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    #[default]
    Nothing,
    FirstPacket,
    WholePacket,
    Output,
}

impl<P: Protocol, C: Connection> Driver<P, C> {
    /// Called when the task goes to sleep; `stuck`: the connection takes no more of what waits. Ready when the peer has kept this
    /// side waiting for too long.
    pub(super) fn rest(&mut self, stuck: bool) -> Poll<Ending> {
        if let Err(error) = self.hold(stuck) {
            return Poll::Ready(Ending::broken(error));
        }
        let come = std::mem::take(&mut self.watch.come);
        self.watch.armed &= !come;
        let (why, mark) = self.waits_for(stuck);
        let same_kind = why == self.watch.why;
        let same = same_kind && mark == self.watch.mark;
        if why == Why::Nothing || (same && !come) {
            self.watch.why = why;
            return Poll::Pending;
        }
        let shared = &self.session.0;
        let wheel = &shared.endpoint.wheel;
        let now = wheel.now() as u32;
        if !same {
            self.watch = Watch { why, mark, since: now, ..self.watch };
        }
        let (allowed, extra) = self.allowed(why);
        let base = wheel.ticks(allowed);
        let waited = u64::from(now.wrapping_sub(self.watch.since));
        let left = base.saturating_add(extra.map_or(0, |extra| wheel.ticks(extra))).saturating_sub(waited);
        if left == 0 {
            return Poll::Ready(Ending::broken(self.in_vain(why)));
        }
        // Further away than ticks are counted: never.
        if left <= u64::from(u32::MAX) && (!self.watch.armed || !same_kind) {
            // Never later than the next packet of the same kind could be due.
            shared.watch_in(left.min(base));
            self.watch.armed = true;
        }
        Poll::Pending
    }

    /// Tells the endpoint what this session holds.
    fn hold(&mut self, stuck: bool) -> Result<(), Error> {
        let input = self.rest.capacity().saturating_add(self.conn.pending());
        let output = if stuck { self.session.0.queued() } else { 0 };
        let holds = input.saturating_add(output);
        let (before, now) = (self.held, if holds > FREE { holds } else { 0 });
        if now == before {
            return Ok(());
        }
        let endpoint = &self.session.0.endpoint;
        let all = endpoint.hold(before, now);
        self.held = now;
        let limit = endpoint.limits.held;
        if now > before && all > limit { Err(Error::Overloaded { holds, limit }) } else { Ok(()) }
    }

    /// The session is over.
    pub(super) fn let_go(&mut self) {
        let before = std::mem::take(&mut self.held);
        if before > 0 {
            self.session.0.endpoint.hold(before, 0);
        }
    }

    /// What, and a number that changes with progress.
    fn waits_for(&self, stuck: bool) -> (Why, u32) {
        let shared = &*self.session.0;
        if stuck {
            return (Why::Output, shared.taken.load(Ordering::Relaxed) as u32);
        }
        if self.choked || self.starved || self.busy {
            // It is this side that does not read.
            return (Why::Nothing, 0);
        }
        let packets = shared.read_packets.load(Ordering::Relaxed);
        if self.unfinished() > 0 {
            return (Why::WholePacket, packets as u32);
        }
        let is_silent = packets == 0
            && shared.info.attempt == Attempt::Accepted
            && shared.end.load(Ordering::Relaxed) == 0;
        (if is_silent { Why::FirstPacket } else { Why::Nothing }, 0)
    }

    /// Bytes of a packet that is not whole.
    fn unfinished(&self) -> usize {
        let held = catch_unwind(AssertUnwindSafe(|| self.reader.held())).unwrap_or_default();
        self.rest.len().saturating_add(held).saturating_add(self.conn.pending())
    }

    /// How long that may last, and how much longer because of what has come.
    fn allowed(&self, why: Why) -> (Duration, Option<Duration>) {
        let limits = self.session.limits();
        match why {
            Why::FirstPacket => (limits.first_packet, None),
            Why::WholePacket => {
                let millis =
                    (self.unfinished() as u64).saturating_mul(1_000) / (limits.packet_rate.max(1) as u64);
                (limits.packet_wait, (millis > 0).then(|| Duration::from_millis(millis)))
            }
            Why::Output | Why::Nothing => (limits.stall, None),
        }
    }

    fn in_vain(&self, why: Why) -> Error {
        let limits = self.session.limits();
        match why {
            Why::FirstPacket => Error::Silent { limit: limits.first_packet },
            Why::WholePacket => Error::Slow { received: self.unfinished(), limit: limits.packet_wait },
            Why::Output | Why::Nothing => {
                Error::Stalled { queued: self.session.0.queued(), limit: limits.stall }
            }
        }
    }
}
