//! Owns the life of lists, maps and objects while they are read: numbers, depth, references followed by reading the
//! target again.
//!
//! ```text
//!            tag                    last item, or end mark
//! (before) ------> open, slot.end = OPEN -------------> closed, slot.end = position
//!    |                 ^                                     |
//!    | 51 n            | the target's tag                    | position goes back behind 51 n
//!    +---> jump to slots[n].start, replays + 1               +---> replays - 1
//! ```
//!
//! A target that is open is a cycle. While `replays` is above zero the containers get the numbers that they had,
//! counted on from the target's, since containers inside each other are numbered in the order of their tags.

use super::state::{OPEN, Slot};
use super::{Decode, Decoder};
use crate::error::{Error, ErrorKind, Found, Result};
use crate::kind::tag;
use crate::shared::Read;

/// A container that is being read.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) slot: u32,
    /// Where to go on after a reference: position, and the number of the next container if that is a replay too.
    resume: Option<(usize, u32)>,
}

/// A list that is being read with [`Decoder::next_item`].
#[derive(Debug)]
pub struct ListReader {
    left: Items,
    opened: Option<Opened>,
}

/// A map that is being read with [`Decoder::next_key`].
#[derive(Debug)]
pub struct MapReader {
    entries: Entries,
    opened: Option<Opened>,
}

#[derive(Clone, Copy, Debug)]
enum Items {
    Fixed(usize),
    /// Items so far.
    Variable(usize),
}

#[derive(Debug)]
enum Entries {
    /// Keys and values in turn, up to the end mark. Entries so far.
    Map(usize),
    /// Fields of an object: the next name's offset, and how many are left.
    Object { name: usize, left: u32 },
}

/// How a list begins.
pub(crate) struct ListHead {
    pub(crate) fixed: Option<usize>,
    pub(crate) type_at: Option<u32>,
}

impl ListReader {
    /// Number of items that are left, if the wire tells it. The rest of the input is at least as long in bytes.
    pub fn len(&self) -> Option<usize> {
        match self.left {
            Items::Fixed(left) => Some(left),
            Items::Variable(_) => None,
        }
    }

    /// Whether it is known that no items are left.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Whether the value was `null`; it reads as an empty list.
    pub fn is_null(&self) -> bool {
        self.opened.is_none()
    }
}

impl MapReader {
    /// Whether the value was `null`; it reads as an empty map.
    pub fn is_null(&self) -> bool {
        self.opened.is_none()
    }
}

