//! What a value keeps that a Rust type would lose: names, order, kinds of numbers, sharing, cycles.

use std::collections::HashMap;

use getty_hessian2::{
    DecodeState, Decoder, EncodeState, Encoder, ErrorKind, Hessian, Limits, Result, Value, Values,
    from_slice, java::time::LocalDate, to_vec,
};

use crate::hostile::on_small_stack;
use crate::malformed::unhex;

fn write(values: &Values) -> Vec<u8> {
    let (mut out, mut state) = (Vec::new(), EncodeState::new());
    values.write(&mut Encoder::new(&mut out, &mut state)).unwrap();
    out
}

/// A list, a map that holds it and itself, an object that holds both, and the list again.
const BODY: &[u8] = b"\x79\x91H\x01a\x51\x90\x01b\x51\x91ZC\x03x.Y\x92\x01n\x01m\x60\x51\x90\x51\x91\x51\x90";

#[test]
fn values_of_one_body_share_what_the_body_shares_and_are_written_with_the_same_references() {
    let values = Values::parse(BODY).unwrap();
    assert_eq!(values.len(), 4);
    let list = values.get(0);
    assert!(values.get(1).get("a").is_same(list));
    assert!(values.get(1).get("b").is_same(values.get(1)));
    assert!(values.get(2).get("n").is_same(list) && values.get(2).get("m").is_same(values.get(1)));
    assert!(values.get(3).is_same(list) && values.get(4).is_missing());
    assert_eq!(write(&values), BODY);
    assert_eq!(format!("{values:?}"), r#"[[1], {"a": &0, "b": &1}, x.Y {n: &0, m: &1}, &0]"#);

    let copies: Vec<Value> = {
        let mut state = DecodeState::new();
        let mut d = Decoder::new(BODY, &mut state);
        (0..4).map(|_| d.read().unwrap()).collect()
    };
    assert!(values.iter().eq(copies.iter().map(Value::root)), "read one by one they are equal copies");
}

#[test]
fn values_are_equal_whatever_they_share_and_differ_in_one_item() {
    let parse = |bytes: &[u8]| Values::parse(bytes).unwrap();
    assert_eq!(parse(b"\x79\x91\x51\x90"), parse(b"\x79\x91\x79\x91"));
    assert_ne!(parse(b"\x79\x91\x51\x90"), parse(b"\x79\x91\x79\x92"));
    assert_ne!(parse(b"\x79\x91\x51\x90"), parse(b"\x79\x91"));
    assert_ne!(parse(b"\x91\x92"), parse(b"\x91\xe2"));
}

#[test]
fn some_values_of_a_body_can_be_read_together_and_the_rest_alone() {
    let mut state = DecodeState::new();
    let mut d = Decoder::new(BODY, &mut state);
    d.skip().unwrap();
    let two = Values::read(&mut d, 2).unwrap();
    assert!(two.get(0).get("a").is_same(two.get(1).get("n")), "one copy of what was skipped");
    assert_eq!(d.read::<Vec<i32>>().unwrap(), [1]);
    d.end().unwrap();
    assert!(matches!(Values::read(&mut d, 1).unwrap_err().kind(), ErrorKind::UnexpectedEnd));
}

#[test]
fn numbers_of_different_kinds_are_different_and_doubles_are_equal_as_numbers_or_nan() {
    assert_ne!(Value::from(1), Value::from(1_i64));
    assert_ne!(Value::from(1), Value::from(1.0));
    assert_ne!(Value::from(0), Value::from(false));
    assert_eq!(Value::from(0.0), Value::from(-0.0));
    assert_eq!(Value::from(f64::NAN), Value::from(f64::from_bits(0x7ff8_0000_0000_0001)));
    assert_ne!(Value::from(f64::NAN), Value::from(0.0));
    let nested = |double| Value::list([Value::object("A", [("d", Value::map([(double, ())]))])]);
    assert_eq!(nested(f64::NAN), nested(-f64::NAN));
    assert_eq!(nested(0.0), nested(-0.0));
    assert_ne!(nested(1.0), nested(1.5));
}

#[test]
fn names_of_types_and_classes_and_the_order_of_fields_are_kept() {
    let bytes = b"\x7cC\x03x.Y\x92\x01b\x01a\x60\x91\xe2\x71\x04[int\x93M\x09x.TreeMap\x01k\x5cZU\x90\x94Z";
    let value = Value::parse(bytes).unwrap();
    let [object, list, map, again] = [0, 1, 2, 3].map(|index| value.root().at(index));
    assert_eq!(object.class(), Some("x.Y"));
    assert_eq!(object.fields().map(|(name, _)| name).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(list.type_name(), Some("[int"));
    assert_eq!(map.type_name(), Some("x.TreeMap"));
    assert_eq!(again.type_name(), Some("[int"), "by its number in the table");
    assert_eq!(to_vec(&value).unwrap(), bytes);
    for other in [
        &b"\x79C\x03x.Y\x92\x01a\x01b\x60\xe2\x91"[..],
        b"\x79C\x03x.Z\x92\x01b\x01a\x60\x91\xe2",
        b"\x79C\x03x.Y\x92\x01b\x01a\x60\x91\x92",
    ] {
        assert_ne!(Value::parse(other).unwrap().root().at(0), object);
    }
    assert_ne!(Value::typed_list("[int", [3]), Value::list([3]));
}

/// A chain of maps, objects and lists in turn, and a reference from the innermost to the outermost.
fn deep(levels: usize) -> Vec<u8> {
    let mut bytes = b"C\x01A\x91\x01x".to_vec();
    for level in 0..levels {
        bytes.extend_from_slice([&b"H\x01k"[..], b"\x60", b"\x79", b"W"][level % 4]);
    }
    bytes.extend_from_slice(b"\x51\x90");
    for level in (0..levels).rev() {
        bytes.extend_from_slice([&b"Z"[..], b"", b"", b"Z"][level % 4]);
    }
    bytes
}

#[test]
fn containers_of_all_kinds_of_any_depth_are_handled_without_recursion() {
    on_small_stack(128, || {
        // Behind a map's tag there must be a key; the definition stands before it.
        let bytes = deep(400_000);
        let mut limits = Limits::default();
        (limits.depth, limits.memory_factor) = (u32::MAX, 1_000);
        let read = || {
            let mut state = DecodeState::with_limits(limits.clone());
            Values::read_to_end(&mut Decoder::new(&bytes, &mut state)).unwrap()
        };
        let (values, again) = (read(), read());
        assert_eq!(values, again);
        assert_eq!(values, values.clone());
        assert!(format!("{values:?}").len() < 10_000);
        let (mut out, mut state) = (Vec::new(), EncodeState::with_depth(u32::MAX));
        values.write(&mut Encoder::new(&mut out, &mut state)).unwrap();
        let mut state = DecodeState::with_limits(limits.clone());
        assert_eq!(Values::read_to_end(&mut Decoder::new(&out, &mut state)).unwrap(), values);
        let (mut out, mut state) = (Vec::new(), EncodeState::new());
        let error = values.write(&mut Encoder::new(&mut out, &mut state)).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Limit { what: "levels of containers", limit: 256 }));
    });
}

