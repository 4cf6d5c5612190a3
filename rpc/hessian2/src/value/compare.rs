//! Owns equality: two values are equal if no way of looking into them tells them apart. Cycles end, sharing does not
//! matter.

use super::graph::{Graph, NodeKind, NodeMap, Slot};
use super::val::{Inner, Val};

pub(super) fn equal(a: Val<'_>, b: Val<'_>) -> bool {
    match (a.0, b.0) {
        (Inner::Node(a, m), Inner::Node(b, n)) => containers(a, b, vec![(m, n)], m == 0 && n == 0),
        (a, b) => scalars(a, b),
    }
}

/// Whether the values of two graphs are equal, one by one.
pub(super) fn all_equal((a, left): (&Graph, &[Slot]), (b, right): (&Graph, &[Slot])) -> bool {
    let mut waiting = Vec::new();
    left.len() == right.len() && children(a, left, b, right, &mut waiting) && containers(a, b, waiting, true)
}

fn scalars(a: Inner<'_>, b: Inner<'_>) -> bool {
    match (a, b) {
        (Inner::Missing, Inner::Missing) | (Inner::Null, Inner::Null) => true,
        (Inner::Bool(a), Inner::Bool(b)) => a == b,
        (Inner::Int(a), Inner::Int(b)) => a == b,
        (Inner::Long(a), Inner::Long(b)) => a == b,
        // Java writes one NaN and one zero only.
        (Inner::Double(a), Inner::Double(b)) => a == b || (a.is_nan() && b.is_nan()),
        (Inner::Date(a), Inner::Date(b)) => a == b,
        (Inner::Text(a), Inner::Text(b)) => a == b,
        (Inner::Odd(a), Inner::Odd(b)) | (Inner::Binary(a), Inner::Binary(b)) => a == b,
        _ => false,
    }
}

/// Takes for equal what has been met already, and looks for a difference: union-find over the nodes of both graphs.
/// Each union leaves one class fewer, so there are at most as many steps as nodes.
fn containers(a: &Graph, b: &Graph, mut waiting: Vec<(u32, u32)>, whole: bool) -> bool {
    let offset = a.nodes.len() as u32;
    let mut classes = NodeMap::new(a.nodes.len() + b.nodes.len(), whole);
    while let Some((m, n)) = waiting.pop() {
        if !union(&mut classes, m, offset.wrapping_add(n)) {
            continue;
        }
        let (left, right) = (a.kids(m), b.kids(n));
        if !heads(a, m, b, n) || left.len() != right.len() || !children(a, left, b, right, &mut waiting) {
            return false;
        }
    }
    true
}

/// Whether the scalars are equal, pair by pair. Pairs of containers are put off.
fn children(a: &Graph, left: &[Slot], b: &Graph, right: &[Slot], waiting: &mut Vec<(u32, u32)>) -> bool {
    left.iter().zip(right).all(|(&left, &right)| match (Val::of_slot(a, left).0, Val::of_slot(b, right).0) {
        (Inner::Node(_, m), Inner::Node(_, n)) => {
            waiting.push((m, n));
            true
        }
        (left, right) => scalars(left, right),
    })
}

/// Kinds, type names, and classes with their fields.
fn heads(a: &Graph, m: u32, b: &Graph, n: u32) -> bool {
    let (Some(left), Some(right)) = (a.node(m), b.node(n)) else { return false };
    let same_kind = match (left.kind, right.kind) {
        (NodeKind::List | NodeKind::VariableList, NodeKind::List | NodeKind::VariableList) => true,
        (left, right) => left == right,
    };
    let same_class = match (a.class(m), b.class(n)) {
        (Some(left), Some(right)) => {
            a.str(left.name) == b.str(right.name) && a.field_names(left).eq(b.field_names(right))
        }
        (left, right) => left.is_none() && right.is_none(),
    };
    same_kind && same_class && a.type_name(m) == b.type_name(n)
}

/// Joins the classes of two nodes; false if they are one already.
fn union(classes: &mut NodeMap, left: u32, right: u32) -> bool {
    let (left, right) = (find(classes, left), find(classes, right));
    if left == right {
        return false;
    }
    classes.set(right, left);
    true
}

/// The one that stands for a node's class. Halves the way there, so that the next time is shorter.
fn find(classes: &mut NodeMap, mut node: u32) -> u32 {
    while let Some(next) = classes.get(node) {
        let Some(after) = classes.get(next) else { return next };
        classes.set(node, after);
        node = after;
    }
    node
}
