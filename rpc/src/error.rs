//! What a call can fail with, and whether it can have run.

use std::{fmt, sync::Arc};

use getty_hessian2::Throwable;

use crate::protocol::Status;

/// The result of a call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed. [`kind`](Self::kind) says what happened, [`surely_not_run`](Self::surely_not_run) whether it is safe to call again.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    not_run: bool,
    message: String,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// What happened to a call.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No answer within the call's timeout. The call may have run, or may still run.
    Timeout,
    /// There is no connection to any provider.
    Connect,
    /// The connection was lost while the call was on its way.
    ConnectionLost,
    /// The peer sent bytes that are no Dubbo frame.
    BadFrame,
    /// The method threw an exception that its Rust declaration does not name.
    Exception(Box<Throwable>),
    /// The peer answered with a status that is not OK; [`Error::message`] holds its text.
    Status(Status),
    /// The arguments could not be encoded, or are larger than the payload limit.
    BadRequest,
    /// The answer could not be decoded into the declared type.
    BadResponse,
    /// Too many calls wait on the connection, or too many bytes.
    Busy,
    /// The client was closed.
    Closed,
}

impl Error {
    fn new(kind: ErrorKind, not_run: bool, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, not_run, message: message.into(), source: None }))
    }

    /// The call surely did not run.
    pub(crate) fn not_run(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::new(kind, true, message)
    }

    /// The call may have run.
    pub(crate) fn may_have_run(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::new(kind, false, message)
    }

    /// What a status that is not OK means.
    pub(crate) fn status(status: Status, text: Option<String>) -> Self {
        let message = text.unwrap_or_else(|| "the peer gave no reason".to_owned());
        Self::new(ErrorKind::Status(status), status.surely_not_run(), message)
    }

    pub(crate) fn exception(throwable: Throwable) -> Self {
        let message = throwable.to_string();
        Self::new(ErrorKind::Exception(Box::new(throwable)), false, message)
    }

    #[must_use]
    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// What happened.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Whether the call surely did not run, so that calling again cannot do anything twice. Where this is false it may have run.
    pub fn surely_not_run(&self) -> bool {
        self.0.not_run
    }

    /// The text, without the kind.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether there was no answer in time.
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Timeout)
    }

    /// The exception that the method threw, if that is what happened.
    pub fn as_exception(&self) -> Option<&Throwable> {
        match &self.0.kind {
            ErrorKind::Exception(throwable) => Some(throwable),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match &self.0.kind {
            ErrorKind::Timeout => "the call timed out",
            ErrorKind::Connect => "there is no connection to a provider",
            ErrorKind::ConnectionLost => "the connection was lost",
            ErrorKind::BadFrame => "the peer sent a bad frame",
            ErrorKind::Exception(_) => "the method threw",
            ErrorKind::Status(status) => {
                return write!(f, "the peer answered {status}: {}{}", self.0.message, self.note());
            }
            ErrorKind::BadRequest => "the request cannot be sent",
            ErrorKind::BadResponse => "the answer cannot be read",
            ErrorKind::Busy => "too much is waiting already",
            ErrorKind::Closed => "the client is closed",
        };
        write!(f, "{what}: {}{}", self.0.message, self.note())
    }
}

impl Error {
    fn note(&self) -> &'static str {
        match (&self.0.kind, self.0.not_run) {
            (ErrorKind::Exception(_) | ErrorKind::BadResponse, _) => "",
            (_, true) => " (the call did not run)",
            (_, false) => " (the call may have run)",
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("surely_not_run", &self.0.not_run)
            .field("message", &self.0.message)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}
