//! Owns the arithmetic between bytes and UTF-16 units: counting, cutting, surrogate pairs. It knows neither tags nor
//! buffers.
//!
//! Hessian counts text in UTF-16 units and writes each unit by itself in one to three bytes (CESU-8). For text
//! without characters above U+FFFF this is UTF-8.

/// What a piece of UTF-8 or wire text holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) units: usize,
    /// Characters of four bytes, each two units.
    pub(crate) pairs: usize,
}

/// Counts units.
pub(crate) fn count(bytes: &[u8]) -> Count {
    if bytes.is_ascii() {
        return Count { units: bytes.len(), pairs: 0 };
    }
    count_mixed(bytes)
}

/// Counts units of text that is known not to be all ASCII.
#[inline]
pub(crate) fn count_mixed(bytes: &[u8]) -> Count {
    let (words, tail) = bytes.as_chunks::<8>();
    let last = last_word(bytes, tail);
    let mut continuations = sum_lanes(continuation_bits(last));
    let mut pairs = four_byte_bits(last).count_ones() as usize;
    for group in words.chunks(255) {
        let (mut lanes, mut wide) = (0_u64, 0_u64);
        for word in group {
            let word = u64::from_le_bytes(*word);
            lanes += continuation_bits(word);
            wide |= four_byte_bits(word);
        }
        continuations += sum_lanes(lanes);
        if wide != 0 {
            pairs += group.iter().flatten().filter(|&&byte| byte >= 0xf0).count();
        }
    }
    Count { units: bytes.len() - continuations + pairs, pairs }
}

/// The tail behind the words of `bytes`, filled up with zeros, which are neither continuations nor leads of four.
#[inline]
fn last_word(bytes: &[u8], tail: &[u8]) -> u64 {
    if tail.is_empty() {
        return 0;
    }
    if let Some(last) = bytes.last_chunk::<8>() {
        return u64::from_le_bytes(*last) >> (8 * (8 - tail.len()));
    }
    let mut last = [0; 8];
    last.iter_mut().zip(tail).for_each(|(place, byte)| *place = *byte);
    u64::from_le_bytes(last)
}

/// Whether these bytes are units of three bytes each, by their leads and continuations alone. The length must be a
/// multiple of three.
#[inline]
pub(crate) fn is_three_byte(bytes: &[u8]) -> bool {
    three_byte(bytes, 0xe0)
}

/// As [`is_three_byte`], and none of the units would have had a shorter form, even by a lead that could be of such: all are
/// well-formed.
#[inline]
pub(crate) fn is_well_formed_three_byte(bytes: &[u8]) -> bool {
    three_byte(bytes, 0xe1)
}

/// Whether these bytes are units of three bytes each, by their continuations and leads, which begin at `least`: 0xe0 or
/// 0xe1.
#[inline]
fn three_byte(bytes: &[u8], least: u8) -> bool {
    // Leads are 1110xxxx, continuations 10xxxxxx; the pattern comes again every three words.
    const MASK: [u64; 3] = pattern(0xf0, 0xc0);
    const WANT: [u64; 3] = pattern(0xe0, 0x80);
    // What a lead has beyond 0xe0 gives a carry, to the bit above it, when this is added.
    const BEYOND: [u64; 3] = pattern(0x0f, 0);
    const CARRY: [u64; 3] = pattern(0x10, 0);
    let (groups, tail) = bytes.as_chunks::<24>();
    let (mut odd, mut carries) = (0, u64::MAX);
    for group in groups {
        let (words, _) = group.as_chunks::<8>();
        for (at, word) in words.iter().enumerate().take(3) {
            let word = u64::from_le_bytes(*word);
            odd |= (word & MASK[at]) ^ WANT[at];
            carries &= ((word & BEYOND[at]) + BEYOND[at]) | !CARRY[at];
        }
    }
    let (units, rest) = tail.as_chunks::<3>();
    odd == 0
        && (least == 0xe0 || carries == u64::MAX)
        && rest.is_empty()
        && units.iter().all(|[a, b, c]| (least..=0xef).contains(a) && b & 0xc0 == 0x80 && c & 0xc0 == 0x80)
}

/// Three words of lead, continuation, continuation, lead, ...
const fn pattern(lead: u64, continuation: u64) -> [u64; 3] {
    let mut words = [0; 3];
    let mut at = 0;
    while at < 24 {
        let byte = if at % 3 == 0 { lead } else { continuation };
        words[at / 8] |= byte << (8 * (at % 8));
        at += 1;
    }
    words
}

/// Length in bytes of the longest start of `text` that has at most `units` units, and its units. A pair is never
/// cut.
pub(crate) fn prefix(text: &str, units: usize) -> (usize, usize) {
    let bytes = text.as_bytes();
    if bytes.get(..units).is_some_and(<[u8]>::is_ascii) {
        return (units, units);
    }
    let (mut at, mut taken) = (0, 0);
    // A word begins at most eight characters, of which at most two take two units.
    while units - taken > 16
        && let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>())
    {
        let word = u64::from_le_bytes(*word);
        taken += 8 - sum_lanes(continuation_bits(word)) + four_byte_bits(word).count_ones() as usize;
        at += 8;
    }
    for &byte in bytes.get(at..).unwrap_or_default() {
        let width = if is_continuation(byte) { 0 } else { 1 + usize::from(byte >= 0xf0) };
        if taken + width > units {
            break;
        }
        taken += width;
        at += 1;
    }
    (at, taken)
}

