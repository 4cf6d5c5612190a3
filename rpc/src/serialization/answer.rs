//! Answers with status OK, whatever their serialization: what they hold, and the trait of what a method gives.

use bytes::{Bytes, BytesMut};
use getty::BoxError;
use getty_hessian2::DecodeState;

use super::Serialization;
use crate::{
    error::{Error, ErrorKind, Result},
    protocol::{DUBBO_VERSION, Header},
};

/// A method that declares this class declares everything.
pub(super) const ANY: &str = "java.lang.Throwable";

/// The return type of a method, and how it travels.
pub trait Returned: 'static {
    /// What the method gives.
    type Output;

    /// How it is written.
    const SERIALIZATION: Serialization;

    /// Reads an answer with status OK.
    ///
    /// # Errors
    /// [`ErrorKind::BadResponse`] when it holds nothing of this type, [`ErrorKind::Exception`] when it holds an exception that the
    /// method does not declare.
    fn read(answer: &mut AnswerBody<'_>) -> Result<Self::Output>;

    /// What a method gives that is not answered.
    ///
    /// # Errors
    /// [`ErrorKind::BadResponse`] when that cannot be nothing.
    fn nothing() -> Result<Self::Output>;

    /// Writes a whole answer frame and says how long its body is. What it has written when it fails is the caller's to take back.
    ///
    /// # Errors
    /// When the value cannot be written.
    fn write(
        output: &Self::Output,
        out: &mut BytesMut,
        header: Header,
        trailer: Trailer,
    ) -> Result<usize, BoxError>;
}

/// The body of an answer with status OK.
#[derive(Debug)]
pub struct AnswerBody<'a> {
    pub(super) body: &'a Bytes,
    pub(super) state: &'a mut DecodeState,
    pub(super) closing: bool,
}

impl<'a> AnswerBody<'a> {
    pub(crate) fn new(body: &'a Bytes, state: &'a mut DecodeState) -> Self {
        Self { body, state, closing: false }
    }

    /// Whether the provider said there that it is shutting down, as dubbo-go does. Known once the answer was read.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }
}

/// What an answer with status OK holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Exception,
    Value,
    Null,
}

impl Outcome {
    /// That of a result's type, and whether attachments follow it.
    pub(super) fn of(code: i32) -> Result<(Self, bool), String> {
        let outcome = match code {
            0 | 3 => Self::Exception,
            1 | 4 => Self::Value,
            2 | 5 => Self::Null,
            _ => return Err(format!("the type of a result is 0 to 5, not {code}")),
        };
        Ok((outcome, code >= 3))
    }
}

/// The body of an answer with status OK, in one serialization: a type, what it says that comes, and attachments.
pub(super) trait AnswerReader {
    /// Reads the type of the result, and whether attachments follow it.
    fn outcome(&mut self) -> Result<(Outcome, bool), BoxError>;

    /// Reads the attachments; true when the provider says that it is closing.
    fn closing(&mut self) -> Result<bool, BoxError>;
}

/// Reads a whole answer, whose result is read by `result`, and notes whether the provider is closing.
pub(super) fn read<R: AnswerReader, T>(
    mut answer: R,
    closing: &mut bool,
    result: impl FnOnce(&mut R, Outcome) -> Result<T>,
) -> Result<T> {
    let (outcome, attachments) = answer.outcome().map_err(bad_response)?;
    let result = result(&mut answer, outcome);
    // Where the result is broken nobody knows where the attachments begin.
    let whole = !matches!(&result, Err(error) if matches!(error.kind(), ErrorKind::BadResponse));
    if attachments && whole {
        *closing = answer.closing().map_err(bad_response)?;
    }
    result
}

/// What goes behind a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer {
    /// Whether the caller understands attachments.
    pub(crate) attachments: bool,
    /// Whether the provider is shutting down; Go callers then go elsewhere.
    pub(crate) closing: bool,
}

impl Trailer {
    /// The type of the result.
    pub(super) fn code(self, outcome: Outcome) -> i32 {
        let plain = match outcome {
            Outcome::Exception => 0,
            Outcome::Value => 1,
            Outcome::Null => 2,
        };
        if self.attachments { plain + 3 } else { plain }
    }

    /// The attachments, where the caller understands them.
    pub(super) fn entries(self) -> Option<impl Iterator<Item = (&'static str, &'static str)> + Clone> {
        let closing = self.closing.then_some(("closing", "true"));
        self.attachments.then(|| [("dubbo", DUBBO_VERSION)].into_iter().chain(closing))
    }
}

/// Whether the attachments of an answer say that the provider is closing.
pub(super) fn says_closing(name: &str, value: &str) -> bool {
    name == "closing" && value == "true"
}

pub(super) fn bad_response(error: impl Into<BoxError>) -> Error {
    let error = error.into();
    Error::may_have_run(ErrorKind::BadResponse, error.to_string()).caused_by(error)
}
