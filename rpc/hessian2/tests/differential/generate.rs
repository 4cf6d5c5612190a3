//! Owns random graphs: containers of all kinds in each other, shared, and in circles.

use std::collections::HashSet;

use crate::graph::{COLOR, Graph, Item, LINKED_HASH_MAP, Node};
use crate::random::Random;

/// What a peer's library can hold.
pub(crate) struct Abilities {
    /// Types of lists, with what they hold.
    pub(crate) lists: &'static [(&'static str, Items)],
    /// Types of lists that come back without their type.
    pub(crate) lost_lists: &'static [&'static str],
    /// Types of maps.
    pub(crate) maps: &'static [&'static str],
    /// Halves of surrogate pairs.
    pub(crate) odd_text: bool,
    /// Lists and binaries as keys of maps.
    pub(crate) odd_keys: bool,
    /// An enum.
    pub(crate) color: bool,
    /// Objects of one class with other fields than before.
    pub(crate) loose_classes: bool,
    /// The type of a list that comes to a bean's field of the type List.
    pub(crate) typed_list_fields: bool,
    /// Null as a key of a map with a type; and in a bean's field of the type Map such that have a type or nulls, or are
    /// shared.
    pub(crate) any_maps: bool,
    /// Empty lists in a value that has references.
    pub(crate) empty_and_shared_lists: bool,
}

/// What a typed list holds.
#[derive(Clone, Copy)]
pub(crate) enum Items {
    Any,
    /// No two the same.
    Distinct,
    Bool,
    Short,
    Int,
    MaybeInt,
    Long,
    Float,
    Double,
    Text,
    Date,
    Nodes,
    Ints,
}

/// Where a container may be referred to from.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    List,
    Map,
    Node,
    Other,
    /// From nowhere.
    Alone,
}

/// Class of the peers' bean.
pub(crate) const NODE: &str = "com.example.peer.Node";
const INT_LIST: &str = "[int";
const DEPTH: usize = 12;
/// Containers in one value.
const NODES: usize = 40;

/// A random value.
pub(crate) struct Generated {
    pub(crate) graph: Graph,
    /// Whether it comes back from Java in the same order: no hash maps, and classes with the fields that Java knows, in
    /// Java's order.
    pub(crate) in_order: bool,
}

/// The value of a seed.
pub(crate) fn generate(seed: u64, abilities: &Abilities) -> Generated {
    let mut random = Random::new(seed);
    let in_order = random.once_in(3);
    let (shared, empty) = match random.once_in(2) {
        _ if abilities.empty_and_shared_lists => (true, true),
        shared => (shared, !shared),
    };
    let (nodes, roles) = (Vec::new(), Vec::new());
    let mut generator = Generator { abilities, random, nodes, roles, in_order, shared, empty };
    let root = match generator.random.below(48) {
        0..4 => generator.random.leaf(abilities.odd_text),
        4 => generator.long_list(),
        5 if !in_order => generator.many_classes(),
        _ => generator.container(0),
    };
    Generated { graph: Graph { nodes: generator.nodes, root }, in_order }
}

struct Generator<'a> {
    abilities: &'a Abilities,
    random: Random,
    nodes: Vec<Node>,
    roles: Vec<Role>,
    in_order: bool,
    /// With references.
    shared: bool,
    /// With empty lists.
    empty: bool,
}

