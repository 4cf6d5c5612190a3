//! What a wheel holds. Knows no clock, no lock and no task.
//!
//! Each slot is a chain of entries, linked both ways by their numbers, so that an entry can leave it wherever it stands:
//!
//! ```text
//!   slots    | slot 0 | slot 1 | ... | slot 1023 |
//!                         |
//!                         v
//!                      entry 7 <--> entry 2 <--> entry 5
//! ```
//!
//! A slot knows from which tick on it is worth a look, so what is due many revolutions later costs nothing until then.

use std::{
    num::NonZeroU32,
    sync::{Arc, Weak},
};

use super::{Due, Timed};

const SLOTS: usize = 1024;
/// An empty wheel gives the room of more entries than this back.
const KEEP: usize = 4096;
/// No entry.
const NONE: u32 = u32::MAX;
/// No slot.
const NOWHERE: u16 = u16::MAX;

/// An entry of the wheel, for as long as its target is due again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    at: u32,
    /// No other entry of this wheel has it, so a key of an entry that has left finds nothing. Not zero, so that a key that may be
    /// missing is no larger.
    stamp: NonZeroU32,
}

pub(super) struct Slots {
    slots: Vec<Slot>,
    entries: Vec<Entry>,
    /// Entries with a target.
    len: usize,
    /// The first entry without a target; these are linked by `next`.
    free: u32,
    /// The last one given.
    stamp: NonZeroU32,
    /// The last tick that was looked at.
    now: u64,
}

#[derive(Clone)]
struct Slot {
    /// Its first entry.
    first: u32,
    /// None of them is due before this tick.
    soonest: u64,
}

struct Entry {
    due: u64,
    /// `None` once it has left.
    target: Option<Weak<dyn Timed>>,
    stamp: NonZeroU32,
    next: u32,
    previous: u32,
    /// [`NOWHERE`] while it is due and not settled.
    slot: u16,
}

/// An entry that is due. It has left its slot, and waits for [`Slots::settle`].
pub(super) struct Fired {
    pub(super) key: Key,
    pub(super) due: u64,
    pub(super) target: Arc<dyn Timed>,
}

impl Slots {
    pub(super) fn new() -> Self {
        Self { slots: Vec::new(), entries: Vec::new(), len: 0, free: NONE, stamp: NonZeroU32::MIN, now: 0 }
    }

