//! The codec against bytes: of Java and Go, of hostile peers, and its own.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod beans;
mod bombs;
#[path = "../../fuzz/checks.rs"]
mod checks;
mod classes;
#[path = "../../examples/conformance/check.rs"]
mod conformance;
mod corpus;
mod coverage;
mod dialect;
#[path = "../../examples/dump/tree.rs"]
mod dump;
mod enums;
mod everything;
mod fuzz;
mod hostile;
mod java;
mod malformed;
mod properties;
mod sha256;
mod sharing;
mod tools;
mod tree;
mod typed;
mod values;
mod vectors;
