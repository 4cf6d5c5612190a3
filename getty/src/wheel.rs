//! The timer wheel of an endpoint. It only marks what is due and wakes its task; it never runs a callback, so a slow one
//! delays nobody else's timer.
//!
//! ```text
//!   slots   0    1    2   ...            1023
//!          [ ]  [x]  [ ]                 [x x]      insert: O(1), into slot due % 1024
//!                ^ now                               cancel: O(1), the owner forgets the tick
//! ```
//!
//! The wheel's task sleeps until the next slot that holds anything; with nothing in it, it does not wake at all.
//! It holds weak references only, so it keeps no session alive; what has gone leaves at its next tick.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::Notify,
    time::{Instant, timeout_at},
};

const TICK: Duration = Duration::from_millis(10);
const SLOTS: usize = 1024;

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
    slots: Mutex<Slots>,
    /// An entry came that is due before the task wakes, or the wheel went.
    changed: Notify,
}

struct Slots {
    entries: Vec<Vec<Entry>>,
    /// The last tick that was looked at.
    now: u64,
    /// The tick at which the task wakes; `u64::MAX` for none.
    wakes: u64,
    started: bool,
}

struct Entry {
    due: u64,
    target: Weak<dyn Timed>,
}

impl Wheel {
    pub(crate) fn new(runtime: Handle) -> Self {
        let slots = Slots { entries: Vec::new(), now: 0, wakes: u64::MAX, started: false };
        let shared = Shared { start: Instant::now(), slots: Mutex::new(slots), changed: Notify::new() };
        Self { shared: Arc::new(shared), runtime }
    }

    /// A period in ticks, rounded up, at least one.
    pub(crate) fn ticks(&self, period: Duration) -> u64 {
        u64::try_from(period.as_nanos().div_ceil(TICK.as_nanos())).unwrap_or(u64::MAX / 2).max(1)
    }

    /// The tick that lies so many after now.
    pub(crate) fn after(&self, ticks: u64) -> u64 {
        self.shared.tick_of(Instant::now()).saturating_add(ticks).saturating_add(1)
    }

    /// Nanoseconds since it was made: a clock that never goes back.
    pub(crate) fn nanos(&self) -> u64 {
        u64::try_from(self.shared.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub(crate) fn insert(&self, due: u64, target: Weak<dyn Timed>) {
        let mut slots = self.shared.lock();
        slots.put(Entry { due, target });
        let sooner = due < slots.wakes;
        let start = !std::mem::replace(&mut slots.started, true);
        drop(slots);
        if start {
            self.runtime.spawn(turn(Arc::clone(&self.shared)));
        } else if sooner {
            self.shared.changed.notify_one();
        }
    }
}

impl Drop for Wheel {
    fn drop(&mut self) {
        let mut slots = self.shared.lock();
        slots.entries.clear();
        // The task takes this for the end.
        slots.wakes = 0;
        drop(slots);
        self.shared.changed.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick_of(&self, at: Instant) -> u64 {
        let passed = at.saturating_duration_since(self.start);
        u64::try_from(passed.as_nanos() / TICK.as_nanos()).unwrap_or(u64::MAX / 2)
    }
}

impl Slots {
    fn put(&mut self, entry: Entry) {
        if self.entries.is_empty() {
            self.entries.resize_with(SLOTS, Vec::new);
        }
        // What is due already, because whoever put it here was held up, goes where the task looks next.
        if let Some(slot) = self.entries.get_mut(slot_of(entry.due.max(self.now + 1))) {
            slot.push(entry);
        }
    }

    /// Takes out what is due by `tick`.
    fn take_due(&mut self, tick: u64) -> Vec<Entry> {
        let mut due = Vec::new();
        // After a long sleep every slot is looked at once, not once a revolution.
        let first = (self.now + 1).max(tick.saturating_sub(SLOTS as u64 - 1));
        for at in first..=tick {
            if let Some(slot) = self.entries.get_mut(slot_of(at)) {
                due.extend(slot.extract_if(.., |entry| entry.due <= tick));
            }
        }
        self.now = self.now.max(tick);
        due
    }

    /// The next tick whose slot holds anything.
    fn next(&self) -> Option<u64> {
        if self.entries.is_empty() {
            return None;
        }
        (self.now + 1..=self.now + SLOTS as u64)
            .find(|&at| self.entries.get(slot_of(at)).is_some_and(|slot| !slot.is_empty()))
    }
}

fn slot_of(tick: u64) -> usize {
    (tick % SLOTS as u64) as usize
}

async fn turn(shared: Arc<Shared>) {
    loop {
        let tick = shared.tick_of(Instant::now());
        let due = shared.lock().take_due(tick);
        for Entry { due, target } in due {
            if let Some(found) = target.upgrade()
                && let Due::At(next) = found.due(due, tick)
            {
                shared.lock().put(Entry { due: next, target });
            }
        }
        let next = {
            let mut slots = shared.lock();
            if slots.entries.is_empty() && slots.wakes == 0 {
                return;
            }
            let next = slots.next();
            slots.wakes = next.unwrap_or(u64::MAX);
            next
        };
        match next {
            Some(tick) => {
                let at = shared.start + TICK.saturating_mul(u32::try_from(tick).unwrap_or(u32::MAX));
                let _ = timeout_at(at, shared.changed.notified()).await;
            }
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
        assert!(shared.lock().entries.iter().all(Vec::is_empty));
        drop(wheel);
        tokio::task::yield_now().await;
        assert_eq!(Arc::strong_count(&shared), 1);
    }
}
