//! The Dubbo RPC layer.
