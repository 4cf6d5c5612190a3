//! Writes what fuzzing begins with: `cargo run -p getty-hessian2 --example corpus`, then for instance
//! `cargo +nightly fuzz run value` in the crate's folder.
//!
//! Each target has a folder of its own, which libFuzzer adds to. The bodies are those that the tests run the same checks
//! on.

#[expect(dead_code, reason = "whether a bomb is a value is for the tests")]
#[path = "../../tests/wire/bombs.rs"]
mod bombs;
#[path = "../../tests/wire/corpus.rs"]
mod corpus;
#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "vectors that are part of the crate, read by the tests' code"
)]
#[path = "../../tests/wire/malformed.rs"]
mod malformed;

use std::path::Path;

/// Those of `fuzz/Cargo.toml`.
const TARGETS: [&str; 5] = ["value", "typed", "skip", "again", "written"];

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let corpus = corpus::corpus();
    for target in TARGETS {
        let folder = root.join(target);
        std::fs::create_dir_all(&folder)?;
        for (number, (name, bytes)) in corpus.iter().enumerate() {
            std::fs::write(folder.join(format!("{number:04}_{name}")), bytes)?;
        }
    }
    println!("{} bodies for each of {} targets in {}", corpus.len(), TARGETS.len(), root.display());
    Ok(())
}
