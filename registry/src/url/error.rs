//! Owns the errors of URLs. Must never repeat the text of a URL: a password may stand anywhere in a broken one. An
//! error names the part and the one character that is wrong.

use std::fmt;

use super::{MAX_ENCODED_BYTES, MAX_PARAMETERS, MAX_URL_BYTES};

/// The part of a URL that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// Before `://`.
    Protocol,
    /// Between `://` and the first `:` before the `@`.
    Username,
    /// Between that `:` and the `@`.
    Password,
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    Host,
    /// After the last `:` of the host.
    Port,
    /// After the `/` that ends host and port; for a service its interface.
    Path,
    /// Before the `=` of a parameter.
    ParameterName,
    /// After the `=` of a parameter.
    ParameterValue,
    /// The whole name of a registry node, before it is split.
    Node,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Protocol => "the protocol",
            Self::Username => "the user name",
            Self::Password => "the password",
            Self::Host => "the host",
            Self::Port => "the port",
            Self::Path => "the path",
            Self::ParameterName => "a parameter's name",
            Self::ParameterValue => "a parameter's value",
            Self::Node => "the node name",
        })
    }
}

/// Why a text is no URL, or parts make none.
///
/// No message holds a user name, a password or a value: only a part, a character and its percent form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// There is no `://`, or nothing before it.
    #[error("expected a URL such as dubbo://host:20880/interface, found no protocol and `://`")]
    NoProtocol,
    /// A node name is percent-encoded more than once. Dubbo encodes a URL once.
    #[error("expected a URL that is percent-encoded once, found one that is encoded twice")]
    EncodedTwice,
    /// A character that the part cannot hold as it is, but can in percent form.
    #[error("found {} in {part}; write it as {}", Quoted(*character), Percent(*character))]
    Character {
        /// Where it stands.
        part: Part,
        /// What was found.
        character: char,
    },
    /// A character that a protocol or a host cannot hold in any form.
    #[error("found {} in {part}, which holds only {}", Quoted(*character), allowed(*part, *character))]
    Forbidden {
        /// Where it stands.
        part: Part,
        /// What was found.
        character: char,
    },
    /// An `@` after the host. Taken as it stands, a `/` or `?` in a password would make another host of the user name.
    #[error(
        "found `@` behind {}; if that character belongs to the user name or the password, write it as {}; if the `@` \
         belongs to the path or a parameter, write it as %40",
        Quoted(*separator), Percent(*separator)
    )]
    AtSign {
        /// The character that ended user, password and host: `/` or `?`.
        separator: char,
    },
    /// A `%` without two hexadecimal digits behind it.
    #[error("expected two hexadecimal digits behind `%` in {part}; write the percent sign itself as %25")]
    Percent {
        /// Where it stands.
        part: Part,
    },
    /// The bytes in percent form are no UTF-8.
    #[error("expected UTF-8 in the percent forms of {part}")]
    NotUtf8 {
        /// Where they stand.
        part: Part,
    },
    /// There is no host.
    #[error("expected a host between `://` and the port, found none")]
    NoHost,
    /// A host of more than 255 bytes.
    #[error("expected a host of at most {} bytes, found a longer one", crate::address::MAX_HOST_BYTES)]
    HostTooLong,
    /// Brackets without an IPv6 address in them, or more than one `:` without brackets.
    #[error(
        "expected host:port, an IPv6 address in brackets and without a zone, such as [2001:db8::5]:20880"
    )]
    Ipv6,
    /// The port is missing behind its `:`, is no number, is 0 or is above 65535.
    #[error("expected a port from 1 to 65535 behind the `:` of the host")]
    Port,
    /// An address needs a port.
    #[error("expected host:port, found a host without a port")]
    NoPort,
    /// Over [`MAX_URL_BYTES`] or [`MAX_ENCODED_BYTES`].
    #[error(
        "expected a URL of at most {MAX_URL_BYTES} bytes ({MAX_ENCODED_BYTES} in percent form), found a longer one"
    )]
    TooLong,
    /// Over [`MAX_PARAMETERS`].
    #[error("expected at most {MAX_PARAMETERS} parameters, found more")]
    TooManyParameters,
}

/// Why the value of a parameter is not of the type asked for. The value of a secret parameter is not shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected parameter `{name}` to be a value of type {expected}, found {found}")]
#[non_exhaustive]
pub struct ParameterError {
    /// The name of the parameter.
    pub name: String,
    /// The Rust type that was asked for.
    pub expected: &'static str,
    /// The value, escaped and cut to 40 characters; `***` for a secret one.
    pub found: String,
}

fn allowed(part: Part, character: char) -> String {
    match part {
        Part::Protocol => "letters, digits, `+`, `-`, `.` and `_`, a letter first".to_owned(),
        _ => format!(
            "letters, digits, `.`, `-` and `_`; if it belongs to a user name or password, write it as {} and end them \
             with `@`",
            Percent(character)
        ),
    }
}

/// A character as an error shows it: white space and control characters by their number.
struct Quoted(char);

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ' ' => f.write_str("a space"),
            c if c.is_whitespace() || c.is_control() => write!(f, "U+{:04X}", u32::from(c)),
            c => write!(f, "`{c}`"),
        }
    }
}

struct Percent(char);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 4];
        self.0.encode_utf8(&mut bytes).bytes().try_for_each(|byte| write!(f, "%{byte:02X}"))
    }
}
