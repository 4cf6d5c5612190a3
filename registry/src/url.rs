//! Owns [`Url`], the way in which Dubbo names a provider, a consumer, a registry or a rule, with its text form and its
//! form as the name of a registry node. Must never show a password by accident, and never decode a text twice.
//!
//! A Dubbo URL is not a web URL: Dubbo percent-encodes it once, as a whole, to make the name of a registry node of it,
//! and the parameters inside are not encoded again. Hence two forms:
//!
//! | | text form | node form |
//! |---|---|---|
//! | example | `dubbo://h:20880/com.x.Greeter?owner=a%20b` | `dubbo%3A%2F%2Fh%3A20880%2Fcom.x.Greeter%3Fowner%3Da%20b` |
//! | read, write | [`Url::parse`], [`Url::to_full_string`] | [`Url::decode`], [`Url::encode`] |
//! | percent forms | of each part, decoded once | of the whole, decoded once; `%2525` in a value means `%25` |
//! | `+` | a plus | a space, as Java's `URLEncoder` and Go's `QueryEscape` write it |
//! | `#`, `@`, white space, control characters in a part | refused, with their percent form | taken as they are |

mod builder;
mod error;
mod parameters;
mod parse;
mod percent;

use std::fmt::{self, Write as _};
use std::str::FromStr;

pub use self::builder::UrlBuilder;
pub use self::error::{ParameterError, Part, UrlError};
use self::parameters::{Parameters, is_secret};
pub(crate) use self::parse::Split;
use self::parse::{NAME_SEPARATORS, PATH_SEPARATORS, VALUE_SEPARATORS};
use self::percent::Plus;
use crate::address::{Address, write_host};

/// Longest URL: bytes of all its parts together, with the separators between them, not percent-encoded.
pub const MAX_URL_BYTES: usize = 64 * 1024;

/// Longest text that [`Url::parse`] and [`Url::decode`] look at, in bytes. Percent forms make a URL up to five times
/// longer, so no URL within [`MAX_URL_BYTES`] is refused.
pub const MAX_ENCODED_BYTES: usize = 8 * MAX_URL_BYTES;

/// Most parameters of a URL.
pub const MAX_PARAMETERS: usize = 512;

/// Stands for a password where a URL is shown.
const MASK: &str = "***";

/// A Dubbo URL: `protocol://username:password@host:port/path?name=value&name=value`.
///
/// Parameters keep their order, unknown ones too; each name occurs once, and where a text repeats one the last value
/// counts, as in Java. Two URLs are equal if all their parts are and the parameters stand in the same order.
///
/// [`fmt::Display`] and [`fmt::Debug`] put `***` in place of the password and of the values of parameters whose names
/// end in `password`, `secret` or `token`; [`Url::to_full_string`] and [`Url::encode`] hold them.
///
/// ```
/// use getty_registry::Url;
///
/// let url = Url::parse("dubbo://me:p%23w@10.0.0.5:20880/com.x.Greeter?version=1.0.0&group=eu&timeout=3000")?;
/// assert_eq!(url.password(), Some("p#w"));
/// assert_eq!(url.version(), Some("1.0.0"));
/// assert_eq!(url.parameter_as::<u32>("timeout")?, Some(3000));
/// assert!(url.to_string().starts_with("dubbo://me:***@10.0.0.5:20880/"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    protocol: String,
    username: Option<String>,
    password: Option<String>,
    host: String,
    port: Option<u16>,
    path: String,
    parameters: Parameters,
}

impl Url {
    /// Starts a URL of a protocol and a host.
    pub fn builder(protocol: impl Into<String>, host: impl Into<String>) -> UrlBuilder {
        UrlBuilder::new(protocol, host)
    }

    /// Starts a URL that differs from this one in some parts.
    pub fn to_builder(&self) -> UrlBuilder {
        UrlBuilder::from_url(self)
    }

