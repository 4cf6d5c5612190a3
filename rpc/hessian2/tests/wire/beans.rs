//! Whole objects of Java programs, byte for byte: what a user's types look like.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Debug;

use getty_hessian2::java::time::LocalDateTime;
use getty_hessian2::java::{Array, BigDecimal, LinkedHashMap, LinkedHashSet, OrderedMap};
use getty_hessian2::{Date, Decode, Encode, Hessian, Shared, Value, from_slice, to_vec};

use crate::malformed::unhex;
use crate::tree::{read, rows};

#[derive(Debug, Clone, PartialEq, Hessian)]
#[hessian(class = "com.example.vec.User")]
struct User {
    age: i32,
    name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Hessian)]
#[hessian(class = "com.example.vec.Item")]
struct Item {
    price: f64,
    qty: i32,
    sku: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hessian)]
#[hessian(class = "com.example.vec.Color")]
enum Color {
    Red,
    Green,
    Blue,
}

#[derive(Debug, PartialEq, Hessian)]
#[hessian(class = "com.example.vec.Order")]
struct Order {
    set: LinkedHashSet<String>,
    main: Shared<Item>,
    ldt: LocalDateTime,
    ts: Date,
    labels: Array<String>,
    codes: Array<i32>,
    sig: Vec<u8>,
    ext: LinkedHashMap<String, Option<i32>>,
    items: Vec<Shared<Item>>,
    color: Color,
    created: Date,
    price: BigDecimal,
    paid: bool,
    buyer: String,
    order_id: i64,
}

#[derive(Debug, PartialEq, Hessian)]
#[hessian(class = "com.example.vec.Generic")]
struct Generic<T> {
    data: T,
    code: i32,
}

#[derive(Debug, PartialEq, Hessian)]
#[hessian(class = "com.example.vec.AllBoxed")]
struct AllBoxed {
    o: Option<String>,
    n: Option<BigDecimal>,
    str: Option<String>,
    d: Option<f64>,
    f: Option<f32>,
    l: Option<i64>,
    i: Option<i32>,
    c: Option<char>,
    s: Option<i16>,
    b: Option<i8>,
    z: Option<bool>,
}

fn java(name: &str) -> Vec<u8> {
    let text = read("hessian2_java_vectors");
    let row = rows(&text).into_iter().find(|row| row.name == name).unwrap();
    unhex(row.hex.as_deref().unwrap())
}

#[track_caller]
fn both_ways<T: for<'de> Decode<'de> + Encode + PartialEq + Debug>(name: &str, value: &T) {
    assert_eq!(from_slice::<T>(&java(name)).unwrap(), *value, "{name}");
    assert_eq!(to_vec(value).unwrap(), java(name), "{name}");
}

#[test]
fn an_order_with_every_kind_of_field_is_read_and_written_byte_for_byte() {
    let item = Shared::new(Item { price: 1.5, qty: 1, sku: "A".into() });
    let order = Order {
        set: LinkedHashSet(vec!["s1".into()]),
        main: item.clone(),
        ldt: "2020-06-16T06:05:04.000000003".parse().unwrap(),
        ts: Date::from_millis(1_000),
        labels: Array(vec!["x".into()]),
        codes: Array(vec![7, 8]),
        sig: vec![1, 2, 3],
        ext: LinkedHashMap(vec![("k".into(), Some(1)), ("n".into(), None)]),
        items: vec![item, Shared::new(Item { price: 0.1, qty: 2, sku: "B".into() })],
        color: Color::Blue,
        created: Date::from_millis(894_621_091_000),
        price: "12.50".parse().unwrap(),
        paid: true,
        buyer: "王".into(),
        order_id: 99,
    };
    both_ways("order", &order);
    let read: Order = from_slice(&java("order")).unwrap();
    assert!(read.main.is_same(&read.items[0]) && !read.main.is_same(&read.items[1]));
}

