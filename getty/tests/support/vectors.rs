//! What Go's getty 1.4.10 sent on the wire: `tests/vectors/getty_go.jsonl`, one JSON object a line, in the order in which it was
//! sent. Rows whose `dir` is `note` explain the others.

use serde_json::Value;

/// Bytes that were sent for one reason.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// `tcp`, `tcp-zip` and so on.
    pub(crate) transport: String,
    /// `client to server`, `server to client`.
    pub(crate) direction: String,
    pub(crate) what: String,
    pub(crate) bytes: Vec<u8>,
}

/// All of them but the notes.
pub(crate) fn rows() -> Vec<Row> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    include_str!("../vectors/getty_go.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|row| row["dir"] != "note")
        .map(|row| Row {
            transport: text(&row, "transport"),
            direction: text(&row, "dir"),
            what: text(&row, "what"),
            bytes: from_hex(&text(&row, "hex")),
        })
        .collect()
}

/// The bytes of those whose `what` begins like this.
pub(crate) fn vectors(transport: &str, direction: &str, what: &str) -> Vec<Vec<u8>> {
    let found: Vec<_> = rows()
        .into_iter()
        .filter(|row| row.transport == transport && row.direction == direction && row.what.starts_with(what))
        .map(|row| row.bytes)
        .collect();
    assert!(!found.is_empty(), "no vector: {transport} {direction} {what}");
    found
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}
