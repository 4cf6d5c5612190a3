//! Hessian 2.
