//! Task pools: `on_message` outside of the session's task, so that a slow packet does not hold up those behind it. This file
//! owns what they have in common: the choice, and a packet's place. It never looks into a packet.
//!
//! ```text
//!   session's task                       pool                                    workers (tokio tasks)
//!   --------------                       ----                                    ---------------------
//!   a place? --no--> rests, or refuses
//!      | yes
//!   decode, fill ------> fixed:   [p p p .] [p . . .]  any queue, any order ---> any, each beginning at its own queue
//!                        ordered: [p p .] of a session, its line queued --------> any, one at a time for each line
//!                        keyed:   [p p .] of a key's hash ----------------------> one for each queue
//!                        elastic: [p p p p p . .] ------------------------------> any, more when all are busy
//! ```
//!
//! Every pool is bounded. Where there is no place, the session rests until a worker has taken a packet up, or, with
//! [`Full::Refuse`], the packet is refused. A worker is a task: a handler that blocks its thread, blocks a thread of the runtime.

mod crew;
mod elastic;
mod fixed;
mod keyed;
mod ordered;
mod room;

use std::{sync::Arc, task::Waker, time::Duration};

pub(crate) use ordered::Line;
use room::Room;

use crate::sync::{Handle, Mutex, MutexGuard, PoisonError};

/// Where `on_message` runs.
///
/// | | order of a session's packets | a slow packet holds up | worth it when |
/// |---|---|---|---|
/// | `Inline` | kept | its session | handlers are quick: no hop, no allocation |
/// | `Fixed` | any | nobody, while a worker is left | order means nothing, as in RPC |
/// | `Ordered` | kept | its session | sessions are many and independent |
/// | `Keyed` | kept for each key | keys of the same queue | order matters for a thing (an account), not for a connection |
/// | `Elastic` | any | nobody, while a worker is left | load comes in bursts |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Pool {
    /// In the session's task, in the order of the packets.
    #[default]
    Inline,
    /// In tasks of a pool, in any order. M queues, N workers.
    Fixed {
        /// Queues; each packet goes to the next one. At least one is made.
        queues: usize,
        /// Workers; worker `i` takes from queue `i % queues`, and from the others when that is empty. At least one a queue is made.
        workers: usize,
        /// Packets that may wait in a queue. A session that finds all places taken reads no further until there is room.
        depth: usize,
    },
    /// In tasks of a pool, those of one session one at a time and in their order. Sessions are queued, not packets.
    Ordered {
        /// Workers, and so sessions that are handled at the same time. At least one is made.
        workers: usize,
        /// Packets of one session that may wait, at least one. A session beyond it reads no further, whatever the others do.
        depth: usize,
    },
    /// In tasks of a pool, those with the same [`key`](crate::EventListener::key) one at a time and in the order in which their
    /// sessions read them. Without a `key` of the listener's own, the key is the session.
    ///
    /// Keys are spread over the queues by a hash with a secret, so that no peer can aim at a queue.
    Keyed {
        /// Queues, each with a worker of its own. At least one is made.
        queues: usize,
        /// Packets that may wait in a queue, at least one. A session whose next packet finds its queue full reads no further.
        depth: usize,
    },
    /// In tasks of a pool, in any order: more tasks while all are busy, fewer while some have nothing to do.
    Elastic {
        /// Workers that stay even when there is nothing to do.
        min: usize,
        /// Workers at the most. At least one, and at least `min`.
        max: usize,
        /// How long a worker above `min` waits for a packet before it ends.
        idle: Duration,
        /// Packets that may wait, at least one. A session that finds all places taken reads no further.
        depth: usize,
    },
}

/// What becomes of a packet for which a [`Pool`] has no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Full {
    /// It waits, and its session reads no further; the peer feels it by the window of TCP. Nothing is lost.
    #[default]
    Wait,
    /// [`EventListener::on_refused`](crate::EventListener::on_refused) gets it, in the session's task, and the session reads on.
    /// [`Stats::refused_packets`](crate::Stats::refused_packets) counts it.
    Refuse,
}

/// One packet and what is to be done with it.
type Job = Box<dyn FnOnce() + Send>;

