//! Services in protobuf (serialization id 22): Rust to Rust, as raw peers see them, and with the frames of Dubbo Java.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should end")]

#[path = "../support/mod.rs"]
mod support;

mod both;
mod calls;
mod hostile;
mod java;
mod messages;
mod raw;
mod wire;
