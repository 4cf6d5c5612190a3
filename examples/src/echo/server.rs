//! The server's side: every packet goes back as it came.

use std::{fmt, future::Future};

use bytes::Bytes;
use getty::{
    BoxError, Error, EventListener, Server, Session,
    transport::{Listen, TcpListen, TlsListen, UdpListen, UnixListen, WsListen, WsServer},
};

use super::{Packets, Settings, Transport, limits};

/// Serves until `stop` is ready. Prints where it listens, and then `READY`.
///
/// # Errors
/// When it cannot listen there, or cannot read a certificate.
pub async fn serve(settings: &Settings, stop: impl Future<Output = ()> + Send) -> Result<(), BoxError> {
    let addr = settings.addr.as_str();
    let place = |error| cannot_listen(addr, error);
    match settings.transport {
        Transport::Tcp => serve_stream(settings, TcpListen::bind(addr).await.map_err(place)?, stop).await,
        Transport::Tls => {
            let tls = settings.tls_server()?;
            serve_stream(settings, TlsListen::bind(addr, tls).await.map_err(place)?, stop).await
        }
        Transport::Unix => serve_stream(settings, UnixListen::bind(addr).map_err(place)?, stop).await,
        Transport::Ws | Transport::Wss => {
            let mut ws = WsServer::new(&settings.path);
            if settings.transport == Transport::Wss {
                ws = ws.tls(settings.tls_server()?);
            }
            run(settings, Server::over(WsListen::bind(addr, ws).await.map_err(place)?), stop).await
        }
        Transport::Udp => {
            run(settings, Server::over(UdpListen::bind(addr).await.map_err(place)?), stop).await
        }
    }
}

fn cannot_listen(addr: &str, error: impl fmt::Display) -> BoxError {
    format!("cannot listen on {addr}: {error}").into()
}

/// Over what can be compressed.
async fn serve_stream(
    settings: &Settings,
    listen: impl Listen,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), BoxError> {
    let server = Server::over(listen);
    match settings.compression() {
        None => run(settings, server, stop).await,
        Some(by) => run(settings, server.compressed(by), stop).await,
    }
}

async fn run(
    settings: &Settings,
    server: Server<impl Listen>,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), BoxError> {
    // The path of a Unix socket is no address.
    let place = server.local_addr().map_or_else(|| settings.addr.clone(), |addr| addr.to_string());
    println!("listening on {place}");
    println!("READY");
    Ok(server.limits(limits()).serve_until(Packets, Echo, stop).await?)
}

struct Echo;

impl EventListener<Packets> for Echo {
    fn on_message(&self, session: &Session<Packets>, payload: Bytes) {
        if let Err(error) = session.write(payload) {
            eprintln!("session {}, {}: cannot answer: {error}", session.id(), session.info());
            session.close();
        }
    }

    fn on_error(&self, session: &Session<Packets>, error: &Error) {
        eprintln!("session {}, {}: {error}", session.id(), session.info());
    }
}
