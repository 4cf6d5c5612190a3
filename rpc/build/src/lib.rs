//! Owns the way from a `.proto` file to a `getty-rpc` service, for build scripts. It needs no `protoc`, and it never runs at the
//! run time of a program.
//!
//! In `Cargo.toml`:
//!
//! ```toml
//! [dependencies]
//! getty-rpc = { version = "0.1", features = ["protobuf"] }
//!
//! [build-dependencies]
//! getty-build = "0.1"
//! ```
//!
//! In `build.rs`:
//!
//! ```no_run
//! fn main() -> Result<(), getty_build::Error> {
//!     getty_build::compile_protos(&["proto/greeter.proto"], &["proto"])
//! }
//! ```
//!
//! For this `proto/greeter.proto`
//!
//! ```proto
//! syntax = "proto3";
//! package com.x;
//! option java_multiple_files = true;
//!
//! message HelloRequest { string name = 1; }
//! message HelloReply { string text = 1; }
//!
//! // Greets people.
//! service Greeter {
//!   // Says hello.
//!   rpc SayHello(HelloRequest) returns (HelloReply);
//! }
//! ```
//!
//! it writes `com.x.rs` into `OUT_DIR`, with the two messages as structs and with
//!
//! ```ignore
//! impl ::getty_rpc::java::JavaType for HelloRequest {
//!     const DESCRIPTOR: &'static str = "Lcom/x/HelloRequest;";
//! }
//!
//! /// Greets people.
//! #[::getty_rpc::service(interface = "com.x.Greeter", serialization = "protobuf")]
//! pub trait Greeter {
//!     /// Says hello.
//!     #[method(name = "sayHello")]
//!     async fn say_hello(&self, request: HelloRequest) -> HelloReply;
//! }
//! ```
//!
//! which `getty_rpc::include_proto!("com.x")` brings into the program. `#[service]` makes `GreeterClient` and `GreeterServer` of the
//! trait:
//!
//! ```ignore
//! mod greeter {
//!     getty_rpc::include_proto!("com.x");
//! }
//! use greeter::{Greeter, GreeterClient, GreeterServer, HelloReply, HelloRequest};
//!
//! struct Polite;
//!
//! impl Greeter for Polite {
//!     async fn say_hello(&self, request: HelloRequest) -> HelloReply {
//!         HelloReply { text: format!("Hello, {}!", request.name) }
//!     }
//! }
//!
//! let server = getty_rpc::Server::bind("127.0.0.1:20000").await?.service(GreeterServer::new(Polite));
//! tokio::spawn(server.serve());
//!
//! let greeter: GreeterClient = getty_rpc::Client::direct("127.0.0.1:20000")?.refer();
//! println!("{}", greeter.say_hello(HelloRequest { name: "world".into() }).await?.text);
//! ```
//!
//! Fields without a comment have no documentation, and comments are not written for Clippy, so a crate that checks either says
//! `#[allow(missing_docs, clippy::all)]` at the module that includes the file.
//!
//! # What Java calls it
//!
//! | | from | rule of |
//! |---|---|---|
//! | class of a message | `java_package`, `java_multiple_files`, `java_outer_classname`, the file's name | protoc's Java generator |
//! | interface of a service | `java_package`, else the package | Dubbo's compiler; [`Builder::interface`] sets another |
//! | method of an rpc | the rpc with its first letter in lower case | Dubbo's compiler |
//!
//! Java finds a method by these names, so they must be those of the `.proto` file that Java was built from, options included.
//!
//! # What has no counterpart
//!
//! - A streaming rpc is an error: a call of the Dubbo protocol carries one request and one answer.
//! - Editions are an error: write `syntax = "proto3"` or `"proto2"`.
//! - `google.protobuf.Empty` is `()`: `async fn ping(&self, request: ())`, which is called as `ping(())`. One message still travels
//!   each way, as Java expects it.
//! - The other well-known types are what prost makes of them: `google.protobuf.StringValue` is `String`, `Int32Value` is `i32`, and
//!   so on; `Timestamp`, `Duration`, `Any`, `Struct` and the rest come from `getty_rpc::prost_types`. Java's name of the class stands
//!   at the method that takes one.
//!
//! # Packages in several modules
//!
//! Each package has a file of its own, named after it in snake case; a file without a package is `_.rs`. A message of another package
//! is named through `super`, so modules must nest as packages do; [`Builder::include_file`] writes a file that nests them.
#![forbid(unsafe_code)]

mod builder;
mod comments;
mod descriptors;
mod error;
mod generator;
mod java;
mod place;
mod plan;
mod settings;
mod sources;

use std::path::Path;

pub use builder::Builder;
pub use error::{Error, Problem};
pub use place::Place;

/// Makes Rust files of these `.proto` files and of all that they import, in `OUT_DIR`.
///
/// `protos` and `includes` are paths from the directory of the package, where Cargo runs build scripts. Each of `protos` lies in one of
/// `includes`, where imports are looked for too. Cargo is told to run the build script again when one of the files changes.
///
/// # Errors
/// When a file is missing or wrong, or when a service cannot travel over the Dubbo protocol: see [`Error`]. Its `Debug` form is its
/// message too, so a build script may return it from `main`.
pub fn compile_protos(protos: &[impl AsRef<Path>], includes: &[impl AsRef<Path>]) -> Result<(), Error> {
    configure().compile(protos, includes)
}

/// As [`compile_protos`], with settings. Services and rpcs are named as in their `.proto` file, with the package.
///
/// ```no_run
/// getty_build::configure()
///     .version("com.x.Greeter", "1.0.0")
///     .exception("com.x.Greeter.SayHello", "crate::NotFound")
///     .compile(&["proto/greeter.proto"], &["proto"])?;
/// # Ok::<(), getty_build::Error>(())
/// ```
pub fn configure() -> Builder {
    Builder::default()
}
