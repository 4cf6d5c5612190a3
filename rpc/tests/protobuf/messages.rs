//! The messages and services of these tests.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use getty_rpc::{Context, ProtobufException, Throwable, java::JavaType, prost, prost::Message, service};

/// A field of every kind that protobuf has.
#[derive(Clone, PartialEq, Message)]
#[prost(prost_path = "::getty_rpc::prost")]
pub(crate) struct Everything {
    #[prost(double, tag = "1")]
    pub(crate) double: f64,
    #[prost(float, tag = "2")]
    pub(crate) float: f32,
    #[prost(int32, tag = "3")]
    pub(crate) int32: i32,
    #[prost(int64, tag = "4")]
    pub(crate) int64: i64,
    #[prost(uint32, tag = "5")]
    pub(crate) uint32: u32,
    #[prost(uint64, tag = "6")]
    pub(crate) uint64: u64,
    #[prost(sint32, tag = "7")]
    pub(crate) sint32: i32,
    #[prost(sint64, tag = "8")]
    pub(crate) sint64: i64,
    #[prost(fixed32, tag = "9")]
    pub(crate) fixed32: u32,
    #[prost(fixed64, tag = "10")]
    pub(crate) fixed64: u64,
    #[prost(sfixed32, tag = "11")]
    pub(crate) sfixed32: i32,
    #[prost(sfixed64, tag = "12")]
    pub(crate) sfixed64: i64,
    #[prost(bool, tag = "13")]
    pub(crate) flag: bool,
    #[prost(string, tag = "14")]
    pub(crate) text: String,
    #[prost(bytes = "vec", tag = "15")]
    pub(crate) bytes: Vec<u8>,
    #[prost(bytes = "bytes", tag = "16")]
    pub(crate) shared: Bytes,
    #[prost(enumeration = "Level", tag = "17")]
    pub(crate) level: i32,
    #[prost(message, optional, tag = "18")]
    pub(crate) name: Option<Name>,
    #[prost(message, optional, boxed, tag = "19")]
    pub(crate) again: Option<Box<Self>>,
    #[prost(string, optional, tag = "20")]
    pub(crate) maybe: Option<String>,
    #[prost(int32, repeated, tag = "21")]
    pub(crate) packed: Vec<i32>,
    #[prost(int32, repeated, packed = "false", tag = "22")]
    pub(crate) unpacked: Vec<i32>,
    #[prost(string, repeated, tag = "23")]
    pub(crate) texts: Vec<String>,
    #[prost(message, repeated, tag = "24")]
    pub(crate) names: Vec<Name>,
    #[prost(btree_map = "string, message", tag = "25")]
    pub(crate) by_text: BTreeMap<String, Name>,
    #[prost(btree_map = "int32, enumeration(Level)", tag = "26")]
    pub(crate) by_number: BTreeMap<i32, i32>,
    #[prost(oneof = "Choice", tags = "27, 28, 29")]
    pub(crate) choice: Option<Choice>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
#[prost(prost_path = "::getty_rpc::prost")]
pub(crate) enum Choice {
    #[prost(string, tag = "27")]
    Text(String),
    #[prost(message, tag = "28")]
    Name(Name),
    #[prost(bool, tag = "29")]
    Flag(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[prost(prost_path = "::getty_rpc::prost")]
#[repr(i32)]
pub(crate) enum Level {
    Low = 0,
    High = 1,
}

#[derive(Clone, PartialEq, Eq, Message)]
#[prost(prost_path = "::getty_rpc::prost")]
pub(crate) struct Name {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
}

/// As [`Name`], of a later version.
#[derive(Clone, PartialEq, Eq, Message)]
#[prost(prost_path = "::getty_rpc::prost")]
pub(crate) struct NewName {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "7")]
    pub(crate) title: String,
}

/// A message without fields.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
#[prost(prost_path = "::getty_rpc::prost")]
pub(crate) struct Empty {}

macro_rules! java {
    ($($message:ident $descriptor:literal;)*) => {$(
        impl JavaType for $message {
            const DESCRIPTOR: &'static str = $descriptor;
        }
    )*};
}

java! {
    Everything "Lcom/example/Everything;";
    Name "Lcom/example/Name;";
    NewName "Lcom/example/Name;";
    Empty "Lcom/example/Empty;";
}

impl Name {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotFound(pub(crate) String);

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotFound {}

impl ProtobufException for NotFound {
    const CLASS: &'static str = "com.example.NotFoundException";

