//! Owns `LocalDate`, a day of the calendar without a time zone.

use std::fmt;
use std::str::FromStr;

use super::MAX_YEAR;
use super::text::{Text, write_year};
use crate::compact::NAMELESS;
use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::{Error, Result};
use crate::java::JavaType;
use crate::java::range::{ParseError, RangeError, check, check_u8};
use crate::sink::Sink;

/// `java.time.LocalDate`: a day of the proleptic Gregorian calendar, year -999,999,999 to 999,999,999.
///
/// [`Display`](fmt::Display) and [`FromStr`] have Java's form: `2024-02-29`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalDate {
    year: i32,
    month: u8,
    day: u8,
}

/// Days of 400 years.
const ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const TO_EPOCH: i64 = 719_468;
/// Days since 1970-01-01 of the first and the last day of `java.time`.
const MIN_DAY: i64 = -365_243_219_162;
const MAX_DAY: i64 = 365_241_780_471;

impl LocalDate {
    /// 1970-01-01.
    pub const EPOCH: Self = Self { year: 1970, month: 1, day: 1 };

    /// A day by year, month (1 to 12) and day of the month (1 to 31).
    ///
    /// # Errors
    ///
    /// When the calendar has no such day.
    pub fn new(year: i32, month: i32, day: i32) -> Result<Self, RangeError> {
        check("the year", year.into(), (-MAX_YEAR).into(), MAX_YEAR.into())?;
        let month = check_u8("the month", month, 1, 12)?;
        let day = check_u8("the day of the month", day, 1, days_in(year, month))?;
        Ok(Self { year, month, day })
    }

    /// A day by its distance from 1970-01-01.
    ///
    /// # Errors
    ///
    /// When the year lies beyond 999,999,999, before or after the common era.
    pub fn from_epoch_day(days: i64) -> Result<Self, RangeError> {
        let days = check("the day since 1970-01-01", days, MIN_DAY, MAX_DAY)? + TO_EPOCH;
        // Years begin in March here, so that the day that may be missing is the last one.
        let (era, day_of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        // The day is in range, so all three are.
        Ok(Self { year: year as i32, month: month as u8, day: day as u8 })
    }

    /// Days since 1970-01-01, negative before.
    pub fn to_epoch_day(self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let march_month = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * march_month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * ERA + day_of_era - TO_EPOCH
    }

    /// The year; 0 is the one before year 1.
    pub const fn year(self) -> i32 {
        self.year
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

/// Days of a month. A month that does not exist has none.
pub(super) fn days_in(year: i32, month: u8) -> u8 {
    match month {
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

impl fmt::Display for LocalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_year(self.year, f)?;
        write!(f, "-{:02}-{:02}", self.month, self.day)
    }
}

impl FromStr for LocalDate {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut rest = Text(text);
        parse(&mut rest)
            .filter(|_| rest.end().is_some())
            .ok_or_else(|| ParseError::new("a date as 2024-02-29", text))
    }
}

pub(super) fn parse(text: &mut Text<'_>) -> Option<LocalDate> {
    let year = text.year()?;
    text.expect('-')?;
    let month = text.digits(2, 2)?;
    text.expect('-')?;
    LocalDate::new(year, month, text.digits(2, 2)?).ok()
}

#[derive(crate::Hessian)]
#[hessian(class = "com.alibaba.com.caucho.hessian.io.java8.LocalDateHandle")]
struct Handle {
    day: i32,
    month: i32,
    year: i32,
}

impl Encode for LocalDate {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        Handle { day: self.day.into(), month: self.month.into(), year: self.year }.encode_to(e)
    }
}

/// The handle, or the compact form of hessian-lite 4.0.4.
impl<'de> Decode<'de> for LocalDate {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        static NAMES: [&str; 4] = ["day", "month", "year", NAMELESS];
        let start = d.position();
        let (mut day, mut month, mut year, mut epoch_day) = (None, None, None, None);
        let mut object = d.object(&NAMES)?;
        while let Some(field) = d.next_field(&mut object)? {
            match field {
                0 => d.field(&mut day, "day")?,
                1 => d.field(&mut month, "month")?,
                2 => d.field(&mut year, "year")?,
                3 => d.field(&mut epoch_day, "epochDay")?,
                _ => d.skip()?,
            }
        }
        let date = match (epoch_day, year) {
            (Some(days), None) => Self::from_epoch_day(days),
            _ => Self::new(year.unwrap_or_default(), month.unwrap_or_default(), day.unwrap_or_default()),
        };
        date.map_err(|error| Error::at(error.into(), start))
    }
}

impl JavaType for LocalDate {
    const DESCRIPTOR: &'static str = "Ljava/time/LocalDate;";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_as_java_counts_them() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2020-06-16", 18_429),
            ("0000-01-01", -719_528),
            ("-0001-12-31", -719_529),
            ("-999999999-01-01", MIN_DAY),
            ("+999999999-12-31", MAX_DAY),
        ] {
            let date: LocalDate = text.parse().unwrap();
            assert_eq!(date.to_epoch_day(), days, "{text}");
            assert_eq!(LocalDate::from_epoch_day(days), Ok(date), "{text}");
            assert_eq!(date.to_string(), text);
        }
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut date = LocalDate::new(1899, 12, 31).unwrap();
        for days in date.to_epoch_day() + 1..=date.to_epoch_day() + ERA {
            let next = LocalDate::from_epoch_day(days).unwrap();
            assert!(next > date, "{date} {next}");
            assert_eq!(LocalDate::new(next.year, next.month.into(), next.day.into()), Ok(next));
            assert_eq!(next.to_epoch_day(), days);
            date = next;
        }
    }

    #[test]
    fn a_day_that_the_calendar_lacks_is_refused() {
        for (year, month, day) in
            [(2023, 2, 29), (1900, 2, 29), (2024, 13, 1), (2024, 0, 1), (2024, 4, 31), (1_000_000_000, 1, 1)]
        {
            assert!(LocalDate::new(year, month, day).is_err(), "{year} {month} {day}");
        }
        let error = LocalDate::new(2024, 13, 1).unwrap_err();
        assert_eq!(error.to_string(), "the month is 13: expected 1 to 12");
        assert!(LocalDate::from_epoch_day(i64::MIN).is_err());
        for text in ["", "2024-2-01", "2024-02-30", "2024-02-01x", "20240-02-01", "２０２４-02-01"] {
            assert!(text.parse::<LocalDate>().is_err(), "{text}");
        }
    }
}
