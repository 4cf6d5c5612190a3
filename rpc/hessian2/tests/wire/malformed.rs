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

/// Bytes that a recipe may make.
const LARGEST: usize = 64 << 20;

/// Bytes that are too many to be written out: terms such as `4e`, `79*N`, `(48 01 61)*1000`, joined by `+`. N is the
/// number that the row's name ends in.
pub(crate) fn from_recipe(name: &str, recipe: &str) -> Result<Vec<u8>, String> {
    if recipe == "200000 distinct class defs com.x.C<i> with 0 fields + 60" {
        let name = |i| format!("com.x.C{i}");
        let definition = |i| [b"C", &[name(i).len() as u8][..], name(i).as_bytes(), b"\x90"].concat();
        return Ok((0..200_000).flat_map(definition).chain([0x60]).collect());
    }
    let unknown = || format!("unknown recipe {recipe:?}");
    let mut bytes = Vec::new();
    for term in recipe.split('+') {
        let (hex, times) = term.split_once('*').unwrap_or((term, "1"));
        let times = match times.trim() {
            "N" => name.rsplit('_').next().unwrap_or_default(),
            times => times,
        };
        let times: usize = times.parse().map_err(|_| unknown())?;
        let hex =
            try_unhex(hex.trim().trim_start_matches('(').trim_end_matches(')')).map_err(|_| unknown())?;
        if hex.len().saturating_mul(times).saturating_add(bytes.len()) > LARGEST {
            return Err(format!("recipe {recipe:?} makes more than {LARGEST} bytes"));
        }
        bytes.extend(hex.repeat(times));
    }
    Ok(bytes)
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
