//! Owns the way to and from the crate `jiff`.

use ::jiff::civil::{Date as CivilDate, DateTime, Time};
use ::jiff::tz::{Offset, TimeZone};
use ::jiff::{SignedDuration, Timestamp, ZonedDateTime as Zoned};

use super::as_java;
use crate::date::Date;
use crate::java::time::{
    Duration, Instant, LocalDate, LocalDateTime, LocalTime, OffsetDateTime, ZoneId, ZoneOffset, ZonedDateTime,
};
use crate::java::{ConversionError, RangeError};

impl TryFrom<CivilDate> for LocalDate {
    type Error = RangeError;

    /// Never fails: the years of `jiff` are all years of Java.
    fn try_from(date: CivilDate) -> Result<Self, RangeError> {
        Self::new(date.year().into(), date.month().into(), date.day().into())
    }
}

impl TryFrom<LocalDate> for CivilDate {
    type Error = ConversionError;

    fn try_from(date: LocalDate) -> Result<Self, ConversionError> {
        let error = || ConversionError::new("jiff::civil::Date", &date);
        let year = i16::try_from(date.year()).map_err(|_| error())?;
        Self::new(year, date.month().cast_signed(), date.day().cast_signed()).map_err(|_| error())
    }
}

impl TryFrom<Time> for LocalTime {
    type Error = RangeError;

    /// Never fails.
    fn try_from(time: Time) -> Result<Self, RangeError> {
        let [hour, minute, second] = [time.hour(), time.minute(), time.second()].map(i32::from);
        Self::new(hour, minute, second, time.subsec_nanosecond())
    }
}

impl TryFrom<LocalTime> for Time {
    type Error = ConversionError;

    /// Never fails.
    fn try_from(time: LocalTime) -> Result<Self, ConversionError> {
        let [hour, minute, second] = [time.hour(), time.minute(), time.second()].map(u8::cast_signed);
        Self::new(hour, minute, second, time.nano().cast_signed())
            .map_err(|_| ConversionError::new("jiff::civil::Time", &time))
    }
}

impl TryFrom<DateTime> for LocalDateTime {
    type Error = RangeError;

    /// Never fails.
    fn try_from(clock: DateTime) -> Result<Self, RangeError> {
        Ok(Self::new(clock.date().try_into()?, clock.time().try_into()?))
    }
}

impl TryFrom<LocalDateTime> for DateTime {
    type Error = ConversionError;

    fn try_from(clock: LocalDateTime) -> Result<Self, ConversionError> {
        Ok(Self::from_parts(clock.date.try_into()?, clock.time.try_into()?))
    }
}

impl TryFrom<Timestamp> for Instant {
    type Error = RangeError;

    /// Never fails.
    fn try_from(time: Timestamp) -> Result<Self, RangeError> {
        // Both parts have the sign of the whole; here the nanoseconds are never negative.
        let (seconds, nanos) = (time.as_second(), time.subsec_nanosecond());
        if nanos < 0 { Self::new(seconds - 1, nanos + 1_000_000_000) } else { Self::new(seconds, nanos) }
    }
}

impl TryFrom<Instant> for Timestamp {
    type Error = ConversionError;

    fn try_from(instant: Instant) -> Result<Self, ConversionError> {
        Self::new(instant.seconds(), instant.nanos().cast_signed())
            .map_err(|_| ConversionError::new("jiff::Timestamp", &instant))
    }
}

/// Cut to milliseconds.
impl From<Timestamp> for Date {
    fn from(time: Timestamp) -> Self {
        Self::from_millis(time.as_millisecond())
    }
}

impl TryFrom<Date> for Timestamp {
    type Error = ConversionError;

    fn try_from(date: Date) -> Result<Self, ConversionError> {
        Self::from_millisecond(date.as_millis())
            .map_err(|_| ConversionError::new("jiff::Timestamp", &format_args!("{} ms", date.as_millis())))
    }
}

impl TryFrom<Offset> for ZoneOffset {
    type Error = RangeError;

    /// Fails beyond 18 hours.
    fn try_from(offset: Offset) -> Result<Self, RangeError> {
        Self::from_seconds(offset.seconds())
    }
}

impl TryFrom<ZoneOffset> for Offset {
    type Error = ConversionError;

    /// Never fails.
    fn try_from(offset: ZoneOffset) -> Result<Self, ConversionError> {
        Self::from_seconds(offset.seconds()).map_err(|_| ConversionError::new("jiff::tz::Offset", &offset))
    }
}

impl TryFrom<SignedDuration> for Duration {
    type Error = RangeError;

    /// Fails half a second after the least duration of Java.
    fn try_from(duration: SignedDuration) -> Result<Self, RangeError> {
        let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
        match nanos {
            ..0 => Self::new(below(seconds)?, nanos + 1_000_000_000),
            _ => Self::new(seconds, nanos),
        }
    }
}

/// The second before.
fn below(seconds: i64) -> Result<i64, RangeError> {
    let range = RangeError { what: "the seconds", value: seconds, min: i64::MIN + 1, max: i64::MAX };
    seconds.checked_sub(1).ok_or(range)
}

impl TryFrom<Duration> for SignedDuration {
    type Error = ConversionError;

    /// Never fails.
    fn try_from(duration: Duration) -> Result<Self, ConversionError> {
        Ok(Self::new(duration.seconds(), duration.nanos().cast_signed()))
    }
}

impl TryFrom<Zoned> for OffsetDateTime {
    type Error = RangeError;

    /// Fails beyond 18 hours of offset.
    fn try_from(time: Zoned) -> Result<Self, RangeError> {
        Ok(Self::new(time.datetime().try_into()?, time.offset().try_into()?))
    }
}

impl TryFrom<Zoned> for ZonedDateTime {
    type Error = RangeError;

    /// A zone without a name becomes its offset. Fails beyond 18 hours of offset.
    fn try_from(time: Zoned) -> Result<Self, RangeError> {
        let offset = ZoneOffset::try_from(time.offset())?;
        let zone = time.time_zone().iana_name().map_or_else(|| offset.into(), ZoneId::new);
        Ok(Self::new(time.datetime().try_into()?, offset, zone))
    }
}

impl TryFrom<ZonedDateTime> for Zoned {
    type Error = ConversionError;

    /// Fails when `jiff` knows no such zone, or the zone has another offset at that time. Which zones it knows depends
    /// on its features.
    fn try_from(time: ZonedDateTime) -> Result<Self, ConversionError> {
        let error = || ConversionError::new("jiff::ZonedDateTime", &time);
        let instant = time.to_instant().map_err(|_| error())?;
        let timestamp = Timestamp::try_from(instant)?;
        let zone = match time.zone.as_str().parse::<ZoneOffset>() {
            Ok(offset) => TimeZone::fixed(offset.try_into()?),
            Err(_) => TimeZone::get(time.zone.as_str()).map_err(|_| error())?,
        };
        match zone.to_offset(timestamp).seconds() == time.offset.seconds() {
            true => Ok(Self::new(timestamp, zone)),
            false => Err(error()),
        }
    }
}

as_java! {
    CivilDate => LocalDate;
    Time => LocalTime;
    DateTime => LocalDateTime;
    Timestamp => Instant;
    Offset => ZoneOffset;
    SignedDuration => Duration;
    Zoned => ZonedDateTime;
}
