//! Dubbo's bodies in hessian2 (serialization id 2).
//!
//! ```text
//!   request: "2.0.2" path version method descriptor argument* { attachments }
//!   answer:  type [value | exception] [{ attachments }]       type 0..2, or 3..5 with attachments
//!   error:   text                                             when the status is not OK
//! ```
//!
//! The shapes are those of Java's `DubboCodec` and dubbo-go's `impl/hessian.go`.

use std::{borrow::Cow, cell::Cell, time::Duration};

use bytes::BytesMut;
use getty_hessian2::{Decoder, Encode, EncodeState, Encoder, Error, Exception, Kind, Result, Throwable};

use super::EncodeArguments;
use crate::{
    attachments::Attachments,
    protocol::{DUBBO_VERSION, HEADER, Header},
    service::{Method, Target},
};

/// Serialization id of hessian2.
pub(crate) const ID: u8 = 2;
/// Characters of an error text that are sent or kept.
const TEXT: usize = 4 * 1024;
/// Attachments of one message that are kept.
const ATTACHMENTS: usize = 256;

/// What is the same in every request to one method of one service, as bytes.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    head: Box<[u8]>,
    attachments: Box<[u8]>,
}

impl Plan {
    pub(crate) fn new(target: &Target, method: &Method) -> Self {
        let head = encoded(|e| {
            for text in [DUBBO_VERSION, &target.interface, &target.version, method.name, method.descriptor] {
                e.str(text);
            }
        });
        // Java decides by the body's version and the attachments' group, Go by the attachments alone.
        let attachments = encoded(|e| {
            let entries = [
                ("path", &target.interface),
                ("interface", &target.interface),
                ("version", &target.version),
                ("group", &target.group),
            ];
            for (name, value) in entries {
                if !value.is_empty() {
                    e.str(name);
                    e.str(value);
                }
            }
        });
        Self { head, attachments }
    }
}

fn encoded(write: impl FnOnce(&mut Encoder<'_, Vec<u8>>)) -> Box<[u8]> {
    let mut out = Vec::new();
    let mut state = EncodeState::new();
    state.begin(&out);
    write(&mut Encoder::new(&mut out, &mut state));
    out.into_boxed_slice()
}

/// Writes a whole request frame. What it has written when it fails is the caller's to take back.
pub(crate) fn request<A: EncodeArguments>(
    out: &mut BytesMut,
    header: Header,
    plan: &Plan,
    arguments: &A,
    timeout: Duration,
    attachments: &Attachments,
) -> Result<usize> {
    frame(out, header, |out, state| {
        out.extend_from_slice(&plan.head);
        arguments.encode_arguments(&mut Encoder::new(out, state))?;
        Encoder::new(out, state).map(None)?;
        out.extend_from_slice(&plan.attachments);
        let mut e = Encoder::new(out, state);
        e.str("timeout");
        // Zero would be no limit at all.
        e.str(Decimal::new(timeout.as_millis().max(1)).as_str());
        for (name, value) in attachments.iter() {
            e.str(name);
            e.str(value);
        }
        e.end_map();
        Ok(())
    })
}

/// Writes a header and a body after it, and puts the body's length into the header. Returns that length.
fn frame(
    out: &mut BytesMut,
    header: Header,
    body: impl FnOnce(&mut BytesMut, &mut EncodeState) -> Result<()>,
) -> Result<usize> {
    thread_local! {
        /// Tables of the body that is being written; a body inside a body gets its own.
        static STATE: Cell<Option<EncodeState>> = const { Cell::new(None) };
    }
    let start = out.len();
    out.extend_from_slice(&header.to_bytes());
    let mut state = STATE.take().unwrap_or_default();
    state.begin(out);
    let written = body(out, &mut state);
    STATE.set(Some(state));
    written?;
    let length = out.len() - start - HEADER;
    let filled = Header { length: u32::try_from(length).unwrap_or(u32::MAX), ..header };
    if let Some(place) = out.get_mut(start..start + HEADER) {
        place.copy_from_slice(&filled.to_bytes());
    }
    Ok(length)
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

impl<'de> Head<'de> {
    pub(crate) fn read(d: &mut Decoder<'de, '_>) -> Result<Self> {
        let mut next = || Ok::<_, Error>(d.opt_str()?.unwrap_or_default());
        Ok(Self { protocol: next()?, path: next()?, version: next()?, method: next()?, descriptor: next()? })
    }
}

/// What the attachments of a request say to the framework, and the rest, which is the service's.
#[derive(Debug, Default)]
pub(crate) struct RequestAttachments {
    pub(crate) group: Option<String>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) user: Attachments,
}

impl RequestAttachments {
    pub(crate) fn read(d: &mut Decoder<'_, '_>) -> Result<Self> {
        let mut read = Self::default();
        attachments(d, |name, value| match name {
            // The body says these already.
            "path" | "interface" | "version" | "dubbo" | "async" => {}
            "group" => read.group = Some(value.into_owned()).filter(|group| !group.is_empty()),
            "timeout" => read.timeout = timeout(&value),
            _ => read.user.set(name, value),
        })?;
        Ok(read)
    }
}

/// Zero, and what is no number, means no limit: dubbo-go sends "0" when it tries again.
fn timeout(text: &str) -> Option<Duration> {
    text.parse().ok().filter(|millis| *millis > 0).map(Duration::from_millis)
}

/// Reads a map of attachments, or null for none. Values that are no text, number or boolean are skipped.
fn attachments(d: &mut Decoder<'_, '_>, mut entry: impl FnMut(&str, Cow<'_, str>)) -> Result<()> {
    let mut map = d.map()?;
    let mut count = 0;
    while let Some(name) = d.next_key::<Cow<'_, str>>(&mut map)? {
        count += 1;
        let scalar =
            matches!(d.peek(), Some(Kind::String | Kind::Int | Kind::Long | Kind::Double | Kind::Bool));
        if scalar && count <= ATTACHMENTS {
            entry(&name, d.str()?);
        } else {
            d.skip()?;
        }
    }
    Ok(())
}

/// What an answer with status OK holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Exception,
    Value,
    Null,
}

