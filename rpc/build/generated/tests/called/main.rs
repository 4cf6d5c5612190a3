//! Services that `getty-build` made of `.proto` files, served and called: Rust to Rust, and by peers that send what is wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should end")]

#[path = "../../../../tests/support/mod.rs"]
mod support;

#[path = "../../../../tests/protobuf/raw.rs"]
mod raw;

mod broken;
mod calls;
mod names;
mod serves;
