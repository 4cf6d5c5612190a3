//! Owns the way to and from the crate `uuid`.

use ::uuid::Uuid as Theirs;

use super::as_java;
use crate::java::Uuid;

impl From<Theirs> for Uuid {
    fn from(uuid: Theirs) -> Self {
        Self::from_u128(uuid.as_u128())
    }
}

impl From<Uuid> for Theirs {
    fn from(uuid: Uuid) -> Self {
        Self::from_u128(uuid.as_u128())
    }
}

as_java! {
    Theirs => Uuid;
}
