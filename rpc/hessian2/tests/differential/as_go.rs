//! Owns what becomes of a value in dubbo-go-hessian2.

use crate::as_java::only_known;
use crate::generate::NODE;
use crate::graph::{Graph, Item, Node};

/// The value as Go holds it:
///
/// - only arrays keep their type, and those of `short` and `float` get that of `int` and `double`; all other lists are `[]interface{}`, and all maps `map[interface{}]interface{}`;
/// - of a map that came with a type, entries with a null value are lost;
/// - a struct has its own fields;
/// - doubles that came as thousandths are divided by 1,000, which may give the neighbour of what was sent. Two keys of a
///   map may so become one, and the last value stays.
pub(crate) fn as_go(mut graph: Graph) -> Graph {
    for node in &mut graph.nodes {
        match node {
            Node::List(name, items) => {
                *name = list_type(name).to_owned();
                items.iter_mut().for_each(divide);
            }
            Node::Map(name, entries) => {
                if !name.is_empty() {
                    name.clear();
                    entries.retain(|(_, value)| *value != Item::Null);
                }
                *entries = divided(std::mem::take(entries));
            }
            Node::Object(class, fields) => {
                if class == NODE {
                    only_known(fields);
                }
                fields.iter_mut().for_each(|(_, value)| divide(value));
            }
        }
    }
    divide(&mut graph.root);
    graph
}

/// What Go writes of what it holds: a null list or map of a struct's field becomes an empty one.
pub(crate) fn written_by_go(mut graph: Graph) -> Graph {
    let mut empty = Vec::new();
    let next = graph.nodes.len();
    for node in &mut graph.nodes {
        let Node::Object(class, fields) = node else { continue };
        for (name, value) in fields.iter_mut().filter(|(_, value)| class == NODE && *value == Item::Null) {
            let node = match name.as_str() {
                "items" => Node::List(String::new(), Vec::new()),
                "entries" => Node::Map(String::new(), Vec::new()),
                _ => continue,
            };
            *value = Item::Node(next + empty.len());
            empty.push(node);
        }
    }
    graph.nodes.extend(empty);
    graph
}

fn list_type(name: &str) -> &str {
    match name {
        "[short" => "[int",
        "[float" => "[double",
        _ if name.starts_with('[') => name,
        _ => "",
    }
}

fn divided(entries: Vec<(Item, Item)>) -> Vec<(Item, Item)> {
    let mut all: Vec<(Item, Item)> = Vec::new();
    for (mut key, mut value) in entries {
        divide(&mut key);
        divide(&mut value);
        if matches!(key, Item::Double(_)) {
            all.retain(|(other, _)| *other != key);
        }
        all.push((key, value));
    }
    all
}

/// Only what has no shorter form is written as thousandths, and only if multiplying gives it exactly.
fn divide(item: &mut Item) {
    if let Item::Double(double) = item {
        let is_short = f64::from(*double as i16) == *double;
        let thousandths = f64::from((*double * 1000.0) as i32);
        if !is_short && 0.001 * thousandths == *double {
            *double = thousandths / 1000.0;
        }
    }
}
