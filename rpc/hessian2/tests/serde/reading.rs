//! What serde's types take, and the errors of what they do not.

use std::collections::{BTreeMap, HashMap};

use getty_hessian2::serde::{Serde, from_slice, to_vec};
use getty_hessian2::{DecodeState, Decoder, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::malformed::unhex;
use crate::round_trips::Blob;

#[derive(Debug, PartialEq, Deserialize)]
struct User {
    #[serde(alias = "userName", alias = "login")]
    name: String,
    #[serde(default = "adult")]
    age: i32,
    city: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
}

fn adult() -> i32 {
    18
}

#[derive(Serialize)]
struct Other<'a> {
    unknown: Vec<&'a str>,
    city: &'a str,
    #[serde(rename = "userName")]
    name: &'a str,
    nested: BTreeMap<&'a str, i32>,
}

#[test]
fn fields_are_found_by_name_or_alias_in_any_order_and_others_are_skipped() {
    let other =
        Other { unknown: vec!["name"], city: "here", name: "Tom", nested: BTreeMap::from([("age", 99)]) };
    let user = User { name: "Tom".into(), age: 18, city: Some("here".into()), tags: vec![] };
    let bytes = to_vec(&[&other, &other]).unwrap();
    let mut state = DecodeState::new();
    for _ in 0..2 {
        state.reset();
        let users: Serde<Vec<User>> = Decoder::new(&bytes, &mut state).read().unwrap();
        assert_eq!(users.0.iter().filter(|read| **read == user).count(), 2);
    }
    let map = BTreeMap::from([("login", "Tom"), ("city", "here"), ("zip", "1")]);
    assert_eq!(from_slice::<User>(&to_vec(&map).unwrap()).unwrap(), user);
    assert_eq!(from_slice::<User>(b"H\x91\x05login\x05login\x03TomN\x91\x04city\x04hereZ").unwrap(), user);
}

#[test]
fn a_field_that_is_missing_is_its_default_or_an_error_that_names_it() {
    let user: User = from_slice(b"H\x04name\x01aZ").unwrap();
    assert_eq!(user, User { name: "a".into(), age: 18, city: None, tags: vec![] });
    let error = from_slice::<User>(b"HZ").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::MissingField { field: "name" }));
}

#[test]
fn fields_that_the_type_refuses_are_errors_with_their_names() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "never made")]
    struct Strict {
        a: i32,
    }
    for bytes in [&b"C\x01A\x94\x01x\x01a\x01b\x01c\x60"[..], b"H\x01xNZ"] {
        let bytes = [bytes, b"\x91\x92\x93\x94"].concat();
        let error = from_slice::<Strict>(&bytes).unwrap_err();
        assert_eq!(error.to_string(), "unknown field `x`, expected `a`");
    }
    let bytes = b"C\x01A\x93\x01a\x02bb\x03ccc\x60\x91\x92\x93";
    let error = from_slice::<Strict>(bytes).unwrap_err();
    assert_eq!(error.to_string(), "unknown field `bb`, expected `a`");
}

#[test]
fn errors_tell_the_path_what_was_expected_and_what_came() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "never made")]
    struct Outer {
        users: Vec<User>,
    }
    let bytes = b"H\x05users\x7aH\x04name\x01aZH\x04name\x01a\x03age\x01xZZ";
    let error = from_slice::<Outer>(bytes).unwrap_err();
    assert_eq!(error.path(), "users[1].age");
    assert!(error.to_string().contains("expected int, found string"), "{error}");
    let error = from_slice::<Vec<Vec<bool>>>(b"\x7a\x78\x79\x78").unwrap_err();
    assert_eq!(error.path(), "[1][0]");
    assert!(error.to_string().contains("expected bool, found list"), "{error}");
    let error = from_slice::<HashMap<String, u8>>(b"H\x01a\xc9\x2cZ").unwrap_err();
    assert_eq!(error.path(), "[0]");
    assert!(matches!(error.kind(), ErrorKind::OutOfRange { target: "u8", .. }), "{error}");
    for (bytes, what) in [(&b"\x91"[..], "struct"), (b"N", "struct"), (b"\x78", "struct")] {
        assert!(from_slice::<User>(bytes).is_err(), "{what} from {bytes:?}");
    }
    assert!(from_slice::<()>(b"\x91").is_err());
    assert!(from_slice::<String>(b"N").is_err());
    assert!(matches!(from_slice::<i32>(b"\x91\x91").unwrap_err().kind(), ErrorKind::Trailing { left: 1 }));
}

