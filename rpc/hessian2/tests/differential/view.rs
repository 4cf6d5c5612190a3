//! Owns making graphs of what the two sides hold: of a `Value`, and of the tree in a peer's answer.

use getty_hessian2::{Kind, Val, Value};
use serde::Deserialize;

use crate::graph::{Graph, Item, Node};

/// A tree as the peers write it; `peers/java` describes it.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tree<'a> {
    Null,
    Bool(bool),
    Byte(i32),
    Short(i32),
    Int(i32),
    Long(i64),
    Float(&'a str),
    Double(&'a str),
    Char(&'a str),
    String(&'a str),
    Date(i64),
    Binary(&'a str),
    List(&'a str, Vec<Self>),
    Map(&'a str, Vec<(Self, Self)>),
    Object(&'a str, Vec<(&'a str, Self)>),
    Ref(usize),
}

impl Graph {
    pub(crate) fn of_value(value: &Value) -> Self {
        let mut seen = Vec::new();
        let mut nodes = Vec::new();
        let root = item(value.root(), &mut seen, &mut nodes);
        Self { nodes, root }
    }

    pub(crate) fn of_tree(json: &[u8]) -> Self {
        let tree: Tree<'_> = serde_json::from_slice(json).unwrap();
        let mut nodes = Vec::new();
        let root = tree.item(&mut nodes);
        Self { nodes, root }
    }
}

/// `seen` are the containers that have their nodes already, in the same order.
fn item<'v>(val: Val<'v>, seen: &mut Vec<Val<'v>>, nodes: &mut Vec<Node>) -> Item {
    match val.kind().unwrap() {
        Kind::Null => Item::Null,
        Kind::Bool => Item::Bool(val.as_bool().unwrap()),
        Kind::Int => Item::Int(val.as_i32().unwrap()),
        Kind::Long => Item::Long(val.as_i64().unwrap()),
        Kind::Double => Item::Double(val.as_f64().unwrap()),
        Kind::Date => Item::Date(val.as_date().unwrap().as_millis()),
        Kind::String => Item::Text(val.to_utf16().unwrap()),
        Kind::Binary => Item::Binary(val.as_bytes().unwrap().to_vec()),
        kind => {
            if let Some(node) = seen.iter().position(|other| other.is_same(val)) {
                return Item::Node(node);
            }
            let node = reserve(nodes);
            seen.push(val);
            let name = val.type_name().unwrap_or_default().to_owned();
            nodes[node] = match kind {
                Kind::List => Node::List(name, val.items().map(|val| item(val, seen, nodes)).collect()),
                Kind::Map => {
                    let entry = |(key, val)| (item(key, seen, nodes), item(val, seen, nodes));
                    Node::Map(name, val.entries().map(entry).collect())
                }
                Kind::Object => {
                    let field = |(name, val): (&str, _)| (name.to_owned(), item(val, seen, nodes));
                    Node::Object(val.class().unwrap().to_owned(), val.fields().map(field).collect())
                }
                other => panic!("a value of kind {other:?}"),
            };
            Item::Node(node)
        }
    }
}

impl Tree<'_> {
    fn item(self, nodes: &mut Vec<Node>) -> Item {
        match self {
            Self::Null => Item::Null,
            Self::Bool(value) => Item::Bool(value),
            Self::Byte(value) | Self::Short(value) | Self::Int(value) => Item::Int(value),
            Self::Long(value) => Item::Long(value),
            Self::Float(bits) => {
                let float = f32::from_bits(u32::from_str_radix(bits, 16).unwrap());
                Item::Double(f64::from(float))
            }
            Self::Double(bits) => Item::Double(f64::from_bits(u64::from_str_radix(bits, 16).unwrap())),
            Self::Char(hex) | Self::String(hex) => Item::Text(units(hex)),
            Self::Date(millis) => Item::Date(millis),
            Self::Binary(hex) => Item::Binary(bytes(hex)),
            Self::Ref(node) => Item::Node(node),
            Self::List(name, items) => {
                let node = reserve(nodes);
                nodes[node] =
                    Node::List(text(name), items.into_iter().map(|item| item.item(nodes)).collect());
                Item::Node(node)
            }
            Self::Map(name, entries) => {
                let node = reserve(nodes);
                let entry = |(key, value): (Self, Self)| (key.item(nodes), value.item(nodes));
                nodes[node] = Node::Map(text(name), entries.into_iter().map(entry).collect());
                Item::Node(node)
            }
            Self::Object(class, fields) => {
                let node = reserve(nodes);
                let field = |(name, value): (&str, Self)| (text(name), value.item(nodes));
                nodes[node] = Node::Object(text(class), fields.into_iter().map(field).collect());
                Item::Node(node)
            }
        }
    }
}

/// A place for a node, before its children take theirs.
fn reserve(nodes: &mut Vec<Node>) -> usize {
    nodes.push(Node::List(String::new(), Vec::new()));
    nodes.len() - 1
}

fn text(hex: &str) -> String {
    String::from_utf16(&units(hex)).unwrap()
}

fn units(hex: &str) -> Vec<u16> {
    bytes(hex).chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
    hex.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
