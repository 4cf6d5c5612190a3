//! Classes whose fields come to be known while objects are written: one body, several definitions of one name, and
//! numbers of classes that stay right.

use getty_hessian2::serde::Serde;
use getty_hessian2::{DecodeState, Decoder, Dialect, Encode, EncodeState, Encoder, Value};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// Which fields are written changes from value to value, as do the classes that the fields define.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Varying {
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<Box<Self>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<Left>,
    #[serde(skip_serializing_if = "Option::is_none")]
    d: Option<Right>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<Shape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    f: Option<i32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    g: Vec<Self>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Side")]
struct Left {
    left: i32,
}

/// Has the name and the number of fields of another struct.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Side")]
struct Right {
    right: Box<Varying>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Shape {
    Circle { radius: i32 },
    Square { side: Box<Varying> },
}

fn varying() -> impl Strategy<Value = Varying> {
    let leaf = (proptest::option::of(any::<i32>()), proptest::option::of(any::<i32>()))
        .prop_map(|(a, f)| Varying { a, f, ..Varying::default() });
    leaf.prop_recursive(4, 24, 3, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let shape = prop_oneof![
            any::<i32>().prop_map(|radius| Shape::Circle { radius }),
            boxed.clone().prop_map(|side| Shape::Square { side }),
        ];
        (
            proptest::option::of(any::<i32>()),
            proptest::option::of(boxed.clone()),
            proptest::option::of(any::<i32>().prop_map(|left| Left { left })),
            proptest::option::of(boxed.prop_map(|right| Right { right })),
            proptest::option::of(shape),
            proptest::option::of(any::<i32>()),
            proptest::collection::vec(inner, 0..3),
        )
            .prop_map(|(a, b, c, d, e, f, g)| Varying { a, b, c, d, e, f, g })
    })
}

fn write<T: Encode>(values: &[T], state: &mut EncodeState) -> Vec<u8> {
    // Something of another body lies before.
    let mut out = b"before".to_vec();
    state.begin(&out);
    for value in values {
        Encoder::new(&mut out, state).write(value).unwrap();
    }
    out.split_off(6)
}

fn read(bytes: &[u8], state: &mut DecodeState, count: usize) -> Vec<Varying> {
    state.reset();
    let mut d = Decoder::new(bytes, state);
    let values = (0..count).map(|_| d.read::<Serde<Varying>>().unwrap().0).collect();
    d.end().unwrap();
    values
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn objects_whose_fields_vary_come_back_from_every_body_of_a_connection(
        bodies in proptest::collection::vec(proptest::collection::vec(varying(), 1..4), 1..5)
    ) {
        let (mut writing, mut reading) = (EncodeState::new(), DecodeState::new());
        for values in bodies {
            let wrapped: Vec<_> = values.iter().map(Serde).collect();
            let bytes = write(&wrapped, &mut writing);
            prop_assert_eq!(read(&bytes, &mut reading, values.len()), values);
        }
    }
}

#[test]
fn a_field_left_out_is_left_out_of_the_definition_and_each_object_has_its_own() {
    let values = [
        Varying { a: Some(1), ..Varying::default() },
        Varying { f: Some(2), ..Varying::default() },
        Varying { a: Some(3), f: Some(4), ..Varying::default() },
        Varying { f: Some(5), ..Varying::default() },
    ];
    let bytes = getty_hessian2::serde::to_vec(&values).unwrap();
    let value = Value::parse(&bytes).unwrap();
    let fields: Vec<Vec<String>> =
        value.root().items().map(|item| item.fields().map(|(name, _)| name.to_string()).collect()).collect();
    assert_eq!(fields, [vec!["a"], vec!["f"], vec!["a", "f"], vec!["f"]]);
    assert!(value.root().items().all(|item| item.class() == Some("Varying")));
    assert_eq!(
        bytes.windows(7).filter(|window| *window == b"Varying").count(),
        3,
        "one for each set of fields"
    );
}

