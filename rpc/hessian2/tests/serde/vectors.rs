//! Bytes of Java and Go, read into types of serde.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use getty_hessian2::serde::from_slice;
use getty_hessian2::{Date, ErrorKind, Kind, Val, Value as Graph};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::malformed::unhex;

#[derive(Deserialize)]
struct Row {
    name: String,
    hex: Option<String>,
}

const JAVA: &str = include_str!("../vectors/hessian2_java_vectors.jsonl");
const GO: &str = include_str!("../vectors/hessian2_go_vectors.jsonl");
const TEST_HESSIAN2: &str = include_str!("../vectors/hessian2_testhessian2_vectors.jsonl");

fn rows(file: &str) -> impl Iterator<Item = (String, Vec<u8>)> {
    let rows = file.lines().map(|line| serde_json::from_str::<Row>(line).unwrap());
    rows.filter_map(|row| Some((row.name, unhex(&row.hex?))))
}

/// Vectors that a byte more or less can change.
static SHORT: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let all = [JAVA, GO, TEST_HESSIAN2].into_iter().flat_map(rows).map(|(_, bytes)| bytes);
    all.filter(|bytes| (1..2_000).contains(&bytes.len())).collect()
});

fn bytes(file: &str, name: &str) -> Vec<u8> {
    rows(file).find(|(row, _)| row == name).unwrap().1
}

