//! The timer wheel of an endpoint. It only marks what is due and wakes its task; it never runs a callback, so a slow one
//! delays nobody else's timer.
//!
//! ```text
//!   slots   0    1    2   ...            1023
//!          [ ]  [x]  [ ]                 [x x]      insert, move, cancel: O(1); slot due % 1024
//!                ^ now
//! ```
//!
//! The wheel's task sleeps until something may be due; with nothing in it, it does not wake at all.
//! It holds weak references only, so it keeps no session alive; what has gone without cancelling leaves at its next tick.

mod slots;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

pub(crate) use self::slots::Key;
use self::slots::{Fired, Slots};
use crate::sync::Handle;

const TICK_MILLIS: u64 = 10;
const TICK: Duration = Duration::from_millis(TICK_MILLIS);

/// What the wheel can mark.
pub(crate) trait Timed: Send + Sync {
    /// The tick it was inserted for has come; `now` is the same tick, or a later one if the wheel's task was held up. What
    /// follows must lie after `now`.
    fn due(&self, tick: u64, now: u64) -> Due;
}

/// What follows a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// It leaves the wheel.
    Never,
    /// It is due again at this tick.
    At(u64),
}

pub(crate) struct Wheel {
    shared: Arc<Shared>,
    runtime: Handle,
}

struct Shared {
    start: Instant,
    core: Mutex<Core>,
    /// An entry came that is due before the task wakes, or the wheel went.
    changed: Notify,
}

struct Core {
    slots: Slots,
    /// The tick at which the task wakes, at the latest; `u64::MAX` for none.
    wakes: u64,
    started: bool,
    /// The wheel has gone.
    over: bool,
}

impl Wheel {
    pub(crate) fn new(runtime: Handle) -> Self {
        let core = Core { slots: Slots::new(), wakes: u64::MAX, started: false, over: false };
        let shared = Shared { start: Instant::now(), core: Mutex::new(core), changed: Notify::new() };
        Self { shared: Arc::new(shared), runtime }
    }

    /// A period in ticks, rounded up, at least one.
    pub(crate) fn ticks(&self, period: Duration) -> u64 {
        u64::try_from(period.as_nanos().div_ceil(TICK.as_nanos())).unwrap_or(u64::MAX / 2).max(1)
    }

    /// The tick that is now.
    pub(crate) fn now(&self) -> u64 {
        self.shared.tick_of(Instant::now())
    }

    /// The tick that lies so many after now.
    pub(crate) fn after(&self, ticks: u64) -> u64 {
        self.now().saturating_add(ticks).saturating_add(1)
    }

    /// Nanoseconds since it was made: a clock that never goes back.
    pub(crate) fn nanos(&self) -> u64 {
        let time = self.shared.start.elapsed();
        // In 64 bits they last for 584 years.
        time.as_secs().wrapping_mul(1_000_000_000).wrapping_add(u64::from(time.subsec_nanos()))
    }

    pub(crate) fn insert(&self, due: u64, target: Weak<dyn Timed>) -> Key {
        let mut core = self.shared.lock();
        let key = core.slots.put(due, target);
        self.see_to(core, due);
        key
    }

    /// Makes an entry due at another tick. Whether it is still there.
    pub(crate) fn move_to(&self, key: Key, due: u64) -> bool {
        let mut core = self.shared.lock();
        let moved = core.slots.move_to(key, due);
        if moved {
            self.see_to(core, due);
        }
        moved
    }

    /// Takes an entry out, if it is still there. It may be on its way to its target.
    pub(crate) fn cancel(&self, key: Key) {
        let removed = self.shared.lock().slots.remove(key);
        drop(removed);
    }

    /// Sees to it that the task wakes by then.
    fn see_to(&self, mut core: MutexGuard<'_, Core>, due: u64) {
        if due >= core.wakes {
            return;
        }
        core.wakes = due;
        let start = !std::mem::replace(&mut core.started, true);
        drop(core);
        if start {
            self.runtime.spawn(turn(Arc::clone(&self.shared)));
        } else {
            self.shared.changed.notify_one();
        }
    }
}

