//! Owns `ZoneOffset` and `ZoneId`, names and distances of time zones. It knows no rules of any zone.

use std::fmt;
use std::str::FromStr;

use super::by_handle;
use super::text::Text;
use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::{Error, ErrorKind, Result};
use crate::java::JavaType;
use crate::java::range::{ParseError, RangeError, check};
use crate::sink::Sink;

/// `java.time.ZoneOffset`: seconds from UTC, at most 18 hours, positive to the east.
///
/// [`Display`](fmt::Display) and [`FromStr`] have Java's form: `Z`, `+08:00`, `-01:30:15`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneOffset {
    seconds: i32,
}

impl ZoneOffset {
    /// UTC.
    pub const UTC: Self = Self { seconds: 0 };

    /// An offset by its seconds.
    ///
    /// # Errors
    ///
    /// When it is more than 18 hours.
    pub fn from_seconds(seconds: i32) -> Result<Self, RangeError> {
        check("the offset in seconds", seconds.into(), -64_800, 64_800)?;
        Ok(Self { seconds })
    }

    /// Seconds from UTC.
    pub const fn seconds(self) -> i32 {
        self.seconds
    }
}

impl fmt::Display for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.seconds == 0 {
            return f.write_str("Z");
        }
        let sign = if self.seconds < 0 { '-' } else { '+' };
        let seconds = self.seconds.unsigned_abs();
        write!(f, "{sign}{:02}:{:02}", seconds / 3_600, seconds / 60 % 60)?;
        match seconds % 60 {
            0 => Ok(()),
            left => write!(f, ":{left:02}"),
        }
    }
}

impl FromStr for ZoneOffset {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut rest = Text(text);
        parse(&mut rest)
            .filter(|_| rest.end().is_some())
            .ok_or_else(|| ParseError::new("an offset as Z or +08:00", text))
    }
}

pub(super) fn parse(text: &mut Text<'_>) -> Option<ZoneOffset> {
    if text.take('Z') {
        return Some(ZoneOffset::UTC);
    }
    let negative = text.take('-');
    if !negative {
        text.expect('+')?;
    }
    let hours = text.digits(2, 2)?;
    text.expect(':')?;
    let minutes = text.digits(2, 2)?;
    let seconds = if text.take(':') { text.digits(2, 2)? } else { 0 };
    if minutes > 59 || seconds > 59 {
        return None;
    }
    let seconds = (hours * 60 + minutes) * 60 + seconds;
    ZoneOffset::from_seconds(if negative { -seconds } else { seconds }).ok()
}

#[derive(crate::Hessian)]
#[hessian(class = "com.alibaba.com.caucho.hessian.io.java8.ZoneOffsetHandle")]
struct OffsetHandle {
    seconds: i32,
}

impl From<ZoneOffset> for OffsetHandle {
    fn from(offset: ZoneOffset) -> Self {
        Self { seconds: offset.seconds }
    }
}

impl TryFrom<OffsetHandle> for ZoneOffset {
    type Error = RangeError;

    fn try_from(handle: OffsetHandle) -> Result<Self, RangeError> {
        Self::from_seconds(handle.seconds)
    }
}

by_handle!(ZoneOffset, OffsetHandle, "Ljava/time/ZoneOffset;");

/// `java.time.ZoneId`: the name of a region such as `Asia/Shanghai`, or an offset.
///
/// Any text is taken: which regions exist depends on the time zone data of each side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneId(String);

impl ZoneId {
    /// A zone by its name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ZoneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ZoneOffset> for ZoneId {
    fn from(offset: ZoneOffset) -> Self {
        Self(offset.to_string())
    }
}

#[derive(crate::Hessian)]
#[hessian(class = "com.alibaba.com.caucho.hessian.io.java8.ZoneIdHandle")]
struct IdHandle<'a> {
    zone_id: &'a str,
}

/// An offset is written as such, as Java does.
impl Encode for ZoneId {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        match self.0.parse::<ZoneOffset>() {
            Ok(offset) => offset.encode_to(e),
            Err(_) => IdHandle { zone_id: &self.0 }.encode_to(e),
        }
    }
}

/// The handle of a region or of an offset.
impl<'de> Decode<'de> for ZoneId {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        static NAMES: [&str; 2] = ["zoneId", "seconds"];
        let start = d.position();
        let (mut name, mut seconds) = (None::<String>, None::<i32>);
        let mut object = d.object(&NAMES)?;
        while let Some(field) = d.next_field(&mut object)? {
            match field {
                0 => d.field(&mut name, "zoneId")?,
                1 => d.field(&mut seconds, "seconds")?,
                _ => d.skip()?,
            }
        }
        match (name, seconds) {
            (Some(name), _) => Ok(Self(name)),
            (None, Some(seconds)) => match ZoneOffset::from_seconds(seconds) {
                Ok(offset) => Ok(offset.into()),
                Err(error) => Err(Error::at(error.into(), start)),
            },
            (None, None) => Err(Error::at(ErrorKind::MissingField { field: "zoneId" }, start)),
        }
    }
}

impl JavaType for ZoneId {
    const DESCRIPTOR: &'static str = "Ljava/time/ZoneId;";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_have_the_text_of_java() {
        for (seconds, text) in
            [(0, "Z"), (28_800, "+08:00"), (-5_415, "-01:30:15"), (-64_800, "-18:00"), (1, "+00:00:01")]
        {
            let offset = ZoneOffset::from_seconds(seconds).unwrap();
            assert_eq!(offset.to_string(), text);
            assert_eq!(text.parse(), Ok(offset));
        }
        assert!(ZoneOffset::from_seconds(64_801).is_err());
        for text in ["", "8", "+8", "+19:00", "+08:60", "08:00", "Asia/Shanghai"] {
            assert!(text.parse::<ZoneOffset>().is_err(), "{text}");
        }
    }
}
