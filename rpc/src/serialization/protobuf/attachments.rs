//! Owns the message of attachments. What is no text, number or boolean in it is left out.

use std::borrow::Cow;

use bytes::BytesMut;

use super::wire::{Field, Fields, Result, field_len, int_value, put_field_head, put_text, string_value};
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