impl<'de> Decoder<'de, '_> {
    /// Begins a list of any form: typed or not, of known length or not; a reference to one; `null` as an empty one.
    /// Then call [`next_item`](Self::next_item) until it says that there is none.
    ///
    /// # Errors
    ///
    /// When the next value is something else, its length is impossible, or it lies too deep.
    pub fn list(&mut self) -> Result<ListReader> {
        let (tag, resume) = self.enter()?;
        self.list_after(tag, resume)
    }

    pub(super) fn list_after(&mut self, tag: u8, resume: Option<(usize, u32)>) -> Result<ListReader> {
        if tag == tag::NULL {
            return Ok(ListReader { left: Items::Fixed(0), opened: None });
        }
        let start = self.pos - 1;
        let Some(head) = self.list_head(tag)? else { return Err(self.unexpected("list", tag)) };
        let opened = self.open(start, resume)?;
        let left = head.fixed.map_or(Items::Variable(0), Items::Fixed);
        Ok(ListReader { left, opened: Some(opened) })
    }

    /// Whether there is another item. If so, the caller reads or skips exactly one value; if not, the list is done.
    ///
    /// # Errors
    ///
    /// When the input ends.
    #[inline]
    pub fn next_item(&mut self, list: &mut ListReader) -> Result<bool> {
        let more = match &mut list.left {
            Items::Fixed(0) => false,
            Items::Fixed(left) => {
                *left -= 1;
                true
            }
            Items::Variable(items) => self.more(items, 1)?,
        };
        if !more && let Some(opened) = list.opened.take() {
            list.left = Items::Fixed(0);
            self.close(opened);
        }
        Ok(more)
    }

    /// Begins a map, typed or not; an object as a map from field names; a reference to one; `null` as an empty one.
    /// Then call [`next_key`](Self::next_key) until there is none.
    ///
    /// # Errors
    ///
    /// When the next value is something else, or it lies too deep.
    pub fn map(&mut self) -> Result<MapReader> {
        let (tag, resume) = self.enter()?;
        self.map_after(tag, resume)
    }

    pub(super) fn map_after(&mut self, tag: u8, resume: Option<(usize, u32)>) -> Result<MapReader> {
        let start = self.pos.saturating_sub(1);
        let entries = match tag {
            tag::NULL => {
                return Ok(MapReader { entries: Entries::Object { name: 0, left: 0 }, opened: None });
            }
            tag::MAP_UNTYPED => Entries::Map(0),
            tag::MAP => {
                self.type_name()?;
                Entries::Map(0)
            }
            _ => {
                let Some((class, _)) = self.class_head(tag)? else { return Err(self.unexpected("map", tag)) };
                self.in_definition(class, |d, class| {
                    if d.skip_class_name()? || class.fields == 0 {
                        return Ok(Entries::Object { name: d.pos, left: class.fields });
                    }
                    Err(Error::at(ErrorKind::Unexpected { expected: "map", found: Found(tag) }, start))
                })?
            }
        };
        let opened = self.open(start, resume)?;
        Ok(MapReader { entries, opened: Some(opened) })
    }

    /// Reads the next key, if there is one. The caller then reads or skips exactly one value; after the last, the
    /// map is done.
    ///
    /// # Errors
    ///
    /// When the input ends, or the key is no `K`.
    #[inline]
    pub fn next_key<K: Decode<'de>>(&mut self, map: &mut MapReader) -> Result<Option<K>> {
        self.next_key_with(map, Self::read)
    }

    /// As [`next_key`](Self::next_key), with what reads the key.
    #[inline]
    pub(crate) fn next_key_with<K>(
        &mut self,
        map: &mut MapReader,
        read: impl FnOnce(&mut Self) -> Result<K>,
    ) -> Result<Option<K>> {
        if map.opened.is_some() {
            match &mut map.entries {
                Entries::Map(entries) => {
                    if self.more(entries, 2)? {
                        return read(self).map(Some);
                    }
                }
                Entries::Object { name, left } => {
                    if let Some(fewer) = left.checked_sub(1) {
                        *left = fewer;
                        let pos = std::mem::replace(&mut self.pos, *name);
                        let key = read(self);
                        *name = std::mem::replace(&mut self.pos, pos);
                        return key.map(Some);
                    }
                }
            }
        }
        if let Some(opened) = map.opened.take() {
            self.close(opened);
        }
        Ok(None)
    }

    /// Takes the first byte of a value that may be a reference, which is followed.
    #[inline]
    pub(super) fn enter(&mut self) -> Result<(u8, Option<(usize, u32)>)> {
        match self.tag()? {
            tag::REFERENCE => self.follow(),
            tag => Ok((tag, None)),
        }
    }

    fn follow(&mut self) -> Result<(u8, Option<(usize, u32)>)> {
        let index = self.reference_index()?;
        self.jump(index)
    }

    /// Goes to a container that was read before, to read it again. Gives its first byte, and where to go on later.
    pub(crate) fn jump(&mut self, index: u32) -> Result<(u8, Option<(usize, u32)>)> {
        let slot = self.state.slots.get(index as usize).copied().unwrap_or(Slot { start: 0, end: OPEN });
        if slot.end == OPEN {
            return Err(self.error(ErrorKind::Cycle { index }));
        }
        let limit = self.state.limits.expanded;
        let len = (slot.end - slot.start) as usize;
        self.state.expanded = self.state.expanded.saturating_add(len);
        if self.state.expanded > limit {
            return Err(self.limit("bytes read again through references", limit as u64));
        }
        // What is read once is no longer than the input; text and binaries that are read again would be beyond it.
        self.charge(len)?;
        let resume = Some((self.pos, self.state.replay_slot));
        self.state.replays += 1;
        self.state.replay_slot = index;
        self.pos = slot.start as usize;
        Ok((self.byte()?, resume))
    }

    /// Reads the number of a container behind the tag of a reference.
    pub(crate) fn reference_index(&mut self) -> Result<u32> {
        let index = self.index("the number of a reference")?;
        let count = self.state.slots.len();
        match u32::try_from(index) {
            Ok(index) if (index as usize) < count => Ok(index),
            _ => Err(self.error(ErrorKind::Index { table: "reference", index, count })),
        }
    }

    /// Reads type and length of a list behind its first byte; none if it begins no list.
    pub(crate) fn list_head(&mut self, tag: u8) -> Result<Option<ListHead>> {
        let (typed, fixed) = match tag {
            0x70..=0x77 => (true, Some(usize::from(tag & 7))),
            0x78..=0x7f => (false, Some(usize::from(tag & 7))),
            tag::LIST_FIXED => (true, None),
            tag::LIST_FIXED_UNTYPED => (false, None),
            tag::LIST_VARIABLE => (true, None),
            tag::LIST_VARIABLE_UNTYPED => (false, None),
            _ => return Ok(None),
        };
        let type_at = if typed { Some(self.type_name()?) } else { None };
        let fixed = match tag {
            tag::LIST_FIXED | tag::LIST_FIXED_UNTYPED => Some(self.list_len()?),
            _ => fixed,
        };
        if let Some(len) = fixed {
            self.check_len(len as i64)?;
            self.check_items(len)?;
            self.count_nodes(len)?;
        }
        Ok(Some(ListHead { fixed, type_at }))
    }

    fn list_len(&mut self) -> Result<usize> {
        let len = self.index("the length of a list")?;
        self.check_len(len)
    }

    /// Each item takes a byte at least, so the test is exact.
    fn check_len(&self, len: i64) -> Result<usize> {
        let left = self.remaining();
        match usize::try_from(len) {
            Ok(len) if len <= left => Ok(len),
            _ => Err(self.error(ErrorKind::Length { what: "list", length: len, left })),
        }
    }

    fn check_items(&self, items: usize) -> Result<()> {
        let limit = self.state.limits.items;
        if items > limit {
            return Err(self.limit("items in a list or map", limit as u64));
        }
        Ok(())
    }

    /// Whether a container that ends at a mark goes on, with `values` more values; if not, the mark is taken. `items`
    /// are those of the container so far.
    #[inline]
    pub(crate) fn more(&mut self, items: &mut usize, values: usize) -> Result<bool> {
        match self.buf.get(self.pos) {
            Some(&tag::END) => {
                self.pos += 1;
                Ok(false)
            }
            Some(_) => {
                *items += 1;
                self.check_items(*items)?;
                self.count_nodes(values)?;
                Ok(true)
            }
            None => Err(self.unexpected_end()),
        }
    }

    /// Gives a container that begins at `start` its number, and goes a level down.
    #[inline]
    pub(crate) fn open(&mut self, start: usize, resume: Option<(usize, u32)>) -> Result<Opened> {
        let limit = self.state.limits.depth;
        if self.state.depth >= limit {
            return Err(self.limit("levels of containers", u64::from(limit)));
        }
        self.state.depth += 1;
        let slot = self.number_container(start)?;
        Ok(Opened { slot, resume })
    }

    /// The number of a container that begins at `start`; from now on it is open.
    #[inline]
    fn number_container(&mut self, start: usize) -> Result<u32> {
        if self.state.replays > 0 {
            let number = self.state.replay_slot;
            self.state.replay_slot = number.wrapping_add(1);
            if let Some(slot) = self.state.slots.get_mut(number as usize) {
                slot.end = OPEN;
            }
            return Ok(number);
        }
        let start = self.offset(start)?;
        let number = self.offset(self.state.slots.len())?;
        if self.state.slots.len() == self.state.slots.capacity() {
            let more = self.growth::<Slot>(self.state.slots.len())?;
            self.state.slots.reserve_exact(more);
        }
        self.state.slots.push(Slot { start, end: OPEN });
        Ok(number)
    }

    /// Number of the next container.
    pub(crate) fn next_slot(&self) -> u32 {
        if self.state.replays > 0 { self.state.replay_slot } else { self.state.slots.len() as u32 }
    }

    /// The target of the reference that is next, if one is; it stays unread.
    pub(crate) fn peek_reference(&mut self) -> Result<Option<u32>> {
        if self.buf.get(self.pos) != Some(&tag::REFERENCE) {
            return Ok(None);
        }
        let start = self.pos;
        self.pos += 1;
        let index = self.reference_index();
        self.pos = start;
        index.map(Some)
    }

    /// Takes a reference to a container that is still being read, if one is next: what Java's exceptions have as
    /// `cause` when they have none.
    pub(crate) fn take_open_reference(&mut self) -> Result<bool> {
        match self.peek_reference()? {
            Some(slot) if self.state.slots.get(slot as usize).is_some_and(|slot| slot.end == OPEN) => {
                self.skip()?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    pub(crate) fn shared(&mut self) -> &mut Read {
        &mut self.state.shared
    }

    /// Number of the next container that is not reached through a reference; `u32::MAX` inside of a reference.
    pub(crate) fn next_new_slot(&self) -> u32 {
        if self.state.replays > 0 { u32::MAX } else { self.state.slots.len() as u32 }
    }

    /// Marks a container as read.
    #[inline]
    fn end_container(&mut self, number: u32) {
        // Offsets were checked when the container opened; a body beyond u32 fails at its next container.
        if let Some(slot) = self.state.slots.get_mut(number as usize) {
            slot.end = u32::try_from(self.pos).unwrap_or(u32::MAX);
        }
    }

    #[inline]
    pub(crate) fn close(&mut self, opened: Opened) {
        self.end_container(opened.slot);
        self.state.depth = self.state.depth.saturating_sub(1);
        if let Some((pos, replay_slot)) = opened.resume {
            self.pos = pos;
            self.state.replay_slot = replay_slot;
            self.state.replays = self.state.replays.saturating_sub(1);
        }
    }
}
