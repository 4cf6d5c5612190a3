//! Owns what a row of a vector file must fulfil, and running files through it. How a tree is compared is the tests'.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use getty_hessian2::{DecodeState, Decoder, EncodeState, Encoder, Values};

use crate::tree::{Row, check_all, row};

/// Rows whose bytes no value remembers: they come out as other bytes of the same meaning.
const OTHER_BYTES: [(&str, &str); 3] = [
    ("binary_inputstream", "Java writes a stream as chunks of what it has read, a byte[] by its length"),
    ("binary_inputstream_9000", "Java writes a stream as chunks of what it has read, a byte[] by its length"),
    ("raw_bytebuffer_parts", "its writer was told where to cut the chunks"),
];

/// What became of a row.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// All that the row asks for holds. `same` tells whether its bytes came out again.
    Passed {
        same: bool,
    },
    /// The bytes are malformed, and the row promises nothing else.
    Refused,
    /// All but the bytes, for a known reason.
    OtherBytes(&'static str),
    /// The row has no bytes.
    Empty,
    /// The row's bytes are told in words that are not understood.
    Unmade(String),
    Failed(String),
}

/// Holds a row against the codec.
pub(crate) fn judge(row: &Row<'_>) -> Outcome {
    let bytes = match row.bytes() {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Outcome::Empty,
        Err(error) if row.hex.is_none() => return Outcome::Unmade(error),
        Err(error) => return Outcome::Failed(error),
    };
    let judged = catch_unwind(AssertUnwindSafe(|| try_judge(row, &bytes)));
    judged.unwrap_or_else(|_| Err("panicked".to_owned())).unwrap_or_else(Outcome::Failed)
}

fn try_judge(row: &Row<'_>, bytes: &[u8]) -> Result<Outcome, String> {
    let values = match Values::parse(bytes) {
        Ok(values) => values,
        Err(_) if row.tree.is_none() && !row.is_exact() => return Ok(Outcome::Refused),
        Err(error) => return Err(format!("is not read: {error}")),
    };
    if let Some(tree) = &row.tree {
        check_all(tree, values.iter())?;
    }
    let ends = skip_all(bytes).map_err(|error| format!("is read, but not skipped: {error}"))?;
    if ends != values.len() {
        return Err(format!("has {} values when read, {ends} when skipped", values.len()));
    }
    let again = encode(&values).map_err(|error| format!("is read, but not written: {error}"))?;
    match Values::parse(&again) {
        Ok(second) if second == values => {}
        Ok(_) => return Err("is another value once it is written and read again".to_owned()),
        Err(error) => return Err(format!("is not read once it is written: {error}")),
    }
    let reason = OTHER_BYTES.iter().find(|(name, _)| *name == row.name).map(|(_, reason)| *reason);
    match (again == bytes, reason) {
        (true, _) => Ok(Outcome::Passed { same: true }),
        (false, Some(reason)) => Ok(Outcome::OtherBytes(reason)),
        (false, None) if row.is_exact() => Err(difference(&again, bytes)),
        (false, None) => Ok(Outcome::Passed { same: false }),
    }
}

/// Number of values, found without reading them.
fn skip_all(bytes: &[u8]) -> getty_hessian2::Result<usize> {
    let mut state = DecodeState::new();
    let mut d = Decoder::new(bytes, &mut state);
    let mut count = 0;
    while d.remaining() > 0 {
        d.skip()?;
        count += 1;
    }
    Ok(count)
}

fn encode(values: &Values) -> getty_hessian2::Result<Vec<u8>> {
    let (mut out, mut state) = (Vec::new(), EncodeState::new());
    values.write(&mut Encoder::new(&mut out, &mut state))?;
    Ok(out)
}

fn difference(ours: &[u8], theirs: &[u8]) -> String {
    let at = ours.iter().zip(theirs).take_while(|(ours, theirs)| ours == theirs).count();
    let byte = |bytes: &[u8]| bytes.get(at).map_or("the end".to_owned(), |byte| format!("{byte:02x}"));
    format!("has other bytes once it is written: {} instead of {} at {at}", byte(ours), byte(theirs))
}

/// How many rows of a category passed, of how many.
#[derive(Default)]
struct Tally {
    passed: usize,
    rows: usize,
}

/// Runs files, and tells on `out` what falls short and a count per category. Gives whether nothing fell short.
pub(crate) fn run(files: &[String], out: &mut impl Write) -> std::io::Result<bool> {
    let mut all_passed = !files.is_empty();
    for file in files {
        let passed = match std::fs::File::open(file) {
            Ok(open) => run_file(file, open, out)?,
            Err(error) => {
                writeln!(out, "FAILED {file}: {error}")?;
                false
            }
        };
        all_passed &= passed;
    }
    Ok(all_passed)
}

fn run_file(file: &str, lines: impl Read, out: &mut impl Write) -> std::io::Result<bool> {
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let (mut refused, mut empty, mut failed) = (0, 0, 0);
    for (number, line) in (1..).zip(BufReader::new(lines).split(b'\n')) {
        let line = line?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let (name, category, outcome) = match row(&line) {
            Ok(row) => (row.name.clone(), row.category().to_owned(), judge(&row)),
            Err(error) => (
                format!("line {number}"),
                "(broken)".to_owned(),
                Outcome::Failed(format!("is no row: {error}")),
            ),
        };
        let tally = tallies.entry(category).or_default();
        tally.rows += 1;
        tally.passed += usize::from(!matches!(outcome, Outcome::Failed(_)));
        match outcome {
            Outcome::Passed { .. } => {}
            Outcome::Refused => refused += 1,
            Outcome::Empty => empty += 1,
            Outcome::Unmade(why) => {
                empty += 1;
                writeln!(out, "except {name}: {why}")?;
            }
            Outcome::OtherBytes(reason) => writeln!(out, "except {name}: {reason}")?,
            Outcome::Failed(why) => {
                failed += 1;
                writeln!(out, "FAILED {name}: {why}")?;
            }
        }
    }
    writeln!(out, "{file}:")?;
    for (category, tally) in &tallies {
        writeln!(out, "  {category}: {} of {}", tally.passed, tally.rows)?;
    }
    let rows: usize = tallies.values().map(|tally| tally.rows).sum();
    writeln!(out, "  all: {} of {rows}; {refused} end in an error, {empty} have no bytes", rows - failed)?;
    Ok(failed == 0)
}
