//! Owns what an outgoing body remembers between values: table sizes, the depth, the dialect, and where the buffer of Java
//! would begin. It never holds bytes of the body.

use super::dialect::Dialect;
#[cfg(feature = "serde")]
use super::learned::Learned;
use super::tables::{ClassTable, TypeTable};
use crate::limits::Limits;
use crate::shared::Written;
use crate::sink::Sink;

/// Tables of one outgoing body.
///
/// Made once per connection and reused: [`begin`](Self::begin) empties the tables but keeps the memory that ordinary
/// bodies need, and the dialect, so that writing them allocates nothing in the steady state. One body, with all its
/// arguments and attachments, shares one set of tables.
#[derive(Debug)]
pub struct EncodeState {
    pub(super) classes: ClassTable,
    pub(super) types: TypeTable,
    /// Classes of serde types, kept from body to body.
    #[cfg(feature = "serde")]
    pub(super) learned: Learned,
    /// Containers written so far: the number that the next one gets.
    pub(super) slots: u32,
    pub(super) depth: u32,
    max_depth: u32,
    dialect: Dialect,
    /// Bytes of Java's buffer in this dialect.
    buffer: usize,
    pub(super) shared: Written,
    /// Where Java's buffer will be full: its size behind where it was flushed last. Java cuts binaries there.
    pub(super) full: usize,
}

impl EncodeState {
    /// An empty state. Containers may lie [`Limits::DEPTH`] deep.
    pub fn new() -> Self {
        Self::with_depth(Limits::DEPTH)
    }

    /// An empty state for containers up to `depth` deep.
    pub fn with_depth(depth: u32) -> Self {
        Self {
            classes: ClassTable::default(),
            types: TypeTable::default(),
            #[cfg(feature = "serde")]
            learned: Learned::default(),
            slots: 0,
            depth: 0,
            max_depth: depth,
            dialect: Dialect::default(),
            buffer: Dialect::default().buffer(),
            shared: Written::default(),
            full: Dialect::default().buffer(),
        }
    }

    /// Writes for another version of Java's codec from the next body on. Call it before [`begin`](Self::begin).
    pub fn set_dialect(&mut self, dialect: Dialect) {
        self.full = self.full - self.buffer + dialect.buffer();
        self.dialect = dialect;
        self.buffer = dialect.buffer();
    }

    /// The version of Java's codec that is written for.
    #[inline]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Begins a body at the end of `out`. Call it for each body: tables of another one would give wrong references.
    pub fn begin<S: Sink>(&mut self, out: &S) {
        self.classes.clear();
        self.types.clear();
        #[cfg(feature = "serde")]
        self.learned.begin();
        self.slots = 0;
        self.depth = 0;
        self.shared = Written::default();
        self.flushed_at(out.size());
    }

    /// Java flushes its buffer when the output has this size.
    #[inline]
    pub(super) fn flushed_at(&mut self, size: usize) {
        self.full = size + self.buffer;
    }

    #[inline]
    pub(super) fn buffer(&self) -> usize {
        self.buffer
    }

    #[inline]
    pub(super) fn max_depth(&self) -> u32 {
        self.max_depth
    }
}

impl Default for EncodeState {
    fn default() -> Self {
        Self::new()
    }
}
