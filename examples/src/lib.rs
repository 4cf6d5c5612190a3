//! What the examples share: their services, and what each program needs. `examples/dubbo-go` has the user service in Go,
//! `examples/getty-go` the echo.
#![forbid(unsafe_code)]

#[cfg(feature = "transports")]
pub mod echo;
pub mod listed;
#[cfg(feature = "http")]
pub mod page;
pub mod tickets;
pub mod user;

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Log lines go to standard error; `RUST_LOG` chooses which. The default is warnings.
pub fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    // A second call finds the first one's subscriber, and that is as good.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// Ready at the first SIGTERM or SIGINT after this call.
///
/// # Errors
/// Those of the system, when it cannot watch for signals.
pub fn stop_signal() -> io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// The code of the README is compiled with the documentation's tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
