//! Owns writing a graph in the plainest bytes that are legal: fixed widths, every type and class named again each time.
//! The codec must read them all the same; it shares no code with this.

use crate::graph::{Graph, Item, Node};

pub(crate) fn encode(graph: &Graph) -> Vec<u8> {
    let mut writer =
        Writer { graph, out: Vec::new(), slots: vec![None; graph.nodes.len()], next: 0, classes: 0 };
    writer.item(&graph.root);
    writer.out
}

struct Writer<'g> {
    graph: &'g Graph,
    out: Vec<u8>,
    /// Numbers of the nodes that have been written.
    slots: Vec<Option<i32>>,
    next: i32,
    classes: i32,
}

impl Writer<'_> {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Null => self.out.push(b'N'),
            Item::Bool(value) => self.out.push(if *value { b'T' } else { b'F' }),
            Item::Int(value) => self.int(*value),
            Item::Long(value) => self.tagged(b'L', &value.to_be_bytes()),
            Item::Double(value) => self.tagged(b'D', &value.to_be_bytes()),
            Item::Date(millis) => self.tagged(0x4a, &millis.to_be_bytes()),
            Item::Text(units) => self.text(units),
            Item::Binary(bytes) => self.binary(bytes),
            Item::Node(node) => self.node(*node),
        }
    }

    fn node(&mut self, index: usize) {
        if let Some(slot) = self.slots[index] {
            self.out.push(b'Q');
            return self.int(slot);
        }
        self.slots[index] = Some(self.next);
        self.next += 1;
        match &self.graph.nodes[index] {
            Node::List(name, items) => {
                if name.is_empty() {
                    self.out.push(b'X');
                } else {
                    self.out.push(b'V');
                    self.name(name);
                }
                self.int(items.len() as i32);
                items.iter().for_each(|item| self.item(item));
            }
            Node::Map(name, entries) => {
                if name.is_empty() {
                    self.out.push(b'H');
                } else {
                    self.out.push(b'M');
                    self.name(name);
                }
                for (key, value) in entries {
                    self.item(key);
                    self.item(value);
                }
                self.out.push(b'Z');
            }
            Node::Object(class, fields) => {
                self.out.push(b'C');
                self.name(class);
                self.int(fields.len() as i32);
                fields.iter().for_each(|(name, _)| self.name(name));
                self.out.push(b'O');
                self.int(self.classes);
                self.classes += 1;
                fields.iter().for_each(|(_, value)| self.item(value));
            }
        }
    }

    fn name(&mut self, name: &str) {
        self.text(&name.encode_utf16().collect::<Vec<_>>());
    }

    fn int(&mut self, value: i32) {
        self.tagged(b'I', &value.to_be_bytes());
    }

    fn text(&mut self, units: &[u16]) {
        let mut left = units;
        while left.len() > 1_000 {
            let (chunk, rest) = left.split_at(1_000);
            self.chunk(b'R', chunk);
            left = rest;
        }
        self.chunk(b'S', left);
    }

    /// Each unit alone in one to three bytes.
    fn chunk(&mut self, tag: u8, units: &[u16]) {
        self.tagged(tag, &(units.len() as u16).to_be_bytes());
        for &unit in units {
            let low = 0x80 | (unit & 0x3f) as u8;
            match unit {
                0..0x80 => self.out.push(unit as u8),
                0x80..0x800 => self.out.extend([0xc0 | (unit >> 6) as u8, low]),
                _ => self.out.extend([0xe0 | (unit >> 12) as u8, 0x80 | (unit >> 6 & 0x3f) as u8, low]),
            }
        }
    }

    fn binary(&mut self, bytes: &[u8]) {
        let mut left = bytes;
        while left.len() > 5_000 {
            let (chunk, rest) = left.split_at(5_000);
            self.tagged(b'A', &5_000_u16.to_be_bytes());
            self.out.extend_from_slice(chunk);
            left = rest;
        }
        self.tagged(b'B', &(left.len() as u16).to_be_bytes());
        self.out.extend_from_slice(left);
    }

    fn tagged(&mut self, tag: u8, bytes: &[u8]) {
        self.out.push(tag);
        self.out.extend_from_slice(bytes);
    }
}
