//! When a session is to be woken by the wheel of its endpoint: for `on_cron`, and to look at what its peer keeps it waiting for.
//!
//! However often that changes, one entry in the wheel is enough as long as it is not later than what is due.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use super::core::Shared;
use crate::{
    Protocol,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    wheel::{Due, Key, Timed},
};

/// A tick that does not come.
const NEVER: u64 = u64::MAX;

/// With a lock of its own, so that `set_cron` can be called under the session's.
pub(super) struct Timers(Mutex<Ticks>);

/// What the wheel has left for the task. Not in [`Timers`], where two bytes would take eight.
#[derive(Default)]
pub(super) struct Marks {
    /// `on_cron` was due, and the task has not called it yet.
    cron: AtomicBool,
    /// The task wanted to look again at its peer, and has not yet.
    watch: AtomicBool,
}

/// Ticks of the wheel; [`NEVER`] for none.
struct Ticks {
    period: u64,
    cron: u64,
    watch: u64,
    /// Of the session's entry in the wheel.
    entry: u64,
    key: Option<Key>,
}

impl Default for Timers {
    fn default() -> Self {
        Self(Mutex::new(Ticks { period: 1, cron: NEVER, watch: NEVER, entry: NEVER, key: None }))
    }
}

impl Timers {
    fn lock(&self) -> MutexGuard<'_, Ticks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Marks {
    /// Whether `on_cron` is to be called now.
    pub(super) fn take_cron(&self) -> bool {
        take(&self.cron)
    }

    /// Whether the task was woken because it wanted to be.
    pub(super) fn take_watch(&self) -> bool {
        take(&self.watch)
    }
}

fn take(mark: &AtomicBool) -> bool {
    mark.load(Ordering::Acquire) && mark.swap(false, Ordering::AcqRel)
}

impl<P: Protocol> Shared<P> {
    pub(super) fn set_cron(self: &Arc<Self>, period: Option<Duration>) {
        let wheel = &self.endpoint.wheel;
        let mut ticks = self.timers.lock();
        self.marks.cron.store(false, Ordering::Relaxed);
        let Some(period) = period.filter(|_| !self.is_closed()) else {
            ticks.cron = NEVER;
            return;
        };
        ticks.period = wheel.ticks(period);
        ticks.cron = wheel.after(ticks.period);
        let due = ticks.cron;
        self.enter(ticks, due);
    }

    /// Wakes the task in so many ticks, once, in the place of what it wanted before.
    pub(super) fn watch_in(self: &Arc<Self>, ticks: u64) {
        let due = self.endpoint.wheel.after(ticks);
        let mut ticks = self.timers.lock();
        ticks.watch = due;
        self.enter(ticks, due);
    }

    fn enter(self: &Arc<Self>, mut ticks: MutexGuard<'_, Ticks>, due: u64) {
        if ticks.entry <= due {
            // The entry that is there looks at what is due when its own tick comes.
            return;
        }
        let wheel = &self.endpoint.wheel;
        ticks.entry = due;
        if !ticks.key.is_some_and(|key| wheel.move_to(key, due)) {
            let target: Weak<dyn Timed> = Arc::<Self>::downgrade(self);
            ticks.key = Some(wheel.insert(due, target));
        }
    }

    /// Leaves the wheel at the end of the session, whose memory it would hold until its tick came.
    pub(super) fn end_timers(&self) {
        let mut ticks = self.timers.lock();
        ticks.cron = NEVER;
        ticks.watch = NEVER;
        ticks.entry = NEVER;
        if let Some(key) = ticks.key.take() {
            self.endpoint.wheel.cancel(key);
        }
    }
}

impl<P: Protocol> Timed for Shared<P> {
    fn due(&self, tick: u64, now: u64) -> Due {
        let (next, come) = {
            let mut ticks = self.timers.lock();
            if ticks.entry != tick {
                // It has been made due sooner meanwhile, or the session has ended.
                return Due::Never;
            }
            if !self.is_open() {
                ticks.entry = NEVER;
                ticks.key = None;
                return Due::Never;
            }
            let (cron, watch) = (ticks.cron <= now, ticks.watch <= now);
            if cron {
                // Periods that were missed are not made up for.
                let missed = (now - ticks.cron) / ticks.period;
                let next = ticks.period.saturating_mul(missed.saturating_add(1));
                ticks.cron = ticks.cron.saturating_add(next);
                self.marks.cron.store(true, Ordering::Release);
            }
            if watch {
                ticks.watch = NEVER;
                self.marks.watch.store(true, Ordering::Release);
            }
            ticks.entry = ticks.cron.min(ticks.watch);
            if ticks.entry == NEVER {
                ticks.key = None;
            }
            (ticks.entry, cron || watch)
        };
        if come {
            self.wake();
        }
        if next == NEVER { Due::Never } else { Due::At(next) }
    }
}
