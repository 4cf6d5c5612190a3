//! Owns `Encode` of tuples: untyped lists.

use super::{Encode, Encoder};
use crate::error::Result;
use crate::sink::Sink;

macro_rules! tuples {
    ($($len:literal: $($item:ident $index:tt)*;)*) => {$(
        /// An untyped list.
        impl<$($item: Encode),*> Encode for ($($item,)*) {
            fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
                e.list($len)?;
                $(self.$index.encode_to(e).map_err(|error| error.in_item($index))?;)*
                e.end_list();
                Ok(())
            }
        }
    )*};
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
