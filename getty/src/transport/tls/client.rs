//! The client's side of TLS: its settings, and dialling.

use std::{
    fmt,
    io::{self, Error, ErrorKind, Result},
    sync::{Arc, OnceLock},
};

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, DigitallySignedStruct, Error as RustlsError, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        client::{ResolvesClientCert, WebPkiServerVerifier},
        crypto::{verify_tls12_signature, verify_tls13_signature},
        sign::SingleCertAndKey,
    },
};

use super::{
    Identity, Roots, Tls, alpn,
    explain::{Peer, handshake},
    provider,
};
use crate::transport::Host;

/// How a client does TLS. Clones share resumed sessions once one of them has dialled.
///
/// ```no_run
/// use getty::{ClientBuilder, Lines, on_message, transport::{Roots, TlsClient}};
///
/// # fn run() -> Result<(), getty::BoxError> {
/// let tls = TlsClient::new(Roots::from_pem_file("ca.pem")?);
/// let client = ClientBuilder::new(Lines::default(), on_message(|_, line: String| println!("{line}")))
///     .tls("lines.example.com:7001", tls);
/// # drop(client);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TlsClient {
    trust: Trust,
    identity: Option<Identity>,
    server_name: Option<String>,
    alpn: Vec<Vec<u8>>,
    config: OnceLock<Arc<ClientConfig>>,
}

#[derive(Debug, Clone)]
enum Trust {
    Roots(Roots),
    Anyone,
}

impl TlsClient {
    /// Believes servers whose certificate is of one of these authorities, valid now, and for the host that is dialled.
    pub fn new(roots: Roots) -> Self {
        Self::trusting(Trust::Roots(roots))
    }

    /// Believes any server whatever it shows. Whoever is on the way can read and change everything: for tests and for finding out
    /// what is wrong, never for data that matters.
    pub fn dangerous_trust_anyone() -> Self {
        Self::trusting(Trust::Anyone)
    }

    fn trusting(trust: Trust) -> Self {
        Self { trust, identity: None, server_name: None, alpn: Vec::new(), config: OnceLock::new() }
    }

    /// What it shows to servers that demand a certificate of their clients.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self.changed()
    }

    /// Name that the server is asked for (SNI) and that its certificate must have. Default: the host that is dialled; an IP
    /// address is not sent, but the certificate must have it.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Protocols by ALPN, the best first. Which one was chosen, if any, is in [`TlsInfo::alpn`](super::TlsInfo::alpn).
    /// Default: no ALPN.
    #[must_use]
    pub fn alpn<N: Into<Vec<u8>>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.alpn = alpn(names);
        self.changed()
    }

    fn changed(mut self) -> Self {
        self.config = OnceLock::new();
        self
    }

    fn config(&self) -> Result<Arc<ClientConfig>> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let builder = match &self.trust {
            Trust::Roots(Roots(roots)) => {
                let verifier = WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), provider())
                    .build()
                    .map_err(io::Error::other)?;
                builder.with_webpki_verifier(verifier)
            }
            Trust::Anyone => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone)),
        };
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(Identity(certified)) => {
                let own = SingleCertAndKey::from(Arc::clone(certified));
                builder.with_client_cert_resolver(Arc::new(own) as Arc<dyn ResolvesClientCert>)
            }
        };
        config.alpn_protocols.clone_from(&self.alpn);
        Ok(Arc::clone(self.config.get_or_init(|| Arc::new(config))))
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient")
            .field("trust", &self.trust)
            .field("identity", &self.identity)
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

/// Dials a host and port and shakes hands. The name is looked up at every call. It has no time limit of its own; a client's dial
/// has that of [`Limits::dial`](crate::Limits). Cancel-safe.
///
/// # Errors
/// Those of [`dial_tcp`](crate::transport::dial_tcp), and what the handshake came to: a certificate of another authority, for another name or expired, a
/// server that demands a certificate or speaks no TLS. The text says which.
pub async fn dial_tls(addr: &str, tls: &TlsClient) -> Result<Tls> {
    Host::from(addr).dial_tls(tls).await
}

impl Host {
    pub(crate) async fn dial_tls(&self, tls: &TlsClient) -> Result<Tls> {
        let config = tls.config()?;
        let name = tls.server_name.as_deref().unwrap_or_else(|| host(self.name())).to_owned();
        let name = ServerName::try_from(name.clone()).map_err(|_| {
            let text = format!(
                "expected the name of a host or an IP address that a certificate can have, not {name:?}"
            );
            Error::new(ErrorKind::InvalidInput, text)
        })?;
        let stream = self.dial_tcp().await?.into_inner();
        let stream = TlsConnector::from(config)
            .connect(name, stream)
            .await
            .map_err(|error| handshake(error, Peer::Server))?;
        Ok(Tls::new(stream.into()))
    }
}

/// Without the port, and without the brackets of an IPv6 address.
fn host(addr: &str) -> &str {
    let host = addr.rsplit_once(':').map_or(addr, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Verifies nothing but that the server has the key of whatever certificate it shows.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, RustlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, RustlsError> {
        verify_tls12_signature(message, certificate, signed, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, RustlsError> {
        verify_tls13_signature(message, certificate, signed, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_host_of_an_address_is_what_its_certificate_must_have() {
        for (addr, host) in [("a.example:443", "a.example"), ("10.0.0.1:1", "10.0.0.1"), ("[::1]:443", "::1")]
        {
            assert_eq!(super::host(addr), host);
        }
    }
}
