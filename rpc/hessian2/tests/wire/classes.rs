//! How Rust types stand for Java classes: parent classes, typed maps and lists, one type for several classes.

use std::collections::{BTreeMap, HashMap};

use getty_hessian2::{
    Date, DecodeState, Decoder, EncodeState, Encoder, ErrorKind, Hessian, JavaType, Value, from_slice, to_vec,
};

use crate::malformed::unhex;
use crate::tree::{read, rows};

#[derive(Debug, Clone, PartialEq, Hessian)]
#[hessian(part)]
struct Base {
    id: i32,
    base_name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Hessian)]
#[hessian(class = "com.example.vec.Mid", part)]
struct Mid {
    #[hessian(flatten)]
    base: Base,
    count: i64,
    mid_name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Hessian)]
#[hessian(class = "com.example.vec.Leaf")]
struct Leaf {
    tags: Vec<String>,
    m: BTreeMap<String, i32>,
    #[hessian(flatten)]
    mid: Mid,
    leaf_name: String,
    #[hessian(skip)]
    seen: bool,
}

fn leaf(id: i32) -> Leaf {
    let base = Base { id, base_name: Some("b".into()) };
    let mid = Mid { base, count: 2, mid_name: Some("m".into()) };
    Leaf { tags: vec![], m: BTreeMap::new(), mid, leaf_name: "l".into(), seen: false }
}

fn java(name: &str) -> Vec<u8> {
    let text = read("hessian2_java_vectors");
    let row = rows(&text).into_iter().find(|row| row.name == name).unwrap();
    unhex(row.hex.as_deref().unwrap())
}

#[test]
fn the_fields_of_parent_classes_are_read_into_their_parts_and_written_byte_for_byte() {
    let bytes = java("inherit3");
    assert_eq!(from_slice::<Leaf>(&bytes).unwrap(), leaf(1));
    assert_eq!(to_vec(&leaf(1)).unwrap(), bytes);
}

#[test]
fn a_class_with_parts_is_defined_once_and_has_the_bytes_of_one_without() {
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "com.example.vec.Leaf")]
    struct Flat {
        tags: Vec<String>,
        m: BTreeMap<String, i32>,
        id: i32,
        base_name: Option<String>,
        count: i64,
        mid_name: Option<String>,
        leaf_name: String,
    }
    let flat = |id| Flat {
        tags: vec![],
        m: BTreeMap::new(),
        count: 2,
        mid_name: Some("m".into()),
        id,
        base_name: Some("b".into()),
        leaf_name: "l".into(),
    };
    let bytes = to_vec(&[leaf(1), leaf(2)]).unwrap();
    assert_eq!(bytes, to_vec(&[flat(1), flat(2)]).unwrap());
    assert_eq!(from_slice::<Vec<Flat>>(&bytes).unwrap(), [flat(1), flat(2)]);
    assert_eq!(from_slice::<Vec<Leaf>>(&bytes).unwrap(), [leaf(1), leaf(2)]);
    // A part that is a class is one by itself too, and an unknown field between the others is skipped.
    let mid = from_slice::<Mid>(b"C\x01X\x93\x02id\x01y\x05count\x60\x91\x79\x90\xe2").unwrap();
    assert_eq!(mid, Mid { count: 2, mid_name: None, base: Base { id: 1, base_name: None } });
    assert_eq!(Mid::DESCRIPTOR, "Lcom/example/vec/Mid;");
}

#[test]
fn parts_borrow_and_say_which_field_failed() {
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(part)]
    struct Named<'n> {
        name: &'n str,
    }
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "x.Item")]
    struct Item<'n, T> {
        #[hessian(flatten)]
        named: Named<'n>,
        item: T,
    }
    let item = Item { named: Named { name: "n" }, item: 5 };
    let bytes = to_vec(&item).unwrap();
    assert_eq!(bytes, b"C\x06x.Item\x92\x04name\x04item\x60\x01n\x95");
    assert_eq!(from_slice::<Item<'_, i32>>(&bytes).unwrap(), item);
    let error = from_slice::<Item<'_, i32>>(b"C\x01X\x91\x04item\x60\x91").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::MissingField { field: "name" }), "{error}");
    let error =
        from_slice::<Vec<Item<'_, Date>>>(b"\x79C\x01X\x92\x04name\x04item\x60\x01n\x91").unwrap_err();
    assert_eq!(error.path(), "[0].item");
    let error = from_slice::<Vec<Item<'_, i32>>>(b"\x79C\x01X\x91\x04name\x60\x20").unwrap_err();
    assert_eq!(error.path(), "[0].name");
}

#[test]
fn the_definition_of_a_class_with_parts_has_the_lengths_that_java_writes() {
    // Names of 31, 32 and 40 characters, and one of three bytes a character.
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(part)]
    struct Long {
        #[hessian(rename = "a23456789012345678901234567890b")]
        one: i32,
        #[hessian(rename = "a2345678901234567890123456789012")]
        two: i32,
        #[hessian(rename = "名字")]
        three: i32,
    }
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "com.example.a.long.enough.Name.X", rename_all = "UPPERCASE")]
    struct Whole {
        #[hessian(flatten)]
        long: Long,
        last_one: i32,
    }
    let whole = Whole { long: Long { one: 1, two: 2, three: 3 }, last_one: 4 };
    let bytes = to_vec(&whole).unwrap();
    assert_eq!(to_vec(&Value::parse(&bytes).unwrap()).unwrap(), bytes);
    assert_eq!(Value::parse(&bytes).unwrap().root().get("LASTONE").as_i64(), Some(4));
    assert_eq!(from_slice::<Whole>(&bytes).unwrap(), whole);
}

