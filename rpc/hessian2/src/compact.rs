//! Owns the compact form of `java.time` that hessian-lite 4.0.4 and later write when it is switched on
//! (`com.caucho.hessian.io.java.time.serializer.compactMode`): an object of a class without fields, and behind it a
//! `long` that no field announces. It reads and writes nothing.
//!
//! Such a class counts as one with a single field whose name is empty, in all readers alike, so that they agree on
//! where the value ends.

/// Name of the field that no definition names.
pub(crate) const NAMELESS: &str = "";

/// Whether a value follows the objects of a class whose definition has no fields.
pub(crate) fn has_nameless_field(class: &str) -> bool {
    matches!(class, "java.time.LocalDate" | "java.time.LocalTime")
}

/// The fields that a definition names.
pub(crate) fn named<'f, 'n>(class: &str, fields: &'f [&'n str]) -> &'f [&'n str] {
    match fields {
        [NAMELESS] if has_nameless_field(class) => &[],
        _ => fields,
    }
}
