//! The client's side of WebSocket: its settings, and dialling.

use std::{
    fmt,
    io::{Error, ErrorKind, Result},
    sync::Arc,
};

use tokio::io::AsyncWriteExt;
use tungstenite::{
    handshake::{
        client::{Response, generate_key},
        derive_accept_key,
        machine::TryParse,
    },
    http::{HeaderName, HeaderValue, StatusCode, Uri},
};

use super::{
    Ws, WsInfo,
    frames::Role,
    head::{self, HEAD, NoHead, only},
};
#[cfg(feature = "tls")]
use crate::transport::TlsClient;
use crate::transport::{Host, Transport, stream::Stream};

/// What is wrong with the settings of a WebSocket client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WsError {
    /// The URL cannot be dialled.
    #[error("cannot use the URL {url:?}: {reason}; expected ws://host[:port]/path")]
    Url {
        /// The URL, without what stands before an `@`.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A header cannot be sent.
    #[error("cannot send the header {name:?}: {reason}")]
    Header {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Where a WebSocket client connects, and what it says there.
///
/// ```no_run
/// use getty::{ClientBuilder, Lines, on_message, transport::WsClient};
///
/// # fn run() -> Result<(), getty::BoxError> {
/// let client = ClientBuilder::new(Lines::default(), on_message(|_, line: String| println!("{line}")))
///     .ws(WsClient::new("ws://127.0.0.1:7001/lines")?);
/// # drop(client);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct WsClient {
    url: String,
    /// Host and port to dial.
    addr: Host,
    /// As the header says it.
    host: String,
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    subprotocols: Vec<String>,
    #[cfg(feature = "tls")]
    tls: Option<TlsClient>,
}

impl WsClient {
    /// To a URL of the form `ws://host[:port]/path?query`; the port is 80 where there is none. For `wss://` see `WsClient::over_tls`, with the feature `tls`.
    ///
    /// # Errors
    /// When the URL has another form.
    pub fn new(url: &str) -> std::result::Result<Self, WsError> {
        Self::parse(url, "ws", 80)
    }

    /// To a URL of the form `wss://host[:port]/path?query`; the port is 443 where there is none.
    ///
    /// # Errors
    /// When the URL has another form.
    #[cfg(feature = "tls")]
    pub fn over_tls(url: &str, tls: TlsClient) -> std::result::Result<Self, WsError> {
        Ok(Self { tls: Some(tls), ..Self::parse(url, "wss", 443)? })
    }

    fn parse(url: &str, scheme: &str, port: u16) -> std::result::Result<Self, WsError> {
        let bad = |reason| {
            // No password gets into an error.
            let shown = url.rsplit_once('@').map_or(url, |(_, rest)| rest);
            WsError::Url { url: shown.to_owned(), reason }
        };
        if url.contains('#') {
            return Err(bad("a WebSocket has no fragment (#)"));
        }
        let uri: Uri = url.parse().map_err(|_| bad("it is no URL"))?;
        if uri.scheme_str() != Some(scheme) {
            return Err(bad(match scheme {
                "ws" => "its scheme is not ws; for wss there is WsClient::over_tls, with the feature tls",
                _ => "its scheme is not wss, so it would not be encrypted",
            }));
        }
        let authority = uri.authority().ok_or_else(|| bad("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad(
                "users and passwords do not belong into it; WsClient::header sends an Authorization",
            ));
        }
        if authority.host().is_empty() {
            return Err(bad("it has no host"));
        }
        let addr = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(port));
        Ok(Self {
            url: url.to_owned(),
            addr: addr.into(),
            host: authority.as_str().to_owned(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            headers: Vec::new(),
            subprotocols: Vec::new(),
            #[cfg(feature = "tls")]
            tls: None,
        })
    }

    /// A further header of the request, such as `Authorization` or `Origin`. Its value is in no log and no error.
    ///
    /// # Errors
    /// When HTTP does not allow it, or the handshake has it anyway.
    pub fn header(mut self, name: &str, value: &str) -> std::result::Result<Self, WsError> {
        let bad = |reason| WsError::Header { name: name.to_owned(), reason };
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad("HTTP has no such names"))?;
        let value = HeaderValue::from_str(value).map_err(|_| bad("HTTP has no such values"))?;
        if matches!(
            parsed.as_str(),
            "host" | "connection" | "upgrade" | "content-length" | "transfer-encoding"
        ) || parsed.as_str().starts_with("sec-websocket-")
        {
            return Err(bad("the handshake has it anyway"));
        }
        self.headers.push((parsed, value));
        Ok(self)
    }

    /// Subprotocols, the best first. The server must agree to one of them. Default: none.
    ///
    /// # Errors
    /// When one is no token of HTTP, such as an empty one or one with a space.
    pub fn subprotocols<N: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = N>,
    ) -> std::result::Result<Self, WsError> {
        self.subprotocols = names.into_iter().map(Into::into).collect();
        match self.subprotocols.iter().all(|name| HeaderName::from_bytes(name.as_bytes()).is_ok()) {
            true => Ok(self),
            false => Err(WsError::Header {
                name: "Sec-WebSocket-Protocol".to_owned(),
                reason: "a subprotocol must be a token: letters, digits and signs, no space and no comma",
            }),
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn request(&self, key: &str) -> Vec<u8> {
        let mut request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: {key}\r\n",
            self.path, self.host
        );
        if !self.subprotocols.is_empty() {
            request.push_str(&format!("Sec-WebSocket-Protocol: {}\r\n", self.subprotocols.join(", ")));
        }
        let mut request = request.into_bytes();
        for (name, value) in &self.headers {
            request.extend_from_slice(name.as_str().as_bytes());
            request.extend_from_slice(b": ");
            request.extend_from_slice(value.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        request
    }

    /// Whether the server has upgraded, and to which subprotocol.
    fn verify(&self, head: &[u8], key: &str) -> Result<Option<String>> {
        let parsed = Response::try_parse(head).map_err(|error| {
            invalid(format!("the server's answer to the WebSocket handshake is no HTTP: {error}"))
        })?;
        let (_, response) = parsed.ok_or_else(|| invalid("the server's answer has no end"))?;
        let status = response.status();
        if status != StatusCode::SWITCHING_PROTOCOLS {
            return Err(invalid(format!(
                "expected the status 101, the server answered {status}; is {} right, and does it admit this client?",
                self.path
            )));
        }
        let headers = response.headers();
        let upgrade = only(headers, "upgrade")?.unwrap_or_default();
        let connection = only(headers, "connection")?.unwrap_or_default();
        if !upgrade.eq_ignore_ascii_case("websocket")
            || !connection.split(',').any(|token| token.trim().eq_ignore_ascii_case("upgrade"))
        {
            return Err(invalid("the server's answer does not upgrade to websocket"));
        }
        if only(headers, "sec-websocket-accept")? != Some(&derive_accept_key(key.as_bytes())) {
            return Err(invalid(
                "the server's Sec-WebSocket-Accept does not belong to the key that was sent",
            ));
        }
        if only(headers, "sec-websocket-extensions")?.is_some() {
            return Err(invalid("the server uses an extension that was not offered"));
        }
        match only(headers, "sec-websocket-protocol")? {
            None if self.subprotocols.is_empty() => Ok(None),
            None => Err(invalid(format!(
                "the server agreed to none of the subprotocols {}",
                self.subprotocols.join(", ")
            ))),
            Some(name) if self.subprotocols.iter().any(|offered| offered == name) => {
                Ok(Some(name.to_owned()))
            }
            Some(name) => {
                Err(invalid(format!("the server chose the subprotocol {name:?}, which was not offered")))
            }
        }
    }

    async fn connect(&self) -> Result<(Stream, crate::ConnInfo)> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let (stream, mut info) = self.addr.dial_tls(tls).await?.into_parts();
            info.transport = "wss";
            return Ok((Stream::Tls(Box::new(stream)), info));
        }
        let tcp = self.addr.dial_tcp().await?;
        let mut info = tcp.info();
        info.transport = "ws";
        Ok((Stream::Plain(tcp.into_inner()), info))
    }
}

