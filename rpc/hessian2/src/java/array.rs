//! Owns `Array`, and how the names of Java's arrays are made of the names of their items, in the compiler.

use std::ops::Deref;

use super::JavaType;
use crate::decode::{Decode, Decoder};
use crate::encode::{Encode, Encoder};
use crate::error::Result;
use crate::sink::Sink;

/// A Java array: `Array<i32>` is `int[]`, `Array<Option<i32>>` is `Integer[]`, `Array<Array<String>>` is
/// `String[][]`.
///
/// Written as a list of the array's type, and `Array<u8>` as the binary that `byte[]` is; read from lists of any type.
/// A method that takes arrays needs it for its descriptor. `char[]` is a string in Hessian: take a [`String`].
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Array<T>(
    /// The items.
    pub Vec<T>,
);

/// Longest name of an array, in bytes.
const MAX: usize = 1_024;

/// A name that is made while the program is compiled.
struct Name {
    bytes: [u8; MAX],
    len: usize,
}

impl Name {
    const EMPTY: Self = Self { bytes: [0; MAX], len: 0 };

    const fn push(mut self, text: &[u8]) -> Self {
        let mut at = 0;
        while at < text.len() {
            assert!(self.len < MAX, "the name of the Java class is too long");
            self.bytes[self.len] = text[at];
            self.len += 1;
            at += 1;
        }
        self
    }

    const fn as_str(&self) -> &str {
        match str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => panic!("the name is made of whole names"),
        }
    }
}

/// The descriptor of an array of `item`.
const fn descriptor(item: &str) -> Name {
    assert!(!item.is_empty() && item.as_bytes()[0] != b'V', "there is no array of nothing");
    Name::EMPTY.push(b"[").push(item.as_bytes())
}

/// Hessian's name of the type with a descriptor: `[I` is `[int`, and `Lcom/example/User;` is `com.example.User`.
const fn type_name(descriptor: &str) -> Name {
    let mut name = Name::EMPTY;
    let bytes = descriptor.as_bytes();
    let mut at = 0;
    while bytes[at] == b'[' {
        name = name.push(b"[");
        at += 1;
    }
    let (_, item) = bytes.split_at(at);
    match item {
        b"Z" => name.push(b"boolean"),
        b"B" => name.push(b"byte"),
        b"S" => name.push(b"short"),
        b"I" => name.push(b"int"),
        b"J" => name.push(b"long"),
        b"F" => name.push(b"float"),
        b"D" => name.push(b"double"),
        b"C" => panic!("a char[] of Java is a string: use String"),
        b"Ljava/lang/String;" => name.push(b"string"),
        b"Ljava/lang/Object;" => name.push(b"object"),
        b"Ljava/util/Date;" => name.push(b"date"),
        [b'L', class @ .., b';'] => {
            let mut at = 0;
            while at < class.len() {
                name = name.push(&[if class[at] == b'/' { b'.' } else { class[at] }]);
                at += 1;
            }
            name
        }
        _ => panic!("a descriptor is a letter, or a class between L and ;"),
    }
}

impl<T: JavaType> Array<T> {
    const DESCRIPTOR_NAME: &'static Name = &descriptor(T::DESCRIPTOR);
    const TYPE_NAME: &'static Name = &type_name(<Self as JavaType>::DESCRIPTOR);
    const IS_BINARY: bool = matches!(T::DESCRIPTOR.as_bytes(), b"B");
}

impl<T: JavaType> JavaType for Array<T> {
    const DESCRIPTOR: &'static str = Self::DESCRIPTOR_NAME.as_str();
}

impl<T: Encode + JavaType> Encode for Array<T> {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        if Self::IS_BINARY {
            return T::encode_slice(&self.0, e);
        }
        e.list_of(Self::TYPE_NAME.as_str(), self.0.len())?;
        for (index, item) in self.0.iter().enumerate() {
            item.encode_to(e).map_err(|error| error.in_item(index))?;
        }
        e.end_list();
        Ok(())
    }
}

impl<'de, T: Decode<'de>> Decode<'de> for Array<T> {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        T::decode_vec(d).map(Self)
    }

    fn absent(_: &'static str) -> Result<Self> {
        Ok(Self(Vec::new()))
    }
}

impl<T> Deref for Array<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> From<Vec<T>> for Array<T> {
    fn from(items: Vec<T>) -> Self {
        Self(items)
    }
}

impl<T> FromIterator<T> for Array<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    #[test]
    fn names_are_those_of_java() {
        fn names<T: JavaType>() -> (&'static str, &'static str) {
            (Array::<T>::DESCRIPTOR, Array::<T>::TYPE_NAME.as_str())
        }
        assert_eq!(names::<i32>(), ("[I", "[int"));
        assert_eq!(names::<Option<i64>>(), ("[Ljava/lang/Long;", "[java.lang.Long"));
        assert_eq!(names::<String>(), ("[Ljava/lang/String;", "[string"));
        assert_eq!(names::<&str>(), ("[Ljava/lang/String;", "[string"));
        assert_eq!(names::<Value>(), ("[Ljava/lang/Object;", "[object"));
        assert_eq!(names::<crate::Date>(), ("[Ljava/util/Date;", "[date"));
        assert_eq!(names::<Array<Array<i16>>>(), ("[[[S", "[[[short"));
        assert_eq!(names::<Vec<u8>>(), ("[[B", "[[byte"));
        assert_eq!(names::<Vec<i32>>(), ("[Ljava/util/List;", "[java.util.List"));
        assert_eq!(names::<crate::java::time::Year>(), ("[Ljava/time/Year;", "[java.time.Year"));
    }
}
