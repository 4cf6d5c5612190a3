//! Holds vector files against the codec: `cargo run -p getty-hessian2 --example conformance -- FILE.jsonl...`
//!
//! A file has one JSON object a line; `tests/vectors/README.md` tells its fields, of which only `name` must be there.
//! A row is read, compared with its `tree`, skipped, written, and read again; where `verify` says so, the bytes must be
//! those of `hex`. A row without `tree` and `verify` may also end in an error. One line is printed for each row that falls
//! short, and the process ends with 1 if any did.

mod check;
#[expect(dead_code, clippy::unwrap_used, reason = "what unwraps is for the tests alone")]
#[path = "../../tests/wire/malformed.rs"]
mod malformed;
#[path = "../../tests/wire/sha256.rs"]
mod sha256;
#[expect(dead_code, clippy::unwrap_used, reason = "what unwraps is for the tests alone")]
#[path = "../../tests/wire/tree.rs"]
mod tree;

use std::process::ExitCode;

fn main() -> std::io::Result<ExitCode> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        eprintln!("usage: conformance FILE.jsonl...");
        return Ok(ExitCode::from(2));
    }
    // What panics is told as a row that falls short.
    std::panic::set_hook(Box::new(|_| {}));
    // Trees are read and compared level by level of the stack.
    let run = move || check::run(&files, &mut std::io::stdout().lock());
    let checks = std::thread::Builder::new().stack_size(64 << 20).spawn(run)?;
    let passed = checks.join().unwrap_or(Ok(false))?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
