//! Owns `Decode` of tuples and arrays: lists with exactly as many items.

use super::{Decode, Decoder, ListReader};
use crate::error::{ErrorKind, Result};

/// Reads from a list of `N` items, or for bytes from a binary of `N`.
impl<'de, T: Decode<'de>, const N: usize> Decode<'de> for [T; N] {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        let items = T::decode_vec(d)?;
        let found = items.len();
        items.try_into().map_err(|_| d.error(ErrorKind::Items { expected: N, found }))
    }
}

macro_rules! tuples {
    ($($len:literal: $($item:ident $index:tt)*;)*) => {$(
        /// A list with as many items.
        impl<'de, $($item: Decode<'de>),*> Decode<'de> for ($($item,)*) {
            fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
                let mut list = d.list()?;
                let items = ($(next::<$item>(d, &mut list, $index, $len)?,)*);
                end(d, &mut list, $len)?;
                Ok(items)
            }
        }
    )*};
}

fn next<'de, T: Decode<'de>>(
    d: &mut Decoder<'de, '_>,
    list: &mut ListReader,
    index: usize,
    expected: usize,
) -> Result<T> {
    if !d.next_item(list)? {
        return Err(d.error(ErrorKind::Items { expected, found: index }));
    }
    d.read().map_err(|error| error.in_item(index))
}

fn end(d: &mut Decoder<'_, '_>, list: &mut ListReader, expected: usize) -> Result<()> {
    if d.next_item(list)? {
        let found = expected + 1 + list.len().unwrap_or_default();
        return Err(d.error(ErrorKind::Items { expected, found }));
    }
    Ok(())
}

tuples! {
    1: A 0;
    2: A 0 B 1;
    3: A 0 B 1 C 2;
    4: A 0 B 1 C 2 D 3;
    5: A 0 B 1 C 2 D 3 E 4;
    6: A 0 B 1 C 2 D 3 E 4 F 5;
    7: A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    8: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
}
