//! Owns `OffsetDateTime` and `OffsetTime`, which say how far the clock is from UTC.

use std::fmt;
use std::str::FromStr;

use super::text::Text;
use super::{Instant, LocalDateTime, LocalTime, ZoneOffset, by_handle, date_time, time_of_day, zone};
use crate::java::range::{ParseError, RangeError};

/// `java.time.OffsetDateTime`. [`Display`](fmt::Display) and [`FromStr`] have Java's form:
/// `2024-02-29T10:15+08:00`.
///
/// Equal are those with the same clock and the same offset, not all that name the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OffsetDateTime {
    /// What the clock shows.
    pub date_time: LocalDateTime,
    /// How far the clock is from UTC.
    pub offset: ZoneOffset,
}

/// `java.time.OffsetTime`. [`Display`](fmt::Display) and [`FromStr`] have Java's form: `10:15+08:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OffsetTime {
    /// What the clock shows.
    pub time: LocalTime,
    /// How far the clock is from UTC.
    pub offset: ZoneOffset,
}

impl OffsetDateTime {
    /// A date and time at an offset.
    pub const fn new(date_time: LocalDateTime, offset: ZoneOffset) -> Self {
        Self { date_time, offset }
    }

    /// An instant as a clock at an offset shows it.
    ///
    /// # Errors
    ///
    /// When the clock shows a year beyond 999,999,999.
    pub fn from_instant(instant: Instant, offset: ZoneOffset) -> Result<Self, RangeError> {
        let second = instant.seconds() + i64::from(offset.seconds());
        Ok(Self { date_time: LocalDateTime::from_second(second, instant.nanos())?, offset })
    }

    /// The instant that it names.
    ///
    /// # Errors
    ///
    /// When it lies beyond what [`Instant`] holds, which takes a year of more than 999,999,998.
    pub fn to_instant(self) -> Result<Instant, RangeError> {
        let second = self.date_time.to_second() - i64::from(self.offset.seconds());
        Instant::new(second, self.date_time.time.nano() as i32)
    }
}

impl fmt::Display for OffsetDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.date_time, self.offset)
    }
}

impl FromStr for OffsetDateTime {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut rest = Text(text);
        let mut parse =
            || Some(Self { date_time: date_time::parse(&mut rest)?, offset: zone::parse(&mut rest)? });
        parse()
            .filter(|_| rest.end().is_some())
            .ok_or_else(|| ParseError::new("a date, time and offset as 2024-02-29T10:15+08:00", text))
    }
}

impl fmt::Display for OffsetTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.time, self.offset)
    }
}

impl FromStr for OffsetTime {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut rest = Text(text);
        let mut parse =
            || Some(Self { time: time_of_day::parse(&mut rest)?, offset: zone::parse(&mut rest)? });
        parse()
            .filter(|_| rest.end().is_some())
            .ok_or_else(|| ParseError::new("a time and offset as 10:15+08:00", text))
    }
}

#[derive(crate::Hessian)]
#[hessian(class = "com.alibaba.com.caucho.hessian.io.java8.OffsetDateTimeHandle")]
struct DateTimeHandle {
    offset: ZoneOffset,
    date_time: LocalDateTime,
}

impl From<OffsetDateTime> for DateTimeHandle {
    fn from(OffsetDateTime { date_time, offset }: OffsetDateTime) -> Self {
        Self { offset, date_time }
    }
}

impl From<DateTimeHandle> for OffsetDateTime {
    fn from(DateTimeHandle { offset, date_time }: DateTimeHandle) -> Self {
        Self { date_time, offset }
    }
}

by_handle!(OffsetDateTime, DateTimeHandle, "Ljava/time/OffsetDateTime;");

#[derive(crate::Hessian)]
#[hessian(class = "com.alibaba.com.caucho.hessian.io.java8.OffsetTimeHandle")]
struct TimeHandle {
    zone_offset: ZoneOffset,
    local_time: LocalTime,
}

impl From<OffsetTime> for TimeHandle {
    fn from(OffsetTime { time, offset }: OffsetTime) -> Self {
        Self { zone_offset: offset, local_time: time }
    }
}

impl From<TimeHandle> for OffsetTime {
    fn from(TimeHandle { zone_offset, local_time }: TimeHandle) -> Self {
        Self { time: local_time, offset: zone_offset }
    }
}

by_handle!(OffsetTime, TimeHandle, "Ljava/time/OffsetTime;");
