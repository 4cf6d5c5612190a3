//! Owns comparing a library with the codec on random values, and which values those are.

use std::hash::{BuildHasher, RandomState};

use getty_hessian2::{Dialect, EncodeState, Encoder, Value};

use crate::generate::{Abilities, Generated, generate};
use crate::graph::{Graph, Node};
use crate::peer::{Answer, Peer};
use crate::plain;

/// A library: what it can be asked, and what it makes of it.
pub(crate) struct Library {
    /// Names its process.
    pub(crate) variable: &'static str,
    pub(crate) abilities: Abilities,
    /// What a value is once it is decoded there.
    pub(crate) decoded: fn(Graph) -> Graph,
    /// What a decoded value is once it is encoded there, by the rules of `decoded`.
    pub(crate) encoded: fn(Graph) -> Graph,
    /// What the codec writes for it; none if not even a value that keeps its order comes back as the same bytes.
    pub(crate) same_bytes: Option<Dialect>,
}

/// Values that every run compares, with the seeds from 0: what held yesterday and does not hold today was broken since.
const FIXED: u64 = 8_000;
/// Further values, of seeds that no run had before: this is how new failures are found. The library answers the same
/// each time, so what fails for a seed fails for ever; the message names it.
const FRESH: u64 = 2_000;
/// Values that are in memory at a time.
const BATCH: u64 = 250;
/// The seed to begin with, for all values, instead of those above.
const SEED: &str = "GETTY_DIFFERENTIAL_SEED";

/// Writes random values, lets the library decode and encode them, and reads what it wrote.
pub(crate) fn random_values(library: &Library) {
    let mut peer = Peer::of(library.variable);
    let ranges = match std::env::var(SEED) {
        Ok(seed) => vec![(seed.parse().unwrap_or_else(|_| panic!("{SEED} is a number")), FIXED + FRESH)],
        Err(_) => vec![(0, FIXED), (RandomState::new().hash_one(0) >> 1, FRESH)],
    };
    for (first, count) in ranges {
        println!("{count} values from seed {first}");
        for first in (first..first + count).step_by(BATCH as usize) {
            let seeds: Vec<_> = (first..first + BATCH).collect();
            batch(&mut peer, library, &seeds);
        }
    }
}

fn batch(peer: &mut Peer, library: &Library, seeds: &[u64]) {
    let values: Vec<_> = seeds.iter().map(|&seed| generate(seed, &library.abilities)).collect();
    let requests: Vec<_> = seeds
        .iter()
        .zip(&values)
        .map(|(seed, value)| {
            canonical(&value.graph, library.same_bytes.unwrap_or_default())
                .unwrap_or_else(|error| panic!("{error}\nagain with {SEED}={seed}"))
        })
        .collect();
    let answers = peer.ask(&requests);
    for (((seed, value), request), answer) in seeds.iter().zip(values).zip(&requests).zip(answers) {
        if let Err(error) = compare(library, value, request, answer) {
            panic!("{}: {error}\nagain with {SEED}={seed}\nbytes: {}", library.variable, hex(request));
        }
    }
}

/// The bytes that the codec writes for what it read of a graph's plain bytes.
fn canonical(graph: &Graph, dialect: Dialect) -> Result<Vec<u8>, String> {
    let plain = plain::encode(graph);
    let value = Value::parse(&plain).map_err(|error| format!("{error} in plain bytes {}", hex(&plain)))?;
    same("read from plain bytes", graph, &Graph::of_value(&value))?;
    let (mut bytes, mut state) = (Vec::new(), EncodeState::new());
    state.set_dialect(dialect);
    Encoder::new(&mut bytes, &mut state).write(&value).map_err(|error| error.to_string())?;
    let again =
        Value::parse(&bytes).map_err(|error| format!("{error} in the codec's own bytes {}", hex(&bytes)))?;
    same("read from the codec's own bytes", &in_dialect(graph, dialect), &Graph::of_value(&again))?;
    Ok(bytes)
}

/// The value as it is written in a dialect.
fn in_dialect(graph: &Graph, dialect: Dialect) -> Graph {
    let mut graph = graph.clone();
    if dialect == Dialect::HessianLite3 {
        for node in &mut graph.nodes {
            if let Node::List(name, _) = node
                && name.is_empty()
            {
                name.push_str("java.util.ArrayList");
            }
        }
    }
    graph
}

fn compare(library: &Library, value: Generated, request: &[u8], answer: Answer) -> Result<(), String> {
    let (tree, again) = match answer {
        Answer::Value(tree, again) => (tree, again),
        Answer::Error(error) => return Err(format!("the library cannot take it: {error}")),
    };
    let decoded = (library.decoded)(value.graph);
    same("the library decodes", &decoded, &Graph::of_tree(&tree))?;
    let back = Value::parse(&again).map_err(|error| format!("{error} in what the library wrote"))?;
    let back = (library.decoded)(Graph::of_value(&back));
    same("read from the library's bytes", &(library.encoded)(decoded), &back)?;
    if library.same_bytes.is_some() && value.in_order && again != request {
        let at = again.iter().zip(request).take_while(|(again, sent)| again == sent).count();
        let (again, request) = (hex(&again[at..]), hex(&request[at..]));
        return Err(format!("the library has other bytes from {at} on: {again}\ninstead of {request}"));
    }
    Ok(())
}

/// Whether two values are the same; if not, where the second one differs.
pub(crate) fn same(what: &str, expected: &Graph, actual: &Graph) -> Result<(), String> {
    let (expected, actual) = (expected.text(), actual.text());
    if expected == actual {
        return Ok(());
    }
    let place = expected.bytes().zip(actual.bytes()).take_while(|(a, b)| a == b).count();
    let cut = |text: &str| {
        let from = text.floor_char_boundary(place.saturating_sub(100));
        let to = text.floor_char_boundary(place + 200);
        text.get(from..to).unwrap_or_default().to_owned()
    };
    Err(format!("{what}: ...{}\ninstead of ...{}", cut(&actual), cut(&expected)))
}

/// The first bytes.
fn hex(bytes: &[u8]) -> String {
    let text: String = bytes.iter().take(2_000).map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() > 2_000 { format!("{text}... {} bytes", bytes.len()) } else { text }
}
