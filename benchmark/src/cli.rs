//! Owns the command line. Decides nothing: checks the form of arguments and gives defaults.

use crate::compare::Row;
use crate::frame::Size;
use crate::hostile::Attack;
use crate::peer::{Mode, Peer};
use crate::setup::Serialization;
use crate::window::Budget;
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

/// The rows of a comparison that names none.
const ROWS: &str = "rpc:1x1,rpc+protobuf:1x1,\
    rpc:1x200,rpc+protobuf:1x200,rpc+protobuf+registry:1x200,\
    rpc:10x1000,rpc+protobuf:10x1000,rpc+protobuf+registry:10x1000,\
    echo:64x1,echo:8x64";

/// Measures getty and its peers in the manner of rpcx's benchmark.
#[derive(Debug, Parser)]
#[command(name = "benchmark", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve until SIGTERM, then print what it cost as one line of JSON.
    Server(ServerArgs),
    /// Put load on a server and print throughput, latencies and CPU.
    Client(ClientArgs),
    /// Run server and client of every peer in turn, as two processes each, and print medians.
    Compare(CompareArgs),
    /// Print what an idle connection costs a server in memory and CPU. Exit code 1: getty misses a goal.
    Idle(IdleArgs),
    /// Print what hostile peers cost an honest client of the same getty server. Exit code 1: a goal is missed.
    Hostile(HostileArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// The framework that serves.
    #[arg(long)]
    pub(crate) peer: Peer,
    /// Calls of a service; frames echoed without coding; or the same, holding as little as can be while nothing comes.
    #[arg(long, default_value = "rpc")]
    pub(crate) mode: Mode,
    /// Where to listen; port 0 takes a free one. The line `READY <addr>,..` tells. Several, as several providers, only for
    /// peer getty in mode rpc.
    #[arg(
        short = 's',
        long = "server",
        value_name = "ADDR,..",
        value_delimiter = ',',
        default_value = "127.0.0.1:0"
    )]
    pub(crate) addrs: Vec<SocketAddr>,
    /// Which serialization the service is registered with. It answers in both. Only for peer getty in mode rpc.
    #[arg(long)]
    pub(crate) serialization: Option<Serialization>,
    /// Where to register the service: zookeeper://host:port, etcd://host:port. READY comes when clients can find it. Only for
    /// peer getty in mode rpc.
    #[arg(long, value_name = "URL")]
    pub(crate) registry: Option<String>,
    /// Worker threads of the runtime.
    #[arg(long, default_value = "2")]
    pub(crate) workers: NonZeroUsize,
    /// Stop also when standard input is closed, so that the server never outlives a parent that holds its input.
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ClientArgs {
    /// The framework that calls.
    #[arg(long)]
    pub(crate) peer: Peer,
    /// Calls of a service, or frames echoed without coding.
    #[arg(long, default_value = "rpc")]
    pub(crate) mode: Mode,
    /// Where the server listens. Several only for peer getty in mode rpc, which chooses among them for each call.
    #[arg(
        short = 's',
        long = "server",
        value_name = "ADDR,..",
        value_delimiter = ',',
        required_unless_present = "registry"
    )]
    pub(crate) addrs: Vec<SocketAddr>,
    /// How the message is written; hessian2 unless told otherwise. Only for peer getty in mode rpc.
    #[arg(long)]
    pub(crate) serialization: Option<Serialization>,
    /// Where to find the server instead of -s: zookeeper://host:port, etcd://host:port. memory://name lies in this process
    /// alone, so the addresses of -s are registered there first. Only for peer getty in mode rpc.
    #[arg(long, value_name = "URL")]
    pub(crate) registry: Option<String>,
    /// Mode rpc: callers over all connections, each with one call in flight.
    #[arg(short = 'c', long, default_value = "1")]
    pub(crate) callers: NonZeroUsize,
    /// What is measured: a number of calls (100000) or seconds (3s). A quarter of it goes before as warm-up.
    #[arg(short = 'n', long = "requests", value_name = "CALLS|SECONDS", default_value = "100000")]
    pub(crate) budget: Budget,
    /// Connections, to each address if there are several.
    #[arg(long = "pool", value_name = "CONNECTIONS", default_value = "1")]
    pub(crate) connections: NonZeroUsize,
    /// Mode echo: frames in flight per connection.
    #[arg(long, default_value = "1")]
    pub(crate) in_flight: NonZeroUsize,
    /// Mode echo: bytes of a frame, its header of 16 included.
    #[arg(long = "bytes", value_name = "BYTES", default_value = "600")]
    pub(crate) size: Size,
    /// Worker threads of the runtime.
    #[arg(long, default_value = "2")]
    pub(crate) workers: NonZeroUsize,
    /// Print one line of JSON instead of a text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// How often everything is run; the medians of the rounds are reported.
    #[arg(long, default_value = "5")]
    pub(crate) rounds: NonZeroUsize,
    /// Where to write the rows as a JSON array.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Who takes part. A peer is left out of rows whose mode it does not have, and getty-go where its program was not built.
    #[arg(long, value_delimiter = ',', default_value = "getty,tokio,getty-go,tarpc,tonic")]
    pub(crate) peers: Vec<Peer>,
    /// Rows as MODE:CONNECTIONSxCALLERS. Callers are all callers for rpc, frames in flight per connection for echo. Behind
    /// rpc may stand what only getty heeds: +protobuf or +hessian2, and +registry, which puts a registry in memory between
    /// client and server, with a provider for each connection. Behind echo may stand the bytes of a frame, as in echo+915:8x64.
    #[arg(long, value_delimiter = ',', default_value = ROWS)]
    pub(crate) rows: Vec<Row>,
    /// The serialization of rpc rows that name none; hessian2 unless told otherwise. Only getty heeds it.
    #[arg(long)]
    pub(crate) serialization: Option<Serialization>,
    /// What each run measures: a number of calls (100000) or seconds (3s). A quarter of it goes before as warm-up.
    #[arg(short = 'n', long = "requests", value_name = "CALLS|SECONDS", default_value = "3s")]
    pub(crate) budget: Budget,
    /// Worker threads of each server and of each client.
    #[arg(long, default_value = "2")]
    pub(crate) workers: NonZeroUsize,
}

