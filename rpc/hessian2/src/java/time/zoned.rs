//! Owns `ZonedDateTime`, a date and time in a named time zone.

use std::fmt;

use super::{Instant, LocalDateTime, OffsetDateTime, ZoneId, ZoneOffset, by_handle};
use crate::java::range::RangeError;

/// `java.time.ZonedDateTime`: what the clock shows, how far it is from UTC, and in which zone.
///
/// [`Display`](fmt::Display) has Java's form: `2024-02-29T10:15+08:00[Asia/Shanghai]`. Whether the zone has that
/// offset at that time is not checked; Java's reader lets its own rules decide.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ZonedDateTime {
    /// What the clock shows.
    pub date_time: LocalDateTime,
    /// How far the clock is from UTC.
    pub offset: ZoneOffset,
    /// The zone.
    pub zone: ZoneId,
}

impl ZonedDateTime {
    /// A date and time in a zone that is `offset` from UTC then.
    pub const fn new(date_time: LocalDateTime, offset: ZoneOffset, zone: ZoneId) -> Self {
        Self { date_time, offset, zone }
    }

    /// The instant that it names.
    ///
    /// # Errors
    ///
    /// As [`OffsetDateTime::to_instant`].
    pub fn to_instant(&self) -> Result<Instant, RangeError> {
        OffsetDateTime::new(self.date_time, self.offset).to_instant()
    }
}

/// In the zone that is nothing but the offset.
impl From<OffsetDateTime> for ZonedDateTime {
    fn from(OffsetDateTime { date_time, offset }: OffsetDateTime) -> Self {
        Self { date_time, offset, zone: offset.into() }
    }
}

impl fmt::Display for ZonedDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.date_time, self.offset)?;
        if self.zone == ZoneId::from(self.offset) { Ok(()) } else { write!(f, "[{}]", self.zone) }
    }
}

#[derive(crate::Hessian)]
#[hessian(class = "com.alibaba.com.caucho.hessian.io.java8.ZonedDateTimeHandle")]
struct Handle {
    offset: ZoneOffset,
    date_time: LocalDateTime,
    zone_id: String,
}

impl From<ZonedDateTime> for Handle {
    fn from(ZonedDateTime { date_time, offset, zone }: ZonedDateTime) -> Self {
        Self { offset, date_time, zone_id: zone.to_string() }
    }
}

impl From<Handle> for ZonedDateTime {
    fn from(Handle { offset, date_time, zone_id }: Handle) -> Self {
        Self { date_time, offset, zone: ZoneId::new(zone_id) }
    }
}

by_handle!(ZonedDateTime, Handle, "Ljava/time/ZonedDateTime;");
