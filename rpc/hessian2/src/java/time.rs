//! Owns `java.time` as hessian-lite writes it: each value as an object of a handle class of its own.
//!
//! Reading takes the compact form of hessian-lite 4.0.4 as well, where dates and times are one `long`; writing always
//! gives handles, which every version reads. All values are checked as Java's own factories check them.
//!
//! In a [`Value`](crate::Value), a compact `LocalDate` or `LocalTime` is an object of that class with one field whose
//! name is empty: its number of days or nanoseconds.

mod amount;
mod date;
mod date_time;
mod instant;
mod offset;
mod partial;
mod text;
mod time_of_day;
mod zone;
mod zoned;

pub use amount::{Duration, Period};
pub use date::LocalDate;
pub use date_time::LocalDateTime;
pub use instant::Instant;
pub use offset::{OffsetDateTime, OffsetTime};
pub use partial::{MonthDay, Year, YearMonth};
pub use time_of_day::LocalTime;
pub use zone::{ZoneId, ZoneOffset};
pub use zoned::ZonedDateTime;

/// Least and most year of `java.time`.
pub(crate) const MAX_YEAR: i32 = 999_999_999;

/// Implements reading and writing of a type by way of its handle, an object that the derive knows.
macro_rules! by_handle {
    ($ty:ident, $handle:ident, $descriptor:literal) => {
        impl $crate::Encode for $ty {
            fn encode_to<S: $crate::Sink>(&self, e: &mut $crate::Encoder<'_, S>) -> $crate::Result<()> {
                $crate::Encode::encode_to(&$handle::from(self.clone()), e)
            }
        }

        impl<'de> $crate::Decode<'de> for $ty {
            fn decode_from(d: &mut $crate::Decoder<'de, '_>) -> $crate::Result<Self> {
                let start = d.position();
                let handle = <$handle as $crate::Decode<'_>>::decode_from(d)?;
                Self::try_from(handle).map_err(|error| $crate::Error::at(error.into(), start))
            }
        }

        impl $crate::JavaType for $ty {
            const DESCRIPTOR: &'static str = $descriptor;
        }
    };
}

pub(crate) use by_handle;
