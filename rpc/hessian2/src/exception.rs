//! Owns Java's exceptions on the wire: the four fields of `Throwable` that every peer expects, and reading whatever
//! exception comes. It raises and catches nothing.

use crate::class::Class;
use crate::decode::{Decode, DecodeOwned, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::Result;
use crate::java::JavaType;
use crate::kind::Kind;
use crate::sink::Sink;

/// A Rust error that is a Java exception on the wire.
///
/// `#[derive(Hessian)]` with `#[hessian(class = "...", exception)]` implements it on a struct that is a
/// [`std::error::Error`]. The field marked `#[hessian(message)]`, or else the one named `message` or
/// `detail_message`, is Java's `getMessage()`; a field named `cause` is its cause.
pub trait Exception: std::error::Error + Encode + DecodeOwned + Send + Sync + 'static {
    /// Java's name of the exception class.
    const CLASS: &'static str;
}

/// Any Java exception: its class, its message, what caused it, and where it was thrown.
///
/// Reads every object, also of a class that nobody knows here. Written, it has the four fields of
/// `java.lang.Throwable`; Java accepts `java.lang.RuntimeException` from everyone, and other classes only if they
/// are on its allow list or declared by the method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throwable {
    class: String,
    message: Option<String>,
    cause: Option<Box<Self>>,
    suppressed: Vec<Self>,
    stack: Vec<StackFrame>,
}

/// One line of a Java stack trace, as `java.lang.StackTraceElement` has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackFrame {
    /// Class that declares the method.
    pub class: String,
    /// Name of the method.
    pub method: String,
    /// Source file, if known.
    pub file: Option<String>,
    /// Line in the file; negative if unknown.
    pub line: i32,
}

/// Suppressed exceptions that are read of one exception; the others are skipped.
const MAX_SUPPRESSED: usize = 32;

impl StackFrame {
    /// In a method of a class: the Java names of both, or what stands for them.
    pub fn new(class: impl Into<String>, method: impl Into<String>) -> Self {
        Self { class: class.into(), method: method.into(), file: None, line: -1 }
    }

    /// With the source file and the line in it.
    #[must_use]
    pub fn at(mut self, file: impl Into<String>, line: i32) -> Self {
        (self.file, self.line) = (Some(file.into()), line);
        self
    }
}

impl Throwable {
    /// Exceptions inside each other, as causes or suppressed, that are read or written of one; deeper ones are left out.
    pub const MAX_CAUSES: usize = 32;
    /// Stack frames that are read or written of one exception; the outer ones are left out.
    pub const MAX_FRAMES: usize = 256;
    /// Class of [`new`](Self::new): the one that every Java peer accepts.
    pub const RUNTIME_EXCEPTION: &'static str = "java.lang.RuntimeException";

    /// A `java.lang.RuntimeException`.
    pub fn new(message: impl Into<String>) -> Self {
        Self::of_class(Self::RUNTIME_EXCEPTION, Some(message.into()))
    }

    /// An exception of any class.
    pub fn of_class(class: impl Into<String>, message: Option<String>) -> Self {
        Self { class: class.into(), message, cause: None, suppressed: Vec::new(), stack: Vec::new() }
    }

    /// With a cause.
    #[must_use]
    pub fn with_cause(mut self, cause: Self) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }

    /// With one more exception that was suppressed to throw this one.
    #[must_use]
    pub fn with_suppressed(mut self, suppressed: Self) -> Self {
        self.suppressed.push(suppressed);
        self
    }

    /// With the frames of a stack trace, innermost first; those beyond [`MAX_FRAMES`](Self::MAX_FRAMES) are left out.
    #[must_use]
    pub fn with_stack(mut self, mut frames: Vec<StackFrame>) -> Self {
        frames.truncate(Self::MAX_FRAMES);
        self.stack = frames;
        self
    }

    /// Java's name of the class.
    pub fn class(&self) -> &str {
        &self.class
    }

    /// Java's `getMessage()`.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// What caused it; of a chain at most 32 are read.
    pub fn cause(&self) -> Option<&Self> {
        self.cause.as_deref()
    }

    /// Java's `getSuppressed()`: exceptions that closing a resource threw on the way out; at most 32 are read.
    pub fn suppressed(&self) -> &[Self] {
        &self.suppressed
    }

    /// Where it was thrown, innermost first; at most 256 frames are read. Empty unless a peer sent it or
    /// [`with_stack`](Self::with_stack) set it: a Rust error has none.
    pub fn stack(&self) -> &[StackFrame] {
        &self.stack
    }
}

impl std::fmt::Display for Throwable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.class)?;
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Throwable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause().map(|cause| cause as _)
    }
}

/// A method that declares it throws anything; the class of each value is its own.
impl Exception for Throwable {
    const CLASS: &'static str = "java.lang.Throwable";
}

impl JavaType for Throwable {
    const DESCRIPTOR: &'static str = "Ljava/lang/Throwable;";
}

/// The fields of `java.lang.Throwable`, in the order in which hessian-lite writes them.
const FIELDS: [&str; 4] = ["suppressedExceptions", "stackTrace", "cause", "detailMessage"];

