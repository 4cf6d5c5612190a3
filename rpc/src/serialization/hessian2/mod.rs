//! Dubbo's bodies in hessian2 (serialization id 2).
//!
//! ```text
//!   request: "2.0.2" path version method descriptor argument* { attachments }
//!   answer:  type [value | exception] [{ attachments }]       type 0..2, or 3..5 with attachments
//!   error:   text                                             when the status is not OK
//! ```
//!
//! The shapes are those of Java's `DubboCodec` and dubbo-go's `impl/hessian.go`.

mod arguments;
mod returned;

use std::{borrow::Cow, cell::Cell};

use bytes::BytesMut;
use getty::BoxError;
use getty_hessian2::{Decoder, Encode, EncodeState, Encoder, Error, Exception, Kind, Result};

use super::{
    ATTACHMENTS, Head, Outcome, Request, RequestAttachments, Serialization, Trailer,
    answer::{AnswerReader, says_closing},
};
use crate::protocol::Header;

pub use returned::{Fallible, Plain};

use arguments::WriteArguments;

/// Serialization id of hessian2.
pub(crate) const ID: u8 = Serialization::Hessian2.id();
/// What a map without a type begins with.
pub(super) const MAP: u8 = b'H';

/// The head and the entries of the attachments, as bytes.
pub(super) fn plan<'a>(
    head: [&str; 5],
    attachments: impl Iterator<Item = (&'a str, &'a str)>,
) -> (Box<[u8]>, Box<[u8]>) {
    let head = encoded(|e| head.into_iter().for_each(|text| e.str(text)));
    let attachments = encoded(|e| {
        for (name, value) in attachments {
            e.str(name);
            e.str(value);
        }
    });
    (head, attachments)
}

