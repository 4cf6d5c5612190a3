//! An echo server whose counters Prometheus can read, and a client that gives it something to count. It needs the cargo feature
//! `metrics`:
//!
//! ```sh
//! cargo run -p getty-examples --features metrics --bin listener-metrics &
//! curl http://127.0.0.1:9700/metrics
//! printf 'hello\n' | nc -N 127.0.0.1 7001
//! ```

use std::{convert::Infallible, future::ready, io, process::ExitCode, time::Duration};

use clap::Parser;
use getty::{ClientBuilder, Lines, Server, Session, metrics::Metrics, on_message};
use getty_examples::stop_signal;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ALLOW, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{interval, sleep},
};

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
    tokio::select! {
        served = server.serve_until(Lines::default(), listener, stop) => served?,
        () = send_lines(address.to_string(), metrics.clone(), Duration::from_millis(arguments.every)) => {}
        () = serve_metrics(http, metrics) => {}
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

async fn serve_metrics(http: TcpListener, metrics: Metrics) {
    loop {
        match http.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(answer(stream, metrics.clone()))),
            Err(error) => {
                eprintln!("cannot accept: {error}");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn answer(stream: TcpStream, metrics: Metrics) {
    let service = service_fn(|request| ready(respond(&request, &metrics)));
    let served = http1::Builder::new()
        // A peer that does not finish its request is not waited for.
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(5))
        .serve_connection(TokioIo::new(stream), service);
    // What goes wrong concerns that peer alone.
    let _ = served.await;
}

fn respond(request: &Request<Incoming>, metrics: &Metrics) -> Result<Response<String>, Infallible> {
    let mut response = Response::new(String::new());
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(Metrics::CONTENT_TYPE));
            *response.body_mut() = metrics.text();
        }
        (_, "/metrics") => {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        }
        _ => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    Ok(response)
}
