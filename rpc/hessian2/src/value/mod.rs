//! Owns `Value`, which holds anything that Hessian 2 can say, sharing and cycles included. It never recurses: not
//! when it is read, written, compared, printed or dropped.

mod build;
mod compare;
mod debug;
mod graph;
mod read;
mod val;
mod values;
mod write;

pub use val::{Entries, Fields, Items, Val};
pub use values::Values;

use crate::Kind;
use crate::decode::{Decode, DecodeOwned, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::Result;
use crate::java::JavaType;
use crate::sink::Sink;
use graph::Graph;

/// Any Hessian value, without a Rust type for it.
///
/// It keeps what a Rust type would lose: class and type names, the order of fields and entries, which of several
/// places hold the same list, map or object, and cycles. Written again it has the bytes that hessian-lite 4 gives
/// such a value; read from Java's bytes, these are the same bytes.
///
/// Look into it through [`root`](Self::root), a [`Val`]. Two values are equal if they have the same shape; which
/// parts are shared does not matter, the order of entries does, and all NaN are equal.
///
/// ```
/// use getty_hessian2::{Value, from_slice, to_vec};
///
/// let user = Value::object("com.example.User", [("name", Value::from("Tom")), ("age", Value::from(18))]);
/// let bytes = to_vec(&user)?;
/// let again: Value = from_slice(&bytes)?;
/// assert_eq!(again, user);
/// assert_eq!(again.root().get("age").as_i32(), Some(18));
/// assert!(again.root().get("address").get("city").is_missing());
/// # Ok::<(), getty_hessian2::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Value(Repr);

#[derive(Clone, Default)]
pub(crate) enum Repr {
    #[default]
    Null,
    Bool(bool),
    Int(i32),
    Long(i64),
    Double(f64),
    Date(i64),
    Text(String),
    /// Wire bytes of text with half of a surrogate pair.
    Odd(Vec<u8>),
    Binary(Vec<u8>),
    /// A list, map or object: node 0 of a graph.
    Graph(Box<Graph>),
}

impl Value {
    /// Java's `null`.
    pub const NULL: Self = Self(Repr::Null);

    /// Reads one value that takes all of `bytes`, with the default [`Limits`](crate::Limits).
    ///
    /// # Errors
    ///
    /// When the bytes are malformed, end early, go on behind the value, or go beyond a limit.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        crate::from_slice(bytes)
    }

    /// The value that a Rust value is on the wire.
    ///
    /// # Errors
    ///
    /// Those of the value's [`Encode`].
    pub fn of<T: Encode + ?Sized>(value: &T) -> Result<Self> {
        Self::parse(&crate::to_vec(value)?)
    }

    /// Reads a Rust value out of this one, by the rules of [`Decode`].
    ///
    /// # Errors
    ///
    /// Those of `T`'s [`Decode`].
    pub fn to<T: DecodeOwned>(&self) -> Result<T> {
        self.root().to()
    }

    /// The value to look into.
    pub fn root(&self) -> Val<'_> {
        Val::of_root(&self.0)
    }

    /// Kind of the value.
    pub fn kind(&self) -> Kind {
        self.root().kind().unwrap_or(Kind::Null)
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.0, Repr::Null)
    }
}

impl Encode for Value {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        write::value(self.root(), e)
    }
}

impl<'de> Decode<'de> for Value {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        read::value(d).map(Self)
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok(Self::NULL)
    }
}

impl JavaType for Value {
    const DESCRIPTOR: &'static str = "Ljava/lang/Object;";
}