    pub(super) fn put(&mut self, due: u64, target: Weak<dyn Timed>) -> Key {
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, Slot { first: NONE, soonest: 0 });
        }
        self.stamp = self.stamp.checked_add(1).unwrap_or(NonZeroU32::MIN);
        self.len += 1;
        let stamp = self.stamp;
        let entry = Entry { due, target: Some(target), stamp, next: NONE, previous: NONE, slot: NOWHERE };
        let at = self.free;
        let at = if at == NONE {
            self.entries.push(entry);
            // There is no memory for so many that the numbers end.
            (self.entries.len() - 1) as u32
        } else {
            self.free = self.entries[at as usize].next;
            self.entries[at as usize] = entry;
            at
        };
        self.link(at);
        Key { at, stamp }
    }

    /// Whether the entry is still there; it is due at this tick then, and no more at the one before.
    pub(super) fn move_to(&mut self, key: Key, due: u64) -> bool {
        if !self.has(key) {
            return false;
        }
        self.unlink(key.at);
        self.entries[key.at as usize].due = due;
        self.link(key.at);
        true
    }

    /// Takes an entry out, if it is still there. Its target is given back to be dropped without a lock.
    pub(super) fn remove(&mut self, key: Key) -> Option<Weak<dyn Timed>> {
        if !self.has(key) {
            return None;
        }
        self.unlink(key.at);
        let entry = &mut self.entries[key.at as usize];
        let target = entry.target.take();
        entry.next = std::mem::replace(&mut self.free, key.at);
        self.len -= 1;
        if self.len == 0 && self.entries.len() > KEEP {
            self.clear();
        }
        target
    }

    /// Takes all that is due by `tick` out of its slots. What has gone leaves the wheel.
    pub(super) fn take_due(&mut self, tick: u64) -> Vec<Fired> {
        let mut due = Vec::new();
        // After a long sleep every slot is looked at once, not once a revolution.
        let first = (self.now + 1).max(tick.saturating_sub(SLOTS as u64 - 1));
        for at in first..=tick {
            let slot = slot_of(at);
            let Some(&Slot { first: mut at, soonest }) = self.slots.get(slot) else { break };
            if at == NONE || soonest > tick {
                continue;
            }
            let mut soonest = u64::MAX;
            while at != NONE {
                at = self.take_if_due(at, tick, &mut due, &mut soonest);
            }
            if let Some(slot) = self.slots.get_mut(slot) {
                slot.soonest = soonest;
            }
        }
        self.now = self.now.max(tick);
        due
    }

    /// Gives the entry that follows. `soonest` is what the slot is left with.
    fn take_if_due(&mut self, at: u32, tick: u64, due: &mut Vec<Fired>, soonest: &mut u64) -> u32 {
        let entry = &self.entries[at as usize];
        let next = entry.next;
        if entry.due <= tick {
            let key = Key { at, stamp: entry.stamp };
            match entry.target.as_ref().and_then(Weak::upgrade) {
                Some(target) => {
                    due.push(Fired { key, due: entry.due, target });
                    self.unlink(at);
                }
                None => drop(self.remove(key)),
            }
        } else {
            *soonest = entry.due.min(*soonest);
        }
        next
    }

    /// What follows for an entry that was due, unless it was removed or moved meanwhile.
    pub(super) fn settle(&mut self, key: Key, due: Due) {
        if !self.has(key) || self.entries[key.at as usize].slot != NOWHERE {
            return;
        }
        match due {
            Due::At(tick) => {
                self.move_to(key, tick);
            }
            Due::Never => drop(self.remove(key)),
        }
    }

    /// The next tick at which anything may be due.
    pub(super) fn next(&self) -> Option<u64> {
        let filled = |slot: &&Slot| slot.first != NONE;
        (self.now + 1..=self.now + SLOTS as u64)
            .find(|&at| self.slots.get(slot_of(at)).filter(filled).is_some_and(|slot| slot.soonest <= at))
            .or_else(|| self.slots.iter().filter(filled).map(|slot| slot.soonest).min())
    }

    pub(super) fn clear(&mut self) {
        *self = Self { stamp: self.stamp, now: self.now, ..Self::new() };
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    fn has(&self, key: Key) -> bool {
        self.entries
            .get(key.at as usize)
            .is_some_and(|entry| entry.stamp == key.stamp && entry.target.is_some())
    }

    fn link(&mut self, at: u32) {
        let entry = &mut self.entries[at as usize];
        // What is due already, because whoever put it here was held up, goes where the task looks next.
        let slot = slot_of(entry.due.max(self.now + 1));
        let Slot { first, soonest } = &mut self.slots[slot];
        let next = std::mem::replace(first, at);
        *soonest = if next == NONE { entry.due } else { entry.due.min(*soonest) };
        (entry.slot, entry.next, entry.previous) = (slot as u16, next, NONE);
        if next != NONE {
            self.entries[next as usize].previous = at;
        }
    }

    fn unlink(&mut self, at: u32) {
        let entry = &mut self.entries[at as usize];
        let slot = std::mem::replace(&mut entry.slot, NOWHERE);
        let (next, previous) = (entry.next, entry.previous);
        if slot == NOWHERE {
            return;
        }
        if previous == NONE {
            self.slots[usize::from(slot)].first = next;
        } else {
            self.entries[previous as usize].next = next;
        }
        if next != NONE {
            self.entries[next as usize].previous = previous;
        }
    }
}

