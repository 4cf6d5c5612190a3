//! Owns how a value prints: bounded in length, ending on cycles, never recursing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use super::graph::NodeKind;
use super::val::{Inner, Val};
use super::{Graph, Value};

/// Values that are printed at most.
const VALUES: usize = 1_000;
/// Characters of a string, bytes of a binary.
const LEN: usize = 256;

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(self.root(), f)
    }
}

/// Prints a value: `com.x.User {name: "Tom", tags: ["a"]}`. A container met again is `&` and its number by first
/// appearance.
pub(super) fn print(val: Val<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    Printer { seen: HashMap::new(), left: VALUES }.value(val, f)
}

/// Prints values that may share parts, as a list.
pub(super) fn print_all<'v>(
    values: impl Iterator<Item = Val<'v>>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut printer = Printer { seen: HashMap::new(), left: VALUES };
    f.write_str("[")?;
    for (index, val) in values.enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        printer.value(val, f)?;
        if printer.left == 0 {
            break;
        }
    }
    f.write_str("]")
}

struct Printer {
    /// Numbers of the containers that were printed.
    seen: HashMap<u32, usize>,
    /// Values that may still be printed.
    left: usize,
}

struct Frame {
    node: u32,
    next: usize,
}

impl Printer {
    fn value(&mut self, val: Val<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut frames = Vec::new();
        self.child(val, &mut frames, f)?;
        let Inner::Node(graph, _) = val.0 else { return Ok(()) };
        while let Some(frame) = frames.last_mut() {
            let (node, index) = (frame.node, frame.next);
            let Some(&slot) = graph.kids(node).get(index) else {
                frames.pop();
                f.write_str(closing(graph, node))?;
                continue;
            };
            frame.next += 1;
            separator(graph, node, index, f)?;
            self.child(Val::of_slot(graph, slot), &mut frames, f)?;
            if self.left == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Prints a scalar, or the beginning of a container.
    fn child(&mut self, val: Val<'_>, frames: &mut Vec<Frame>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return f.write_str("...");
        }
        let Inner::Node(graph, node) = val.0 else { return print_scalar(val.0, f) };
        let number = self.seen.len();
        match self.seen.entry(node) {
            Entry::Occupied(seen) => write!(f, "&{}", seen.get()),
            Entry::Vacant(place) => {
                place.insert(number);
                frames.push(Frame { node, next: 0 });
                open(graph, node, f)
            }
        }
    }
}

fn open(graph: &Graph, node: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let name = match graph.class(node) {
        Some(class) => Some(graph.str(class.name)),
        None => graph.type_name(node),
    };
    if let Some(name) = name {
        write!(f, "{} ", cut(name))?;
    }
    f.write_str(if is_list(graph, node) { "[" } else { "{" })
}

fn closing(graph: &Graph, node: u32) -> &'static str {
    if is_list(graph, node) { "]" } else { "}" }
}

fn separator(graph: &Graph, node: u32, index: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let is_map_value = graph.node(node).is_some_and(|node| node.kind == NodeKind::Map) && index % 2 == 1;
    if is_map_value {
        return f.write_str(": ");
    }
    if index > 0 {
        f.write_str(", ")?;
    }
    match graph.class(node).and_then(|class| graph.field_names(class).nth(index)) {
        Some(name) => write!(f, "{}: ", cut(name)),
        None => Ok(()),
    }
}

fn is_list(graph: &Graph, node: u32) -> bool {
    graph.node(node).is_some_and(|node| matches!(node.kind, NodeKind::List | NodeKind::VariableList))
}

fn print_scalar(scalar: Inner<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match scalar {
        Inner::Missing | Inner::Node(..) => f.write_str("missing"),
        Inner::Null => f.write_str("null"),
        Inner::Bool(value) => write!(f, "{value}"),
        Inner::Int(value) => write!(f, "{value}"),
        Inner::Long(value) => write!(f, "{value}L"),
        Inner::Double(value) => write!(f, "{value:?}"),
        Inner::Date(millis) => write!(f, "Date({millis})"),
        Inner::Text(text) => print_cut(cut(text), text.len(), f),
        Inner::Odd(_) => {
            let text = Val(scalar).to_text_lossy().unwrap_or_default();
            print_cut(cut(&text), text.len(), f)
        }
        Inner::Binary(bytes) => write!(f, "{} bytes", bytes.len()),
    }
}

fn print_cut(text: &str, len: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{text:?}")?;
    if text.len() < len { write!(f, "... {len} bytes") } else { Ok(()) }
}

/// The first characters of a text, up to [`LEN`] bytes.
fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LEN)).unwrap_or(text)
}
