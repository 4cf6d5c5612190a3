//! Requests, whatever their serialization: what is prepared once for a method, what stands around the arguments, and the traits of
//! argument lists.

use std::{borrow::Cow, time::Duration};

use bytes::BytesMut;
use getty::BoxError;

#[cfg(feature = "protobuf")]
use super::protobuf;
use super::{BodyReader, Serialization, hessian2};
use crate::{
    attachments::Attachments,
    protocol::{DUBBO_VERSION, Header},
    service::{Method, Target},
};

/// The arguments of one call, as they are written.
pub trait EncodeArguments: Send {
    /// How they are written. The plan of the request must be of the same.
    const SERIALIZATION: Serialization;

    /// Writes a whole request frame and says how long its body is. What it has written when it fails is the caller's to take back.
    ///
    /// # Errors
    /// Of the first argument that cannot be written.
    fn write_request(&self, out: &mut BytesMut, request: &Request<'_>) -> Result<usize, BoxError>;
}

/// The arguments of one call, as they are read.
pub trait DecodeArguments: Sized {
    /// Reads them to where they are wanted, as they may be large; the body then stands at the attachments. What is there after an
    /// error means nothing.
    ///
    /// # Errors
    /// Of the first that cannot be read.
    fn decode_arguments(
        body: &mut BodyReader<'_>,
        arguments: &mut Option<Self>,
    ) -> Result<(), ArgumentsError>;
}

/// Why arguments cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArgumentsError {
    /// One of them is broken or of another type.
    #[error("argument {0} cannot be read: {1}")]
    Argument(usize, BoxError),
    /// The method is not offered in the serialization of the request.
    #[error("it speaks {speaks}, the request is in {request}")]
    Serialization {
        /// That of the method.
        speaks: Serialization,
        /// That of the request.
        request: Serialization,
    },
}

/// What a request frame holds beside the arguments.
#[derive(Debug)]
pub struct Request<'a> {
    pub(crate) header: Header,
    pub(crate) plan: &'a Plan,
    pub(crate) timeout: Duration,
    pub(crate) attachments: &'a Attachments,
}

impl Request<'_> {
    /// The timeout in milliseconds, as it is written. Zero would be no limit at all.
    pub(super) fn timeout(&self) -> Decimal {
        Decimal::new(self.timeout.as_millis().max(1))
    }
}

/// What is the same in every request to one method of one service, as bytes.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) serialization: Serialization,
    pub(super) head: Box<[u8]>,
    /// Entries of the attachments.
    pub(super) attachments: Box<[u8]>,
}

impl Plan {
    pub(crate) fn new(serialization: Serialization, target: &Target, method: &Method) -> Self {
        let head = [DUBBO_VERSION, &target.interface, &target.version, method.name, method.descriptor];
        // Java decides by the body's version and the attachments' group, Go by the attachments alone.
        let attachments = [
            ("path", &*target.interface),
            ("interface", &target.interface),
            ("version", &target.version),
            ("group", &target.group),
        ];
        let attachments = attachments.into_iter().filter(|(_, value)| !value.is_empty());
        let (head, attachments) = match serialization {
            Serialization::Hessian2 => hessian2::plan(head, attachments),
            #[cfg(feature = "protobuf")]
            Serialization::Protobuf => protobuf::plan(head, attachments),
        };
        Self { serialization, head, attachments }
    }

    /// Of which serialization the requests are.
    pub(crate) fn serialization(&self) -> Serialization {
        self.serialization
    }
}

/// The first five values of a request.
#[derive(Debug)]
pub(crate) struct Head<'de> {
    pub(crate) protocol: Cow<'de, str>,
    pub(crate) path: Cow<'de, str>,
    pub(crate) version: Cow<'de, str>,
    pub(crate) method: Cow<'de, str>,
    pub(crate) descriptor: Cow<'de, str>,
}

/// What the attachments of a request say to the framework, and the rest, which is the service's.
#[derive(Debug, Default)]
pub(crate) struct RequestAttachments {
    pub(crate) group: Option<String>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) user: Attachments,
    /// The same bytes may mean something else in another request.
    pub(crate) varies: bool,
}

impl RequestAttachments {
    pub(super) fn take(&mut self, name: &str, value: Cow<'_, str>) {
        match name {
            // The body says these already.
            "path" | "interface" | "version" | "dubbo" | "async" => {}
            "group" => self.group = Some(value.into_owned()).filter(|group| !group.is_empty()),
            "timeout" => self.timeout = timeout(&value),
            _ => self.user.set(name, value),
        }
    }
}

/// Zero, and what is no number, means no limit: dubbo-go sends "0" when it tries again.
fn timeout(text: &str) -> Option<Duration> {
    text.parse().ok().filter(|millis| *millis > 0).map(Duration::from_millis)
}

/// A number in decimal digits, without an allocation.
pub(super) struct Decimal {
    digits: [u8; 39],
    start: usize,
}

impl Decimal {
    fn new(mut number: u128) -> Self {
        let mut digits = [b'0'; 39];
        let mut start = digits.len();
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
            start -= 1;
            if number == 0 {
                break;
            }
        }
        Self { digits, start }
    }

    pub(super) fn as_str(&self) -> &str {
        self.digits.get(self.start..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or("0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_full() {
        for number in [0, 7, 10, 3_000, u128::from(u64::MAX), u128::MAX] {
            assert_eq!(Decimal::new(number).as_str(), number.to_string());
        }
    }

    #[test]
    fn a_timeout_of_zero_or_of_no_number_is_no_limit() {
        assert_eq!(timeout("3000"), Some(Duration::from_secs(3)));
        for text in ["0", "", "-1", "3s"] {
            assert_eq!(timeout(text), None, "{text}");
        }
    }
}
