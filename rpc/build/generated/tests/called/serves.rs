//! An implementation of the generated traits, and values for them.

use getty_generated::{
    NotFound,
    kinds::{
        Everything, Kinds, KindsClient, KindsServer, Nothing, Person,
        everything::{Choice, Inner, Level, inner::Deeper},
    },
};
use getty_rpc::{Throwable, prost_types::Timestamp};

use crate::support::{Serving, patient, serve};

pub(crate) struct Serves;

impl Kinds for Serves {
    async fn echo_everything(&self, request: Everything) -> Everything {
        request
    }

    async fn echo_nothing(&self, request: Nothing) -> Nothing {
        request
    }

    async fn ping(&self, _request: ()) {}

    async fn rename_person(&self, request: Person) -> Person {
        Person { name: format!("hello {}", request.name) }
    }

    async fn take_url(&self, request: Deeper) -> Inner {
        Inner { all: vec![request.clone(), request], deeper: None }
    }

    async fn find(&self, request: Person) -> Result<Person, NotFound> {
        if request.name.is_empty() { Err(NotFound("nobody has no name".into())) } else { Ok(request) }
    }

    async fn throw(&self, request: String) -> Result<(), Throwable> {
        let cause = Throwable::of_class("java.lang.IllegalStateException", Some("inner".into()));
        Err(Throwable::of_class(request, Some("outer".into())).with_cause(cause))
    }

    async fn large(&self, request: i32) -> String {
        "x".repeat(usize::try_from(request).unwrap())
    }
}

pub(crate) async fn kinds() -> (Serving, KindsClient) {
    let serving = serve(|server| server.service(KindsServer::new(Serves))).await;
    let client = patient(serving.address());
    (serving, client.refer())
}

pub(crate) fn person(name: &str) -> Person {
    Person { name: name.to_owned() }
}

fn inner(text: &str) -> Inner {
    let deeper = Deeper { text: text.to_owned() };
    Inner { all: vec![Deeper::default(), deeper.clone()], deeper: Some(deeper) }
}

/// One with every field set, most of them to an extreme.
pub(crate) fn everything() -> Everything {
    Everything {
        double: f64::MIN_POSITIVE,
        float: f32::MAX,
        int32: i32::MIN,
        int64: i64::MIN,
        uint32: u32::MAX,
        uint64: u64::MAX,
        sint32: i32::MIN,
        sint64: i64::MAX,
        fixed32: u32::MAX,
        fixed64: u64::MAX,
        sfixed32: i32::MIN,
        sfixed64: i64::MIN,
        bool: true,
        string: "中文😀\0".into(),
        bytes: (0..=255).collect(),
        level: Level::High.into(),
        inner: Some(inner("a")),
        again: Some(Box::new(Everything { maybe_text: Some(String::new()), ..Default::default() })),
        maybe_text: Some("b".into()),
        maybe_number: Some(0),
        packed: vec![0, -1, i32::MAX],
        unpacked: vec![u64::MAX, 0],
        texts: vec![String::new(), "x".repeat(1_000)],
        blobs: vec![vec![], vec![0, 255]],
        levels: vec![Level::High.into(), Level::Low.into()],
        inners: vec![Inner::default(), inner("c")],
        by_text: [(String::new(), Inner::default()), ("d".into(), inner("d"))].into(),
        // An enum in proto3 is open: a number that nobody knows stays.
        by_number: [(i64::MIN, Level::High.into()), (0, 4_711)].into(),
        by_flag: [(true, vec![1]), (false, vec![])].into(),
        choice: Some(Choice::Chosen(inner("e"))),
        at: Some(Timestamp { seconds: -1, nanos: 999_999_999 }),
        wrapped: Some("f".into()),
    }
}
