//! TLS over TCP, by rustls: 1.2 and 1.3, verified unless a name that begins with `dangerous` says otherwise.
//!
//! | file | owns |
//! |---|---|
//! | `certificates` | certificates, keys and authorities, read and checked once |
//! | `server`, `client` | settings of each side, and the handshake |
//! | `stream` | the connection, and what is known of it |
//! | `explain` | what went wrong, in words that say what to do |

mod certificates;
mod client;
mod explain;
mod server;
mod stream;

use std::sync::{Arc, LazyLock};

use tokio_rustls::rustls::crypto::{CryptoProvider, ring};

pub use certificates::{Identity, Roots, TlsError};
pub use client::{TlsClient, dial_tls};
#[cfg(feature = "ws")]
pub(super) use server::shake;
pub use server::{TlsListen, TlsServer};
#[cfg(feature = "ws")]
pub(super) use stream::Established;
pub use stream::{Tls, TlsInfo};

/// Named wherever it is needed: rustls panics when it has to choose one and a program contains two.
fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(ring::default_provider()));
    Arc::clone(&PROVIDER)
}

/// Names of protocols as rustls wants them.
fn alpn<N: Into<Vec<u8>>>(names: impl IntoIterator<Item = N>) -> Vec<Vec<u8>> {
    names.into_iter().map(Into::into).collect()
}
