//! Owns `Encode` of lists, sets and maps: untyped, so that every peer may read them as what it declares.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use super::{Encode, Encoder};
use crate::error::Result;
use crate::sink::Sink;

impl<T: Encode> Encode for [T] {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        T::encode_slice(self, e)
    }
}

impl<T: Encode, const N: usize> Encode for [T; N] {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        T::encode_slice(self, e)
    }
}

impl<T: Encode> Encode for Vec<T> {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        T::encode_slice(self, e)
    }
}

impl<T: Encode> Encode for VecDeque<T> {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        items(self.iter(), e)
    }
}

impl<T: Encode, H> Encode for HashSet<T, H> {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        items(self.iter(), e)
    }
}

impl<T: Encode> Encode for BTreeSet<T> {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        items(self.iter(), e)
    }
}

impl<K: Encode, V: Encode, H> Encode for HashMap<K, V, H> {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        entries(None, self.iter(), e)
    }
}

impl<K: Encode, V: Encode> Encode for BTreeMap<K, V> {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        entries(None, self.iter(), e)
    }
}

fn items<'t, T: Encode + 't, S: Sink>(
    items: impl ExactSizeIterator<Item = &'t T>,
    e: &mut Encoder<'_, S>,
) -> Result<()> {
    e.list(items.len())?;
    for (index, item) in items.enumerate() {
        item.encode_to(e).map_err(|error| error.in_item(index))?;
    }
    e.end_list();
    Ok(())
}

/// Writes a map, with the name of its class or without.
pub(crate) fn entries<'t, K: Encode + 't, V: Encode + 't, S: Sink>(
    class: Option<&str>,
    entries: impl Iterator<Item = (&'t K, &'t V)>,
    e: &mut Encoder<'_, S>,
) -> Result<()> {
    e.map(class)?;
    for (index, (key, value)) in entries.enumerate() {
        key.encode_to(e).map_err(|error| error.in_item(index))?;
        value.encode_to(e).map_err(|error| error.in_item(index))?;
    }
    e.end_map();
    Ok(())
}
