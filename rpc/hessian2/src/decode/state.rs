//! Owns what an incoming body remembers between values: position, tables, budgets. It holds offsets into the body
//! and never the body's bytes, except definitions learned from earlier bodies.

use super::cache::Cache;
use super::skip::Frame;
use crate::limits::Limits;
use crate::shared::Read;

/// Position and tables of one incoming body.
///
/// Made once per connection and reused: [`reset`](Self::reset) makes it ready for the next body, but keeps memory
/// and learned class definitions, so that reading into borrowed fields allocates nothing in the steady state. All
/// values of one body share one set of tables and one budget.
///
/// After an error the state is of no use until it is reset.
#[derive(Debug)]
pub struct DecodeState {
    pub(super) limits: Limits,
    pub(super) pos: usize,
    pub(super) depth: u32,
    /// Bytes of the types that are being read inside each other.
    pub(super) stack: usize,
    /// Bytes of memory charged so far.
    pub(super) spent: usize,
    /// Bytes read again because of references.
    pub(super) expanded: usize,
    /// Values that containers hold, counted so far.
    pub(super) nodes: usize,
    /// How many references are being followed right now. While it is above zero, no table is added to.
    pub(super) replays: u32,
    /// While a reference is followed: the number of the next container that opens.
    pub(super) replay_slot: u32,
    pub(super) slots: Vec<Slot>,
    /// Offsets of the type names.
    pub(super) types: Vec<u32>,
    pub(super) classes: Vec<ClassAt>,
    pub(super) cache: Cache,
    pub(super) shared: Read,
    /// Stack of [`Decoder::skip`](super::Decoder::skip), kept for its memory.
    pub(super) skip: Vec<Frame>,
}

/// A container of this body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    /// Offset of its first byte, behind the definitions of its class.
    pub(crate) start: u32,
    /// Offset behind it; [`OPEN`] while it is being read.
    pub(crate) end: u32,
}

/// A container that is being read has no end yet. No container ends at offset 0.
pub(crate) const OPEN: u32 = 0;

/// A class definition of this body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClassAt {
    /// Offset of the class name.
    pub(crate) name: u32,
    pub(crate) fields: u32,
    /// Entry of the cache.
    pub(crate) entry: u32,
}

impl DecodeState {
    /// An empty state with the default limits.
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// An empty state.
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            limits,
            pos: 0,
            depth: 0,
            stack: 0,
            spent: 0,
            expanded: 0,
            nodes: 0,
            replays: 0,
            replay_slot: 0,
            slots: Vec::new(),
            types: Vec::new(),
            classes: Vec::new(),
            cache: Cache::default(),
            shared: Read::default(),
            skip: Vec::new(),
        }
    }

    /// Makes the state ready for another body, or for reading the same body again from its start. Of its memory it
    /// keeps what ordinary bodies need, not what the largest one took.
    pub fn reset(&mut self) {
        self.cache.end_body(self.classes.iter().map(|class| class.entry));
        self.pos = 0;
        self.depth = 0;
        self.stack = 0;
        self.spent = 0;
        self.expanded = 0;
        self.nodes = 0;
        self.replays = 0;
        self.replay_slot = 0;
        self.shared = Read::default();
        empty(&mut self.slots);
        empty(&mut self.types);
        empty(&mut self.classes);
        empty(&mut self.skip);
    }

    /// The limits that it was made with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Offset in the body of the next value, in bytes.
    pub fn position(&self) -> usize {
        self.pos
    }
}

/// Entries of each table whose memory is kept from body to body.
const KEPT: usize = 1_024;

fn empty<T>(table: &mut Vec<T>) {
    table.clear();
    if table.capacity() > KEPT {
        table.shrink_to(KEPT);
    }
}

impl Default for DecodeState {
    fn default() -> Self {
        Self::new()
    }
}
