//! Owns how text is read: finding where a number of UTF-16 units ends, checking it, joining chunks and surrogate
//! pairs. Reading and skipping go through the same check, so that they always end at the same byte.

use std::borrow::Cow;

use super::Decoder;
use super::number::Number;
use crate::error::{Error, ErrorKind, Result};
use crate::kind::{Kind, tag};
use crate::utf16;

/// Text of one value.
pub(crate) enum Text<'de> {
    Borrowed(&'de str),
    Owned(String),
    /// Wire bytes with half of a surrogate pair.
    Odd(Vec<u8>),
}

/// One checked run of text units.
enum Run<'de> {
    Str(&'de str),
    /// Wire bytes with surrogates.
    Wide(&'de [u8]),
}

impl Run<'_> {
    /// Bytes on the wire.
    fn len(&self) -> usize {
        match self {
            Self::Str(text) => text.len(),
            Self::Wide(bytes) => bytes.len(),
        }
    }
}

/// Header of one chunk.
struct Chunk {
    units: usize,
    last: bool,
}

impl<'de> Decoder<'de, '_> {
    /// Reads a string; as in Java also a boolean or number, as decimal text. Borrowed from the body if it lies there
    /// in one piece and holds no surrogate pair.
    ///
    /// # Errors
    ///
    /// When the next value is something else, also `null`; when the text is malformed or holds half a surrogate
    /// pair.
    #[inline]
    pub fn str(&mut self) -> Result<Cow<'de, str>> {
        match self.short_str() {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => self.any_str(),
        }
    }

    /// Takes a string in its most frequent form, one short run, if one is next.
    #[inline]
    pub(super) fn short_str(&mut self) -> Option<&'de str> {
        let (&units, rest) = self.rest().split_first().filter(|(units, _)| **units <= 0x1f)?;
        let text =
            quick_text(rest, usize::from(units)).filter(|text| text.len() <= self.state.limits.bytes)?;
        self.pos += 1 + text.len();
        Some(text)
    }

    /// As [`str`](Self::str), for whoever owns the text.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<String> {
        if let Some((&units @ 0..=0x1f, rest)) = self.rest().split_first()
            && let Some(text) = short_three_byte_text(rest, usize::from(units), str::to_owned)
            && text.len() <= self.state.limits.bytes
        {
            self.pos += 1 + text.len();
            return Ok(text);
        }
        self.str().map(Cow::into_owned)
    }

    /// Reads a string whose first byte has been taken to the end of `out`, if it is short and its characters have three
    /// bytes each. Gives whether it was.
    #[inline]
    pub(crate) fn short_text_onto(&mut self, tag: u8, out: &mut String) -> bool {
        if tag > 0x1f || 3 * usize::from(tag) > self.state.limits.bytes {
            return false;
        }
        let start = out.len();
        let text = short_three_byte_text(self.rest(), usize::from(tag), |text| out.push_str(text));
        self.pos += out.len() - start;
        text.is_some()
    }

    /// As [`str`](Self::str), with `null` as `None`.
    ///
    /// # Errors
    ///
    /// As [`str`](Self::str), except for `null`.
    #[inline]
    pub fn opt_str(&mut self) -> Result<Option<Cow<'de, str>>> {
        if self.take_null() { Ok(None) } else { self.str().map(Some) }
    }

    /// Reads a string that is not to be copied.
    pub(super) fn borrowed_str(&mut self) -> Result<&'de str> {
        let start = self.pos;
        match self.str()? {
            Cow::Borrowed(text) => Ok(text),
            Cow::Owned(_) => Err(Error::at(ErrorKind::NotContiguous { what: "string" }, start)),
        }
    }

    /// Reads a string, also one that only [`Value`](crate::Value) can hold.
    pub(super) fn text(&mut self, expected: &'static str) -> Result<Text<'de>> {
        let tag = self.byte()?;
        self.text_after(tag, expected)
    }

    /// As [`text`](Self::text), when the first byte has been taken.
    pub(crate) fn text_after(&mut self, tag: u8, expected: &'static str) -> Result<Text<'de>> {
        let Some(chunk) = self.chunk(tag)? else { return Err(self.unexpected(expected, tag)) };
        match self.run(chunk.units)? {
            Run::Str(text) if chunk.last => {
                self.check_bytes(text.len())?;
                Ok(Text::Borrowed(text))
            }
            run => self.join(run, chunk.last),
        }
    }

    /// Goes over a string that begins with `tag`, checking it as reading does.
    pub(super) fn skip_text(&mut self, tag: u8, expected: &'static str) -> Result<()> {
        let mut tag = tag;
        let mut len = 0;
        loop {
            let Some(chunk) = self.chunk(tag)? else { return Err(self.unexpected(expected, tag)) };
            len += self.skip_run(chunk.units)?;
            self.check_bytes(len)?;
            if chunk.last {
                return Ok(());
            }
            tag = self.byte()?;
        }
    }

    /// Goes over `units` units. Gives their bytes.
    #[inline]
    fn skip_run(&mut self, units: usize) -> Result<usize> {
        match quick_len(self.rest(), units) {
            Some(len) => {
                self.pos += len;
                Ok(len)
            }
            None => self.run(units).map(|run| run.len()),
        }
    }

    /// An error when a string or binary is longer than the limits allow.
    #[inline]
    pub(super) fn check_bytes(&self, len: usize) -> Result<()> {
        let limit = self.state.limits.bytes;
        if len > limit {
            return Err(self.limit("bytes in a string or binary", limit as u64));
        }
        Ok(())
    }

    fn any_str(&mut self) -> Result<Cow<'de, str>> {
        if matches!(self.peek(), Some(Kind::Bool | Kind::Int | Kind::Long | Kind::Double)) {
            return self.number_as_text().map(Cow::Owned);
        }
        let start = self.pos;
        match self.text("string")? {
            Text::Borrowed(text) => Ok(Cow::Borrowed(text)),
            Text::Owned(text) => Ok(Cow::Owned(text)),
            Text::Odd(_) => Err(Error::at(ErrorKind::LoneSurrogate, start)),
        }
    }

    fn number_as_text(&mut self) -> Result<String> {
        let tag = self.byte()?;
        Ok(match self.number(tag, "string")? {
            Number::Null => return Err(self.unexpected("string", tag)),
            Number::Bool(value) => value.to_string(),
            Number::Int(value) => value.to_string(),
            Number::Long(value) => value.to_string(),
            Number::Double(value) => format!("{value:?}"),
        })
    }

    /// The header of a chunk whose first byte has been taken; none if it begins no text.
    #[inline]
    fn chunk(&mut self, tag: u8) -> Result<Option<Chunk>> {
        let (units, last) = match tag {
            0..=0x1f => (usize::from(tag), true),
            0x30..=0x33 => (usize::from(tag & 3) << 8 | usize::from(self.byte()?), true),
            tag::STRING => (usize::from(u16::from_be_bytes(self.array()?)), true),
            tag::STRING_CHUNK => (usize::from(u16::from_be_bytes(self.array()?)), false),
            _ => return Ok(None),
        };
        Ok(Some(Chunk { units, last }))
    }

    /// Joins chunks and pairs.
    fn join(&mut self, first: Run<'de>, last: bool) -> Result<Text<'de>> {
        let mut text = Joined::default();
        // A string of several chunks has a second one of the same length, more often than not.
        if let Run::Str(part) = first
            && !last
        {
            text.text.reserve((2 * part.len()).min(part.len() + self.remaining()));
        }
        let (mut run, mut last) = (first, last);
        let mut len = 0;
        loop {
            len += run.len();
            self.check_bytes(len)?;
            match run {
                Run::Str(part) => text.push_str(part),
                Run::Wide(part) => text.push_wide(part),
            }
            if last {
                return Ok(text.finish());
            }
            let tag = self.byte()?;
            let Some(chunk) = self.chunk(tag)? else {
                return Err(self.unexpected("a further chunk of a string", tag));
            };
            run = self.run(chunk.units)?;
            last = chunk.last;
        }
    }

    /// Takes `units` units.
    #[inline]
    fn run(&mut self, units: usize) -> Result<Run<'de>> {
        let rest = self.rest();
        if rest.len() < units {
            return Err(self.unexpected_end());
        }
        match quick_text(rest, units) {
            Some(text) => {
                self.pos += text.len();
                Ok(Run::Str(text))
            }
            None => self.careful_run(units),
        }
    }

    /// Takes units one by one. What this accepts is what all text is: the quick ways above are only quicker.
    #[cold]
    fn careful_run(&mut self, units: usize) -> Result<Run<'de>> {
        let rest = self.rest();
        let mut at = 0;
        for _ in 0..units {
            let unit = rest.get(at..).unwrap_or_default();
            at += match *unit {
                [0..=0x7f, ..] => 1,
                [0xc2..=0xdf, 0x80..=0xbf, ..] => 2,
                [0xe0, 0xa0..=0xbf, 0x80..=0xbf, ..] => 3,
                [0xe1..=0xef, 0x80..=0xbf, 0x80..=0xbf, ..] => 3,
                [] | [0xc2..=0xdf] | [0xe0..=0xef] => return Err(self.unexpected_end()),
                [0xe0..=0xef, 0x80..=0xbf] => return Err(self.unexpected_end()),
                [0xc2..=0xef, byte, ..] | [byte, ..] => {
                    return Err(Error::at(ErrorKind::Text { byte }, self.pos + at));
                }
            };
        }
        let bytes = self.slice(at)?;
        Ok(str::from_utf8(bytes).map_or(Run::Wide(bytes), Run::Str))
    }
}

