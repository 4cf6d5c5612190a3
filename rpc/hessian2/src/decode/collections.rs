//! Owns `Decode` of lists, sets and maps. Each charges its memory before it grows: a single byte of input can be a
//! whole struct.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::rc::Rc;
use std::sync::Arc;

use super::{Decode, Decoder};
use crate::error::Result;

/// Reads a list of any form.
pub(super) fn vec<'de, T: Decode<'de>>(d: &mut Decoder<'de, '_>) -> Result<Vec<T>> {
    d.inside::<T, _>(items)
}

fn items<'de, T: Decode<'de>>(d: &mut Decoder<'de, '_>) -> Result<Vec<T>> {
    let mut list = d.list()?;
    let mut items = Vec::new();
    if let Some(len) = list.len() {
        d.charge(len.saturating_mul(size_of::<T>()))?;
        items.reserve_exact(len);
    }
    while d.next_item(&mut list)? {
        if items.len() == items.capacity() {
            let more = items.len().max(4);
            d.charge(more.saturating_mul(size_of::<T>()))?;
            items.reserve_exact(more);
        }
        items.push(item(d, items.len())?);
    }
    Ok(items)
}

#[inline]
fn item<'de, T: Decode<'de>>(d: &mut Decoder<'de, '_>, index: usize) -> Result<T> {
    d.read().map_err(|error| error.in_item(index))
}

impl<'de, T: Decode<'de>> Decode<'de> for Vec<T> {
    #[inline]
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        T::decode_vec(d)
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok(Self::new())
    }
}

impl<'de, T: Decode<'de>> Decode<'de> for VecDeque<T> {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        vec(d).map(Self::from)
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok(Self::new())
    }
}

macro_rules! slices {
    ($($ty:ty)*) => {$(
        /// A slice on the heap is read as a vector is.
        impl<'de, T: Decode<'de>> Decode<'de> for $ty {
            fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
                T::decode_vec(d).map(Self::from)
            }

            fn absent(_: &'static str) -> Result<Self> {
                Ok(Self::default())
            }
        }
    )*};
}

slices!(Box<[T]> Rc<[T]> Arc<[T]>);

impl<'de, T: Decode<'de> + Eq + Hash, H: BuildHasher + Default> Decode<'de> for HashSet<T, H> {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        let mut items = Self::default();
        each(d, Growth::Table, |item| _ = items.insert(item))?;
        Ok(items)
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok(Self::default())
    }
}

impl<'de, T: Decode<'de> + Ord> Decode<'de> for BTreeSet<T> {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        let mut items = Self::new();
        each(d, Growth::Tree, |item| _ = items.insert(item))?;
        Ok(items)
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok(Self::new())
    }
}

/// The last of several equal keys counts, as in Java.
impl<'de, K: Decode<'de> + Eq + Hash, V: Decode<'de>, H: BuildHasher + Default> Decode<'de>
    for HashMap<K, V, H>
{
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        let mut entries = Self::default();
        each_entry(d, Growth::Table, |key, value| _ = entries.insert(key, value))?;
        Ok(entries)
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok(Self::default())
    }
}

/// The last of several equal keys counts, as in Java.
impl<'de, K: Decode<'de> + Ord, V: Decode<'de>> Decode<'de> for BTreeMap<K, V> {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        let mut entries = Self::new();
        each_entry(d, Growth::Tree, |key, value| _ = entries.insert(key, value))?;
        Ok(entries)
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok(Self::new())
    }
}

/// How a collection of items grows.
#[derive(Clone, Copy)]
pub(crate) enum Growth {
    /// A vector begins with four places and doubles.
    Vec,
    /// A hash table begins with a few places and doubles when seven of eight are taken.
    Table,
    /// Nodes of a tree have places for eleven, and are half empty when they come from splitting. Inner nodes are few.
    Tree,
}

impl Growth {
    /// Memory for one more item, of `size` bytes, when there is no room beside `len` others.
    fn bytes(self, len: usize, size: usize) -> usize {
        match self {
            Self::Vec => size.saturating_mul(len.max(4)),
            Self::Table => table_growth(len, size),
            Self::Tree => size.saturating_mul(11).saturating_add(128),
        }
    }

    /// Items that there is room for then.
    fn room(self, len: usize) -> usize {
        match (self, len) {
            (Self::Vec, 0) => 4,
            (Self::Table, 0) => 3,
            (Self::Table, 3) => 7,
            (Self::Vec | Self::Table, _) => len.saturating_mul(2),
            (Self::Tree, _) => len.saturating_add(4),
        }
    }
}

/// Memory that a hash table of `len` items takes for one more of `size` bytes: none while there is room.
pub(crate) fn table_growth(len: usize, size: usize) -> usize {
    let places = match len {
        0 => 4,
        3 => 8,
        _ if len.is_multiple_of(7) && (len / 7).is_power_of_two() => len.saturating_mul(16) / 7,
        _ => return 0,
    };
    places.saturating_mul(size + 1).saturating_add(48)
}

fn each<'de, T: Decode<'de>>(d: &mut Decoder<'de, '_>, growth: Growth, mut put: impl FnMut(T)) -> Result<()> {
    d.inside::<T, _>(|d| {
        let mut list = d.list()?;
        let (mut index, mut room) = (0, 0);
        while d.next_item(&mut list)? {
            if index == room {
                d.charge(growth.bytes(index, size_of::<T>()))?;
                room = growth.room(index);
            }
            put(item(d, index)?);
            index += 1;
        }
        Ok(())
    })
}

/// Reads a map entry by entry.
pub(crate) fn each_entry<'de, K: Decode<'de>, V: Decode<'de>>(
    d: &mut Decoder<'de, '_>,
    growth: Growth,
    mut put: impl FnMut(K, V),
) -> Result<()> {
    d.inside::<(K, V), _>(|d| {
        let mut map = d.map()?;
        let (mut index, mut room) = (0, 0);
        while let Some(key) = d.next_key(&mut map).map_err(|error| error.in_item(index))? {
            if index == room {
                d.charge(growth.bytes(index, size_of::<(K, V)>()))?;
                room = growth.room(index);
            }
            put(key, item(d, index)?);
            index += 1;
        }
        Ok(())
    })
}
