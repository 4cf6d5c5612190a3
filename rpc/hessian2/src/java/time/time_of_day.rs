//! Owns `LocalTime`, a time of the day without a time zone.

use std::fmt;
use std::str::FromStr;

use super::text::{Text, write_fraction};
use crate::compact::NAMELESS;
use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::{Error, Result};
use crate::java::JavaType;
use crate::java::range::{ParseError, RangeError, check, check_nanos, check_u8};
use crate::sink::Sink;

/// `java.time.LocalTime`: a time of the day to the nanosecond.
///
/// [`Display`](fmt::Display) and [`FromStr`] have Java's form: `10:15`, `10:15:30.001`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime {
    hour: u8,
    minute: u8,
    second: u8,
    nano: u32,
}

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

impl LocalTime {
    /// 00:00.
    pub const MIDNIGHT: Self = Self { hour: 0, minute: 0, second: 0, nano: 0 };

    /// A time by hour (0 to 23), minute, second (0 to 59) and nanosecond (0 to 999,999,999).
    ///
    /// # Errors
    ///
    /// When one of them is out of range.
    pub fn new(hour: i32, minute: i32, second: i32, nano: i32) -> Result<Self, RangeError> {
        Ok(Self {
            hour: check_u8("the hour", hour, 0, 23)?,
            minute: check_u8("the minute", minute, 0, 59)?,
            second: check_u8("the second", second, 0, 59)?,
            nano: check_nanos(nano)?,
        })
    }

    /// A time by nanoseconds since midnight.
    ///
    /// # Errors
    ///
    /// When they are negative, or a day and more.
    pub fn from_nano_of_day(nanos: i64) -> Result<Self, RangeError> {
        let nanos = check("the nanosecond of the day", nanos, 0, SECONDS_PER_DAY * NANOS_PER_SECOND - 1)?;
        let second = nanos / NANOS_PER_SECOND;
        Ok(Self {
            hour: (second / 3_600) as u8,
            minute: (second / 60 % 60) as u8,
            second: (second % 60) as u8,
            nano: (nanos % NANOS_PER_SECOND) as u32,
        })
    }

    /// Nanoseconds since midnight.
    pub fn to_nano_of_day(self) -> i64 {
        self.to_second_of_day() * NANOS_PER_SECOND + i64::from(self.nano)
    }

    /// Whole seconds since midnight.
    pub fn to_second_of_day(self) -> i64 {
        (i64::from(self.hour) * 60 + i64::from(self.minute)) * 60 + i64::from(self.second)
    }

    /// The hour, 0 to 23.
    pub const fn hour(self) -> u8 {
        self.hour
    }

    /// The minute, 0 to 59.
    pub const fn minute(self) -> u8 {
        self.minute
    }

    /// The second, 0 to 59.
    pub const fn second(self) -> u8 {
        self.second
    }

    /// The nanosecond within the second.
    pub const fn nano(self) -> u32 {
        self.nano
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)?;
        if self.second > 0 || self.nano > 0 {
            write!(f, ":{:02}", self.second)?;
        }
        write_fraction(self.nano, f)
    }
}

impl FromStr for LocalTime {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut rest = Text(text);
        parse(&mut rest)
            .filter(|_| rest.end().is_some())
            .ok_or_else(|| ParseError::new("a time as 10:15:30.5", text))
    }
}

pub(super) fn parse(text: &mut Text<'_>) -> Option<LocalTime> {
    let hour = text.digits(2, 2)?;
    text.expect(':')?;
    let minute = text.digits(2, 2)?;
    let (mut second, mut nano) = (0, 0);
    if text.take(':') {
        second = text.digits(2, 2)?;
        nano = text.fraction()?;
    }
    LocalTime::new(hour, minute, second, nano).ok()
}

#[derive(crate::Hessian)]
#[hessian(class = "com.alibaba.com.caucho.hessian.io.java8.LocalTimeHandle")]
struct Handle {
    nano: i32,
    second: i32,
    minute: i32,
    hour: i32,
}

impl Encode for LocalTime {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        let Self { hour, minute, second, nano } = *self;
        let [hour, minute, second] = [hour, minute, second].map(i32::from);
        Handle { nano: nano as i32, second, minute, hour }.encode_to(e)
    }
}

/// The handle, or the compact form of hessian-lite 4.0.4.
impl<'de> Decode<'de> for LocalTime {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        static NAMES: [&str; 5] = ["nano", "second", "minute", "hour", NAMELESS];
        let start = d.position();
        let (mut nano, mut second, mut minute, mut hour, mut nano_of_day) = (None, None, None, None, None);
        let mut object = d.object(&NAMES)?;
        while let Some(field) = d.next_field(&mut object)? {
            match field {
                0 => d.field(&mut nano, "nano")?,
                1 => d.field(&mut second, "second")?,
                2 => d.field(&mut minute, "minute")?,
                3 => d.field(&mut hour, "hour")?,
                4 => d.field(&mut nano_of_day, "nanoOfDay")?,
                _ => d.skip()?,
            }
        }
        let time = match (nano_of_day, hour) {
            (Some(nanos), None) => Self::from_nano_of_day(nanos),
            _ => Self::new(
                hour.unwrap_or_default(),
                minute.unwrap_or_default(),
                second.unwrap_or_default(),
                nano.unwrap_or_default(),
            ),
        };
        time.map_err(|error| Error::at(error.into(), start))
    }
}

impl JavaType for LocalTime {
    const DESCRIPTOR: &'static str = "Ljava/time/LocalTime;";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_the_form_of_java() {
        for (nanos, text) in [
            (0, "00:00"),
            (22_560_000_000_000, "06:16"),
            (22_561_000_000_000, "06:16:01"),
            (1_000_000, "00:00:00.001"),
            (1_000, "00:00:00.000001"),
            (86_399_999_999_999, "23:59:59.999999999"),
        ] {
            let time = LocalTime::from_nano_of_day(nanos).unwrap();
            assert_eq!(time.to_string(), text);
            assert_eq!(text.parse(), Ok(time));
            assert_eq!(time.to_nano_of_day(), nanos);
        }
        assert_eq!("01:02:03.5".parse(), LocalTime::new(1, 2, 3, 500_000_000).map_err(|_| unreachable!()));
        for text in ["24:00", "1:00", "01:60", "01:00:00.", "01:00:00.1234567891", "01", "01:00Z"] {
            assert!(text.parse::<LocalTime>().is_err(), "{text}");
        }
        assert!(LocalTime::from_nano_of_day(-1).is_err());
        assert!(LocalTime::from_nano_of_day(86_400_000_000_000).is_err());
        assert!(LocalTime::new(0, 0, 0, 1_000_000_000).is_err());
    }
}
