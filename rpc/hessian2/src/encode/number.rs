//! Owns how numbers and dates become bytes: the shortest form, as hessian-lite 4 chooses it.

use super::Encoder;
use super::encoder::{CONTAINER_MARGIN, NUMBER_MARGIN};
use crate::kind::tag;
use crate::sink::Sink;

impl<S: Sink> Encoder<'_, S> {
    /// Writes an `int`.
    #[inline]
    pub fn i32(&mut self, value: i32) {
        self.flush_at(NUMBER_MARGIN);
        match value {
            -16..=47 => self.out.put(&[(value + 0x90) as u8]),
            -2048..=2047 => self.out.put(&((value + 0xc800) as u16).to_be_bytes()),
            -0x4_0000..=0x3_ffff => {
                let [_, a, b, c] = (value + 0xd4_0000).to_be_bytes();
                self.out.put(&[a, b, c]);
            }
            _ => self.out.put(&tagged(tag::INT, value.to_be_bytes())),
        }
    }

    /// Writes a `long`.
    #[inline]
    pub fn i64(&mut self, value: i64) {
        self.flush_at(NUMBER_MARGIN);
        match value {
            -8..=15 => self.out.put(&[(value + 0xe0) as u8]),
            -2048..=2047 => self.out.put(&((value + 0xf800) as u16).to_be_bytes()),
            -0x4_0000..=0x3_ffff => {
                let [_, a, b, c] = (value as i32 + 0x3c_0000).to_be_bytes();
                self.out.put(&[a, b, c]);
            }
            _ => match i32::try_from(value) {
                Ok(small) => self.out.put(&tagged(tag::LONG_INT, small.to_be_bytes())),
                Err(_) => self.long_form(tag::LONG, value.to_be_bytes()),
            },
        }
    }

    /// Writes a `double`. Java's rules lose the sign of zero and the payload of NaN.
    #[inline]
    pub fn f64(&mut self, value: f64) {
        self.flush_at(NUMBER_MARGIN);
        let whole = value as i32;
        if f64::from(whole) == value {
            match whole {
                0 => return self.out.put(&[tag::DOUBLE_0]),
                1 => return self.out.put(&[tag::DOUBLE_1]),
                -0x80..=0x7f => return self.out.put(&[tag::DOUBLE_BYTE, whole as u8]),
                -0x8000..=0x7fff => {
                    let [a, b] = (whole as i16).to_be_bytes();
                    return self.out.put(&[tag::DOUBLE_SHORT, a, b]);
                }
                _ => {}
            }
        }
        // Cutting instead of rounding is what Java does: it decides which values have this form.
        let mills = (value * 1000.0) as i32;
        if 0.001 * f64::from(mills) == value {
            return self.out.put(&tagged(tag::DOUBLE_MILLS, mills.to_be_bytes()));
        }
        let bits = if value.is_nan() { 0x7ff8_0000_0000_0000 } else { value.to_bits() };
        self.long_form(tag::DOUBLE, bits.to_be_bytes());
    }

    /// Writes a `float` as the double with the same shortest decimal, as Java writes a boxed `Float`: 0.1 stays 0.1
    /// for a peer that reads it as a double.
    pub fn f32(&mut self, value: f32) {
        if value.is_finite() {
            self.f64(shortest_decimal(value));
        } else {
            self.f64(f64::from(value));
        }
    }

    /// Writes a `java.util.Date`, in milliseconds since 1970-01-01 UTC.
    #[inline]
    pub fn date(&mut self, millis: i64) {
        self.flush_at(CONTAINER_MARGIN);
        if millis % 60_000 == 0
            && let Ok(minutes) = i32::try_from(millis / 60_000)
        {
            return self.out.put(&tagged(tag::DATE_MINUTES, minutes.to_be_bytes()));
        }
        self.long_form(tag::DATE, millis.to_be_bytes());
    }

    #[inline]
    fn long_form(&mut self, tag: u8, [a, b, c, d, e, f, g, h]: [u8; 8]) {
        self.out.put(&[tag, a, b, c, d, e, f, g, h]);
    }
}

#[inline]
fn tagged(tag: u8, [a, b, c, d]: [u8; 4]) -> [u8; 5] {
    [tag, a, b, c, d]
}

fn shortest_decimal(value: f32) -> f64 {
    let wide = f64::from(value);
    if wide.fract() == 0.0 {
        return wide;
    }
    let decimal = 0.001 * (wide * 1000.0).round();
    if decimal as f32 == value {
        return decimal;
    }
    format!("{value:e}").parse().unwrap_or(wide)
}