    fn from_message(message: String) -> Self {
        Self(message)
    }
}

/// The service of most tests.
#[service(interface = "com.example.Names", serialization = "protobuf")]
pub(crate) trait Names {
    async fn everything(&self, everything: Everything) -> Everything;
    async fn empty(&self, empty: Empty) -> Empty;
    #[method(descriptor = "Lcom/google/protobuf/Empty;")]
    async fn nothing(&self, nothing: ());
    async fn number(&self) -> i32;
    async fn add(&self, a: i32, b: i64) -> i64;
    async fn text(&self, text: String) -> String;
    async fn bytes(&self, bytes: Vec<u8>) -> Vec<u8>;
    async fn rename(&self, name: Name) -> Name;
    async fn maybe(&self, name: Name) -> Option<Name>;
    /// Throws what it declares for a negative id, and gives null for zero.
    async fn find(&self, id: i64) -> Result<Option<Name>, NotFound>;
    /// Throws an exception of this class.
    async fn throw(&self, class: String) -> Result<(), Throwable>;
    /// A text of that many bytes.
    async fn large(&self, length: i32) -> String;
    async fn attachment(&self, name: String) -> Option<String>;
    #[method(oneway)]
    async fn note(&self, text: String);
    async fn notes(&self) -> String;
}

#[derive(Clone, Default)]
pub(crate) struct Serves(Arc<Mutex<Vec<String>>>);

impl Names for Serves {
    async fn everything(&self, everything: Everything) -> Everything {
        everything
    }

    async fn empty(&self, empty: Empty) -> Empty {
        empty
    }

    async fn nothing(&self, _nothing: ()) {}

    async fn number(&self) -> i32 {
        -7
    }

    async fn add(&self, a: i32, b: i64) -> i64 {
        i64::from(a) + b
    }

    async fn text(&self, text: String) -> String {
        text
    }

    async fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    async fn rename(&self, name: Name) -> Name {
        Name { name: format!("hello {}", name.name) }
    }

    async fn maybe(&self, name: Name) -> Option<Name> {
        Some(name).filter(|name| !name.name.is_empty())
    }

    async fn find(&self, id: i64) -> Result<Option<Name>, NotFound> {
        match id {
            ..0 => Err(NotFound(format!("nobody has {id}"))),
            0 => Ok(None),
            1.. => Ok(Some(Name::new(&id.to_string()))),
        }
    }

    async fn throw(&self, class: String) -> Result<(), Throwable> {
        let cause = Throwable::of_class("java.lang.IllegalStateException", Some("inner".into()));
        Err(Throwable::of_class(class, Some("outer".into())).with_cause(cause))
    }

    async fn large(&self, length: i32) -> String {
        "x".repeat(usize::try_from(length).unwrap())
    }

    async fn attachment(&self, name: String) -> Option<String> {
        Context::current().unwrap().attachments().get(&name).map(str::to_owned)
    }

    async fn note(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }

    async fn notes(&self) -> String {
        self.0.lock().unwrap().join(",")
    }
}

pub(crate) fn everything() -> Everything {
    let names = [Name::new("a"), Name::new(""), Name::new("中文😀")];
    Everything {
        double: -0.5,
        float: f32::MAX,
        int32: i32::MIN,
        int64: i64::MIN,
        uint32: u32::MAX,
        uint64: u64::MAX,
        sint32: i32::MIN,
        sint64: i64::MIN,
        fixed32: u32::MAX,
        fixed64: u64::MAX,
        sfixed32: i32::MIN,
        sfixed64: i64::MIN,
        flag: true,
        text: "中文😀\0".into(),
        bytes: (0..=255).collect(),
        shared: Bytes::from_static(&[0, 255]),
        level: Level::High.into(),
        name: Some(Name::default()),
        again: Some(Box::new(Everything { maybe: Some(String::new()), ..Default::default() })),
        maybe: None,
        packed: vec![0, -1, i32::MAX],
        unpacked: vec![3, 0],
        texts: vec![String::new(), "x".repeat(1_000)],
        names: names.to_vec(),
        by_text: names.iter().map(|name| (name.name.clone(), name.clone())).collect(),
        // An enum in proto3 is open: a number that nobody knows stays.
        by_number: [(-1, Level::High.into()), (0, 4_711)].into(),
        choice: Some(Choice::Name(Name::new("chosen"))),
    }
}
