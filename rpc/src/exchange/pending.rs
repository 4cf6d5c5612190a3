//! The calls that wait for an answer on one connection. No socket, no clock: it is told what came and what time it is.
//!
//! ```text
//!             begin                 answered / expired / lost
//!   Free ----------------> Waiting ---------------------------> Done ----> Free, next generation
//!     ^                       |                                  poll
//!     +-----------------------+
//!        cancelled (the caller was dropped)
//! ```
//!
//! A request id is a slot's number and its generation, and the peer echoes it: an answer finds its slot without a search, and
//! one that comes late, twice or for nothing meets another generation and wakes nobody.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use tokio::time::Instant;

use crate::protocol::Header;

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The peer answered.
    Response(Header, Bytes),
    /// The peer answered with a body over the limit, which is not kept.
    TooLarge(Header),
    /// It will not.
    Failed(Failure),
}

/// Why there will be no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The deadline has passed.
    Timeout,
    /// The connection has ended.
    Lost {
        /// Not a byte of the request had left.
        not_run: bool,
        /// Whether it ended because the peer's bytes were no frames.
        bad_frame: bool,
        /// What it ended with.
        cause: String,
    },
}

/// As many calls wait as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{limit} calls wait on this connection already")]
pub(crate) struct Full {
    pub(crate) limit: usize,
}

/// The table.
pub(crate) struct Pending {
    table: Mutex<Table>,
    limit: usize,
}

#[derive(Default)]
struct Table {
    slots: Vec<Slot>,
    /// First free slot; `NONE` for none.
    free: u32,
    waiting: usize,
    /// Whether somebody calls `expire` now and then.
    timed: bool,
    /// Answers that nobody waited for.
    #[cfg(test)]
    strays: u64,
}

struct Slot {
    generation: u32,
    state: State,
}

enum State {
    Free { next: u32 },
    Waiting { start: u64, deadline: Instant, waker: Option<Waker> },
    Done(Answer),
}

const NONE: u32 = u32::MAX;

