//! Owns `Values`, the values of a body that may hold parts in common. What one value is, `Value` tells.

use std::fmt;

use super::graph::{Graph, Slot};
use super::{Val, compare, debug, read, write};
use crate::decode::{DecodeState, Decoder};
use crate::encode::Encoder;
use crate::error::Result;
use crate::sink::Sink;

/// Several values of one body in one arena.
///
/// Arguments of a call may hold the same list, map or object, and a body says so by references. Read one by one, each
/// [`Value`](crate::Value) gets a copy of its own; read together they keep what they share, and are written again with
/// the same references.
///
/// ```
/// use getty_hessian2::{EncodeState, Encoder, Values};
///
/// let body = b"\x79\x91\x51\x90"; // a list, and the same list again
/// let values = Values::parse(body)?;
/// let [first, second] = [0, 1].map(|index| values.get(index));
/// assert!(first.is_same(second));
///
/// let (mut out, mut state) = (Vec::new(), EncodeState::new());
/// values.write(&mut Encoder::new(&mut out, &mut state))?;
/// assert_eq!(out, body);
/// # Ok::<(), getty_hessian2::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Values {
    graph: Graph,
    roots: Vec<Slot>,
}

impl Values {
    /// Reads all values of a body, with the default [`Limits`](crate::Limits).
    ///
    /// # Errors
    ///
    /// When the bytes are malformed, end early, or go beyond a limit.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::read_to_end(&mut Decoder::new(bytes, &mut DecodeState::new()))
    }

    /// Reads the next `count` values. References to what was read before, outside of them, become one copy.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), also when there are fewer values.
    pub fn read(d: &mut Decoder<'_, '_>, count: usize) -> Result<Self> {
        read::values(d, Some(count)).map(|(graph, roots)| Self { graph, roots })
    }

    /// Reads the values that are left of a body.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn read_to_end(d: &mut Decoder<'_, '_>) -> Result<Self> {
        read::values(d, None).map(|(graph, roots)| Self { graph, roots })
    }

    /// Writes the values one behind the other. What they share is written once.
    ///
    /// # Errors
    ///
    /// When containers lie deeper than the state allows. Bytes may have been written by then: the caller truncates its
    /// buffer.
    pub fn write<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        write::values(&self.graph, &self.roots, e)
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.roots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// A value; missing if there are fewer.
    pub fn get(&self, index: usize) -> Val<'_> {
        self.roots.get(index).map_or(Val::MISSING, |&root| Val::of_slot(&self.graph, root))
    }

    /// The values in the order of the body.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Val<'_>> + DoubleEndedIterator {
        self.roots.iter().map(|&root| Val::of_slot(&self.graph, root))
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug::print_all(self.iter(), f)
    }
}

/// Equal if the values are, one by one; which parts they share does not matter.
impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        compare::all_equal((&self.graph, &self.roots), (&other.graph, &other.roots))
    }
}
