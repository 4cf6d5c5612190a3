//! Owns what becomes of a value in Java: hessian-lite knows fewer types than the wire can name.

use crate::generate::NODE;
use crate::graph::{COLOR, Graph, Item, Node};

/// The value as Java holds it:
///
/// - a list of a class that is no list there is an ArrayList, and a map of one that is no map a HashMap, both of which
///   Java writes without their type;
/// - an object of a class that is not there is a HashMap of its fields;
/// - a bean has the fields that its class has: others are lost, and those that did not come are null or 0.
pub(crate) fn as_java(mut graph: Graph) -> Graph {
    for node in &mut graph.nodes {
        match node {
            Node::List(name, _) => *name = list_type(name),
            Node::Map(name, _) if !is_map(name) => name.clear(),
            Node::Object(class, fields) if class == NODE => only_known(fields),
            Node::Object(class, fields) if !is_class(class) => {
                let mut entries: Vec<(Item, Item)> = Vec::new();
                for (name, value) in fields.drain(..) {
                    // Of two fields with one name, the last one stays.
                    let name = Item::text(&name);
                    entries.retain(|(other, _)| *other != name);
                    entries.push((name, value));
                }
                *node = Node::Map(String::new(), entries);
            }
            _ => {}
        }
    }
    graph
}

/// Takes from a bean the fields that its class does not have, and gives it those that it lacks.
pub(crate) fn only_known(fields: &mut Vec<(String, Item)>) {
    fields.retain(|(name, _)| FIELDS.iter().any(|(field, _)| name == field));
    for (field, default) in FIELDS {
        if !fields.iter().any(|(name, _)| name == field) {
            fields.push((field.to_owned(), default));
        }
    }
}

const FIELDS: [(&str, Item); 6] = [
    ("name", Item::Null),
    ("weight", Item::Long(0)),
    ("next", Item::Null),
    ("items", Item::Null),
    ("entries", Item::Null),
    ("extra", Item::Null),
];

fn list_type(name: &str) -> String {
    match name {
        "[com.example.peer.Node" => name,
        _ if name.starts_with("[com.example.") => "[object",
        _ if name.starts_with('[') => name,
        "java.util.ArrayList" | "java.util.Arrays$ArrayList" => "",
        _ if name.starts_with("java.util.Collections$") && name.ends_with("Set") => "java.util.HashSet",
        _ if name.starts_with("java.util.Collections$") => "",
        _ if name.starts_with("java.util.") => name,
        _ => "",
    }
    .to_owned()
}

fn is_map(name: &str) -> bool {
    name.starts_with("java.util.")
        && name != "java.util.HashMap"
        && name != "java.util.EnumMap"
        && !name.starts_with("java.util.Collections$")
}

fn is_class(class: &str) -> bool {
    class == COLOR
        || class == "object"
        || ["java.", "com.alibaba."].iter().any(|prefix| class.starts_with(prefix))
}
