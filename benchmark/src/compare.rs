//! Owns the subcommand `compare`: the order of the runs and their medians. Never measures itself: server and client
//! are two other processes of this program.

mod result;
mod row;
mod table;

pub(crate) use result::median;
pub(crate) use row::Row;

use crate::child::{ChildError, Server, run_client};
use crate::cli::CompareArgs;
use crate::peer::Peer;
use crate::report::{ClientReport, ServerReport};
use crate::runtime;
use crate::usage::Machine;
use result::{Round, Series};
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// The comparison was not finished.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum CompareError {
    /// No threads, or the path of this program is unknown.
    #[error("cannot prepare the processes")]
    Prepare(#[source] io::Error),
    /// The CPU time of the machine is unknown.
    #[error("cannot read the CPU time of the machine; the benchmark needs Linux and /proc")]
    Machine(#[source] io::Error),
    /// A process failed.
    #[error("{peer} {row}, round {round}: the run failed")]
    Run {
        peer: Peer,
        row: Row,
        round: usize,
        #[source]
        source: Box<ChildError>,
    },
    /// None of the peers has the mode of any of the rows.
    #[error("nothing to run: none of the peers has the mode of any of the rows")]
    Nothing,
    /// A serialization was asked for that would not be heeded.
    #[error("none of the peers has a choice of serialization in any of the rows; leave --serialization away")]
    NoChoice,
    /// The file of rows.
    #[error("cannot write {0}")]
    Write(PathBuf, #[source] io::Error),
}

/// One peer in one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    peer: Peer,
    row: Row,
}

/// Runs everything, then writes the rows and prints the table.
pub(crate) fn run(args: &CompareArgs) -> Result<(), CompareError> {
    let series = runtime(1).map_err(CompareError::Prepare)?.block_on(rounds(args))?;
    if let Some(path) = &args.json {
        write(path, &series).map_err(|error| CompareError::Write(path.clone(), error))?;
    }
    print!("{}", table::render(&series, args.workers.get(), cores()));
    Ok(())
}

async fn rounds(args: &CompareArgs) -> Result<Vec<Series>, CompareError> {
    args.peers.iter().filter_map(|peer| peer.absence()).for_each(|why| eprintln!("{why}"));
    let mut series: Vec<Series> = entries(args).into_iter().map(Series::new).collect();
    if series.is_empty() {
        return Err(CompareError::Nothing);
    }
    if args.serialization.is_some() && !series.iter().any(|one| one.entry.peer.has_choice(one.entry.row.mode))
    {
        return Err(CompareError::NoChoice);
    }
    for round in 1..=args.rounds.get() {
        // Every other round runs backwards, so that no peer always comes after the same one.
        let order: Vec<_> =
            if round % 2 == 1 { series.iter_mut().collect() } else { series.iter_mut().rev().collect() };
        for one in order {
            let Entry { peer, row } = one.entry;
            let before = Machine::now().map_err(CompareError::Machine)?;
            let (server, client) = run_once(one.entry, args).await.map_err(|source| CompareError::Run {
                peer,
                row,
                round,
                source: Box::new(source),
            })?;
            let machine_busy = Machine::now().map_err(CompareError::Machine)?.busy_since(before);
            eprintln!(
                "round {round}/{}  {row:<30} {peer:<8} {:>10.0} calls/s",
                args.rounds, client.calls_per_second
            );
            if let Some(error) = &client.first_error {
                eprintln!("  {} errors, such as: {error}", client.errors);
            }
            one.rounds.push(Round { client, server, machine_busy });
        }
    }
    Ok(series)
}

/// Rows of the same shape stand together, and run together, in the order of the first of them. In each shape a peer runs
/// once for each choice that it has: those without any run once.
fn entries(args: &CompareArgs) -> Vec<Entry> {
    let rows = || args.rows.iter().map(|row| row.with_default(args.serialization));
    let mut entries: Vec<Entry> = Vec::new();
    for shape in rows() {
        if entries.iter().any(|known| known.row.has_shape_of(shape)) {
            continue;
        }
        let takes_part = |peer: &&Peer| peer.modes().contains(&shape.mode) && peer.absence().is_none();
        for &peer in args.peers.iter().filter(takes_part) {
            for row in rows().filter(|row| row.has_shape_of(shape)) {
                let entry = Entry { peer, row: row.of(peer) };
                if !entries.contains(&entry) {
                    entries.push(entry);
                }
            }
        }
    }
    entries
}

async fn run_once(entry: Entry, args: &CompareArgs) -> Result<(ServerReport, ClientReport), ChildError> {
    let Entry { peer, row } = entry;
    // With a registry each connection goes to a provider of its own.
    let providers = if row.registry { row.connections.get() } else { 1 };
    let server = Server::start(peer, row.mode, providers, args.workers).await?;
    let client = run_client(peer, row, server.addrs(), args.budget, args.workers).await?;
    Ok((server.stop().await?, client))
}

fn write(path: &PathBuf, series: &[Series]) -> io::Result<()> {
    let rows: Vec<_> = series.iter().map(Series::medians).collect();
    let mut text = serde_json::to_string_pretty(&rows)?;
    text.push('\n');
    std::fs::write(path, text)
}

/// Cores that this process may use; 1 if the system does not tell.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    fn spelt(arguments: &str) -> Vec<String> {
        let Command::Compare(args) =
            Cli::parse_from(["benchmark", "compare"].into_iter().chain(arguments.split(' '))).command
        else {
            panic!("compare")
        };
        entries(&args).iter().map(|Entry { peer, row }| format!("{peer} {row}")).collect()
    }

    #[test]
    fn rows_of_one_shape_run_together_and_peers_without_a_choice_once() {
        let entries = spelt(
            "--peers getty,tarpc --rows rpc+protobuf:1x200,echo:1x1,rpc:1x200,rpc:1x1,rpc+protobuf+registry:1x200",
        );
        assert_eq!(
            entries,
            [
                "getty rpc+protobuf:1x200",
                "getty rpc:1x200",
                "getty rpc+protobuf+registry:1x200",
                "tarpc rpc:1x200",
                "getty echo:1x1",
                "getty rpc:1x1",
                "tarpc rpc:1x1",
            ]
        );
    }

    #[test]
    fn a_serialization_is_that_of_the_rows_that_name_none() {
        let entries = spelt(
            "--peers getty,tarpc --serialization protobuf --rows rpc:1x1,rpc+protobuf:1x1,rpc+hessian2:1x1,echo:1x1",
        );
        assert_eq!(
            entries,
            ["getty rpc+protobuf:1x1", "getty rpc+hessian2:1x1", "tarpc rpc:1x1", "getty echo:1x1"]
        );
    }
}
