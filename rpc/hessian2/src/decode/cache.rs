//! Owns the class definitions that a connection has learned: their raw bytes, and for each Rust type that was read
//! from them, which field of the type a wire field is. It never trusts a definition without comparing its bytes.

/// Learned definitions, bounded by [`Limits::cache`](crate::Limits::cache).
///
/// Entries `0..learned` hold bytes and outlive the body. When the limit is reached, the other entries of the body
/// hold none; such a body clears the whole cache at its end, so that a connection whose classes change over time
/// learns the new ones.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    entries: Vec<Entry>,
    learned: usize,
    /// Wire field to field of the type, for all entries, one map behind the other.
    maps: Vec<u16>,
    /// Entries that the last body defined, in order: the guess for the next body.
    order: Vec<u32>,
    used: usize,
    full: bool,
}

#[derive(Debug)]
struct Entry {
    key: u64,
    bytes: Box<[u8]>,
    fields: u32,
    maps: Vec<FieldMap>,
}

#[derive(Debug)]
struct FieldMap {
    names: &'static [&'static str],
    start: usize,
}

/// A wire field that the type does not have.
pub(crate) const UNKNOWN: u16 = u16::MAX;

/// What an entry costs beyond its bytes.
const OVERHEAD: usize = size_of::<Entry>() + size_of::<FieldMap>();

/// A definition found in the cache.
pub(crate) struct Hit {
    pub(crate) entry: u32,
    pub(crate) len: usize,
    pub(crate) fields: u32,
}

impl Cache {
    /// The entry whose bytes the rest of the body begins with. `nth` is the number of the definition in its body.
    #[inline]
    pub(crate) fn find(&self, rest: &[u8], nth: usize) -> Option<Hit> {
        if let Some(&guess) = self.order.get(nth)
            && let Some(entry) = self.entries.get(guess as usize)
            && rest.starts_with(&entry.bytes)
        {
            return Some(Hit { entry: guess, len: entry.bytes.len(), fields: entry.fields });
        }
        self.search(rest)
    }

    fn search(&self, rest: &[u8]) -> Option<Hit> {
        let key = key(rest);
        let known = self.entries.get(..self.learned)?;
        let at = known.iter().position(|entry| entry.key == key && rest.starts_with(&entry.bytes))?;
        let entry = known.get(at)?;
        Some(Hit { entry: at as u32, len: entry.bytes.len(), fields: entry.fields })
    }

    /// Adds a definition that was read in full. `definition` begins at the class name.
    pub(crate) fn learn(&mut self, definition: &[u8], fields: u32, limit: usize) -> u32 {
        let cost = definition.len() + OVERHEAD;
        if self.used + cost > limit {
            self.full = true;
        }
        let bytes = if self.full { Box::default() } else { Box::from(definition) };
        self.entries.push(Entry { key: key(definition), bytes, fields, maps: Vec::new() });
        if !self.full {
            self.used += cost;
            self.learned = self.entries.len();
        }
        self.entries.len() as u32 - 1
    }

    /// Where the map of a type begins, if this definition was read into that type before.
    #[inline]
    pub(crate) fn map(&self, entry: u32, names: &'static [&'static str]) -> Option<usize> {
        let maps = &self.entries.get(entry as usize)?.maps;
        maps.iter().find(|map| std::ptr::eq(map.names, names)).map(|map| map.start)
    }

    /// Adds the map of a type, one number for each wire field, and gives its start.
    pub(crate) fn add_map(
        &mut self,
        entry: u32,
        names: &'static [&'static str],
        map: &[u16],
        limit: usize,
    ) -> usize {
        let start = self.maps.len();
        self.maps.extend_from_slice(map);
        if let Some(entry) = self.entries.get_mut(entry as usize) {
            entry.maps.push(FieldMap { names, start });
        }
        self.used += size_of_val(map);
        self.full |= self.used > limit;
        start
    }

    /// Field of the type for the wire field at `index` of `self.maps`.
    #[inline]
    pub(crate) fn field(&self, index: usize) -> u16 {
        self.maps.get(index).copied().unwrap_or(UNKNOWN)
    }

    /// Ends a body that has defined these entries.
    pub(crate) fn end_body(&mut self, defined: impl Iterator<Item = u32>) {
        self.order.clear();
        if self.full {
            *self = Self { order: std::mem::take(&mut self.order), ..Self::default() };
        } else {
            self.order.extend(defined);
        }
    }
}

/// Length and last letters of the class name: what definitions of one program differ in.
fn key(definition: &[u8]) -> u64 {
    let (start, len) = match *definition {
        [tag @ 0..=0x1f, ..] => (1, usize::from(tag)),
        [tag @ 0x30..=0x33, low, ..] => (2, usize::from(tag & 3) << 8 | usize::from(low)),
        _ => return 0,
    };
    let end = start + len;
    let last = definition.get(end.saturating_sub(8)..end).and_then(|last| last.first_chunk::<8>());
    last.map_or(0, |last| u64::from_le_bytes(*last)) ^ (len as u64) << 56
}

#[cfg(test)]
mod tests {
    use super::*;

    static NAMES: [&str; 1] = ["a"];

    #[test]
    fn a_full_cache_serves_its_body_and_is_cleared_at_the_end() {
        let mut cache = Cache::default();
        let limit = 2 * (5 + OVERHEAD);
        let [first, second, third] = [b"\x01A\x91\x01a", b"\x01B\x91\x01a", b"\x01C\x91\x01a"]
            .map(|bytes| cache.learn(bytes, 1, limit));
        assert!(cache.find(b"\x01B\x91\x01a", 1).is_some());
        assert!(cache.find(b"\x01C\x91\x01a", 2).is_none(), "the limit takes two entries");
        for entry in [first, second, third] {
            let start = cache.add_map(entry, &NAMES, &[0], limit);
            assert_eq!(cache.map(entry, &NAMES), Some(start));
            assert_eq!(cache.field(start), 0);
        }
        cache.end_body([first, second, third].into_iter());
        assert!(cache.find(b"\x01A\x91\x01a", 0).is_none());
        assert_eq!(cache.used, 0);
    }

    #[test]
    fn a_definition_is_found_at_its_old_place_and_elsewhere() {
        let mut cache = Cache::default();
        let first = cache.learn(b"\x09com.x.One\x90", 0, 4096);
        let second = cache.learn(b"\x09com.x.Two\x90", 0, 4096);
        cache.end_body([first, second].into_iter());
        for nth in 0..3 {
            assert_eq!(
                cache.find(b"\x09com.x.Two\x90\x60", nth).map(|hit| (hit.entry, hit.len)),
                Some((1, 11))
            );
        }
    }
}