#[test]
fn one_type_is_written_under_another_class_by_flattening_it() {
    #[derive(Debug, Clone, PartialEq, Hessian)]
    #[hessian(class = "com.example.v1.User", part)]
    struct User {
        name: String,
    }
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "com.example.v2.User")]
    struct UserV2 {
        #[hessian(flatten)]
        user: User,
    }
    let user = User { name: "u".into() };
    let (old, new) = (to_vec(&user).unwrap(), to_vec(&UserV2 { user: user.clone() }).unwrap());
    assert_eq!(Value::parse(&old).unwrap().root().class(), Some("com.example.v1.User"));
    assert_eq!(Value::parse(&new).unwrap().root().class(), Some("com.example.v2.User"));
    // One type is read from both classes, and both types from one class.
    assert_eq!(from_slice::<User>(&new).unwrap(), user);
    assert_eq!(from_slice::<UserV2>(&old).unwrap(), UserV2 { user });
}

#[test]
fn one_body_may_hold_a_class_that_two_types_read_in_turn() {
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "com.example.A")]
    struct Narrow {
        b: i32,
    }
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "com.example.B")]
    struct Wide {
        b: i64,
        a: Option<String>,
    }
    let bytes = b"C\x01X\x92\x01a\x01b\x60\x01s\x91\x60\x01t\x92\x60N\x93";
    let mut state = DecodeState::new();
    for _ in 0..2 {
        let mut d = Decoder::new(bytes, &mut state);
        assert_eq!(d.read::<Narrow>().unwrap(), Narrow { b: 1 });
        assert_eq!(d.read::<Wide>().unwrap(), Wide { b: 2, a: Some("t".into()) });
        assert_eq!(d.read::<Narrow>().unwrap(), Narrow { b: 3 });
        d.end().unwrap();
        drop(d);
        state.reset();
    }
}

#[derive(Debug, PartialEq, Hessian)]
#[hessian(class = "x.JavaDict", map)]
struct JavaDict(BTreeMap<String, i32>);

#[test]
fn a_type_declared_as_a_map_writes_the_class_and_refers_to_it_the_second_time() {
    let bytes = unhex("4d0a782e4a617661446963740161915a 4d900161915a");
    let dict = || JavaDict(BTreeMap::from([("a".into(), 1)]));
    let mut out = Vec::new();
    let mut state = EncodeState::new();
    state.begin(&out);
    let mut e = Encoder::new(&mut out, &mut state);
    e.write(&dict()).unwrap();
    e.write(&dict()).unwrap();
    assert_eq!(out, bytes);
    let mut state = DecodeState::new();
    let mut d = Decoder::new(&bytes, &mut state);
    assert_eq!(d.read::<JavaDict>().unwrap(), dict());
    assert_eq!(d.read::<HashMap<String, i32>>().unwrap(), HashMap::from([("a".into(), 1)]));
    d.end().unwrap();
    assert_eq!(JavaDict::DESCRIPTOR, "Lx/JavaDict;");
}

#[test]
fn two_typed_maps_of_one_body_keep_their_type_as_values_and_come_out_byte_for_byte() {
    let bytes = unhex("4d0a782e4a617661446963740161915a 4d900161915a");
    let mut state = DecodeState::new();
    let mut d = Decoder::new(&bytes, &mut state);
    let values: Vec<Value> = (0..2).map(|_| d.read().unwrap()).collect();
    d.end().unwrap();
    let mut out = Vec::new();
    let mut state = EncodeState::new();
    state.begin(&out);
    let mut e = Encoder::new(&mut out, &mut state);
    for value in &values {
        assert_eq!(value.root().type_name(), Some("x.JavaDict"));
        e.write(value).unwrap();
    }
    assert_eq!(out, bytes);
}

#[test]
fn a_struct_declared_as_a_map_has_its_fields_as_keys() {
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "com.alibaba.fastjson.JSONObject", map)]
    struct Json {
        user_name: String,
        age: Option<i32>,
    }
    let json = Json { user_name: "u".into(), age: None };
    let bytes = to_vec(&json).unwrap();
    assert_eq!(bytes, b"M\x1fcom.alibaba.fastjson.JSONObject\x08userName\x01u\x03ageNZ");
    assert_eq!(from_slice::<Json>(&bytes).unwrap(), json);
    assert_eq!(from_slice::<Json>(b"C\x01X\x91\x08userName\x60\x01u").unwrap(), json, "objects are read too");
}

#[test]
fn a_type_declared_as_a_list_writes_the_class_and_takes_lists_of_any_class() {
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "com.example.Items", list)]
    struct Items<T>(Vec<T>);
    let items = Items(vec![1, 2]);
    assert_eq!(to_vec(&items).unwrap(), b"\x72\x11com.example.Items\x91\x92");
    assert_eq!(from_slice::<Items<i32>>(b"\x7a\x91\x92").unwrap(), items);
    assert_eq!(from_slice::<Items<i32>>(b"N").unwrap(), Items(vec![]));
    let error = to_vec(&Items(vec![1, u64::MAX])).unwrap_err();
    assert_eq!(error.path(), "[1]");

    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "x.Sorted", list)]
    struct Sorted<T>(std::collections::BTreeSet<T>);
    let sorted: Sorted<i32> = from_slice(b"\x7b\x92\x91\x92").unwrap();
    assert_eq!(sorted.0, [1, 2].into());
}
