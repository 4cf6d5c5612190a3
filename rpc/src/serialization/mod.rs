//! Bodies: how requests and answers become bytes and back. Knows no socket and no waiting.

pub(crate) mod hessian2;

mod arguments;

pub use arguments::{DecodeArguments, EncodeArguments};
