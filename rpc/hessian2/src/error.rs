//! Owns the error of reading and writing Hessian 2: what was expected, what came, where. It never holds decoded
//! values of the peer except a short name that the message needs.

use std::fmt;

use crate::kind::Kind;

/// Result of reading or writing Hessian 2.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a value could not be read or written.
///
/// One pointer wide. [`Display`](fmt::Display) prints the path of fields and items that led to the place, what was
/// expected, what came, and the offset of the byte.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    offset: Option<usize>,
    /// Innermost step first: each level adds its own while the error travels up.
    path: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(&'static str),
    Item(usize),
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input ends inside a value.
    #[error("the input ends inside a value")]
    UnexpectedEnd,
    /// Another value was expected, or the tag is none of Hessian 2.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What would have been accepted.
        expected: &'static str,
        /// What came.
        found: Found,
    },
    /// A number does not fit the type; Java would cut it silently.
    #[error("{value} does not fit {target}")]
    OutOfRange {
        /// The Rust or wire type.
        target: &'static str,
        /// The number as text.
        value: String,
    },
    /// An object lacks a field that has no empty form. Make it an `Option`, or mark it `#[hessian(default)]`.
    #[error("the object has no field `{field}`")]
    MissingField {
        /// Name on the wire.
        field: &'static str,
    },
    /// An enum constant that the Rust enum does not have. A variant marked `#[hessian(other)]` would take it.
    #[error("unknown constant `{constant}` of enum {class}")]
    UnknownConstant {
        /// Java class of the enum.
        class: &'static str,
        /// Name of the constant that came, cut to 64 characters.
        constant: String,
    },
    /// Text that is not Hessian's one to three bytes for each UTF-16 unit.
    #[error("byte 0x{byte:02x} is not valid here: text is one to three bytes for each UTF-16 unit")]
    Text {
        /// The offending byte.
        byte: u8,
    },
    /// Half of a surrogate pair: legal in Java, impossible in a Rust string. [`Value`](crate::Value) can hold it.
    #[error("text holds half of a surrogate pair, which a Rust string cannot hold")]
    LoneSurrogate,
    /// `&str` or `&[u8]` was asked for, but the bytes do not lie in one piece.
    #[error(
        "the {what} does not lie in one piece in the input, so it cannot be borrowed; read a Cow or an owned value"
    )]
    NotContiguous {
        /// "string" or "binary".
        what: &'static str,
    },
    /// A negative length, or one that the rest of the input cannot hold.
    #[error("length {length} of a {what} is not possible with {left} bytes left")]
    Length {
        /// What the length belongs to.
        what: &'static str,
        /// The length that came.
        length: i64,
        /// Bytes left in the input.
        left: usize,
    },
    /// An index into one of the stream's tables that has no such entry.
    #[error("{table} {index} does not exist: {count} are known")]
    Index {
        /// "reference", "type" or "class".
        table: &'static str,
        /// The index that came.
        index: i64,
        /// Entries in the table.
        count: usize,
    },
    /// A reference to a container that is still being read, into a type that cannot hold a cycle.
    #[error("reference {index} leads back into a value that contains it; only Value can hold a cycle")]
    Cycle {
        /// Number of the container.
        index: u32,
    },
    /// A limit of [`Limits`](crate::Limits) or of [`EncodeState`](crate::EncodeState) was reached.
    #[error("more than {limit} {what}: raise the limit if the peer is trusted")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// Bytes are left behind the last value.
    #[error("{left} bytes are left behind the last value")]
    Trailing {
        /// Number of bytes.
        left: usize,
    },
    /// An object of a Java type whose numbers that type refuses, such as month 13.
    #[error(transparent)]
    Range(#[from] crate::java::RangeError),
    /// Text that a Java type refuses.
    #[error(transparent)]
    Parse(#[from] crate::java::ParseError),
    /// A list for a tuple or an array that has another number of items.
    #[error("expected {expected} items, found {found}")]
    Items {
        /// Number of items that the type has.
        expected: usize,
        /// Number that came.
        found: usize,
    },
    /// A message of a hand-written `Encode` or `Decode`.
    #[error("{0}")]
    Custom(String),
}

/// A conversion that cannot fail.
impl From<std::convert::Infallible> for ErrorKind {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// The value that came instead of the expected one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found(
    /// Its first byte.
    pub u8,
);

impl Error {
    /// An error of a hand-written `Encode` or `Decode`.
    #[cold]
    pub fn custom(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Custom(message.into()))
    }

    /// An error of the given kind, without a place.
    #[cold]
    pub fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, offset: None, path: Vec::new() }))
    }

    /// An error of the given kind at an offset of the input.
    #[cold]
    pub fn at(kind: ErrorKind, offset: usize) -> Self {
        Self(Box::new(Inner { kind, offset: Some(offset), path: Vec::new() }))
    }

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Offset in the input, in bytes; none when writing.
    pub fn offset(&self) -> Option<usize> {
        self.0.offset
    }

    /// The way from the outermost value, such as `users[3].name`; empty when it failed at the top.
    pub fn path(&self) -> String {
        let mut text = String::new();
        for step in self.0.path.iter().rev() {
            match step {
                Step::Field(name) => {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.push_str(name);
                }
                Step::Item(index) => text.push_str(&format!("[{index}]")),
            }
        }
        text
    }

    /// Whether the input ends inside a value, which more input could mend.
    pub fn is_unexpected_end(&self) -> bool {
        matches!(self.0.kind, ErrorKind::UnexpectedEnd)
    }

    /// Adds the field that was being read or written. Called from the inside out.
    #[cold]
    #[must_use]
    pub fn in_field(mut self, name: &'static str) -> Self {
        self.0.path.push(Step::Field(name));
        self
    }

    /// Adds the list item that was being read or written. Called from the inside out.
    #[cold]
    #[must_use]
    pub fn in_item(mut self, index: usize) -> Self {
        self.0.path.push(Step::Item(index));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.path.is_empty() {
            write!(f, "{}: ", self.path())?;
        }
        write!(f, "{}", self.0.kind)?;
        match self.0.offset {
            Some(offset) => write!(f, " (at byte {offset})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("offset", &self.0.offset)
            .field("path", &self.path())
            .finish()
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Kind::of_tag(self.0) {
            Some(kind) => write!(f, "{kind} (tag 0x{:02x})", self.0),
            None => write!(f, "tag 0x{:02x}, which begins no value", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_path_expectation_finding_and_place() {
        let kind = ErrorKind::Unexpected { expected: "string", found: Found(0x91) };
        let error = Error::at(kind, 7).in_item(1).in_field("ids").in_item(0).in_field("args");
        assert_eq!(error.to_string(), "args[0].ids[1]: expected string, found int (tag 0x91) (at byte 7)");
    }

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }
}
