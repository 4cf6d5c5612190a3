//! Owns the encoder's face: one method for each kind of value. How numbers, text and binaries become bytes lies in
//! the sibling modules.

use super::tables::ClassIndex;
use super::{Encode, EncodeState};
use crate::class::Class;
use crate::compact;
use crate::error::{Error, ErrorKind, Result};
use crate::kind::tag;
use crate::shared::Written;
use crate::sink::Sink;

/// Writes values one after the other, byte for byte as hessian-lite 4 does, or 3 if the state's [`Dialect`](super::Dialect) says so.
///
/// Several encoders may continue one body with the same state. After an error the body is incomplete: truncate the
/// buffer to where the body began.
#[derive(Debug)]
pub struct Encoder<'a, S: Sink = Vec<u8>> {
    pub(super) out: &'a mut S,
    pub(super) state: &'a mut EncodeState,
}

/// Java flushes its buffer when no more than this is free and it is about to write a number or text; a bool or
/// reference; and a date or container.
pub(super) const NUMBER_MARGIN: usize = 16;
pub(super) const FLAG_MARGIN: usize = 15;
pub(super) const CONTAINER_MARGIN: usize = 31;

impl<'a, S: Sink> Encoder<'a, S> {
    /// Continues the body that `state` has begun at some place of `out`.
    pub fn new(out: &'a mut S, state: &'a mut EncodeState) -> Self {
        Self { out, state }
    }

