//! Java's own types where Rust has none, and the names by which Java knows types.
//!
//! Each is written as hessian-lite 4 writes it and read in every form that hessian-lite gives it. Numbers and text
//! that Java refuses are errors, never panics. Conversions to the types of `jiff`, `chrono`, `bigdecimal`,
//! `num-bigint` and `uuid` are features of these names.
//!
//! | here | Java |
//! |---|---|
//! | [`time`] | `java.time` |
//! | [`sql`] | `java.sql.Date`, `Time`, `Timestamp` |
//! | [`BigDecimal`], [`BigInteger`] | `java.math` |
//! | [`Uuid`], [`Locale`], [`Currency`], [`Calendar`] | `java.util` |
//! | [`ClassName`] | `java.lang.Class` |
//! | [`Array`] | arrays of any type: `int[]`, `Integer[]`, `User[][]` |
//! | [`EnumSet`] | `java.util.EnumSet` |
//! | [`LinkedList`], [`ArrayDeque`], [`HashSet`], [`LinkedHashSet`], [`TreeSet`] | collections that keep their class |
//! | [`LinkedHashMap`], [`TreeMap`] | maps that keep their class |
//! | [`OrderedMap`] | `HashMap`, of keys of any kind |

mod array;
mod calendar;
mod collections;
#[cfg(any(
    feature = "bigdecimal",
    feature = "chrono",
    feature = "jiff",
    feature = "num-bigint",
    feature = "uuid"
))]
mod convert;
mod decimal;
mod descriptors;
mod enum_set;
mod integer;
mod names;
mod ordered;
mod range;
pub mod sql;
pub mod time;
mod uuid;

pub use array::Array;
pub use calendar::Calendar;
pub use collections::{ArrayDeque, HashSet, LinkedHashSet, LinkedList, TreeMap, TreeSet};
pub use decimal::BigDecimal;
pub use descriptors::JavaType;
pub use enum_set::EnumSet;
pub use integer::BigInteger;
pub use names::{ClassName, Currency, Locale};
pub use ordered::{LinkedHashMap, OrderedMap};
pub use range::{ConversionError, ParseError, RangeError};
pub use uuid::Uuid;
