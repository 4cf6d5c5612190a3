//! The server's side of WebSocket: its settings, whom it upgrades, and accepting.

use std::{
    io::{self, Error, ErrorKind, Result},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    net::{TcpStream, ToSocketAddrs},
};
use tungstenite::{
    error::{Error as WsProtocol, ProtocolError},
    handshake::{
        machine::TryParse,
        server::{Request, create_response},
    },
};

use super::{
    Ws, WsInfo,
    frames::Role,
    head::{self, HEAD, NoHead, only},
};
#[cfg(feature = "tls")]
use crate::transport::{TlsServer, tls};
use crate::{
    ConnInfo,
    transport::{
        Gate, HandshakeFailed, Listen, TcpListen,
        handshakes::{Handshakes, handshake_settings},
        stream::Stream,
    },
};

/// Whom a server upgrades to WebSocket.
///
/// ```no_run
/// use getty::{Lines, Server, on_message, transport::{WsListen, WsServer}};
///
/// # async fn run() -> std::io::Result<()> {
/// let ws = WsServer::new("/lines").origins(["https://lines.example.com"]);
/// let listen = WsListen::bind("127.0.0.1:7001", ws).await?;
/// Server::over(listen).serve(Lines::default(), on_message(|_, line: String| println!("{line}"))).await
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct WsServer {
    path: String,
    origins: Origins,
    subprotocols: Vec<String>,
    #[cfg(feature = "tls")]
    tls: Option<TlsServer>,
}

#[derive(Debug, Clone)]
enum Origins {
    Any,
    These(Vec<String>),
}

impl WsServer {
    /// Upgrades requests for exactly this path, such as `/echo`, whatever their query. Others get the status 404.
    ///
    /// Browsers say from which web site a connection comes, and any site may try. So by default a request with an origin gets the
    /// status 403; peers that are no browsers send none and are let in. See [`origins`](Self::origins).
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            origins: Origins::These(Vec::new()),
            subprotocols: Vec::new(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Web sites whose scripts may connect, written as browsers do: `https://example.com`, with the port where it is not the usual one.
    #[must_use]
    pub fn origins<O: Into<String>>(mut self, origins: impl IntoIterator<Item = O>) -> Self {
        self.origins = Origins::These(origins.into_iter().map(Into::into).collect());
        self
    }

    /// Scripts of any web site may connect, with whatever rights the network gives to the browser that runs them.
    #[must_use]
    pub fn any_origin(mut self) -> Self {
        self.origins = Origins::Any;
        self
    }

    /// Subprotocols, the best first. The first one that a client offers too is agreed on; with a client that offers none of them,
    /// none is. Default: none.
    #[must_use]
    pub fn subprotocols<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.subprotocols = names.into_iter().map(Into::into).collect();
        self
    }

    /// Over TLS: the server is one of `wss://`, and of no `ws://`.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: TlsServer) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Decides on a request.
    fn decide(&self, head: &[u8]) -> std::result::Result<(Vec<u8>, WsInfo), Refusal> {
        let request = match Request::try_parse(head) {
            Ok(Some((_, request))) => request,
            Ok(None) => return Err(Refusal::new(400, "Bad Request", "the request has no end")),
            Err(error) => return Err(Refusal::of(error)),
        };
        if request.uri().path() != self.path {
            return Err(Refusal::new(404, "Not Found", "there is no WebSocket at this path"));
        }
        let response = create_response(&request).map_err(Refusal::of)?;
        let bad = |error: Error| Refusal::new(400, "Bad Request", error.to_string());
        let headers = request.headers();
        let origin = only(headers, "origin").map_err(bad)?;
        if let (Some(origin), Origins::These(allowed)) = (origin, &self.origins)
            && !allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
        {
            return Err(Refusal::new(
                403,
                "Forbidden",
                "scripts of this web site may not connect (WsServer::origins)",
            ));
        }
        let accept = only(response.headers(), "sec-websocket-accept").map_err(bad)?.unwrap_or_default();
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n"
        );
        let offered = headers.get_all("sec-websocket-protocol");
        let offered: Vec<&str> = offered
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(',').map(str::trim))
            .collect();
        let subprotocol = self.subprotocols.iter().find(|name| offered.contains(&name.as_str())).cloned();
        if let Some(name) = &subprotocol {
            answer.push_str("Sec-WebSocket-Protocol: ");
            answer.push_str(name);
            answer.push_str("\r\n");
        }
        answer.push_str("\r\n");
        let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
        Ok((answer.into_bytes(), WsInfo { path, origin: origin.map(str::to_owned), subprotocol }))
    }
}

/// A status that a request gets instead of an upgrade.
struct Refusal {
    status: u16,
    name: &'static str,
    why: String,
}

impl Refusal {
    fn new(status: u16, name: &'static str, why: impl Into<String>) -> Self {
        Self { status, name, why: why.into() }
    }