    /// Writes a value.
    ///
    /// # Errors
    ///
    /// Those of the value's [`Encode`].
    #[inline]
    pub fn write<T: Encode + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.encode_to(self)
    }

    /// Writes `null`.
    #[inline]
    pub fn null(&mut self) {
        self.flush_at(NUMBER_MARGIN);
        self.out.put(&[tag::NULL]);
    }

    /// Writes a boolean.
    #[inline]
    pub fn bool(&mut self, value: bool) {
        self.flush_at(FLAG_MARGIN);
        self.out.put(&[if value { tag::TRUE } else { tag::FALSE }]);
    }

    /// Begins a list of `len` items without a type name, which Java reads as `ArrayList` or as what the method
    /// declares. Write `len` values, then [`end_list`](Self::end_list).
    ///
    /// # Errors
    ///
    /// When it lies too deep, or `len` is above `i32::MAX`.
    #[inline]
    pub fn list(&mut self, len: usize) -> Result<()> {
        if self.state.dialect().names_all_lists() {
            return self.array_list(len);
        }
        let count = self.open(len)?;
        match len {
            0..=7 => self.out.put(&[0x78 + len as u8]),
            _ => {
                self.out.put(&[tag::LIST_FIXED_UNTYPED]);
                self.i32(count);
            }
        }
        Ok(())
    }

    /// As [`list`](Self::list), with Java's name of the type: a class, or `[int`, `[string`, `[com.example.User` for
    /// arrays.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list), and when the type name is empty.
    pub fn list_of(&mut self, type_name: &str, len: usize) -> Result<()> {
        let count = self.open(len)?;
        match len {
            0..=7 => {
                self.out.put(&[0x70 + len as u8]);
                self.type_name(type_name)
            }
            _ => {
                self.out.put(&[tag::LIST_FIXED]);
                self.type_name(type_name)?;
                self.i32(count);
                Ok(())
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn array_list(&mut self, len: usize) -> Result<()> {
        self.list_of("java.util.ArrayList", len)
    }

    /// Ends a list. Writes no byte, but keeps count of the depth.
    #[inline]
    pub fn end_list(&mut self) {
        self.close();
    }

    /// Begins a list of unknown length. Write values, then [`end_variable_list`](Self::end_variable_list).
    /// hessian-lite reads such lists only as a few types: prefer [`list`](Self::list).
    ///
    /// # Errors
    ///
    /// When it lies too deep, or the type name is empty.
    pub fn variable_list(&mut self, type_name: Option<&str>) -> Result<()> {
        self.open(0)?;
        match type_name {
            None => self.out.put(&[tag::LIST_VARIABLE_UNTYPED]),
            Some(name) => {
                self.out.put(&[tag::LIST_VARIABLE]);
                self.type_name(name)?;
            }
        }
        Ok(())
    }

    /// Ends a list of unknown length.
    pub fn end_variable_list(&mut self) {
        self.end_mark();
    }

    /// Begins a map, with Java's class name or, for `HashMap`, without. Write keys and values in turn, then
    /// [`end_map`](Self::end_map).
    ///
    /// # Errors
    ///
    /// When it lies too deep, or the type name is empty.
    pub fn map(&mut self, type_name: Option<&str>) -> Result<()> {
        self.open(0)?;
        match type_name {
            None => self.out.put(&[tag::MAP_UNTYPED]),
            Some(name) => {
                self.out.put(&[tag::MAP]);
                self.type_name(name)?;
            }
        }
        Ok(())
    }

    /// Ends a map.
    #[inline]
    pub fn end_map(&mut self) {
        self.end_mark();
    }

    /// Begins an object; its class is defined first if this body has not seen it. Write one value for each field in
    /// the order of [`Class::fields`], then [`end_object`](Self::end_object).
    ///
    /// # Errors
    ///
    /// When it lies too deep.
    #[inline]
    pub fn object(&mut self, class: &'static Class) -> Result<()> {
        self.open(0)?;
        let index = match self.state.classes.index_of(class) {
            ClassIndex::Known(index) => index,
            ClassIndex::New(index) => {
                let filled = self.filled();
                if class.definition.is_empty()
                    || filled + class.definition.len() + CONTAINER_MARGIN >= self.state.buffer()
                {
                    self.definition(class.name, class.fields);
                } else {
                    self.out.put(class.definition);
                }
                index
            }
        };
        self.object_tag(index);
        Ok(())
    }

    /// As [`object`](Self::object), for a class that no static describes. Gives the number of the class.
    pub(crate) fn object_by_name(&mut self, name: &str, fields: &[&str]) -> Result<u32> {
        self.open(0)?;
        let index = match self.state.classes.index_by_name(name, fields) {
            ClassIndex::Known(index) => index,
            ClassIndex::New(index) => {
                self.definition(name, fields);
                index
            }
        };
        self.object_tag(index);
        Ok(index)
    }

    /// As [`object`](Self::object), for a class of which this body has an object.
    pub(crate) fn object_again(&mut self, class: u32) -> Result<()> {
        self.open(0)?;
        self.object_tag(class);
        Ok(())
    }

    /// Ends an object. Writes no byte, but keeps count of the depth.
    #[inline]
    pub fn end_object(&mut self) {
        self.close();
    }

    /// Number that the next list, map or object of this body gets: what [`reference`](Self::reference) takes.
    #[inline]
    pub fn next_slot(&self) -> u32 {
        self.state.slots
    }

    /// Writes a reference to a list, map or object of this body.
    pub fn reference(&mut self, slot: u32) {
        self.flush_at(FLAG_MARGIN);
        self.out.put(&[tag::REFERENCE]);
        self.i32(slot as i32);
    }

    pub(crate) fn shared(&mut self) -> &mut Written {
        &mut self.state.shared
    }

    /// Writes a class definition string by string.
    pub(super) fn definition(&mut self, name: &str, fields: &[&str]) {
        let fields = compact::named(name, fields);
        self.flush_at(CONTAINER_MARGIN);
        self.out.put(&[tag::DEFINITION]);
        self.str(name);
        self.i32(fields.len() as i32);
        for field in fields {
            self.str(field);
        }
    }

    #[inline]
    pub(super) fn object_tag(&mut self, index: u32) {
        self.flush_at(CONTAINER_MARGIN);
        match index {
            0..=15 => self.out.put(&[0x60 + index as u8]),
            _ => {
                self.out.put(&[tag::OBJECT]);
                self.i32(index as i32);
            }
        }
    }

    fn type_name(&mut self, name: &str) -> Result<()> {
        if name.is_empty() {
            return Err(Error::custom(
                "an empty type name: Java refuses to read and write it; leave the type out",
            ));
        }
        self.flush_at(CONTAINER_MARGIN);
        match self.state.types.index_of(name) {
            Some(index) => self.i32(index as i32),
            None => self.str(name),
        }
        Ok(())
    }

    /// Takes a slot and a level. Gives the length as the wire has it.
    #[inline]
    pub(super) fn open(&mut self, len: usize) -> Result<i32> {
        let Ok(len) = i32::try_from(len) else {
            return Err(Error::new(ErrorKind::Limit { what: "items in a list", limit: i32::MAX as u64 }));
        };
        self.flush_at(CONTAINER_MARGIN);
        if self.state.depth >= self.state.max_depth() {
            let limit = u64::from(self.state.max_depth());
            return Err(Error::new(ErrorKind::Limit { what: "levels of containers", limit }));
        }
        self.state.depth += 1;
        self.state.slots = self.state.slots.wrapping_add(1);
        Ok(len)
    }

    #[inline]
    pub(super) fn close(&mut self) {
        self.state.depth = self.state.depth.saturating_sub(1);
    }

    fn end_mark(&mut self) {
        self.flush_at(CONTAINER_MARGIN);
        self.out.put(&[tag::END]);
        self.close();
    }

    /// Remembers where Java's buffer would be flushed; nothing is written.
    #[inline]
    pub(super) fn flush_at(&mut self, margin: usize) {
        let size = self.out.size();
        if size + margin >= self.state.full {
            self.state.flushed_at(size);
        }
    }

    /// Bytes in Java's buffer.
    #[inline]
    pub(super) fn filled(&self) -> usize {
        (self.out.size() + self.state.buffer()).saturating_sub(self.state.full)
    }
}
