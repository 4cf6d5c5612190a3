//! The codec against the libraries it must agree with, each in a process of its own: hessian-lite 4 and 3.2.13 in Java,
//! and dubbo-go-hessian2. `scripts/build-peers` builds the processes; environment variables name them:
//!
//! | variable | library |
//! |---|---|
//! | `GETTY_HESSIAN_LITE_4` | `org.apache.dubbo:hessian-lite:4.0.4`, of Dubbo 3.3 |
//! | `GETTY_HESSIAN_LITE_3` | `com.alibaba:hessian-lite:3.2.13`, of Dubbo 2.7 |
//! | `GETTY_HESSIAN_GO` | `github.com/apache/dubbo-go-hessian2` v1.13.2 |
//!
//! The tests are ignored unless they are asked for, and fail without their variable:
//! `cargo test -p getty-hessian2 --test differential -- --ignored go::`

#![allow(clippy::unwrap_used, reason = "a test may")]

mod as_go;
mod as_java;
mod compare;
mod generate;
mod go;
mod graph;
mod java;
mod peer;
mod plain;
mod random;
mod typed;
mod vectors;
mod view;
