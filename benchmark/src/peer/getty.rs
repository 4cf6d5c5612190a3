//! Owns peer getty: the RPC layer in mode `rpc`, the transport core alone in the others. Everything is as it comes.

pub(super) mod echo;
pub(super) mod handshake;
pub(super) mod rpc;
