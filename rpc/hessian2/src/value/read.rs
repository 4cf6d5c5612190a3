//! Owns reading into the arena, with frames of its own instead of recursion. Its memory is bounded by the input: no
//! vector grows beyond what the bytes that are left can fill, and all growth is charged to the body's budget.

use std::collections::HashMap;

use super::Repr;
use super::graph::{ClassRecord, Graph, NO_LABEL, Node, NodeKind, Slot};
use crate::decode::{Decoder, Number, Opened, Text, table_growth};
use crate::error::Result;
use crate::kind::{Kind, tag};

/// Reads one value.
pub(super) fn value(d: &mut Decoder<'_, '_>) -> Result<Repr> {
    let tag = d.tag()?;
    Ok(match Kind::of_tag(tag) {
        Some(Kind::List | Kind::Map | Kind::Object | Kind::Reference) => {
            let mut reader = Reader::new(d);
            reader.root(tag)?;
            Repr::Graph(Box::new(reader.graph))
        }
        Some(Kind::String) => match d.text_after(tag, "value")? {
            Text::Borrowed(text) => Repr::Text(text.to_owned()),
            Text::Owned(text) => Repr::Text(text),
            Text::Odd(bytes) => Repr::Odd(bytes),
        },
        Some(Kind::Binary) => Repr::Binary(d.bytes_after(tag)?.into_owned()),
        Some(Kind::Date) => Repr::Date(d.date_after(tag)?),
        _ => match d.number(tag, "value")? {
            Number::Null => Repr::Null,
            Number::Bool(value) => Repr::Bool(value),
            Number::Int(value) => Repr::Int(value),
            Number::Long(value) => Repr::Long(value),
            Number::Double(value) => Repr::Double(value),
        },
    })
}

/// Reads several values into one arena: `count` of them, or all up to the end of the body.
pub(super) fn values(d: &mut Decoder<'_, '_>, count: Option<usize>) -> Result<(Graph, Vec<Slot>)> {
    let mut reader = Reader::new(d);
    let mut roots = Vec::new();
    while count.map_or(reader.d.remaining() > 0, |count| roots.len() < count) {
        let tag = reader.d.tag()?;
        let root = reader.root(tag)?;
        push(reader.d, &mut roots, root)?;
    }
    Ok((reader.graph, roots))
}

struct Reader<'d, 'de, 's> {
    d: &'d mut Decoder<'de, 's>,
    graph: Graph,
    frames: Vec<Frame>,
    /// The value that is read, and the children of the containers that are open, those of the innermost last.
    pending: Vec<Slot>,
    /// Nodes of the containers that get their numbers while this graph is read, from `first` on.
    new: Vec<u32>,
    first: u32,
    /// Nodes of containers that came before, outside of this graph, and were read into it through a reference.
    earlier: HashMap<u32, u32>,
    /// Class of the graph for each class of the body; [`NO_LABEL`] if it has none yet.
    classes: Vec<u32>,
    /// Type names by their offset, and the last one looked up.
    types: HashMap<u32, u32>,
    last_type: Option<(u32, u32)>,
}

/// A container that is open.
struct Frame {
    node: u32,
    opened: Opened,
    /// Where its children begin in `pending`.
    base: usize,
    left: Left,
}

enum Left {
    Values(usize),
    /// Items so far.
    ToEndMark(usize),
    /// Entries so far.
    Key(usize),
    Value(usize),
}

impl<'d, 'de, 's> Reader<'d, 'de, 's> {
    fn new(d: &'d mut Decoder<'de, 's>) -> Self {
        let first = d.next_new_slot();
        Self {
            d,
            graph: Graph::default(),
            frames: Vec::new(),
            pending: Vec::new(),
            new: Vec::new(),
            first,
            earlier: HashMap::new(),
            classes: Vec::new(),
            types: HashMap::new(),
            last_type: None,
        }
    }

    /// Reads a value that begins with `tag`, and all it holds. If it is a container, its node comes first.
    fn root(&mut self, tag: u8) -> Result<Slot> {
        self.child(tag)?;
        while let Some(frame) = self.frames.last_mut() {
            let more = match &mut frame.left {
                Left::Values(0) => false,
                Left::Values(left) => {
                    *left -= 1;
                    true
                }
                Left::ToEndMark(items) => self.d.more(items, 1)?,
                left @ &mut Left::Key(mut entries) => {
                    let more = self.d.more(&mut entries, 2)?;
                    *left = Left::Value(entries);
                    more
                }
                left @ &mut Left::Value(entries) => {
                    *left = Left::Key(entries);
                    true
                }
            };
            if more {
                let tag = self.d.tag()?;
                self.child(tag)?;
            } else if let Some(frame) = self.frames.pop() {
                self.close(frame)?;
            }
        }
        Ok(self.pending.pop().unwrap_or(Slot::Null))
    }