impl Drop for Wheel {
    fn drop(&mut self) {
        let mut core = self.shared.lock();
        core.slots.clear();
        core.over = true;
        drop(core);
        self.shared.changed.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick_of(&self, at: Instant) -> u64 {
        const IN_A_SECOND: u64 = Duration::from_secs(1).as_nanos().div_ceil(TICK.as_nanos()) as u64;
        let passed = at.saturating_duration_since(self.start);
        // Without the long division of nanoseconds: it is asked for with each timer.
        passed.as_secs() * IN_A_SECOND + u64::from(passed.subsec_nanos() / TICK.subsec_nanos())
    }
}

async fn turn(shared: Arc<Shared>) {
    loop {
        let tick = shared.tick_of(Instant::now());
        let due = shared.lock().slots.take_due(tick);
        let followed: Vec<_> =
            due.into_iter().map(|Fired { key, due, target }| (key, target.due(due, tick))).collect();
        let next = {
            let mut core = shared.lock();
            if core.over {
                return;
            }
            for (key, due) in followed {
                core.slots.settle(key, due);
            }
            let next = core.slots.next();
            core.wakes = next.unwrap_or(u64::MAX);
            next
        };
        // Further away than a clock counts: never.
        let at =
            |tick: u64| shared.start.checked_add(Duration::from_millis(tick.saturating_mul(TICK_MILLIS)));
        match next.and_then(at) {
            Some(at) => drop(timeout_at(at, shared.changed.notified()).await),
            None => shared.changed.notified().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::time::sleep_until;

    use super::*;

    struct Every {
        ticks: u64,
        seen: AtomicU64,
    }

    impl Timed for Every {
        fn due(&self, tick: u64, now: u64) -> Due {
            self.seen.fetch_add(1, Ordering::SeqCst);
            assert_eq!(tick, now, "these tests hold nobody up");
            if self.ticks == 0 { Due::Never } else { Due::At(tick + self.ticks) }
        }
    }

    fn every(wheel: &Wheel, first: Duration, period: Duration) -> Arc<Every> {
        let ticks = if period.is_zero() { 0 } else { wheel.ticks(period) };
        let timed = Arc::new(Every { ticks, seen: AtomicU64::new(0) });
        let weak: Weak<dyn Timed> = Arc::<Every>::downgrade(&timed);
        wheel.insert(wheel.after(wheel.ticks(first)), weak);
        timed
    }

    async fn at(millis: u64, start: Instant) {
        sleep_until(start + Duration::from_millis(millis)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn periods_short_and_longer_than_the_wheel_come_as_often_as_they_should() {
        let wheel = Wheel::new(Handle::current());
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let short = every(&wheel, second, second);
        let long = every(&wheel, 30 * second, 30 * second);
        let once = every(&wheel, second, Duration::ZERO);
        at(60_500, start).await;
        assert_eq!(short.seen.load(Ordering::SeqCst), 60);
        assert_eq!(long.seen.load(Ordering::SeqCst), 2);
        assert_eq!(once.seen.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_that_is_due_sooner_than_all_others_is_not_late() {
        let wheel = Wheel::new(Handle::current());
        let start = Instant::now();
        let _late = every(&wheel, Duration::from_secs(3600), Duration::ZERO);
        at(1_000, start).await;
        let soon = every(&wheel, Duration::from_millis(50), Duration::ZERO);
        at(1_100, start).await;
        assert_eq!(soon.seen.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_gone_leaves_the_wheel_and_the_task_ends_with_it() {
        let wheel = Wheel::new(Handle::current());
        let start = Instant::now();
        drop(every(&wheel, Duration::from_millis(50), Duration::from_millis(50)));
        at(500, start).await;
        let shared = Arc::clone(&wheel.shared);
        assert_eq!(shared.lock().slots.len(), 0);
        drop(wheel);
        tokio::task::yield_now().await;
        assert_eq!(Arc::strong_count(&shared), 1);
    }
}
