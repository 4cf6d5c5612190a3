//! Sends packets there and back, over any transport that getty has:
//!
//! ```sh
//! echo server --transport tcp --addr 127.0.0.1:7001
//! echo client --transport tcp --addr 127.0.0.1:7001 --sizes 1,4000,70000 --count 10
//! ```
//!
//! A packet is a length of four bytes, big endian, and the payload, so that any peer can join; over WebSocket and UDP there is one
//! in each message. With tls and wss, and certificates for both sides:
//!
//! ```sh
//! echo server --transport wss --addr 127.0.0.1:7001 --cert server.pem --key server.key --ca ca.pem
//! echo client --transport wss --addr 127.0.0.1:7001 --cert client.pem --key client.key --ca ca.pem
//! ```

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};
use getty::BoxError;
use getty_examples::{
    echo::{Load, Settings, call, serve},
    log_to_stderr, stop_signal,
};

/// Echoes packets over any transport of getty.
#[derive(Parser)]
#[command(name = "echo")]
struct Arguments {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Sends every packet back as it came, until SIGTERM. Prints READY when it listens.
    Server {
        #[command(flatten)]
        settings: Settings,
    },
    /// Sends packets and compares every byte of what comes back. Prints `N passed, N failed`; exits with 1 when one failed.
    Client {
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        load: Load,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    log_to_stderr();
    let role = Arguments::parse().role;
    let checked = match &role {
        Role::Server { settings } => settings.check_server(),
        Role::Client { settings, load } => settings.check_client(load),
    };
    if let Err(what) = checked {
        Arguments::command().error(ErrorKind::ArgumentConflict, what).exit();
    }
    match run(role).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(role: Role) -> Result<ExitCode, BoxError> {
    match role {
        Role::Server { settings } => {
            serve(&settings, stop_signal()?).await?;
            println!("STOPPED");
            Ok(ExitCode::SUCCESS)
        }
        Role::Client { settings, load } => {
            let report = call(&settings, &load).await?;
            println!("{report}");
            Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}
