//! Owns the ways between Java's types and those of other crates, each behind a feature of that crate's name.
//!
//! A foreign type is written and read directly, as the type here that stands for the same Java class, and converts
//! into it and back.

#[cfg(feature = "bigdecimal")]
mod bigdecimal;
#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "jiff")]
mod jiff;
#[cfg(feature = "num-bigint")]
mod num_bigint;
#[cfg(feature = "uuid")]
mod uuid;

/// Implements reading and writing of foreign types by way of those of this crate.
macro_rules! as_java {
    ($($theirs:ty => $ours:ty;)*) => {$(
        #[doc = concat!("As [`", stringify!($ours), "`](crate::java).")]
        impl $crate::Encode for $theirs {
            fn encode_to<S: $crate::Sink>(&self, e: &mut $crate::Encoder<'_, S>) -> $crate::Result<()> {
                let ours = <$ours>::try_from(self.clone()).map_err(|error| $crate::Error::new(error.into()))?;
                $crate::Encode::encode_to(&ours, e)
            }
        }

        #[doc = concat!("As [`", stringify!($ours), "`](crate::java).")]
        impl<'de> $crate::Decode<'de> for $theirs {
            fn decode_from(d: &mut $crate::Decoder<'de, '_>) -> $crate::Result<Self> {
                let start = d.position();
                let ours: $ours = d.read()?;
                Self::try_from(ours).map_err(|error| $crate::Error::at(error.into(), start))
            }
        }

        impl $crate::JavaType for $theirs {
            const DESCRIPTOR: &'static str = <$ours as $crate::JavaType>::DESCRIPTOR;
        }
    )*};
}

pub(crate) use as_java;
