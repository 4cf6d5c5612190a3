//! Owns the making of a [`Url`] from parts, and with it every rule that holds for all URLs. The readers build through
//! it too, so there is no other way to a [`Url`].

use std::fmt;

use super::error::{Part, UrlError};
use super::parameters::Parameters;
use super::{MAX_PARAMETERS, MAX_URL_BYTES, Url};
use crate::address::checked_host;

/// Makes a [`Url`] from parts that are not percent-encoded. Nothing is checked before [`UrlBuilder::build`].
///
/// ```
/// use getty_registry::Url;
///
/// let url = Url::builder("dubbo", "10.0.0.5")
///     .port(20880)
///     .path("com.x.Greeter")
///     .parameter("version", "1.0.0")
///     .build()?;
/// assert_eq!(url.to_string(), "dubbo://10.0.0.5:20880/com.x.Greeter?version=1.0.0");
/// # Ok::<(), getty_registry::UrlError>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder makes nothing until `build`"]
pub struct UrlBuilder {
    protocol: String,
    username: Option<String>,
    password: Option<String>,
    host: String,
    port: Option<u16>,
    path: String,
    parameters: Parameters,
}

impl UrlBuilder {
    pub(super) fn new(protocol: impl Into<String>, host: impl Into<String>) -> Self {
        Self {
            protocol: protocol.into(),
            username: None,
            password: None,
            host: host.into(),
            port: None,
            path: String::new(),
            parameters: Parameters::default(),
        }
    }

    pub(super) fn from_url(url: &Url) -> Self {
        Self {
            protocol: url.protocol.clone(),
            username: url.username.clone(),
            password: url.password.clone(),
            host: url.host.clone(),
            port: url.port,
            path: url.path.clone(),
            parameters: url.parameters.clone(),
        }
    }

    /// The user name. Default: none.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// The password. Default: none. With a password and no user name the user name is empty.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// The host: a name, an IPv4 address, or an IPv6 address with or without brackets.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// The port, from 1 on. Default: none.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// The path, for a service its interface. Slashes at its start are left out. Default: empty.
    pub fn path(mut self, path: impl AsRef<str>) -> Self {
        path.as_ref().trim_start_matches('/').clone_into(&mut self.path);
        self
    }

    /// Sets a parameter. A new name goes to the end, a known one keeps its place.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.set(name.into(), value.into());
        self
    }

    /// Takes a parameter out, if it is there.
    pub fn without_parameter(mut self, name: &str) -> Self {
        self.parameters.remove(name);
        self
    }

    /// Checks the parts. The protocol becomes lower case, an IPv6 host gets its shortest spelling.
    ///
    /// # Errors
    /// [`UrlError`] if the protocol or the host is empty or holds what it cannot hold, if the port is 0, or if the
    /// whole is over [`MAX_URL_BYTES`] or [`MAX_PARAMETERS`].
    pub fn build(self) -> Result<Url, UrlError> {
        let protocol = checked_protocol(&self.protocol)?;
        let host = checked_host(&self.host)?;
        if self.port == Some(0) {
            return Err(UrlError::Port);
        }
        if self.parameters.len() > MAX_PARAMETERS {
            return Err(UrlError::TooManyParameters);
        }
        let username = self.username.or_else(|| self.password.is_some().then(String::new));
        let Self { password, port, path, parameters, .. } = self;
        let url = Url { protocol, username, password, host, port, path, parameters };
        if url.decoded_len() > MAX_URL_BYTES {
            return Err(UrlError::TooLong);
        }
        Ok(url)
    }

    pub(super) fn host_port(mut self, host: String, port: Option<u16>) -> Self {
        self.host = host;
        self.port = port;
        self
    }

    pub(super) fn parameters(mut self, parameters: Parameters) -> Self {
        self.parameters = parameters;
        self
    }
}

/// Shows protocol, host and path only: what is not checked yet may hold a password anywhere else.
impl fmt::Debug for UrlBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlBuilder")
            .field("protocol", &self.protocol)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn checked_protocol(text: &str) -> Result<String, UrlError> {
    let first = text.chars().next().ok_or(UrlError::NoProtocol)?;
    let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_');
    let wrong = if first.is_ascii_alphabetic() { text.chars().find(|c| !allowed(c)) } else { Some(first) };
    match wrong {
        Some(character) => Err(UrlError::Forbidden { part: Part::Protocol, character }),
        None => Ok(text.to_ascii_lowercase()),
    }
}
