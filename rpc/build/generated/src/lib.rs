//! Shows that what `getty-build` makes of `.proto` files compiles with `getty-rpc`, and that its documentation builds without a
//! warning. The tests call it. It owns no code that others use.
#![forbid(unsafe_code)]
#![cfg(feature = "protobuf")]

use std::fmt;

use getty_rpc::ProtobufException;

/// Names and comments that are hard on Rust, rustdoc and Clippy.
#[allow(
    missing_docs,
    clippy::all,
    clippy::use_self,
    reason = "fields have no comments, and comments are not written for Clippy"
)]
pub mod odd {
    include!(concat!(env!("OUT_DIR"), "/odd.rs"));
}

/// A field of every kind. All of it has a comment in its file, so all that is made of it must be documented.
#[deny(missing_docs)]
#[allow(clippy::use_self, reason = "prost-build says each name in full")]
pub mod kinds {
    getty_rpc::include_proto!("com.x.kinds");
}

/// The same service as a later version of its file has it.
#[deny(missing_docs)]
#[allow(clippy::use_self, reason = "prost-build says each name in full")]
pub mod newer {
    getty_rpc::include_proto!("com.x.newer");
}

/// An exception that rpcs throw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFound(
    /// Java's `getMessage()`.
    pub String,
);

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotFound {}

impl ProtobufException for NotFound {
    const CLASS: &'static str = "org.y.kinds.NotFoundException";

    fn from_message(message: String) -> Self {
        Self(message)
    }
}