    /// Takes the value, or a child of the innermost container.
    fn child(&mut self, tag: u8) -> Result<()> {
        let slot = match Kind::of_tag(tag) {
            Some(Kind::List | Kind::Map | Kind::Object) => return self.child_container(tag, None),
            Some(Kind::Reference) => {
                let index = self.d.reference_index()?;
                match self.node_of(index) {
                    Some(node) => Slot::Node(node),
                    None => {
                        let (tag, resume) = self.d.jump(index)?;
                        return self.child_container(tag, resume);
                    }
                }
            }
            Some(Kind::String) => self.string(tag)?,
            Some(Kind::Binary) => {
                let bytes = self.d.bytes_after(tag)?;
                Slot::Binary(self.bytes(&bytes)?)
            }
            Some(Kind::Date) => {
                let millis = self.d.date_after(tag)?;
                Slot::Date(self.wide(millis.cast_unsigned())?)
            }
            _ => match self.d.number(tag, "value")? {
                Number::Null => Slot::Null,
                Number::Bool(value) => Slot::Bool(value),
                Number::Int(value) => Slot::Int(value),
                Number::Long(value) => Slot::Long(self.wide(value.cast_unsigned())?),
                Number::Double(value) => Slot::Double(self.wide(value.to_bits())?),
            },
        };
        push(self.d, &mut self.pending, slot)
    }

    /// The child takes its place before its frame begins, so that its own children lie behind it.
    fn child_container(&mut self, tag: u8, resume: Option<(usize, u32)>) -> Result<()> {
        let node = self.d.offset(self.graph.nodes.len())?;
        push(self.d, &mut self.pending, Slot::Node(node))?;
        self.open(tag, resume)
    }

    /// Opens a container that begins with `tag`: a node and a frame.
    fn open(&mut self, tag: u8, resume: Option<(usize, u32)>) -> Result<()> {
        let start = self.d.position().saturating_sub(1);
        let (kind, label, left) = match tag {
            tag::MAP_UNTYPED => (NodeKind::Map, NO_LABEL, Left::Key(0)),
            tag::MAP => {
                let type_at = self.d.type_name()?;
                (NodeKind::Map, self.type_label(Some(type_at))?, Left::Key(0))
            }
            _ => match self.d.class_head(tag)? {
                Some((class, class_at)) => {
                    (NodeKind::Object, self.class_label(class)?, Left::Values(class_at.fields as usize))
                }
                None => {
                    let Some(head) = self.d.list_head(tag)? else {
                        return Err(self.d.unexpected("value", tag));
                    };
                    let label = self.type_label(head.type_at)?;
                    match head.fixed {
                        Some(len) => (NodeKind::List, label, Left::Values(len)),
                        None => (NodeKind::VariableList, label, Left::ToEndMark(0)),
                    }
                }
            },
        };
        if let Left::Values(len) = left {
            self.d.make_room_for(&mut self.pending, len)?;
        }
        let opened = self.d.open(start, resume)?;
        let node = self.d.offset(self.graph.nodes.len())?;
        self.remember(opened.slot, node)?;
        push(self.d, &mut self.graph.nodes, Node { kind, label, start: 0, len: 0 })?;
        push(self.d, &mut self.frames, Frame { node, opened, base: self.pending.len(), left })
    }

    /// Moves the children to their place and closes the container.
    fn close(&mut self, frame: Frame) -> Result<()> {
        let start = self.d.offset(self.graph.kids.len())?;
        let len = self.pending.len() - frame.base;
        let kids = &mut self.graph.kids;
        if kids.capacity() - kids.len() < len {
            // Closing takes no input: all that can still come is what is pending and what is left.
            let more = kids.len().min(self.pending.len() + self.d.remaining()).max(len);
            self.d.charge(more.saturating_mul(size_of::<Slot>()))?;
            kids.reserve_exact(more);
        }
        kids.extend(self.pending.drain(frame.base..));
        if let Some(node) = self.graph.nodes.get_mut(frame.node as usize) {
            node.start = start;
            node.len = len as u32;
        }
        self.d.close(frame.opened);
        Ok(())
    }

