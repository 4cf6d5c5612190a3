//! Owns the program `benchmark`: measures getty and its peers in the manner of rpcx's benchmark. How to run it and how
//! to read it is in the crate's `README.md`.
//!
//! ```text
//! compare --- spawns ---> server  (peer::serve)        one process
//!    |  \---- spawns ---> client  (peer::load) ------> load::{rpc, echo} -> window, latency
//!    '---- medians -----> JSON rows, table
//! idle ------ spawns ---> server, opens connections, and looks at its process from outside
//! hostile --- spawns ---> server and client as `compare` does, and attacks the server
//! ```

#![forbid(unsafe_code)]

mod child;
mod cli;
mod client;
mod compare;
mod frame;
mod hostile;
mod idle;
mod latency;
mod load;
mod message;
mod peer;
mod report;
mod server;
mod setup;
mod tally;
mod usage;
mod window;

use clap::Parser;
use cli::{Cli, Command};
use std::error::Error;
use std::io;
use std::process::ExitCode;
use tokio::runtime::{Builder, Runtime};

fn main() -> ExitCode {
    const DONE: ExitCode = ExitCode::SUCCESS;
    let result: Result<ExitCode, Box<dyn Error>> = match Cli::parse().command {
        Command::Server(args) => server::run(&args).map(|()| DONE).map_err(Into::into),
        Command::Client(args) => client::run(&args).map(|()| DONE).map_err(Into::into),
        Command::Compare(args) => compare::run(&args).map(|()| DONE).map_err(Into::into),
        Command::Idle(args) => idle::run(&args).map_err(Into::into),
        Command::Hostile(args) => hostile::run(&args).map_err(Into::into),
    };
    result.unwrap_or_else(fail)
}

/// A runtime of so many worker threads. The load runs on them alone; the main thread waits.
fn runtime(workers: usize) -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(workers).enable_all().build()
}

fn fail(error: Box<dyn Error>) -> ExitCode {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}
