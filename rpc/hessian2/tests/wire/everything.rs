//! Rust types with a field of every kind.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use getty_hessian2::{Date, Hessian, Shared, Throwable, Value};

#[derive(Debug, Clone, PartialEq, Hessian)]
#[hessian(class = "com.example.Everything")]
pub(crate) struct Everything {
    pub(crate) flag: bool,
    pub(crate) byte: i8,
    pub(crate) octet: u8,
    pub(crate) short: i16,
    pub(crate) int: i32,
    pub(crate) unsigned: u32,
    pub(crate) long: i64,
    pub(crate) float: f32,
    pub(crate) double: f64,
    pub(crate) letter: char,
    pub(crate) text: String,
    pub(crate) maybe: Option<String>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) signed_bytes: Vec<i8>,
    pub(crate) date: Date,
    #[hessian(rename = "données")]
    pub(crate) list: Vec<Option<i64>>,
    pub(crate) set: BTreeSet<String>,
    pub(crate) map: BTreeMap<i32, Vec<u8>>,
    pub(crate) kind: Kind,
    pub(crate) parts: Vec<Part>,
    pub(crate) any: Value,
}

#[derive(Debug, Clone, PartialEq, Hessian)]
#[hessian(class = "com.example.Part")]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) next: Option<Box<Self>>,
    pub(crate) weight: f64,
}

#[derive(Debug, Clone, PartialEq, Hessian)]
#[hessian(class = "com.example.Kind")]
pub(crate) enum Kind {
    First,
    Second,
    #[hessian(other)]
    Other(String),
}

/// As `Everything`, in another order, borrowing, and without some of it.
#[derive(Debug, PartialEq, Hessian)]
#[hessian(class = "com.example.Everything")]
pub(crate) struct Extract<'a> {
    pub(crate) any: Value,
    pub(crate) text: Cow<'a, str>,
    pub(crate) parts: Vec<Part>,
    pub(crate) int: i64,
    #[hessian(default)]
    pub(crate) unknown: String,
}

/// The kinds that `Everything` lacks: wrappers, sharing, exceptions, itself.
#[derive(Debug, PartialEq, Hessian)]
#[hessian(class = "com.example.More")]
pub(crate) struct More {
    pub(crate) boxed: Box<[i32]>,
    pub(crate) text: Box<str>,
    pub(crate) counted: Arc<str>,
    pub(crate) single: Rc<Part>,
    pub(crate) shared: Vec<Shared<Part>>,
    pub(crate) queue: VecDeque<Kind>,
    pub(crate) hashed: HashSet<Vec<u8>>,
    pub(crate) nested: HashMap<String, Vec<Vec<f32>>>,
    pub(crate) bytes: Bytes,
    pub(crate) cause: Option<Throwable>,
    pub(crate) next: Option<Box<Self>>,
    #[hessian(default)]
    pub(crate) ignored: (),
}
