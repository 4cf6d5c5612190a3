//! A TLS connection, and what is known of it.

use std::{
    fmt,
    io::{IoSlice, Result},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use rustls_pki_types::CertificateDer;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::TlsStream;

use super::explain::{self, Peer};
use crate::{
    ConnInfo, Limits,
    transport::{Direct, Io, Transport, socket::configure_tcp},
};

/// What a TLS handshake came to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsInfo {
    /// The version, such as `TLSv1_3`.
    pub version: &'static str,
    /// The cipher suite, such as `TLS13_AES_256_GCM_SHA384`.
    pub cipher_suite: &'static str,
    /// The protocol that both sides chose by ALPN, if they did.
    pub alpn: Option<Vec<u8>>,
    /// On a server: the name that the client asked for (SNI). A client sends none for an IP address.
    pub server_name: Option<String>,
    /// The peer's certificates in DER, its own first; empty if it sent none. They are verified, unless the client is a
    /// dangerous one. After a resumed handshake they are those of the first.
    pub peer_certificates: Vec<Vec<u8>>,
    /// The subject of the peer's own certificate: the DER of the names in it, without the outer header. `None` without a
    /// certificate.
    pub peer_subject: Option<Vec<u8>>,
}

impl TlsInfo {
    fn of(stream: &TlsStream<TcpStream>) -> Self {
        let (_, common) = stream.get_ref();
        let certificates = common.peer_certificates().unwrap_or_default();
        Self {
            version: common.protocol_version().and_then(|version| version.as_str()).unwrap_or("unknown"),
            cipher_suite: common
                .negotiated_cipher_suite()
                .and_then(|suite| suite.suite().as_str())
                .unwrap_or("unknown"),
            alpn: common.alpn_protocol().map(<[u8]>::to_vec),
            server_name: match stream {
                TlsStream::Server(server) => server.get_ref().1.server_name().map(str::to_owned),
                TlsStream::Client(_) => None,
            },
            peer_certificates: certificates.iter().map(|der| der.to_vec()).collect(),
            peer_subject: certificates.first().and_then(subject),
        }
    }
}

fn subject(der: &CertificateDer<'_>) -> Option<Vec<u8>> {
    webpki::EndEntityCert::try_from(der).ok().map(|certificate| certificate.subject().to_vec())
}

/// A TLS connection over TCP whose handshake is done.
pub struct Tls {
    stream: Established,
    info: ConnInfo,
}

impl Tls {
    pub(super) fn new(stream: TlsStream<TcpStream>) -> Self {
        let (tcp, _) = stream.get_ref();
        let mut info = ConnInfo::accepted("tls", tcp.peer_addr().ok(), tcp.local_addr().ok());
        info.tls = Some(Arc::new(TlsInfo::of(&stream)));
        let peer = match &stream {
            TlsStream::Client(_) => Peer::Server,
            TlsStream::Server(_) => Peer::Client,
        };
        Self { stream: Established { stream, peer }, info }
    }

    #[cfg(feature = "ws")]
    pub(in crate::transport) fn into_parts(self) -> (Established, ConnInfo) {
        (self.stream, self.info)
    }
}

impl Transport for Tls {
    type Task = Io<Established>;

    fn info(&self) -> ConnInfo {
        self.info.clone()
    }

    fn configure(&self, limits: &Limits) {
        configure_tcp(self.stream.tcp(), limits);
    }

    fn split(self) -> (Io<Established>, Option<Direct>) {
        (Io::new(self.stream, "tls"), None)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.info).finish()
    }
}

/// The stream of bytes in a [`Tls`]. A peer that ends without close_notify may have been cut off by anyone on the way: that is
/// an error, not the end.
#[derive(Debug)]
pub struct Established {
    stream: TlsStream<TcpStream>,
    peer: Peer,
}

impl Established {
    /// The socket below.
    pub(in crate::transport) fn tcp(&self) -> &TcpStream {
        self.stream.get_ref().0
    }

    fn explain<T>(&self, polled: Poll<Result<T>>) -> Poll<Result<T>> {
        polled.map_err(|error| explain::established(error, self.peer))
    }
}

impl AsyncRead for Established {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buf);
        this.explain(polled)
    }
}

impl AsyncWrite for Established {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.explain(polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.explain(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_flush(cx);
        this.explain(polled)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
