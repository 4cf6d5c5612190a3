//! Java's own types: what Java and Go wrote is read, and what is written has Java's bytes.

mod convert;
mod hostile;
mod time;
mod types;

use std::fmt::Debug;

use getty_hessian2::{Decode, Encode, Value, from_slice, to_vec};

use crate::malformed::unhex;
use crate::tree::{read, rows};

/// The bytes of a row of Java's vectors.
fn java(name: &str) -> Vec<u8> {
    bytes("hessian2_java_vectors", name)
}

/// The bytes of a row.
fn bytes(file: &str, name: &str) -> Vec<u8> {
    let text = read(file);
    let row = rows(&text).into_iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no row {name}"));
    unhex(row.hex.as_deref().unwrap())
}

/// Java's bytes are read as `value`, and `value` is written as Java's bytes.
#[track_caller]
fn both_ways<T: for<'de> Decode<'de> + Encode + PartialEq + Debug>(name: &str, value: &T) {
    let bytes = java(name);
    assert_eq!(from_slice::<T>(&bytes).unwrap(), *value, "{name}");
    assert_eq!(to_vec(value).unwrap(), bytes, "{name}");
    assert_eq!(Value::parse(&bytes).unwrap(), Value::parse(&to_vec(value).unwrap()).unwrap(), "{name}");
}

/// The bytes are read as `value`, which comes back from the bytes that it is written as.
#[track_caller]
fn reads<T: for<'de> Decode<'de> + Encode + PartialEq + Debug>(bytes: &[u8], value: &T) {
    assert_eq!(from_slice::<T>(bytes).unwrap(), *value);
    assert_eq!(from_slice::<T>(&to_vec(value).unwrap()).unwrap(), *value);
}
