//! getty's own sources, compiled over loom's types instead of those of std and tokio, and models that run them in every order that
//! threads can take. Nothing of getty is copied here: what the models check is what users run.
//!
//! Only [`sync`] is another module than getty's. A new module of getty that one of these uses has to be listed here too; the
//! compiler says so. The client is left out: nothing of it is modelled.
//!
//! ```text
//! cargo test -p getty-loom                       # all models, each with a bounded number of preemptions
//! LOOM_MAX_PREEMPTIONS=3 cargo test --release -p getty-loom out    # deeper, and much longer
//! ```

#![forbid(unsafe_code)]
#![allow(
    dead_code,
    missing_debug_implementations,
    missing_docs,
    unexpected_cfgs,
    unreachable_pub,
    unused_imports,
    reason = "the sources are those of another crate, which has features and users"
)]

#[path = "../../src/codec/mod.rs"]
mod codec;
#[path = "../../src/endpoint.rs"]
mod endpoint;
#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/limits.rs"]
mod limits;
#[path = "../../src/listener.rs"]
mod listener;
#[path = "../../src/observer.rs"]
mod observer;
#[path = "../../src/pool/mod.rs"]
mod pool;
#[path = "../../src/server/mod.rs"]
mod server;
#[path = "../../src/session/mod.rs"]
mod session;
#[path = "../../src/stock.rs"]
mod stock;
#[path = "../../src/transport/mod.rs"]
mod transport;
#[path = "../../src/wheel/mod.rs"]
mod wheel;

pub mod models;
mod sync;

pub use codec::{
    Attempt, Chunks, ConnInfo, In, LineError, Lines, Opened, OutOf, Protocol, Reader, Step, Writer,
};
pub use endpoint::{EndpointInfo, EndpointKind};
pub use error::{BoxError, Error, SessionError, WriteError};
pub use limits::Limits;
pub use listener::{EventListener, OnMessage, on_message};
pub use observer::{CloseReason, Observed, Observer};
pub use pool::{Full, Pool};
pub use server::{Server, accept};
pub use session::{CloseCallback, Flush, Out, Session, Span, Stats};