#[test]
fn boxed_fields_and_generic_ones_are_read_and_written_byte_for_byte() {
    both_ways("generic_user", &Generic { data: User { age: 5, name: Some("apple".into()) }, code: 201 });
    let none = || AllBoxed {
        o: None,
        n: None,
        str: None,
        d: None,
        f: None,
        l: None,
        i: None,
        c: None,
        s: None,
        b: None,
        z: None,
    };
    both_ways("all_boxed_null", &none());
    let all = AllBoxed {
        o: Some("obj".into()),
        n: Some("1.1".parse().unwrap()),
        str: Some("s".into()),
        d: Some(6.78),
        f: Some(3.45),
        l: Some(456),
        i: Some(123),
        c: Some('A'),
        s: Some(789),
        b: Some(12),
        z: Some(true),
    };
    both_ways("all_boxed", &all);
    assert_ne!(all, none());
}

#[test]
fn arrays_of_objects_and_of_arrays_are_read_and_written_byte_for_byte() {
    let user = |age, name: &str| Some(User { age, name: Some(name.into()) });
    both_ways("user_array", &Array(vec![user(1, "a"), user(2, "b"), None]));
    both_ways("bigdecimal_array", &Array(vec!["1.5".parse::<BigDecimal>().unwrap(), "2.5".parse().unwrap()]));
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Array<String>>();
    both_ways("string_array_2d", &Array(vec![texts(&["a"]), texts(&["b", "c"])]));
    let thousand: Array<i32> = from_slice(&java("int_array_1000")).unwrap();
    assert_eq!((thousand.len(), to_vec(&thousand).unwrap()), (1_000, java("int_array_1000")));
}

#[test]
fn collections_and_maps_of_every_class_are_read_as_those_of_rust() {
    let text = read("hessian2_java_vectors");
    let (mut lists, mut maps) = (0, 0);
    for row in rows(&text) {
        let Some(tree) = row.tree.as_ref() else { continue };
        let bytes = unhex(row.hex.as_deref().unwrap());
        match tree.t.as_str() {
            "list" => {
                let whole = Value::parse(&bytes).unwrap();
                // Those that hold themselves are for values alone.
                let Ok(items) = from_slice::<Vec<Value>>(&bytes) else {
                    assert_eq!(row.name, "self_list");
                    continue;
                };
                assert_eq!(items.len(), whole.root().len(), "{}", row.name);
                lists += 1;
            }
            "map" => {
                let whole = Value::parse(&bytes).unwrap();
                let Ok(entries) = from_slice::<OrderedMap<Value, Value>>(&bytes) else {
                    assert_eq!(row.name, "self_map");
                    continue;
                };
                assert_eq!(entries.0.len(), whole.root().len(), "{}", row.name);
                maps += 1;
            }
            _ => {}
        }
    }
    assert!(lists > 60 && maps > 15, "{lists} {maps}");
    for name in ["vector", "stack", "cowarraylist", "arrays_aslist"] {
        assert!(!from_slice::<Vec<String>>(&java(name)).unwrap().is_empty(), "{name}");
        assert!(!from_slice::<BTreeSet<String>>(&java(name)).unwrap().is_empty(), "{name}");
    }
    assert_eq!(from_slice::<HashSet<i32>>(&java("priorityqueue")).unwrap(), HashSet::from([1, 3]));
}

#[test]
fn values_of_java_that_are_one_object_are_shared_byte_for_byte() {
    fn twice<T>(name: &str, value: T)
    where
        T: for<'de> Decode<'de> + Encode + PartialEq + Debug + Send + Sync + 'static,
    {
        let shared = Shared::new(value);
        both_ways(name, &vec![shared.clone(), shared]);
        let read: Vec<Shared<T>> = from_slice(&java(name)).unwrap();
        assert!(read[0].is_same(&read[1]), "{name}");
    }
    twice("same_bigdecimal_twice", "1.5".parse::<BigDecimal>().unwrap());
    twice("same_intarray_twice", Array(vec![1, 2]));
    twice("shared_object", User { age: 1, name: Some("u".into()) });
    let red = Shared::new(Color::Red);
    both_ways("same_enum_twice", &vec![red.clone(), red, Shared::new(Color::Green)]);
}
