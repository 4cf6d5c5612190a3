//! Owns `Year`, `YearMonth` and `MonthDay`, parts of a date.

use std::fmt;
use std::str::FromStr;

use super::date::days_in;
use super::text::{Text, write_year};
use super::{MAX_YEAR, by_handle};
use crate::java::range::{ParseError, RangeError, check, check_u8};

/// `java.time.Year`. [`Display`](fmt::Display) and [`FromStr`] have Java's form: a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Year(i32);

/// `java.time.YearMonth`. [`Display`](fmt::Display) and [`FromStr`] have Java's form: `2024-02`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct YearMonth {
    year: i32,
    month: u8,
}

/// `java.time.MonthDay`. [`Display`](fmt::Display) and [`FromStr`] have Java's form: `--02-29`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonthDay {
    month: u8,
    day: u8,
}

fn check_year(year: i32) -> Result<i32, RangeError> {
    check("the year", year.into(), (-MAX_YEAR).into(), MAX_YEAR.into())?;
    Ok(year)
}

impl Year {
    /// A year, -999,999,999 to 999,999,999.
    ///
    /// # Errors
    ///
    /// When it is out of range.
    pub fn new(year: i32) -> Result<Self, RangeError> {
        check_year(year).map(Self)
    }

    /// The number.
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl YearMonth {
    /// A year, and a month (1 to 12) of it.
    ///
    /// # Errors
    ///
    /// When one of them is out of range.
    pub fn new(year: i32, month: i32) -> Result<Self, RangeError> {
        Ok(Self { year: check_year(year)?, month: check_u8("the month", month, 1, 12)? })
    }

    /// The year.
    pub const fn year(self) -> i32 {
        self.year
    }

    /// The month, 1 to 12.
    pub const fn month(self) -> u8 {
        self.month
    }
}

impl MonthDay {
    /// A month (1 to 12), and a day that it has in some year: 29 February is one.
    ///
    /// # Errors
    ///
    /// When one of them is out of range.
    pub fn new(month: i32, day: i32) -> Result<Self, RangeError> {
        let month = check_u8("the month", month, 1, 12)?;
        // Year 0 is a leap year.
        Ok(Self { month, day: check_u8("the day of the month", day, 1, days_in(0, month))? })
    }

    /// The month, 1 to 12.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, 1 to 31.
    pub const fn day(self) -> u8 {
        self.day
    }
}

impl fmt::Display for Year {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for YearMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_year(self.year, f)?;
        write!(f, "-{:02}", self.month)
    }
}

impl fmt::Display for MonthDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--{:02}-{:02}", self.month, self.day)
    }
}

impl FromStr for Year {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let year = text.parse().ok().and_then(|year| Self::new(year).ok());
        year.ok_or_else(|| ParseError::new("a year as 2024", text))
    }
}

impl FromStr for YearMonth {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let parse = |mut rest: Text<'_>| {
            let year = rest.year()?;
            rest.expect('-')?;
            let month = rest.digits(2, 2)?;
            rest.end()?;
            Self::new(year, month).ok()
        };
        parse(Text(text)).ok_or_else(|| ParseError::new("a month as 2024-02", text))
    }
}

impl FromStr for MonthDay {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let parse = |mut rest: Text<'_>| {
            rest.expect('-')?;
            rest.expect('-')?;
            let month = rest.digits(2, 2)?;
            rest.expect('-')?;
            let day = rest.digits(2, 2)?;
            rest.end()?;
            Self::new(month, day).ok()
        };
        parse(Text(text)).ok_or_else(|| ParseError::new("a day of the year as --02-29", text))
    }
}

#[derive(crate::Hessian)]
#[hessian(class = "com.alibaba.com.caucho.hessian.io.java8.YearHandle")]
struct YearHandle {
    year: i32,
}

impl From<Year> for YearHandle {
    fn from(year: Year) -> Self {
        Self { year: year.0 }
    }
}

impl TryFrom<YearHandle> for Year {
    type Error = RangeError;

    fn try_from(handle: YearHandle) -> Result<Self, RangeError> {
        Self::new(handle.year)
    }
}

by_handle!(Year, YearHandle, "Ljava/time/Year;");

#[derive(crate::Hessian)]
#[hessian(class = "com.alibaba.com.caucho.hessian.io.java8.YearMonthHandle")]
struct YearMonthHandle {
    month: i32,
    year: i32,
}

impl From<YearMonth> for YearMonthHandle {
    fn from(YearMonth { year, month }: YearMonth) -> Self {
        Self { month: month.into(), year }
    }
}

impl TryFrom<YearMonthHandle> for YearMonth {
    type Error = RangeError;

    fn try_from(handle: YearMonthHandle) -> Result<Self, RangeError> {
        Self::new(handle.year, handle.month)
    }
}

by_handle!(YearMonth, YearMonthHandle, "Ljava/time/YearMonth;");

#[derive(crate::Hessian)]
#[hessian(class = "com.alibaba.com.caucho.hessian.io.java8.MonthDayHandle")]
struct MonthDayHandle {
    day: i32,
    month: i32,
}

impl From<MonthDay> for MonthDayHandle {
    fn from(MonthDay { month, day }: MonthDay) -> Self {
        Self { day: day.into(), month: month.into() }
    }
}

impl TryFrom<MonthDayHandle> for MonthDay {
    type Error = RangeError;

    fn try_from(handle: MonthDayHandle) -> Result<Self, RangeError> {
        Self::new(handle.month, handle.day)
    }
}

by_handle!(MonthDay, MonthDayHandle, "Ljava/time/MonthDay;");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_date_have_the_text_of_java_and_its_ranges() {
        assert_eq!(YearMonth::new(-5, 3).unwrap().to_string(), "-0005-03");
        assert_eq!("-0005-03".parse(), YearMonth::new(-5, 3).map_err(|_| unreachable!()));
        assert_eq!("--02-29".parse(), MonthDay::new(2, 29).map_err(|_| unreachable!()));
        assert_eq!(MonthDay::new(2, 29).unwrap().to_string(), "--02-29");
        assert_eq!("-44".parse(), Year::new(-44).map_err(|_| unreachable!()));
        assert!(
            MonthDay::new(2, 30).is_err() && MonthDay::new(13, 1).is_err() && MonthDay::new(1, 0).is_err()
        );
        assert!(YearMonth::new(2024, 0).is_err() && Year::new(i32::MIN).is_err());
        assert!("--2-29".parse::<MonthDay>().is_err() && "2024-13".parse::<YearMonth>().is_err());
    }
}