    fn remember(&mut self, slot: u32, node: u32) -> Result<()> {
        if slot >= self.first {
            return push(self.d, &mut self.new, node);
        }
        self.d.charge(table_growth(self.earlier.len(), size_of::<(u32, u32)>()))?;
        self.earlier.insert(slot, node);
        Ok(())
    }

    /// Node of a container of the body, if it is in this graph.
    fn node_of(&self, slot: u32) -> Option<u32> {
        match slot.checked_sub(self.first) {
            Some(index) => self.new.get(index as usize).copied(),
            None => self.earlier.get(&slot).copied(),
        }
    }

    fn type_label(&mut self, type_at: Option<u32>) -> Result<u32> {
        let Some(at) = type_at else { return Ok(NO_LABEL) };
        if let Some((last, span)) = self.last_type
            && last == at
        {
            return Ok(span);
        }
        let span = match self.types.get(&at) {
            Some(&span) => span,
            None => {
                let name = self.d.type_name_at(at)?;
                // The empty name means no type, however long its form on the wire is.
                let span = if name.is_empty() { NO_LABEL } else { self.text(&name)? };
                self.d.charge(table_growth(self.types.len(), size_of::<(u32, u32)>()))?;
                self.types.insert(at, span);
                span
            }
        };
        self.last_type = Some((at, span));
        Ok(span)
    }

    /// Class of the graph for a class of the body.
    fn class_label(&mut self, class: u32) -> Result<u32> {
        if let Some(&label) = self.classes.get(class as usize)
            && label != NO_LABEL
        {
            return Ok(label);
        }
        let fields = self.graph.names.len() as u32;
        let name = self.d.class_name(class)?;
        let name = self.text(&name)?;
        let graph = &mut self.graph;
        let len = self.d.in_definition(class, |d, class| {
            let named = d.skip_class_name()?;
            d.make_room_for(&mut graph.names, class.fields as usize)?;
            d.make_room_for(&mut graph.spans, class.fields as usize)?;
            if named && let Some(names) = d.take_short_names(class.fields) {
                d.offset(graph.text.len() + names.len())?;
                graph.add_short_names(names);
                return Ok(class.fields);
            }
            for _ in 0..class.fields {
                let field = d.field_name(named)?;
                let span = add_text(d, graph, &field)?;
                push(d, &mut graph.names, span)?;
            }
            Ok(class.fields)
        })?;
        let label = self.d.offset(self.graph.classes.len())?;
        self.graph.classes.push(ClassRecord { name, fields, len });
        if self.classes.len() <= class as usize {
            self.classes.resize(class as usize + 1, NO_LABEL);
        }
        if let Some(entry) = self.classes.get_mut(class as usize) {
            *entry = label;
        }
        Ok(label)
    }

    fn string(&mut self, tag: u8) -> Result<Slot> {
        let start = self.graph.text.len();
        if self.d.short_text_onto(tag, &mut self.graph.text) {
            self.d.offset(self.graph.text.len())?;
            self.d.make_room(&mut self.graph.spans)?;
            return Ok(Slot::Text(self.graph.add_text_from(start)));
        }
        Ok(match self.d.text_after(tag, "value")? {
            Text::Borrowed(text) => Slot::Text(self.text(text)?),
            Text::Owned(text) => Slot::Text(self.text(&text)?),
            Text::Odd(bytes) => Slot::Odd(self.bytes(&bytes)?),
        })
    }

    fn text(&mut self, text: &str) -> Result<u32> {
        add_text(self.d, &mut self.graph, text)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<u32> {
        self.d.offset(self.graph.blob.len() + bytes.len())?;
        self.d.make_room(&mut self.graph.spans)?;
        Ok(self.graph.add_bytes(bytes))
    }

    fn wide(&mut self, bits: u64) -> Result<u32> {
        self.d.make_room(&mut self.graph.wide)?;
        Ok(self.graph.add_wide(bits))
    }
}

fn add_text(d: &mut Decoder<'_, '_>, graph: &mut Graph, text: &str) -> Result<u32> {
    d.offset(graph.text.len() + text.len())?;
    d.make_room(&mut graph.spans)?;
    Ok(graph.add_text(text))
}

#[inline]
fn push<T>(d: &mut Decoder<'_, '_>, items: &mut Vec<T>, item: T) -> Result<()> {
    d.make_room(items)?;
    items.push(item);
    Ok(())
}
