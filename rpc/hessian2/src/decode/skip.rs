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
        // The innermost container; those around it lie in the state.
        let mut frame = self.skip_value()?;
        while let Some(inner) = &mut frame {
            if self.next_in(&mut inner.left)? {
                if let Some(opened) = self.skip_value()? {
                    self.keep(frame.replace(opened))?;
                }
                continue;
            }
            if let Some(done) = frame.take() {
                self.close(done.opened);
            }
            if self.state.skip.len() > bottom {
                frame = self.state.skip.pop();
            }
        }
        Ok(())
    }

    /// Whether a container has another value.
    #[inline]
    fn next_in(&mut self, left: &mut Left) -> Result<bool> {
        let more;
        (more, *left) = match *left {
            Left::Values(0) => return Ok(false),
            Left::Values(left) => (true, Left::Values(left - 1)),
            Left::ToEndMark(mut items) => (self.more(&mut items, 1)?, Left::ToEndMark(items)),
            Left::Key(mut entries) => (self.more(&mut entries, 2)?, Left::Value(entries)),
            Left::Value(entries) => (true, Left::Key(entries)),
        };
        Ok(more)
    }

    fn keep(&mut self, outer: Option<Frame>) -> Result<()> {
        if self.state.skip.len() == self.state.skip.capacity() {
            let more = self.growth::<Frame>(self.state.skip.len())?;
            self.state.skip.reserve_exact(more);
        }
        self.state.skip.extend(outer);
        Ok(())
    }

    /// Goes over a value. A container is only opened.
    fn skip_value(&mut self) -> Result<Option<Frame>> {
        let tag = self.tag()?;
        let start = self.pos - 1;
        if let Some(len) = scalar_len(tag) {
            return self.slice(len).map(|_| None);
        }
        let left = match tag {
            0x00..=0x1f | 0x30..=0x33 | tag::STRING | tag::STRING_CHUNK => {
                return self.skip_text(tag, "value").map(|()| None);
            }
            0x20..=0x2f | 0x34..=0x37 | tag::BINARY | tag::BINARY_CHUNK => {
                return self.skip_binary(tag).map(|()| None);
            }
            tag::REFERENCE => return self.reference_index().map(|_| None),
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
        Ok(Some(Frame { opened, left }))
    }
}

/// Bytes behind the first of a null, boolean, number or date; none if the value is something else.
#[inline]
fn scalar_len(tag: u8) -> Option<usize> {
    let len = SCALARS.get(usize::from(tag)).copied().unwrap_or(NO_SCALAR);
    (len != NO_SCALAR).then_some(usize::from(len))
}

/// For each first byte what [`scalar_len`] gives.
static SCALARS: [u8; 256] = {
    let mut lens = [NO_SCALAR; 256];
    let mut tag = 0;
    while tag < 256 {
        lens[tag] = match tag as u8 {
            tag::NULL | tag::TRUE | tag::FALSE | tag::DOUBLE_0 | tag::DOUBLE_1 => 0,
            0x80..=0xbf | 0xd8..=0xef => 0,
            0xc0..=0xcf | 0xf0..=0xff | tag::DOUBLE_BYTE => 1,
            0xd0..=0xd7 | 0x38..=0x3f | tag::DOUBLE_SHORT => 2,
            tag::INT | tag::LONG_INT | tag::DOUBLE_MILLS | tag::DATE_MINUTES => 4,
            tag::LONG | tag::DOUBLE | tag::DATE => 8,
            _ => NO_SCALAR,
        };
        tag += 1;
    }
    lens
};

const NO_SCALAR: u8 = u8::MAX;
