//! Serves the user service: `user-server --listen 127.0.0.1:20000`. Prints READY when it serves, ends in good order on SIGTERM.

use std::io;

use clap::Parser;
use getty_examples::user::{UserServiceServer, Users};
use getty_rpc::Server;
use tokio::signal::unix::{SignalKind, signal};

/// Serves `com.example.user.UserService` over the dubbo protocol.
#[derive(Parser)]
struct Arguments {
    /// Where to listen; port 0 takes a free one, which the first line then names.
    #[arg(long, default_value = "127.0.0.1:20000")]
    listen: String,
    /// Seconds of silence after which a peer is asked whether it lives.
    #[arg(long, default_value_t = 60.0)]
    heartbeat: f64,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    getty_examples::log_to_stderr();
    let arguments = Arguments::parse();
    let server = Server::bind(&arguments.listen)
        .await
        .map_err(|e| io::Error::new(e.kind(), format!("cannot listen on {}: {e}", arguments.listen)))?
        .heartbeat(std::time::Duration::from_secs_f64(arguments.heartbeat))
        .service(UserServiceServer::new(Users::default()));
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    if let Some(address) = server.local_addr() {
        println!("listening on {address}");
    }
    println!("READY");
    server.serve_until(stop).await?;
    println!("STOPPED");
    Ok(())
}