#[test]
fn an_empty_type_name_means_no_type_in_whatever_form_it_comes() {
    for bytes in [&b"\x71\x00\x91"[..], b"\x71S\0\0\x91", b"\x71\x30\0\x91", b"V\x52\0\0\x00\x91\x91"] {
        let value = Value::parse(bytes).unwrap();
        assert_eq!(value.root().type_name(), None);
        assert_eq!(to_vec(&value).unwrap(), b"\x79\x91");
    }
    let map = Value::parse(b"MS\0\0Z").unwrap();
    assert_eq!(to_vec(&map).unwrap(), b"HZ");
}

#[test]
fn a_part_of_a_value_is_written_read_and_compared_as_the_whole_is() {
    let value = Value::parse(b"\x7b\x79\x91\x7a\x51\x91\x51\x91\x7a\x79\x91\x79\x91").unwrap();
    let [first, shared, equal] = [0, 1, 2].map(|index| value.root().at(index));
    assert_eq!(first.to::<Vec<i64>>().unwrap(), [1]);
    assert_eq!(shared, equal);
    assert_ne!(shared, first);
    assert_eq!(to_vec(&shared.to_value().unwrap()).unwrap(), b"\x7a\x79\x91\x51\x91");
    assert_eq!(to_vec(&equal.to_value().unwrap()).unwrap(), b"\x7a\x79\x91\x79\x91");
    let cycle = Value::parse(b"\x79\x79\x51\x91").unwrap();
    assert_eq!(to_vec(&cycle.root().at(0).to_value().unwrap()).unwrap(), b"\x79\x51\x90");
    assert_eq!(cycle.root().at(0), cycle.root(), "both are lists of lists without end");
}

