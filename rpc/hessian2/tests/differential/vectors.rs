//! The values of Java's vector file through the running libraries: what they are there, they are again in Rust.

use std::collections::BTreeSet;

use getty_hessian2::{Value, to_vec};
use serde::Deserialize;

use crate::as_java::as_java;
use crate::compare::same;
use crate::graph::{Graph, Node};
use crate::peer::{Answer, Peer};
use crate::view::bytes;

#[derive(Deserialize)]
struct Row {
    name: String,
    hex: Option<String>,
    verify: Option<String>,
}

/// Rows that are several values: the class `java.time.LocalDate`, say, without fields, and behind it a long.
const SEVERAL_VALUES: [&str; 3] = ["compact_localdate", "compact_localtime", "compact_list_ld_lt"];

/// Rows that do not come back as they were, in any version:
///
/// - `enumset_empty`, `class_user`: they name a class that the peer does not have, where Java insists on it;
/// - `locale_script`: reading takes only the language and the country;
/// - `compact_zoneddatetime`: written in another form, unless Java is told to, or not read.
const NEVER_BACK: [&str; 4] = ["enumset_empty", "class_user", "locale_script", "compact_zoneddatetime"];

/// Rows that 3.2.13 cannot read on Java 17, or reads without the fields.
const NOT_IN_3: [&str; 5] = ["object_plain", "pattern", "inet4", "simpledateformat_tz", "entry"];

#[test]
#[ignore = "asks a Java process that scripts/build-peers builds"]
fn values_of_java_come_back_from_hessian_lite_4() {
    let lost = lost_values(&mut Peer::of("GETTY_HESSIAN_LITE_4"));
    assert_eq!(lost, BTreeSet::from(NEVER_BACK.map(str::to_owned)));
}

#[test]
#[ignore = "asks a Java process that scripts/build-peers builds"]
fn values_of_java_come_back_from_hessian_lite_3() {
    let lost = lost_values(&mut Peer::of("GETTY_HESSIAN_LITE_3"));
    let expected: BTreeSet<_> = NEVER_BACK.iter().chain(&NOT_IN_3).map(|&name| name.to_owned()).collect();
    assert_eq!(lost, expected);
}

/// Names of the rows that do not come back as they were; why is printed.
fn lost_values(peer: &mut Peer) -> BTreeSet<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/hessian2_java_vectors.jsonl");
    let file = std::fs::read_to_string(path).unwrap();
    let rows: Vec<(String, Value)> = file.lines().filter_map(value).collect();
    assert_eq!(rows.len(), 358);
    let requests: Vec<_> = rows.iter().map(|(_, value)| to_vec(value).unwrap()).collect();
    let answers = peer.ask(&requests);
    let mut lost = BTreeSet::new();
    for ((name, value), answer) in rows.into_iter().zip(answers) {
        if let Err(error) = comes_back(&value, answer) {
            println!("{name}: {error}");
            lost.insert(name);
        }
    }
    lost
}

/// The value of a row that Java can read.
fn value(line: &str) -> Option<(String, Value)> {
    let row: Row = serde_json::from_str(line).unwrap();
    let readable = matches!(row.verify.as_deref(), Some("equal" | "reencode-equal"));
    if !readable || SEVERAL_VALUES.contains(&row.name.as_str()) {
        return None;
    }
    Some((row.name, Value::parse(&bytes(&row.hex?)).unwrap()))
}

fn comes_back(value: &Value, answer: Answer) -> Result<(), String> {
    match answer {
        Answer::Value(_, again) => {
            let back = Value::parse(&again).map_err(|error| error.to_string())?;
            same("came back", &in_any_java(value), &in_any_java(&back))
        }
        Answer::Error(error) => Err(error),
    }
}

/// A value as Java holds it, without the fields that only some versions of Java have.
fn in_any_java(value: &Value) -> Graph {
    let mut graph = as_java(Graph::of_value(value));
    for node in &mut graph.nodes {
        let Node::Object(class, fields) = node else { continue };
        let lasting: &[&str] = match class.as_str() {
            "java.math.BigInteger" => &["signum", "mag"],
            "java.lang.StringBuffer" => &["value", "count", "coder"],
            _ => continue,
        };
        fields.retain(|(name, _)| lasting.contains(&name.as_str()));
    }
    graph
}