/// A pool that runs. Its workers end when it is dropped.
pub(crate) struct Workers {
    kind: Kind,
    full: Full,
}

enum Kind {
    Fixed(fixed::Fixed),
    Ordered(ordered::Ordered),
    Keyed(keyed::Keyed),
    Elastic(elastic::Elastic),
}

/// Whether there is a place for the next packet of a session.
pub(crate) enum Reserved {
    Place(Place),
    /// The packet decides.
    ByKey,
    Full,
}

impl Workers {
    /// `None` where there is no pool.
    pub(crate) fn start(pool: Pool, full: Full, runtime: &Handle) -> Option<Self> {
        let kind = match pool {
            Pool::Inline => return None,
            Pool::Fixed { queues, workers, depth } => {
                Kind::Fixed(fixed::Fixed::start(queues, workers, depth, runtime))
            }
            Pool::Ordered { workers, depth } => {
                Kind::Ordered(ordered::Ordered::start(workers, depth, runtime))
            }
            Pool::Keyed { queues, depth } => Kind::Keyed(keyed::Keyed::start(queues, depth, runtime)),
            Pool::Elastic { min, max, idle, depth } => {
                Kind::Elastic(elastic::Elastic::start(min, max, idle, depth, runtime))
            }
        };
        Some(Self { kind, full })
    }

    pub(crate) fn refuses(&self) -> bool {
        self.full == Full::Refuse
    }

    /// What a session keeps for as long as it lives, if the pool is an ordered one.
    pub(crate) fn line(&self) -> Option<Arc<Line>> {
        match &self.kind {
            Kind::Ordered(ordered) => Some(ordered.line()),
            _ => None,
        }
    }

    /// A place for the next packet of a session with this line. Where there is none, the waker is woken when there may be
    /// one, unless packets are refused.
    pub(crate) fn reserve(&self, session: u64, line: Option<&Arc<Line>>, waker: &Waker) -> Reserved {
        let target: Arc<dyn Target> = match (&self.kind, line) {
            (Kind::Fixed(fixed), _) => fixed.target(),
            (Kind::Elastic(elastic), _) => elastic.target(),
            (Kind::Ordered(_), Some(line)) => Arc::clone(line) as _,
            (Kind::Ordered(ordered), None) => ordered.line(),
            (Kind::Keyed(_), _) => return Reserved::ByKey,
        };
        self.place(target, session, waker).map_or(Reserved::Full, Reserved::Place)
    }

    /// A place for a packet with this key; otherwise as [`reserve`](Self::reserve).
    pub(crate) fn reserve_by_key(&self, session: u64, key: u64, waker: &Waker) -> Option<Place> {
        let Kind::Keyed(keyed) = &self.kind else { return None };
        self.place(keyed.target(key), session, waker)
    }

    /// This session needs no place any more, and may have been the next to get one.
    pub(crate) fn give_up(&self, session: u64) {
        match &self.kind {
            Kind::Fixed(fixed) => fixed.room().give_up(session),
            Kind::Elastic(elastic) => elastic.room().give_up(session),
            Kind::Keyed(keyed) => keyed.rooms().for_each(|room| room.give_up(session)),
            // Nobody else waits in its line.
            Kind::Ordered(_) => {}
        }
    }

    fn place(&self, target: Arc<dyn Target>, session: u64, waker: &Waker) -> Option<Place> {
        let taken = match self.full {
            Full::Refuse => target.room().try_take(),
            Full::Wait => target.room().take(session, waker),
        };
        taken.then(|| Place(target))
    }
}

/// What takes packets of which only so many may wait.
trait Target: Send + Sync {
    fn room(&self) -> &Room;

    /// Puts a job where a worker will find it. Where there are no workers any more, as after the end of their runtime, it is dropped.
    fn push(self: Arc<Self>, job: Job);
}

/// A place for one packet. Dropped, it is free again.
pub(crate) struct Place(Arc<dyn Target>);

impl Place {
    /// The place is free again when a worker takes the job up.
    pub(crate) fn fill(self, job: impl FnOnce() + Send + 'static) {
        let target = Arc::clone(&self.0);
        target.push(Box::new(move || {
            drop(self);
            job();
        }));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.room().leave();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