impl fmt::Debug for WsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("WsClient")
            .field("url", &self.url)
            .field("headers", &headers)
            .field("subprotocols", &self.subprotocols)
            .finish_non_exhaustive()
    }
}

/// Dials and shakes hands: TCP, TLS where the URL says so, then WebSocket. The name is looked up at every call. It has no time
/// limit of its own; a client's dial has that of [`Limits::dial`](crate::Limits). Redirections are not followed. Cancel-safe.
///
/// # Errors
/// Those of TCP and TLS, and a server that does not upgrade; the text says what it answered.
pub async fn dial_ws(ws: &WsClient) -> Result<Ws> {
    let (mut stream, mut info) = ws.connect().await?;
    let key = generate_key();
    stream.write_all(&ws.request(&key)).await?;
    stream.flush().await?;
    let (head, frames) = head::read(&mut stream, b"HTTP/1.").await.map_err(|error| match error {
        NoHead::Io(error) => error,
        NoHead::TooLong => invalid(format!("the head of the server's answer has more than {HEAD} bytes")),
        NoHead::Foreign => {
            invalid("expected an answer of HTTP/1.1, the server sent something else; does it speak TLS?")
        }
    })?;
    let subprotocol = ws.verify(&head, &key)?;
    let origin = ws.headers.iter().find(|(name, _)| name == "origin");
    let origin = origin.and_then(|(_, value)| value.to_str().ok()).map(str::to_owned);
    info.ws = Some(Arc::new(WsInfo { path: ws.path.clone(), origin, subprotocol }));
    Ok(Ws::with_input(stream, Role::Client, info, frames))
}

fn invalid(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, text.into())
}
