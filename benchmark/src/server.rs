//! Owns the subcommand `server`: listens, says so, serves until it is told to stop, reports. Knows no peer by name.

use crate::cli::ServerArgs;
use crate::load::BoxError;
use crate::peer::PeerError;
use crate::report::ServerReport;
use crate::setup::{self, Setup};
use crate::{runtime, tally, usage};
use std::convert::Infallible;
use std::io;
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinError;

/// What the line that announces the addresses begins with.
pub(crate) const READY: &str = "READY ";

/// The server could not serve or not report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum ServerError {
    /// The peer cannot be run.
    #[error("the server cannot start")]
    Start(#[from] PeerError),
    /// The peer stopped serving.
    #[error("the server failed")]
    Failed(#[source] BoxError),
    /// The peer's accept loop panicked.
    #[error("the server panicked")]
    Panicked(#[from] JoinError),
    /// Threads, signals or `/proc`.
    #[error("the operating system refused a thread, a signal handler or /proc")]
    System(#[from] io::Error),
    /// The report cannot be written as JSON.
    #[error("the report cannot be written")]
    Report(#[from] serde_json::Error),
}

/// Serves until SIGTERM or Ctrl-C.
pub(crate) fn run(args: &ServerArgs) -> Result<(), ServerError> {
    let runtime = runtime(args.workers.get())?;
    let served = runtime.block_on(serve(args));
    // Connections may still be open; the process ends with them.
    runtime.shutdown_background();
    println!("{}", serde_json::to_string(&served?)?);
    Ok(())
}

async fn serve(args: &ServerArgs) -> Result<ServerReport, ServerError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let setup = Setup {
        addrs: args.addrs.clone(),
        serialization: args.serialization,
        registry: args.registry.clone(),
    };
    let serving = args.peer.serve(args.mode, setup).await?;
    let idle = usage::cpu_time()?;
    println!("{READY}{}", setup::list(&serving.addrs));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = stdin_closed(), if args.until_stdin_closes => {}
        failure = serving.failure => {
            let Err(error): Result<Infallible, BoxError> = failure?;
            return Err(ServerError::Failed(error));
        }
    }
    let spent = usage::cpu_time()?.saturating_sub(idle);
    Ok(ServerReport::new(tally::total(), spent, usage::peak_rss()?))
}

/// Waits on a thread of its own: tokio would wait for that read at shutdown.
async fn stdin_closed() {
    let (closed, wait) = oneshot::channel::<Infallible>();
    std::thread::spawn(move || {
        // Closed or failed: nobody is there any more.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        drop(closed);
    });
    let _ = wait.await;
}
