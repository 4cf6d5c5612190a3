//! An echo server whose counters Prometheus can read, and a client that gives it something to count. It needs the cargo feature
//! `metrics`:
//!
//! ```sh
//! cargo run -p getty-examples --features metrics --bin listener-metrics &
//! curl http://127.0.0.1:9700/metrics
//! printf 'hello\n' | nc -N 127.0.0.1 7001
//! ```

use std::{io, process::ExitCode, time::Duration};

use clap::Parser;
use getty::{ClientBuilder, Lines, Server, Session, metrics::Metrics, on_message};
use getty_examples::{page::Page, stop_signal};
use tokio::{net::TcpListener, time::interval};

/// Echoes lines, and shows its metrics under /metrics until SIGTERM. Prints READY when it does both.
#[derive(Parser)]
struct Arguments {
    /// Where lines are echoed.
    #[arg(long, default_value = "127.0.0.1:7001")]
    listen: String,
    /// Where the metrics are, over HTTP.
    #[arg(long, default_value = "127.0.0.1:9700")]
    metrics: String,
    /// How often the client sends a line, in milliseconds.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    getty_examples::log_to_stderr();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> io::Result<()> {
    let stop = stop_signal()?;
    let metrics = Metrics::default();
    let named = |what: &str, error: io::Error| {
        io::Error::new(error.kind(), format!("cannot listen at {what}: {error}"))
    };
    let http = TcpListener::bind(&arguments.metrics).await.map_err(|e| named(&arguments.metrics, e))?;
    let server = Server::bind(&arguments.listen).await.map_err(|e| named(&arguments.listen, e))?;
    let server = server.name("echo").observer(metrics.clone());
    let address = server.local_addr().ok_or(io::ErrorKind::AddrNotAvailable)?;
    let listener = on_message(|session: &Session<Lines>, line: String| {
        // A peer that takes no answers gets none.
        let _ = session.write(line);
    });
    println!("lines at {address}, metrics at http://{}/metrics", http.local_addr()?);
    println!("READY");
    let text = {
        let metrics = metrics.clone();
        move || metrics.text()
    };
    let page = Page { path: "/metrics", content_type: Metrics::CONTENT_TYPE, text };
    tokio::select! {
        served = server.serve_until(Lines::default(), listener, stop) => served?,
        () = send_lines(address.to_string(), metrics, Duration::from_millis(arguments.every)) => {}
        () = page.serve(http) => {}
    }
    println!("STOPPED");
    Ok(())
}

async fn send_lines(address: String, metrics: Metrics, every: Duration) {
    let client = ClientBuilder::new(Lines::default(), on_message(|_, _| {}))
        .name("visitor")
        .observer(metrics)
        .tcp(address);
    let mut clock = interval(every);
    loop {
        clock.tick().await;
        match client.session().await {
            Ok(session) => drop(session.send("hello".to_owned()).await),
            Err(error) => println!("no line was sent: {error}"),
        }
    }
}
