//! Certificates, keys and authorities: read and checked once, so that no handshake finds them missing or wrong.

use std::{fmt, fs, io, path::Path, sync::Arc};

use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};
use tokio_rustls::rustls::{Error as RustlsError, InconsistentKeys, RootCertStore, sign::CertifiedKey};

use super::provider;

/// What is wrong with certificates or keys.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path}, which should hold {expected} in PEM: {source}")]
    File {
        /// The file.
        path: String,
        /// What it should hold.
        expected: &'static str,
        /// Why it cannot be read.
        source: io::Error,
    },
    /// There is no certificate.
    #[error("no certificate in {origin}; expected at least one block -----BEGIN CERTIFICATE-----")]
    NoCertificate {
        /// Where it was looked for.
        origin: String,
    },
    /// There is no private key.
    #[error(
        "no private key in {origin}; expected a block -----BEGIN PRIVATE KEY-----, RSA PRIVATE KEY or EC PRIVATE KEY that is \
         not encrypted"
    )]
    NoKey {
        /// Where it was looked for.
        origin: String,
    },
    /// What is there cannot be understood.
    #[error("bad {what} in {origin}: {reason}")]
    Invalid {
        /// Certificate or key.
        what: &'static str,
        /// Where it is.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The private key belongs to another certificate.
    #[error("the private key in {key} does not belong to the first certificate of {chain}")]
    Mismatch {
        /// Where the certificates are.
        chain: String,
        /// Where the key is.
        key: String,
    },
}

/// A certificate with the chain up to its authority, and the private key: who one is.
#[derive(Clone)]
pub struct Identity(pub(super) Arc<CertifiedKey>);

impl Identity {
    /// From PEM text: the own certificate first, then those that lead to the authority; and the private key, not encrypted.
    ///
    /// # Errors
    /// When one is missing or cannot be understood, or the key belongs to another certificate.
    pub fn from_pem(chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self, TlsError> {
        const CHAIN: &str = "the PEM text of the chain";
        const KEY: &str = "the PEM text of the key";
        Self::parse((chain.as_ref(), CHAIN), (key.as_ref(), KEY))
    }

    /// From two PEM files, which may be the same. Blocks while it reads.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem), and when a file cannot be read.
    pub fn from_pem_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, TlsError> {
        let (chain, key) = (chain.as_ref(), key.as_ref());
        let chain_pem = read(chain, "a chain of certificates")?;
        let key_pem = read(key, "a private key")?;
        Self::parse((&chain_pem, &chain.to_string_lossy()), (&key_pem, &key.to_string_lossy()))
    }

    fn parse(chain: (&[u8], &str), key: (&[u8], &str)) -> Result<Self, TlsError> {
        let certificates = certificates(chain.0, chain.1)?;
        let origin = || key.1.to_owned();
        let private = PrivateKeyDer::from_pem_slice(key.0).map_err(|error| match error {
            pem::Error::NoItemsFound => TlsError::NoKey { origin: origin() },
            error => TlsError::Invalid { what: "private key", origin: origin(), reason: error.to_string() },
        })?;
        let certified =
            CertifiedKey::from_der(certificates, private, &provider()).map_err(|error| match error {
                RustlsError::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    TlsError::Mismatch { chain: chain.1.to_owned(), key: origin() }
                }
                RustlsError::InvalidCertificate(reason) => TlsError::Invalid {
                    what: "certificate",
                    origin: chain.1.to_owned(),
                    reason: reason.to_string(),
                },
                error => {
                    TlsError::Invalid { what: "private key", origin: origin(), reason: error.to_string() }
                }
            })?;
        Ok(Self(Arc::new(certified)))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key stays out of logs.
        f.debug_struct("Identity").field("certificates", &self.0.cert.len()).finish_non_exhaustive()
    }
}

/// The authorities whose certificates are believed.
#[derive(Clone)]
pub struct Roots(pub(super) Arc<RootCertStore>);

impl Roots {
    /// From PEM text with at least one certificate of an authority.
    ///
    /// # Errors
    /// When there is none, or one cannot be understood.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, TlsError> {
        Self::parse(pem.as_ref(), "the PEM text of the authorities")
    }

    /// From a PEM file. Blocks while it reads.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem), and when the file cannot be read.
    pub fn from_pem_file(path: impl AsRef<Path>) -> Result<Self, TlsError> {
        let path = path.as_ref();
        Self::parse(&read(path, "certificates of authorities")?, &path.to_string_lossy())
    }

    /// What the operating system trusts. Blocks while it reads. Certificates there that cannot be understood are left out.
    ///
    /// # Errors
    /// When nothing usable is found.
    #[cfg(feature = "tls-native-roots")]
    pub fn native() -> Result<Self, TlsError> {
        let found = rustls_native_certs::load_native_certs();
        let mut store = RootCertStore::empty();
        let (added, ignored) = store.add_parsable_certificates(found.certs);
        tracing::debug!(added, ignored, errors = ?found.errors, "read the system's authorities");
        if added == 0 {
            let reasons: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
            return Err(TlsError::Invalid {
                what: "authorities",
                origin: "the operating system".to_owned(),
                reason: format!("none could be used, {ignored} were ignored; {}", reasons.join("; ")),
            });
        }
        Ok(Self(Arc::new(store)))
    }

    fn parse(pem: &[u8], origin: &str) -> Result<Self, TlsError> {
        let mut store = RootCertStore::empty();
        for certificate in certificates(pem, origin)? {
            store.add(certificate).map_err(|error| TlsError::Invalid {
                what: "certificate",
                origin: origin.to_owned(),
                reason: error.to_string(),
            })?;
        }
        Ok(Self(Arc::new(store)))
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roots").field("authorities", &self.0.len()).finish()
    }
}

fn read(path: &Path, expected: &'static str) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::File {
        path: path.to_string_lossy().into_owned(),
        expected,
        source,
    })
}

fn certificates(pem: &[u8], origin: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|error| TlsError::Invalid {
            what: "certificate",
            origin: origin.to_owned(),
            reason: error.to_string(),
        })?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate { origin: origin.to_owned() });
    }
    Ok(certificates)
}
