//! The command line of `echo`, and what on it goes together. It opens no connection.

use std::{fmt, path::PathBuf};

use clap::{Args, ValueEnum};
use getty::{
    BoxError,
    transport::{Compression, Connection, Identity, Roots, TlsClient, TlsServer, Udp},
};

use super::{limits, packets::HEADER};

/// What both sides are told.
#[derive(Debug, Args)]
pub struct Settings {
    /// What carries the packets.
    #[arg(long, value_enum)]
    pub transport: Transport,
    /// Host and port, or with unix the path of the socket; a server takes a free port for 0, and says which.
    #[arg(long)]
    pub addr: String,
    /// Path of the WebSocket.
    #[arg(long, default_value = "/echo")]
    pub path: String,
    /// How the bytes of the connection are compressed, by both sides.
    #[arg(long, value_enum, default_value_t = Compress::None)]
    pub compress: Compress,
    /// The own certificate, then those that lead to its authority, in PEM.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// The private key of the certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// Authorities, in PEM: a client believes the servers that they certify; a server demands that they certify its clients.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

/// What a client is told besides.
#[derive(Debug, Args)]
pub struct Load {
    /// Bytes of the payloads [default: 1,4000,70000, over udp 1,4000,60000].
    #[arg(long, value_delimiter = ',')]
    sizes: Vec<usize>,
    /// Packets of each size.
    #[arg(long, default_value_t = 10)]
    pub(super) count: usize,
}

/// What carries the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket over TCP.
    Ws,
    /// WebSocket over TLS.
    Wss,
    /// UDP.
    Udp,
    /// A Unix socket.
    Unix,
}

/// How the bytes of a connection are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Compress {
    /// Not at all.
    None,
    /// By raw deflate.
    Deflate,
    /// By snappy, in its framing format.
    Snappy,
}

impl Settings {
    /// Whether a server can do this.
    ///
    /// # Errors
    /// What does not go together, in words for whoever wrote the command.
    pub fn check_server(&self) -> Result<(), String> {
        self.check()?;
        if self.transport.is_encrypted() && self.cert.is_none() {
            return Err(format!(
                "a server of {} needs a certificate: --cert FILE --key FILE",
                self.transport
            ));
        }
        Ok(())
    }

    /// Whether a client can do this.
    ///
    /// # Errors
    /// What does not go together, in words for whoever wrote the command.
    pub fn check_client(&self, load: &Load) -> Result<(), String> {
        self.check()?;
        if self.transport.is_encrypted() && self.ca.is_none() {
            let transport = self.transport;
            return Err(format!("a client of {transport} needs the authorities that it believes: --ca FILE"));
        }
        let longest = self.transport.longest();
        match load.sizes(self.transport).iter().find(|&&size| size > longest) {
            Some(size) => Err(format!(
                "--sizes {size}: over {} a packet has at most {longest} bytes of payload",
                self.transport
            )),
            None => Ok(()),
        }
    }

    fn check(&self) -> Result<(), String> {
        let transport = self.transport;
        if self.compress != Compress::None && transport.carries_messages() {
            return Err(format!(
                "--compress: {transport} carries messages, and only a stream of bytes is compressed (tcp, tls, unix)"
            ));
        }
        if !transport.is_encrypted() && (self.cert.is_some() || self.ca.is_some()) {
            return Err(format!("--cert, --key and --ca are for tls and wss; {transport} is not encrypted"));
        }
        if !self.path.starts_with('/') {
            return Err(format!("--path {}: a path begins with /", self.path));
        }
        Ok(())
    }

    /// What both sides compress with.
    pub(super) fn compression(&self) -> Option<Compression> {
        match self.compress {
            Compress::None => None,
            Compress::Deflate => Some(Compression::default()),
            Compress::Snappy => Some(Compression::Snappy),
        }
    }

    /// What a server shows, and demands.
    pub(super) fn tls_server(&self) -> Result<TlsServer, BoxError> {
        let identity = self.identity()?.ok_or("a server needs a certificate")?;
        let tls = TlsServer::new(identity);
        Ok(match self.roots()? {
            Some(clients) => tls.demand_clients_of(clients),
            None => tls,
        })
    }

    /// What a client believes, and shows where it is asked for.
    pub(super) fn tls_client(&self) -> Result<TlsClient, BoxError> {
        let tls = TlsClient::new(self.roots()?.ok_or("a client needs authorities")?);
        Ok(match self.identity()? {
            Some(own) => tls.identity(own),
            None => tls,
        })
    }

    fn identity(&self) -> Result<Option<Identity>, BoxError> {
        let (Some(cert), Some(key)) = (&self.cert, &self.key) else { return Ok(None) };
        Ok(Some(Identity::from_pem_files(cert, key)?))
    }

    fn roots(&self) -> Result<Option<Roots>, BoxError> {
        Ok(self.ca.as_ref().map(Roots::from_pem_file).transpose()?)
    }
}

impl Load {
    /// Bytes of the payloads.
    pub(super) fn sizes(&self, transport: Transport) -> &[usize] {
        match (&self.sizes[..], transport) {
            ([], Transport::Udp) => &[1, 4_000, 60_000],
            ([], _) => &[1, 4_000, 70_000],
            (sizes, _) => sizes,
        }
    }
}

impl Transport {
    fn is_encrypted(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    fn carries_messages(self) -> bool {
        matches!(self, Self::Ws | Self::Wss | Self::Udp)
    }

    /// Bytes of the longest payload.
    fn longest(self) -> usize {
        let packet = match self {
            Self::Udp => Udp::LARGEST,
            _ => limits().max_packet,
        };
        packet - HEADER
    }

    fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
            Self::Udp => "udp",
            Self::Unix => "unix",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