impl Generator<'_> {
    fn any(&mut self, depth: usize) -> Item {
        match self.random.below(10) {
            0 => self.reference(|role| role != Role::Alone).unwrap_or(Item::Null),
            1..4 if depth < DEPTH && self.nodes.len() < NODES => self.container(depth),
            _ => self.random.leaf(self.abilities.odd_text),
        }
    }

    /// A container that there is already, perhaps one that is still open.
    fn reference(&mut self, fits: impl Fn(Role) -> bool) -> Option<Item> {
        if !self.shared {
            return None;
        }
        let fitting: Vec<_> = (0..self.nodes.len()).filter(|&node| fits(self.roles[node])).collect();
        (!fitting.is_empty()).then(|| Item::Node(self.random.pick(&fitting)))
    }

    fn container(&mut self, depth: usize) -> Item {
        match self.random.below(12) {
            0..4 => self.list(depth),
            4 => self.typed_list(depth),
            5..8 => self.map(depth),
            8 | 9 => self.node(depth),
            10 if self.abilities.color => self.color(),
            _ if self.in_order => self.list(depth),
            _ => self.unknown(depth),
        }
    }

    fn len(&mut self) -> usize {
        match self.random.below(40) {
            0 => self.random.below(300),
            1..5 => 6 + self.random.below(4),
            _ => self.random.below(5),
        }
    }

    fn list_len(&mut self) -> usize {
        self.len().max(usize::from(!self.empty))
    }

    fn list(&mut self, depth: usize) -> Item {
        let at = self.reserve(Role::List);
        let items = (0..self.list_len()).map(|_| self.any(depth + 1)).collect();
        let lost = !self.in_order && self.random.once_in(8);
        let name = if lost { self.random.pick(self.abilities.lost_lists) } else { "" };
        self.fill(at, Node::List(name.to_owned(), items))
    }

    /// A list with leaves around the end of Java's buffer of 8 KiB, which decides where binaries are cut.
    fn long_list(&mut self) -> Item {
        let at = self.reserve(Role::List);
        let mut items = vec![Item::Binary(vec![0; 8_140 + self.random.below(50)])];
        for _ in 0..1 + self.random.below(12) {
            items.push(match self.random.below(8) {
                0..2 => Item::Binary(self.random.bytes()),
                2 => Item::Binary(Vec::new()),
                _ => self.random.leaf(self.abilities.odd_text),
            });
        }
        self.fill(at, Node::List(String::new(), items))
    }

    /// More classes than have a tag of their own.
    fn many_classes(&mut self) -> Item {
        let at = self.reserve(Role::List);
        let items = (0..60).map(|_| self.unknown(DEPTH)).collect();
        self.fill(at, Node::List(String::new(), items))
    }

    fn typed_list(&mut self, depth: usize) -> Item {
        let (name, items) = self.random.pick(self.abilities.lists);
        let is_list = self.abilities.typed_list_fields && name == "java.util.LinkedList";
        let at = self.reserve(if is_list { Role::List } else { Role::Other });
        let len = self.list_len();
        let mut keys = HashSet::new();
        let mut list: Vec<_> = (0..len).filter_map(|_| self.typed_item(items, depth, &mut keys)).collect();
        if list.is_empty() && !self.empty {
            list.push(Item::Bool(true));
        }
        self.fill(at, Node::List(name.to_owned(), list))
    }

    fn typed_item(&mut self, items: Items, depth: usize, keys: &mut HashSet<String>) -> Option<Item> {
        let random = &mut self.random;
        Some(match items {
            Items::Any => return Some(self.any(depth + 1)),
            Items::Distinct => return self.key(keys),
            Items::Nodes => return Some(self.maybe_node(depth)),
            Items::Ints => return Some(self.ints()),
            Items::Bool => Item::Bool(random.once_in(2)),
            Items::Short => Item::Int(i32::from(random.long() as i16)),
            Items::MaybeInt if random.once_in(4) => Item::Null,
            Items::Int | Items::MaybeInt => Item::Int(random.int()),
            Items::Long => Item::Long(random.long()),
            Items::Float => Item::Double(f64::from(random.double() as f32)),
            Items::Double => Item::Double(random.double()),
            Items::Text => Item::Text(random.units(self.abilities.odd_text)),
            Items::Date => Item::Date(random.millis()),
        })
    }

    fn map(&mut self, depth: usize) -> Item {
        let name = match self.random.below(3) {
            _ if self.in_order => LINKED_HASH_MAP,
            0 => self.random.pick(self.abilities.maps),
            _ => "",
        };
        self.map_of(name, if self.abilities.any_maps { Role::Map } else { Role::Other }, depth)
    }

    /// A map that fits a bean's field.
    fn map_field(&mut self, depth: usize) -> Item {
        if self.abilities.any_maps { self.map(depth) } else { self.map_of("", Role::Alone, depth) }
    }

    fn map_of(&mut self, name: &str, role: Role, depth: usize) -> Item {
        let at = self.reserve(role);
        let mut keys = HashSet::new();
        let mut entries = Vec::new();
        for _ in 0..self.len() {
            let key =
                if name == "java.util.TreeMap" { self.text_key(&mut keys) } else { self.key(&mut keys) };
            let value = self.any(depth + 1);
            let fits = |key: &Item| match role {
                Role::Alone => *key != Item::Null && value != Item::Null,
                _ => *key != Item::Null || name.is_empty(),
            };
            let key = key.filter(|key| self.abilities.any_maps || fits(key));
            entries.extend(key.map(|key| (key, value)));
        }
        self.fill(at, Node::Map(name.to_owned(), entries))
    }

    fn text_key(&mut self, keys: &mut HashSet<String>) -> Option<Item> {
        let key = Item::Text(self.random.units(self.abilities.odd_text));
        keys.insert(format!("{key:?}")).then_some(key)
    }

    /// A key that is not there yet.
    fn key(&mut self, keys: &mut HashSet<String>) -> Option<Item> {
        let key = match self.random.leaf(self.abilities.odd_text) {
            Item::Binary(_) if !self.abilities.odd_keys => return None,
            // A HashMap takes all NaN for one key, and Hessian both zeros for one number.
            Item::Double(double) if double.is_nan() || double == 0.0 => Item::Double(1.5),
            key => key,
        };
        if !keys.insert(format!("{key:?}")) {
            return None;
        }
        if self.abilities.odd_keys && self.random.once_in(20) {
            // The key as a list, which is another key.
            let at = self.reserve(Role::Alone);
            return Some(self.fill(at, Node::List(String::new(), vec![key])));
        }
        Some(key)
    }

    /// A bean. Its fields come in another order, one may be missing, and one that it does not know may be there.
    fn node(&mut self, depth: usize) -> Item {
        let at = self.reserve(Role::Node);
        let mut fields: Vec<(String, Item)> = Vec::new();
        for name in ["extra", "entries", "items", "next", "weight", "name"] {
            let value = match name {
                "name" if self.random.once_in(8) => Item::Null,
                "name" => Item::Text(self.random.units(self.abilities.odd_text)),
                "weight" => Item::Long(self.random.long()),
                "next" => self.maybe_node(depth),
                "items" => self.maybe(depth, Role::List, Self::list),
                "entries" => self.maybe(depth, Role::Map, Self::map_field),
                _ => self.any(depth + 1),
            };
            fields.push((name.to_owned(), value));
        }
        if !self.in_order {
            let start = self.random.below(fields.len());
            fields.rotate_left(start);
            if self.random.once_in(4) {
                fields.pop_if(|(name, _)| self.empty || !["items", "entries"].contains(&name.as_str()));
            }
            if self.random.once_in(4) {
                fields.push(("unknown".to_owned(), self.any(depth + 1)));
            }
        }
        self.fill(at, Node::Object(NODE.to_owned(), fields))
    }

    fn maybe_node(&mut self, depth: usize) -> Item {
        self.maybe(depth, Role::Node, Self::node)
    }

    /// Null, a container of the role that is there already, or a new one.
    fn maybe(&mut self, depth: usize, role: Role, new: fn(&mut Self, usize) -> Item) -> Item {
        match self.random.below(4) {
            0 if let Some(item) = self.reference(|other| other == role) => item,
            1 | 2 if depth < DEPTH && self.nodes.len() < NODES => new(self, depth + 1),
            _ if role != Role::Node && !self.empty => new(self, DEPTH),
            _ => Item::Null,
        }
    }

    fn color(&mut self) -> Item {
        let fields = vec![("name".to_owned(), Item::text(self.random.pick(&["RED", "GREEN", "DARK_BLUE"])))];
        let is_same =
            |node: &Node| matches!(node, Node::Object(class, other) if class == COLOR && *other == fields);
        if let Some(at) = self.nodes.iter().position(is_same).filter(|_| self.in_order && self.shared) {
            return Item::Node(at);
        }
        let at = self.reserve(Role::Other);
        self.fill(at, Node::Object(COLOR.to_owned(), fields))
    }

    fn ints(&mut self) -> Item {
        let at = self.reserve(Role::Other);
        let items = (0..self.list_len()).map(|_| Item::Int(self.random.int())).collect();
        self.fill(at, Node::List(INT_LIST.to_owned(), items))
    }

    /// An object of one of 40 classes that the peer does not have.
    fn unknown(&mut self, depth: usize) -> Item {
        let class = self.random.below(40);
        let len = if self.abilities.loose_classes { self.random.below(6) } else { class % 5 };
        let at = self.reserve(Role::Other);
        let fields = (0..len).map(|field| (format!("field{field}"), self.any(depth + 1))).collect();
        self.fill(at, Node::Object(format!("com.example.missing.Class{class}"), fields))
    }

    /// A place for a node, before its children take theirs.
    fn reserve(&mut self, role: Role) -> usize {
        self.nodes.push(Node::List(String::new(), Vec::new()));
        self.roles.push(role);
        self.nodes.len() - 1
    }

    fn fill(&mut self, at: usize, node: Node) -> Item {
        self.nodes[at] = node;
        Item::Node(at)
    }
}
