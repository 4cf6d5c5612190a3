//! Owns the decoder's face and its cursor: position, errors, budgets. How each kind of value is read lies in the
//! sibling modules.

use super::{Decode, DecodeState};
use crate::error::{Error, ErrorKind, Found, Result};
use crate::kind::{Kind, tag};

/// Reads values one after the other from the bytes of a body.
///
/// `'de` is the body, which borrowed values point into; `'s` the state, which several decoders may use in turn for
/// one body: each goes on where the last one stopped, also when that one was dropped early.
#[derive(Debug)]
pub struct Decoder<'de, 's> {
    pub(super) buf: &'de [u8],
    pub(super) pos: usize,
    pub(super) state: &'s mut DecodeState,
}

/// A place between two values of a body, with the tables as they were: see [`Decoder::mark`].
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    pos: usize,
    spent: usize,
    expanded: usize,
    nodes: usize,
    depth: u32,
    stack: usize,
    replays: u32,
    replay_slot: u32,
    slots: usize,
    types: usize,
    classes: usize,
}

impl<'de, 's> Decoder<'de, 's> {
    /// Goes on at the state's position in `buf`, which must be the same whole body each time.
    pub fn new(buf: &'de [u8], state: &'s mut DecodeState) -> Self {
        Self { buf, pos: state.pos, state }
    }

