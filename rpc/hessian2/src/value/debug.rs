//! Owns how a value prints: bounded in length, ending on cycles, never recursing.

use std::collections::HashMap;
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
    match val.0 {
        Inner::Node(graph, node) => containers(graph, node, f),
        scalar => print_scalar(scalar, f),
    }
}

struct Frame {
    node: u32,
    next: usize,
}

fn containers(graph: &Graph, root: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut seen = HashMap::from([(root, 0)]);
    let mut frames = vec![Frame { node: root, next: 0 }];
    let mut left = VALUES;
    open(graph, root, f)?;
    while let Some(frame) = frames.last_mut() {
        let (node, index) = (frame.node, frame.next);
        let Some(&slot) = graph.kids(node).get(index) else {
            frames.pop();
            f.write_str(closing(graph, node))?;
            continue;
        };
        frame.next += 1;
        separator(graph, node, index, f)?;
        left -= 1;
        if left == 0 {
            return f.write_str("...");
        }
        match Val::of_slot(graph, slot).0 {
            Inner::Node(_, kid) => {
                let number = seen.len();
                match seen.get(&kid) {
                    Some(number) => write!(f, "&{number}")?,
                    None => {
                        seen.insert(kid, number);
                        open(graph, kid, f)?;
                        frames.push(Frame { node: kid, next: 0 });
                    }
                }
            }
            scalar => print_scalar(scalar, f)?,
        }
    }
    Ok(())
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