/// The first `units` units, if they hold no surrogates and are well-formed.
#[inline]
fn quick_text(rest: &[u8], units: usize) -> Option<&str> {
    let head = rest.get(..units)?;
    if head.is_ascii() {
        return str::from_utf8(head).ok();
    }
    three_byte_text(rest, units).or_else(|| mixed_text(rest, units))
}

/// Bytes of the first `units` units, if it takes no look at each character to see that they are well-formed.
#[inline]
fn quick_len(rest: &[u8], units: usize) -> Option<usize> {
    if rest.get(..units)?.is_ascii() {
        return Some(units);
    }
    let bytes = rest.get(..units.checked_mul(3)?)?;
    utf16::is_well_formed_three_byte(bytes).then_some(bytes.len())
}

/// Text in which each unit has three bytes, as Chinese has. Guessed from the length and proved by looking at each unit's
/// three: without the proof, tags behind the text could pass for continuations.
fn three_byte_text(rest: &[u8], units: usize) -> Option<&str> {
    let bytes = rest.get(..units.checked_mul(3)?)?;
    if utf16::is_three_byte(bytes) { valid(bytes) } else { None }
}

/// As [`three_byte_text`], for text that is taken along: it is too short for the check with SIMD, which takes at least 64
/// bytes, so it is checked in a copy that is filled up with zeros, and gone when `take` has run.
#[inline]
fn short_three_byte_text<R>(rest: &[u8], units: usize, take: impl FnOnce(&str) -> R) -> Option<R> {
    const BLOCK: usize = 64;
    let bytes = rest.get(..3 * units).filter(|bytes| (15..BLOCK).contains(&bytes.len()))?;
    if !utf16::is_three_byte(bytes) {
        return None;
    }
    let mut block = [0; BLOCK];
    block.get_mut(..bytes.len())?.copy_from_slice(bytes);
    valid(&block)?.get(..bytes.len()).map(take)
}

