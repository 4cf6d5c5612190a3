//! Owns reading a value as whatever it is, for readers that take anything. It makes nothing of lists and maps: those
//! are opened.

use std::borrow::Cow;

use super::{Decoder, ListReader, MapReader, Number, Text};
use crate::error::{Error, ErrorKind, Result};
use crate::kind::{Kind, tag};

/// A value of any kind, or the beginning of one.
pub(crate) enum Any<'de> {
    Number(Number),
    Date(i64),
    Text(Cow<'de, str>),
    Binary(Cow<'de, [u8]>),
    List(ListReader),
    /// A map, or an object as a map of its fields.
    Map(MapReader),
}

impl<'de> Decoder<'de, '_> {
    /// Reads the next value, or opens it. References are followed.
    pub(crate) fn any(&mut self) -> Result<Any<'de>> {
        let (tag, resume) = self.enter()?;
        let start = self.pos.saturating_sub(1);
        Ok(match Kind::of_tag(tag) {
            Some(Kind::String) => match self.text_after(tag, "value")? {
                Text::Borrowed(text) => Any::Text(Cow::Borrowed(text)),
                Text::Owned(text) => Any::Text(Cow::Owned(text)),
                Text::Odd(_) => return Err(Error::at(ErrorKind::LoneSurrogate, start)),
            },
            Some(Kind::Binary) => Any::Binary(self.bytes_after(tag)?),
            Some(Kind::Date) => Any::Date(self.date_after(tag)?),
            Some(Kind::List) => Any::List(self.list_after(tag, resume)?),
            Some(Kind::Map | Kind::Object) => Any::Map(self.map_after(tag, resume)?),
            _ => Any::Number(self.number(tag, "value")?),
        })
    }

    /// Kind of the next value, or of what it refers to; it stays unread.
    pub(crate) fn peek_target(&mut self) -> Result<Option<Kind>> {
        match self.peek_reference()? {
            Some(slot) => {
                let at = self.state.slots.get(slot as usize).map(|slot| slot.start as usize);
                Ok(at.and_then(|at| self.buf.get(at)).and_then(|&tag| Kind::of_tag(tag)))
            }
            None => Ok(self.peek()),
        }
    }

    /// Takes class definitions that lie before the next value.
    pub(crate) fn take_definitions(&mut self) -> Result<()> {
        if self.buf.get(self.pos) == Some(&tag::DEFINITION) {
            self.tag()?;
            self.pos -= 1;
        }
        Ok(())
    }
}
