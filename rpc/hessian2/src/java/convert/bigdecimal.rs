//! Owns the way to and from the crate `bigdecimal`.

use ::bigdecimal::BigDecimal as Theirs;
use ::bigdecimal::num_bigint::{BigInt, Sign};

use super::as_java;
use crate::java::{BigDecimal, ConversionError};

/// Fails when the scale does not fit Java's `int`.
impl TryFrom<Theirs> for BigDecimal {
    type Error = ConversionError;

    fn try_from(number: Theirs) -> Result<Self, ConversionError> {
        let (unscaled, scale) = number.into_bigint_and_scale();
        let digits = unscaled.magnitude().to_string();
        i32::try_from(scale)
            .ok()
            .and_then(|scale| Self::from_parts(unscaled.sign() == Sign::Minus, &digits, scale))
            .ok_or_else(|| ConversionError::new("the scale of java.math.BigDecimal", &scale))
    }
}

impl TryFrom<BigDecimal> for Theirs {
    type Error = ConversionError;

    fn try_from(number: BigDecimal) -> Result<Self, ConversionError> {
        let digits: BigInt =
            number.digits().parse().map_err(|_| ConversionError::new("bigdecimal::BigDecimal", &number))?;
        let unscaled = if number.is_negative() { -digits } else { digits };
        Ok(Self::from_bigint(unscaled, number.scale().into()))
    }
}

as_java! {
    Theirs => BigDecimal;
}
