//! The codec against bytes: of Java and Go, of hostile peers, and its own.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod beans;
mod classes;
mod coverage;
mod enums;
mod hostile;
mod java;
mod malformed;
mod properties;
mod sha256;
mod sharing;
mod tree;
mod typed;
mod vectors;
