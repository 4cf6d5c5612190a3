//! Owns the errors of making Java's values from numbers, text and values of other crates.

use crate::error::ErrorKind;

/// A number that a Java type refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {value}: expected {min} to {max}")]
#[non_exhaustive]
pub struct RangeError {
    /// What the number stands for, such as "the month".
    pub what: &'static str,
    /// The number that came.
    pub value: i64,
    /// Least that is taken.
    pub min: i64,
    /// Most that is taken.
    pub max: i64,
}

/// Text that is not what Java's `toString` of the type gives.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
#[non_exhaustive]
pub struct ParseError {
    /// What would have been accepted, such as "a date as 2024-02-29".
    pub expected: &'static str,
    /// The text that came, cut to 64 characters.
    pub text: String,
}

impl ParseError {
    pub(crate) fn new(expected: &'static str, text: &str) -> Self {
        Self { expected, text: text.chars().take(64).collect() }
    }
}

/// A value of a Java type that a type of another crate cannot hold, or the other way around.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value} does not fit {target}")]
#[non_exhaustive]
pub struct ConversionError {
    /// The type that cannot hold it.
    pub target: &'static str,
    /// The value as text.
    pub value: String,
}

impl ConversionError {
    /// That `value` does not fit `target`.
    pub fn new(target: &'static str, value: &impl ToString) -> Self {
        Self { target, value: value.to_string() }
    }
}

impl From<ConversionError> for ErrorKind {
    fn from(ConversionError { target, value }: ConversionError) -> Self {
        Self::OutOfRange { target, value }
    }
}

/// Checks one number.
pub(crate) fn check(what: &'static str, value: i64, min: i64, max: i64) -> Result<i64, RangeError> {
    if value < min || value > max { Err(RangeError { what, value, min, max }) } else { Ok(value) }
}

/// Checks a number that fits a byte then.
pub(crate) fn check_u8(what: &'static str, value: i32, min: u8, max: u8) -> Result<u8, RangeError> {
    let error = RangeError { what, value: value.into(), min: min.into(), max: max.into() };
    u8::try_from(value).ok().filter(|value| (min..=max).contains(value)).ok_or(error)
}

/// Checks a number of nanoseconds within a second.
pub(crate) fn check_nanos(value: i32) -> Result<u32, RangeError> {
    check("the nanosecond", value.into(), 0, 999_999_999).map(|nanos| nanos as u32)
}
