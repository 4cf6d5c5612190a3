//! Owns `BigInteger`, an integer of any length. It calculates nothing but its own text.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::range::{ConversionError, ParseError, RangeError, check};
use super::{Array, JavaType};
use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::{Error, Result};
use crate::sink::Sink;

/// `java.math.BigInteger`: a sign and a magnitude.
///
/// [`Display`](fmt::Display) and [`FromStr`] have Java's decimal form; both take time in proportion to the square of
/// the length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BigInteger {
    negative: bool,
    /// Most significant word first, which is not 0; zero has none.
    magnitude: Vec<u32>,
}

impl BigInteger {
    /// Sign and magnitude, the most significant byte first.
    pub fn from_bytes_be(negative: bool, bytes: &[u8]) -> Self {
        let words = bytes
            .rchunks(4)
            .rev()
            .map(|chunk| chunk.iter().fold(0, |word, &byte| word << 8 | u32::from(byte)));
        Self::from_words(negative, words.collect())
    }

    /// The magnitude, the most significant byte first and not 0; zero has no bytes.
    pub fn to_bytes_be(&self) -> Vec<u8> {
        let bytes = self.magnitude.iter().flat_map(|word| word.to_be_bytes());
        bytes.skip_while(|&byte| byte == 0).collect()
    }

    /// Whether it is below zero.
    pub const fn is_negative(&self) -> bool {
        self.negative
    }

    /// From words, the most significant one first.
    pub(crate) fn from_words(negative: bool, mut words: Vec<u32>) -> Self {
        let zeros = words.iter().take_while(|&&word| word == 0).count();
        words.drain(..zeros);
        Self { negative: negative && !words.is_empty(), magnitude: words }
    }

    fn to_i128(&self) -> Option<i128> {
        if self.magnitude.len() > 4 {
            return None;
        }
        let magnitude = self.magnitude.iter().fold(0, |number: u128, &word| number << 32 | u128::from(word));
        if self.negative { 0_i128.checked_sub_unsigned(magnitude) } else { i128::try_from(magnitude).ok() }
    }
}

impl From<i128> for BigInteger {
    fn from(value: i128) -> Self {
        Self::from_bytes_be(value < 0, &value.unsigned_abs().to_be_bytes())
    }
}

macro_rules! from_integer {
    ($($ty:ty)*) => {$(
        impl From<$ty> for BigInteger {
            fn from(value: $ty) -> Self {
                Self::from(i128::from(value))
            }
        }
    )*};
}

from_integer!(i32 u32 i64 u64);

macro_rules! try_into_integer {
    ($($ty:ty)*) => {$(
        /// Fails when it does not fit.
        impl TryFrom<&BigInteger> for $ty {
            type Error = ConversionError;

            fn try_from(value: &BigInteger) -> Result<Self, ConversionError> {
                let number = value.to_i128().and_then(|number| Self::try_from(number).ok());
                // Without its digits: they may be many.
                let what = || format!("an integer of {} bytes", value.to_bytes_be().len());
                number.ok_or_else(|| ConversionError::new(stringify!($ty), &what()))
            }
        }
    )*};
}

try_into_integer!(i64 u64 i128);

impl Ord for BigInteger {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitudes = || {
            let lens = self.magnitude.len().cmp(&other.magnitude.len());
            lens.then_with(|| self.magnitude.cmp(&other.magnitude))
        };
        match (self.negative, other.negative) {
            (false, false) => magnitudes(),
            (true, true) => magnitudes().reverse(),
            (negative, _) => negative.cmp(&false).reverse(),
        }
    }
}

impl PartialOrd for BigInteger {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Nine decimal digits are what a word holds.
const DIGITS: usize = 9;
const BASE: u64 = 1_000_000_000;

impl fmt::Display for BigInteger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut groups = Vec::new();
        let mut left = self.magnitude.clone();
        while !left.is_empty() {
            let mut rest = 0;
            for word in &mut left {
                let number = rest << 32 | u64::from(*word);
                // Below 2^32, since the rest is below the base.
                *word = (number / BASE) as u32;
                rest = number % BASE;
            }
            groups.push(rest);
            let zeros = left.iter().take_while(|&&word| word == 0).count();
            left.drain(..zeros);
        }
        let mut text = groups.pop().unwrap_or_default().to_string();
        groups.iter().rev().for_each(|group| text.push_str(&format!("{group:09}")));
        f.pad_integral(!self.negative, "", &text)
    }
}