#[test]
fn a_body_defines_no_class_that_it_has_no_object_of() {
    let mut state = EncodeState::new();
    let a = Serde(Varying { a: Some(1), ..Varying::default() });
    let f = Serde(Varying { f: Some(1), ..Varying::default() });
    // Both have the name and one field.
    write(&[&a, &f], &mut state);
    for (value, field) in [(&f, b'f'), (&a, b'a'), (&f, b'f')] {
        let expected = [&b"C\x07Varying\x91\x01"[..], &[field, 0x60, 0x91, 0x60, 0x91]].concat();
        assert_eq!(write(&[value, value], &mut state), expected);
    }
}

#[test]
fn a_wrong_number_of_announced_fields_does_no_harm() {
    struct Liar(&'static [&'static str]);
    impl Serialize for Liar {
        fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeStruct;
            let mut fields = s.serialize_struct("Liar", 2)?;
            for field in self.0 {
                fields.serialize_field(field, &1)?;
            }
            fields.end()
        }
    }
    let sets: [&[&str]; 5] = [&["a", "b"], &["a"], &["a", "b", "c"], &[], &["a", "b"]];
    let mut state = EncodeState::new();
    for fields in sets {
        let value = Value::parse(&write(&[Serde(Liar(fields))], &mut state)).unwrap();
        assert!(value.root().fields().map(|(name, _)| name).eq(fields.iter().copied()), "{fields:?}");
    }
}

#[test]
fn learned_classes_do_not_pile_up_over_the_bodies_of_a_connection() {
    let name = |i: usize| -> &'static str { Box::leak(format!("field number {i:05}").into_boxed_str()) };
    struct One(&'static str);
    impl Serialize for One {
        fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeStruct;
            let mut fields = s.serialize_struct("One", 1)?;
            fields.serialize_field(self.0, &1)?;
            fields.end()
        }
    }
    let mut state = EncodeState::new();
    for i in 0..3_000 {
        write(&[Serde(One(name(i)))], &mut state);
        assert!(format!("{state:?}").matches("field number").count() < 1_000);
    }
}

#[test]
fn lists_of_unknown_or_wrong_length_are_written_with_their_length() {
    struct Numbers(Option<usize>, i32);
    impl Serialize for Numbers {
        fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeSeq;
            let mut items = s.serialize_seq(self.0)?;
            for number in 0..self.1 {
                items.serialize_element(&[number])?;
            }
            items.end()
        }
    }
    let mut state = EncodeState::new();
    for dialect in [Dialect::HessianLite4, Dialect::HessianLite3] {
        state.set_dialect(dialect);
        for announced in [None, Some(0), Some(1), Some(7), Some(8), Some(100), Some(100_000)] {
            for written in [0, 3, 7, 8, 100] {
                let numbers = (0..written).map(|number| [number]).collect::<Vec<_>>();
                let expected = write(&[Serde((&numbers, &numbers, 7))], &mut state);
                let numbers = || Numbers(announced, written);
                let bytes = write(&[Serde((numbers(), numbers(), 7))], &mut state);
                assert_eq!(bytes, expected, "{dialect:?}, {announced:?} announced");
            }
        }
    }
}

#[test]
fn values_deeper_than_the_limit_are_errors_and_not_an_overflow() {
    #[derive(Serialize)]
    struct Node(Option<Box<Self>>, i32);
    #[derive(Serialize)]
    struct Bare(Option<Box<Self>>);
    let node = (0..300).fold(Node(None, 0), |inner, _| Node(Some(Box::new(inner)), 0));
    let error = getty_hessian2::serde::to_vec(&node).unwrap_err();
    assert!(error.to_string().contains("more than 256 levels of containers"), "{error}");
    let bare = (0..300).fold(Bare(None), |inner, _| Bare(Some(Box::new(inner))));
    let error = getty_hessian2::serde::to_vec(&bare).unwrap_err();
    assert!(error.to_string().contains("newtypes inside each other"), "{error}");
}
