//! A Dubbo-style RPC framework: services are Rust traits, and peers may be Rust, dubbo-go or Java.
//!
//! ```
//! use getty_rpc::{Client, Server, service};
//!
//! #[service(interface = "com.example.Greeter")]
//! trait Greeter {
//!     async fn greet(&self, name: String) -> String;
//! }
//!
//! struct Hello;
//! impl Greeter for Hello {
//!     async fn greet(&self, name: String) -> String {
//!         format!("Hello, {name}!")
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::bind("127.0.0.1:0").await?.service(GreeterServer::new(Hello));
//! let address = server.local_addr().ok_or("no address")?.to_string();
//! tokio::spawn(server.serve());
//!
//! let greeter: GreeterClient = Client::direct(&address)?.refer();
//! assert_eq!(greeter.greet("Ada").await?, "Hello, Ada!");
//! # Ok(())
//! # }
//! ```
//!
//! The way of a call:
//!
//! ```text
//!  client                                                     server
//!  stub method                                                Service::invoke
//!    Call: pick a session, encode into its out-buffer           ^  decode, poll once inline
//!    exchange::Channel: a slot for the answer                 server::Dispatcher
//!        |                                                      ^
//!    getty::Session ------------- wire ----------------> getty::Session
//! ```
//!
//! The answer walks back the same way; the request id finds its slot.
#![forbid(unsafe_code)]

mod attachments;
mod client;
mod cluster;
mod context;
mod error;
mod exchange;
pub mod java;
mod observing;
#[cfg(feature = "protobuf")]
pub mod prost;
pub mod protocol;
mod serialization;
mod server;
mod service;

pub use attachments::Attachments;
pub use client::{Call, CallFuture, Client, ClientBuilder, Reference, ReferenceBuilder};
pub use cluster::{Cluster, LoadBalance};
pub use context::Context;
pub use error::{Error, ErrorKind, Result};
pub use getty::{self, Pool};
pub use getty_hessian2 as hessian2;
pub use getty_hessian2::{Date, Exception, StackFrame, Throwable, Value};
pub use getty_macros::{HessianRpc as Hessian, service};
pub use getty_registry as registry;
#[cfg(feature = "protobuf")]
pub use prost_types;
pub use serialization::Serialization;
#[cfg(feature = "protobuf")]
pub use serialization::protobuf::ProtobufException;
pub use server::{Invocation, Server};
pub use service::{Method, Service, ServiceInfo, Stub, Target};

/// Includes what `getty-build` made of a protobuf package in a build script: `getty_rpc::include_proto!("com.example")`, or `"_"`
/// for files without a package.
#[cfg(feature = "protobuf")]
#[macro_export]
macro_rules! include_proto {
    ($package:tt) => {
        include!(concat!(env!("OUT_DIR"), "/", $package, ".rs"));
    };
}

/// What `#[service]` makes of a trait that speaks protobuf.
#[doc(hidden)]
#[cfg(feature = "protobuf")]
#[macro_export]
macro_rules! __with_protobuf {
    ($($item:tt)*) => { $($item)* };
}

/// What `#[service]` makes of a trait that speaks protobuf.
#[doc(hidden)]
#[cfg(not(feature = "protobuf"))]
#[macro_export]
macro_rules! __with_protobuf {
    ($($item:tt)*) => {
        compile_error!("a service in protobuf needs getty-rpc's feature `protobuf`");
    };
}

/// What the code that `#[service]` makes calls. Not for others: it changes without notice.
#[doc(hidden)]
pub mod derive {
    #[cfg(feature = "protobuf")]
    pub use crate::serialization::protobuf::{
        FallibleMessage, Items, MessageArguments, MessageAs, MessageResult, Nullable, One, PlainMessage,
    };
    pub use crate::{
        serialization::{
            AnswerBody, ArgumentsError, BodyReader, DecodeArguments, EncodeArguments, Plan, Request,
            Returned, Trailer,
            hessian2::{Fallible, Plain},
        },
        service::are_distinct,
    };
    pub use __with_protobuf as with_protobuf;
    pub use getty_hessian2::EncodeAs;
}