// In its compact mode hessian-lite writes LocalDate and LocalTime as an object without fields, and a long behind it.
const DATE: &[u8] = b"C\x13java.time.LocalDate\x90\x60\x3c\x47\xfd";

#[test]
fn a_compact_date_or_time_is_one_value_and_its_number_a_field_without_a_name() {
    let date = Value::parse(DATE).unwrap();
    assert_eq!(date.root().class(), Some("java.time.LocalDate"));
    assert_eq!(date.root().get("").as_i64(), Some(0x47fd));
    assert_eq!(to_vec(&date).unwrap(), DATE);

    let list = unhex(
        "7b43136a6176612e74696d652e4c6f63616c4461746590603c47fd43136a6176612e74696d652e4c6f63616c54696d6590614c00001484a8c94000047461696c",
    );
    let value = Value::parse(&list).unwrap();
    assert_eq!(value.root().len(), 3);
    assert_eq!(value.root().at(1).get("").as_i64(), Some(0x1484_a8c9_4000));
    assert_eq!(value.root().at(2).as_str(), Some("tail"));
    assert_eq!(to_vec(&value).unwrap(), list);
    let mut state = DecodeState::new();
    let mut d = Decoder::new(&list, &mut state);
    d.skip().unwrap();
    d.end().unwrap();
}

#[test]
fn a_compact_date_is_read_into_types_and_into_no_map() {
    let two = [&b"\x7a"[..], DATE, b"\x60\xe0"].concat();
    let dates: Vec<LocalDate> = from_slice(&two).unwrap();
    assert_eq!(dates.iter().map(|date| date.to_epoch_day()).collect::<Vec<_>>(), [0x47fd, 0]);
    assert!(from_slice::<Vec<HashMap<String, i64>>>(&two).is_err(), "a field without a name is no key");
    #[derive(Debug, PartialEq, Hessian)]
    #[hessian(class = "java.time.LocalDate")]
    struct Other {
        year: i32,
    }
    assert_eq!(from_slice::<Vec<Other>>(&two).unwrap(), [Other { year: 0 }, Other { year: 0 }]);
    let twice = [DATE, b"\x51\x90\x01a"].concat();
    let mut state = DecodeState::new();
    let mut d = Decoder::new(&twice, &mut state);
    assert_eq!(d.read::<LocalDate>().unwrap(), d.read::<LocalDate>().unwrap());
    assert_eq!(d.str().unwrap(), "a");
}

#[test]
fn a_date_without_fields_cannot_be_written_since_its_reader_would_take_the_next_value() -> Result<()> {
    let fields: [(&str, Value); 0] = [];
    assert!(to_vec(&Value::object("java.time.LocalDate", fields.clone())).is_err());
    to_vec(&Value::object("java.time.LocalDates", fields))?;
    let spelled = Value::object("java.time.LocalDate", [("epochDay", 5_i64)]);
    assert_eq!(Value::parse(&to_vec(&spelled)?)?, spelled);
    Ok(())
}

/// Names may come in forms that no writer chooses, and each form counts units in its own way.
#[test]
fn field_names_of_any_form_name_the_fields_of_a_value() {
    let chinese = "\x02名字";
    let long = "a_name_of_more_than_31_characters";
    let long_form = [b"\x30", &[long.len() as u8], long.as_bytes()].concat();
    let forms: [(&[u8], &str); 5] = [
        (b"\x04name", "name"),
        (b"S\x00\x04name", "name"),
        (b"R\x00\x02na\x02me", "name"),
        (chinese.as_bytes(), "名字"),
        (&long_form, long),
    ];
    // ASCII up to the end, as the names in their usual form are.
    let last = [&b"\x7f"[..], &[&b"\x1f"[..], &[b'a'; 31]].concat().repeat(7)].concat();
    for (form, name) in forms {
        for before in [&b"\x00"[..], b"\x05first"] {
            let body = [b"C\x01A\x93", before, form, b"\x04last\x60\x01a\x01b", &last].concat();
            let value = Value::parse(&body).unwrap();
            let root = value.root();
            assert_eq!(root.get(name).as_str(), Some("b"), "{form:?}");
            assert_eq!(root.get("last").items().len(), 7, "{form:?}");
            let names: Vec<_> = root.fields().map(|(name, _)| name.len()).collect();
            assert_eq!(names, [before.len() - 1, name.len(), 4]);
        }
    }
}
