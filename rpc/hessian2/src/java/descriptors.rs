//! Owns how Java names types: the descriptors by which Dubbo finds a method. It reads and writes nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::Date;

/// The Java type that a Rust type stands for.
///
/// Dubbo's Java side looks a method up by the exact text of its parameters' descriptors, so the declared type
/// decides and never the value: `i32` is `int`, `Option<i32>` is `Integer`.
pub trait JavaType {
    /// The type's descriptor, such as `I` or `Ljava/lang/String;`.
    const DESCRIPTOR: &'static str;
    /// What `Option<Self>` stands for: the boxed type of a primitive, else the type itself.
    const BOXED: &'static str = Self::DESCRIPTOR;
    /// What `Vec<Self>` stands for: `java.util.List`, except for bytes.
    const SLICE: &'static str = "Ljava/util/List;";
}

macro_rules! primitive {
    ($($ty:ty: $descriptor:literal $boxed:literal;)*) => {$(
        impl JavaType for $ty {
            const DESCRIPTOR: &'static str = $descriptor;
            const BOXED: &'static str = $boxed;
        }
    )*};
}

primitive! {
    bool: "Z" "Ljava/lang/Boolean;";
    i16: "S" "Ljava/lang/Short;";
    u16: "I" "Ljava/lang/Integer;";
    i32: "I" "Ljava/lang/Integer;";
    u32: "J" "Ljava/lang/Long;";
    i64: "J" "Ljava/lang/Long;";
    u64: "J" "Ljava/lang/Long;";
    f32: "F" "Ljava/lang/Float;";
    f64: "D" "Ljava/lang/Double;";
    char: "C" "Ljava/lang/Character;";
}

macro_rules! byte {
    ($($ty:ty)*) => {$(
        impl JavaType for $ty {
            const DESCRIPTOR: &'static str = "B";
            const BOXED: &'static str = "Ljava/lang/Byte;";
            const SLICE: &'static str = "[B";
        }
    )*};
}

byte!(i8 u8);

macro_rules! class {
    ($($descriptor:literal: $($ty:ty)*;)*) => {$($(
        impl JavaType for $ty {
            const DESCRIPTOR: &'static str = $descriptor;
        }
    )*)*};
}

class! {
    "Ljava/lang/String;": str String;
    "Ljava/util/Date;": Date;
    "[B": Bytes BytesMut;
    "V": ();
}

impl<T: JavaType> JavaType for [T] {
    const DESCRIPTOR: &'static str = T::SLICE;
}

impl<T: JavaType, const N: usize> JavaType for [T; N] {
    const DESCRIPTOR: &'static str = T::SLICE;
}

impl<T: JavaType> JavaType for Vec<T> {
    const DESCRIPTOR: &'static str = T::SLICE;
}

impl<T> JavaType for VecDeque<T> {
    const DESCRIPTOR: &'static str = "Ljava/util/List;";
}

impl<T: JavaType> JavaType for Option<T> {
    const DESCRIPTOR: &'static str = T::BOXED;
}

impl<T, H> JavaType for HashSet<T, H> {
    const DESCRIPTOR: &'static str = "Ljava/util/Set;";
}

impl<T> JavaType for BTreeSet<T> {
    const DESCRIPTOR: &'static str = "Ljava/util/Set;";
}

impl<K, V, H> JavaType for HashMap<K, V, H> {
    const DESCRIPTOR: &'static str = "Ljava/util/Map;";
}

impl<K, V> JavaType for BTreeMap<K, V> {
    const DESCRIPTOR: &'static str = "Ljava/util/Map;";
}

macro_rules! tuples {
    ($(($($item:ident)*))*) => {$(
        impl<$($item),*> JavaType for ($($item,)*) {
            const DESCRIPTOR: &'static str = "Ljava/util/List;";
        }
    )*};
}

tuples!((A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H));

macro_rules! transparent {
    ($($ty:ty)*) => {$(
        impl<T: JavaType + ?Sized> JavaType for $ty {
            const DESCRIPTOR: &'static str = T::DESCRIPTOR;
            const BOXED: &'static str = T::BOXED;
            const SLICE: &'static str = T::SLICE;
        }
    )*};
}

transparent!(&T &mut T Box<T> Rc<T> Arc<T>);

impl<T: JavaType + ToOwned + ?Sized> JavaType for Cow<'_, T> {
    const DESCRIPTOR: &'static str = T::DESCRIPTOR;
    const BOXED: &'static str = T::BOXED;
    const SLICE: &'static str = T::SLICE;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_decide_the_descriptor() {
        assert_eq!(<Option<i32>>::DESCRIPTOR, "Ljava/lang/Integer;");
        assert_eq!(<Option<Option<i64>>>::DESCRIPTOR, "Ljava/lang/Long;");
        assert_eq!(<Vec<u8>>::DESCRIPTOR, "[B");
        assert_eq!(<Option<Vec<u8>>>::DESCRIPTOR, "[B");
        assert_eq!(<Vec<Vec<u8>>>::DESCRIPTOR, "Ljava/util/List;");
        assert_eq!(<&str>::DESCRIPTOR, "Ljava/lang/String;");
        assert_eq!(<Cow<'_, str>>::DESCRIPTOR, "Ljava/lang/String;");
        assert_eq!(<Box<i32>>::DESCRIPTOR, "I");
        assert_eq!(<HashMap<String, i32>>::DESCRIPTOR, "Ljava/util/Map;");
        assert_eq!(<()>::DESCRIPTOR, "V");
    }
}
