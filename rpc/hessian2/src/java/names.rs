//! Owns Java objects that are nothing but a name: classes, locales, currencies. It knows none of them.

use std::fmt;

use super::JavaType;
use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::Result;
use crate::sink::Sink;

macro_rules! named {
    ($(#[$doc:meta] $ty:ident $object:ident { $field:ident } $class:tt $descriptor:literal;)*) => {$(
        #[$doc]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $ty(String);

        impl $ty {
            /// From its name, which is not checked.
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        #[derive(crate::Hessian)]
        #[hessian(class = $class)]
        struct $object<T> {
            $field: T,
        }

        impl Encode for $ty {
            fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
                $object { $field: &*self.0 }.encode_to(e)
            }
        }

        impl<'de> Decode<'de> for $ty {
            fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
                d.read::<$object<String>>().map(|object| Self(object.$field))
            }
        }

        impl JavaType for $ty {
            const DESCRIPTOR: &'static str = $descriptor;
        }
    )*};
}

named! {
    /// `java.lang.Class`: `com.example.User`, and `int` and the like for primitive types.
    ClassName ClassObject { name } "java.lang.Class" "Ljava/lang/Class;";
    /// `java.util.Locale`, as its `toString`: `zh_CN`, `zh_CN_#Hans`.
    Locale LocaleObject { value } "com.alibaba.com.caucho.hessian.io.LocaleHandle" "Ljava/util/Locale;";
    /// `java.util.Currency`, as its code: `CNY`.
    Currency CurrencyObject { currency_code } "java.util.Currency" "Ljava/util/Currency;";
}
