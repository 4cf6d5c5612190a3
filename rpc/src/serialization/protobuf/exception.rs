//! Owns exceptions in protobuf: `ThrowableProto`, which has a class, a text, a stack and a cause, and nothing of an exception's own
//! fields.

use bytes::BytesMut;
use getty_hessian2::{StackFrame, Throwable};

use super::wire::{
    Field, Fields, Result, field_len, number_len, put_field_head, put_number, put_number_field, put_text,
};
use crate::serialization::answer::ANY;

/// What it is in error texts.
const NAME: &str = "the exception";

/// A Rust error that is a Java exception in protobuf, where its class and its text travel and its fields do not.
///
/// ```
/// use getty_rpc::ProtobufException;
///
/// #[derive(Debug)]
/// struct NotFound(String);
///
/// impl std::fmt::Display for NotFound {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.write_str(&self.0)
///     }
/// }
///
/// impl std::error::Error for NotFound {}
///
/// impl ProtobufException for NotFound {
///     const CLASS: &'static str = "com.example.NotFoundException";
///
///     fn from_message(message: String) -> Self {
///         Self(message)
///     }
/// }
/// ```
pub trait ProtobufException: std::error::Error + Send + Sync + Sized + 'static {
    /// Java's name of the exception class.
    const CLASS: &'static str;

    /// One with this text, which may be empty.
    fn from_message(message: String) -> Self;

    /// One that was read. Default: by its text.
    fn from_throwable(throwable: Throwable) -> Self {
        Self::from_message(throwable.message().unwrap_or_default().to_owned())
    }

    /// What is written. Default: its class, and what `Display` says as its text.
    fn to_throwable(&self) -> Throwable {
        Throwable::of_class(Self::CLASS, Some(self.to_string()))
    }
}

/// A method that declares it throws anything; the class of each value is its own.
impl ProtobufException for Throwable {
    const CLASS: &'static str = ANY;

    fn from_message(message: String) -> Self {
        Self::new(message)
    }

    fn from_throwable(throwable: Throwable) -> Self {
        throwable
    }

    fn to_throwable(&self) -> Throwable {
        self.clone()
    }
}

/// Reads one, with as many causes and stack frames as a [`Throwable`] holds.
pub(super) fn read(item: &[u8]) -> Result<Throwable> {
    let mut chain = Vec::new();
    let mut next = Some(item);
    while let Some(item) = next.filter(|_| chain.len() <= Throwable::MAX_CAUSES) {
        let mut fields = Fields::of(NAME, item);
        let (mut class, mut message, mut stack) = ("", "", Vec::new());
        next = None;
        while let Some((field, value)) = fields.next()? {
            match field {
                1 => class = fields.text(field, value)?,
                2 => message = fields.text(field, value)?,
                3 if stack.len() < Throwable::MAX_FRAMES => {
                    stack.push(read_frame(fields.message(field, value)?)?)
                }
                4 => next = Some(fields.message(field, value)?),
                _ => {}
            }
        }
        let message = (!message.is_empty()).then(|| message.to_owned());
        chain.push(Throwable::of_class(class, message).with_stack(stack));
    }
    let causes = chain.into_iter().rev();
    let whole = causes.reduce(|cause, throwable| throwable.with_cause(cause));
    Ok(whole.unwrap_or_else(|| Throwable::of_class("", None)))
}

fn read_frame(item: &[u8]) -> Result<StackFrame> {
    let mut fields = Fields::of(NAME, item);
    let mut frame = StackFrame::default();
    while let Some((field, value)) = fields.next()? {
        match (field, value) {
            (1, value) => frame.class = fields.text(field, value)?.to_owned(),
            (2, value) => frame.method = fields.text(field, value)?.to_owned(),
            (3, value) => frame.file = Some(fields.text(field, value)?.to_owned()),
            // As protobuf reads an int32: what is over is cut off.
            (4, Field::Number(line)) => frame.line = line as i32,
            (4, other) => return Err(fields.unexpected(field, other)),
            _ => {}
        }
    }
    Ok(frame)
}

