//! Owns looking into values: a cursor that is copied freely and never fails, but reads on as missing.

use std::fmt;

use super::graph::{Graph, NodeKind, Slot};
use super::{Repr, Value};
use crate::decode::DecodeOwned;
use crate::encode::{EncodeState, Encoder};
use crate::error::Result;
use crate::{Date, Kind, utf16};

/// A place in a [`Value`], or no place at all: what is looked up and not found is missing, and so is everything
/// inside of it.
#[derive(Clone, Copy)]
pub struct Val<'v>(pub(super) Inner<'v>);

#[derive(Clone, Copy)]
pub(super) enum Inner<'v> {
    Missing,
    Null,
    Bool(bool),
    Int(i32),
    Long(i64),
    Double(f64),
    Date(i64),
    Text(&'v str),
    Odd(&'v [u8]),
    Binary(&'v [u8]),
    Node(&'v Graph, u32),
}

impl<'v> Val<'v> {
    pub(super) const MISSING: Self = Self(Inner::Missing);

    pub(super) fn of_root(root: &'v Repr) -> Self {
        Self(match root {
            Repr::Null => Inner::Null,
            Repr::Bool(value) => Inner::Bool(*value),
            Repr::Int(value) => Inner::Int(*value),
            Repr::Long(value) => Inner::Long(*value),
            Repr::Double(value) => Inner::Double(*value),
            Repr::Date(value) => Inner::Date(*value),
            Repr::Text(text) => Inner::Text(text),
            Repr::Odd(bytes) => Inner::Odd(bytes),
            Repr::Binary(bytes) => Inner::Binary(bytes),
            Repr::Graph(graph) => Inner::Node(graph, 0),
        })
    }

    pub(super) fn of_slot(graph: &'v Graph, slot: Slot) -> Self {
        Self(match slot {
            Slot::Null => Inner::Null,
            Slot::Bool(value) => Inner::Bool(value),
            Slot::Int(value) => Inner::Int(value),
            Slot::Long(index) => Inner::Long(graph.wide(index).cast_signed()),
            Slot::Double(index) => Inner::Double(f64::from_bits(graph.wide(index))),
            Slot::Date(index) => Inner::Date(graph.wide(index).cast_signed()),
            Slot::Text(span) => Inner::Text(graph.str(span)),
            Slot::Odd(span) => Inner::Odd(graph.bytes(span)),
            Slot::Binary(span) => Inner::Binary(graph.bytes(span)),
            Slot::Node(node) => Inner::Node(graph, node),
        })
    }

    /// Kind of the value; none when it is missing.
    pub fn kind(self) -> Option<Kind> {
        Some(match self.0 {
            Inner::Missing => return None,
            Inner::Null => Kind::Null,
            Inner::Bool(_) => Kind::Bool,
            Inner::Int(_) => Kind::Int,
            Inner::Long(_) => Kind::Long,
            Inner::Double(_) => Kind::Double,
            Inner::Date(_) => Kind::Date,
            Inner::Text(_) | Inner::Odd(_) => Kind::String,
            Inner::Binary(_) => Kind::Binary,
            Inner::Node(graph, node) => match graph.node(node)?.kind {
                NodeKind::List | NodeKind::VariableList => Kind::List,
                NodeKind::Map => Kind::Map,
                NodeKind::Object => Kind::Object,
            },
        })
    }

    /// Whether nothing is here.
    pub fn is_missing(self) -> bool {
        matches!(self.0, Inner::Missing)
    }

    /// Whether it is there and `null`.
    pub fn is_null(self) -> bool {
        matches!(self.0, Inner::Null)
    }

    /// A boolean.
    pub fn as_bool(self) -> Option<bool> {
        match self.0 {
            Inner::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// An `int`, or a `long` that fits.
    pub fn as_i32(self) -> Option<i32> {
        self.as_i64().and_then(|value| i32::try_from(value).ok())
    }

    /// An `int` or a `long`.
    pub fn as_i64(self) -> Option<i64> {
        match self.0 {
            Inner::Int(value) => Some(i64::from(value)),
            Inner::Long(value) => Some(value),
            _ => None,
        }
    }

    /// Any number; a `long` beyond 2^53 is rounded.
    pub fn as_f64(self) -> Option<f64> {
        match self.0 {
            Inner::Double(value) => Some(value),
            _ => self.as_i64().map(|value| value as f64),
        }
    }

    /// A date.
    pub fn as_date(self) -> Option<Date> {
        match self.0 {
            Inner::Date(millis) => Some(Date::from_millis(millis)),
            _ => None,
        }
    }

    /// A string; none also for one with half of a surrogate pair, see [`to_text_lossy`](Self::to_text_lossy).
    pub fn as_str(self) -> Option<&'v str> {
        match self.0 {
            Inner::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A string, where U+FFFD stands for each half of a surrogate pair.
    pub fn to_text_lossy(self) -> Option<String> {
        match self.0 {
            Inner::Text(text) => Some(text.to_owned()),
            Inner::Odd(bytes) => {
                let chars = char::decode_utf16(utf16::units(bytes));
                Some(chars.map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
            }
            _ => None,
        }
    }

    /// The UTF-16 units of any string, also of one with half of a surrogate pair.
    pub fn to_utf16(self) -> Option<Vec<u16>> {
        match self.0 {
            Inner::Text(text) => Some(text.encode_utf16().collect()),
            Inner::Odd(bytes) => Some(utf16::units(bytes).collect()),
            _ => None,
        }
    }

    /// A `byte[]`.
    pub fn as_bytes(self) -> Option<&'v [u8]> {
        match self.0 {
            Inner::Binary(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Java's class name of an object.
    pub fn class(self) -> Option<&'v str> {
        let Inner::Node(graph, node) = self.0 else { return None };
        graph.class(node).map(|class| graph.str(class.name))
    }

    /// Type name of a list or map, if it came with one.
    pub fn type_name(self) -> Option<&'v str> {
        let Inner::Node(graph, node) = self.0 else { return None };
        graph.type_name(node)
    }

    /// Number of items, entries or fields; 0 for everything else.
    pub fn len(self) -> usize {
        match (self.kind(), self.0) {
            (Some(Kind::Map), Inner::Node(graph, node)) => graph.kids(node).len() / 2,
            (_, Inner::Node(graph, node)) => graph.kids(node).len(),
            _ => 0,
        }
    }

    /// Whether it holds nothing.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Item of a list.
    pub fn at(self, index: usize) -> Self {
        match (self.kind(), self.0) {
            (Some(Kind::List), Inner::Node(graph, node)) => {
                graph.kids(node).get(index).map_or(Self::MISSING, |&slot| Self::of_slot(graph, slot))
            }
            _ => Self::MISSING,
        }
    }

    /// Field of an object, or value of a map's string key; the last one if there are several.
    pub fn get(self, name: &str) -> Self {
        let found = match self.kind() {
            Some(Kind::Object) => {
                self.fields().rev().find(|(field, _)| *field == name).map(|(_, value)| value)
            }
            Some(Kind::Map) => {
                self.entries().rev().find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value)
            }
            _ => None,
        };
        found.unwrap_or(Self::MISSING)
    }

    /// Items of a list; of everything else none.
    pub fn items(self) -> Items<'v> {
        match (self.kind(), self.0) {
            (Some(Kind::List), Inner::Node(graph, node)) => {
                Items { graph: Some(graph), slots: graph.kids(node).iter() }
            }
            _ => Items { graph: None, slots: [].iter() },
        }
    }

    /// Entries of a map, in wire order; of everything else none.
    pub fn entries(self) -> Entries<'v> {
        match (self.kind(), self.0) {
            (Some(Kind::Map), Inner::Node(graph, node)) => {
                Entries { graph: Some(graph), slots: graph.kids(node).chunks_exact(2) }
            }
            _ => Entries { graph: None, slots: [].chunks_exact(2) },
        }
    }

    /// Fields of an object, in wire order; of everything else none.
    pub fn fields(self) -> Fields<'v> {
        match self.0 {
            Inner::Node(graph, node) if let Some(class) = graph.class(node) => {
                let range = class.fields as usize..class.fields as usize + class.len as usize;
                let names = graph.names.get(range).unwrap_or_default();
                Fields { graph: Some(graph), names: names.iter(), slots: graph.kids(node).iter() }
            }
            _ => Fields { graph: None, names: [].iter(), slots: [].iter() },
        }
    }

    /// Whether both are the same list, map or object, and not just equal ones.
    pub fn is_same(self, other: Self) -> bool {
        match (self.0, other.0) {
            (Inner::Node(a, m), Inner::Node(b, n)) => std::ptr::eq(a, b) && m == n,
            _ => false,
        }
    }

    /// Reads a Rust value out of this one, by the rules of [`Decode`](crate::Decode). A missing one reads as `null`.
    ///
    /// # Errors
    ///
    /// Those of `T`'s `Decode`.
    pub fn to<T: DecodeOwned>(self) -> Result<T> {
        crate::from_slice(&self.bytes()?)
    }

    /// A value of its own that holds what is here. A missing one becomes `null`.
    ///
    /// # Errors
    ///
    /// When containers lie deeper in each other than the limits allow.
    pub fn to_value(self) -> Result<Value> {
        Value::parse(&self.bytes()?)
    }

    fn bytes(self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut state = EncodeState::new();
        state.begin(&out);
        super::write::value(self, &mut Encoder::new(&mut out, &mut state))?;
        Ok(out)
    }
}

impl<'v> From<&'v Value> for Val<'v> {
    fn from(value: &'v Value) -> Self {
        value.root()
    }
}

/// Iterator of [`Val::items`].
#[derive(Clone, Debug)]
pub struct Items<'v> {
    graph: Option<&'v Graph>,
    slots: std::slice::Iter<'v, Slot>,
}

/// Iterator of [`Val::entries`].
#[derive(Clone, Debug)]
pub struct Entries<'v> {
    graph: Option<&'v Graph>,
    slots: std::slice::ChunksExact<'v, Slot>,
}

