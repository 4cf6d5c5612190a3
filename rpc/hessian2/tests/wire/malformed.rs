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
    let text = include_str!("../vectors/hessian2_malformed.jsonl");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

impl Row {
    /// The bytes, made from the recipe if they are too many to be written out.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        if let Some(hex) = &self.hex {
            return unhex(hex);
        }
        let count = || self.name.rsplit('_').next().unwrap().parse::<usize>().unwrap();
        match self.recipe.as_deref().unwrap() {
            "79*N + 4e" => [vec![0x79; count()], vec![0x4e]].concat(),
            "(48 01 61)*N + 4e + 5a*N" => {
                [b"H\x01a".repeat(count()), vec![0x4e], vec![0x5a; count()]].concat()
            }
            "43 01 41 91 01 78 + 60*N + 4e" => [&b"C\x01A\x91\x01x"[..], &vec![0x60; count()], b"N"].concat(),
            "(43 01 41 90)*N + 60" => [&b"C\x01A\x90".repeat(count())[..], b"\x60"].concat(),
            "200000 distinct class defs com.x.C<i> with 0 fields + 60" => {
                let name = |i| format!("com.x.C{i}");
                let definition = |i| [b"C", &[name(i).len() as u8][..], name(i).as_bytes(), b"\x90"].concat();
                (0..200_000).flat_map(definition).chain([0x60]).collect()
            }
            "(52 00 00)*1000000 + 00" => [b"R\0\0".repeat(1_000_000), vec![0]].concat(),
            other => panic!("recipe {other}"),
        }
    }
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
