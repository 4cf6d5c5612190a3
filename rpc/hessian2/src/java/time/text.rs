//! Owns the ISO 8601 text of `java.time`: fixed digits, fractions of a second, signed years. It knows no ranges.

use std::fmt;

/// A cursor over text that is expected to have a fixed form. Each method gives `None` where it does not.
pub(super) struct Text<'t>(pub(super) &'t str);

impl Text<'_> {
    /// Takes a character if it is next.
    pub(super) fn take(&mut self, char: char) -> bool {
        match self.0.strip_prefix(char) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// Takes a character that must be next.
    pub(super) fn expect(&mut self, char: char) -> Option<()> {
        self.take(char).then_some(())
    }

    /// Takes `min` to `max` digits, as many as there are.
    pub(super) fn digits(&mut self, min: usize, max: usize) -> Option<i32> {
        let len = self.0.bytes().take(max).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at_checked(len).filter(|_| len >= min)?;
        self.0 = rest;
        digits.parse().ok()
    }

    /// Takes a year: four digits, or up to nine behind a sign.
    pub(super) fn year(&mut self) -> Option<i32> {
        let negative = self.take('-');
        let signed = negative || self.take('+');
        let year = self.digits(4, if signed { 9 } else { 4 })?;
        Some(if negative { -year } else { year })
    }

    /// Takes a point and up to nine digits, if a point is next. Gives nanoseconds.
    pub(super) fn fraction(&mut self) -> Option<i32> {
        if !self.take('.') {
            return Some(0);
        }
        let before = self.0.len();
        let digits = self.digits(1, 9)?;
        let missing = 9 - (before - self.0.len());
        Some(digits * 10_i32.pow(missing as u32))
    }

    /// Checks that nothing is left.
    pub(super) fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// Writes a year as Java does: four digits at least, with a plus sign if there are more.
pub(super) fn write_year(year: i32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match year {
        10_000.. => write!(f, "+{year}"),
        0..10_000 => write!(f, "{year:04}"),
        _ => write!(f, "-{:04}", year.unsigned_abs()),
    }
}

/// Writes nanoseconds as Java does: nothing for zero, else three, six or nine digits.
pub(super) fn write_fraction(nanos: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match nanos {
        0 => Ok(()),
        _ if nanos.is_multiple_of(1_000_000) => write!(f, ".{:03}", nanos / 1_000_000),
        _ if nanos.is_multiple_of(1_000) => write!(f, ".{:06}", nanos / 1_000),
        _ => write!(f, ".{nanos:09}"),
    }
}
