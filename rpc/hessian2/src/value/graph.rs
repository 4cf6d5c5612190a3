//! Owns the arena behind lists, maps and objects: a handful of vectors and indexes into them. Indexes come from its
//! own methods only; a wrong one reads as nothing, never as a panic.

use std::collections::HashMap;

use crate::decode::short_names;

/// Containers with all they hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    pub(super) nodes: Vec<Node>,
    /// Children of all nodes, those of one node side by side.
    pub(super) kids: Vec<Slot>,
    /// Longs, doubles as their bits, dates.
    pub(super) wide: Vec<u64>,
    pub(super) spans: Vec<Span>,
    /// Text, class names, field names and type names.
    pub(super) text: String,
    /// Binaries and text in wire form.
    pub(super) blob: Vec<u8>,
    pub(super) classes: Vec<ClassRecord>,
    /// Field names of all classes, as spans.
    pub(super) names: Vec<u32>,
}

/// A list, map or object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    /// Span of the type name, or number of the class; [`NO_LABEL`] for none.
    pub(super) label: u32,
    pub(super) start: u32,
    /// Number of children; keys and values of a map count separately.
    pub(super) len: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeKind {
    List,
    /// A list whose length the wire does not tell.
    VariableList,
    Map,
    Object,
}

pub(super) const NO_LABEL: u32 = u32::MAX;

/// A value inside of a container.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slot {
    Null,
    Bool(bool),
    Int(i32),
    /// Indexes into `wide`.
    Long(u32),
    Double(u32),
    Date(u32),
    /// Indexes into `spans`.
    Text(u32),
    Odd(u32),
    Binary(u32),
    Node(u32),
}

/// A piece of `text` or `blob`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    start: u32,
    len: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct ClassRecord {
    /// Span of the name.
    pub(super) name: u32,
    /// Where its field names begin in `names`, and how many there are.
    pub(super) fields: u32,
    pub(super) len: u32,
}

impl Span {
    /// The same piece after it has moved `by` bytes.
    pub(super) fn moved(self, by: u32) -> Self {
        Self { start: self.start + by, len: self.len }
    }
}

impl Graph {
    pub(super) fn node(&self, node: u32) -> Option<&Node> {
        self.nodes.get(node as usize)
    }

    /// Children of a node.
    pub(super) fn kids(&self, node: u32) -> &[Slot] {
        self.node(node)
            .map(|node| node.start as usize..node.start as usize + node.len as usize)
            .and_then(|range| self.kids.get(range))
            .unwrap_or_default()
    }

    pub(super) fn wide(&self, index: u32) -> u64 {
        self.wide.get(index as usize).copied().unwrap_or_default()
    }

    pub(super) fn str(&self, span: u32) -> &str {
        self.range(span).and_then(|range| self.text.get(range)).unwrap_or_default()
    }

    pub(super) fn bytes(&self, span: u32) -> &[u8] {
        self.range(span).and_then(|range| self.blob.get(range)).unwrap_or_default()
    }

    /// Type name of a list or map.
    pub(super) fn type_name(&self, node: u32) -> Option<&str> {
        let node = self.node(node)?;
        let typed = node.kind != NodeKind::Object && node.label != NO_LABEL;
        typed.then(|| self.str(node.label))
    }

    /// Class of an object.
    pub(super) fn class(&self, node: u32) -> Option<ClassRecord> {
        let node = self.node(node)?;
        let record = self.classes.get(node.label as usize)?;
        (node.kind == NodeKind::Object).then_some(*record)
    }

    /// Field names of a class.
    pub(super) fn field_names(&self, class: ClassRecord) -> impl DoubleEndedIterator<Item = &str> + Clone {
        let range = class.fields as usize..class.fields as usize + class.len as usize;
        self.names.get(range).unwrap_or_default().iter().map(|&span| self.str(span))
    }

    pub(super) fn add_wide(&mut self, bits: u64) -> u32 {
        self.wide.push(bits);
        self.wide.len() as u32 - 1
    }

    pub(super) fn add_text(&mut self, text: &str) -> u32 {
        let start = self.text.len();
        self.text.push_str(text);
        self.add_text_from(start)
    }

    /// Field names, each behind its length, which stays between them.
    pub(super) fn add_short_names(&mut self, names: &str) {
        let base = self.text.len();
        self.text.push_str(names);
        for (start, len) in short_names(names) {
            let span = self.add_span((base + start) as u32, len);
            self.names.push(span);
        }
    }

    /// The text that was added behind `start`.
    pub(super) fn add_text_from(&mut self, start: usize) -> u32 {
        self.add_span(start as u32, self.text.len() - start)
    }

    pub(super) fn add_bytes(&mut self, bytes: &[u8]) -> u32 {
        let start = self.blob.len() as u32;
        self.blob.extend_from_slice(bytes);
        self.add_span(start, bytes.len())
    }

    fn add_span(&mut self, start: u32, len: usize) -> u32 {
        self.spans.push(Span { start, len: len as u32 });
        self.spans.len() as u32 - 1
    }

    fn range(&self, span: u32) -> Option<std::ops::Range<usize>> {
        let span = self.spans.get(span as usize)?;
        Some(span.start as usize..span.start as usize + span.len as usize)
    }
}

/// A number for some of the nodes of a graph.
pub(super) enum NodeMap {
    /// One for each node, for going through a whole graph.
    Whole(Vec<u32>),
    /// For looking at a part, which must not cost what the whole would.
    Part(HashMap<u32, u32>),
}

/// No number.
const NONE: u32 = u32::MAX;

impl NodeMap {
    /// An empty map of `nodes` nodes. `whole` tells that most are going to be asked for.
    pub(super) fn new(nodes: usize, whole: bool) -> Self {
        if whole { Self::Whole(vec![NONE; nodes]) } else { Self::Part(HashMap::new()) }
    }

    pub(super) fn get(&self, node: u32) -> Option<u32> {
        match self {
            Self::Whole(numbers) => numbers.get(node as usize).copied().filter(|number| *number != NONE),
            Self::Part(numbers) => numbers.get(&node).copied(),
        }
    }

    pub(super) fn set(&mut self, node: u32, number: u32) {
        match self {
            Self::Whole(numbers) => {
                if let Some(place) = numbers.get_mut(node as usize) {
                    *place = number;
                }
            }
            Self::Part(numbers) => _ = numbers.insert(node, number),
        }
    }
}