/// The text, if it is UTF-8. The standard library's check goes by bytes where there are characters of several.
#[inline]
fn valid(bytes: &[u8]) -> Option<&str> {
    #[cfg(feature = "simd")]
    if bytes.len() >= 64 {
        return simdutf8::basic::from_utf8(bytes).ok();
    }
    str::from_utf8(bytes).ok()
}

/// Text without surrogates whose units have different lengths.
fn mixed_text(rest: &[u8], units: usize) -> Option<&str> {
    let (mut at, mut left) = (0, units);
    // A word begins at most eight units, so the last one is not among them.
    while left > 8
        && let Some(word) = rest.get(at..).and_then(|rest| rest.first_chunk::<8>())
    {
        let word = u64::from_le_bytes(*word);
        if utf16::four_byte_bits(word) != 0 {
            return None;
        }
        left -= 8 - utf16::sum_lanes(utf16::continuation_bits(word));
        at += 8;
    }
    // Bytes behind the last lead are not looked at: they may be the tag of the next value.
    let mut width = 0;
    while left > 0 {
        let byte = *rest.get(at)?;
        if !utf16::is_continuation(byte) {
            left -= 1;
            width = match byte {
                0..=0x7f => 1,
                0xc0..=0xdf => 2,
                0xe0..=0xef => 3,
                _ => return None,
            };
        }
        at += 1;
    }
    valid(rest.get(..(at + width).saturating_sub(1))?)
}

