//! Owns the way to and from the crate `num-bigint`.

use ::num_bigint::{BigInt, Sign};

use super::as_java;
use crate::java::BigInteger;

impl From<BigInt> for BigInteger {
    fn from(number: BigInt) -> Self {
        let (sign, bytes) = number.to_bytes_be();
        Self::from_bytes_be(sign == Sign::Minus, &bytes)
    }
}

impl From<BigInteger> for BigInt {
    fn from(number: BigInteger) -> Self {
        let sign = if number.is_negative() { Sign::Minus } else { Sign::Plus };
        Self::from_bytes_be(sign, &number.to_bytes_be())
    }
}

as_java! {
    BigInt => BigInteger;
}
