//! Owns `Uuid`. It makes none.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::JavaType;
use super::range::ParseError;
use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::{Error, ErrorKind, Result};
use crate::sink::Sink;

/// `java.util.UUID`: 128 bits.
///
/// [`Display`](fmt::Display) and [`FromStr`] have the form `065ed3cd-2bdb-47e4-9ca0-0c0fb2e0bbf6`. Reads the text of
/// hessian-lite and the two numbers of Caucho's Hessian.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(u128);

impl Uuid {
    /// From its bits, the first digit of the text being the most significant.
    pub const fn from_u128(bits: u128) -> Self {
        Self(bits)
    }

    /// Its bits.
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

/// Digits of the five groups of the text.
const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            (bits >> 96) as u32,
            (bits >> 80) as u16,
            (bits >> 64) as u16,
            (bits >> 48) as u16,
            bits & 0xffff_ffff_ffff
        )
    }
}

impl FromStr for Uuid {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let groups: Vec<&str> = text.splitn(GROUPS.len() + 1, '-').collect();
        let is_hex = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = if groups.iter().map(|group| group.len()).eq(GROUPS)
            && groups.iter().all(|group| is_hex(group))
        {
            u128::from_str_radix(&groups.concat(), 16).ok()
        } else {
            None
        };
        bits.map(Self).ok_or_else(|| ParseError::new("a UUID as 065ed3cd-2bdb-47e4-9ca0-0c0fb2e0bbf6", text))
    }
}

#[derive(crate::Hessian)]
#[hessian(class = "java.util.UUID")]
struct Object {
    value: String,
}

impl Encode for Uuid {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        Object { value: self.to_string() }.encode_to(e)
    }
}

impl<'de> Decode<'de> for Uuid {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        static NAMES: [&str; 3] = ["value", "mostSigBits", "leastSigBits"];
        let start = d.position();
        let (mut text, mut most, mut least) = (None::<Cow<'_, str>>, None::<i64>, None::<i64>);
        let mut object = d.object(&NAMES)?;
        while let Some(field) = d.next_field(&mut object)? {
            match field {
                0 => d.field(&mut text, "value")?,
                1 => d.field(&mut most, "mostSigBits")?,
                2 => d.field(&mut least, "leastSigBits")?,
                _ => d.skip()?,
            }
        }
        match (text, most, least) {
            (Some(text), _, _) => text.parse().map_err(|error: ParseError| Error::at(error.into(), start)),
            (None, Some(most), Some(least)) => {
                Ok(Self(u128::from(most.cast_unsigned()) << 64 | u128::from(least.cast_unsigned())))
            }
            (None, _, _) => Err(Error::at(ErrorKind::MissingField { field: "value" }, start)),
        }
    }
}

impl JavaType for Uuid {
    const DESCRIPTOR: &'static str = "Ljava/util/UUID;";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_full_form_is_text_of_a_uuid() {
        let text = "065ed3cd-2bdb-47e4-9ca0-0c0fb2e0bbf6";
        let uuid: Uuid = text.parse().unwrap();
        assert_eq!(uuid.to_string(), text);
        assert_eq!(uuid.as_u128() >> 96, 0x065e_d3cd);
        for text in [
            "",
            "065ed3cd2bdb47e49ca00c0fb2e0bbf6",
            "065ed3cd-2bdb-47e4-9ca0-0c0fb2e0bbf",
            "065ed3cd-2bdb-47e4-9ca0-0c0fb2e0bbfg",
            "+65ed3cd-2bdb-47e4-9ca0-0c0fb2e0bbf6",
            "065ed3cd-2bdb-47e4-9ca0-0c0fb2e0bbf6-",
        ] {
            assert!(text.parse::<Uuid>().is_err(), "{text}");
        }
    }
}
