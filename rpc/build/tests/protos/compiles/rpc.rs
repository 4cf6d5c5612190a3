//! Plays `getty_rpc`: what generated code uses of it.

pub use macros::service;
pub use {prost, prost_types};

pub mod java {
    pub trait JavaType {
        const DESCRIPTOR: &'static str;
    }
}
