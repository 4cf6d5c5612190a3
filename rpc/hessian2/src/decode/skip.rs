//! Owns going over a value without making anything of it. All tables are kept, all checks are made, and it ends at
//! the byte where reading would end. It never recurses and never follows a reference.

use super::Decoder;
use super::containers::Opened;
use crate::error::Result;
use crate::kind::tag;

/// A container on the way down.
#[derive(Debug)]
pub(crate) struct Frame {
    opened: Opened,
    left: Left,
}

#[derive(Clone, Copy, Debug)]
enum Left {
    Values(usize),
    /// Items so far.
    ToEndMark(usize),
    /// As `ToEndMark`, at a key; a value must follow it.
    Key(usize),
    Value(usize),
}

impl Decoder<'_, '_> {
    /// Goes over the next value, of whatever kind.
    ///
    /// # Errors
    ///
    /// When the bytes are malformed, the input ends, or a limit is reached.
    pub fn skip(&mut self) -> Result<()> {
        let bottom = self.state.skip.len();
        self.skip_value()?;
        while self.state.skip.len() > bottom {
            if self.next_in_frame()? {
                self.skip_value()?;
            } else if let Some(frame) = self.state.skip.pop() {
                self.close(frame.opened);
            }
        }
        Ok(())
    }

    /// Whether the innermost container has another value.
    fn next_in_frame(&mut self) -> Result<bool> {
        let Some(frame) = self.state.skip.last() else { return Ok(false) };
        let (more, left) = match frame.left {
            Left::Values(0) => return Ok(false),
            Left::Values(left) => (true, Left::Values(left - 1)),
            Left::ToEndMark(mut items) => (self.more(&mut items, 1)?, Left::ToEndMark(items)),
            Left::Key(mut entries) => (self.more(&mut entries, 2)?, Left::Value(entries)),
            Left::Value(entries) => (true, Left::Key(entries)),
        };
        if let Some(frame) = self.state.skip.last_mut() {
            frame.left = left;
        }
        Ok(more)
    }

    fn skip_value(&mut self) -> Result<()> {
        let tag = self.tag()?;
        let start = self.pos - 1;
        let left = match tag {
            tag::NULL
            | tag::TRUE
            | tag::FALSE
            | 0x80..=0xff
            | 0x38..=0x3f
            | tag::DOUBLE_0..=tag::DOUBLE_MILLS => {
                return self.number(tag, "value").map(drop);
            }
            tag::INT | tag::LONG | tag::LONG_INT | tag::DOUBLE => return self.number(tag, "value").map(drop),
            0x00..=0x1f | 0x30..=0x33 | tag::STRING | tag::STRING_CHUNK => {
                return self.skip_text(tag, "value");
            }
            0x20..=0x2f | 0x34..=0x37 | tag::BINARY | tag::BINARY_CHUNK => return self.skip_binary(tag),
            tag::DATE | tag::DATE_MINUTES => return self.date_after(tag).map(drop),
            tag::REFERENCE => return self.reference_index().map(drop),
            tag::MAP_UNTYPED => Left::Key(0),
            tag::MAP => {
                self.type_name()?;
                Left::Key(0)
            }
            _ => {
                if let Some(head) = self.list_head(tag)? {
                    head.fixed.map_or(Left::ToEndMark(0), Left::Values)
                } else if let Some((_, class)) = self.class_head(tag)? {
                    Left::Values(class.fields as usize)
                } else {
                    return Err(self.unexpected("value", tag));
                }
            }
        };
        let opened = self.open(start, None)?;
        if self.state.skip.len() == self.state.skip.capacity() {
            let more = self.growth::<Frame>(self.state.skip.len())?;
            self.state.skip.reserve_exact(more);
        }
        self.state.skip.push(Frame { opened, left });
        Ok(())
    }
}
