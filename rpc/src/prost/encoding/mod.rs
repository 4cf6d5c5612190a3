pub use ::prost::encoding::*;

pub(super) mod number;
pub mod string;

pub use number::{bool, int32, int64, uint32, uint64};
