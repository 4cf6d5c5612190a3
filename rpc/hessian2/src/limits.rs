//! Owns the limits of reading. It enforces none itself.

/// Bounds on what one body may cost to read. Every limit is finite by default; a body that needs more gives
/// [`ErrorKind::Limit`](crate::ErrorKind::Limit).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Levels of containers inside each other. Default 256.
    pub depth: u32,
    /// Bytes of Rust types inside each other, through boxes and collections. Default 128 KiB. Reading types recurses;
    /// it takes about four times as much stack, in debug builds ten times. [`Value`](crate::Value) does not recurse.
    pub stack: usize,
    /// Items of one list, or entries of one map. Default 8,388,608.
    pub items: usize,
    /// Values that the containers of one body hold. Those that typed reading reads again through references count each
    /// time. Default 16,777,216.
    pub nodes: usize,
    /// Class definitions in one body. Default 4,096.
    pub classes: u32,
    /// Fields of one class definition. Default 1,024.
    pub fields: u32,
    /// Bytes of one string or binary. Default 64 MiB.
    pub bytes: usize,
    /// Bytes of input that references may make typed reading read again, in one body. Default 8 MiB.
    pub expanded: usize,
    /// Memory that values of one body may take: this many times the length of the input, plus
    /// [`memory_floor`](Self::memory_floor). Default 64. Charged before it is taken: what collections and boxes of types
    /// take, the arena of a [`Value`](crate::Value), the tables of the body, and what references make again. Text and
    /// binaries that are read once are no longer than the input.
    pub memory_factor: usize,
    /// Memory in bytes that any body may take, however short it is. Default 1 MiB.
    pub memory_floor: usize,
    /// Bytes of class definitions that a [`DecodeState`](crate::DecodeState) remembers from body to body.
    /// Default 64 KiB. A body whose definitions do not fit makes the state forget them all.
    pub cache: usize,
}

impl Limits {
    /// Default of [`depth`](Self::depth), also that of writing.
    pub const DEPTH: u32 = 256;

    /// The defaults named at each field.
    pub fn new() -> Self {
        Self {
            depth: Self::DEPTH,
            stack: 128 << 10,
            items: 1 << 23,
            nodes: 1 << 24,
            classes: 4_096,
            fields: 1_024,
            bytes: 64 << 20,
            expanded: 8 << 20,
            memory_factor: 64,
            memory_floor: 1 << 20,
            cache: 64 << 10,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
