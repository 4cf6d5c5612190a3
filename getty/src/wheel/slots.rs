//! What a wheel holds. Knows no clock, no lock and no task.
//!
//! Each slot is a ring of entries, linked by their numbers, so that an entry can leave it wherever it stands:
//!
//! ```text
//!   links    | head of slot 0 | head of slot 1 | ... | head of slot 1023 | entry 0 | entry 1 | ...
//!                    ^------------------------------------------------------ next --^
//! ```

use std::sync::{Arc, Weak};

use super::{Due, Timed};

const SLOTS: u32 = 1024;
/// An empty wheel gives the room of more entries than this back.
const KEEP: usize = 4096;

/// An entry of the wheel, for as long as its target is due again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    at: u32,
    /// No other entry of this wheel has it, so a key of an entry that has left finds nothing.
    stamp: u32,
}

#[derive(Default)]
pub(super) struct Slots {
    /// Those of the slots' heads, then those of the entries. An entry that is in no ring is linked to itself.
    links: Vec<Link>,
    entries: Vec<Entry>,
    /// Numbers of entries without a target.
    free: Vec<u32>,
    stamp: u32,
    /// The last tick that was looked at.
    now: u64,
}

#[derive(Clone, Copy)]
struct Link {
    next: u32,
    previous: u32,
}

struct Entry {
    due: u64,
    stamp: u32,
    /// `None` once it has left.
    target: Option<Weak<dyn Timed>>,
}

/// An entry that is due. It has left its ring, and waits for [`Slots::settle`].
pub(super) struct Fired {
    pub(super) key: Key,
    pub(super) due: u64,
    pub(super) target: Arc<dyn Timed>,
}

impl Slots {
    pub(super) fn put(&mut self, due: u64, target: Weak<dyn Timed>) -> Key {
        if self.links.is_empty() {
            self.links.extend((0..SLOTS).map(Link::to));
        }
        self.stamp = self.stamp.wrapping_add(1);
        let entry = Entry { due, stamp: self.stamp, target: Some(target) };
        let at = match self.free.pop() {
            Some(at) => {
                self.entries[at as usize] = entry;
                at
            }
            None => {
                // There is no memory for so many that the number ends.
                let at = self.entries.len() as u32;
                self.links.push(Link::to(SLOTS + at));
                self.entries.push(entry);
                at
            }
        };
        self.link(at);
        Key { at, stamp: self.stamp }
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
        let target = self.entries[key.at as usize].target.take();
        self.free.push(key.at);
        if self.free.len() == self.entries.len() && self.entries.len() > KEEP {
            self.clear();
        }
        target
    }

    /// Takes all that is due by `tick` out of its rings. What has gone leaves the wheel.
    pub(super) fn take_due(&mut self, tick: u64) -> Vec<Fired> {
        let mut due = Vec::new();
        // After a long sleep every slot is looked at once, not once a revolution.
        let first = (self.now + 1).max(tick.saturating_sub(u64::from(SLOTS) - 1));
        for at in first..=tick {
            // Also once the last entry has left.
            if self.links.is_empty() {
                break;
            }
            self.take_due_of(head(at), tick, &mut due);
        }
        self.now = self.now.max(tick);
        due
    }

    fn take_due_of(&mut self, head: u32, tick: u64, due: &mut Vec<Fired>) {
        let mut link = self.links[head as usize].next;
        while link != head {
            let at = link - SLOTS;
            link = self.links[link as usize].next;
            let entry = &self.entries[at as usize];
            if entry.due > tick {
                continue;
            }
            let key = Key { at, stamp: entry.stamp };
            match entry.target.as_ref().and_then(Weak::upgrade) {
                Some(target) => {
                    due.push(Fired { key, due: entry.due, target });
                    self.unlink(at);
                }
                None => drop(self.remove(key)),
            }
        }
    }

    /// What follows for an entry that was due, unless it was removed or moved meanwhile.
    pub(super) fn settle(&mut self, key: Key, due: Due) {
        if !self.has(key) || self.links[(SLOTS + key.at) as usize].next != SLOTS + key.at {
            return;
        }
        match due {
            Due::At(tick) => {
                self.move_to(key, tick);
            }
            Due::Never => drop(self.remove(key)),
        }
    }

    /// The next tick whose slot holds anything.
    pub(super) fn next(&self) -> Option<u64> {
        if self.links.is_empty() {
            return None;
        }
        (self.now + 1..=self.now + u64::from(SLOTS)).find(|&at| {
            let head = head(at);
            self.links[head as usize].next != head
        })
    }

    pub(super) fn clear(&mut self) {
        *self = Self { stamp: self.stamp, now: self.now, ..Self::default() };
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    fn has(&self, key: Key) -> bool {
        self.entries
            .get(key.at as usize)
            .is_some_and(|entry| entry.stamp == key.stamp && entry.target.is_some())
    }

    fn link(&mut self, at: u32) {
        // What is due already, because whoever put it here was held up, goes where the task looks next.
        let head = head(self.entries[at as usize].due.max(self.now + 1));
        let own = SLOTS + at;
        let last = self.links[head as usize].previous;
        self.links[own as usize] = Link { next: head, previous: last };
        self.links[last as usize].next = own;
        self.links[head as usize].previous = own;
    }

    fn unlink(&mut self, at: u32) {
        let own = SLOTS + at;
        let Link { next, previous } = self.links[own as usize];
        self.links[previous as usize].next = next;
        self.links[next as usize].previous = previous;
        self.links[own as usize] = Link::to(own);
    }
}

impl Link {
    /// Both ways to the same one.
    fn to(number: u32) -> Self {
        Self { next: number, previous: number }
    }
}

/// The number of the head of a tick's slot.
fn head(tick: u64) -> u32 {
    (tick % u64::from(SLOTS)) as u32
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
            let mut slots = Slots::default();
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
        let mut slots = Slots::default();
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
        let mut slots = Slots::default();
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
    fn what_has_gone_leaves_when_it_is_due_and_an_empty_wheel_has_no_room_for_many() {
        let (target, weak) = anything();
        let mut slots = Slots::default();
        for due in 1..=10_000 {
            slots.put(due, weak.clone());
        }
        drop((target, weak));
        assert!(slots.take_due(10_000).is_empty());
        assert_eq!((slots.len(), slots.entries.capacity()), (0, 0));
    }
}
