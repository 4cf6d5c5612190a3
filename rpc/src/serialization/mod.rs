//! Bodies: how requests and answers become bytes and back. Knows no socket and no waiting.
//!
//! ```text
//!            client                                        server
//!   EncodeArguments::write_request  ==== request ====>  BodyReader: head, then DecodeArguments, then attachments
//!   Returned::read                  <==== answer =====  Returned::write
//! ```
//!
//! Both sides know the types that travel, so a serialization is chosen by types and not by a table: `hessian2` and `protobuf` each
//! implement these traits for their own. What all have in common lies here.

mod answer;
mod body;
pub(crate) mod hessian2;
#[cfg(feature = "protobuf")]
pub(crate) mod protobuf;
mod request;

use std::{borrow::Cow, fmt};

use bytes::{Bytes, BytesMut};
use getty::BoxError;
use getty_hessian2::{DecodeState, Decoder};

use crate::protocol::{HEADER, Header};

pub use answer::{AnswerBody, Returned, Trailer};
pub use body::BodyReader;
pub use request::{ArgumentsError, DecodeArguments, EncodeArguments, Plan, Request};
pub(crate) use request::{Head, RequestAttachments};

use answer::Outcome;

/// Characters of an error text that are sent or kept.
const TEXT: usize = 4 * 1024;
/// Attachments of one message that are kept.
const ATTACHMENTS: usize = 256;
/// Serialization id of protobuf, which may come from a peer even where it is not known.
const PROTOBUF: u8 = 22;

/// How arguments and results become bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Serialization {
    /// Hessian 2: Dubbo's default, and the only one that dubbo-go speaks.
    Hessian2,
    /// Protobuf, as Java's extension `dubbo-serialization-protobuf` lays it out.
    ///
    /// A hostile body can take twice the size of the largest of its message types (`size_of`) for each of its bytes: an empty
    /// message in a list is two bytes. hessian2 stops at 64 times the body and 1 MiB; here the payload limit is the only bound, so a
    /// server with large message types that strangers can reach lowers it: [`Server::payload`](crate::Server::payload).
    #[cfg(feature = "protobuf")]
    Protobuf,
}

impl Serialization {
    /// All that are known here.
    const KNOWN: &'static [Self] = &[
        Self::Hessian2,
        #[cfg(feature = "protobuf")]
        Self::Protobuf,
    ];

    /// The number that stands for it in a frame's header.
    pub const fn id(self) -> u8 {
        match self {
            Self::Hessian2 => 2,
            #[cfg(feature = "protobuf")]
            Self::Protobuf => PROTOBUF,
        }
    }

    /// Its name in registries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hessian2 => "hessian2",
            #[cfg(feature = "protobuf")]
            Self::Protobuf => "protobuf",
        }
    }

    /// That of a header, if it is known here.
    pub(crate) fn of(id: u8) -> Option<Self> {
        Self::KNOWN.iter().copied().find(|known| known.id() == id)
    }

    /// Says that this one is not known, and which are.
    pub(crate) fn unknown(id: u8) -> String {
        let known: Vec<_> =
            Self::KNOWN.iter().map(|known| format!("{} ({})", known.id(), known.name())).collect();
        let verb = if known.len() == 1 { "is" } else { "are" };
        format!("serialization {id} is not known here, {} {verb}", known.join(" and "))
    }
}

/// `protobuf (22)`
impl fmt::Display for Serialization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.id())
    }
}

/// Writes a whole answer whose status is not OK, in this serialization. The text is never null or empty: dubbo-go closes the
/// connection then.
pub(crate) fn error_answer(
    out: &mut BytesMut,
    serialization: Serialization,
    header: Header,
    text: &str,
) -> Result<usize, BoxError> {
    let text: Cow<'_, str> = match text.char_indices().nth(TEXT) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None if text.is_empty() => Cow::Borrowed("no reason given"),
        None => Cow::Borrowed(text),
    };
    let header = Header { serialization: serialization.id(), ..header };
    match serialization {
        Serialization::Hessian2 => Ok(hessian2::text(out, header, &text)?),
        #[cfg(feature = "protobuf")]
        Serialization::Protobuf => Ok(protobuf::text(out, header, &text)),
    }
}

/// Writes a whole answer that holds a value whose bytes stand for themselves.
pub(crate) fn bytes_answer(
    out: &mut BytesMut,
    serialization: Serialization,
    header: Header,
    trailer: Trailer,
    value: &[u8],
) -> Result<usize, BoxError> {
    match serialization {
        Serialization::Hessian2 => Ok(hessian2::bytes_answer(out, header, trailer, value)?),
        #[cfg(feature = "protobuf")]
        Serialization::Protobuf => Ok(protobuf::bytes_answer(out, header, trailer, value)),
    }
}

/// The text of an answer whose status is not OK: null, missing, empty or broken text is none, and so is one in a serialization
/// that is not known. Cut to 4,096 characters.
pub(crate) fn error_text(id: u8, body: &Bytes, state: &mut DecodeState) -> Option<String> {
    let text = match Serialization::of(id)? {
        Serialization::Hessian2 => hessian2::error_text(&mut Decoder::new(body, state))?,
        #[cfg(feature = "protobuf")]
        Serialization::Protobuf => protobuf::text_of(body)?.into(),
    };
    (!text.is_empty()).then(|| text.chars().take(TEXT).collect())
}

/// Writes a whole event frame: its text, or null for a heartbeat.
pub(crate) fn event(out: &mut BytesMut, header: Header, text: Option<&str>) -> Result<usize, BoxError> {
    match text {
        Some(text) => Ok(hessian2::text(out, Header { serialization: hessian2::ID, ..header }, text)?),
        // It has no null, so Java leaves the body away.
        None if header.serialization == PROTOBUF => frame(out, header, |_| Ok(())),
        None => Ok(hessian2::null(out, header)?),
    }
}

/// The text of an event; null and what cannot be read is none.
pub(crate) fn event_text(id: u8, body: &[u8]) -> Option<String> {
    match Serialization::of(id)? {
        Serialization::Hessian2 => hessian2::event_text(&mut Decoder::new(body, &mut DecodeState::new())),
        #[cfg(feature = "protobuf")]
        Serialization::Protobuf => protobuf::text_of(body).map(str::to_owned),
    }
}

/// Writes a header and a body after it, and puts the body's length into the header. Returns that length.
fn frame<E>(
    out: &mut BytesMut,
    header: Header,
    body: impl FnOnce(&mut BytesMut) -> Result<(), E>,
) -> Result<usize, E> {
    let start = out.len();
    out.extend_from_slice(&header.to_bytes());
    body(out)?;
    let length = out.len() - start - HEADER;
    let filled = Header { length: u32::try_from(length).unwrap_or(u32::MAX), ..header };
    if let Some(place) = out.get_mut(start..start + HEADER) {
        place.copy_from_slice(&filled.to_bytes());
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_refused_with_what_is() {
        for id in (0..32).filter(|id| Serialization::of(*id).is_none()) {
            let text = Serialization::unknown(id);
            assert!(
                text.starts_with(&format!("serialization {id} is not known here, 2 (hessian2) ")),
                "{text}"
            );
        }
        for known in Serialization::KNOWN {
            assert_eq!(Serialization::of(known.id()), Some(*known));
        }
    }
}
