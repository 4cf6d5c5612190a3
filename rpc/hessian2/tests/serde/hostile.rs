//! Hostile input ends in a value or an error, on a small stack.

use std::collections::BTreeMap;

use getty_hessian2::serde::{Serde, from_slice, to_vec};
use getty_hessian2::{Decode, DecodeState, Decoder, ErrorKind, Limits};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::malformed::rows;

fn on_small_stack(kib: usize, run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(kib << 10).spawn(run).unwrap().join().unwrap();
}

fn is_limit(error: &getty_hessian2::Error, what: &str) -> bool {
    matches!(error.kind(), ErrorKind::Limit { what: found, .. } if *found == what)
}

#[test]
fn every_malformed_row_ends_in_a_value_or_an_error_on_a_stack_of_one_mebibyte() {
    on_small_stack(1024, || {
        let (mut values, mut errors) = (0, 0);
        for row in rows() {
            let bytes = row.bytes();
            match from_slice::<Value>(&bytes) {
                Ok(_) => values += 1,
                Err(error) => {
                    errors += 1;
                    assert!(!error.to_string().is_empty());
                }
            }
            _ = from_slice::<Node>(&bytes);
            _ = from_slice::<Untagged>(&bytes);
        }
        assert!(values > 5 && errors > 40, "{values} values, {errors} errors");
    });
}

/// Many fields make large frames.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Node {
    next: Option<Box<Self>>,
    a: String,
    b: Option<String>,
    c: Vec<String>,
    d: BTreeMap<String, String>,
    e: Option<i64>,
    f: i32,
    g: f64,
    h: bool,
    i: Option<Vec<u8>>,
    j: Option<String>,
    k: Option<String>,
    l: Vec<Option<String>>,
    m: Option<f64>,
    n: String,
    o: String,
    p: Vec<Self>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    List(Vec<Self>),
    Node(Box<Node>),
    Number(i64),
}

/// Small fields make small types with large frames.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Flags {
    next: Option<Box<Self>>,
    list: Vec<Self>,
    a: bool,
    b: bool,
    c: bool,
    d: bool,
    e: bool,
    f: bool,
    g: bool,
    h: bool,
    i: bool,
    j: bool,
    k: bool,
    l: bool,
    m: bool,
    n: bool,
    o: bool,
    p: bool,
    q: bool,
    r: bool,
    s: bool,
    t: bool,
    u: bool,
    v: bool,
    w: bool,
    x: bool,
    y: bool,
    z: bool,
    aa: bool,
    ab: bool,
    ac: bool,
    ad: bool,
    ae: bool,
    af: bool,
    ag: bool,
    ah: bool,
    ai: bool,
    aj: bool,
    ak: bool,
    al: bool,
    am: bool,
    an: bool,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Chain {
    Next(Box<Self>),
    Fields { next: Box<Self>, other: Option<Box<Self>> },
    End,
}

/// Nothing on the wire belongs to a level.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
#[expect(dead_code, reason = "never made")]
struct Endless(Option<Box<Self>>);

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "never made")]
struct EndlessNewtype(Option<Box<Self>>);

fn deep_maps(name: &[u8], levels: usize) -> Vec<u8> {
    [[b"H", name].concat().repeat(levels), vec![0x4e], b"Z".repeat(levels)].concat()
}

#[test]
fn recursion_of_any_type_ends_before_a_stack_of_two_mebibytes_does() {
    fn limited<'de, T: Deserialize<'de> + std::fmt::Debug>(bytes: &'de [u8]) {
        let error = from_slice::<T>(bytes).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}");
    }
    on_small_stack(2048, || {
        let next = deep_maps(b"\x04next", 10_000);
        limited::<Node>(&next);
        limited::<Flags>(&next);
        let objects = [&b"C\x01A\x91\x04next"[..], &b"\x60".repeat(10_000), b"N"].concat();
        limited::<Node>(&objects);
        limited::<Flags>(&objects);
        limited::<Flags>(&[&b"C\x01A\x91\x04list"[..], &b"\x60\x79".repeat(10_000), b"N"].concat());
        limited::<Chain>(&deep_maps(b"\x04Next", 10_000));
        limited::<Chain>(&b"H\x06FieldsH\x04next".repeat(10_000));
        limited::<Endless>(b"\x91");
        limited::<EndlessNewtype>(b"\x91");
        limited::<Value>(&b"\x79".repeat(10_000));
        limited::<Value>(&deep_maps(b"\x01a", 10_000));
        limited::<Value>(&b"C\x01A\x91\x01a".iter().copied().chain([0x60; 10_000]).collect::<Vec<_>>());
        limited::<Untagged>(&b"\x79".repeat(10_000));
        for levels in [50, 100, 150, 200, 250] {
            _ = from_slice::<Untagged>(&deep_maps(b"\x04next", levels));
            _ = from_slice::<Untagged>(&[b"\x79".repeat(levels), vec![0x91]].concat());
        }
    });
}

#[test]
fn ordinary_depths_are_read() {
    on_small_stack(2048, || {
        let node =
            (0..90).fold(Node::default(), |next, _| Node { next: Some(Box::new(next)), ..Node::default() });
        let bytes = to_vec(&node).unwrap();
        assert_eq!(from_slice::<Node>(&bytes).unwrap(), node);
        let lists = [b"\x79".repeat(100), vec![0x91]].concat();
        assert!(from_slice::<Value>(&lists).is_ok());
    });
}

#[test]
fn cycles_are_errors_and_references_cannot_multiply_without_end() {
    let error = from_slice::<Value>(b"\x79\x51\x90").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Cycle { index: 0 }), "{error}");
    for row in rows().iter().filter(|row| row.name.starts_with("ref_billion")) {
        let result = from_slice::<Value>(&row.bytes());
        if row.name != "ref_billion_laughs_10" {
            assert!(matches!(result.unwrap_err().kind(), ErrorKind::Limit { .. }), "{}", row.name);
        }
    }
    let mut limits = Limits::default();
    limits.expanded = 3;
    let mut state = DecodeState::with_limits(limits);
    let error = read::<Value>(b"\x7b\x7a\x91\x92\x51\x91\x51\x91", &mut state).unwrap_err();
    assert!(is_limit(&error, "bytes read again through references"), "{error}");
}

fn read<'de, T>(bytes: &'de [u8], state: &mut DecodeState) -> getty_hessian2::Result<Serde<T>>
where
    Serde<T>: Decode<'de>,
{
    state.reset();
    Decoder::new(bytes, state).read()
}

#[test]
fn the_limits_of_a_state_hold_for_serde_types() {
    let mut limits = Limits::default();
    limits.depth = 2;
    let mut state = DecodeState::with_limits(limits);
    assert!(read::<Value>(b"\x79\x79\x91", &mut state).is_ok());
    assert!(is_limit(&read::<Value>(b"\x79\x79\x78", &mut state).unwrap_err(), "levels of containers"));
    let mut limits = Limits::default();
    (limits.memory_factor, limits.memory_floor) = (1, 0);
    let mut state = DecodeState::with_limits(limits);
    assert!(is_limit(&read::<Vec<i64>>(b"\x7a\x91\x92", &mut state).unwrap_err(), "bytes of memory"));
    assert!(is_limit(&read::<Node>(b"C\x01A\x90\x60", &mut state).unwrap_err(), "bytes of memory"));
    let mut limits = Limits::default();
    limits.bytes = 3;
    let mut state = DecodeState::with_limits(limits);
    assert!(is_limit(&read::<String>(b"\x04abcd", &mut state).unwrap_err(), "bytes in a string or binary"));
}
