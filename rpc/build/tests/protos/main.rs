//! What becomes of `.proto` files: the text that is made of them, and what is said of those that are wrong. That the text compiles
//! and can be called is shown by the crate `generated` beside this.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod errors;
mod generated;
mod support;