fn encoded(write: impl FnOnce(&mut Encoder<'_, Vec<u8>>)) -> Box<[u8]> {
    let mut out = Vec::new();
    let mut state = EncodeState::new();
    state.begin(&out);
    write(&mut Encoder::new(&mut out, &mut state));
    out.into_boxed_slice()
}

/// Writes a whole request frame.
fn request<A: WriteArguments>(out: &mut BytesMut, request: &Request<'_>, arguments: &A) -> Result<usize> {
    let Request { header, plan, attachments, .. } = request;
    frame(out, *header, |out, state| {
        out.extend_from_slice(&plan.head);
        arguments.write(&mut Encoder::new(out, state))?;
        Encoder::new(out, state).map(None)?;
        out.extend_from_slice(&plan.attachments);
        let mut e = Encoder::new(out, state);
        e.str("timeout");
        e.str(request.timeout().as_str());
        for (name, value) in attachments.iter() {
            e.str(name);
            e.str(value);
        }
        e.end_map();
        Ok(())
    })
}

/// As [`frame`](super::frame), with the tables that go with a body.
fn frame(
    out: &mut BytesMut,
    header: Header,
    body: impl FnOnce(&mut BytesMut, &mut EncodeState) -> Result<()>,
) -> Result<usize> {
    thread_local! {
        /// Tables of the body that is being written; a body inside a body gets its own.
        static STATE: Cell<Option<EncodeState>> = const { Cell::new(None) };
    }
    super::frame(out, header, |out| {
        let mut state = STATE.take().unwrap_or_default();
        state.begin(out);
        let written = body(out, &mut state);
        STATE.set(Some(state));
        written
    })
}

pub(super) fn head<'de>(d: &mut Decoder<'de, '_>) -> Result<Head<'de>> {
    let mut next = || Ok::<_, Error>(d.opt_str()?.unwrap_or_default());
    Ok(Head { protocol: next()?, path: next()?, version: next()?, method: next()?, descriptor: next()? })
}

/// Reads the attachments of a request; where the body ends before them there are none.
pub(super) fn request_attachments(d: &mut Decoder<'_, '_>) -> Result<RequestAttachments> {
    let mut read = RequestAttachments::default();
    if d.remaining() > 0 {
        // A value that was skipped may mean something else behind other arguments, which define classes.
        read.varies = attachments(d, |name, value| read.take(name, value))?;
    }
    Ok(read)
}

/// Reads a map of attachments, or null for none. Values that are no text, number or boolean are skipped; tells whether there were
/// any.
fn attachments(d: &mut Decoder<'_, '_>, mut entry: impl FnMut(&str, Cow<'_, str>)) -> Result<bool> {
    let mut varies = false;
    let mut map = d.map()?;
    let mut count = 0;
    while let Some(name) = d.next_key::<Cow<'_, str>>(&mut map)? {
        count += 1;
        let scalar =
            matches!(d.peek(), Some(Kind::String | Kind::Int | Kind::Long | Kind::Double | Kind::Bool));
        if scalar && count <= ATTACHMENTS {
            entry(&name, d.str()?);
        } else {
            varies = true;
            d.skip()?;
        }
    }
    Ok(varies)
}

impl AnswerReader for Decoder<'_, '_> {
    fn outcome(&mut self) -> Result<(Outcome, bool), BoxError> {
        Ok(Outcome::of(self.i32()?)?)
    }

    fn closing(&mut self) -> Result<bool, BoxError> {
        let mut closing = false;
        attachments(self, |name, value| closing |= says_closing(name, &value))?;
        Ok(closing)
    }
}

/// The text of an answer whose status is not OK.
pub(super) fn error_text<'de>(d: &mut Decoder<'de, '_>) -> Option<Cow<'de, str>> {
    if d.peek() == Some(Kind::String) { d.str().ok() } else { None }
}

/// The text of an event; null is none.
pub(super) fn event_text(d: &mut Decoder<'_, '_>) -> Option<String> {
    d.opt_str().ok().flatten().map(Cow::into_owned)
}

/// Writes what goes behind a result. Never null: dubbo-go closes the connection then.
fn trailer(trailer: Trailer, e: &mut Encoder<'_, BytesMut>) -> Result<()> {
    let Some(entries) = trailer.entries() else { return Ok(()) };
    e.map(None)?;
    for (name, value) in entries {
        e.str(name);
        e.str(value);
    }
    e.end_map();
    Ok(())
}

/// Writes a whole answer that holds a value; a value that is written as null becomes Dubbo's null result.
fn value_answer<T: Encode + ?Sized>(
    out: &mut BytesMut,
    header: Header,
    behind: Trailer,
    value: &T,
) -> Result<usize> {
    const NULL: u8 = b'N';
    frame(out, header, |out, state| {
        let start = out.len();
        let mut e = Encoder::new(out, state);
        e.i32(behind.code(Outcome::Value));
        e.write(value)?;
        if out.get(start + 1..) == Some(&[NULL]) {
            out.truncate(start);
            Encoder::new(out, state).i32(behind.code(Outcome::Null));
        }
        trailer(behind, &mut Encoder::new(out, state))
    })
}

/// Writes a whole answer that holds a value whose bytes stand for themselves.
pub(crate) fn bytes_answer(
    out: &mut BytesMut,
    header: Header,
    behind: Trailer,
    value: &[u8],
) -> Result<usize> {
    frame(out, header, |out, state| {
        Encoder::new(out, state).i32(behind.code(Outcome::Value));
        out.extend_from_slice(value);
        trailer(behind, &mut Encoder::new(out, state))
    })
}

/// Writes a whole answer that holds an exception.
fn exception_answer<E: Exception>(
    out: &mut BytesMut,
    header: Header,
    behind: Trailer,
    exception: &E,
) -> Result<usize> {
    frame(out, header, |out, state| {
        let mut e = Encoder::new(out, state);
        e.i32(behind.code(Outcome::Exception));
        e.write(exception)?;
        trailer(behind, &mut e)
    })
}

/// Writes a whole frame whose body is one text.
pub(super) fn text(out: &mut BytesMut, header: Header, text: &str) -> Result<usize> {
    frame(out, header, |out, state| {
        Encoder::new(out, state).str(text);
        Ok(())
    })
}

/// Writes a whole frame whose body is null.
pub(super) fn null(out: &mut BytesMut, header: Header) -> Result<usize> {
    frame(out, header, |out, state| {
        Encoder::new(out, state).null();
        Ok(())
    })
}

/// The bytes of the next value.
pub(super) fn skipped<'b>(body: &'b [u8], d: &mut Decoder<'_, '_>) -> Result<&'b [u8]> {
    let start = d.position();
    d.skip()?;
    Ok(body.get(start..d.position()).unwrap_or_default())
}
