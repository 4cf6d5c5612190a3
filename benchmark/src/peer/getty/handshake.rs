//! Owns mode `handshake` of peer getty: a connection, TLS on it, a frame there and back, and the end of it, again and again.
//!
//! The certificate is made when the server starts, so the client, another process, cannot know its authority, and trusts anyone. All
//! else of the handshake it does, and each is a whole one: no session is resumed.

use super::super::Serving;
use super::echo::{self, Frames};
use crate::frame::Size;
use crate::latency::Measurement;
use crate::load::turns::{self, Turn};
use crate::load::{BoxError, LoadError, Shape};
use crate::window::Budget;
use bytes::Bytes;
use getty::transport::{Identity, TlsClient, TlsListen, TlsServer};
use getty::{Client, ClientBuilder, Server, on_message};
use std::net::SocketAddr;
use tokio::sync::mpsc;

pub(in crate::peer) async fn serve(addr: SocketAddr) -> Result<Serving, BoxError> {
    let own = rcgen::generate_simple_self_signed([addr.ip().to_string()])?;
    let identity = Identity::from_pem(own.cert.pem(), own.signing_key.serialize_pem())?;
    echo::answer(Server::over(TlsListen::bind(addr, TlsServer::new(identity)).await?))
}

/// As many at a time as there are to be connections.
pub(in crate::peer) async fn load(
    addr: SocketAddr,
    shape: Shape,
    budget: Budget,
) -> Result<Measurement, LoadError> {
    let one = |id| Newcomer { addr, size: shape.size, id: id as u64 };
    turns::drive((0..shape.connections).map(one), budget).await
}

/// A client that nobody knows yet.
struct Newcomer {
    addr: SocketAddr,
    size: Size,
    id: u64,
}

impl Turn for Newcomer {
    /// The client, which ends when it is dropped, and whether the frame came back unchanged.
    type Outcome = (Client<Frames>, bool);

    async fn take(&mut self) -> Result<Self::Outcome, BoxError> {
        let (echoes, mut echo) = mpsc::unbounded_channel();
        let listener = on_message(move |_, frame: Bytes| {
            // Fails only when nobody waits any more.
            let _ = echoes.send(frame);
        });
        // Clones would resume each other's sessions.
        let tls = TlsClient::dangerous_trust_anyone();
        let client = ClientBuilder::new(Frames, listener).tls(self.addr.to_string(), tls);
        let mut frame = Vec::with_capacity(self.size.bytes());
        self.size.put(&mut frame, self.id);
        client.session().await?.send(frame.into()).await?;
        let echo = echo.recv().await.ok_or("the connection ended")?;
        let is_echo = self.size.is_echo(&echo, self.id);
        Ok((client, is_echo))
    }

    fn check((_, is_echo): Self::Outcome) -> Result<(), BoxError> {
        if is_echo { Ok(()) } else { Err("a frame returned changed".into()) }
    }
}
