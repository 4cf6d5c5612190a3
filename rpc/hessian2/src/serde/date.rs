//! Owns `Date` as a field of serde types. Only this crate's serializer knows the name by which it is a date.

use serde_core::de::{Deserializer, Error, Visitor};
use serde_core::ser::Serializer;
use serde_core::{Deserialize, Serialize};

use crate::date::Date;

/// Name of the newtype struct that stands for a date.
pub(super) const NAME: &str = "java.util.Date";

/// Milliseconds since 1970-01-01 UTC, except in Hessian 2, which has dates.
impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(NAME, &self.as_millis())
    }
}

/// Milliseconds since 1970-01-01 UTC, in Hessian 2 also a date.
impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(NAME, Millis)
    }
}

struct Millis;

impl<'de> Visitor<'de> for Millis {
    type Value = Date;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a date, or milliseconds since 1970")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Date, D::Error> {
        i64::deserialize(deserializer).map(Date::from_millis)
    }

    fn visit_i64<E: Error>(self, millis: i64) -> Result<Date, E> {
        Ok(Date::from_millis(millis))
    }

    fn visit_u64<E: Error>(self, millis: u64) -> Result<Date, E> {
        i64::try_from(millis).map(Date::from_millis).map_err(E::custom)
    }
}
