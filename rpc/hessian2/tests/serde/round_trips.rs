//! Each kind of serde's data model comes back as it was.

use std::collections::{BTreeMap, BTreeSet, HashMap, LinkedList};
use std::fmt::Debug;

use getty_hessian2::serde::{Serde, from_slice, to_vec};
use getty_hessian2::{Date, Hessian};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

fn back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) -> Vec<u8> {
    let bytes = to_vec(&value).unwrap();
    assert_eq!(from_slice::<T>(&bytes).unwrap(), value, "{bytes:02x?}");
    bytes
}

/// Bytes as `serde_bytes` has them.
#[derive(Debug, PartialEq)]
pub(crate) struct Blob(pub(crate) Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Blob;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(bytes.to_vec()))
            }
        }
        d.deserialize_byte_buf(Visitor)
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(i64);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Pair(i32, String);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Named {
    a: i32,
    b: Option<Box<Self>>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Any {
    Unit,
    Newtype(i64),
    Tuple(i32, String),
    Struct { x: i32, y: Option<String> },
}

#[test]
fn every_kind_of_the_data_model_comes_back() {
    for flag in [false, true] {
        back(flag);
    }
    for (narrow, wide) in [(i8::MIN, i64::MIN), (-1, -1), (0, 0), (i8::MAX, i64::MAX)] {
        back((narrow, i16::from(narrow), i32::from(narrow), wide));
    }
    back((i16::MIN, i16::MAX, i32::MIN, i32::MAX));
    back((u8::MAX, u16::MAX, u32::MAX, i64::MAX.cast_unsigned()));
    back((0.1_f32, f32::MAX, f64::MIN_POSITIVE, f64::INFINITY));
    for char in ['a', '许', '😀', '\0'] {
        back(char);
    }
    back(String::from("text 😀 许"));
    back("a".repeat(40_000));
    back(Blob(vec![]));
    back(Blob(vec![7; 70_000]));
    assert_eq!(back(None::<i32>), b"N");
    assert_eq!(back(Some(3)), [0x93]);
    assert_eq!(back(()), b"N");
    assert_eq!(back(Unit), b"N");
    assert_eq!(back(Newtype(-1)), [0xdf]);
    assert_eq!(back(Pair(1, "a".into())), b"\x7a\x91\x01a");
    back(vec![Some(1), None]);
    back((0..1_000).collect::<Vec<i64>>());
    back(vec![1_u8, 255]);
    back(LinkedList::from([vec![], vec!["a".to_owned()]]));
    back(BTreeSet::from([1, 2, 3]));
    back(HashMap::from([(1, "a".to_owned()), (2, "b".to_owned())]));
    back(BTreeMap::from([(Any::Unit, 1), (Any::Newtype(3), 2), (Any::Struct { x: 1, y: None }, 4)]));
    back(Named { a: 1, b: Some(Box::new(Named { a: 2, b: None })) });
    back(vec![
        Any::Unit,
        Any::Newtype(4),
        Any::Tuple(1, "a".into()),
        Any::Struct { x: 1, y: Some("b".into()) },
        Any::Unit,
    ]);
    assert_eq!(back(Any::Tuple(1, "a".into())), b"H\x05Tuple\x7a\x91\x01aZ");
    assert_eq!(back(Any::Unit), b"C\x03Any\x91\x04name\x60\x04Unit");
}

#[test]
fn numbers_without_a_form_on_the_wire_are_errors() {
    assert_eq!(
        to_vec(&vec![1, u64::MAX]).unwrap_err().to_string(),
        "[1]: 18446744073709551615 does not fit long"
    );
    assert!(to_vec(&1_i128).is_err());
    assert!(to_vec(&1_u128).is_err());
}

#[test]
fn text_and_bytes_are_borrowed_from_the_body() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Borrowed<'a> {
        text: &'a str,
        #[serde(with = "as_bytes")]
        bytes: &'a [u8],
    }
    mod as_bytes {
        use serde::{Deserialize, Deserializer, Serializer};

        pub(super) fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
            s.serialize_bytes(bytes)
        }

        pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<&'de [u8], D::Error> {
            <&[u8]>::deserialize(d)
        }
    }
    let bytes = to_vec(&Borrowed { text: "许多", bytes: &[1, 2] }).unwrap();
    let value: Borrowed<'_> = from_slice(&bytes).unwrap();
    assert_eq!(value, Borrowed { text: "许多", bytes: &[1, 2] });
    assert!(bytes.as_ptr_range().contains(&value.text.as_ptr()));
    assert!(bytes.as_ptr_range().contains(&value.bytes.as_ptr()));
    let pair = to_vec("😀").unwrap();
    assert!(from_slice::<&str>(&pair).is_err(), "a surrogate pair is joined, so it cannot be borrowed");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Internal {
    Circle { radius: i32 },
    Square { side: i64 },
    Nothing,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    A(i32),
    B { x: String },
    C,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(i64),
    Text(String),
    List(Vec<Self>),
    Named(Named),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Page {
    number: i32,
    #[serde(flatten)]
    named: Named,
    #[serde(flatten)]
    rest: BTreeMap<String, i64>,
}

#[test]
fn enums_of_every_representation_and_flattened_structs_come_back() {
    back(vec![Internal::Circle { radius: 1 }, Internal::Square { side: 2 }, Internal::Nothing]);
    back(vec![Adjacent::A(1), Adjacent::B { x: "b".into() }, Adjacent::C, Adjacent::A(2)]);
    back(vec![
        Untagged::Number(1),
        Untagged::Text("a".into()),
        Untagged::List(vec![Untagged::Number(2)]),
        Untagged::Named(Named { a: 1, b: None }),
    ]);
    let page = Page { number: 1, named: Named { a: 2, b: None }, rest: BTreeMap::from([("z".into(), 9)]) };
    assert_eq!(back(page).first(), Some(&b'H'), "a map");
}

#[test]
fn dates_are_dates_here_and_milliseconds_elsewhere() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Born {
        at: Date,
        other: Option<Date>,
    }
    let born = Born { at: Date::from_millis(60_000), other: Some(Date::from_millis(-1)) };
    let bytes = to_vec(&born).unwrap();
    assert_eq!(getty_hessian2::Value::parse(&bytes).unwrap().root().get("at").as_date(), Some(born.at));
    let json = serde_json::to_string(&born).unwrap();
    assert_eq!(json, r#"{"at":60000,"other":-1}"#);
    assert_eq!(serde_json::from_str::<Born>(&json).unwrap(), born);
    back(born);
    assert_eq!(from_slice::<i64>(&to_vec(&Date::from_millis(5)).unwrap()).unwrap(), 5);
}

#[test]
fn serde_types_are_fields_of_derived_types_at_any_depth() {
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "com.example.Order")]
    struct Order {
        first: Serde<Named>,
        more: Vec<Serde<Named>>,
        absent: Option<Serde<Named>>,
    }
    let named = |a| Serde(Named { a, b: None });
    let order = Order { first: named(1), more: vec![named(2), named(3)], absent: None };
    let bytes = getty_hessian2::to_vec(&order).unwrap();
    assert_eq!(getty_hessian2::from_slice::<Order>(&bytes).unwrap(), order);
    assert_eq!(bytes.windows(5).filter(|window| *window == b"Named").count(), 1, "one definition");
}

#[test]
fn a_serde_field_that_an_object_lacks_is_what_null_would_be() {
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "A")]
    struct Lenient {
        number: Serde<i32>,
        optional: Serde<Option<String>>,
        list: Serde<Vec<i32>>,
    }
    let value: Lenient = getty_hessian2::from_slice(b"HZ").unwrap();
    assert_eq!(value, Lenient { number: Serde(0), optional: Serde(None), list: Serde(vec![]) });
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "A")]
    struct Strict {
        text: Serde<String>,
    }
    let error = getty_hessian2::from_slice::<Strict>(b"HZ").unwrap_err();
    assert_eq!(error.to_string(), "the object has no field `text`");
}
