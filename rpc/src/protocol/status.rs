//! The status byte of an answer.

use std::fmt;

/// The status of an answer. Any byte is one; those that Dubbo names have a constant here.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(pub u8);

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// The statuses of Java's `Response` and of Go's codec.
        impl Status {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// Dubbo's name for it.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

statuses! {
    /// A value, or a business exception.
    OK = 20, "OK";
    /// The answer is larger than the provider's payload limit.
    SERIALIZATION_ERROR = 25, "SERIALIZATION_ERROR";
    /// Local to a Java client: timed out before the request was sent.
    CLIENT_TIMEOUT = 30, "CLIENT_TIMEOUT";
    /// Local to a Java client: timed out after the request was sent.
    SERVER_TIMEOUT = 31, "SERVER_TIMEOUT";
    /// Local to a Java client: the connection was closed.
    CHANNEL_INACTIVE = 35, "CHANNEL_INACTIVE";
    /// The request could not be decoded: unknown service, version or method, bad arguments, too large. From a provider of this crate
    /// also: wrong group.
    BAD_REQUEST = 40, "BAD_REQUEST";
    /// The result could not be encoded.
    BAD_RESPONSE = 50, "BAD_RESPONSE";
    /// Defined, never sent by Java.
    SERVICE_NOT_FOUND = 60, "SERVICE_NOT_FOUND";
    /// The service failed outside its method: a filter, a panic; from Java also: wrong group.
    SERVICE_ERROR = 70, "SERVICE_ERROR";
    /// The request could not be dispatched.
    SERVER_ERROR = 80, "SERVER_ERROR";
    /// Local to a Java client: the answer could not be decoded.
    CLIENT_ERROR = 90, "CLIENT_ERROR";
    /// The provider runs as many calls as it may.
    SERVER_THREADPOOL_EXHAUSTED = 100, "SERVER_THREADPOOL_EXHAUSTED";
}

impl Status {
    /// Whether a call that was answered with this surely did not run: it was refused before it was dispatched.
    pub fn surely_not_run(self) -> bool {
        matches!(self, Self::BAD_REQUEST | Self::SERVICE_NOT_FOUND | Self::SERVER_THREADPOOL_EXHAUSTED)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} {name}", self.0),
            None => write!(f, "{} (a status that Dubbo does not name)", self.0),
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
