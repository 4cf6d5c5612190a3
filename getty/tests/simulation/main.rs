//! Clients and servers on a simulated network with a clock of its own, on one thread: how fast the machine is decides nothing, and
//! what is up to chance comes from a seed.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod faults;
mod net;
mod storm;
#[path = "../support/mod.rs"]
mod support;
mod trace;
