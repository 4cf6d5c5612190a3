//! A chat room that people enter over TCP, with a terminal, or over WebSocket, with a browser. It is one room: the same listener
//! has the sessions of both.
//!
//! ```sh
//! cargo run -p getty-examples --features chat --bin chat
//! ```
//!
//! prints where it is, and `READY` when it listens; SIGTERM or Ctrl-C ends it in good order:
//!
//! ```text
//! terminal: nc 127.0.0.1 7001
//! browser:  http://127.0.0.1:7003/
//! READY
//! ```
//!
//! What is said is lines of text, the first one the name. Over WebSocket each line is one message. Browsers say which web site
//! a script comes from, and only this server's own page may connect; behind a proxy, `--origin` names it as browsers see it.
//!
//! | file | what it shows |
//! |---|---|
//! | `main.rs` | two servers of getty with one listener, bounds, an orderly end |
//! | `room.rs` | the listener: names as attributes of sessions, and what becomes of a reader that is too slow |
//! | `page.html` | the client in the browser: one message is one line, and text stays text |

mod room;

use std::{io, process::ExitCode, sync::Arc, time::Duration};

use clap::Parser;
use getty::{
    BoxError, Limits, Lines, Server,
    transport::{WsListen, WsServer},
};
use getty_examples::{page::Page, stop_signal};
use tokio::net::TcpListener;

use room::Room;

/// Where browsers connect.
const PATH: &str = "/chat";

/// A chat room for terminals and browsers.
#[derive(Parser)]
struct Arguments {
    /// Where terminals connect, over TCP. Port 0 takes a free one, here and below.
    #[arg(long, default_value = "127.0.0.1:7001")]
    tcp: String,
    /// Where the page connects, over WebSocket.
    #[arg(long, default_value = "127.0.0.1:7002")]
    ws: String,
    /// Where browsers find the page, over HTTP.
    #[arg(long, default_value = "127.0.0.1:7003")]
    http: String,
    /// The page's scheme, host and port as browsers see them, where they are not those of --http. May be given several times.
    #[arg(long, value_name = "URL")]
    origin: Vec<String>,
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

async fn run(arguments: Arguments) -> Result<(), BoxError> {
    let Arguments { tcp, ws, http, origin } = arguments;
    let (stop, stop_too) = (stop_signal()?, stop_signal()?);
    let at = |place: &str, error: io::Error| format!("cannot listen on {place}: {error}");

    // What one person can make the server keep: a line that has no end, and what they do not read. The ping that WebSocket sends
    // each period keeps proxies from ending a quiet conversation.
    let limits = Limits::default()
        .max_packet(1024)
        .out_high(16 * 1024)
        .out_hard(64 * 1024)
        .sessions(1_000)
        .cron(Some(Duration::from_secs(30)));

    let terminals = Server::bind(&tcp).await.map_err(|error| at(&tcp, error))?.limits(limits);
    let listener = TcpListener::bind(&http).await.map_err(|error| at(&http, error))?;
    let page_address = listener.local_addr()?;
    let own = [format!("http://{page_address}"), format!("http://localhost:{}", page_address.port())];
    let upgrade = WsServer::new(PATH).origins(own.into_iter().chain(origin));
    let listen = WsListen::bind(&ws, upgrade).await.map_err(|error| at(&ws, error))?;
    let browsers = Server::over(listen).limits(limits);

    let terminal_address = terminals.local_addr().ok_or("no address")?;
    let socket_port = browsers.local_addr().ok_or("no address")?.port();
    println!("terminal: nc {} {}", terminal_address.ip(), terminal_address.port());
    println!("browser:  http://{page_address}/");
    println!("READY");

    let html = include_str!("page.html").replace("{socket}", &format!("{socket_port}{PATH}"));
    let page = Page { path: "/", content_type: "text/html; charset=utf-8", text: move || html.clone() };
    let room = Arc::new(Room::default());
    let serving = async {
        tokio::try_join!(
            terminals.serve_until(Lines::default(), Arc::clone(&room), stop),
            browsers.serve_until(Lines::default(), Arc::clone(&room), stop_too),
        )
    };
    tokio::select! {
        served = serving => drop(served?),
        () = page.serve(listener) => {}
    }
    Ok(())
}
