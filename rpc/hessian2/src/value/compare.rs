//! Owns equality: two values are equal if no way of looking into them tells them apart. Cycles end, sharing does not
//! matter.

use super::graph::{Graph, NodeKind};
use super::val::{Inner, Val};

pub(super) fn equal(a: Val<'_>, b: Val<'_>) -> bool {
    match (a.0, b.0) {
        (Inner::Node(a, m), Inner::Node(b, n)) => containers(a, m, b, n),
        (a, b) => scalars(a, b),
    }
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
fn containers(a: &Graph, m: u32, b: &Graph, n: u32) -> bool {
    let offset = a.nodes.len();
    let mut classes: Vec<u32> = (0..).take(offset + b.nodes.len()).collect();
    let mut waiting = vec![(m, n)];
    while let Some((m, n)) = waiting.pop() {
        if !union(&mut classes, m as usize, offset + n as usize) {
            continue;
        }
        let (left, right) = (a.kids(m), b.kids(n));
        if !heads(a, m, b, n) || left.len() != right.len() {
            return false;
        }
        for (&left, &right) in left.iter().zip(right) {
            match (Val::of_slot(a, left).0, Val::of_slot(b, right).0) {
                (Inner::Node(_, m), Inner::Node(_, n)) => waiting.push((m, n)),
                (left, right) if scalars(left, right) => {}
                _ => return false,
            }
        }
    }
    true
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
fn union(classes: &mut [u32], left: usize, right: usize) -> bool {
    let (left, right) = (find(classes, left), find(classes, right));
    if left == right {
        return false;
    }
    if let Some(class) = classes.get_mut(right) {
        *class = left as u32;
    }
    true
}

/// The one that stands for a node's class. Halves the way there, so that the next time is shorter.
fn find(classes: &mut [u32], mut node: usize) -> usize {
    while let Some(&next) = classes.get(node)
        && next as usize != node
    {
        let after = classes.get(next as usize).copied().unwrap_or(next);
        if let Some(class) = classes.get_mut(node) {
            *class = after;
        }
        node = after as usize;
    }
    node
}
