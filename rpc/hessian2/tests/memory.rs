//! What hostile bodies may cost: peak memory against the length of the input, counted by the allocator.

#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "wire/malformed.rs"]
mod malformed;

use std::collections::{BTreeMap, HashMap, HashSet};

use getty_hessian2::{DecodeOwned, DecodeState, Decoder, Hessian, Limits, Value};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Memory that every body may take.
const FLOOR: usize = 64 << 10;
/// What errors, states and the harness take.
const SLACK: usize = 64 << 10;

/// A single byte of input can be one of these: 400 bytes and more.
#[derive(Default, Hessian)]
#[hessian(class = "A")]
struct Wide {
    a: Vec<String>,
    b: Vec<String>,
    c: Vec<String>,
    d: Vec<String>,
    e: HashMap<String, String>,
    f: HashMap<String, String>,
    g: HashMap<String, String>,
    h: HashMap<String, String>,
    i: Vec<Self>,
    j: Vec<Self>,
}

type Read = fn(&[u8]);

fn peak(run: impl FnOnce()) -> usize {
    let profiler = dhat::Profiler::builder().testing().build();
    run();
    let peak = dhat::HeapStats::get().max_bytes;
    drop(profiler);
    peak
}

fn decode<T: DecodeOwned>(bytes: &[u8]) {
    let mut limits = Limits::default();
    (limits.depth, limits.memory_floor) = (1_000_000, FLOOR);
    let mut state = DecodeState::with_limits(limits);
    _ = Decoder::new(bytes, &mut state).read::<T>();
}

/// Reads a body in every way; those that recurse only if it is `shallow`.
fn check_well_formed(name: &str, bytes: &[u8]) {
    check(name, bytes, true);
    Value::parse(bytes).unwrap_or_else(|error| panic!("{name} should be read, but {error}"));
}

fn check(name: &str, bytes: &[u8], shallow: bool) {
    let bound = 64 * bytes.len() + FLOOR + SLACK;
    let mut readers: Vec<(&str, Read)> = vec![
        ("value", decode::<Value>),
        ("skip", decode::<()>),
        ("value inside a list", decode::<Vec<Value>>),
    ];
    if shallow {
        readers.extend([
            ("structs", decode::<Vec<Wide>> as Read),
            ("vectors", decode::<Vec<Vec<Vec<i32>>>>),
            ("sets", decode::<Vec<HashSet<Vec<u64>>>>),
            ("maps", decode::<BTreeMap<Option<String>, HashMap<i64, Vec<String>>>>),
            ("boxes", decode::<Vec<Box<Wide>>>),
        ]);
    }
    for (reader, read) in readers {
        let peak = peak(|| read(bytes));
        assert!(peak <= bound, "{name}, {reader}: {peak} bytes for {} bytes of input", bytes.len());
    }
}

// One test, since there is one allocator to count.
#[test]
fn no_input_takes_more_memory_than_the_limits_allow() {
    for row in malformed::rows() {
        check(&row.name, &row.bytes(), !row.name.starts_with("nest"));
    }
    let many = 1 << 17;
    let list = |item: &[u8]| [&b"X\x49\0\x02\0\0"[..], &item.repeat(many)].concat();
    let objects = |item: &[u8]| [&b"X\x49\0\x02\0\0C\x01A\x90"[..], &item.repeat(many)].concat();
    check_well_formed("empty lists", &list(b"\x78"));
    check(
        "empty typed lists",
        &[&b"X\x49\0\x01\0\0p\x01A\x70\x90"[..], &b"\x70\x90".repeat(1 << 16)].concat(),
        true,
    );
    check_well_formed(
        "variable lists",
        &[b"W".to_vec(), b"\x57\x5a".repeat(many / 2), b"Z".to_vec()].concat(),
    );
    check_well_formed("maps", &list(b"\x48\x5a"));
    check_well_formed("objects without fields", &objects(b"\x60"));
    check_well_formed("nulls", &list(b"N"));
    check_well_formed("longs", &list(b"\xe0"));
    check_well_formed("doubles", &list(b"\x5b"));
    check_well_formed("empty strings", &list(b"\0"));
    check_well_formed("empty binaries", &list(b"\x20"));
    check_well_formed("references", &list(b"\x51\x90"));
    check("nested lists", &b"\x79".repeat(many), false);
    check("nested variable lists", &b"\x57".repeat(many), false);
    check(
        "lists that claim all that is left",
        &[&b"X\xd6\0\0".repeat(1_000)[..], &[0x90; 1 << 17]].concat(),
        false,
    );
    let fields = [b"C\x01A\xc9\0".to_vec(), vec![0; 256]].concat();
    check_well_formed("definitions of empty names", &[&fields.repeat(4_000)[..], b"N"].concat());
}
