//! What hostile bodies may cost when they are read into types of serde: peak memory, counted by the allocator.

#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "wire/malformed.rs"]
mod malformed;

use std::collections::{BTreeMap, HashMap, HashSet};

use getty_hessian2::serde::Serde;
use getty_hessian2::{DecodeState, Decoder, Limits};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Memory that every body may take.
const FLOOR: usize = 64 << 10;
/// What errors, states and the harness take.
const SLACK: usize = 64 << 10;

/// A single byte of input can be one of these: 400 bytes and more.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wide {
    a: [Vec<String>; 16],
    left: Option<Box<Self>>,
    right: Option<Box<Self>>,
    list: Vec<Self>,
    map: HashMap<String, Self>,
}

#[derive(Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "built to be large")]
enum Untagged {
    List(Vec<Self>),
    Number(i64),
    Map(BTreeMap<String, Self>),
    Other(Value),
}

type Read = fn(&[u8]);

fn decode<T: DeserializeOwned>(bytes: &[u8]) {
    let mut limits = Limits::default();
    limits.memory_floor = FLOOR;
    let mut state = DecodeState::with_limits(limits);
    _ = Decoder::new(bytes, &mut state).read::<Serde<T>>();
}

fn check(name: &str, bytes: &[u8]) {
    let bound = 64 * bytes.len() + FLOOR + SLACK;
    let readers: [(&str, Read); 9] = [
        ("any", decode::<Value>),
        ("list of any", decode::<Vec<Value>>),
        ("structs", decode::<Vec<Wide>>),
        ("boxes", decode::<Vec<Box<Wide>>>),
        ("boxes in a struct", decode::<Wide>),
        ("options", decode::<Vec<Option<Wide>>>),
        ("sets", decode::<Vec<HashSet<Vec<u64>>>>),
        ("maps", decode::<BTreeMap<Option<String>, HashMap<i64, Vec<String>>>>),
        ("untagged", decode::<Untagged>),
    ];
    for (reader, read) in readers {
        let profiler = dhat::Profiler::builder().testing().build();
        read(bytes);
        let peak = dhat::HeapStats::get().max_bytes;
        drop(profiler);
        assert!(peak <= bound, "{name}, {reader}: {peak} bytes for {} bytes of input", bytes.len());
    }
}

// One test, since there is one allocator to count.
#[test]
fn no_input_takes_more_memory_than_the_limits_allow() {
    for row in malformed::rows() {
        check(&row.name, &row.bytes());
    }
    let many = 1 << 15;
    let list = |item: &[u8]| [&b"X\x49\0\0\x80\0"[..], &item.repeat(many)].concat();
    let objects = |item: &[u8]| [&b"X\x49\0\0\x80\0C\x01A\x90"[..], &item.repeat(many)].concat();
    check("empty lists", &list(b"\x78"));
    check("variable lists", &[b"W".to_vec(), b"\x57\x5a".repeat(many / 2), b"Z".to_vec()].concat());
    check("maps", &list(b"\x48\x5a"));
    check("maps of one entry", &list(b"\x48\x00\x90\x5a"));
    check("objects without fields", &objects(b"\x60"));
    check("nulls", &list(b"N"));
    check("empty strings", &list(b"\0"));
    check("lists that claim all that is left", &[&b"X\xd6\0\0".repeat(250)[..], &[0x90; 1 << 17]].concat());
    let tree = b"C\x01A\x92\x04left\x05right".iter().copied();
    // The leftmost path, then right ends on the way back.
    check("a tree of boxes", &tree.clone().chain([0x60; 100]).chain([b'N'; 101]).collect::<Vec<_>>());
    fn bushy(out: &mut Vec<u8>, levels: u32) {
        match levels {
            0 => out.push(b'N'),
            _ => {
                out.push(0x60);
                bushy(out, levels - 1);
                bushy(out, levels - 1);
            }
        }
    }
    let mut bush: Vec<u8> = tree.collect();
    bushy(&mut bush, 15);
    check("a bushy tree of boxes", &bush);
}
