//! Owns what derived code calls in place of prost's `encoding`, for that code only: all of it, with text and numbers of its own.

pub use ::prost::encoding::*;

pub(super) mod number;
pub mod string;

pub use number::{bool, int32, int64, uint32, uint64};
