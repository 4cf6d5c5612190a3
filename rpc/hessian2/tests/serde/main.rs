//! Types of serde: their bytes, what they are read from, and hostile input.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod bytes;
mod classes;
mod hostile;
#[path = "../wire/malformed.rs"]
mod malformed;
mod reading;
mod round_trips;
mod vectors;
