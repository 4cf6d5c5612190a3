//! Owns objects whose class comes to be known while they are written: a serde type tells its name first, and each
//! field's name with its value. Learned classes are kept from body to body, so that only the first object of a class
//! costs more than a comparison of addresses for each field.
//!
//! ```text
//!           one class of this name and count           end, all fields came
//! begin ---> guess: definition and tag are written ----------------------------> done
//!   |            | another field came
//!   | none, or   v
//!   | several   collect names; fields are written                end: the head goes before the fields
//!   +---------> (none: the next class number is reserved) ----------------------> learned
//! ```
//!
//! A class has its number before those that its fields define, as the reader counts them. Where the number could not
//! be reserved in time, the definitions of the fields' classes are repeated in front, so that their numbers stay
//! right.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

use super::EncodeState;
use super::Encoder;
use super::encoder::CONTAINER_MARGIN;
use super::tables::definition_bytes;
use crate::error::{Error, ErrorKind, Result};
use crate::kind::tag;
use crate::sink::Sink;

/// Bytes of learned definitions that are kept from body to body.
const KEPT: usize = 64 << 10;

/// Classes that were learned, and how to find them.
#[derive(Debug, Default)]
pub(super) struct Learned {
    classes: Vec<LearnedClass>,
    guesses: HashMap<Key, Guess, BuildHasherDefault<AddressHasher>>,
    used: usize,
    /// Number of the body, which tells whether a class was used in this one.
    body: u64,
}

#[derive(Debug)]
struct LearnedClass {
    name: &'static str,
    fields: Vec<&'static str>,
    definition: Vec<u8>,
    /// Body that used it last, and its number there.
    used: (u64, u32),
}

/// What is known when an object begins. A name that lies at the same place with the same length is the same name,
/// since statics never move or change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    name: usize,
    len: usize,
    fields: usize,
}

#[derive(Debug, Clone, Copy)]
enum Guess {
    Class(u32),
    Several,
}

/// An object that is being written.
#[derive(Debug)]
pub(crate) struct LearnedObject {
    name: &'static str,
    key: Key,
    /// Where the tag is, or will be put.
    tag: Range<usize>,
    /// Classes that lie before the tag.
    before: u32,
    /// Number of the class if it could be reserved.
    reserved: Option<u32>,
    /// The class that was guessed, and how many of its fields came.
    guess: Option<(u32, usize)>,
    /// Names of the fields so far, if there is no guess.
    names: Vec<&'static str>,
}

impl Key {
    fn new(name: &'static str, fields: usize) -> Self {
        Self { name: name.as_ptr().addr(), len: name.len(), fields }
    }
}

impl Learned {
    /// Begins a body.
    pub(super) fn begin(&mut self) {
        self.body = self.body.wrapping_add(1);
        if self.used > KEPT {
            *self = Self { body: self.body, ..Self::default() };
        }
    }

    #[inline]
    fn is_field(&self, class: u32, nth: usize, name: &'static str) -> bool {
        let known = self.classes.get(class as usize).and_then(|class| class.fields.get(nth));
        known.is_some_and(|known| std::ptr::eq(*known, name) || *known == name)
    }

    fn fields(&self, class: u32) -> &[&'static str] {
        self.classes.get(class as usize).map(|class| class.fields.as_slice()).unwrap_or_default()
    }

    /// The class with these fields, which is remembered as the guess for its key.
    fn learn(&mut self, name: &'static str, key: Key, fields: &[&'static str]) -> u32 {
        let same = |class: &LearnedClass| class.name == name && class.fields == fields;
        let class = self.classes.iter().position(same).unwrap_or_else(|| {
            let mut definition = Vec::new();
            definition_bytes(name, fields, &mut definition);
            self.used += definition.len() + size_of::<LearnedClass>() + size_of_val(fields);
            self.classes.push(LearnedClass { name, fields: fields.to_vec(), definition, used: (0, 0) });
            self.classes.len() - 1
        }) as u32;
        let guess = self.guesses.entry(key).or_insert(Guess::Class(class));
        if !matches!(*guess, Guess::Class(known) if known == class) {
            *guess = Guess::Several;
        }
        class
    }
}

/// The bytes of a list's length, which short lists have in their tag.
fn length(len: usize) -> Result<Vec<u8>> {
    let Ok(count) = i32::try_from(len) else {
        return Err(Error::new(ErrorKind::Limit { what: "items in a list", limit: i32::MAX as u64 }));
    };
    let (mut bytes, mut state) = (Vec::new(), EncodeState::new());
    if len > 7 {
        Encoder::new(&mut bytes, &mut state).i32(count);
    }
    Ok(bytes)
}

