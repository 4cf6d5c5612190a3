//! Owns `Instant`, a point in time to the nanosecond.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::text::Text;
use super::{LocalDateTime, by_handle, date_time};
use crate::date::{Date, DateRangeError};
use crate::java::range::{ParseError, RangeError, check, check_nanos};

/// `java.time.Instant`: seconds and nanoseconds since 1970-01-01 00:00 UTC; the seconds are negative before.
///
/// [`Display`](fmt::Display) and [`FromStr`] have Java's form: `2024-02-29T10:15:30Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    seconds: i64,
    nanos: u32,
}

/// Seconds of the first and the last instant of `java.time`.
const MIN: i64 = -31_557_014_167_219_200;
const MAX: i64 = 31_556_889_864_403_199;

impl Instant {
    /// 1970-01-01 00:00 UTC.
    pub const EPOCH: Self = Self { seconds: 0, nanos: 0 };

    /// An instant by seconds since the epoch, and nanoseconds (0 to 999,999,999) behind that second.
    ///
    /// # Errors
    ///
    /// When the year lies beyond a thousand million, or the nanoseconds are out of range.
    pub fn new(seconds: i64, nanos: i32) -> Result<Self, RangeError> {
        let seconds = check("the second since 1970", seconds, MIN, MAX)?;
        Ok(Self { seconds, nanos: check_nanos(nanos)? })
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds behind that second.
    pub const fn nanos(self) -> u32 {
        self.nanos
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An instant may lie one year beyond the dates; such a year has no text.
        let Ok(clock) = LocalDateTime::from_second(self.seconds, self.nanos) else {
            return write!(f, "{}.{:09}s", self.seconds, self.nanos);
        };
        write!(f, "{clock}")?;
        // Java leaves the seconds of a time out, but not those of an instant.
        if clock.time.second() == 0 && clock.time.nano() == 0 {
            f.write_str(":00Z")
        } else {
            f.write_str("Z")
        }
    }
}

impl FromStr for Instant {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut rest = Text(text);
        let clock = date_time::parse(&mut rest).filter(|_| rest.take('Z') && rest.end().is_some());
        clock
            .and_then(|clock| Self::new(clock.to_second(), clock.time.nano() as i32).ok())
            .ok_or_else(|| ParseError::new("an instant as 2024-02-29T10:15:30Z", text))
    }
}

impl TryFrom<SystemTime> for Instant {
    type Error = RangeError;

    fn try_from(time: SystemTime) -> Result<Self, RangeError> {
        let (distance, after) = match time.duration_since(UNIX_EPOCH) {
            Ok(distance) => (distance, true),
            Err(error) => (error.duration(), false),
        };
        let seconds = i64::try_from(distance.as_secs()).unwrap_or(i64::MAX);
        let nanos = distance.subsec_nanos() as i32;
        match (after, nanos) {
            (true, _) => Self::new(seconds, nanos),
            (false, 0) => Self::new(-seconds, 0),
            (false, _) => Self::new(-seconds - 1, 1_000_000_000 - nanos),
        }
    }
}

impl TryFrom<Instant> for SystemTime {
    type Error = DateRangeError;

    fn try_from(instant: Instant) -> Result<Self, DateRangeError> {
        let distance = std::time::Duration::from_secs(instant.seconds.unsigned_abs());
        let second = match instant.seconds {
            ..0 => UNIX_EPOCH.checked_sub(distance),
            _ => UNIX_EPOCH.checked_add(distance),
        };
        let nanos = std::time::Duration::from_nanos(instant.nanos.into());
        second.and_then(|second| second.checked_add(nanos)).ok_or(DateRangeError)
    }
}

impl TryFrom<Date> for Instant {
    type Error = RangeError;

    fn try_from(date: Date) -> Result<Self, RangeError> {
        let millis = date.as_millis();
        Self::new(millis.div_euclid(1_000), millis.rem_euclid(1_000) as i32 * 1_000_000)
    }
}

/// Cuts to the millisecond before.
impl TryFrom<Instant> for Date {
    type Error = DateRangeError;

    fn try_from(instant: Instant) -> Result<Self, DateRangeError> {
        let millis = i128::from(instant.seconds) * 1_000 + i128::from(instant.nanos / 1_000_000);
        i64::try_from(millis).map(Self::from_millis).map_err(|_| DateRangeError)
    }
}

#[derive(crate::Hessian)]
#[hessian(class = "com.alibaba.com.caucho.hessian.io.java8.InstantHandle")]
struct Handle {
    nanos: i32,
    seconds: i64,
}

impl From<Instant> for Handle {
    fn from(Instant { seconds, nanos }: Instant) -> Self {
        Self { nanos: nanos as i32, seconds }
    }
}

impl TryFrom<Handle> for Instant {
    type Error = RangeError;

    fn try_from(handle: Handle) -> Result<Self, RangeError> {
        Self::new(handle.seconds, handle.nanos)
    }
}

by_handle!(Instant, Handle, "Ljava/time/Instant;");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_the_form_of_java() {
        for (seconds, nanos, text) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (-1, 999_000_000, "1969-12-31T23:59:59.999Z"),
            (100, 10, "1970-01-01T00:01:40.000000010Z"),
        ] {
            let instant = Instant::new(seconds, nanos).unwrap();
            assert_eq!(instant.to_string(), text);
            assert_eq!(text.parse(), Ok(instant));
        }
        assert!("1970-01-01T00:00:00".parse::<Instant>().is_err());
        assert!("1970-01-01T00:00:00+01:00".parse::<Instant>().is_err());
        assert!(!Instant::new(MAX, 0).unwrap().to_string().is_empty());
    }

    #[test]
    fn system_time_and_date_come_back() {
        for (seconds, nanos) in [(0, 0), (-1, 1), (1_700_000_000, 999_999_999), (-62_135_596_800, 0)] {
            let instant = Instant::new(seconds, nanos).unwrap();
            assert_eq!(Instant::try_from(SystemTime::try_from(instant).unwrap()), Ok(instant));
        }
        let date = Date::from_millis(-1);
        assert_eq!(Instant::try_from(date), Instant::new(-1, 999_000_000));
        assert_eq!(Date::try_from(Instant::try_from(date).unwrap()), Ok(date));
        assert!(Date::try_from(Instant::new(MAX, 0).unwrap()).is_err());
        assert!(Instant::new(MAX + 1, 0).is_err());
    }
}
