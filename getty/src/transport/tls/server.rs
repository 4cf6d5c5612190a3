//! The server's side of TLS: its settings, and accepting.

use std::{
    fmt,
    io::{self, Result},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier},
        sign::CertifiedKey,
    },
};

use super::{
    Identity, Roots, Tls, alpn,
    explain::{Peer, handshake},
    provider,
};
use crate::transport::{
    Gate, HandshakeFailed, Listen, TcpListen,
    handshakes::{Handshakes, handshake_settings},
};

/// How a server does TLS. Clones share the certificate, so [`reload`](Self::reload) on one changes it for all.
///
/// ```no_run
/// use getty::{Lines, Server, on_message, transport::{Identity, Roots, TlsListen, TlsServer}};
///
/// # async fn run() -> Result<(), getty::BoxError> {
/// let tls = TlsServer::new(Identity::from_pem_files("server.pem", "server.key")?)
///     .demand_clients_of(Roots::from_pem_file("ca.pem")?);
/// let listen = TlsListen::bind("0.0.0.0:7001", tls.clone()).await?;
/// tokio::spawn(Server::over(listen).serve(Lines::default(), on_message(|_, line: String| println!("{line}"))));
/// // Some months later, without dropping a session:
/// tls.reload(Identity::from_pem_files("server.pem", "server.key")?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TlsServer {
    current: Arc<Current>,
    clients: Option<Roots>,
    alpn: Vec<Vec<u8>>,
}

/// The certificate that is shown from now on.
struct Current(ArcSwap<CertifiedKey>);

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key stays out of logs.
        f.write_str("Current")
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl TlsServer {
    /// A server that shows this certificate, and asks its clients for none.
    pub fn new(identity: Identity) -> Self {
        Self { current: Arc::new(Current(ArcSwap::new(identity.0))), clients: None, alpn: Vec::new() }
    }

    /// Every client must show a certificate of one of these authorities (mutual TLS). Any other is refused during the handshake.
    #[must_use]
    pub fn demand_clients_of(mut self, authorities: Roots) -> Self {
        self.clients = Some(authorities);
        self
    }

    /// Protocols by ALPN, the best first. A client that offers some and none of these is refused; one that offers none is not.
    /// Default: no ALPN.
    #[must_use]
    pub fn alpn<N: Into<Vec<u8>>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.alpn = alpn(names);
        self
    }

    /// Shows another certificate from the next handshake on. Sessions that are open stay open; the authorities of clients stay the
    /// same.
    pub fn reload(&self, identity: Identity) {
        self.current.0.store(identity.0);
    }

    pub(in crate::transport) fn acceptor(&self) -> Result<TlsAcceptor> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let builder = match &self.clients {
            None => builder.with_no_client_auth(),
            Some(Roots(roots)) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider())
                    .build()
                    .map_err(io::Error::other)?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_cert_resolver(Arc::clone(&self.current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols.clone_from(&self.alpn);
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Accepts TLS connections. Handshakes are done beside the accepting, so none holds up another; each has a time limit, and
/// their number is bounded.
#[derive(Debug)]
pub struct TlsListen {
    handshakes: Handshakes<Tls>,
    acceptor: Acceptor,
}

struct Acceptor(TlsAcceptor);

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acceptor")
    }
}

impl TlsListen {
    /// Binds to an address; port 0 takes a free one.
    ///
    /// # Errors
    /// Those of the system, such as an address in use.
    pub async fn bind(addr: impl ToSocketAddrs, tls: TlsServer) -> Result<Self> {
        Self::over(TcpListen::bind(addr).await?, tls)
    }

    /// Over a socket that listens already.
    ///
    /// # Errors
    /// When the settings contradict each other.
    pub fn over(listen: TcpListen, tls: TlsServer) -> Result<Self> {
        Ok(Self { handshakes: Handshakes::new(listen.into_inner()), acceptor: Acceptor(tls.acceptor()?) })
    }

    handshake_settings!();
}

impl Listen for TlsListen {
    type Conn = Tls;

    async fn accept(&mut self) -> Result<Tls> {
        let acceptor = &self.acceptor.0;
        self.handshakes.accept(|stream| shake(acceptor.clone(), stream)).await
    }

    fn gate(&mut self, gate: Gate) {
        self.handshakes.gate = Some(gate);
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.handshakes.local_addr()
    }

    fn on_handshake_failed(&mut self, failed: HandshakeFailed) {
        self.handshakes.observer = Some(failed);
    }
}

pub(in crate::transport) async fn shake(acceptor: TlsAcceptor, stream: TcpStream) -> Result<Tls> {
    stream.set_nodelay(true)?;
    let stream = acceptor.accept(stream).await.map_err(|error| handshake(error, Peer::Client))?;
    Ok(Tls::new(stream.into()))
}
