//! Owns the subcommand `client`: one run against one server, printed. Knows no peer by name.

use crate::cli::ClientArgs;
use crate::load::Shape;
use crate::peer::{Mode, PeerError};
use crate::report::ClientReport;
use crate::runtime;
use crate::setup::Setup;
use std::io;
use thiserror::Error;
use tokio::task::JoinError;

/// The client has nothing to report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum ClientError {
    /// No threads.
    #[error("the runtime cannot start")]
    Runtime(#[from] io::Error),
    /// The peer gave no result.
    #[error("the run failed")]
    Run(#[from] PeerError),
    /// The run panicked.
    #[error("the run panicked")]
    Panicked(#[from] JoinError),
    /// The report cannot be written as JSON.
    #[error("the report cannot be written")]
    Report(#[from] serde_json::Error),
}

/// Measures until the budget is spent and prints the report.
pub(crate) fn run(args: &ClientArgs) -> Result<(), ClientError> {
    let callers = match args.mode {
        Mode::Rpc => args.callers.get(),
        Mode::Echo | Mode::Idle | Mode::Handshake => args.in_flight.get(),
    };
    let shape = Shape { connections: args.connections.get(), callers, size: args.size };
    let setup = Setup {
        addrs: args.addrs.clone(),
        serialization: args.serialization,
        registry: args.registry.clone(),
    };
    let load = args.peer.load(args.mode, setup, shape, args.budget);
    let runtime = runtime(args.workers.get())?;
    let measured = runtime.block_on(load)?;
    runtime.shutdown_background();

    let report = ClientReport::new(&measured);
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{}", report.to_text());
    }
    Ok(())
}