    fn of(error: WsProtocol) -> Self {
        match error {
            WsProtocol::Protocol(ProtocolError::WrongHttpMethod) => {
                Self::new(405, "Method Not Allowed", "expected the method GET")
            }
            WsProtocol::Protocol(ProtocolError::MissingSecWebSocketVersionHeader) => {
                Self::new(426, "Upgrade Required", "expected Sec-WebSocket-Version: 13")
            }
            WsProtocol::Protocol(
                ProtocolError::MissingConnectionUpgradeHeader | ProtocolError::MissingUpgradeWebSocketHeader,
            ) => Self::new(426, "Upgrade Required", "expected Connection: Upgrade and Upgrade: websocket"),
            WsProtocol::Protocol(
                ProtocolError::MissingSecWebSocketKey | ProtocolError::InvalidSecWebSocketKey,
            ) => Self::new(400, "Bad Request", "expected a Sec-WebSocket-Key of 16 bytes in base64"),
            error => Self::new(400, "Bad Request", format!("bad request: {error}")),
        }
    }

    /// Sends it, and makes an error of it.
    async fn send(self, stream: &mut (impl AsyncWrite + Unpin)) -> Error {
        let Self { status, name, why } = self;
        // The text may hold what the peer sent, so it is not given back.
        let mut answer = format!("HTTP/1.1 {status} {name}\r\nConnection: close\r\nContent-Length: 0\r\n");
        match status {
            405 => answer.push_str("Allow: GET\r\n"),
            426 => answer.push_str("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
            _ => {}
        }
        answer.push_str("\r\n");
        // The peer may have gone; the reason is what it asked for.
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
        Error::new(
            ErrorKind::InvalidData,
            format!("no WebSocket for this request: {why}; answered with {status}"),
        )
    }
}

/// Accepts WebSocket connections. Handshakes, that of TLS too, are done beside the accepting, so none holds up another; each has a
/// time limit, their number is bounded, and a request may have at most 16 KiB.
#[derive(Debug)]
pub struct WsListen {
    handshakes: Handshakes<Ws>,
    shaker: Arc<Shaker>,
}

struct Shaker {
    ws: WsServer,
    #[cfg(feature = "tls")]
    tls: Option<tokio_rustls::TlsAcceptor>,
}

impl WsListen {
    /// Binds to an address; port 0 takes a free one.
    ///
    /// # Errors
    /// Those of the system, such as an address in use.
    pub async fn bind(addr: impl ToSocketAddrs, ws: WsServer) -> Result<Self> {
        Self::over(TcpListen::bind(addr).await?, ws)
    }

    /// Over a socket that listens already.
    ///
    /// # Errors
    /// When the settings of TLS contradict each other.
    pub fn over(listen: TcpListen, ws: WsServer) -> Result<Self> {
        let shaker = Shaker {
            #[cfg(feature = "tls")]
            tls: ws.tls.as_ref().map(TlsServer::acceptor).transpose()?,
            ws,
        };
        Ok(Self { handshakes: Handshakes::new(listen.into_inner()), shaker: Arc::new(shaker) })
    }

    handshake_settings!();
}

impl Listen for WsListen {
    type Conn = Ws;

    async fn accept(&mut self) -> Result<Ws> {
        let shaker = &self.shaker;
        self.handshakes
            .accept(|stream| {
                let shaker = Arc::clone(shaker);
                async move { shaker.shake(stream).await }
            })
            .await
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

impl Shaker {
    async fn shake(&self, stream: TcpStream) -> Result<Ws> {
        #[cfg(feature = "tls")]
        if let Some(acceptor) = &self.tls {
            let (stream, mut info) = tls::shake(acceptor.clone(), stream).await?.into_parts();
            info.transport = "wss";
            return self.upgrade(Stream::Tls(Box::new(stream)), info).await;
        }
        stream.set_nodelay(true)?;
        let info = ConnInfo::accepted("ws", stream.peer_addr().ok(), stream.local_addr().ok());
        self.upgrade(Stream::Plain(stream), info).await
    }

    async fn upgrade(&self, mut stream: Stream, mut info: ConnInfo) -> Result<Ws> {
        let decided = match head::read(&mut stream, b"GET ").await {
            Err(NoHead::Io(error)) => return Err(error),
            Err(NoHead::Foreign) => Err(Refusal::new(
                405,
                "Method Not Allowed",
                "expected a request that begins with GET; does the peer speak HTTP, and without TLS?",
            )),
            Err(NoHead::TooLong) => Err(Refusal::new(
                431,
                "Request Header Fields Too Large",
                format!("expected at most {HEAD} bytes of it"),
            )),
            Ok((_, more)) if !more.is_empty() => {
                Err(Refusal::new(400, "Bad Request", "bytes came before the upgrade was answered"))
            }
            Ok((head, _)) => self.ws.decide(&head),
        };
        match decided {
            Ok((answer, ws)) => {
                stream.write_all(&answer).await?;
                stream.flush().await?;
                info.ws = Some(Arc::new(ws));
                Ok(Ws::new(stream, Role::Server, info))
            }
            Err(refusal) => Err(refusal.send(&mut stream).await),
        }
    }
}

impl std::fmt::Debug for Shaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Shaker").field(&self.ws).finish()
    }
}
