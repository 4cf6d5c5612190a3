//! Owns how many packets may wait in one place, and which sessions wait for room there.

use std::{collections::BTreeMap, ops::Bound, task::Waker};

use super::lock;
use crate::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

/// A number of places.
pub(super) struct Room {
    free: AtomicUsize,
    waiting: Mutex<Waiting>,
    /// How many wait. Whoever waits sees at least one without the lock.
    waiters: AtomicUsize,
}

/// Sessions in turn. One that is asked again replaces its waker, so there are never more than sessions.
#[derive(Default)]
struct Waiting {
    wakers: BTreeMap<u64, Waker>,
    /// The session that was woken last.
    last: u64,
}

impl Room {
    /// At least one place.
    pub(super) fn new(places: usize) -> Self {
        Self {
            free: AtomicUsize::new(places.max(1)),
            waiting: Mutex::default(),
            waiters: AtomicUsize::new(0),
        }
    }

    pub(super) fn try_take(&self) -> bool {
        self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| free.checked_sub(1)).is_ok()
    }

    /// Takes a place. Without one, the session's waker is woken when there may be one.
    pub(super) fn take(&self, session: u64, waker: &Waker) -> bool {
        if self.try_take() {
            // It may have waited, and something else has woken it: a turn that it still had would be lost for the others.
            if self.waiters.load(Ordering::Relaxed) > 0 {
                self.forget(session);
            }
            return true;
        }
        // Noted before room is looked for again: else what is freed in between wakes nobody.
        self.change(|waiting| waiting.wakers.insert(session, waker.clone()));
        let taken = self.try_take();
        if taken {
            self.forget(session);
        }
        taken
    }

    /// Gives a place back, and wakes the session whose turn it is. Not all: that would cost each packet as much as there are
    /// sessions that wait.
    pub(super) fn leave(&self) {
        self.free.fetch_add(1, Ordering::AcqRel);
        self.wake_next();
    }

    /// This session waits no more. It may have been woken for a place that another one is to have then.
    pub(super) fn give_up(&self, session: u64) {
        self.forget(session);
        self.wake_next();
    }

    fn forget(&self, session: u64) {
        drop(self.change(|waiting| waiting.wakers.remove(&session)));
    }

    fn wake_next(&self) {
        let next = self.change(Waiting::next);
        next.into_iter().for_each(Waker::wake);
    }

    fn change<T>(&self, change: impl FnOnce(&mut Waiting) -> T) -> T {
        let mut waiting = lock(&self.waiting);
        let changed = change(&mut waiting);
        self.waiters.store(waiting.wakers.len(), Ordering::Relaxed);
        changed
    }
}

impl Waiting {
    fn next(&mut self) -> Option<Waker> {
        let after = (Bound::Excluded(self.last), Bound::Unbounded);
        let id = *self.wakers.range(after).next().or_else(|| self.wakers.first_key_value())?.0;
        self.last = id;
        self.wakers.remove(&id)
    }
}
