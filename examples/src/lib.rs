//! What the `user` examples share: the service and its types. `examples/dubbo-go` has the same in Go.
#![forbid(unsafe_code)]

pub mod user;

/// Log lines go to standard error; `RUST_LOG` chooses which. The default is warnings.
pub fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    // A second call finds the first one's subscriber, and that is as good.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// The code of the README is compiled with the documentation's tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
