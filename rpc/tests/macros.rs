//! What `#[service]` refuses and what it says then, and the odd traits that it takes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::fmt;

use getty_rpc::{Hessian, Service, Stub, hessian2::java::Array, service};
use support::{patient, serve};

#[test]
fn what_cannot_be_a_service_is_refused_where_it_stands_with_what_to_do() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}

/// Names that the expansion could trip over.
mod odd {
    use getty_rpc::{Hessian, service};

    #[derive(Debug, Clone, PartialEq, Hessian)]
    #[hessian(class = "com.example.T")]
    pub(super) struct T {
        pub(super) value: i32,
    }

    /// A service.
    #[service(interface = "com.example.Odd")]
    pub(super) trait Odd {
        async fn named(&self, service: i32, invocation: i32, method: i32, call: i32) -> i32;
        async fn unused(&self, _a: i32, _type: i32, __x: i32) -> i32 {
            7
        }
        async fn r#match(&self, r#type: String) -> String;
        async fn generic(&self, t: T) -> T;
        async fn clone(&self) -> i32;
        async fn over(&self, reference: i32) -> i32;
        async fn argument_0(&self, argument_1: i32, argument_0: i32) -> i32;
        /// Qualified, and with a result of its own making.
        async fn qualified(
            &self,
            at: std::option::Option<std::vec::Vec<u8>>,
        ) -> std::result::Result<(), super::Gone>;
    }
}

use odd::{Odd, OddClient, OddServer, T};

#[derive(Debug, Clone, PartialEq, Hessian)]
#[hessian(class = "com.example.Gone", exception)]
struct Gone {
    message: String,
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Gone {}

struct Serving;

impl Odd for Serving {
    async fn named(&self, service: i32, invocation: i32, method: i32, call: i32) -> i32 {
        service * 1_000 + invocation * 100 + method * 10 + call
    }

    async fn r#match(&self, r#type: String) -> String {
        r#type
    }

    async fn generic(&self, t: T) -> T {
        t
    }

    async fn clone(&self) -> i32 {
        1
    }

    async fn over(&self, reference: i32) -> i32 {
        reference
    }

    async fn argument_0(&self, argument_1: i32, argument_0: i32) -> i32 {
        argument_1 - argument_0
    }

    async fn qualified(&self, at: Option<Vec<u8>>) -> Result<(), Gone> {
        at.map(|_| ()).ok_or_else(|| Gone { message: "gone".into() })
    }
}

#[tokio::test]
async fn names_that_the_expansion_uses_itself_are_free_for_a_service() {
    let serving = serve(|server| server.service(OddServer::new(Serving))).await;
    let odd: OddClient = patient(serving.address()).refer();
    assert_eq!(odd.named(1, 2, 3, 4).await.unwrap(), 1_234);
    assert_eq!(odd.unused(1, 2, 3).await.unwrap(), 7, "the trait's own body");
    assert_eq!(odd.r#match("type").await.unwrap(), "type");
    assert_eq!(odd.generic(T { value: 7 }).await.unwrap(), T { value: 7 });
    assert_eq!(odd.clone().await.unwrap(), 1);
    assert_eq!(odd.over(2).await.unwrap(), 2);
    assert_eq!(odd.argument_0(5, 3).await.unwrap(), 2);
    assert_eq!(odd.qualified(Some(vec![1])).await.unwrap(), Ok(()));
    assert_eq!(odd.qualified(None).await.unwrap().unwrap_err().message, "gone");
    let names: Vec<_> = OddClient::INFO.methods.iter().map(|method| method.name).collect();
    assert_eq!(names, ["named", "unused", "match", "generic", "clone", "over", "argument0", "qualified"]);
}

/// A class with a parent, and a typed map, of a crate that depends on this one alone.
mod derived {
    use getty_rpc::{Hessian, hessian2::java::Array, service};

    #[derive(Debug, Clone, PartialEq, Hessian)]
    #[hessian(part)]
    pub(super) struct Entity {
        pub(super) id: i64,
    }

    #[derive(Debug, Clone, PartialEq, Hessian)]
    #[hessian(class = "com.example.Leaf")]
    pub(super) struct Leaf {
        #[hessian(flatten)]
        pub(super) entity: Entity,
        pub(super) name: String,
    }

    #[derive(Debug, Clone, PartialEq, Hessian)]
    #[hessian(class = "com.example.Dict", map)]
    pub(super) struct Dict(pub(super) std::collections::BTreeMap<String, i32>);

    #[service(interface = "com.example.Derived")]
    pub(super) trait Derived {
        async fn leaf(&self, leaf: Leaf, ids: Array<i32>) -> Leaf;
        async fn dict(&self, dict: Dict) -> Dict;
    }
}

use derived::{Derived, DerivedClient, DerivedServer, Dict, Entity, Leaf};

impl Derived for Serving {
    async fn leaf(&self, leaf: Leaf, ids: Array<i32>) -> Leaf {
        let id = leaf.entity.id + ids.iter().map(|&id| i64::from(id)).sum::<i64>();
        Leaf { entity: Entity { id }, ..leaf }
    }

    async fn dict(&self, dict: Dict) -> Dict {
        dict
    }
}

#[tokio::test]
async fn parent_classes_typed_maps_and_arrays_are_arguments_and_results() {
    let serving = serve(|server| server.service(DerivedServer::new(Serving))).await;
    let derived: DerivedClient = patient(serving.address()).refer();
    let leaf = |id| Leaf { entity: Entity { id }, name: "l".into() };
    assert_eq!(derived.leaf(leaf(1), Array(vec![2, 3])).await.unwrap(), leaf(6));
    let dict = Dict([("a".to_owned(), 1)].into());
    assert_eq!(derived.dict(dict.clone()).await.unwrap(), dict);
    let methods: Vec<_> = DerivedClient::INFO.methods.iter().map(ToString::to_string).collect();
    assert_eq!(methods, ["leaf(Lcom/example/Leaf;[I)", "dict(Lcom/example/Dict;)"]);
}

#[test]
fn a_method_is_known_to_peers_as_its_attributes_say() {
    #[service(interface = "com.example.Attributes", version = "2.0.0", group = "g")]
    trait Attributes {
        async fn plain_name(&self, a: Option<i64>, b: Vec<String>);
        #[method(name = "other", timeout_ms = 1_500)]
        async fn named(&self);
        #[method(descriptor = "Ljava/util/Set;")]
        async fn described(&self, set: Vec<String>);
        #[method(oneway)]
        async fn fire(&self, and_forget: bool);
    }

    struct Nothing;

    impl Attributes for Nothing {
        async fn plain_name(&self, _: Option<i64>, _: Vec<String>) {}
        async fn named(&self) {}
        async fn described(&self, _: Vec<String>) {}
        async fn fire(&self, _: bool) {}
    }

    let info = AttributesServer::new(Nothing).info();
    assert_eq!(info, AttributesClient::INFO);
    assert_eq!((info.interface, info.version, info.group), ("com.example.Attributes", "2.0.0", "g"));
    let methods: Vec<_> = info
        .methods
        .iter()
        .map(|m| (m.to_string(), m.parameters, m.oneway, m.timeout.map(|timeout| timeout.as_millis())))
        .collect();
    let expected = [
        ("plainName(Ljava/lang/Long;Ljava/util/List;)", 2, false, None),
        ("other()", 0, false, Some(1_500)),
        ("described(Ljava/util/Set;)", 1, false, None),
        ("fire(Z)", 1, true, None),
    ]
    .map(|(shown, parameters, oneway, timeout)| (shown.to_owned(), parameters, oneway, timeout));
    assert_eq!(methods, expected);
}
