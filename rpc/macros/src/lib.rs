//! The macros of getty-rpc and getty-hessian2.