/// Iterator of [`Val::fields`].
#[derive(Clone, Debug)]
pub struct Fields<'v> {
    graph: Option<&'v Graph>,
    names: std::slice::Iter<'v, u32>,
    slots: std::slice::Iter<'v, Slot>,
}

impl<'v> Items<'v> {
    fn value(&self, slot: &'v Slot) -> Option<Val<'v>> {
        Some(Val::of_slot(self.graph?, *slot))
    }
}

impl<'v> Entries<'v> {
    fn value(&self, pair: &'v [Slot]) -> Option<(Val<'v>, Val<'v>)> {
        let (graph, [key, value]) = (self.graph?, pair) else { return None };
        Some((Val::of_slot(graph, *key), Val::of_slot(graph, *value)))
    }
}

impl<'v> Fields<'v> {
    fn value(&self, name: &'v u32, slot: &'v Slot) -> Option<(&'v str, Val<'v>)> {
        let graph = self.graph?;
        Some((graph.str(*name), Val::of_slot(graph, *slot)))
    }
}

impl<'v> Iterator for Items<'v> {
    type Item = Val<'v>;

    fn next(&mut self) -> Option<Self::Item> {
        self.slots.next().and_then(|slot| self.value(slot))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.slots.size_hint()
    }
}

impl DoubleEndedIterator for Items<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.slots.next_back().and_then(|slot| self.value(slot))
    }
}

impl ExactSizeIterator for Items<'_> {}

impl<'v> Iterator for Entries<'v> {
    type Item = (Val<'v>, Val<'v>);

    fn next(&mut self) -> Option<Self::Item> {
        self.slots.next().and_then(|pair| self.value(pair))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.slots.size_hint()
    }
}

impl DoubleEndedIterator for Entries<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.slots.next_back().and_then(|pair| self.value(pair))
    }
}

impl ExactSizeIterator for Entries<'_> {}

impl<'v> Iterator for Fields<'v> {
    type Item = (&'v str, Val<'v>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, slot) = (self.names.next()?, self.slots.next()?);
        self.value(name, slot)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.slots.size_hint()
    }
}

impl DoubleEndedIterator for Fields<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let (name, slot) = (self.names.next_back()?, self.slots.next_back()?);
        self.value(name, slot)
    }
}

impl ExactSizeIterator for Fields<'_> {}

impl fmt::Debug for Val<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::debug::print(*self, f)
    }
}

impl PartialEq for Val<'_> {
    fn eq(&self, other: &Self) -> bool {
        super::compare::equal(*self, *other)
    }
}
