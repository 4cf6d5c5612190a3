//! Calls every method of the user service and checks each answer: `user-client --url dubbo://127.0.0.1:20000`.
//! Exits with 1 when an answer is wrong.

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use getty_examples::user::{UserServiceClient, checks};
use getty_rpc::Client;

/// Calls `com.example.user.UserService` over the dubbo protocol.
#[derive(Parser)]
struct Arguments {
    /// The provider.
    #[arg(long, default_value = "dubbo://127.0.0.1:20000")]
    url: String,
    /// The registry that knows the providers: zookeeper://host:port, etcd://host:port (cargo features).
    #[arg(long, conflicts_with = "url")]
    registry: Option<String>,
    /// The provider is a dubbo-go, which cannot take a null String, Date or User: leave those calls out.
    #[arg(long)]
    go_provider: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    getty_examples::log_to_stderr();
    let arguments = Arguments::parse();
    let builder = Client::builder().timeout(Duration::from_secs(3));
    let (place, client) = match &arguments.registry {
        Some(registry) => (format!("--registry {registry}"), builder.registry(registry).await),
        None => (format!("--url {}", arguments.url), builder.direct(&arguments.url)),
    };
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            eprintln!("{place}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let users: UserServiceClient = client.refer();
    let report = checks::run(&users, arguments.go_provider).await;
    client.close().await;
    println!("{report}");
    if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
