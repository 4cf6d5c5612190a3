//! Owns the class and type tables of an outgoing body. It never writes.

use std::collections::HashMap;

use super::{EncodeState, Encoder};
use crate::class::Class;

/// Entries of each table, and bytes of names, whose memory is kept from body to body.
const KEPT: usize = 256;
const KEPT_BYTES: usize = 16 << 10;

/// Classes in the order of their definitions.
#[derive(Debug, Default)]
pub(crate) struct ClassTable {
    entries: Vec<Entry>,
    /// Definitions that no static holds, one behind the other.
    definitions: Vec<u8>,
}

#[derive(Debug)]
struct Entry {
    fingerprint: u64,
    definition: Definition,
}

#[derive(Debug, Clone, Copy)]
enum Definition {
    Static(&'static Class),
    Kept { start: usize, len: usize },
}

/// Whether a class had its definition written already.
pub(crate) enum ClassIndex {
    Known(u32),
    New(u32),
}

impl ClassTable {
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.entries.shrink_to(KEPT);
        self.definitions.clear();
        self.definitions.shrink_to(KEPT_BYTES);
    }

    /// Index of a class that lives in a static. The address decides in nearly every case.
    #[inline]
    pub(crate) fn index_of(&mut self, class: &'static Class) -> ClassIndex {
        for (index, entry) in self.entries.iter().enumerate() {
            if matches!(entry.definition, Definition::Static(known) if std::ptr::eq(known, class)) {
                return ClassIndex::Known(index as u32);
            }
        }
        self.index_of_new(class)
    }

    fn index_of_new(&mut self, class: &'static Class) -> ClassIndex {
        if class.definition.is_empty() {
            return self.index_by_name(class.name, class.fields);
        }
        let fingerprint = fingerprint(class.definition);
        match self.find(fingerprint, class.definition) {
            Some(index) => ClassIndex::Known(index),
            None => {
                self.entries.push(Entry { fingerprint, definition: Definition::Static(class) });
                ClassIndex::New(self.entries.len() as u32 - 1)
            }
        }
    }

    /// Index of a class that is known by its name and fields only.
    pub(crate) fn index_by_name(&mut self, name: &str, fields: &[&str]) -> ClassIndex {
        let start = self.definitions.len();
        definition_bytes(name, fields, &mut self.definitions);
        let definition = self.definitions.get(start..).unwrap_or_default();
        let fingerprint = fingerprint(definition);
        if let Some(index) = self.find(fingerprint, definition) {
            self.definitions.truncate(start);
            return ClassIndex::Known(index);
        }
        let definition = Definition::Kept { start, len: definition.len() };
        self.entries.push(Entry { fingerprint, definition });
        ClassIndex::New(self.entries.len() as u32 - 1)
    }

    /// Number of classes so far.
    #[cfg(feature = "serde")]
    pub(crate) fn len(&self) -> u32 {
        self.entries.len() as u32
    }

    /// Index of the first class that has these bytes as its definition.
    #[cfg(feature = "serde")]
    pub(crate) fn index_by_definition(&self, definition: &[u8]) -> Option<u32> {
        self.find(fingerprint(definition), definition)
    }

    /// Adds a class. Without bytes it is one that cannot be found yet: see [`fill`](Self::fill).
    #[cfg(feature = "serde")]
    pub(crate) fn push(&mut self, definition: &[u8]) -> u32 {
        let index = self.len();
        self.entries.push(Entry { fingerprint: 0, definition: Definition::Kept { start: 0, len: 0 } });
        self.fill(index, definition);
        index
    }

    /// Gives a class that was added without bytes its definition.
    #[cfg(feature = "serde")]
    pub(crate) fn fill(&mut self, index: u32, definition: &[u8]) {
        let (start, len) = (self.definitions.len(), definition.len());
        self.definitions.extend_from_slice(definition);
        if let Some(entry) = self.entries.get_mut(index as usize) {
            *entry =
                Entry { fingerprint: fingerprint(definition), definition: Definition::Kept { start, len } };
        }
    }

    /// The definitions of some classes, one behind the other; each class is added once more.
    #[cfg(feature = "serde")]
    pub(crate) fn repeat(&mut self, classes: std::ops::Range<u32>) -> Vec<u8> {
        let mut all = Vec::new();
        for index in classes {
            let definition =
                self.entries.get(index as usize).map(|entry| self.bytes(entry).to_vec()).unwrap_or_default();
            self.push(&definition);
            all.extend_from_slice(&definition);
        }
        all
    }

    fn find(&self, fingerprint: u64, definition: &[u8]) -> Option<u32> {
        let same = |entry: &Entry| entry.fingerprint == fingerprint && self.bytes(entry) == definition;
        self.entries.iter().position(same).map(|index| index as u32)
    }

    fn bytes(&self, entry: &Entry) -> &[u8] {
        match entry.definition {
            Definition::Static(class) => class.definition,
            Definition::Kept { start, len } => self.definitions.get(start..start + len).unwrap_or_default(),
        }
    }
}

/// Type names in the order in which they were written.
#[derive(Debug, Default)]
pub(crate) struct TypeTable {
    ends: Vec<usize>,
    names: String,
    /// Filled when there are more names than a scan should go through.
    index: HashMap<Box<str>, u32>,
}

/// Names up to which a scan is quicker than hashing.
const SCANNED: usize = 16;

impl TypeTable {
    pub(crate) fn clear(&mut self) {
        self.ends.clear();
        self.ends.shrink_to(KEPT);
        self.names.clear();
        self.names.shrink_to(KEPT_BYTES);
        self.index = HashMap::new();
    }

    /// Index of a name that was written before; otherwise the name is added and `None` comes back.
    pub(crate) fn index_of(&mut self, name: &str) -> Option<u32> {
        let new = self.ends.len() as u32;
        if self.ends.len() <= SCANNED {
            if let Some(index) = self.iter().position(|known| known == name) {
                return Some(index as u32);
            }
        } else {
            if self.index.is_empty() {
                self.index = self.iter().map(Box::from).zip(0..).collect();
            }
            if let Some(&index) = self.index.get(name) {
                return Some(index);
            }
            self.index.insert(name.into(), new);
        }
        self.names.push_str(name);
        self.ends.push(self.names.len());
        None
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| self.names.get(start..end).unwrap_or_default())
    }
}

/// The bytes of `C name count field*`.
pub(super) fn definition_bytes(name: &str, fields: &[&str], out: &mut Vec<u8>) {
    let mut state = EncodeState::new();
    state.begin(out);
    Encoder::new(out, &mut state).definition(name, fields);
}

/// Cheap and good enough to tell most definitions apart: length, both ends and the middle.
fn fingerprint(definition: &[u8]) -> u64 {
    let word = |at: usize| {
        definition
            .get(at..)
            .and_then(|rest| rest.first_chunk::<8>())
            .map_or(0, |bytes| u64::from_le_bytes(*bytes))
    };
    let len = definition.len();
    let mixed = word(0) ^ word(len / 2).rotate_left(17) ^ word(len.saturating_sub(8)).rotate_left(41);
    mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ len as u64
}
