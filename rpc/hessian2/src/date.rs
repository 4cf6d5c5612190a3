//! Owns `Date`, Java's point in time. It knows no calendar and no time zone.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::Result;
use crate::sink::Sink;

/// `java.util.Date`: milliseconds since 1970-01-01 00:00 UTC, negative before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i64);

/// A point in time that the other type cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the point in time lies outside of what the type can hold")]
pub struct DateRangeError;

impl Date {
    /// 1970-01-01 00:00 UTC.
    pub const EPOCH: Self = Self(0);

    /// A date from milliseconds since 1970-01-01 UTC.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Now, cut to milliseconds.
    pub fn now() -> Self {
        Self::try_from(SystemTime::now()).unwrap_or(Self::EPOCH)
    }
}

impl TryFrom<SystemTime> for Date {
    type Error = DateRangeError;

    /// Cuts to the millisecond before.
    fn try_from(time: SystemTime) -> Result<Self, DateRangeError> {
        let millis = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()),
            Err(before) => {
                let nanos = before.duration().as_nanos();
                i64::try_from(nanos.div_ceil(1_000_000)).map(|millis| -millis)
            }
        };
        millis.map(Self).map_err(|_| DateRangeError)
    }
}

impl TryFrom<Date> for SystemTime {
    type Error = DateRangeError;

    fn try_from(date: Date) -> Result<Self, DateRangeError> {
        let distance = Duration::from_millis(date.0.unsigned_abs());
        let time =
            if date.0 < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
        time.ok_or(DateRangeError)
    }
}

impl Encode for Date {
    #[inline]
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        e.date(self.0);
        Ok(())
    }
}

impl<'de> Decode<'de> for Date {
    #[inline]
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        d.date().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_time_comes_back_at_the_millisecond_before() {
        for millis in [0, 1, -1, 894_621_091_000, -62_135_596_800_000] {
            let date = Date::from_millis(millis);
            assert_eq!(Date::try_from(SystemTime::try_from(date).unwrap()), Ok(date));
        }
        let before = UNIX_EPOCH - Duration::from_nanos(1);
        assert_eq!(Date::try_from(before), Ok(Date::from_millis(-1)));
    }
}
