//! Owns maps that keep the order of their entries and take keys of any kind, also those that cannot be compared.

use super::JavaType;
use crate::decode::{self, Decode, Decoder};
use crate::encode::{self, Encode, Encoder};
use crate::error::Result;
use crate::sink::Sink;

macro_rules! ordered {
    ($(#[$doc:meta] $ty:ident $class:expr, $descriptor:literal;)*) => {$(
        #[$doc]
        ///
        /// The entries are those of the wire, in that order; equal keys are not merged. Read from maps of any class and
        /// from objects.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $ty<K, V>(
            /// Keys and values.
            pub Vec<(K, V)>,
        );

        impl<K: Encode, V: Encode> Encode for $ty<K, V> {
            fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
                encode::entries($class, self.0.iter().map(|(key, value)| (key, value)), e)
            }
        }

        impl<'de, K: Decode<'de>, V: Decode<'de>> Decode<'de> for $ty<K, V> {
            fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
                let mut entries = Vec::new();
                decode::each_entry(d, decode::Growth::Vec, |key, value| entries.push((key, value)))?;
                Ok(Self(entries))
            }

            fn absent(_: &'static str) -> Result<Self> {
                Ok(Self(Vec::new()))
            }
        }

        impl<K, V> JavaType for $ty<K, V> {
            const DESCRIPTOR: &'static str = $descriptor;
        }

        impl<K, V> From<Vec<(K, V)>> for $ty<K, V> {
            fn from(entries: Vec<(K, V)>) -> Self {
                Self(entries)
            }
        }

        impl<K, V> FromIterator<(K, V)> for $ty<K, V> {
            fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
                Self(entries.into_iter().collect())
            }
        }
    )*};
}

ordered! {
    /// A map without a class: Java's `HashMap`.
    OrderedMap None, "Ljava/util/Map;";
    /// `java.util.LinkedHashMap`.
    LinkedHashMap Some("java.util.LinkedHashMap"), "Ljava/util/LinkedHashMap;";
}
