//! The example `echo`: packets there and back over every transport. `src/bin/echo.rs` is the program, `examples/getty-go` the same
//! in Go.
//!
//! | file | owns |
//! |---|---|
//! | `settings` | the command line, and what on it goes together |
//! | `packets` | what a packet is on the wire |
//! | `server`, `client` | the two sides, over any transport |

mod client;
mod packets;
mod server;
mod settings;

use std::time::Duration;

use getty::Limits;

pub use client::{Report, call};
pub use packets::Packets;
pub use server::serve;
pub use settings::{Compress, Load, Settings, Transport};

/// Bounds of both sides: the default ones, with more time for a dial on a busy machine.
fn limits() -> Limits {
    Limits::default().dial(Duration::from_secs(10))
}
