//! Owns peer getty-go: Go's getty, whose server is a program of its own, built by `scripts/build-peers getty-go-benchmark`. It
//! understands the options of this program's server and reports as that does. The client is the bare loop, so that only the server
//! is Go's.

use std::path::PathBuf;

/// The variable that says where the program is.
pub(super) const PROGRAM: &str = "GETTY_GO_BENCHMARK";

/// `None` if it is not said where the program is.
pub(super) fn program() -> Option<PathBuf> {
    std::env::var_os(PROGRAM).filter(|path| !path.is_empty()).map(PathBuf::from)
}
