//! Owns peer getty: the RPC layer in mode `rpc`, the transport core alone in mode `echo`. Everything is as it comes.

pub(super) mod echo;
pub(super) mod rpc;