/// Mixes addresses of this program's statics, which no peer chooses.
#[derive(Debug, Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_usize(usize::from(byte));
        }
    }

    fn write_usize(&mut self, number: usize) {
        self.0 = (self.0.rotate_left(5) ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl EncodeState {
    /// Number that a learned class has in this body.
    #[inline]
    fn learned_index(&mut self, class: u32) -> Option<u32> {
        let class = self.learned.classes.get_mut(class as usize)?;
        if class.used.0 != self.learned.body {
            class.used = (self.learned.body, self.classes.index_by_definition(&class.definition)?);
        }
        Some(class.used.1)
    }

    fn definition_of(&self, class: u32) -> &[u8] {
        self.learned.classes.get(class as usize).map(|class| class.definition.as_slice()).unwrap_or_default()
    }

    /// What goes before the fields of an object whose names were collected.
    fn head(&mut self, class: u32, before: u32, reserved: Option<u32>) -> Vec<u8> {
        let fields = before..self.classes.len();
        let definition = self.definition_of(class).to_vec();
        let (index, mut head) = match (reserved, self.learned_index(class)) {
            (Some(index), _) => {
                self.classes.fill(index, &definition);
                (index, definition)
            }
            (None, Some(index)) if index < before => (index, Vec::new()),
            (None, Some(index)) => (index, self.classes.repeat(fields)),
            (None, None) => {
                let index = self.classes.push(&definition);
                (index, [self.classes.repeat(fields), definition].concat())
            }
        };
        self.use_class(class, index);
        let mut state = Self::new();
        state.begin(&head);
        Encoder::new(&mut head, &mut state).object_tag(index);
        head
    }

    fn use_class(&mut self, class: u32, index: u32) {
        if let Some(class) = self.learned.classes.get_mut(class as usize) {
            class.used = (self.learned.body, index);
        }
    }
}

impl<S: Sink> Encoder<'_, S> {
    /// Begins an object of a class that is named, with fields that are not known yet. Then call
    /// [`next_field`](Self::next_field) before each value, and [`end_fields`](Self::end_fields).
    #[inline]
    pub(crate) fn begin_fields(&mut self, name: &'static str, fields: usize) -> Result<LearnedObject> {
        self.open(0)?;
        let key = Key::new(name, fields);
        let known = self.state.learned.guesses.get(&key).copied();
        let mut object =
            LearnedObject { name, key, tag: 0..0, before: 0, reserved: None, guess: None, names: Vec::new() };
        if let Some(Guess::Class(class)) = known {
            let index = self.define_learned(class);
            object.guess = Some((class, 0));
            object.tag.start = self.out.size();
            self.object_tag(index);
        } else {
            object.tag.start = self.out.size();
        }
        object.tag.end = self.out.size();
        object.before = self.state.classes.len();
        if known.is_none() {
            object.reserved = Some(self.state.classes.push(&[]));
        }
        Ok(object)
    }

    /// Tells the name of the field that is written next.
    #[inline]
    pub(crate) fn next_field(&mut self, object: &mut LearnedObject, name: &'static str) {
        if let Some((class, next)) = &mut object.guess
            && self.state.learned.is_field(*class, *next, name)
        {
            *next += 1;
            return;
        }
        self.drop_guess(object);
        object.names.push(name);
    }

    #[cold]
    fn drop_guess(&self, object: &mut LearnedObject) {
        if let Some((class, next)) = object.guess.take() {
            object.names.extend(self.state.learned.fields(class).iter().take(next));
        }
    }

    /// Ends an object.
    #[inline]
    pub(crate) fn end_fields(&mut self, object: LearnedObject) {
        match object.guess {
            Some((class, next)) if next == self.state.learned.fields(class).len() => {}
            _ => self.put_head(object),
        }
        self.close();
    }

    #[cold]
    fn put_head(&mut self, mut object: LearnedObject) {
        self.drop_guess(&mut object);
        let class = self.state.learned.learn(object.name, object.key, &object.names);
        let head = self.state.head(class, object.before, object.reserved);
        self.put_before(object.tag, &head);
    }

    /// Puts what begins a value before what was written of it.
    ///
    /// Where Java's buffer was flushed within it stays as it was: a binary may then be cut elsewhere than in Java,
    /// which every reader takes.
    fn put_before(&mut self, place: Range<usize>, head: &[u8]) {
        self.out.replace(place, head);
    }

    /// Bytes in the buffer.
    #[inline]
    pub(crate) fn size(&self) -> usize {
        self.out.size()
    }

    /// Mends the head of a list, which was begun for `announced` items. The type name stays, since it may have taken
    /// its number.
    #[cold]
    pub(crate) fn list_again(&mut self, head: Range<usize>, announced: usize, len: usize) -> Result<()> {
        let (announced, count) = (length(announced)?, length(len)?);
        let typed = self.state.dialect().names_all_lists();
        let tag = match (typed, len) {
            (true, 0..=7) => 0x70 + len as u8,
            (true, _) => tag::LIST_FIXED,
            (false, 0..=7) => 0x78 + len as u8,
            (false, _) => tag::LIST_FIXED_UNTYPED,
        };
        self.out.replace(head.end.saturating_sub(announced.len())..head.end, &count);
        self.out.replace(head.start..head.start + 1, &[tag]);
        Ok(())
    }

    /// Writes the constant of an enum.
    pub(crate) fn constant(&mut self, class: &'static str, constant: &'static str) -> Result<()> {
        self.open(0)?;
        let key = Key::new(class, usize::MAX);
        let class = match self.state.learned.guesses.get(&key) {
            Some(&Guess::Class(class)) => class,
            _ => self.state.learned.learn(class, key, &["name"]),
        };
        let index = self.define_learned(class);
        self.object_tag(index);
        self.str(constant);
        self.close();
        Ok(())
    }

    /// Number of a learned class, which is defined first if this body has not seen it.
    #[inline]
    fn define_learned(&mut self, class: u32) -> u32 {
        match self.state.learned_index(class) {
            Some(index) => index,
            None => self.define_new(class),
        }
    }

    fn define_new(&mut self, class: u32) -> u32 {
        let (filled, buffer) = (self.filled(), self.state.buffer());
        let Some(learned) = self.state.learned.classes.get_mut(class as usize) else { return 0 };
        let index = self.state.classes.push(&learned.definition);
        learned.used = (self.state.learned.body, index);
        if filled + learned.definition.len() + CONTAINER_MARGIN < buffer {
            self.out.put(&learned.definition);
        } else {
            let (name, fields) = (learned.name, learned.fields.clone());
            self.definition(name, &fields);
        }
        index
    }
}
