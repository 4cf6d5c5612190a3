//! Owns what a Rust type knows about its Java class. It never holds anything of a peer.

/// A Java class as a Rust type writes it: its name and its fields.
///
/// `#[derive(Hessian)]` makes one for each struct and enum; hand-written code keeps one in a `static`, since the
/// encoder tells classes apart by address first.
#[derive(Debug)]
pub struct Class {
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [&'static str],
    pub(crate) definition: &'static [u8],
}

impl Class {
    /// A class with fields in the order in which they will be written. `name` is Java's `Class.getName()`, for
    /// instance `com.example.Outer$Inner`.
    pub const fn new(name: &'static str, fields: &'static [&'static str]) -> Self {
        Self { name, fields, definition: &[] }
    }

    /// As [`new`](Self::new), with the definition as the derive has computed it: the bytes of `C name count field*`.
    #[doc(hidden)]
    pub const fn with_definition(
        name: &'static str,
        fields: &'static [&'static str],
        definition: &'static [u8],
    ) -> Self {
        Self { name, fields, definition }
    }

    /// Java's name of the class.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Names of the fields, in writing order.
    pub const fn fields(&self) -> &'static [&'static str] {
        self.fields
    }
}