/// Text that is put together from several runs.
#[derive(Default)]
struct Joined {
    text: String,
    /// First half of a pair that waits for its second.
    high: Option<u16>,
    /// Takes over from `text` once there is half a pair: everything in wire form.
    odd: Vec<u8>,
}

impl Joined {
    fn push_str(&mut self, part: &str) {
        if part.is_empty() {
            return;
        }
        if self.high.is_some() {
            self.give_up();
        }
        if self.odd.is_empty() {
            self.text.push_str(part);
        } else {
            self.odd.extend_from_slice(part.as_bytes());
        }
    }

    fn push_wide(&mut self, part: &[u8]) {
        let mut rest = part;
        while let Some(at) = surrogate_in(rest) {
            let (plain, tail) = rest.split_at(at);
            let Some((surrogate, tail)) = tail.split_first_chunk::<3>() else { break };
            self.push_plain(plain);
            self.push_surrogate(*surrogate);
            rest = tail;
        }
        self.push_plain(rest);
    }

    fn push_plain(&mut self, part: &[u8]) {
        if let Ok(part) = str::from_utf8(part) {
            self.push_str(part);
        }
    }

    fn push_surrogate(&mut self, bytes: [u8; 3]) {
        let unit = utf16::unit_from_wire(bytes);
        let is_high = unit < 0xdc00;
        match self.high.take() {
            None if is_high && self.odd.is_empty() => self.high = Some(unit),
            Some(high) if !is_high => self.text.extend(char::decode_utf16([high, unit]).flatten()),
            high => {
                self.high = high;
                self.give_up();
                self.odd.extend_from_slice(&bytes);
            }
        }
    }

    /// Changes over to wire form.
    fn give_up(&mut self) {
        let mut buffer = [0; 4];
        for char in self.text.chars() {
            match char.len_utf8() {
                4 => self.odd.extend_from_slice(&utf16::pair_to_wire(char)),
                _ => self.odd.extend_from_slice(char.encode_utf8(&mut buffer).as_bytes()),
            }
        }
        self.text.clear();
        self.odd.extend(self.high.take().into_iter().flat_map(utf16::unit_to_wire));
    }

    fn finish<'de>(mut self) -> Text<'de> {
        if self.high.is_some() {
            self.give_up();
        }
        if self.odd.is_empty() { Text::Owned(self.text) } else { Text::Odd(self.odd) }
    }
}

/// Offset of the first surrogate in checked wire text.
pub(super) fn surrogate_in(bytes: &[u8]) -> Option<usize> {
    bytes.windows(2).position(|pair| matches!(pair, [0xed, 0xa0..=0xff]))
}
