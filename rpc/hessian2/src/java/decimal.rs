//! Owns `BigDecimal`, a decimal number of any length. It calculates nothing.

use std::fmt;
use std::str::FromStr;

use super::JavaType;
use super::range::ParseError;
use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::{Error, Result};
use crate::sink::Sink;

/// `java.math.BigDecimal`: decimal digits and the number of those behind the point.
///
/// [`Display`](fmt::Display) gives Java's `toString`, and [`FromStr`] takes what Java's constructor takes. Equal are
/// those with the same digits and the same scale, as in Java: `1.0` and `1.00` are not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BigDecimal {
    negative: bool,
    /// Without leading zeros; zero is "0".
    digits: String,
    scale: i32,
}

impl BigDecimal {
    /// Digits of the number as if it had no point, without a sign.
    pub fn digits(&self) -> &str {
        &self.digits
    }

    /// Number of digits behind the point; negative for zeros before it that the digits do not have.
    pub const fn scale(&self) -> i32 {
        self.scale
    }

    /// Whether it is below zero.
    pub const fn is_negative(&self) -> bool {
        self.negative
    }

    /// From digits without a sign, of which `scale` stand behind the point. None if `digits` has anything else.
    pub(crate) fn from_parts(negative: bool, digits: &str, scale: i32) -> Option<Self> {
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = match digits.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        Some(Self { negative: negative && digits != "0", digits: digits.to_owned(), scale })
    }
}

/// What Java's `BigDecimal(String)` takes.
fn parse(text: &str) -> Option<BigDecimal> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        // One sign only: Rust's own parser would take the second one.
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let scale = i64::try_from(fraction.len()).ok()? - i64::from(exponent);
    BigDecimal::from_parts(negative, &[whole, fraction].concat(), i32::try_from(scale).ok()?)
}

impl fmt::Display for BigDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        let len = self.digits.len() as i64;
        let scale = i64::from(self.scale);
        let exponent = len - 1 - scale;
        if scale < 0 || exponent < -6 {
            let (first, rest) = self.digits.split_at_checked(1).unwrap_or(("0", ""));
            let point = if rest.is_empty() { "" } else { "." };
            write!(f, "{first}{point}{rest}")?;
            return if exponent == 0 { Ok(()) } else { write!(f, "E{exponent:+}") };
        }
        match usize::try_from(len - scale).ok().and_then(|whole| self.digits.split_at_checked(whole)) {
            Some((whole, "")) => f.write_str(whole),
            Some(("", fraction)) => write!(f, "0.{fraction}"),
            Some((whole, fraction)) => write!(f, "{whole}.{fraction}"),
            // The exponent is -6 at least, so there are few zeros.
            None => write!(f, "0.{}{}", "0".repeat((scale - len) as usize), self.digits),
        }
    }
}

impl FromStr for BigDecimal {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse(text).ok_or_else(|| ParseError::new("a decimal number as 12.50 or 1E+10", text))
    }
}

macro_rules! from_integer {
    ($($ty:ty)*) => {$(
        impl From<$ty> for BigDecimal {
            fn from(value: $ty) -> Self {
                let negative = i128::from(value) < 0;
                Self { negative, digits: i128::from(value).unsigned_abs().to_string(), scale: 0 }
            }
        }
    )*};
}

from_integer!(i32 u32 i64 u64);

#[derive(crate::Hessian)]
#[hessian(class = "java.math.BigDecimal")]
struct Object<T> {
    value: T,
}

impl Encode for BigDecimal {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        Object { value: self.to_string() }.encode_to(e)
    }
}

impl<'de> Decode<'de> for BigDecimal {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        let start = d.position();
        let object: Object<std::borrow::Cow<'_, str>> = d.read()?;
        object.value.parse().map_err(|error: ParseError| Error::at(error.into(), start))
    }
}

impl JavaType for BigDecimal {
    const DESCRIPTOR: &'static str = "Ljava/math/BigDecimal;";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_the_form_of_java() {
        for text in [
            "0",
            "0.00",
            "0E+3",
            "0E-7",
            "1",
            "-1.0",
            "100.256",
            "0.000001",
            "1E-7",
            "1.23E-7",
            "1E+10",
            "1.5E+3",
            "12345678901234567890.123",
            "-0.5",
        ] {
            let number: BigDecimal = text.parse().unwrap();
            assert_eq!(number.to_string(), text);
        }
        for (text, java) in [
            ("1e3", "1E+3"),
            ("+.5", "0.5"),
            ("5.", "5"),
            ("-0", "0"),
            ("0012.30", "12.30"),
            ("123E-2", "1.23"),
        ] {
            assert_eq!(text.parse::<BigDecimal>().unwrap().to_string(), java, "{text}");
        }
        assert_ne!("1.0".parse::<BigDecimal>(), "1.00".parse());
        assert_eq!(BigDecimal::from(-7).to_string(), "-7");
    }

    #[test]
    fn text_that_java_refuses_is_refused_and_large_exponents_take_no_memory() {
        for text in
            ["", ".", "-", "1e", "1e+-3", "e5", "1.2.3", "0x1", "NaN", " 1", "1E99999999999", "--1", "１"]
        {
            assert!(text.parse::<BigDecimal>().is_err(), "{text}");
        }
        let text = "1E+2147483647";
        assert_eq!(text.parse::<BigDecimal>().unwrap().to_string(), text);
        assert!("0.1E-2147483647".parse::<BigDecimal>().is_err(), "the scale would not fit an int");
    }
}