fn slot_of(tick: u64) -> usize {
    (tick % SLOTS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Anything;

    impl Timed for Anything {
        fn due(&self, _: u64, _: u64) -> Due {
            Due::Never
        }
    }

    fn anything() -> (Arc<dyn Timed>, Weak<dyn Timed>) {
        let target: Arc<dyn Timed> = Arc::new(Anything);
        let weak = Arc::downgrade(&target);
        (target, weak)
    }

    fn due_by(slots: &mut Slots, tick: u64) -> Vec<u64> {
        slots.take_due(tick).iter().map(|fired| fired.due).collect()
    }

    #[test]
    fn entries_of_one_slot_leave_it_in_any_order() {
        let (_target, weak) = anything();
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]] {
            let mut slots = Slots::new();
            let keys = [5, 5 + 1024, 5].map(|due| slots.put(due, weak.clone()));
            for (left, index) in order.into_iter().enumerate() {
                assert_eq!(slots.len(), 3 - left);
                assert!(slots.remove(keys[index]).is_some());
                assert!(slots.remove(keys[index]).is_none(), "it has left");
            }
            assert_eq!((slots.len(), slots.next()), (0, None));
        }
    }

    #[test]
    fn a_key_of_an_entry_that_has_left_does_not_reach_the_next_one_in_its_place() {
        let (_target, weak) = anything();
        let mut slots = Slots::new();
        let old = slots.put(5, weak.clone());
        slots.remove(old);
        let new = slots.put(6, weak);
        assert!(!slots.move_to(old, 1) && slots.remove(old).is_none());
        assert_eq!(due_by(&mut slots, 10), [6]);
        slots.settle(old, Due::At(20));
        slots.settle(new, Due::At(30));
        assert_eq!(due_by(&mut slots, 29), [0; 0]);
        assert_eq!(due_by(&mut slots, 30), [30]);
    }

    #[test]
    fn what_is_moved_or_removed_while_it_is_due_is_not_overruled_by_what_was_to_follow() {
        let (_target, weak) = anything();
        let mut slots = Slots::new();
        let (moved, removed) = (slots.put(5, weak.clone()), slots.put(5, weak));
        let fired = slots.take_due(5);
        assert_eq!(fired.len(), 2);
        assert!(slots.move_to(moved, 7));
        assert!(slots.remove(removed).is_some());
        for Fired { key, .. } in fired {
            slots.settle(key, Due::At(100));
        }
        assert_eq!(due_by(&mut slots, 7), [7]);
        slots.settle(moved, Due::Never);
        assert_eq!((slots.len(), due_by(&mut slots, 1_000)), (0, vec![]));
    }

    #[test]
    fn what_is_due_many_revolutions_later_is_not_looked_at_before() {
        let (_target, weak) = anything();
        let mut slots = Slots::new();
        let late = slots.put(50 * 1024 + 5, weak.clone());
        assert_eq!(slots.next(), Some(50 * 1024 + 5));
        let soon = slots.put(5, weak);
        assert_eq!((slots.next(), due_by(&mut slots, 5)), (Some(5), vec![5]));
        slots.settle(soon, Due::At(60 * 1024));
        assert_eq!((slots.next(), due_by(&mut slots, 50 * 1024 + 4)), (Some(50 * 1024 + 5), vec![]));
        assert_eq!(due_by(&mut slots, 50 * 1024 + 5), [50 * 1024 + 5]);
        slots.settle(late, Due::At(50 * 1024 + 6));
        assert_eq!((slots.next(), due_by(&mut slots, 59 * 1024)), (Some(50 * 1024 + 6), vec![50 * 1024 + 6]));
        assert_eq!((slots.next(), due_by(&mut slots, 70 * 1024)), (Some(60 * 1024), vec![60 * 1024]));
    }

    #[test]
    fn what_has_gone_leaves_when_it_is_due_and_an_empty_wheel_has_no_room_for_many() {
        let (target, weak) = anything();
        let mut slots = Slots::new();
        for due in 1..=10_000 {
            slots.put(due, weak.clone());
        }
        drop((target, weak));
        assert!(slots.take_due(10_000).is_empty());
        assert_eq!((slots.len(), slots.entries.capacity()), (0, 0));
    }
}
