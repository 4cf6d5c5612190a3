//! Dubbo's bodies in protobuf (serialization id 22), as Java's `dubbo-serialization-protobuf` lays them out. A body is a row of
//! items, each its length as a varint and then a message of so many bytes.
//!
//! ```text
//!   request: "2.0.2" path version method descriptor argument* attachments      texts: google.protobuf.StringValue
//!   answer:  type [message | exception] [attachments]                          type 0..2, or 3..5 with attachments: Int32Value
//!   error:   text                                                              when the status is not OK
//!
//!   attachments: message Map { map<string, string> attachments = 1; map<string, Any> attachmentsV2 = 2; }
//!   exception:   message ThrowableProto { string class = 1; string message = 2; repeated Frame stack = 3; ThrowableProto cause = 4; }
//! ```
//!
//! Java writes each attachment twice, in both maps, and reads either. Only the first is written here.
//!
//! There is no null: an argument is always a message, and a result that is null is a type of its own.
//!
//! # Memory of a hostile body
//!
//! A message is two bytes where it is empty, and as large as its Rust type once it is read; lists grow by doubling and make room for
//! four at first. So a body takes at most twice the size of the largest of its types for each of its bytes, beside the body itself:
//! 500 bytes for each byte where that type has 250. Only prost knows the types, so nothing here can stop earlier; what bounds it is
//! the payload limit, which is checked before anything is read. The test `protobuf_memory` holds this.

mod arguments;
mod attachments;
mod exception;
mod message;
mod returned;
mod wire;

use std::borrow::Cow;

use bytes::BytesMut;
use getty::BoxError;
use prost::Message;

use super::{
    Head, Outcome, Request, RequestAttachments, Trailer,
    answer::{AnswerReader, says_closing},
};
use crate::protocol::Header;

pub use arguments::{MessageArguments, MessageAs};
pub use exception::ProtobufException;
pub use message::{MessageResult, Nullable, One};
pub use returned::{FallibleMessage, PlainMessage};
pub use wire::Items;

use wire::{Result, int_value, put_number, put_string_value, string_value};

/// The head and the entries of the attachments, as bytes.
pub(super) fn plan<'a>(
    head: [&str; 5],
    attachments: impl Iterator<Item = (&'a str, &'a str)>,
) -> (Box<[u8]>, Box<[u8]>) {
    let mut out = BytesMut::new();
    head.into_iter().for_each(|text| put_string_value(&mut out, text));
    let head = out.split();
    attachments.for_each(|(name, value)| attachments::put_entry(&mut out, name, value));
    (head.as_ref().into(), out.as_ref().into())
}

/// Writes a whole request frame.
fn request(out: &mut BytesMut, request: &Request<'_>, arguments: impl FnOnce(&mut BytesMut)) -> usize {
    let Request { header, plan, attachments, .. } = request;
    frame(out, *header, |out| {
        out.extend_from_slice(&plan.head);
        arguments(out);
        let timeout = request.timeout();
        let entries = || [("timeout", timeout.as_str())].into_iter().chain(attachments.iter());
        let added: usize = entries().map(|(name, value)| attachments::entry_len(name, value)).sum();
        put_number(out, (plan.attachments.len() + added) as u64);
        out.extend_from_slice(&plan.attachments);
        entries().for_each(|(name, value)| attachments::put_entry(out, name, value));
    })
}

/// As [`frame`](super::frame); protobuf can write everything.
fn frame(out: &mut BytesMut, header: Header, body: impl FnOnce(&mut BytesMut)) -> usize {
    let Ok(length) = super::frame(out, header, |out| {
        body(out);
        Ok::<(), std::convert::Infallible>(())
    });
    length
}

pub(super) fn head<'a>(items: &mut Items<'a>) -> Result<Head<'a>> {
    let mut next = |what| items.next(what).and_then(|item| string_value(what, item)).map(Cow::Borrowed);
    Ok(Head {
        protocol: next("the protocol version")?,
        path: next("the service")?,
        version: next("the version of the service")?,
        method: next("the method")?,
        descriptor: next("the descriptor")?,
    })
}