/// Length in bytes of the first `units` units of text in wire form.
pub(crate) fn wire_prefix(bytes: &[u8], units: usize) -> usize {
    let mut starts = bytes.iter().enumerate().filter(|&(_, &byte)| !is_continuation(byte));
    starts.nth(units).map_or(bytes.len(), |(at, _)| at)
}

/// Whether text in wire form ends in the first half of a pair.
pub(crate) fn ends_in_high_surrogate(bytes: &[u8]) -> bool {
    matches!(bytes, [.., 0xed, 0xa0..=0xaf, _])
}

/// A character above U+FFFF as two units of three bytes.
pub(crate) fn pair_to_wire(char: char) -> [u8; 6] {
    let mut units = [0; 2];
    char.encode_utf16(&mut units);
    let [high, low] = units.map(unit_to_wire);
    let ([a, b, c], [d, e, f]) = (high, low);
    [a, b, c, d, e, f]
}

/// A unit of at least U+0800 as three bytes.
pub(crate) fn unit_to_wire(unit: u16) -> [u8; 3] {
    [0xe0 | (unit >> 12) as u8, 0x80 | (unit >> 6 & 0x3f) as u8, 0x80 | (unit & 0x3f) as u8]
}

/// The unit of three bytes in wire form.
pub(crate) fn unit_from_wire([a, b, c]: [u8; 3]) -> u16 {
    u16::from(a & 0x0f) << 12 | u16::from(b & 0x3f) << 6 | u16::from(c & 0x3f)
}

/// The units of checked text in wire form.
pub(crate) fn units(bytes: &[u8]) -> impl Iterator<Item = u16> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (unit, tail) = match *rest {
            [a @ 0..=0x7f, ref tail @ ..] => (u16::from(a), tail),
            [a @ 0x80..=0xdf, b, ref tail @ ..] => (u16::from(a & 0x1f) << 6 | u16::from(b & 0x3f), tail),
            [a, b, c, ref tail @ ..] => (unit_from_wire([a, b, c]), tail),
            _ => return None,
        };
        rest = tail;
        Some(unit)
    })
}

#[inline]
pub(crate) fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// One in the lowest bit of each byte that continues a unit.
#[inline]
pub(crate) fn continuation_bits(word: u64) -> u64 {
    (word >> 7) & !(word >> 6) & 0x0101_0101_0101_0101
}

/// Not zero if a byte of the word is at least 0xf0.
#[inline]
pub(crate) fn four_byte_bits(word: u64) -> u64 {
    word & (word << 1) & (word << 2) & (word << 3) & 0x8080_8080_8080_8080
}

/// Sum of the eight bytes, as long as each is below 256.
#[inline]
pub(crate) fn sum_lanes(lanes: u64) -> usize {
    let halves = (lanes & 0x00ff_00ff_00ff_00ff) + ((lanes >> 8) & 0x00ff_00ff_00ff_00ff);
    (halves.wrapping_mul(0x0001_0001_0001_0001) >> 48) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_units_of_three_bytes_pass_for_such() {
        for units in 1..40 {
            let bytes = "中".repeat(units).into_bytes();
            assert!(is_three_byte(&bytes), "{units}");
            for at in 0..bytes.len() {
                for byte in [b'a', 0xc3, 0xf0, 0xe4 ^ bytes[at]] {
                    let mut bent = bytes.clone();
                    bent[at] = byte;
                    let right =
                        bent.chunks(3).all(|unit| matches!(unit, [0xe0..=0xef, 0x80..=0xbf, 0x80..=0xbf]));
                    assert_eq!(is_three_byte(&bent), right, "byte {at} of {units} units is {byte:#x}");
                    assert_eq!(is_well_formed_three_byte(&bent), right);
                }
            }
        }
    }

    #[test]
    fn a_lead_of_shorter_forms_is_seen_wherever_it_stands() {
        for units in 1..40 {
            for at in 0..units {
                let mut bytes = "中".repeat(units).into_bytes();
                bytes[3 * at] = 0xe0;
                assert!(is_three_byte(&bytes));
                assert!(!is_well_formed_three_byte(&bytes), "unit {at} of {units}");
            }
            for lead in ["ࠀ", "က", "￿"] {
                let bytes = lead.repeat(units).into_bytes();
                assert_eq!(is_well_formed_three_byte(&bytes), bytes[0] > 0xe0);
            }
        }
    }

    #[test]
    fn count_agrees_with_the_standard_library() {
        for text in ["", "a", "é", "中", "😀", "a😀b", "中文字符中文字符", "abcdefgh😀中éabcdefghijklmnop"]
        {
            for times in [1, 2, 7, 300, 5000] {
                let text = text.repeat(times);
                let count = count(text.as_bytes());
                assert_eq!(count.units, text.encode_utf16().count());
                assert_eq!(count.pairs, text.chars().filter(|char| char.len_utf8() == 4).count());
            }
        }
    }

    #[test]
    fn a_prefix_never_cuts_a_pair() {
        assert_eq!(prefix("a😀b", 1), (1, 1));
        assert_eq!(prefix("a😀b", 2), (1, 1));
        assert_eq!(prefix("a😀b", 3), (5, 3));
        assert_eq!(prefix("a😀b", 9), (6, 4));
        assert_eq!(prefix("中文", 1), (3, 1));
        let long = "a😀中".repeat(50);
        for units in 0..200 {
            let (len, taken) = prefix(&long, units);
            let (head, tail) = long.split_at(len);
            assert_eq!(head.encode_utf16().count(), taken);
            assert!(taken == units || (taken + 1 == units && tail.starts_with('😀')));
        }
    }

    #[test]
    fn a_pair_becomes_six_bytes() {
        assert_eq!(pair_to_wire('😀'), [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]);
    }
}
