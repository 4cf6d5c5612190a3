//! Owns the names of Hessian's kinds of values and the bytes that begin them. It reads nothing.

use std::fmt;

/// Kind of a value, as the wire tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Java's `null`.
    Null,
    /// `boolean`.
    Bool,
    /// `byte`, `short`, `int`.
    Int,
    /// `long`.
    Long,
    /// `float`, `double`.
    Double,
    /// `java.util.Date`.
    Date,
    /// `String`, `char`.
    String,
    /// `byte[]`.
    Binary,
    /// A list, set or array.
    List,
    /// A map.
    Map,
    /// An object: a class and its fields. Enum constants are objects too.
    Object,
    /// A reference to a list, map or object that came before. Only [`Decoder::peek`](crate::Decoder::peek) tells it.
    Reference,
}

impl Kind {
    /// The kind that a first byte announces; none for the reserved bytes and for the end mark.
    #[inline]
    pub(crate) fn of_tag(tag: u8) -> Option<Self> {
        KINDS.get(usize::from(tag)).copied().flatten()
    }

    const fn announced_by(tag: u8) -> Option<Self> {
        Some(match tag {
            0x00..=0x1f | 0x30..=0x33 | tag::STRING_CHUNK | tag::STRING => Self::String,
            0x20..=0x2f | 0x34..=0x37 | tag::BINARY_CHUNK | tag::BINARY => Self::Binary,
            0x38..=0x3f | tag::LONG | tag::LONG_INT | 0xd8..=0xff => Self::Long,
            tag::INT | 0x80..=0xd7 => Self::Int,
            tag::DEFINITION | tag::OBJECT | 0x60..=0x6f => Self::Object,
            tag::DOUBLE | tag::DOUBLE_0..=tag::DOUBLE_MILLS => Self::Double,
            tag::FALSE | tag::TRUE => Self::Bool,
            tag::MAP_UNTYPED | tag::MAP => Self::Map,
            tag::DATE | tag::DATE_MINUTES => Self::Date,
            tag::NULL => Self::Null,
            tag::REFERENCE => Self::Reference,
            tag::LIST_VARIABLE..=tag::LIST_FIXED_UNTYPED | 0x70..=0x7f => Self::List,
            0x40 | 0x45 | 0x47 | 0x50 | tag::END => return None,
        })
    }
}

/// For each first byte its kind. Most values are announced by ranges, which a table finds quicker than comparing does.
static KINDS: [Option<Kind>; 256] = {
    let mut kinds = [None; 256];
    let mut tag = 0;
    while tag < 256 {
        kinds[tag] = Kind::announced_by(tag as u8);
        tag += 1;
    }
    kinds
};

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Long => "long",
            Self::Double => "double",
            Self::Date => "date",
            Self::String => "string",
            Self::Binary => "binary",
            Self::List => "list",
            Self::Map => "map",
            Self::Object => "object",
            Self::Reference => "reference",
        })
    }
}

/// First bytes of values, as hessian-lite 4 and Caucho 4 write them. Ranges with a value inside the byte are
/// written out where they are used.
pub(crate) mod tag {
    pub(crate) const BINARY_CHUNK: u8 = b'A';
    pub(crate) const BINARY: u8 = b'B';
    pub(crate) const DEFINITION: u8 = b'C';
    pub(crate) const DOUBLE: u8 = b'D';
    pub(crate) const FALSE: u8 = b'F';
    pub(crate) const MAP_UNTYPED: u8 = b'H';
    pub(crate) const INT: u8 = b'I';
    pub(crate) const DATE: u8 = 0x4a;
    pub(crate) const DATE_MINUTES: u8 = 0x4b;
    pub(crate) const LONG: u8 = b'L';
    pub(crate) const MAP: u8 = b'M';
    pub(crate) const NULL: u8 = b'N';
    pub(crate) const OBJECT: u8 = b'O';
    pub(crate) const REFERENCE: u8 = b'Q';
    pub(crate) const STRING_CHUNK: u8 = b'R';
    pub(crate) const STRING: u8 = b'S';
    pub(crate) const TRUE: u8 = b'T';
    pub(crate) const LIST_VARIABLE: u8 = 0x55;
    pub(crate) const LIST_FIXED: u8 = b'V';
    pub(crate) const LIST_VARIABLE_UNTYPED: u8 = 0x57;
    pub(crate) const LIST_FIXED_UNTYPED: u8 = 0x58;
    pub(crate) const LONG_INT: u8 = 0x59;
    pub(crate) const END: u8 = b'Z';
    pub(crate) const DOUBLE_0: u8 = 0x5b;
    pub(crate) const DOUBLE_1: u8 = 0x5c;
    pub(crate) const DOUBLE_BYTE: u8 = 0x5d;
    pub(crate) const DOUBLE_SHORT: u8 = 0x5e;
    pub(crate) const DOUBLE_MILLS: u8 = 0x5f;
}