#[test]
fn numbers_are_taken_as_the_crate_takes_them() {
    for bytes in ["91", "c801", "e1", "5c", "5d01", "54", "4900000001", "4c0000000000000001"] {
        let bytes = unhex(bytes);
        assert_eq!(from_slice::<i8>(&bytes).unwrap(), 1);
        assert_eq!(from_slice::<i16>(&bytes).unwrap(), 1);
        assert_eq!(from_slice::<i32>(&bytes).unwrap(), 1);
        assert_eq!(from_slice::<i64>(&bytes).unwrap(), 1);
        assert_eq!(from_slice::<u8>(&bytes).unwrap(), 1);
        assert_eq!(from_slice::<u16>(&bytes).unwrap(), 1);
        assert_eq!(from_slice::<u32>(&bytes).unwrap(), 1);
        assert_eq!(from_slice::<u64>(&bytes).unwrap(), 1);
        assert_eq!(from_slice::<f32>(&bytes).unwrap(), 1.0);
        assert_eq!(from_slice::<f64>(&bytes).unwrap(), 1.0);
        assert!(from_slice::<bool>(&bytes).unwrap());
    }
    assert_eq!(from_slice::<i32>(b"N").unwrap(), 0);
    assert!(from_slice::<u32>(b"\x8f").is_err(), "-1");
    assert!(from_slice::<i32>(&unhex("4c0000000100000000")).is_err());
}

#[test]
fn bytes_are_read_from_binary_and_from_lists_into_bytes_and_into_numbers() {
    for bytes in [&b"\x22\x01\xff"[..], b"\x7a\x91\x8f", b"A\0\x01\x01\x21\xff"] {
        assert_eq!(from_slice::<Blob>(bytes).unwrap(), Blob(vec![1, 255]));
        assert_eq!(from_slice::<Vec<u8>>(bytes).unwrap(), [1, 255]);
    }
    assert_eq!(from_slice::<Blob>(b"N").unwrap(), Blob(vec![]));
    assert_eq!(from_slice::<Vec<i32>>(b"\x22\x01\xff").unwrap(), [1, 255]);
    assert_eq!(from_slice::<Vec<i32>>(b"N").unwrap(), [0; 0]);
    assert_eq!(from_slice::<BTreeMap<i32, i32>>(b"N").unwrap(), BTreeMap::new());
}

#[test]
fn what_is_longer_than_the_type_is_an_error() {
    assert!(from_slice::<(i32, i32)>(b"\x7a\x91\x92").is_ok());
    for bytes in [&b"\x7b\x91\x92\x93"[..], b"W\x91\x92\x93Z", b"\x79\x91"] {
        let error = from_slice::<(i32, i32)>(bytes).unwrap_err();
        assert!(error.to_string().contains("invalid length"), "{error}");
    }
}

#[test]
fn enums_are_read_from_objects_text_and_maps_of_one_entry() {
    #[derive(Debug, PartialEq, Deserialize)]
    enum Op {
        Stop,
        Wait(i32),
        Move { x: i32 },
    }
    for (bytes, op) in [
        (&b"\x04Stop"[..], Op::Stop),
        (b"C\x01A\x91\x04name\x60\x04Stop", Op::Stop),
        (b"C\x01A\x92\x01a\x04name\x60\x91\x04Stop", Op::Stop),
        (b"H\x04StopNZ", Op::Stop),
        (b"H\x04Wait\x93Z", Op::Wait(3)),
        (b"M\x01A\x04Wait\x93Z", Op::Wait(3)),
        (b"H\x04MoveH\x01x\x91ZZ", Op::Move { x: 1 }),
        (b"H\x04MoveC\x01A\x91\x01x\x60\x91Z", Op::Move { x: 1 }),
    ] {
        assert_eq!(from_slice::<Op>(bytes).unwrap(), op, "{bytes:02x?}");
    }
    let twice: Vec<Op> = from_slice(b"\x7bC\x01A\x91\x04name\x60\x04Stop\x51\x91H\x04Wait\x91Z").unwrap();
    assert_eq!(twice, [Op::Stop, Op::Stop, Op::Wait(1)]);
    let twice: Vec<Op> = from_slice(b"\x7aH\x04Wait\x91Z\x51\x91").unwrap();
    assert_eq!(twice, [Op::Wait(1), Op::Wait(1)]);
    for (bytes, message) in [
        (&b"\x04Fly!"[..], "unknown variant `Fly!`"),
        (b"\x04Wait", "invalid type: unit variant"),
        (b"HZ", "invalid length 0"),
        (b"H\x04Wait\x91\x04StopNZ", "invalid length 2"),
        (b"H\x04Stop\x91Z", "expected null, found int"),
        (b"\x91", "expected object, found int"),
    ] {
        let error = from_slice::<Op>(bytes).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn any_value_sees_dates_objects_constants_and_references_as_documented() {
    let bytes = b"\x7dK\0\0\0\x01C\x01A\x91\x04name\x60\x03RED\x51\x91\x78\xe1";
    let value: Value = from_slice(bytes).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(value, serde_json::json!([60_000, {"name": "RED"}, {"name": "RED"}, [], 1]));
}
