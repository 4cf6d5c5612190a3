//! Owns `java.sql.Date`, `Time` and `Timestamp`: milliseconds that know how a database means them.
//!
//! They are written as the objects that hessian-lite writes in a slot of type `Object`; Java's reader takes those for
//! fields and arguments of the types themselves as well. Nanoseconds of a `Timestamp` never reach the wire.

use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::Result;
use crate::java::JavaType;
use crate::kind::Kind;
use crate::sink::Sink;

macro_rules! sql {
    ($(#[$doc:meta] $ty:ident $object:ident $class:tt $descriptor:literal;)*) => {$(
        #[$doc]
        ///
        /// Read from the object, and from the plain date that it is in a field of its own type.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $ty(
            /// The point in time.
            pub crate::Date,
        );

        #[derive(crate::Hessian)]
        #[hessian(class = $class)]
        struct $object {
            value: crate::Date,
        }

        impl Encode for $ty {
            fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
                $object { value: self.0 }.encode_to(e)
            }
        }

        impl<'de> Decode<'de> for $ty {
            fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
                match d.peek() {
                    Some(Kind::Date) => d.read().map(Self),
                    _ => d.read::<$object>().map(|object| Self(object.value)),
                }
            }
        }

        impl JavaType for $ty {
            const DESCRIPTOR: &'static str = $descriptor;
        }

        impl From<crate::Date> for $ty {
            fn from(date: crate::Date) -> Self {
                Self(date)
            }
        }

        impl From<$ty> for crate::Date {
            fn from(value: $ty) -> Self {
                value.0
            }
        }
    )*};
}

sql! {
    /// `java.sql.Date`: midnight of a day, in the time zone of the Java side.
    Date DateObject "java.sql.Date" "Ljava/sql/Date;";
    /// `java.sql.Time`: a time of 1970-01-01, in the time zone of the Java side.
    Time TimeObject "java.sql.Time" "Ljava/sql/Time;";
    /// `java.sql.Timestamp`: a point in time.
    Timestamp TimestampObject "java.sql.Timestamp" "Ljava/sql/Timestamp;";
}
