//! What becomes of `.proto` files: the text that is made of them, that it compiles, and what is said of those that are wrong.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod compiles;
mod errors;
mod generated;
mod support;
