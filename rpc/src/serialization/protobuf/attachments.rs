//! Owns the message of attachments. What is no text, number or boolean in it is left out.

use std::borrow::Cow;

use bytes::BytesMut;

use super::wire::{
    Field, Fields, Result, WireError, field_len, int_value, put_field_head, put_text, string_value,
};
use crate::serialization::ATTACHMENTS;

/// What it is in error texts.
pub(super) const NAME: &str = "the attachments";

/// How many bytes an entry takes.
pub(super) fn entry_len(name: &str, value: &str) -> usize {
    field_len(field_len(name.len()) + field_len(value.len()))
}

/// Writes an entry of the first map.
pub(super) fn put_entry(out: &mut BytesMut, name: &str, value: &str) {
    put_field_head(out, 1, field_len(name.len()) + field_len(value.len()));
    put_text(out, 1, name);
    put_text(out, 2, value);
}

/// Reads both maps; what stands in both comes twice.
pub(super) fn read<'a>(item: &'a [u8], mut entry: impl FnMut(&str, Cow<'a, str>)) -> Result<()> {
    let mut fields = Fields::of(NAME, item);
    let mut count = 0;
    while let Some((field, value)) = fields.next()? {
        if !matches!(field, 1 | 2) {
            continue;
        }
        let (name, value) = name_and_value(fields.message(field, value)?)?;
        let text = match (field, value) {
            (1, Some(value)) => Some(Cow::Borrowed(fields.text(field, value)?)),
            (1, None) => Some(Cow::Borrowed("")),
            (_, Some(Field::Bytes(any))) => attachment(any)?,
            _ => None,
        };
        count += 1;
        if let Some(text) = text.filter(|_| count <= ATTACHMENTS) {
            entry(name, text);
        }
    }
    Ok(())
}

/// The two fields of an entry of a map.
fn name_and_value(entry: &[u8]) -> Result<(&str, Option<Field<'_>>)> {
    if let Some((name, value)) = both_short(entry) {
        let name = std::str::from_utf8(name).map_err(|_| WireError::Text(NAME))?;
        return Ok((name, Some(Field::Bytes(value))));
    }
    let mut fields = Fields::of(NAME, entry);
    let (mut name, mut found) = ("", None);
    while let Some((field, value)) = fields.next()? {
        match field {
            1 => name = fields.text(field, value)?,
            2 => found = Some(value),
            _ => {}
        }
    }
    Ok((name, found))
}

/// Name and value where they are written as nearly always: in this order, nothing else, and each shorter than 128 bytes.
fn both_short(entry: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = short(1, entry)?;
    let (value, rest) = short(2, rest)?;
    rest.is_empty().then_some((name, value))
}

/// The text of the field with this number, if it comes next and is short, and what is behind it.
fn short(field: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    match bytes {
        &[key, length, ref rest @ ..] if key == (field << 3 | 2) && length < 0x80 => {
            rest.split_at_checked(length.into())
        }
        _ => None,
    }
}

/// The value in `Any(Attachment { string type = 1; Any data = 2; })`, which is a wrapper in an `Any`.
fn attachment(any: &[u8]) -> Result<Option<Cow<'_, str>>> {
    let (_, attachment) = type_and_value(any)?;
    let (_, data) = type_and_value(attachment)?;
    let (url, value) = type_and_value(data)?;
    let text = match url.rsplit('/').next() {
        Some("google.protobuf.StringValue") => Cow::Borrowed(string_value(NAME, value)?),
        Some("google.protobuf.Int32Value" | "google.protobuf.Int64Value") => {
            Cow::Owned(int_value(NAME, value)?.to_string())
        }
        Some("google.protobuf.BoolValue") => Cow::Owned((int_value(NAME, value)? != 0).to_string()),
        Some("google.protobuf.DoubleValue") => {
            let mut fields = Fields::of(NAME, value);
            match fields.next()? {
                Some((1, Field::Fixed64(bits))) => Cow::Owned(f64::from_le_bytes(bits).to_string()),
                _ => return Ok(None),
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(text))
}

/// The fields of an `Any`, or of an `Attachment`, which are alike.
fn type_and_value(message: &[u8]) -> Result<(&str, &[u8])> {
    let mut fields = Fields::of(NAME, message);
    let (mut url, mut found) = ("", &[][..]);
    while let Some((field, value)) = fields.next()? {
        match field {
            1 => url = fields.text(field, value)?,
            2 => found = fields.message(field, value)?,
            _ => {}
        }
    }
    Ok((url, found))
}

#[cfg(test)]
mod tests {
    use bytes::{BufMut, BytesMut};

    use super::*;

    fn entry(fields: &[(u8, &str)]) -> BytesMut {
        let mut out = BytesMut::new();
        fields.iter().for_each(|(field, text)| put_text(&mut out, *field, text));
        out
    }

    #[test]
    fn an_entry_is_the_same_however_it_is_laid_out() {
        let long = "x".repeat(200);
        for (fields, name, value) in [
            (&[(1, "name"), (2, "value")][..], "name", Some("value")),
            (&[(2, "value"), (1, "name")], "name", Some("value")),
            (&[(1, "old"), (2, "value"), (1, "name")], "name", Some("value")),
            (&[(1, "name"), (2, "old"), (2, "value")], "name", Some("value")),
            (&[(1, "name"), (2, "value"), (3, "new")], "name", Some("value")),
            (&[(1, "name"), (2, &long)], "name", Some(&long)),
            (&[(1, "name"), (2, "")], "name", Some("")),
            (&[(1, "name")], "name", None),
            (&[(2, "value")], "", Some("value")),
            (&[], "", None),
        ] {
            let entry = entry(fields);
            let value = value.map(|value| Field::Bytes(value.as_bytes()));
            assert_eq!(name_and_value(&entry), Ok((name, value)), "{fields:?}");
        }
    }

    #[test]
    fn a_short_entry_that_is_broken_is_an_error() {
        let mut no_text = entry(&[]);
        no_text.put_slice(&[1 << 3 | 2, 1, 0xff, 2 << 3 | 2, 0]);
        assert_eq!(name_and_value(&no_text), Err(WireError::Text(NAME)));
        let whole = entry(&[(1, "name"), (2, "value")]);
        for end in (1..whole.len()).filter(|end| *end != 6) {
            assert!(name_and_value(&whole[..end]).is_err(), "cut at {end}");
        }
    }
}
