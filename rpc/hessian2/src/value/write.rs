//! Owns writing the arena, with frames of its own instead of recursion: a container that comes again is a reference.

use std::collections::HashMap;

use super::graph::{Graph, NO_LABEL, NodeKind, NodeMap, Slot};
use super::val::{Inner, Val};
use crate::compact::has_nameless_field;
use crate::encode::Encoder;
use crate::error::{Error, Result};
use crate::sink::Sink;

/// Writes one value.
pub(super) fn value<S: Sink>(val: Val<'_>, e: &mut Encoder<'_, S>) -> Result<()> {
    match val.0 {
        Inner::Node(graph, node) => Writer::new(graph, e, node == 0).root(node),
        scalar => {
            write_scalar(scalar, e);
            Ok(())
        }
    }
}

/// Writes all values of a graph, one behind the other.
pub(super) fn values<S: Sink>(graph: &Graph, roots: &[Slot], e: &mut Encoder<'_, S>) -> Result<()> {
    let mut writer = Writer::new(graph, e, true);
    for &root in roots {
        match Val::of_slot(graph, root).0 {
            Inner::Node(_, node) => writer.root(node)?,
            scalar => write_scalar(scalar, writer.e),
        }
    }
    Ok(())
}

fn write_scalar<S: Sink>(scalar: Inner<'_>, e: &mut Encoder<'_, S>) {
    match scalar {
        Inner::Missing | Inner::Null | Inner::Node(..) => e.null(),
        Inner::Bool(value) => e.bool(value),
        Inner::Int(value) => e.i32(value),
        Inner::Long(value) => e.i64(value),
        Inner::Double(value) => e.f64(value),
        Inner::Date(millis) => e.date(millis),
        Inner::Text(text) => e.str(text),
        Inner::Odd(bytes) => e.wire_text(bytes),
        Inner::Binary(bytes) => e.bytes(bytes),
    }
}

struct Writer<'g, 'e, 'a, S: Sink> {
    graph: &'g Graph,
    e: &'e mut Encoder<'a, S>,
    /// Number of each node in the body, once it is written.
    slots: NodeMap,
    /// Index in the body of each class, once an object of it is written.
    classes: HashMap<u32, u32>,
    frames: Vec<Frame>,
}

struct Frame {
    node: u32,
    next: usize,
}

impl<'g, 'e, 'a, S: Sink> Writer<'g, 'e, 'a, S> {
    fn new(graph: &'g Graph, e: &'e mut Encoder<'a, S>, whole: bool) -> Self {
        Self {
            graph,
            e,
            slots: NodeMap::new(graph.nodes.len(), whole),
            classes: HashMap::new(),
            frames: Vec::new(),
        }
    }

    fn root(&mut self, node: u32) -> Result<()> {
        self.open(node)?;
        while let Some(frame) = self.frames.last_mut() {
            match self.graph.kids(frame.node).get(frame.next) {
                Some(&slot) => {
                    frame.next += 1;
                    match Val::of_slot(self.graph, slot).0 {
                        Inner::Node(_, node) => self.open(node)?,
                        scalar => write_scalar(scalar, self.e),
                    }
                }
                None => {
                    let node = frame.node;
                    self.frames.pop();
                    self.close(node);
                }
            }
        }
        Ok(())
    }

    /// Writes the beginning of a container, or a reference to it.
    fn open(&mut self, node: u32) -> Result<()> {
        if let Some(slot) = self.slots.get(node) {
            self.e.reference(slot);
            return Ok(());
        }
        self.slots.set(node, self.e.next_slot());
        let len = self.graph.kids(node).len();
        match (self.graph.node(node).map(|node| node.kind), self.graph.type_name(node)) {
            (Some(NodeKind::List), None) => self.e.list(len)?,
            (Some(NodeKind::List), Some(name)) => self.e.list_of(name, len)?,
            (Some(NodeKind::VariableList), name) => self.e.variable_list(name)?,
            (Some(NodeKind::Map), name) => self.e.map(name)?,
            (Some(NodeKind::Object) | None, _) => self.object(node)?,
        }
        self.frames.push(Frame { node, next: 0 });
        Ok(())
    }

    fn object(&mut self, node: u32) -> Result<()> {
        let label = self.graph.node(node).map_or(NO_LABEL, |node| node.label);
        if let Some(&index) = self.classes.get(&label) {
            return self.e.object_again(index);
        }
        let class = self.graph.class(node);
        let names: Vec<&str> = class.map(|class| self.graph.field_names(class).collect()).unwrap_or_default();
        let name = class.map_or("", |class| self.graph.str(class.name));
        if names.is_empty() && has_nameless_field(name) {
            let text = format!("an object of {name} without fields: its reader takes the next value for one");
            return Err(Error::custom(text));
        }
        let index = self.e.object_by_name(name, &names)?;
        self.classes.insert(label, index);
        Ok(())
    }

    fn close(&mut self, node: u32) {
        match self.graph.node(node).map(|node| node.kind) {
            Some(NodeKind::VariableList) => self.e.end_variable_list(),
            Some(NodeKind::Map) => self.e.end_map(),
            Some(NodeKind::List | NodeKind::Object) | None => self.e.end_list(),
        }
    }
}
