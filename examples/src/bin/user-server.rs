//! Serves the user service: `user-server --listen 127.0.0.1:20000`. Prints READY when it serves, ends in good order on SIGTERM.

use std::{future::pending, process::ExitCode, time::Duration};

use clap::Parser;
use getty_examples::{
    listed::{Failure, listed, open},
    stop_signal,
    user::{UserServiceClient, UserServiceServer, Users},
};
use getty_rpc::{Server, Stub};

/// Serves `com.example.user.UserService` over the dubbo protocol.
#[derive(Parser)]
struct Arguments {
    /// Where to listen; port 0 takes a free one, which the first line then names.
    #[arg(long, default_value = "127.0.0.1:20000")]
    listen: String,
    /// The registry to be found in: zookeeper://host:port, etcd://host:port (cargo features).
    #[arg(long)]
    registry: Option<String>,
    /// Seconds of silence after which a peer is asked whether it lives.
    #[arg(long, default_value_t = 60.0)]
    heartbeat: f64,
}

#[tokio::main]
async fn main() -> ExitCode {
    getty_examples::log_to_stderr();
    match serve(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), Failure> {
    let stop = stop_signal()?;
    let listen = &arguments.listen;
    let server = Server::bind(listen).await.map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    let address = server.local_addr().ok_or("no address")?;
    let mut server = server
        .heartbeat(Duration::from_secs_f64(arguments.heartbeat))
        .service(UserServiceServer::new(Users::default()))
        .application("user-provider");
    println!("listening on {address}");

    let registry = match &arguments.registry {
        Some(url) => Some(open(url).await?),
        None => None,
    };
    if let Some(registry) = registry.clone() {
        server = server.registry_with(registry);
    }
    let found = async {
        if let Some(registry) = &registry {
            listed(registry, UserServiceClient::INFO, address).await?;
        }
        println!("READY");
        pending::<Result<(), Failure>>().await
    };
    tokio::select! {
        served = server.serve_until(stop) => served?,
        failed = found => failed?,
    }
    if let Some(registry) = registry {
        registry.close().await;
    }
    println!("STOPPED");
    Ok(())
}
