//! Hostile, truncated and borderline bodies.

use serde::Deserialize;

/// A body with its name.
#[derive(Deserialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    hex: Option<String>,
    recipe: Option<String>,
}

pub(crate) fn rows() -> Vec<Row> {
    parse(include_str!("../vectors/hessian2_malformed.jsonl"))
}

pub(crate) fn parse(text: &str) -> Vec<Row> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

impl Row {
    /// The bytes; none if the row has no form on the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match (&self.hex, &self.recipe) {
            (Some(hex), _) => unhex(hex),
            (None, Some(recipe)) => from_recipe(&self.name, recipe).unwrap(),
            (None, None) => Vec::new(),
        }
    }
}

/// Bytes that are too many to be written out. The name ends in how often.
pub(crate) fn from_recipe(name: &str, recipe: &str) -> Result<Vec<u8>, String> {
    let count = || {
        let count = name.rsplit('_').next().and_then(|count| count.parse::<usize>().ok());
        count.filter(|count| *count <= 10_000_000).ok_or(format!("{name} ends in no number for {recipe}"))
    };
    Ok(match recipe {
        "79*N + 4e" => [vec![0x79; count()?], vec![0x4e]].concat(),
        "(48 01 61)*N + 4e + 5a*N" => [b"H\x01a".repeat(count()?), vec![0x4e], vec![0x5a; count()?]].concat(),
        "43 01 41 91 01 78 + 60*N + 4e" => [&b"C\x01A\x91\x01x"[..], &vec![0x60; count()?], b"N"].concat(),
        "(43 01 41 90)*N + 60" => [&b"C\x01A\x90".repeat(count()?)[..], b"\x60"].concat(),
        "200000 distinct class defs com.x.C<i> with 0 fields + 60" => {
            let name = |i| format!("com.x.C{i}");
            let definition = |i| [b"C", &[name(i).len() as u8][..], name(i).as_bytes(), b"\x90"].concat();
            (0..200_000).flat_map(definition).chain([0x60]).collect()
        }
        "(52 00 00)*1000000 + 00" => [b"R\0\0".repeat(1_000_000), vec![0]].concat(),
        other => return Err(format!("unknown recipe {other:?}")),
    })
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    try_unhex(text).unwrap()
}

pub(crate) fn try_unhex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| match pair {
        [high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
            let digit = |digit: u8| (digit as char).to_digit(16).unwrap_or_default() as u8;
            Ok(digit(*high) << 4 | digit(*low))
        }
        other => Err(format!("not hexadecimal: {:?}", String::from_utf8_lossy(other))),
    };
    digits.chunks(2).map(byte).collect()
}