    /// Reads a value.
    ///
    /// # Errors
    ///
    /// Those of the value's [`Decode`].
    #[inline]
    pub fn read<T: Decode<'de>>(&mut self) -> Result<T> {
        T::decode_from(self)
    }

    /// Kind of the next value, which stays unread; none when no bytes are left or no value begins here.
    pub fn peek(&self) -> Option<Kind> {
        Kind::of_tag(*self.buf.get(self.pos)?)
    }

    /// Takes `null` if it is next.
    #[inline]
    pub fn take_null(&mut self) -> bool {
        if self.buf.get(self.pos) == Some(&tag::NULL) {
            self.pos += 1;
            return true;
        }
        false
    }

    /// Offset of the next value, in bytes.
    #[inline]
    pub fn position(&self) -> usize {
        self.pos
    }

    /// Bytes behind the last value that was read.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.buf.len().saturating_sub(self.pos)
    }

    /// Goes on behind so many bytes. They are whole values that neither define classes or types nor can be referred to, such as
    /// text, and that somebody else has read. At the end of the body it stops.
    #[inline]
    pub fn advance(&mut self, bytes: usize) {
        self.pos = self.pos.saturating_add(bytes).min(self.buf.len());
    }

    /// Checks that no bytes are left.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Trailing`].
    pub fn end(&self) -> Result<()> {
        match self.remaining() {
            0 => Ok(()),
            left => Err(self.error(ErrorKind::Trailing { left })),
        }
    }

    /// Remembers this place between two values, so that [`rewind`](Self::rewind) can come back to it: for instance
    /// to skip arguments, read what follows, and read the arguments later.
    pub fn mark(&self) -> Mark {
        Mark {
            pos: self.pos,
            spent: self.state.spent,
            expanded: self.state.expanded,
            nodes: self.state.nodes,
            depth: self.state.depth,
            stack: self.state.stack,
            replays: self.state.replays,
            replay_slot: self.state.replay_slot,
            slots: self.state.slots.len(),
            types: self.state.types.len(),
            classes: self.state.classes.len(),
        }
    }

    /// Goes back to a place of the same body that was marked since the last reset. Tables and budgets are as they
    /// were there; learned definitions stay.
    pub fn rewind(&mut self, mark: Mark) {
        self.pos = mark.pos;
        self.state.spent = mark.spent;
        self.state.expanded = mark.expanded;
        self.state.nodes = mark.nodes;
        self.state.slots.truncate(mark.slots);
        self.state.types.truncate(mark.types);
        self.state.classes.truncate(mark.classes);
        self.state.depth = mark.depth;
        self.state.stack = mark.stack;
        self.state.replays = mark.replays;
        self.state.replay_slot = mark.replay_slot;
    }

    /// Charges memory that is about to be taken for values of this body. Collections of this crate charge
    /// themselves; a hand-written one that grows with the input should charge before it grows.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] when the body's budget is spent: see [`Limits`](crate::Limits).
    #[inline]
    pub fn charge(&mut self, bytes: usize) -> Result<()> {
        let limits = &self.state.limits;
        let budget = limits.memory_factor.saturating_mul(self.buf.len()).saturating_add(limits.memory_floor);
        self.state.spent = self.state.spent.saturating_add(bytes);
        if self.state.spent > budget {
            return Err(self.limit("bytes of memory", budget as u64));
        }
        Ok(())
    }

    /// Reads what lies inside of a box or collection of `T`. All recursion of types goes through one, so this is where
    /// the stack is bounded.
    #[inline]
    pub(crate) fn inside<T, R>(&mut self, read: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        self.inside_bytes(size_of::<T>(), read)
    }

    /// As [`inside`](Self::inside), for a type that counts as `bytes`.
    #[inline]
    pub(crate) fn inside_bytes<R>(
        &mut self,
        bytes: usize,
        read: impl FnOnce(&mut Self) -> Result<R>,
    ) -> Result<R> {
        let outside = self.state.stack;
        self.state.stack = outside.saturating_add(bytes);
        if self.state.stack > self.state.limits.stack {
            return Err(self.limit("bytes of types inside each other", self.state.limits.stack as u64));
        }
        let value = read(self);
        self.state.stack = outside;
        value
    }

    /// Counts values that a container holds.
    #[inline]
    pub(super) fn count_nodes(&mut self, values: usize) -> Result<()> {
        let limit = self.state.limits.nodes;
        self.state.nodes = self.state.nodes.saturating_add(values);
        if self.state.nodes > limit {
            return Err(self.limit("values in a body", limit as u64));
        }
        Ok(())
    }

    /// Makes room for one more item in a vector whose items each take a byte of input at least, and charges it.
    #[inline]
    pub(crate) fn make_room<T>(&mut self, items: &mut Vec<T>) -> Result<()> {
        if items.len() == items.capacity() {
            items.reserve_exact(self.growth::<T>(items.len())?);
        }
        Ok(())
    }

    /// Makes room for `more` items, as far as the input that is left can fill it, and charges it.
    pub(crate) fn make_room_for<T>(&mut self, items: &mut Vec<T>, more: usize) -> Result<()> {
        let free = items.capacity() - items.len();
        if free < more {
            let room = more.max(items.len()).min(self.remaining() + 1);
            self.charge(room.saturating_sub(free).saturating_mul(size_of::<T>()))?;
            items.reserve_exact(room);
        }
        Ok(())
    }

    /// By how much a full vector of `len` items grows, charged: it doubles, but never beyond what the input that is
    /// left can fill.
    #[cold]
    pub(super) fn growth<T>(&mut self, len: usize) -> Result<usize> {
        let more = len.max(4).min(self.remaining() + 1);
        self.charge(more.saturating_mul(size_of::<T>()))?;
        Ok(more)
    }

    /// An error at the current position.
    #[cold]
    pub(crate) fn error(&self, kind: ErrorKind) -> Error {
        Error::at(kind, self.pos)
    }

    #[cold]
    pub(crate) fn limit(&self, what: &'static str, limit: u64) -> Error {
        self.error(ErrorKind::Limit { what, limit })
    }

    #[cold]
    pub(super) fn unexpected_end(&self) -> Error {
        Error::at(ErrorKind::UnexpectedEnd, self.buf.len())
    }

    /// An error for the value that begins with `tag` just before the current position.
    #[cold]
    pub(crate) fn unexpected(&self, expected: &'static str, tag: u8) -> Error {
        let kind = ErrorKind::Unexpected { expected, found: Found(tag) };
        Error::at(kind, self.pos.saturating_sub(1))
    }

    /// Takes a byte.
    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8> {
        match self.buf.get(self.pos) {
            Some(&byte) => {
                self.pos += 1;
                Ok(byte)
            }
            None => Err(self.unexpected_end()),
        }
    }

    /// Takes `N` bytes.
    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        match self.rest().first_chunk::<N>() {
            Some(bytes) => {
                self.pos += N;
                Ok(*bytes)
            }
            None => Err(self.unexpected_end()),
        }
    }

    /// Takes `len` bytes.
    #[inline]
    pub(super) fn slice(&mut self, len: usize) -> Result<&'de [u8]> {
        match self.rest().get(..len) {
            Some(bytes) => {
                self.pos += len;
                Ok(bytes)
            }
            None => Err(self.unexpected_end()),
        }
    }

    #[inline]
    pub(super) fn rest(&self) -> &'de [u8] {
        self.buf.get(self.pos..).unwrap_or_default()
    }

    /// Offset as the tables hold it.
    #[inline]
    pub(crate) fn offset(&self, pos: usize) -> Result<u32> {
        u32::try_from(pos).map_err(|_| self.limit("bytes in a body", u64::from(u32::MAX)))
    }
}

impl Drop for Decoder<'_, '_> {
    fn drop(&mut self) {
        self.state.pos = self.pos;
    }
}
