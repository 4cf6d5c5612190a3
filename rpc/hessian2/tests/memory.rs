//! What hostile bodies may cost: peak memory against the length of the input, counted by the allocator.

#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "wire/bombs.rs"]
mod bombs;
#[path = "wire/corpus.rs"]
mod corpus;
#[path = "wire/malformed.rs"]
mod malformed;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use getty_hessian2::{DecodeOwned, DecodeState, Decoder, Hessian, Limits, Result, Shared, Value, Values};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Memory that every body may take.
const FLOOR: usize = 64 << 10;

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

fn profile<T>(run: impl FnOnce() -> T) -> (T, dhat::HeapStats) {
    let profiler = dhat::Profiler::builder().testing().build();
    let result = run();
    let stats = dhat::HeapStats::get();
    drop(profiler);
    (result, stats)
}

/// Limits for this test: no depth that would end it early, and no memory to begin with.
fn deep() -> Limits {
    let mut limits = Limits::default();
    (limits.depth, limits.memory_floor) = (u32::MAX, FLOOR);
    limits
}

/// Limits for types, which recurse. The stack is half of what threads have, and this is a debug build.
fn shallow() -> Limits {
    let mut limits = Limits::default();
    (limits.stack, limits.memory_floor) = (64 << 10, FLOOR);
    limits
}

/// Reads the next value as a type, and forgets it.
fn decode<T: DecodeOwned>(d: &mut Decoder<'_, '_>) -> Result<()> {
    d.read::<T>().map(drop)
}

type Reader = (&'static str, fn(&mut Decoder<'_, '_>) -> Result<()>);

const UNTYPED: [Reader; 3] =
    [("value", decode::<Value>), ("values", |d| Values::read_to_end(d).map(drop)), ("skip", |d| d.skip())];

const TYPED: [Reader; 13] = [
    ("table of structs", decode::<HashMap<i32, Wide>>),
    ("tree of structs", decode::<BTreeMap<i32, Wide>>),
    ("values inside a list", decode::<Vec<Value>>),
    ("structs", decode::<Vec<Wide>>),
    ("struct", decode::<Wide>),
    ("vectors", decode::<Vec<Vec<Vec<i32>>>>),
    ("sets", decode::<Vec<HashSet<Vec<u64>>>>),
    ("maps", decode::<BTreeMap<Option<String>, HashMap<i64, Vec<String>>>>),
    ("boxes", decode::<Vec<Box<Wide>>>),
    ("strings", decode::<Vec<String>>),
    ("trees", decode::<Vec<BTreeSet<String>>>),
    ("small sets", decode::<Vec<HashSet<u8>>>),
    ("shared", decode::<Vec<Shared<Vec<i32>>>>),
];

fn check_memory(name: &str, bytes: &[u8]) {
    let bound = 64 * bytes.len() + FLOOR;
    let check = |limits: Limits, (reader, read): Reader| {
        let (_, stats) = profile(|| {
            let mut state = DecodeState::with_limits(limits.clone());
            read(&mut Decoder::new(bytes, &mut state)).is_ok()
        });
        let peak = stats.max_bytes;
        assert!(peak <= bound, "{name}, {reader}: {peak} bytes for {} bytes of input", bytes.len());
    };
    for reader in UNTYPED {
        // Within the default depth it is not the budget that bounds them.
        check(Limits::default(), reader);
        check(deep(), reader);
    }
    for reader in TYPED {
        check(shallow(), reader);
    }
}

/// Memory that skipping may take for its tables, as a multiple of the input: one number for each container, and the way
/// down to the innermost.
const TABLES: usize = 56;

fn check_skip(name: &str, bytes: &[u8]) {
    let mut state = DecodeState::with_limits(deep());
    let (_, cold) = profile(|| Decoder::new(bytes, &mut state).skip().is_ok());
    let containers = bytes.iter().any(|tag| matches!(tag, b'C' | b'H' | b'M' | b'U'..=b'X' | 0x60..=0x7f));
    if !containers {
        let is_error = Decoder::new(bytes, &mut DecodeState::new()).skip().is_err();
        assert!(is_error || cold.total_blocks == 0, "{name}: {} allocations", cold.total_blocks);
    }
    assert!(cold.max_bytes <= TABLES * bytes.len() + 4096, "{name}: {} bytes", cold.max_bytes);
    // The tables keep what ordinary bodies need.
    if bytes.len() > 1_000 {
        return;
    }
    state.reset();
    let (read, warm) = profile(|| Decoder::new(bytes, &mut state).skip().is_ok());
    assert!(!read || warm.total_blocks == 0, "{name}: {} allocations in a warm state", warm.total_blocks);
}

/// Looking at a part must not cost what the whole would: whoever looks at all parts would wait for long.
fn check_parts() {
    let whole = Value::list((0..1 << 15).map(|number| Value::list([number])));
    let part = whole.root().at(7);
    let (number, reading) = profile(|| part.to::<Vec<i64>>().unwrap());
    assert_eq!(number, [7]);
    let (equal, comparing) = profile(|| part == whole.root().at(8));
    assert!(!equal);
    assert!(reading.total_bytes < 2_048 && comparing.total_bytes < 2_048, "{reading:?}, {comparing:?}");
}

// One test, since there is one allocator to count.
#[test]
fn no_input_takes_more_memory_than_the_limits_allow_and_skipping_takes_tables_only() {
    let run = || {
        for row in malformed::rows() {
            check_memory(&row.name, &row.bytes());
            check_skip(&row.name, &row.bytes());
        }
        for bomb in bombs::bombs(1 << 15) {
            check_memory(bomb.name, &bomb.bytes);
            check_skip(bomb.name, &bomb.bytes);
            let result = Value::parse(&bomb.bytes);
            assert_eq!(result.is_ok(), bomb.is_value, "{}: {result:?}", bomb.name);
        }
        for (name, bytes) in corpus::corpus() {
            check_memory(&name, &bytes);
            check_skip(&name, &bytes);
        }
    };
    check_parts();
    std::thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap().join().unwrap();
}