    /// Reads the text form.
    ///
    /// A user name or a password may hold any character in percent form. Raw `#`, `@`, `/`, `?`, white space and `%`
    /// without two digits are refused: such a text never names another host than its writer meant.
    ///
    /// # Errors
    /// [`UrlError`], which names the part, and the character that is wrong with its percent form.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let split = Split::text(text)?;
        split.with_host(split.hosts)
    }

    /// Reads the name of a registry node, as Java, Go and [`Url::encode`] write it. It is percent-decoded exactly once.
    ///
    /// Dubbo has no percent forms inside a URL, so a parameter's value cannot hold an `&`, its name no `&` and `=`, and
    /// a path no `?`. For these characters alone a percent form (in upper case) that is left after decoding is read as
    /// the character, as dubbo-go reads it. Java shows the percent form.
    ///
    /// # Errors
    /// [`UrlError`]; [`UrlError::EncodedTwice`] for a name that was encoded more than once.
    pub fn decode(node: &str) -> Result<Self, UrlError> {
        if node.len() > MAX_ENCODED_BYTES {
            return Err(UrlError::TooLong);
        }
        let raw = percent::decode(node, Part::Node, Plus::Space)?;
        if !raw.contains("://") && raw.to_ascii_lowercase().contains("%2f%2f") {
            return Err(UrlError::EncodedTwice);
        }
        let split = Split::raw(&raw)?;
        split.with_host(split.hosts)
    }

    /// The name of a registry node: ASCII letters, digits, `.`, `-`, `_` and percent forms in upper case. The same URL
    /// always gives the same name, and `decode(encode(url)) == url`.
    ///
    /// Holds the password, if there is one.
    #[must_use]
    pub fn encode(&self) -> String {
        percent::encode(
            &self.written(&Writing {
                password: |password| percent::encode(password, percent::NODE),
                path: |path| percent::shield(path, PATH_SEPARATORS),
                name: |name| percent::shield(name, NAME_SEPARATORS),
                value: |_, value| percent::shield(value, VALUE_SEPARATORS),
            }),
            percent::NODE,
        )
    }

    /// The text form with the password, for [`Url::parse`]. Not for logs; they take [`fmt::Display`].
    #[must_use]
    pub fn to_full_string(&self) -> String {
        self.written(&Writing {
            password: |password| percent::encode(password, percent::NODE),
            value: |_, value| percent::encode(value, percent::VALUE),
            ..Writing::MASKED
        })
    }

    /// The protocol, in lower case: `dubbo`, `consumer`, `override`, `zookeeper` and so on.
    #[must_use]
    pub fn protocol(&self) -> &str {
        &self.protocol
    }

    /// The user name; empty if there is only a password.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// The password.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The host as it was written, an IPv6 address without its brackets. It is not resolved.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, never 0.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Host and port, if there is a port.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        self.port.map(|port| Address::from_checked(self.host.clone(), port))
    }

    /// The path without its leading slash; empty if there is none.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The interface of a service: the parameter `interface`, else the path. `None` if both are empty.
    #[must_use]
    pub fn interface(&self) -> Option<&str> {
        self.non_empty("interface").or_else(|| Some(self.path.as_str()).filter(|path| !path.is_empty()))
    }

    /// The version of a service. `None` if it is absent, empty, `0.0.0` or `*`: Dubbo's peers write all of these for a
    /// service without a version.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.non_empty("version").filter(|version| !matches!(*version, "0.0.0" | "*"))
    }

    /// The group of a service. `None` if it is absent or empty.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        self.non_empty("group")
    }

    /// The key of a service, `group/interface:version`, absent parts left out. `None` without an interface.
    #[must_use]
    pub fn service_key(&self) -> Option<String> {
        let interface = self.interface()?;
        let group = self.group().map(|group| format!("{group}/")).unwrap_or_default();
        let version = self.version().map(|version| format!(":{version}")).unwrap_or_default();
        Some(format!("{group}{interface}{version}"))
    }

    /// The value of a parameter. `Some("")` if it is there without a value.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name)
    }

    /// The value of a parameter as a type. `None` if it is absent or empty: dubbo-go writes empty values for options
    /// that are not set.
    ///
    /// # Errors
    /// [`ParameterError`] if the value is no `T`.
    pub fn parameter_as<T: FromStr>(&self, name: &str) -> Result<Option<T>, ParameterError> {
        let Some(value) = self.non_empty(name) else { return Ok(None) };
        value.parse().map(Some).map_err(|_| ParameterError {
            name: name.to_owned(),
            expected: std::any::type_name::<T>(),
            found: if is_secret(name) {
                MASK.to_owned()
            } else {
                value.escape_debug().take(SHOWN_CHARACTERS).collect()
            },
        })
    }

    /// All parameters in their order. Holds the values of secret ones.
    pub fn parameters(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.parameters.iter()
    }

    fn non_empty(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).filter(|value| !value.is_empty())
    }

    /// What [`MAX_URL_BYTES`] bounds.
    fn decoded_len(&self) -> usize {
        // "://", ":", "@", "[]", ":65535", "/" and "?"
        const SEPARATORS: usize = 3 + 1 + 1 + 2 + 6 + 1 + 1;
        let user = [&self.username, &self.password].into_iter().flatten();
        let strings = user.chain([&self.protocol, &self.host, &self.path]).map(String::len);
        let parameters = self.parameters.iter().map(|(name, value)| name.len() + value.len() + 2);
        strings.chain(parameters).fold(SEPARATORS, usize::saturating_add)
    }

    fn written(&self, how: &Writing) -> String {
        let mut out = format!("{}://", self.protocol);
        if let Some(username) = &self.username {
            out.push_str(&percent::encode(username, percent::NODE));
            if let Some(password) = &self.password {
                out.push(':');
                out.push_str(&(how.password)(password));
            }
            out.push('@');
        }
        // Writing to a String cannot fail.
        let _ = write_host(&mut out, &self.host);
        if let Some(port) = self.port {
            let _ = write!(out, ":{port}");
        }
        if !self.path.is_empty() {
            out.push('/');
            out.push_str(&(how.path)(&self.path));
        }
        let mut before = '?';
        for (name, value) in self.parameters.iter() {
            out.push(before);
            before = '&';
            out.push_str(&(how.name)(name));
            out.push('=');
            out.push_str(&(how.value)(name, value));
        }
        out
    }
}

/// The text form with `***` in place of the password and of secret parameters.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written(&Writing::MASKED))
    }
}

/// As [`fmt::Display`].
impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

/// A text as one part of the path of a registry's node, as [`Url::encode`] writes a whole URL.
pub(crate) fn encode_part(text: &str) -> String {
    percent::encode(text, percent::NODE)
}

/// Most characters of a wrong value in an error.
const SHOWN_CHARACTERS: usize = 40;

/// How the parts that the forms write differently are written.
struct Writing {
    password: fn(&str) -> String,
    path: fn(&str) -> String,
    name: fn(&str) -> String,
    value: fn(&str, &str) -> String,
}

impl Writing {
    const MASKED: Self = Self {
        password: |_| MASK.to_owned(),
        path: |path| percent::encode(path, percent::PATH),
        name: |name| percent::encode(name, percent::NAME),
        value: |name, value| {
            if is_secret(name) { MASK.to_owned() } else { percent::encode(value, percent::VALUE) }
        },
    };
}
