//! Prints the bytes of a body as an annotated tree: each value with its offset, its bytes, what it is, and what its
//! references lead to; then the tables.
//!
//! `echo 7a91 5190 | cargo run -q -p getty-hessian2 --example dump` takes hexadecimal text, with or without spaces, and
//! `cargo run -q -p getty-hessian2 --example dump -- FILE` the bytes of a file. The process ends with 1 if the bytes are
//! not understood up to their end.

mod tree;

use std::io::{BufWriter, Read, Write};
use std::process::ExitCode;

fn main() -> std::io::Result<ExitCode> {
    let bytes = match std::env::args().nth(1) {
        Some(file) => std::fs::read(file)?,
        None => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            match tree::unhex(&text) {
                Some(bytes) => bytes,
                None => {
                    eprintln!("standard input is no hexadecimal text; give a file's name for raw bytes");
                    return Ok(ExitCode::from(2));
                }
            }
        }
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    let understood = tree::print(&bytes, &mut out)?;
    out.flush()?;
    Ok(if understood { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