/// Reads the attachments of a request; where the body ends before them there are none.
pub(super) fn request_attachments(items: &mut Items<'_>) -> Result<RequestAttachments> {
    let mut read = RequestAttachments::default();
    if !items.is_empty() {
        attachments::read(items.next(attachments::NAME)?, |name, value| read.take(name, value))?;
    }
    Ok(read)
}

impl AnswerReader for Items<'_> {
    fn outcome(&mut self) -> Result<(Outcome, bool), BoxError> {
        const NAME: &str = "the type of the result";
        let code = int_value(NAME, self.next(NAME)?)?;
        Ok(Outcome::of(i32::try_from(code).unwrap_or(-1))?)
    }

    fn closing(&mut self) -> Result<bool, BoxError> {
        let mut closing = false;
        attachments::read(self.next(attachments::NAME)?, |name, value| {
            closing |= says_closing(name, &value)
        })?;
        Ok(closing)
    }
}

/// The text of an answer whose status is not OK, or of an event.
pub(super) fn text_of(body: &[u8]) -> Option<&str> {
    Items::new(body).next("a text").and_then(|item| string_value("a text", item)).ok()
}

/// Writes a whole answer that holds a message, or null.
fn message_answer<M: Message>(
    out: &mut BytesMut,
    header: Header,
    behind: Trailer,
    message: Option<&M>,
) -> usize {
    frame(out, header, |out| {
        match message {
            Some(message) => {
                code(out, behind.code(Outcome::Value));
                put_message(out, message);
            }
            None => code(out, behind.code(Outcome::Null)),
        }
        trailer(out, behind);
    })
}

/// Writes a whole answer that holds a value whose bytes stand for themselves.
pub(super) fn bytes_answer(out: &mut BytesMut, header: Header, behind: Trailer, value: &[u8]) -> usize {
    frame(out, header, |out| {
        code(out, behind.code(Outcome::Value));
        out.extend_from_slice(value);
        trailer(out, behind);
    })
}

/// Writes a whole answer that holds an exception.
fn exception_answer<E: ProtobufException>(
    out: &mut BytesMut,
    header: Header,
    behind: Trailer,
    exception: &E,
) -> usize {
    frame(out, header, |out| {
        code(out, behind.code(Outcome::Exception));
        exception::put(out, &exception.to_throwable());
        trailer(out, behind);
    })
}

/// Writes a whole frame whose body is one text.
pub(super) fn text(out: &mut BytesMut, header: Header, text: &str) -> usize {
    frame(out, header, |out| put_string_value(out, text))
}

/// Writes the type of a result; a zero is left away, as protobuf does it.
fn code(out: &mut BytesMut, code: i32) {
    match u8::try_from(code) {
        Ok(code @ 1..) => out.extend_from_slice(&[2, 1 << 3, code]),
        _ => out.extend_from_slice(&[0]),
    }
}

/// Writes what goes behind a result.
fn trailer(out: &mut BytesMut, trailer: Trailer) {
    let Some(entries) = trailer.entries() else { return };
    let length: usize = entries.clone().map(|(name, value)| attachments::entry_len(name, value)).sum();
    put_number(out, length as u64);
    entries.for_each(|(name, value)| attachments::put_entry(out, name, value));
}

/// Writes a message as an item.
fn put_message<M: Message>(out: &mut BytesMut, message: &M) {
    let length = message.encoded_len();
    put_number(out, length as u64);
    let start = out.len();
    out.resize(start + length, 0);
    // Into a slice, as prost writes byte by byte: a `BytesMut` would look for room at each of them, a fifth of the whole.
    if let Some(mut place) = out.get_mut(start..) {
        message.encode_raw(&mut place);
    }
}

/// The name of a message, for error texts.
fn name_of<M>() -> &'static str {
    let path = std::any::type_name::<M>();
    path.rsplit("::").next().unwrap_or(path)
}