#[derive(Debug, PartialEq, Deserialize)]
struct User {
    name: Option<String>,
    age: i32,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
enum Color {
    #[serde(rename = "RED")]
    Red,
    #[serde(rename = "GREEN")]
    Green,
}

fn user(name: Option<&str>, age: i32) -> User {
    User { name: name.map(str::to_owned), age }
}

#[test]
fn objects_of_java_and_go_are_read_by_name() {
    assert_eq!(from_slice::<User>(&bytes(JAVA, "user")).unwrap(), user(Some("Tom"), 18));
    assert_eq!(from_slice::<User>(&bytes(JAVA, "user_nulls")).unwrap(), user(None, 0));
    assert_eq!(from_slice::<User>(&bytes(GO, "user")).unwrap(), user(Some("Tom"), 18));
    let two = [user(Some("a"), 1), user(Some("b"), 2)];
    assert_eq!(from_slice::<Vec<User>>(&bytes(JAVA, "users_two")).unwrap(), two);
    assert_eq!(from_slice::<Vec<User>>(&bytes(GO, "users")).unwrap(), two);
    assert_eq!(from_slice::<User>(&bytes(JAVA, "raw_map_as_object")).unwrap(), user(Some("Tom"), 18));
}

#[test]
fn an_object_in_two_places_is_read_twice() {
    let both = from_slice::<(User, User)>(&bytes(JAVA, "shared_object")).unwrap();
    assert_eq!(both, (user(Some("u"), 1), user(Some("u"), 1)));
    let keyed: BTreeMap<Color, i32> = from_slice(&bytes(JAVA, "enummap")).unwrap();
    assert_eq!(keyed, BTreeMap::from([(Color::Red, 1)]));
    let colors: Vec<Color> = from_slice(&bytes(JAVA, "same_enum_twice")).unwrap();
    assert_eq!(colors, [Color::Red, Color::Red, Color::Green]);
}

#[test]
fn primitives_and_boxed_fields_are_read() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Prims {
        d: f64,
        f: f32,
        i: i32,
        l: i64,
        c: char,
        s: i16,
        b: i8,
        z: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Boxed {
        str: Option<String>,
        d: Option<f64>,
        i: Option<i32>,
        z: Option<bool>,
    }
    let prims: Prims = from_slice(&bytes(JAVA, "all_prims")).unwrap();
    let tree = Graph::parse(&bytes(JAVA, "all_prims")).unwrap();
    let field = |name| tree.root().get(name);
    assert_eq!(Some(prims.d), field("d").as_f64());
    assert_eq!(Some(prims.f), field("f").as_f64().map(|value| value as f32));
    assert_eq!(Some(prims.i), field("i").as_i32());
    assert_eq!(Some(prims.l), field("l").as_i64());
    assert_eq!(Some(prims.c), field("c").as_str().and_then(|text| text.chars().next()));
    assert_eq!(Some(i32::from(prims.s)), field("s").as_i32());
    assert_eq!(Some(i32::from(prims.b)), field("b").as_i32());
    assert_eq!(Some(prims.z), field("z").as_bool());
    let none = Boxed { str: None, d: None, i: None, z: None };
    assert_eq!(from_slice::<Boxed>(&bytes(JAVA, "all_boxed_null")).unwrap(), none);
    let some: Boxed = from_slice(&bytes(JAVA, "all_boxed")).unwrap();
    assert!(some.str.is_some() && some.d.is_some() && some.i.is_some() && some.z.is_some());
    assert_eq!(from_slice::<Date>(&bytes(JAVA, "date_60001")).unwrap().as_millis(), 60_001);
}

/// What JSON can hold of a value; none for a cycle, half a surrogate pair, binary, keys
/// that are no text, and fields without names.
fn json(value: Val<'_>, levels: u32) -> Option<Value> {
    let levels = levels.checked_sub(1)?;
    Some(match value.kind()? {
        Kind::Null => Value::Null,
        Kind::Bool => value.as_bool()?.into(),
        Kind::Int | Kind::Long => value.as_i64()?.into(),
        Kind::Double => value.as_f64()?.into(),
        Kind::Date => value.as_date()?.as_millis().into(),
        Kind::String => value.as_str()?.into(),
        Kind::List => value.items().map(|item| json(item, levels)).collect::<Option<Vec<_>>>()?.into(),
        Kind::Map => {
            let mut map = serde_json::Map::new();
            for (key, value) in value.entries() {
                let key = match key.kind()? {
                    Kind::String => key.as_str()?.to_owned(),
                    Kind::Bool | Kind::Int | Kind::Long | Kind::Double => {
                        key.to_value().ok()?.root().to::<String>().ok()?
                    }
                    _ => return None,
                };
                map.insert(key, json(value, levels)?);
            }
            map.into()
        }
        // A field without a name: the compact form of these two.
        Kind::Object
            if matches!(value.class(), Some("java.time.LocalDate" | "java.time.LocalTime"))
                && value.fields().any(|(name, _)| name.is_empty()) =>
        {
            return None;
        }
        Kind::Object => {
            let fields = value.fields().map(|(name, value)| Some((name.to_owned(), json(value, levels)?)));
            Value::Object(fields.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

#[test]
fn every_vector_is_the_json_of_its_tree_or_an_error_where_json_cannot_hold_it() {
    let (mut values, mut errors) = (0, 0);
    for (name, bytes) in [JAVA, GO, TEST_HESSIAN2].into_iter().flat_map(rows) {
        let Ok(graph) = Graph::parse(&bytes) else { continue };
        match (json(graph.root(), 300), from_slice::<Value>(&bytes)) {
            (Some(expected), found) => {
                assert_eq!(found.unwrap_or_else(|error| panic!("{name}: {error}")), expected, "{name}");
                values += 1;
            }
            (None, Err(error)) => {
                assert!(!error.to_string().is_empty());
                errors += 1;
            }
            (None, Ok(found)) => panic!("{name} cannot be JSON, but gave {found}"),
        }
    }
    assert!(values > 500 && errors > 20, "{values} values, {errors} errors");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn damaged_vectors_are_the_json_of_their_tree_or_errors(
        row in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = row.get(&SHORT).clone();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let tree = Graph::parse(&bytes).ok().and_then(|graph| json(graph.root(), 300));
        match (tree, from_slice::<Value>(&bytes)) {
            (Some(expected), Ok(found)) => prop_assert_eq!(found, expected),
            (Some(_), Err(error)) => prop_assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{}", error),
            (None, Err(_)) => {}
            (None, Ok(found)) => prop_assert!(false, "cannot be JSON, but gave {}", found),
        }
    }
}

#[test]
fn an_exception_of_java_whose_cause_is_itself_is_a_cycle_for_json() {
    let error = from_slice::<Value>(&bytes(JAVA, "runtime_with_stack")).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Cycle { index: 0 }), "{error}");
    assert_eq!(from_slice::<Value>(&bytes(JAVA, "user")).unwrap(), json!({"age": 18, "name": "Tom"}));
}
