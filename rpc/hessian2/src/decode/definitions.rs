//! Owns class definitions and type names on the way in: each takes its place in the body's tables exactly once, also
//! when the value around it is skipped or read again through a reference.

use std::borrow::Cow;

use super::Decoder;
use super::cache::Hit;
use super::state::ClassAt;
use super::text::{Text, surrogate_in};
use crate::compact::{NAMELESS, has_nameless_field};
use crate::error::{Error, ErrorKind, Result};
use crate::kind::tag;

impl<'de> Decoder<'de, '_> {
    /// Takes the first byte of a value, and the class definitions before it.
    #[inline]
    pub(crate) fn tag(&mut self) -> Result<u8> {
        loop {
            match self.byte()? {
                tag::DEFINITION => self.define()?,
                tag => return Ok(tag),
            }
        }
    }

    /// Reads a definition behind its tag.
    fn define(&mut self) -> Result<()> {
        let name = self.offset(self.pos)?;
        let nth = self.state.classes.len();
        let hit = self.state.cache.find(self.rest(), nth);
        let (entry, fields) = match hit {
            Some(Hit { entry, len, fields }) => {
                self.pos += len;
                (Some(entry), fields)
            }
            None => match self.skip_definition()? {
                0 => (None, self.nameless_fields(name)?),
                fields => (None, fields),
            },
        };
        // A definition met again through a reference has its place already.
        if self.state.replays > 0 {
            return Ok(());
        }
        let limit = self.state.limits.classes;
        if nth >= limit as usize {
            return Err(self.limit("class definitions", u64::from(limit)));
        }
        let entry = match entry {
            Some(entry) => entry,
            None => {
                let definition = self.buf.get(name as usize..self.pos).unwrap_or_default();
                self.state.cache.learn(definition, fields, self.state.limits.cache)
            }
        };
        self.state.classes.push(ClassAt { name, fields, entry });
        Ok(())
    }

    /// Goes over name and fields, and gives the number of fields.
    fn skip_definition(&mut self) -> Result<u32> {
        self.skip_name("a class name")?;
        let fields = self.index("the number of fields")?;
        let left = self.remaining();
        // Each field name takes a byte at least.
        let Some(count) = u32::try_from(fields).ok().filter(|&count| count as usize <= left) else {
            return Err(self.error(ErrorKind::Length { what: "class definition", length: fields, left }));
        };
        let limit = self.state.limits.fields;
        if count > limit {
            return Err(self.limit("fields of a class", u64::from(limit)));
        }
        for _ in 0..count {
            self.skip_name("a field name")?;
        }
        Ok(count)
    }

    /// Number of fields of a class at `name` whose definition has none.
    fn nameless_fields(&mut self, name: u32) -> Result<u32> {
        let end = std::mem::replace(&mut self.pos, name as usize);
        let name = self.text("a class name")?;
        self.pos = end;
        Ok(match name {
            Text::Borrowed(name) => u32::from(has_nameless_field(name)),
            Text::Owned(name) => u32::from(has_nameless_field(&name)),
            Text::Odd(_) => 0,
        })
    }

    /// Goes over the name of a class, where [`in_definition`](Self::in_definition) begins. Gives whether its fields
    /// have names.
    pub(crate) fn skip_class_name(&mut self) -> Result<bool> {
        self.skip_name("a class name")?;
        Ok(self.index("the number of fields")? > 0)
    }

    /// Reads the next field name of a definition.
    pub(crate) fn field_name(&mut self, named: bool) -> Result<Cow<'de, str>> {
        if named { self.name() } else { Ok(Cow::Borrowed(NAMELESS)) }
    }

    /// Index into the class table behind an object's first byte; none if it begins no object.
    #[inline]
    pub(crate) fn class_index(&mut self, tag: u8) -> Result<Option<u32>> {
        let index = match tag {
            0x60..=0x6f => i64::from(tag - 0x60),
            tag::OBJECT => self.index("a class index")?,
            _ => return Ok(None),
        };
        let count = self.state.classes.len();
        match u32::try_from(index) {
            Ok(index) if (index as usize) < count => Ok(Some(index)),
            _ => Err(self.error(ErrorKind::Index { table: "class", index, count })),
        }
    }

    /// As [`class_index`](Self::class_index), with the class. The values of the object are counted.
    #[inline]
    pub(crate) fn class_head(&mut self, tag: u8) -> Result<Option<(u32, ClassAt)>> {
        let Some(class) = self.class_index(tag)? else { return Ok(None) };
        let class_at = self.class_at(class)?;
        self.count_nodes(class_at.fields as usize)?;
        Ok(Some((class, class_at)))
    }

    #[inline]
    pub(crate) fn class_at(&self, class: u32) -> Result<ClassAt> {
        let count = self.state.classes.len();
        let kind = ErrorKind::Index { table: "class", index: i64::from(class), count };
        self.state.classes.get(class as usize).copied().ok_or_else(|| self.error(kind))
    }

    /// Runs `read` on the definition of a class, at its name, and comes back.
    pub(crate) fn in_definition<T>(
        &mut self,
        class: u32,
        read: impl FnOnce(&mut Self, ClassAt) -> Result<T>,
    ) -> Result<T> {
        let class = self.class_at(class)?;
        let pos = std::mem::replace(&mut self.pos, class.name as usize);
        let result = read(self, class);
        self.pos = pos;
        result
    }

    /// The type name at an offset that [`type_name`](Self::type_name) gave.
    pub(crate) fn type_name_at(&mut self, at: u32) -> Result<Cow<'de, str>> {
        let pos = std::mem::replace(&mut self.pos, at as usize);
        let name = self.name();
        self.pos = pos;
        name
    }

    /// Name of a class of this body.
    pub(crate) fn class_name(&mut self, class: u32) -> Result<Cow<'de, str>> {
        self.in_definition(class, |d, _| d.name())
    }

    /// Goes over a name. Half a surrogate pair is an error here already, so that skipping and reading agree.
    fn skip_name(&mut self, expected: &'static str) -> Result<()> {
        let start = self.pos;
        let tag = self.byte()?;
        self.skip_text(tag, expected)?;
        let name = self.buf.get(start..self.pos).unwrap_or_default();
        if !name.is_ascii() && surrogate_in(name).is_some() {
            self.pos = start;
            self.name()?;
        }
        Ok(())
    }

    /// Takes `count` names with what announces them, if all are in their usual form: short and ASCII. The byte before each
    /// is its length.
    pub(crate) fn take_short_names(&mut self, count: u32) -> Option<&'de str> {
        let rest = self.rest();
        let mut end = 0;
        for _ in 0..count {
            end += 1 + usize::from(*rest.get(end)?);
        }
        // A byte that announces anything else is either no ASCII or not below the lengths of short names.
        let names = rest.get(..end).filter(|names| names.is_ascii())?;
        let names =
            str::from_utf8(names).ok().filter(|names| short_names(names).count() == count as usize)?;
        self.pos += end;
        Some(names)
    }

    /// Takes this very name if it is next, in its usual form: short and ASCII.
    pub(super) fn take_name(&mut self, name: &str) -> bool {
        let is_next = name.len() <= 0x1f
            && name.is_ascii()
            && self.buf.get(self.pos) == Some(&(name.len() as u8))
            && self.rest().get(1..=name.len()) == Some(name.as_bytes());
        if is_next {
            self.pos += 1 + name.len();
        }
        is_next
    }

    /// Reads a name: of a class, a field, a type.
    pub(crate) fn name(&mut self) -> Result<Cow<'de, str>> {
        if let Some(name) = self.short_str() {
            return Ok(Cow::Borrowed(name));
        }
        let start = self.pos;
        match self.text("a name")? {
            Text::Borrowed(name) => Ok(Cow::Borrowed(name)),
            Text::Owned(name) => Ok(Cow::Owned(name)),
            Text::Odd(_) => Err(Error::at(ErrorKind::LoneSurrogate, start)),
        }
    }

    /// Reads the type of a list or map. Gives the offset of its name. The empty name means no type.
    pub(crate) fn type_name(&mut self) -> Result<u32> {
        Ok(match self.buf.get(self.pos) {
            Some(0..=0x1f | 0x30..=0x33 | &(tag::STRING | tag::STRING_CHUNK)) => {
                let at = self.offset(self.pos)?;
                self.skip_name("a type name")?;
                if self.state.replays == 0 {
                    if self.state.types.len() == self.state.types.capacity() {
                        let more = self.growth::<u32>(self.state.types.len())?;
                        self.state.types.reserve_exact(more);
                    }
                    self.state.types.push(at);
                }
                at
            }
            _ => {
                let index = self.index("a type name or its index")?;
                let types = &self.state.types;
                let known = usize::try_from(index).ok().and_then(|index| types.get(index));
                match known {
                    Some(&at) => at,
                    None => {
                        let count = types.len();
                        return Err(self.error(ErrorKind::Index { table: "type", index, count }));
                    }
                }
            }
        })
    }

    /// Class of the next value if it is an object or a reference to one; it stays unread.
    ///
    /// # Errors
    ///
    /// When the bytes are malformed.
    pub fn peek_class(&mut self) -> Result<Option<Cow<'de, str>>> {
        let mark = self.mark();
        let name = self.next_class();
        self.rewind(mark);
        name
    }

    fn next_class(&mut self) -> Result<Option<Cow<'de, str>>> {
        let mut tag = self.tag()?;
        if tag == tag::REFERENCE {
            let slot = self.reference_index()?;
            self.pos = self.state.slots.get(slot as usize).map_or(self.pos, |slot| slot.start as usize);
            tag = self.byte()?;
        }
        match self.class_index(tag)? {
            Some(class) => self.class_name(class).map(Some),
            None => Ok(None),
        }
    }
}

/// Start and length of each of the names that [`take_short_names`](Decoder::take_short_names) gives.
pub(crate) fn short_names(names: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let len = usize::from(*names.as_bytes().get(at).filter(|len| **len <= 0x1f)?);
        let start = at + 1;
        at = start + len;
        Some((start, len))
    })
}
