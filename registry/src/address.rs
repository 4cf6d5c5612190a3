//! Owns [`Address`], the host and port of a provider. Must never resolve a name: a name is resolved at every dial, so
//! that a client follows it to new addresses.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::url::{Part, UrlError};

/// Longest host in bytes. A DNS name has at most 253.
pub(crate) const MAX_HOST_BYTES: usize = 255;

/// A host and a port. The host is a name, an IPv4 address or an IPv6 address, as it was written; it is not resolved.
///
/// ```
/// use getty_registry::Address;
///
/// let address: Address = "[::1]:20880".parse()?;
/// assert_eq!((address.host(), address.port()), ("::1", 20880));
/// assert_eq!(address.to_string(), "[::1]:20880");
/// # Ok::<(), getty_registry::UrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// An address of a host and a port from 1 on. An IPv6 host may stand in brackets or not.
    ///
    /// # Errors
    /// [`UrlError`] if the host is empty, too long or holds a character that no host can hold, or if the port is 0.
    pub fn new(host: &str, port: u16) -> Result<Self, UrlError> {
        if port == 0 {
            return Err(UrlError::Port);
        }
        Ok(Self { host: checked_host(host)?, port })
    }

    /// Reads `host:port`; an IPv6 host stands in brackets.
    ///
    /// # Errors
    /// [`UrlError`] as for [`Address::new`], and [`UrlError::NoPort`] without a port.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (host, port) = split_host_port(text)?;
        Ok(Self { host, port: port.ok_or(UrlError::NoPort)? })
    }

    /// The host, an IPv6 address without its brackets. `(host, port)` is what a resolver takes.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, never 0.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn from_checked(host: String, port: u16) -> Self {
        Self { host, port }
    }
}

/// `host:port`, with an IPv6 host in brackets.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_host(f, &self.host)?;
        write!(f, ":{}", self.port)
    }
}

impl FromStr for Address {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

/// Splits `host`, `host:port`, `[v6]` or `[v6]:port` and checks both.
pub(crate) fn split_host_port(text: &str) -> Result<(String, Option<u16>), UrlError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (inside, behind) = rest.split_once(']').ok_or(UrlError::Ipv6)?;
            let host = checked_ipv6(inside)?;
            let port = match behind {
                "" => None,
                _ => Some(behind.strip_prefix(':').ok_or(UrlError::Port)?),
            };
            (host, port)
        }
        None if text.matches(':').nth(1).is_some() => return Err(UrlError::Ipv6),
        None => match text.split_once(':') {
            Some((host, port)) => (checked_name(host)?, Some(port)),
            None => (checked_name(text)?, None),
        },
    };
    Ok((host, port.map(checked_port).transpose()?))
}

/// A host alone, an IPv6 address with or without brackets.
pub(crate) fn checked_host(host: &str) -> Result<String, UrlError> {
    if host.contains([':', '[', ']']) {
        let inside = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        return checked_ipv6(inside);
    }
    checked_name(host)
}

pub(crate) fn write_host(f: &mut impl fmt::Write, host: &str) -> fmt::Result {
    if host.contains(':') { write!(f, "[{host}]") } else { f.write_str(host) }
}

/// One spelling for one IPv6 address, so that two spellings do not become two providers.
fn checked_ipv6(text: &str) -> Result<String, UrlError> {
    text.parse::<Ipv6Addr>().map(|address| address.to_string()).map_err(|_| UrlError::Ipv6)
}

fn checked_name(text: &str) -> Result<String, UrlError> {
    if text.is_empty() {
        return Err(UrlError::NoHost);
    }
    let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if let Some(character) = text.chars().find(|c| !allowed(c)) {
        return Err(UrlError::Forbidden { part: Part::Host, character });
    }
    if text.len() > MAX_HOST_BYTES {
        return Err(UrlError::HostTooLong);
    }
    Ok(text.to_owned())
}

fn checked_port(text: &str) -> Result<u16, UrlError> {
    // `parse` alone would also take `+1`.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(UrlError::Port);
    }
    match text.parse() {
        Ok(0) | Err(_) => Err(UrlError::Port),
        Ok(port) => Ok(port),
    }
}