impl Pending {
    pub(crate) fn new(limit: usize) -> Self {
        let table = Table { free: NONE, ..Table::default() };
        Self { table: Mutex::new(table), limit: limit.min(NONE as usize) }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slot for a request that begins at this offset of the connection's output. The id goes on the wire.
    /// `start_timer` runs, under the lock, when nobody calls [`expire`](Self::expire) at present.
    pub(crate) fn begin(
        &self,
        start: u64,
        deadline: Instant,
        start_timer: impl FnOnce(),
    ) -> Result<i64, Full> {
        let mut table = self.lock();
        let state = State::Waiting { start, deadline, waker: None };
        let index = match table.free {
            NONE if table.slots.len() >= self.limit => return Err(Full { limit: self.limit }),
            NONE => {
                table.slots.push(Slot { generation: 1, state });
                table.slots.len() - 1
            }
            free => {
                let Some(slot) = table.slots.get_mut(free as usize) else {
                    return Err(Full { limit: self.limit });
                };
                if let State::Free { next } = std::mem::replace(&mut slot.state, state) {
                    table.free = next;
                }
                free as usize
            }
        };
        table.waiting += 1;
        if !std::mem::replace(&mut table.timed, true) {
            start_timer();
        }
        let generation = table.slots.get(index).map_or(0, |slot| slot.generation);
        Ok(id_of(index as u32, generation))
    }

    /// An answer has come.
    pub(crate) fn answered(&self, header: Header, body: Bytes) {
        let waker = self.lock().finish(header.id, Answer::Response(header, body));
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// An answer has come whose body is over the limit.
    pub(crate) fn too_large(&self, header: Header) {
        let waker = self.lock().finish(header.id, Answer::TooLarge(header));
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The answer, once it is there. The slot is free then.
    pub(crate) fn poll(&self, id: i64, cx: &Context<'_>) -> Poll<Answer> {
        let mut table = self.lock();
        let Some(slot) = table.slot(id) else {
            // Only a caller that polls after it was ready comes here.
            return Poll::Pending;
        };
        match &mut slot.state {
            State::Waiting { waker, .. } => {
                if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                    *waker = Some(cx.waker().clone());
                }
                Poll::Pending
            }
            State::Free { .. } => Poll::Pending,
            State::Done(_) => {
                let Some(State::Done(answer)) = table.release(id) else { return Poll::Pending };
                Poll::Ready(answer)
            }
        }
    }

    /// The caller does not wait any more. What comes for it is ignored.
    pub(crate) fn cancel(&self, id: i64) {
        let was = {
            let mut table = self.lock();
            let was = table.release(id);
            if matches!(was, Some(State::Waiting { .. })) {
                table.waiting -= 1;
            }
            was
        };
        // A waker or an answer is dropped here, without the lock.
        drop(was);
    }

    /// Ends the calls whose deadline has passed. When none waits any more, `stop_timer` runs under the lock and the next
    /// [`begin`](Self::begin) starts the timer again.
    pub(crate) fn expire(&self, now: Instant, stop_timer: impl FnOnce()) {
        let mut wakers = Vec::new();
        let mut table = self.lock();
        if table.waiting == 0 {
            if std::mem::replace(&mut table.timed, false) {
                stop_timer();
            }
            return;
        }
        for slot in &mut table.slots {
            if matches!(slot.state, State::Waiting { deadline, .. } if deadline <= now) {
                wakers.extend(slot.finish(Answer::Failed(Failure::Timeout)));
            }
        }
        table.recount();
        drop(table);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// The connection has ended, and has taken so many bytes of the output.
    pub(crate) fn lost(&self, taken: u64, bad_frame: bool, cause: &str) {
        let mut wakers = Vec::new();
        let mut table = self.lock();
        for slot in &mut table.slots {
            if let State::Waiting { start, .. } = slot.state {
                let failure = Failure::Lost { not_run: start >= taken, bad_frame, cause: cause.to_owned() };
                wakers.extend(slot.finish(Answer::Failed(failure)));
            }
        }
        table.waiting = 0;
        drop(table);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Whether no call waits for an answer.
    pub(crate) fn is_idle(&self) -> bool {
        self.lock().waiting == 0
    }

    /// Calls that wait.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting
    }

    /// Answers that came for nobody: late, twice, or for an id that was never sent.
    #[cfg(test)]
    pub(crate) fn strays(&self) -> u64 {
        self.lock().strays
    }
}

impl Table {
    fn slot(&mut self, id: i64) -> Option<&mut Slot> {
        let (index, generation) = parts_of(id);
        self.slots.get_mut(index as usize).filter(|slot| slot.generation == generation)
    }

    fn finish(&mut self, id: i64, answer: Answer) -> Option<Waker> {
        let waiting = self.slot(id).filter(|slot| matches!(slot.state, State::Waiting { .. }));
        let Some(slot) = waiting else {
            #[cfg(test)]
            {
                self.strays += 1;
            }
            tracing::debug!(id, "an answer came for nobody: too late, twice, or never asked for");
            return None;
        };
        let waker = slot.finish(answer);
        self.waiting -= 1;
        waker
    }

    /// Frees a slot; its id is never used again.
    fn release(&mut self, id: i64) -> Option<State> {
        let next = self.free;
        let slot = self.slot(id)?;
        if matches!(slot.state, State::Free { .. }) {
            return None;
        }
        let was = std::mem::replace(&mut slot.state, State::Free { next });
        slot.generation = next_generation(slot.generation);
        self.free = parts_of(id).0;
        Some(was)
    }

    fn recount(&mut self) {
        self.waiting = self.slots.iter().filter(|slot| matches!(slot.state, State::Waiting { .. })).count();
    }
}

impl Slot {
    fn finish(&mut self, answer: Answer) -> Option<Waker> {
        match std::mem::replace(&mut self.state, State::Done(answer)) {
            State::Waiting { waker, .. } => waker,
            _ => None,
        }
    }
}

/// Ids are positive, as those of all known peers that start at zero.
fn id_of(index: u32, generation: u32) -> i64 {
    (i64::from(generation) << 32) | i64::from(index)
}

fn parts_of(id: i64) -> (u32, u32) {
    ((id & i64::from(u32::MAX)) as u32, (id >> 32) as u32)
}

fn next_generation(generation: u32) -> u32 {
    (generation + 1) & (u32::MAX >> 1)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::Wake,
        time::Duration,
    };

    use super::*;
    use crate::protocol::{Kind, Status};

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn header(id: i64) -> Header {
        Header { kind: Kind::Response { status: Status::OK }, event: false, serialization: 2, id, length: 0 }
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    fn poll(pending: &Pending, id: i64) -> (Poll<Answer>, Arc<Woken>) {
        let woken = Arc::new(Woken::default());
        let waker = Arc::clone(&woken).into();
        (pending.poll(id, &Context::from_waker(&waker)), woken)
    }

    #[test]
    fn each_answer_wakes_its_own_caller_only() {
        let pending = Pending::new(10);
        let ids: Vec<_> = (0..3).map(|i| pending.begin(i, later(), || ()).unwrap()).collect();
        let woken: Vec<_> = ids.iter().map(|&id| poll(&pending, id).1).collect();
        pending.answered(header(ids[1]), Bytes::from_static(b"one"));
        let counts: Vec<_> = woken.iter().map(|woken| woken.0.load(Ordering::SeqCst)).collect();
        assert_eq!(counts, [0, 1, 0]);
        let (Poll::Ready(Answer::Response(_, body)), _) = poll(&pending, ids[1]) else { panic!("ready") };
        assert_eq!(body, "one");
    }

    #[test]
    fn a_late_a_double_and_an_unknown_answer_reach_nobody() {
        let pending = Pending::new(10);
        let old = pending.begin(0, later(), || ()).unwrap();
        pending.cancel(old);
        let new = pending.begin(0, later(), || ()).unwrap();
        assert_ne!(old, new);
        assert_eq!(parts_of(old).0, parts_of(new).0, "the slot is used again");
        for id in [old, -1, i64::MAX, i64::MIN, 77] {
            pending.answered(header(id), Bytes::new());
        }
        assert!(poll(&pending, new).0.is_pending());
        pending.answered(header(new), Bytes::new());
        pending.answered(header(new), Bytes::new());
        assert_eq!((pending.waiting(), pending.strays()), (0, 6));
        assert!(poll(&pending, new).0.is_ready());
    }

    #[test]
    fn a_lost_connection_says_which_calls_surely_did_not_run() {
        let pending = Pending::new(10);
        let starts = [0, 100, 200];
        let ids: Vec<_> = starts.iter().map(|&start| pending.begin(start, later(), || ()).unwrap()).collect();
        // A frame of which a single byte has left may have run.
        pending.lost(101, false, "reset");
        let not_run: Vec<_> = ids
            .iter()
            .map(|&id| match poll(&pending, id).0 {
                Poll::Ready(Answer::Failed(Failure::Lost { not_run, .. })) => not_run,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(not_run, [false, false, true]);
    }

    #[test]
    fn the_timer_runs_only_while_calls_wait() {
        let pending = Pending::new(10);
        let (starts, stops) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let start = || {
            starts.fetch_add(1, Ordering::SeqCst);
        };
        let stop = || {
            stops.fetch_add(1, Ordering::SeqCst);
        };
        let now = Instant::now();
        let short = pending.begin(0, now, start).unwrap();
        let long = pending.begin(0, later(), start).unwrap();
        pending.expire(now, stop);
        let Poll::Ready(Answer::Failed(Failure::Timeout)) = poll(&pending, short).0 else {
            panic!("timeout")
        };
        assert!(poll(&pending, long).0.is_pending());
        pending.answered(header(long), Bytes::new());
        pending.expire(now, stop);
        pending.expire(now, stop);
        pending.begin(0, later(), start).unwrap();
        assert_eq!((starts.into_inner(), stops.into_inner()), (2, 1));
    }

    #[test]
    fn a_full_table_refuses_and_takes_again_when_a_slot_is_free() {
        let pending = Pending::new(2);
        let first = pending.begin(0, later(), || ()).unwrap();
        pending.begin(0, later(), || ()).unwrap();
        assert_eq!(pending.begin(0, later(), || ()), Err(Full { limit: 2 }));
        pending.cancel(first);
        assert!(pending.begin(0, later(), || ()).is_ok());
    }
}