impl FromStr for BigInteger {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new("an integer in decimal digits", text);
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(error());
        }
        // Least significant word first, while it grows.
        let mut words: Vec<u32> = Vec::new();
        for group in digits.as_bytes().chunks(DIGITS) {
            let base = 10_u64.pow(group.len() as u32);
            let mut carry = group.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
            for word in &mut words {
                let number = u64::from(*word) * base + carry;
                *word = number as u32;
                carry = number >> 32;
            }
            if carry > 0 {
                words.push(carry as u32);
            }
        }
        words.reverse();
        Ok(Self::from_words(negative, words))
    }
}

/// The fields of Java 17; Java 8 has other names for the four in the middle, which all are caches, and skips these.
#[derive(crate::Hessian)]
#[hessian(class = "java.math.BigInteger")]
struct Object<M> {
    mag: M,
    first_nonzero_int_num_plus_two: i32,
    lowest_set_bit_plus_two: i32,
    bit_length_plus_one: i32,
    bit_count_plus_one: i32,
    signum: i32,
}

impl Encode for BigInteger {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        let signum = match (self.magnitude.is_empty(), self.negative) {
            (true, _) => 0,
            (false, negative) => {
                if negative {
                    -1
                } else {
                    1
                }
            }
        };
        Object {
            mag: Array(self.magnitude.iter().map(|word| word.cast_signed()).collect()),
            first_nonzero_int_num_plus_two: 0,
            lowest_set_bit_plus_two: 0,
            bit_length_plus_one: 0,
            bit_count_plus_one: 0,
            signum,
        }
        .encode_to(e)
    }
}

impl<'de> Decode<'de> for BigInteger {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        let start = d.position();
        let Object::<Vec<i64>> { mag, signum, .. } = d.read()?;
        let value = mag.into_iter().map(word).collect::<Result<_, _>>().and_then(|words| {
            let value = Self::from_words(signum < 0, words);
            check_sign(&value, signum).map(|()| value)
        });
        value.map_err(|error| Error::at(error.into(), start))
    }
}

/// A word of the magnitude: an `int` of Java with the same bits, and a `long` of Go with the same value.
fn word(item: i64) -> Result<u32, RangeError> {
    check("a word of the integer", item, i32::MIN.into(), u32::MAX.into()).map(|item| item as u32)
}

/// Java refuses a sign that the magnitude does not have.
fn check_sign(value: &BigInteger, signum: i32) -> Result<(), RangeError> {
    let (min, max) = match signum {
        _ if value.magnitude.is_empty() => (0, 0),
        ..0 => (-1, -1),
        _ => (1, 1),
    };
    check("the sign of the integer", signum.into(), min, max).map(drop)
}

impl JavaType for BigInteger {
    const DESCRIPTOR: &'static str = "Ljava/math/BigInteger;";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_text_and_bytes_come_back() {
        for text in [
            "0",
            "-1",
            "999999999",
            "1000000000",
            "4294967295",
            "4294967296",
            "18446744073709551616",
            "-12347890123456789012345678123456781234",
            "100000000000000000000000000000000000000000000000000000000000001",
        ] {
            let number: BigInteger = text.parse().unwrap();
            assert_eq!(number.to_string(), text);
            assert_eq!(BigInteger::from_bytes_be(number.is_negative(), &number.to_bytes_be()), number);
        }
        assert_eq!("-000".parse(), Ok(BigInteger::default()));
        for text in ["", "-", "1.0", "0x1", "+-1", " 1"] {
            assert!(text.parse::<BigInteger>().is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_that_fit_are_converted_and_the_others_refused() {
        for value in [0, 1, -1, i64::MIN.into(), u64::MAX.into(), i128::MAX, i128::MIN] {
            let number = BigInteger::from(value);
            assert_eq!(number.to_string(), value.to_string());
            assert_eq!(i128::try_from(&number), Ok(value));
            assert_eq!(i64::try_from(&number).ok(), i64::try_from(value).ok());
            assert_eq!(u64::try_from(&number).ok(), u64::try_from(value).ok());
        }
        let large: BigInteger = "340282366920938463463374607431768211456".parse().unwrap();
        assert!(i128::try_from(&large).is_err());
    }

    #[test]
    fn order_is_that_of_the_numbers() {
        let mut sorted: Vec<BigInteger> =
            [5, -5, 0, i128::MAX, i128::MIN, -6, 4].map(BigInteger::from).into();
        sorted.sort();
        assert_eq!(sorted, [i128::MIN, -6, -5, 0, 4, 5, i128::MAX].map(BigInteger::from));
    }
}