#[derive(Debug, Args)]
pub(crate) struct IdleArgs {
    /// Connections to each server, or as many as descriptors allow.
    #[arg(long, default_value = "19000")]
    pub(crate) sessions: NonZeroUsize,
    /// Who takes part; getty-go only where its program was built.
    #[arg(long, value_delimiter = ',', default_value = "getty,tokio,getty-go")]
    pub(crate) peers: Vec<Peer>,
    /// For how long CPU is counted.
    #[arg(long, value_name = "SECONDS", default_value = "3")]
    pub(crate) seconds: NonZeroU64,
    /// Worker threads of each server.
    #[arg(long, default_value = "2")]
    pub(crate) workers: NonZeroUsize,
}

#[derive(Debug, Args)]
pub(crate) struct HostileArgs {
    /// How often everything is run; the medians of the rounds are reported.
    #[arg(long, default_value = "5")]
    pub(crate) rounds: NonZeroUsize,
    /// What the server is attacked with, each by itself.
    #[arg(long, value_delimiter = ',', default_value = "flood,silent,bytewise,slow-readers,handshakes")]
    pub(crate) attacks: Vec<Attack>,
    /// Connections of silent and bytewise peers, and at most of slow readers (1,000) and handshakes (512).
    #[arg(long, default_value = "8000")]
    pub(crate) crowd: NonZeroUsize,
    /// What each run measures: a number of calls (100000) or seconds (3s). A quarter of it goes before as warm-up.
    #[arg(short = 'n', long = "requests", value_name = "CALLS|SECONDS", default_value = "3s")]
    pub(crate) budget: Budget,
    /// Worker threads of the server and of the honest client.
    #[arg(long, default_value = "2")]
    pub(crate) workers: NonZeroUsize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_default_comparison_has_both_serializations_and_a_registry() {
        let Command::Compare(args) = Cli::parse_from(["benchmark", "compare"]).command else {
            panic!("compare")
        };
        let rows: Vec<_> = args.rows.iter().map(Row::to_string).collect();
        assert_eq!(
            rows,
            [
                "rpc:1x1",
                "rpc+protobuf:1x1",
                "rpc:1x200",
                "rpc+protobuf:1x200",
                "rpc+protobuf+registry:1x200",
                "rpc:10x1000",
                "rpc+protobuf:10x1000",
                "rpc+protobuf+registry:10x1000",
                "echo:64x1",
                "echo:8x64"
            ]
        );
    }
}