/// Reads the type of a result, and whether attachments follow it.
pub(crate) fn outcome(d: &mut Decoder<'_, '_>) -> Result<(Outcome, bool)> {
    let code = d.i32()?;
    let outcome = match code {
        0 | 3 => Outcome::Exception,
        1 | 4 => Outcome::Value,
        2 | 5 => Outcome::Null,
        _ => return Err(Error::custom(format!("the type of a result is 0 to 5, not {code}"))),
    };
    Ok((outcome, code >= 3))
}

/// Reads the attachments of an answer; true when the provider says that it is closing, as dubbo-go does.
pub(crate) fn closing(d: &mut Decoder<'_, '_>) -> Result<bool> {
    let mut closing = false;
    attachments(d, |name, value| closing |= name == "closing" && value == "true")?;
    Ok(closing)
}

/// The text of an answer whose status is not OK: null, missing, empty or broken text is none. Cut to 4,096 characters.
pub(crate) fn error_text(d: &mut Decoder<'_, '_>) -> Option<String> {
    if d.peek() != Some(Kind::String) {
        return None;
    }
    let text = d.str().ok().filter(|text| !text.is_empty())?;
    Some(text.chars().take(TEXT).collect())
}

/// The text of an event; null is none.
pub(crate) fn event_text<'de>(d: &mut Decoder<'de, '_>) -> Option<Cow<'de, str>> {
    d.opt_str().ok().flatten()
}

/// What goes behind a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trailer {
    /// Whether the caller understands attachments.
    pub(crate) attachments: bool,
    /// Whether the provider is shutting down; Go callers then go elsewhere.
    pub(crate) closing: bool,
}

impl Trailer {
    fn write(self, e: &mut Encoder<'_, BytesMut>) -> Result<()> {
        if self.attachments {
            // Never null: dubbo-go closes the connection then.
            e.map(None)?;
            e.str("dubbo");
            e.str(DUBBO_VERSION);
            if self.closing {
                e.str("closing");
                e.str("true");
            }
            e.end_map();
        }
        Ok(())
    }

    fn code(self, plain: i32) -> i32 {
        if self.attachments { plain + 3 } else { plain }
    }
}

/// Writes a whole answer that holds a value; a value that is written as null becomes Dubbo's null result.
pub(crate) fn value_answer<T: Encode + ?Sized>(
    out: &mut BytesMut,
    header: Header,
    trailer: Trailer,
    value: &T,
) -> Result<usize> {
    const NULL: u8 = b'N';
    frame(out, header, |out, state| {
        let start = out.len();
        let mut e = Encoder::new(out, state);
        e.i32(trailer.code(1));
        e.write(value)?;
        if out.get(start + 1..) == Some(&[NULL]) {
            out.truncate(start);
            Encoder::new(out, state).i32(trailer.code(2));
        }
        trailer.write(&mut Encoder::new(out, state))
    })
}

/// Writes a whole answer that holds a value whose bytes stand for themselves.
pub(crate) fn bytes_answer(
    out: &mut BytesMut,
    header: Header,
    trailer: Trailer,
    value: &[u8],
) -> Result<usize> {
    frame(out, header, |out, state| {
        Encoder::new(out, state).i32(trailer.code(1));
        out.extend_from_slice(value);
        trailer.write(&mut Encoder::new(out, state))
    })
}

/// Writes a whole answer that holds an exception.
pub(crate) fn exception_answer<E: Exception>(
    out: &mut BytesMut,
    header: Header,
    trailer: Trailer,
    exception: &E,
) -> Result<usize> {
    frame(out, header, |out, state| {
        let mut e = Encoder::new(out, state);
        e.i32(trailer.code(0));
        e.write(exception)?;
        trailer.write(&mut e)
    })
}

/// Writes a whole answer whose status is not OK. The text is never null or empty: dubbo-go closes the connection then.
pub(crate) fn error_answer(out: &mut BytesMut, header: Header, text: &str) -> Result<usize> {
    frame(out, header, |out, state| {
        let text: Cow<'_, str> = match text.char_indices().nth(TEXT) {
            Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
            None if text.is_empty() => Cow::Borrowed("no reason given"),
            None => Cow::Borrowed(text),
        };
        Encoder::new(out, state).str(&text);
        Ok(())
    })
}

/// Writes a whole event frame: null for a heartbeat, else its text.
pub(crate) fn event(out: &mut BytesMut, header: Header, text: Option<&str>) -> Result<usize> {
    frame(out, header, |out, state| {
        let mut e = Encoder::new(out, state);
        match text {
            Some(text) => e.str(text),
            None => e.null(),
        }
        Ok(())
    })
}

/// The bytes of the next value. Those of a request's first argument stand for themselves: the values before it are text, and
/// neither define classes nor can be referred to.
pub(crate) fn skipped<'b>(body: &'b [u8], d: &mut Decoder<'_, '_>) -> Result<&'b [u8]> {
    let start = d.position();
    d.skip()?;
    Ok(body.get(start..d.position()).unwrap_or_default())
}

/// An exception of any class.
pub(crate) fn throwable(d: &mut Decoder<'_, '_>) -> Result<Throwable> {
    d.read()
}

/// A number in decimal digits, without an allocation.
struct Decimal {
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

    fn as_str(&self) -> &str {
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
