//! Owns `Duration` and `Period`, amounts of time.

use std::fmt;

use super::by_handle;
use crate::java::range::{RangeError, check, check_nanos};

/// `java.time.Duration`: seconds, also negative, and nanoseconds on top of them.
///
/// [`Display`](fmt::Display) has Java's form: `PT1H2M3.5S`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    seconds: i64,
    nanos: u32,
}

impl Duration {
    /// Seconds, and nanoseconds (0 to 999,999,999) on top: half a second back is -1 and 500,000,000.
    ///
    /// # Errors
    ///
    /// When the nanoseconds are out of range.
    pub fn new(seconds: i64, nanos: i32) -> Result<Self, RangeError> {
        Ok(Self { seconds, nanos: check_nanos(nanos)? })
    }

    /// Whole seconds, rounded down.
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds on top of the seconds.
    pub const fn nanos(self) -> u32 {
        self.nanos
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanos);
        if total == 0 {
            return f.write_str("PT0S");
        }
        // Whole seconds towards zero, so that all parts have one sign.
        let (seconds, nanos) = (total / 1_000_000_000, (total % 1_000_000_000).unsigned_abs());
        let (hours, minutes, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        f.write_str("PT")?;
        if hours != 0 {
            write!(f, "{hours}H")?;
        }
        if minutes != 0 {
            write!(f, "{minutes}M")?;
        }
        if second == 0 && nanos == 0 {
            return Ok(());
        }
        let sign = if second == 0 && total < 0 { "-" } else { "" };
        write!(f, "{sign}{second}")?;
        if nanos != 0 {
            write!(f, ".{}", format!("{nanos:09}").trim_end_matches('0'))?;
        }
        f.write_str("S")
    }
}

impl TryFrom<std::time::Duration> for Duration {
    type Error = RangeError;

    fn try_from(duration: std::time::Duration) -> Result<Self, RangeError> {
        let seconds = i64::try_from(duration.as_secs()).unwrap_or(-1);
        check("the seconds", seconds, 0, i64::MAX)?;
        Ok(Self { seconds, nanos: duration.subsec_nanos() })
    }
}

/// Fails on a negative one.
impl TryFrom<Duration> for std::time::Duration {
    type Error = RangeError;

    fn try_from(duration: Duration) -> Result<Self, RangeError> {
        let seconds = check("the seconds", duration.seconds, 0, i64::MAX)?;
        Ok(Self::new(seconds.unsigned_abs(), duration.nanos))
    }
}

#[derive(crate::Hessian)]
#[hessian(class = "com.alibaba.com.caucho.hessian.io.java8.DurationHandle")]
struct DurationHandle {
    nanos: i32,
    seconds: i64,
}

impl From<Duration> for DurationHandle {
    fn from(Duration { seconds, nanos }: Duration) -> Self {
        Self { nanos: nanos as i32, seconds }
    }
}

impl TryFrom<DurationHandle> for Duration {
    type Error = RangeError;

    fn try_from(handle: DurationHandle) -> Result<Self, RangeError> {
        Self::new(handle.seconds, handle.nanos)
    }
}

by_handle!(Duration, DurationHandle, "Ljava/time/Duration;");

/// `java.time.Period`: years, months and days, each with a sign of its own.
///
/// [`Display`](fmt::Display) has Java's form: `P1Y2M3D`. Equal are those with the same parts, so 12 months are not a
/// year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Period {
    /// Years.
    pub years: i32,
    /// Months.
    pub months: i32,
    /// Days.
    pub days: i32,
}

impl Period {
    /// Years, months and days.
    pub const fn new(years: i32, months: i32, days: i32) -> Self {
        Self { years, months, days }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [(self.years, 'Y'), (self.months, 'M'), (self.days, 'D')];
        if *self == Self::default() {
            return f.write_str("P0D");
        }
        f.write_str("P")?;
        parts.iter().filter(|(part, _)| *part != 0).try_for_each(|(part, unit)| write!(f, "{part}{unit}"))
    }
}

#[derive(crate::Hessian)]
#[hessian(class = "com.alibaba.com.caucho.hessian.io.java8.PeriodHandle")]
struct PeriodHandle {
    days: i32,
    months: i32,
    years: i32,
}

impl From<Period> for PeriodHandle {
    fn from(Period { years, months, days }: Period) -> Self {
        Self { days, months, years }
    }
}

impl From<PeriodHandle> for Period {
    fn from(PeriodHandle { days, months, years }: PeriodHandle) -> Self {
        Self { years, months, days }
    }
}

by_handle!(Period, PeriodHandle, "Ljava/time/Period;");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_the_form_of_java() {
        for (seconds, nanos, text) in [
            (0, 0, "PT0S"),
            (30, 10, "PT30.00000001S"),
            (3_661, 0, "PT1H1M1S"),
            (7_200, 0, "PT2H"),
            (-1, 500_000_000, "PT-0.5S"),
            (-61, 0, "PT-1M-1S"),
        ] {
            assert_eq!(Duration::new(seconds, nanos).unwrap().to_string(), text);
        }
        assert!(!Duration::new(i64::MIN, 1).unwrap().to_string().is_empty());
        assert_eq!(Period::new(1, -2, 3).to_string(), "P1Y-2M3D");
        assert_eq!(Period::new(0, 0, 0).to_string(), "P0D");
    }

    #[test]
    fn only_durations_from_zero_on_are_durations_of_rust() {
        let duration = std::time::Duration::new(5, 6);
        assert_eq!(std::time::Duration::try_from(Duration::try_from(duration).unwrap()), Ok(duration));
        assert!(std::time::Duration::try_from(Duration::new(-1, 0).unwrap()).is_err());
        assert!(Duration::try_from(std::time::Duration::MAX).is_err());
        assert!(Duration::new(0, -1).is_err());
    }
}
