//! Providers come and go, and a consumer follows. In one process:
//!
//! ```sh
//! registry demo
//! ```
//!
//! In several, with a registry (cargo feature `zookeeper` or `etcd`), or with a fixed list for the consumer:
//!
//! ```sh
//! registry provider --registry zookeeper://127.0.0.1:2181 --port 20001
//! registry provider --registry zookeeper://127.0.0.1:2181 --port 20002
//! registry consumer --registry zookeeper://127.0.0.1:2181
//! registry consumer --registry dubbo://127.0.0.1:20001,127.0.0.1:20002
//! ```

use std::{future::pending, net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use clap::{Parser, Subcommand};
use getty_examples::{
    listed::{Failure, listed, open, providers},
    stop_signal,
    tickets::{Machine, TicketsClient, TicketsServer},
};
use getty_rpc::{Client, Server, Stub, registry::Registry};
use tokio::{sync::oneshot, task::JoinHandle, time};

/// Finds providers by a registry.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Gives out tickets until SIGTERM. Prints READY once consumers can find it.
    Provider {
        /// zookeeper://host:port, etcd://host:port
        #[arg(long)]
        registry: String,
        /// Where to listen; 0.0.0.0 is registered as the machine's own address.
        #[arg(long, default_value = "127.0.0.1")]
        host: String,
        /// The port; 0 takes a free one.
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// How long each call takes, in milliseconds.
        #[arg(long, default_value_t = 0)]
        work: u64,
    },
    /// Takes two tickets a second until SIGTERM, and prints every change of the list of providers.
    Consumer {
        /// zookeeper://host:port, etcd://host:port, dubbo://provider:port,provider:port
        #[arg(long)]
        registry: String,
    },
    /// Two providers and a consumer in this process. One provider stops and comes back.
    Demo {
        /// The registry between them.
        #[arg(long, default_value = "memory://demo")]
        registry: String,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    getty_examples::log_to_stderr();
    let done = match Arguments::parse().role {
        Role::Provider { registry, host, port, work } => provider(&registry, &host, port, work).await,
        Role::Consumer { registry } => consumer(&registry).await,
        Role::Demo { registry } => demo(&registry).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn provider(registry: &str, host: &str, port: u16, work: u64) -> Result<(), Failure> {
    let stop = stop_signal()?;
    let registry = open(registry).await?;
    let (server, address) = server(&registry, host, port, Duration::from_millis(work)).await?;
    println!("listening on {address}");
    let found = async {
        listed(&registry, TicketsClient::INFO, address).await?;
        println!("READY");
        pending::<Result<(), Failure>>().await
    };
    tokio::select! {
        served = server.serve_until(stop) => served?,
        failed = found => failed?,
    }
    registry.close().await;
    println!("STOPPED");
    Ok(())
}

async fn consumer(registry: &str) -> Result<(), Failure> {
    let stop = stop_signal()?;
    let registry = open(registry).await?;
    let client = Client::builder().registry_with(Arc::clone(&registry));
    tokio::select! {
        () = stop => {}
        () = show_list(&registry) => {}
        () = take_tickets(client.refer()) => {}
    }
    client.close().await;
    registry.close().await;
    Ok(())
}

async fn demo(registry: &str) -> Result<(), Failure> {
    let registry = open(registry).await?;
    let client = Client::builder().registry_with(Arc::clone(&registry));
    let script = async {
        let first = Running::start(&registry, 0).await?;
        let second = Running::start(&registry, 0).await?;
        time::sleep(Duration::from_secs(2)).await;
        println!("-- {} stops", first.address);
        let port = first.address.port();
        first.stop().await?;
        time::sleep(Duration::from_secs(2)).await;
        println!("-- it comes back");
        let first = Running::start(&registry, port).await?;
        time::sleep(Duration::from_secs(2)).await;
        println!("-- both stop");
        first.stop().await?;
        second.stop().await
    };
    tokio::select! {
        done = script => done?,
        () = show_list(&registry) => {}
        () = take_tickets(client.refer()) => {}
    }
    client.close().await;
    registry.close().await;
    Ok(())
}

/// A provider in this process.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Running {
    async fn start(registry: &Arc<dyn Registry>, port: u16) -> Result<Self, Failure> {
        let (server, address) = server(registry, "127.0.0.1", port, Duration::ZERO).await?;
        let (stop, stopped) = oneshot::channel();
        // How long late calls are served: in one process the news is there at once.
        let server = server.notice(Duration::from_millis(500));
        let serving = tokio::spawn(server.serve_until(async { drop(stopped.await) }));
        Ok(Self { address, stop, serving })
    }

    async fn stop(self) -> Result<(), Failure> {
        drop(self.stop);
        Ok(self.serving.await??)
    }
}

async fn server(
    registry: &Arc<dyn Registry>,
    host: &str,
    port: u16,
    work: Duration,
) -> Result<(Server, SocketAddr), Failure> {
    let server =
        Server::bind((host, port)).await.map_err(|e| format!("cannot listen on {host}:{port}: {e}"))?;
    let address = server.local_addr().ok_or("no address")?;
    let service = TicketsServer::new(Machine::new(address.to_string(), work));
    let server = server.service(service).application("tickets").registry_with(Arc::clone(registry));
    Ok((server, address))
}

/// Prints every change of the list. The client follows the list by itself; this is only to see it.
async fn show_list(registry: &Arc<dyn Registry>) {
    let mut providers = providers(registry, TicketsClient::INFO);
    while let Some(update) = providers.next().await {
        let mut line = format!("-- the registry knows {}", update.snapshot.len());
        for gone in &update.removed {
            line += &format!(", gone: {}", gone.address());
        }
        for new in &update.added {
            line += &format!(", new: {}", new.address());
        }
        if update.stale {
            line = "-- the registry knows no provider any more; the last ones are still tried".to_owned();
        }
        println!("{line}");
    }
}

async fn take_tickets(tickets: TicketsClient) {
    let mut clock = time::interval(Duration::from_millis(500));
    loop {
        clock.tick().await;
        match tickets.take().await {
            Ok(ticket) => println!("ticket {ticket}"),
            Err(error) => println!("no ticket: {error}"),
        }
    }
}
