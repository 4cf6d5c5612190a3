//! Owns making values by hand: from Rust scalars, and from values to lists, maps and objects.

use super::graph::{ClassRecord, Graph, NO_LABEL, Node, NodeKind, Slot};
use super::{Repr, Value};
use crate::Date;

impl Value {
    /// A list without a type name.
    pub fn list<V: Into<Self>>(items: impl IntoIterator<Item = V>) -> Self {
        container(NodeKind::List, None, items.into_iter().map(Into::into))
    }

    /// A list with Java's name of its type: a class, or `[int`, `[string`, `[object` for arrays.
    pub fn typed_list<V: Into<Self>>(type_name: &str, items: impl IntoIterator<Item = V>) -> Self {
        container(NodeKind::List, Some(type_name), items.into_iter().map(Into::into))
    }

    /// A map without a type name.
    pub fn map<K: Into<Self>, V: Into<Self>>(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        container(NodeKind::Map, None, pairs(entries))
    }

    /// A map with the name of its class.
    pub fn typed_map<K: Into<Self>, V: Into<Self>>(
        type_name: &str,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        container(NodeKind::Map, Some(type_name), pairs(entries))
    }

    /// An object with the name of its class, and its fields in writing order.
    pub fn object<N: AsRef<str>, V: Into<Self>>(
        class: &str,
        fields: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut graph = Graph::default();
        let name = graph.add_text(class);
        graph.nodes.push(Node { kind: NodeKind::Object, label: 0, start: 0, len: 0 });
        graph.classes.push(ClassRecord { name, fields: 0, len: 0 });
        let mut kids = Vec::new();
        let mut names = Vec::new();
        for (name, value) in fields {
            names.push(graph.add_text(name.as_ref()));
            kids.push(value.into());
        }
        if let Some(class) = graph.classes.first_mut() {
            class.len = names.len() as u32;
        }
        graph.names = names;
        finish(graph, kids)
    }
}

fn pairs<K: Into<Value>, V: Into<Value>>(
    entries: impl IntoIterator<Item = (K, V)>,
) -> impl Iterator<Item = Value> {
    entries.into_iter().flat_map(|(key, value)| [key.into(), value.into()])
}

fn container(kind: NodeKind, type_name: Option<&str>, kids: impl Iterator<Item = Value>) -> Value {
    let mut graph = Graph::default();
    let typed = type_name.filter(|name| !name.is_empty());
    let label = typed.map_or(NO_LABEL, |name| graph.add_text(name));
    graph.nodes.push(Node { kind, label, start: 0, len: 0 });
    finish(graph, kids.collect())
}

/// Puts the children of node 0 into the graph: their slots first, side by side, then what they hold.
fn finish(mut graph: Graph, kids: Vec<Value>) -> Value {
    if let Some(root) = graph.nodes.first_mut() {
        root.len = kids.len() as u32;
    }
    graph.kids = vec![Slot::Null; kids.len()];
    for (at, kid) in kids.into_iter().enumerate() {
        let slot = graph.adopt(kid);
        if let Some(place) = graph.kids.get_mut(at) {
            *place = slot;
        }
    }
    Value(Repr::Graph(Box::new(graph)))
}

impl Graph {
    /// Takes over all that a value holds, and gives its slot.
    fn adopt(&mut self, value: Value) -> Slot {
        match value.0 {
            Repr::Null => Slot::Null,
            Repr::Bool(value) => Slot::Bool(value),
            Repr::Int(value) => Slot::Int(value),
            Repr::Long(value) => Slot::Long(self.add_wide(value.cast_unsigned())),
            Repr::Double(value) => Slot::Double(self.add_wide(value.to_bits())),
            Repr::Date(millis) => Slot::Date(self.add_wide(millis.cast_unsigned())),
            Repr::Text(text) => Slot::Text(self.add_text(&text)),
            Repr::Odd(bytes) => Slot::Odd(self.add_bytes(&bytes)),
            Repr::Binary(bytes) => Slot::Binary(self.add_bytes(&bytes)),
            Repr::Graph(other) => self.append(*other),
        }
    }

    /// Takes over another graph: its indexes move behind those of this one.
    fn append(&mut self, other: Self) -> Slot {
        let [nodes, kids, wide, spans, classes, names, text, blob] = [
            self.nodes.len(),
            self.kids.len(),
            self.wide.len(),
            self.spans.len(),
            self.classes.len(),
            self.names.len(),
            self.text.len(),
            self.blob.len(),
        ]
        .map(|len| len as u32);
        let is_blob = other.blob_spans();
        self.text.push_str(&other.text);
        self.blob.extend_from_slice(&other.blob);
        self.wide.extend_from_slice(&other.wide);
        self.spans.extend(
            other
                .spans
                .iter()
                .zip(is_blob)
                .map(|(span, is_blob)| span.moved(if is_blob { blob } else { text })),
        );
        self.names.extend(other.names.iter().map(|span| span + spans));
        self.classes.extend(other.classes.iter().map(|class| ClassRecord {
            name: class.name + spans,
            fields: class.fields + names,
            ..*class
        }));
        self.nodes.extend(other.nodes.iter().map(|node| Node {
            label: match (node.kind, node.label) {
                (_, NO_LABEL) => NO_LABEL,
                (NodeKind::Object, class) => class + classes,
                (_, type_name) => type_name + spans,
            },
            start: node.start + kids,
            ..*node
        }));
        self.kids.extend(other.kids.iter().map(|&slot| match slot {
            Slot::Null | Slot::Bool(_) | Slot::Int(_) => slot,
            Slot::Long(index) => Slot::Long(index + wide),
            Slot::Double(index) => Slot::Double(index + wide),
            Slot::Date(index) => Slot::Date(index + wide),
            Slot::Text(span) => Slot::Text(span + spans),
            Slot::Odd(span) => Slot::Odd(span + spans),
            Slot::Binary(span) => Slot::Binary(span + spans),
            Slot::Node(node) => Slot::Node(node + nodes),
        }));
        Slot::Node(nodes)
    }

    /// For each span whether it lies in `blob`.
    fn blob_spans(&self) -> Vec<bool> {
        let mut is_blob = vec![false; self.spans.len()];
        for slot in &self.kids {
            if let Slot::Odd(span) | Slot::Binary(span) = *slot
                && let Some(flag) = is_blob.get_mut(span as usize)
            {
                *flag = true;
            }
        }
        is_blob
    }
}

macro_rules! from {
    ($($ty:ty: $value:ident => $repr:expr;)*) => {$(
        impl From<$ty> for Value {
            fn from($value: $ty) -> Self {
                Self($repr)
            }
        }
    )*};
}

from! {
    bool: value => Repr::Bool(value);
    i32: value => Repr::Int(value);
    i64: value => Repr::Long(value);
    f64: value => Repr::Double(value);
    Date: value => Repr::Date(value.as_millis());
    &str: value => Repr::Text(value.to_owned());
    String: value => Repr::Text(value);
    &[u8]: value => Repr::Binary(value.to_vec());
    Vec<u8>: value => Repr::Binary(value);
    (): _value => Repr::Null;
}

/// `None` is `null`.
impl<V: Into<Self>> From<Option<V>> for Value {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::NULL, Into::into)
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.root() == other.root()
    }
}