impl<S: Sink> Encoder<'_, S> {
    /// Begins an exception: the object and its first two fields, both empty. The caller goes on with `cause`,
    /// `detailMessage` and the class's own fields. Gives the number of the object, which stands for "no cause".
    #[doc(hidden)]
    pub fn exception(&mut self, class: &'static Class) -> Result<u32> {
        let slot = self.next_slot();
        self.object(class)?;
        self.list(0)?;
        self.end_list();
        self.stack(&[])?;
        Ok(slot)
    }

    /// Writes the cause of an exception; without one, the exception itself, as Java does.
    #[doc(hidden)]
    pub fn cause<T: Encode>(&mut self, cause: Option<&T>, slot: u32) -> Result<()> {
        match cause {
            Some(cause) => cause.encode_to(self).map_err(|error| error.in_field("cause")),
            None => {
                self.reference(slot);
                Ok(())
            }
        }
    }

    fn stack(&mut self, frames: &[StackFrame]) -> Result<()> {
        self.list_of("[java.lang.StackTraceElement", frames.len())?;
        frames.iter().try_for_each(|frame| frame.encode_to(self))?;
        self.end_list();
        Ok(())
    }
}

/// With the fields that every version of Java has had.
impl Encode for StackFrame {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        static CLASS: Class = Class::new(
            "java.lang.StackTraceElement",
            &["lineNumber", "fileName", "methodName", "declaringClass"],
        );
        e.object(&CLASS)?;
        e.i32(self.line);
        e.write(&self.file)?;
        e.str(&self.method);
        e.str(&self.class);
        e.end_object();
        Ok(())
    }
}

impl Encode for Throwable {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        let slot = e.next_slot();
        e.object_by_name(&self.class, &FIELDS)?;
        e.write(&self.suppressed).map_err(|error| error.in_field("suppressedExceptions"))?;
        e.stack(&self.stack)?;
        e.cause(self.cause.as_ref(), slot)?;
        e.write(&self.message)?;
        e.end_object();
        Ok(())
    }
}

impl<'de> Decode<'de> for Throwable {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        read(d, Self::MAX_CAUSES)
    }
}

fn read(d: &mut Decoder<'_, '_>, depth: usize) -> Result<Throwable> {
    static NAMES: [&str; 4] = ["detailMessage", "cause", "stackTrace", "suppressedExceptions"];
    let Some(class) = d.peek_class()? else {
        return Err(match d.byte() {
            Ok(tag) => d.unexpected("an exception object", tag),
            Err(end) => end,
        });
    };
    let mut exception = Throwable::of_class(class, None);
    let mut object = d.object(&NAMES)?;
    while let Some(field) = d.next_field(&mut object)? {
        match field {
            0 => {
                exception.message =
                    d.opt_str().map_err(|error| error.in_field("detailMessage"))?.map(Into::into)
            }
            1 | 3 if depth == 0 => d.skip()?,
            1 => exception.cause = read_cause(d, depth - 1).map_err(|error| error.in_field("cause"))?,
            3 => {
                exception.suppressed =
                    read_suppressed(d, depth - 1).map_err(|error| error.in_field("suppressedExceptions"))?;
            }
            2 => exception.stack = read_stack(d).map_err(|error| error.in_field("stackTrace"))?,
            _ => d.skip()?,
        }
    }
    Ok(exception)
}

fn read_cause(d: &mut Decoder<'_, '_>, depth: usize) -> Result<Option<Box<Throwable>>> {
    if d.take_null() || d.take_open_reference()? {
        return Ok(None);
    }
    d.charge(size_of::<Throwable>())?;
    read(d, depth).map(Box::new).map(Some)
}

/// What is no list, and items that are no exceptions or contain this one, are left out: the exception itself matters.
fn read_suppressed(d: &mut Decoder<'_, '_>, depth: usize) -> Result<Vec<Throwable>> {
    let mut suppressed = Vec::new();
    if !matches!(d.peek(), Some(Kind::List | Kind::Null | Kind::Reference)) {
        return d.skip().map(|()| suppressed);
    }
    let mut list = d.list()?;
    while d.next_item(&mut list)? {
        let is_object = matches!(d.peek(), Some(Kind::Object | Kind::Reference));
        if suppressed.len() == MAX_SUPPRESSED || !is_object {
            d.skip()?;
        } else if !d.take_open_reference()? {
            d.charge(size_of::<Throwable>() * 2)?;
            suppressed.push(read(d, depth).map_err(|error| error.in_item(suppressed.len()))?);
        }
    }
    Ok(suppressed)
}

fn read_stack(d: &mut Decoder<'_, '_>) -> Result<Vec<StackFrame>> {
    let mut list = d.list()?;
    let mut stack = Vec::new();
    while d.next_item(&mut list)? {
        if stack.len() == Throwable::MAX_FRAMES {
            d.skip()?;
        } else {
            d.charge(size_of::<StackFrame>() * 2)?;
            stack.push(read_frame(d)?);
        }
    }
    Ok(stack)
}

fn read_frame(d: &mut Decoder<'_, '_>) -> Result<StackFrame> {
    static NAMES: [&str; 4] = ["declaringClass", "methodName", "fileName", "lineNumber"];
    let mut frame = StackFrame::default();
    if d.take_null() {
        return Ok(frame);
    }
    let mut object = d.object(&NAMES)?;
    while let Some(field) = d.next_field(&mut object)? {
        match field {
            0 => frame.class = d.opt_str()?.unwrap_or_default().into(),
            1 => frame.method = d.opt_str()?.unwrap_or_default().into(),
            2 => frame.file = d.opt_str()?.map(Into::into),
            3 => frame.line = d.i32()?,
            _ => d.skip()?,
        }
    }
    Ok(frame)
}
