//! TLS servers and clients of tests.

use std::{io, net::SocketAddr, time::Duration};

use getty::{
    Client, ClientBuilder, EventListener, Limits, Server, SessionError,
    transport::{TlsClient, TlsListen, TlsServer},
};
use tokio::sync::mpsc;

use super::{Events, Frames, Recorder, echo, within};

const ANY: &str = "127.0.0.1:0";

pub(crate) async fn serve(tls: TlsServer) -> SocketAddr {
    serve_with(tls, |listen| listen, echo()).await
}

pub(crate) async fn serve_with(
    tls: TlsServer,
    settings: impl FnOnce(TlsListen) -> TlsListen,
    listener: impl EventListener<Frames>,
) -> SocketAddr {
    let server = Server::over(settings(TlsListen::bind(ANY, tls).await.unwrap()));
    let addr = server.local_addr().unwrap();
    tokio::spawn(server.serve(Frames, listener));
    addr
}

pub(crate) fn client(addr: &str, tls: TlsClient) -> (Client<Frames>, Events<Frames>) {
    let (recorder, events) = Recorder::new();
    // Longer than by default: the machine may be busy with the other tests.
    let limits = Limits::default().dial(Duration::from_secs(20));
    (ClientBuilder::new(Frames, recorder).limits(limits).tls(addr, tls), events)
}

/// Why the first dial fails.
pub(crate) async fn cause(addr: SocketAddr, tls: TlsClient) -> String {
    cause_within(addr, tls, Duration::from_secs(20)).await
}

pub(crate) async fn cause_within(addr: SocketAddr, tls: TlsClient, dial: Duration) -> String {
    let client =
        ClientBuilder::new(Frames, echo()).limits(Limits::default().dial(dial)).tls(addr.to_string(), tls);
    match within(client.session()).await {
        Err(SessionError::Unreachable { cause, .. }) => cause,
        other => panic!("the dial should have failed, it came to {other:?}"),
    }
}

pub(crate) type Refused = mpsc::UnboundedReceiver<(SocketAddr, String)>;

/// What a server says of the handshakes that fail.
pub(crate) fn refusals() -> (impl FnOnce(TlsListen) -> TlsListen, Refused) {
    let (told, refused) = mpsc::unbounded_channel();
    let setting = |listen: TlsListen| {
        listen.on_refused(move |peer, error: &io::Error| drop(told.send((peer, error.to_string()))))
    };
    (setting, refused)
}
