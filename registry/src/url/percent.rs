//! Owns the percent forms of a URL and of its parts. Knows no parts of a URL beyond their names in errors, and must
//! never decode a text twice.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::{Part, UrlError};

/// All but the characters that Java's `URLEncoder` and Go's `QueryEscape` both leave alone. A space becomes `%20`,
/// which both read.
pub(super) const NODE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');
/// A path in a text form. Stays readable: letters, digits and most punctuation are left alone.
pub(super) const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b';')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'@')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');
/// The value of a parameter in a text form. `+` too, since many readers take it for a space.
pub(super) const VALUE: &AsciiSet = &PATH.add(b'&').add(b'+');
/// The name of a parameter in a text form.
pub(super) const NAME: &AsciiSet = &VALUE.add(b'=');

/// What a `+` stands for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Plus {
    /// Itself: in a text form.
    Plus,
    /// A space: in a node name, where Java and Go write one so.
    Space,
}

pub(super) fn encode(text: &str, set: &'static AsciiSet) -> String {
    utf8_percent_encode(text, set).to_string()
}

/// Decodes once. `%` needs its two digits, the bytes must be UTF-8.
pub(super) fn decode(text: &str, part: Part, plus: Plus) -> Result<String, UrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex_pair(&mut rest).ok_or(UrlError::Percent { part })?,
            b'+' if plus == Plus::Space => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| UrlError::NotUtf8 { part })
}

fn hex_pair(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let mut digit = || u8::try_from(char::from(bytes.next()?).to_digit(16)?).ok();
    let (high, low) = (digit()?, digit()?);
    Some(high << 4 | low)
}

/// A separator that a part may hold as data, and the two digits of its percent form.
pub(super) type Separator = (char, &'static str);

/// Hides `separators` in a part of a raw Dubbo URL, which has no other way to hold them: `&` becomes `%26`.
///
/// Nothing else changes, so a `%` stays a `%`, with one exception that keeps [`unshield`] exact: a percent form of one
/// of the separators that is there already gets one level more, `%26` becomes `%2526` and `%2526` becomes `%252526`.
pub(super) fn shield(text: &str, separators: &[Separator]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if let Some((_, digits)) = separators.iter().find(|(separator, _)| *separator == c) {
            out.push('%');
            out.push_str(digits);
        } else {
            out.push(c);
            if c == '%' && levels(rest.as_str(), separators).is_some() {
                out.push_str("25");
            }
        }
    }
    out
}

/// The inverse of [`shield`], and one level less for every percent form of a separator.
pub(super) fn unshield(text: &str, separators: &[Separator]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match if c == '%' { levels(rest.as_str(), separators) } else { None } {
            // The form itself: the separator, and its two digits are used up.
            Some((0, separator)) => {
                out.push(separator);
                rest.by_ref().take(2).for_each(drop);
            }
            // One level up: the `25` that `shield` put in is used up.
            Some(_) => {
                out.push(c);
                rest.by_ref().take(2).for_each(drop);
            }
            None => out.push(c),
        }
    }
    out
}

/// Whether the text behind a `%` makes it the percent form of a separator: how many `25` stand before its digits.
fn levels(mut behind: &str, separators: &[Separator]) -> Option<(usize, char)> {
    let mut count = 0_usize;
    while let Some(rest) = behind.strip_prefix("25") {
        behind = rest;
        count = count.saturating_add(1);
    }
    let (separator, _) = separators.iter().find(|(_, digits)| behind.starts_with(digits))?;
    Some((count, *separator))
}

#[cfg(test)]
mod tests {
    use super::{Plus, decode, shield, unshield};
    use crate::url::error::Part;

    const AND: &[super::Separator] = &[('&', "26")];

    #[test]
    fn a_shielded_text_has_no_separator_and_comes_back() {
        for text in
            ["", "&", "a&b", "%26", "%2526", "%252526", "%&", "%25&", "%25%26", "%%26", "&26", "100%", "%3D"]
        {
            let shielded = shield(text, AND);
            assert!(!shielded.contains('&'), "{shielded}");
            assert_eq!(unshield(&shielded, AND), text);
        }
    }

    #[test]
    fn a_text_without_a_separator_or_its_percent_form_is_left_alone() {
        for text in ["%25", "%2525", "100%", "%zz", "a=b?c", "中"] {
            assert_eq!(shield(text, AND), text);
            assert_eq!(unshield(text, AND), text);
        }
    }

    #[test]
    fn plus_is_a_space_only_where_asked_for() {
        assert_eq!(decode("a+b%2Bc", Part::Node, Plus::Space).unwrap(), "a b+c");
        assert_eq!(decode("a+b%2Bc", Part::Path, Plus::Plus).unwrap(), "a+b+c");
    }
}
