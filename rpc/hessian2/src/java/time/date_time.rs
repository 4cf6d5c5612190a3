//! Owns `LocalDateTime`, a day and a time without a time zone.

use std::fmt;
use std::str::FromStr;

use super::text::Text;
use super::{LocalDate, LocalTime, date, time_of_day};
use crate::decode::{Decode, Decoder, required};
use crate::encode::{Encode, Encoder};
use crate::error::{Error, Result};
use crate::java::JavaType;
use crate::java::range::{ParseError, RangeError};
use crate::kind::Kind;
use crate::sink::Sink;

/// `java.time.LocalDateTime`. [`Display`](fmt::Display) and [`FromStr`] have Java's form: `2024-02-29T10:15`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalDateTime {
    /// The day.
    pub date: LocalDate,
    /// The time of the day.
    pub time: LocalTime,
}

impl LocalDateTime {
    /// A day and a time of it.
    pub const fn new(date: LocalDate, time: LocalTime) -> Self {
        Self { date, time }
    }

    /// Seconds since 1970-01-01 00:00 as a clock at this offset from UTC shows them; without nanoseconds.
    pub(super) fn to_second(self) -> i64 {
        self.date.to_epoch_day() * 86_400 + self.time.to_second_of_day()
    }

    /// The other way.
    pub(super) fn from_second(second: i64, nano: u32) -> Result<Self, RangeError> {
        let date = LocalDate::from_epoch_day(second.div_euclid(86_400))?;
        let nanos = second.rem_euclid(86_400) * 1_000_000_000 + i64::from(nano);
        Ok(Self { date, time: LocalTime::from_nano_of_day(nanos)? })
    }
}

impl fmt::Display for LocalDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{}", self.date, self.time)
    }
}

impl FromStr for LocalDateTime {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut rest = Text(text);
        parse(&mut rest)
            .filter(|_| rest.end().is_some())
            .ok_or_else(|| ParseError::new("a date and time as 2024-02-29T10:15:30", text))
    }
}

pub(super) fn parse(text: &mut Text<'_>) -> Option<LocalDateTime> {
    let date = date::parse(text)?;
    text.expect('T')?;
    Some(LocalDateTime { date, time: time_of_day::parse(text)? })
}

#[derive(crate::Hessian)]
#[hessian(class = "com.alibaba.com.caucho.hessian.io.java8.LocalDateTimeHandle")]
struct Handle {
    time: LocalTime,
    date: LocalDate,
}

impl Encode for LocalDateTime {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        Handle { time: self.time, date: self.date }.encode_to(e)
    }
}

/// The handle, or the compact form of hessian-lite 4.0.4, where both fields are a `long`.
impl<'de> Decode<'de> for LocalDateTime {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        static NAMES: [&str; 2] = ["time", "date"];
        let (mut time, mut date) = (None, None);
        let mut object = d.object(&NAMES)?;
        while let Some(field) = d.next_field(&mut object)? {
            match field {
                0 => {
                    part(d, &mut time, LocalTime::from_nano_of_day).map_err(|error| error.in_field("time"))?
                }
                1 => part(d, &mut date, LocalDate::from_epoch_day).map_err(|error| error.in_field("date"))?,
                _ => d.skip()?,
            }
        }
        Ok(Self { date: required(date, "date")?, time: required(time, "time")? })
    }
}

fn part<'de, T: Decode<'de>>(
    d: &mut Decoder<'de, '_>,
    place: &mut Option<T>,
    compact: fn(i64) -> Result<T, RangeError>,
) -> Result<()> {
    let start = d.position();
    *place = Some(match d.peek() {
        Some(Kind::Long | Kind::Int) => compact(d.i64()?).map_err(|error| Error::at(error.into(), start))?,
        _ => d.read()?,
    });
    Ok(())
}

impl JavaType for LocalDateTime {
    const DESCRIPTOR: &'static str = "Ljava/time/LocalDateTime;";
}