/// Writes one as an item.
pub(super) fn put(out: &mut BytesMut, throwable: &Throwable) {
    let chain: Vec<_> =
        std::iter::successors(Some(throwable), |t| t.cause()).take(Throwable::MAX_CAUSES + 1).collect();
    // From the innermost one outwards, as each holds the next.
    let mut lengths: Vec<usize> = Vec::with_capacity(chain.len());
    for throwable in chain.iter().rev() {
        let cause = lengths.last().map_or(0, |length| field_len(*length));
        lengths.push(own_len(throwable) + cause);
    }
    for (index, (throwable, length)) in chain.into_iter().zip(lengths.into_iter().rev()).enumerate() {
        match index {
            0 => put_number(out, length as u64),
            _ => put_field_head(out, 4, length),
        }
        put_text(out, 1, throwable.class());
        if let Some(message) = throwable.message() {
            put_text(out, 2, message);
        }
        for frame in throwable.stack() {
            put_field_head(out, 3, frame_len(frame));
            put_frame(out, frame);
        }
    }
}

/// How many bytes an exception takes without its cause.
fn own_len(throwable: &Throwable) -> usize {
    let message = throwable.message().map_or(0, |text| field_len(text.len()));
    let stack: usize = throwable.stack().iter().map(|frame| field_len(frame_len(frame))).sum();
    field_len(throwable.class().len()) + message + stack
}

fn frame_len(frame: &StackFrame) -> usize {
    let file = frame.file.as_ref().map_or(0, |file| field_len(file.len()));
    field_len(frame.class.len()) + field_len(frame.method.len()) + file + 1 + number_len(line(frame))
}

fn put_frame(out: &mut BytesMut, frame: &StackFrame) {
    put_text(out, 1, &frame.class);
    put_text(out, 2, &frame.method);
    if let Some(file) = &frame.file {
        put_text(out, 3, file);
    }
    put_number_field(out, 4, line(frame));
}

/// The line as protobuf writes an int32: a negative one as long as an int64.
fn line(frame: &StackFrame) -> u64 {
    i64::from(frame.line) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serialization::protobuf::Items;

    fn chain(causes: usize) -> Throwable {
        let one = |n: usize| {
            let frames = [StackFrame::new("com.example.A", "f").at("A.java", 300), StackFrame::new("", "")];
            Throwable::of_class(format!("com.example.E{n}"), Some("x".repeat(100 * n)).filter(|_| n > 0))
                .with_stack(frames.iter().cycle().take(2 * n).cloned().collect())
        };
        (0..causes).rev().fold(one(causes), |cause, n| one(n).with_cause(cause))
    }

    #[test]
    fn causes_are_read_as_they_were_written_and_too_many_are_left_out() {
        for causes in [0, 1, 2, Throwable::MAX_CAUSES] {
            let mut out = BytesMut::new();
            put(&mut out, &chain(causes));
            let mut items = Items::new(&out);
            assert_eq!(read(items.next("it").unwrap()).unwrap(), chain(causes));
            assert!(items.is_empty());
        }
        let mut out = BytesMut::new();
        put(&mut out, &chain(Throwable::MAX_CAUSES + 5));
        assert_eq!(read(Items::new(&out).next("it").unwrap()).unwrap(), chain(Throwable::MAX_CAUSES));
    }

    #[test]
    fn a_stack_from_a_peer_is_cut() {
        let mut item = BytesMut::new();
        for _ in 0..10_000 {
            put_field_head(&mut item, 3, 0);
        }
        put_text(&mut item, 1, "com.example.E");
        let throwable = read(&item).unwrap();
        assert_eq!(throwable.class(), "com.example.E");
        assert_eq!(throwable.stack(), vec![StackFrame::default(); Throwable::MAX_FRAMES]);
    }

    #[test]
    fn a_chain_of_causes_from_a_peer_is_cut() {
        let mut item: Vec<u8> = Vec::new();
        for _ in 0..10_000 {
            let mut out = BytesMut::new();
            put_field_head(&mut out, 4, item.len());
            item = [&out[..], &item].concat();
        }
        let throwable = read(&item).unwrap();
        assert_eq!(std::iter::successors(Some(&throwable), |t| t.cause()).count(), Throwable::MAX_CAUSES + 1);
    }
}
