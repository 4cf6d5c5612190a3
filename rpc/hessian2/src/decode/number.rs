//! Owns how numbers, booleans and dates are read. As Java's reader, any numeric target takes any numeric form,
//! `null` as zero, and booleans; unlike Java's, it never cuts a value.

use super::Decoder;
use crate::error::{ErrorKind, Result};
use crate::kind::tag;

/// A value of one of the numeric kinds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Null,
    Bool(bool),
    Int(i32),
    Long(i64),
    Double(f64),
}

impl Decoder<'_, '_> {
    /// Reads an `int`; also any other number or boolean that fits, and `null` as 0.
    ///
    /// # Errors
    ///
    /// When the next value is something else, or does not fit.
    #[inline]
    pub fn i32(&mut self) -> Result<i32> {
        match self.byte()? {
            tag @ 0x80..=0xbf => Ok(i32::from(tag) - 0x90),
            tag @ 0xc0..=0xcf => Ok((i32::from(tag) - 0xc8) << 8 | i32::from(self.byte()?)),
            tag @ 0xd0..=0xd7 => Ok((i32::from(tag) - 0xd4) << 16 | self.u16()?),
            tag::INT => Ok(i32::from_be_bytes(self.array()?)),
            tag => {
                let value = self.wide_integer(tag, "int")?;
                i32::try_from(value).map_err(|_| self.out_of_range("int", value))
            }
        }
    }

    /// Reads a `long`; also any other number or boolean that fits, and `null` as 0.
    ///
    /// # Errors
    ///
    /// When the next value is something else, or does not fit.
    #[inline]
    pub fn i64(&mut self) -> Result<i64> {
        match self.byte()? {
            tag @ 0xd8..=0xef => Ok(i64::from(tag) - 0xe0),
            tag @ 0xf0..=0xff => Ok((i64::from(tag) - 0xf8) << 8 | i64::from(self.byte()?)),
            tag @ 0x38..=0x3f => Ok((i64::from(tag) - 0x3c) << 16 | i64::from(self.u16()?)),
            tag::LONG_INT => Ok(i64::from(i32::from_be_bytes(self.array()?))),
            tag::LONG => Ok(i64::from_be_bytes(self.array()?)),
            tag => self.wide_integer(tag, "long"),
        }
    }

    /// Reads a `double`; also any integer or boolean, and `null` as 0.
    ///
    /// # Errors
    ///
    /// When the next value is something else.
    #[inline]
    pub fn f64(&mut self) -> Result<f64> {
        match self.byte()? {
            tag::DOUBLE => Ok(f64::from_be_bytes(self.array()?)),
            tag => Ok(match self.number(tag, "double")? {
                Number::Null => 0.0,
                Number::Bool(value) => f64::from(u8::from(value)),
                Number::Int(value) => f64::from(value),
                Number::Long(value) => value as f64,
                Number::Double(value) => value,
            }),
        }
    }

    /// Reads a `boolean`; also any number, where all but 0 is true, and `null` as false.
    ///
    /// # Errors
    ///
    /// When the next value is something else.
    #[inline]
    pub fn bool(&mut self) -> Result<bool> {
        match self.byte()? {
            tag::TRUE => Ok(true),
            tag::FALSE => Ok(false),
            tag => Ok(match self.number(tag, "bool")? {
                Number::Null => false,
                Number::Bool(value) => value,
                Number::Int(value) => value != 0,
                Number::Long(value) => value != 0,
                Number::Double(value) => value != 0.0,
            }),
        }
    }

    /// Reads a `java.util.Date`, in milliseconds since 1970-01-01 UTC.
    ///
    /// # Errors
    ///
    /// When the next value is something else.
    #[inline]
    pub fn date(&mut self) -> Result<i64> {
        let tag = self.byte()?;
        self.date_after(tag)
    }

    pub(crate) fn date_after(&mut self, tag: u8) -> Result<i64> {
        match tag {
            tag::DATE => Ok(i64::from_be_bytes(self.array()?)),
            tag::DATE_MINUTES => Ok(i64::from(i32::from_be_bytes(self.array()?)) * 60_000),
            _ => Err(self.unexpected("date", tag)),
        }
    }

    /// Reads the number that begins with `tag`, which has been taken.
    pub(crate) fn number(&mut self, tag: u8, expected: &'static str) -> Result<Number> {
        Ok(match tag {
            tag::NULL => Number::Null,
            tag::TRUE => Number::Bool(true),
            tag::FALSE => Number::Bool(false),
            0x80..=0xbf => Number::Int(i32::from(tag) - 0x90),
            0xc0..=0xcf => Number::Int((i32::from(tag) - 0xc8) << 8 | i32::from(self.byte()?)),
            0xd0..=0xd7 => Number::Int((i32::from(tag) - 0xd4) << 16 | self.u16()?),
            tag::INT => Number::Int(i32::from_be_bytes(self.array()?)),
            0xd8..=0xef => Number::Long(i64::from(tag) - 0xe0),
            0xf0..=0xff => Number::Long((i64::from(tag) - 0xf8) << 8 | i64::from(self.byte()?)),
            0x38..=0x3f => Number::Long((i64::from(tag) - 0x3c) << 16 | i64::from(self.u16()?)),
            tag::LONG_INT => Number::Long(i64::from(i32::from_be_bytes(self.array()?))),
            tag::LONG => Number::Long(i64::from_be_bytes(self.array()?)),
            tag::DOUBLE_0 => Number::Double(0.0),
            tag::DOUBLE_1 => Number::Double(1.0),
            tag::DOUBLE_BYTE => Number::Double(f64::from(self.byte()?.cast_signed())),
            tag::DOUBLE_SHORT => Number::Double(f64::from(i16::from_be_bytes(self.array()?))),
            // Multiplied, not divided: the last bit differs, and Java chose this form by multiplying.
            tag::DOUBLE_MILLS => Number::Double(0.001 * f64::from(i32::from_be_bytes(self.array()?))),
            tag::DOUBLE => Number::Double(f64::from_be_bytes(self.array()?)),
            _ => return Err(self.unexpected(expected, tag)),
        })
    }

    /// Reads an integer that must be one on the wire: a length or an index into a table.
    pub(super) fn index(&mut self, expected: &'static str) -> Result<i64> {
        let tag = self.byte()?;
        match self.number(tag, expected)? {
            Number::Int(value) => Ok(i64::from(value)),
            Number::Long(value) => Ok(value),
            Number::Null | Number::Bool(_) | Number::Double(_) => Err(self.unexpected(expected, tag)),
        }
    }

    fn wide_integer(&mut self, tag: u8, target: &'static str) -> Result<i64> {
        match self.number(tag, target)? {
            Number::Null => Ok(0),
            Number::Bool(value) => Ok(i64::from(value)),
            Number::Int(value) => Ok(i64::from(value)),
            Number::Long(value) => Ok(value),
            // The cast is exact below 2^63, and 2^63 itself is the first double out of range.
            Number::Double(value) if value.fract() == 0.0 && value.abs() < 9.223_372_036_854_776e18 => {
                Ok(value as i64)
            }
            Number::Double(value) => Err(self.out_of_range(target, value)),
        }
    }

    #[cold]
    pub(super) fn out_of_range(&self, target: &'static str, value: impl ToString) -> crate::Error {
        self.error(ErrorKind::OutOfRange { target, value: value.to_string() })
    }

    #[inline]
    fn u16(&mut self) -> Result<i32> {
        Ok(i32::from(u16::from_be_bytes(self.array()?)))
    }
}
