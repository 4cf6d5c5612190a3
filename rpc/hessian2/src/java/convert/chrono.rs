//! Owns the way to and from the crate `chrono`.

use ::chrono::{
    DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc,
};

use super::as_java;
use crate::date::Date;
use crate::java::time::{Duration, Instant, LocalDate, LocalDateTime, LocalTime, OffsetDateTime, ZoneOffset};
use crate::java::{ConversionError, RangeError};

impl TryFrom<NaiveDate> for LocalDate {
    type Error = RangeError;

    /// Never fails: the years of `chrono` are all years of Java.
    fn try_from(date: NaiveDate) -> Result<Self, RangeError> {
        Self::new(date.year(), date.month() as i32, date.day() as i32)
    }
}

impl TryFrom<LocalDate> for NaiveDate {
    type Error = ConversionError;

    fn try_from(date: LocalDate) -> Result<Self, ConversionError> {
        Self::from_ymd_opt(date.year(), date.month().into(), date.day().into())
            .ok_or_else(|| ConversionError::new("chrono::NaiveDate", &date))
    }
}

impl TryFrom<NaiveTime> for LocalTime {
    type Error = RangeError;

    /// Fails on a leap second, which Java does not have.
    fn try_from(time: NaiveTime) -> Result<Self, RangeError> {
        let [hour, minute, second, nano] =
            [time.hour(), time.minute(), time.second(), time.nanosecond()].map(u32::cast_signed);
        Self::new(hour, minute, second, nano)
    }
}

impl TryFrom<LocalTime> for NaiveTime {
    type Error = ConversionError;

    /// Never fails.
    fn try_from(time: LocalTime) -> Result<Self, ConversionError> {
        Self::from_hms_nano_opt(time.hour().into(), time.minute().into(), time.second().into(), time.nano())
            .ok_or_else(|| ConversionError::new("chrono::NaiveTime", &time))
    }
}

impl TryFrom<NaiveDateTime> for LocalDateTime {
    type Error = RangeError;

    /// Fails on a leap second.
    fn try_from(clock: NaiveDateTime) -> Result<Self, RangeError> {
        Ok(Self::new(clock.date().try_into()?, clock.time().try_into()?))
    }
}

impl TryFrom<LocalDateTime> for NaiveDateTime {
    type Error = ConversionError;

    fn try_from(clock: LocalDateTime) -> Result<Self, ConversionError> {
        Ok(Self::new(clock.date.try_into()?, clock.time.try_into()?))
    }
}

impl TryFrom<DateTime<Utc>> for Instant {
    type Error = RangeError;

    /// Fails on a leap second.
    fn try_from(time: DateTime<Utc>) -> Result<Self, RangeError> {
        Self::new(time.timestamp(), time.timestamp_subsec_nanos().cast_signed())
    }
}

impl TryFrom<Instant> for DateTime<Utc> {
    type Error = ConversionError;

    fn try_from(instant: Instant) -> Result<Self, ConversionError> {
        Self::from_timestamp(instant.seconds(), instant.nanos())
            .ok_or_else(|| ConversionError::new("chrono::DateTime", &instant))
    }
}

/// Cut to milliseconds.
impl From<DateTime<Utc>> for Date {
    fn from(time: DateTime<Utc>) -> Self {
        Self::from_millis(time.timestamp_millis())
    }
}

impl TryFrom<Date> for DateTime<Utc> {
    type Error = ConversionError;

    fn try_from(date: Date) -> Result<Self, ConversionError> {
        Self::from_timestamp_millis(date.as_millis())
            .ok_or_else(|| ConversionError::new("chrono::DateTime", &format_args!("{} ms", date.as_millis())))
    }
}

impl TryFrom<FixedOffset> for ZoneOffset {
    type Error = RangeError;

    /// Fails beyond 18 hours.
    fn try_from(offset: FixedOffset) -> Result<Self, RangeError> {
        Self::from_seconds(offset.local_minus_utc())
    }
}

impl TryFrom<ZoneOffset> for FixedOffset {
    type Error = ConversionError;

    /// Never fails.
    fn try_from(offset: ZoneOffset) -> Result<Self, ConversionError> {
        Self::east_opt(offset.seconds()).ok_or_else(|| ConversionError::new("chrono::FixedOffset", &offset))
    }
}

impl TryFrom<DateTime<FixedOffset>> for OffsetDateTime {
    type Error = RangeError;

    /// Fails on a leap second, and beyond 18 hours of offset.
    fn try_from(time: DateTime<FixedOffset>) -> Result<Self, RangeError> {
        Ok(Self::new(time.naive_local().try_into()?, (*time.offset()).try_into()?))
    }
}

impl TryFrom<OffsetDateTime> for DateTime<FixedOffset> {
    type Error = ConversionError;

    fn try_from(time: OffsetDateTime) -> Result<Self, ConversionError> {
        let clock = NaiveDateTime::try_from(time.date_time)?;
        let offset = FixedOffset::try_from(time.offset)?;
        clock
            .and_local_timezone(offset)
            .single()
            .ok_or_else(|| ConversionError::new("chrono::DateTime", &time))
    }
}

impl TryFrom<TimeDelta> for Duration {
    type Error = RangeError;

    /// Never fails.
    fn try_from(delta: TimeDelta) -> Result<Self, RangeError> {
        // Both parts have the sign of the whole; here the nanoseconds are never negative.
        let (seconds, nanos) = (delta.num_seconds(), delta.subsec_nanos());
        if nanos < 0 { Self::new(seconds - 1, nanos + 1_000_000_000) } else { Self::new(seconds, nanos) }
    }
}

impl TryFrom<Duration> for TimeDelta {
    type Error = ConversionError;

    fn try_from(duration: Duration) -> Result<Self, ConversionError> {
        Self::new(duration.seconds(), duration.nanos())
            .ok_or_else(|| ConversionError::new("chrono::TimeDelta", &duration))
    }
}

as_java! {
    NaiveDate => LocalDate;
    NaiveTime => LocalTime;
    NaiveDateTime => LocalDateTime;
    DateTime<Utc> => Instant;
    FixedOffset => ZoneOffset;
    DateTime<FixedOffset> => OffsetDateTime;
    TimeDelta => Duration;
}
