//! Owns the tests' own model of a value, which shares no code with the codec, and the text by which two are compared.

use std::fmt::Write;

/// A value: what stands in a container, or alone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Null,
    Bool(bool),
    Int(i32),
    Long(i64),
    Double(f64),
    /// Milliseconds.
    Date(i64),
    /// UTF-16 units, also halves of a pair.
    Text(Vec<u16>),
    Binary(Vec<u8>),
    /// Index of a node.
    Node(usize),
}

/// A container. An empty type name is none.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    List(String, Vec<Item>),
    Map(String, Vec<(Item, Item)>),
    Object(String, Vec<(String, Item)>),
}

/// A value with all containers in it, which may hold each other and themselves.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) root: Item,
}

/// The enum of both sides. Java has one object for each of its constants, so which are shared does not matter.
pub(crate) const COLOR: &str = "com.example.peer.Color";
/// The map that keeps the order of its entries.
pub(crate) const LINKED_HASH_MAP: &str = "java.util.LinkedHashMap";

impl Item {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.encode_utf16().collect())
    }
}

impl Graph {
    /// Text that is the same for two values if they hold the same, with the same parts shared. The order of fields and
    /// of the entries of maps that have none does not matter; all NaN are the same, and both zeros, as in Hessian.
    pub(crate) fn text(&self) -> String {
        let mut printer =
            Printer { graph: self, out: String::new(), numbers: vec![None; self.nodes.len()], next: 0 };
        printer.item(&self.root);
        printer.out
    }
}

struct Printer<'g> {
    graph: &'g Graph,
    out: String,
    /// Numbers of the nodes that have been printed, by first appearance.
    numbers: Vec<Option<usize>>,
    next: usize,
}

impl Printer<'_> {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Null => self.out.push_str("null"),
            Item::Bool(value) => self.print(format_args!("{value}")),
            Item::Int(value) => self.print(format_args!("{value}")),
            Item::Long(value) => self.print(format_args!("{value}L")),
            Item::Double(value) if value.is_nan() => self.out.push_str("NaN"),
            Item::Double(value) => self.print(format_args!("{:?}", value + 0.0)),
            Item::Date(millis) => self.print(format_args!("date {millis}")),
            Item::Text(units) => match String::from_utf16(units) {
                Ok(text) => self.print(format_args!("{}'{text}'", units.len())),
                Err(_) => self.print(format_args!("units {units:?}")),
            },
            Item::Binary(bytes) => self.print(format_args!("{bytes:?}")),
            Item::Node(node) => self.node(*node),
        }
    }

    fn node(&mut self, index: usize) {
        let node = &self.graph.nodes[index];
        if let Some(number) = self.numbers[index] {
            return self.print(format_args!("&{number}"));
        }
        if !matches!(node, Node::Object(class, _) if class == COLOR) {
            self.numbers[index] = Some(self.next);
            self.next += 1;
        }
        match node {
            Node::List(name, items) => {
                self.print(format_args!("{name}["));
                for item in items {
                    self.item(item);
                    self.out.push_str(", ");
                }
                self.out.push(']');
            }
            Node::Map(name, entries) => {
                self.print(format_args!("{name}{{"));
                for (key, value) in self.in_order(name, entries) {
                    self.item(key);
                    self.out.push_str(": ");
                    self.item(value);
                    self.out.push_str(", ");
                }
                self.out.push('}');
            }
            Node::Object(class, fields) => {
                self.print(format_args!("{class}("));
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_by_key(|(name, _)| name);
                for (name, value) in fields {
                    self.print(format_args!("{name}="));
                    self.item(value);
                    self.out.push_str(", ");
                }
                self.out.push(')');
            }
        }
    }

    fn in_order<'e>(&self, name: &str, entries: &'e [(Item, Item)]) -> Vec<&'e (Item, Item)> {
        let mut entries: Vec<_> = entries.iter().collect();
        if name != LINKED_HASH_MAP {
            entries.sort_by_cached_key(|(key, _)| self.alone(key));
        }
        entries
    }

    /// Text of a key. It does not depend on what came before it: no part of a key is shared with anything.
    fn alone(&self, key: &Item) -> String {
        let numbers = vec![None; self.numbers.len()];
        let mut printer = Printer { graph: self.graph, out: String::new(), numbers, next: 0 };
        printer.item(key);
        printer.out
    }

    fn print(&mut self, text: std::fmt::Arguments<'_>) {
        self.out.write_fmt(text).unwrap();
    }
}
