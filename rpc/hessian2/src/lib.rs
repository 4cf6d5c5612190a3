//! Hessian 2 for Rust, byte-compatible with Java's hessian-lite 4 and readable by dubbo-go. Useful alone; it knows
//! no Dubbo, no socket and no clock.
//!
//! ```
//! use getty_hessian2::{Date, Hessian, Value, from_slice, to_vec};
//!
//! #[derive(Debug, PartialEq, Hessian)]
//! #[hessian(class = "com.example.User")]
//! struct User<'a> {
//!     user_name: &'a str,
//!     age: Option<i32>,
//!     photo: Vec<u8>,
//!     color: Color,
//!     born: Date,
//! }
//!
//! #[derive(Debug, PartialEq, Hessian)]
//! #[hessian(class = "com.example.Color")]
//! enum Color {
//!     Red,
//!     Green,
//! }
//!
//! # fn main() -> getty_hessian2::Result<()> {
//! let born = Date::from_millis(0);
//! let user = User { user_name: "Tom", age: Some(18), photo: vec![1, 2], color: Color::Green, born };
//! let bytes = to_vec(&user)?; // what Java's Hessian2Input reads as com.example.User
//! assert_eq!(from_slice::<User<'_>>(&bytes)?, user); // the name is borrowed from `bytes`
//!
//! let value = Value::parse(&bytes)?; // the same without the types
//! assert_eq!(value.root().get("color").get("name").as_str(), Some("GREEN"));
//! # Ok(())
//! # }
//! ```
//!
//! # Three layers
//!
//! - Types: [`Encode`] and [`Decode`], by `#[derive(Hessian)]` or by hand. Objects are read by field name, in any
//!   order; fields that the type does not have are skipped.
//! - Values: [`Value`] holds anything, with class names, sharing and cycles.
//! - Bytes: [`Encoder`] and [`Decoder`] write and read a body of several values that share one set of tables.
//!   [`EncodeState`] and [`DecodeState`] carry the tables and are kept for the life of a connection.
//!
//! # What becomes what
//!
//! | Rust | on the wire | also read from | Java | descriptor |
//! |---|---|---|---|---|
//! | `bool` | boolean | any number or boolean that fits, `null` as 0 | `boolean` | `Z` |
//! | `i8`, `u8`; `i16`; `u16`, `i32` | int | the same | `byte`; `short`; `int` | `B`; `S`; `I` |
//! | `i64`, `u32`, `u64` | long; above `i64::MAX` an error | the same | `long` | `J` |
//! | `f32`, `f64` | double | the same | `float`, `double` | `F`, `D` |
//! | `char` | string of one character | `null` as NUL | `char` | `C` |
//! | `String`, `&str`, `Cow<str>`, `Box<str>`, `Rc<str>`, `Arc<str>` | string | booleans and numbers, as decimal text | `String` | `Ljava/lang/String;` |
//! | `Vec<u8>`, `Vec<i8>`, `[u8; N]`, `Bytes`, `BytesMut`, `&[u8]`, `Cow<[u8]>` | binary | lists of bytes, `null` as empty; the last two binary alone | `byte[]` | `[B` |
//! | `Option<T>` | the value or `null` | | boxed: `Integer` | `Ljava/lang/Integer;` |
//! | `()` | `null` | anything, skipped | `void` | `V` |
//! | `Vec<T>`, `VecDeque<T>`, `Box<[T]>`, `Rc<[T]>`, `Arc<[T]>` | untyped list | lists of any form and type, `null` as empty | `List` | `Ljava/util/List;` |
//! | `[T; N]`, tuples of 1 to 8 | untyped list | lists of as many items | `List` | `Ljava/util/List;` |
//! | `HashSet<T>`, `BTreeSet<T>` | untyped list | as `Vec` | `Set` | `Ljava/util/Set;` |
//! | `HashMap<K, V>`, `BTreeMap<K, V>`, [`java::OrderedMap`] | untyped map | maps of any type, objects as maps of their fields, `null` as empty | `Map` | `Ljava/util/Map;` |
//! | struct | object | objects of any class, maps | its class | `Lcom/example/User;` |
//! | struct with `map`, with `list` | map or list of its class | maps, objects; lists | its class | the same |
//! | enum | object with the field `name` | also plain text | its class | the same |
//! | exception, [`Throwable`] | object with the fields of `Throwable` | objects | its class | the same |
//! | [`Date`] | date | | `java.util.Date` | `Ljava/util/Date;` |
//! | [`java::time`] | objects of hessian-lite's handles | their compact form | `java.time` | `Ljava/time/LocalDate;` |
//! | [`java::sql`] | objects | dates | `java.sql.Date` | `Ljava/sql/Date;` |
//! | [`java::BigDecimal`], [`java::BigInteger`] | objects | | `java.math` | `Ljava/math/BigDecimal;` |
//! | [`java::Uuid`] | object with text | object with two numbers | `java.util.UUID` | `Ljava/util/UUID;` |
//! | [`java::Array`] | list of the array's type | lists of any form | `int[]` | `[I` |
//! | [`java::EnumSet`] | handle | lists | `EnumSet` | `Ljava/util/EnumSet;` |
//! | [`java::LinkedList`] and the others there | list or map of the class | lists, maps of any type | the class | `Ljava/util/LinkedList;` |
//! | [`Shared`], `Box`, `Rc`, `Arc` | the value; of `Shared` a reference the second time | | | those of the value |
//! | [`Value`] | what it holds | anything | `Object` | `Ljava/lang/Object;` |
//!
//! A field that an object lacks is what `null` would be, as in Java. Numbers are never cut: one that does not fit is
//! an error. `i128` and `usize` have no form in Java: they do not compile.
//!
//! A reference reads its target again, at the price of the target's bytes within [`Limits::expanded`]; [`Shared`]
//! keeps one object. A reference into a container that is still being read is [`ErrorKind::Cycle`]: only a [`Value`]
//! can hold it.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `simd` | yes | checks text of several bytes a character several times as fast |
//! | `jiff` | no | `civil::Date`, `Time`, `DateTime`, `Timestamp`, `ZonedDateTime`, `Offset`, `SignedDuration` as [`java::time`] |
//! | `chrono` | no | `NaiveDate`, `NaiveTime`, `NaiveDateTime`, `DateTime<Utc>`, `DateTime<FixedOffset>`, `TimeDelta` as [`java::time`] |
//! | `bigdecimal`, `num-bigint` | no | `BigDecimal` and `BigInt` as [`java::BigDecimal`] and [`java::BigInteger`] |
//! | `uuid` | no | `Uuid` as [`java::Uuid`] |
//!
//! Each makes the types of that crate fields and arguments, and converts them to those of [`java`] and back. An instant
//! of them is `java.time.Instant`; for a `java.util.Date` convert into [`Date`].
//!
//! # serde
//!
#![cfg_attr(feature = "serde", doc = "Types of serde are used through the module [`serde`]:")]
#![cfg_attr(
    not(feature = "serde"),
    doc = "With the feature `serde`, types of serde are used through a module of that name:"
)]
//! one as a field, an argument or a result of other types, or alone. It is a bridge for types that have serde's derive
//! already. Prefer `#[derive(Hessian)]`: serde knows no binary in a `Vec<u8>`, has one name of a type for all formats,
//! and writes no references. The module's documentation lists these limits.
//!
//! # Hostile input
//!
//! Any bytes end in a value or an [`Error`], within the [`Limits`]: no panic, no overflow of the stack, memory in
//! proportion to the input.
//!
//! Other implementations (hessian-lite 4 and Caucho 4.0.66 in Java, dubbo-go-hessian2 1.13) were seen to fail on such
//! bytes, or to go on with a wrong value. This crate's tests hold such bytes:
//!
//! | input | they | this crate |
//! |---|---|---|
//! | lists in lists, 5,000 deep (Java), a million (Go) | overflow the stack; in Go that ends the process | an error at [`Limits::depth`] |
//! | a list of 2^31 items in six bytes | run out of memory | an error: each item takes a byte at least |
//! | a class of 2^31 fields, 200,000 classes | run out of memory or stack | an error: [`Limits::fields`], [`Limits::classes`] |
//! | a negative length | an empty list, or a panic | an error |
//! | the input ends inside a value | values filled up with garbage | an error |
//! | a reference to nothing | `null` (Go) | an error |
//! | a negative number of a reference or type | a panic (Go) | an error |
//! | sets of sets, shared 30 levels deep | hang (Java) | [`Value`] is never hashed; copies in Rust types are bounded by [`Limits::expanded`] |
//! | a map with a list or map as key | a panic (Go) | entries in the order of the wire |
//! | a surrogate pair cut by a chunk, half a pair | a panic (Go) | joined; half a pair is kept by [`Value`], an error for `String` |
//! | text whose second byte does not continue the first | other text (Java) | an error |
//! | a number that does not fit | cut | an error |
//! | an object whose field has another kind | the whole value is built for the message (Java) | an error that names the first byte |
#![forbid(unsafe_code)]

// The derive names this crate, also inside of it.
extern crate self as getty_hessian2;

mod class;
mod compact;
mod date;
mod decode;
#[doc(hidden)]
pub mod derive;
mod encode;
mod error;
mod exception;
pub mod java;
mod kind;
mod limits;
#[cfg(feature = "serde")]
pub mod serde;
mod shared;
mod sink;
mod utf16;
mod value;

pub use class::Class;
pub use date::{Date, DateRangeError};
pub use decode::{Decode, DecodeOwned, DecodeState, Decoder, ListReader, MapReader, Mark, ObjectReader};
pub use encode::{Dialect, Encode, EncodeAs, EncodeState, Encoder};
pub use error::{Error, ErrorKind, Found, Result};
pub use exception::{Exception, StackFrame, Throwable};
/// Implements [`Encode`], [`Decode`] and [`JavaType`] for a struct with named fields, an enum of constants, or a struct
/// around one collection.
///
/// On the struct or enum, `#[hessian(...)]` takes:
///
/// - `class = "com.example.User"`: Java's name of the class, as `Class.getName()` gives it. Required. It is what is
///   written; reading takes objects of any class by their fields, so one type reads several classes.
/// - `rename_all = "..."`: how Rust names become Java names: `camelCase` (default for fields), `PascalCase`,
///   `snake_case`, `SCREAMING_SNAKE_CASE` (default for constants), `lowercase`, `UPPERCASE`.
/// - `exception`: the struct is a Java exception and implements [`Exception`].
/// - `map`: written as a map of that class. The keys are the field names, or those of the one map that the struct is
///   around: `struct Dict(HashMap<String, i32>)`.
/// - `list`: written as a list of that class: `struct Items(Vec<Item>)`.
/// - `part`: other structs can hold the fields of this one as their own. Such a struct needs no `class`.
///
/// On a field:
///
/// - `rename = "..."`: its name on the wire.
/// - `default`: `Default` when the object lacks the field or has `null` there.
/// - `skip`: neither written nor read; `Default` when read.
/// - `flatten`: the field is a `part`, and its fields belong to this object, as those of a parent class do in Java.
/// - `message`: of an exception, the field that is Java's `getMessage()`. Without it, a field named `message` or
///   `detail_message` is.
///
/// On a variant: `rename`, and `other` for one `Other(String)` that takes all constants the enum does not know.
///
/// # Parent classes, and one type under several classes
///
/// ```
/// use getty_hessian2::{Hessian, Value, to_vec};
///
/// #[derive(Hessian)]
/// #[hessian(part)] // an abstract class: written only as a part of others
/// struct Entity {
///     id: i64,
/// }
///
/// #[derive(Hessian)]
/// #[hessian(class = "com.example.User", part)]
/// struct User {
///     #[hessian(flatten)]
///     entity: Entity,
///     name: String,
/// }
///
/// #[derive(Hessian)]
/// #[hessian(class = "com.example.v2.User")] // the same fields under another name
/// struct UserV2 {
///     #[hessian(flatten)]
///     user: User,
/// }
///
/// # fn main() -> getty_hessian2::Result<()> {
/// let user = User { entity: Entity { id: 7 }, name: "Tom".into() };
/// let bytes = to_vec(&UserV2 { user })?;
/// let value = Value::parse(&bytes)?;
/// assert_eq!(value.root().class(), Some("com.example.v2.User"));
/// assert_eq!(value.root().get("id").as_i64(), Some(7));
/// # Ok(())
/// # }
/// ```
pub use getty_macros::Hessian;
pub use java::JavaType;
pub use kind::Kind;
pub use limits::Limits;
pub use shared::Shared;
pub use sink::Sink;
pub use value::{Entries, Fields, Items, Val, Value, Values};

/// Writes one value with fresh tables.
///
/// # Errors
///
/// Those of the value's [`Encode`].
pub fn to_vec<T: Encode + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut state = EncodeState::new();
    state.begin(&out);
    Encoder::new(&mut out, &mut state).write(value)?;
    Ok(out)
}

/// Reads one value that takes all of `bytes`, with the default [`Limits`].
///
/// # Errors
///
/// Those of the value's [`Decode`], and [`ErrorKind::Trailing`] when bytes are left.
pub fn from_slice<'de, T: Decode<'de>>(bytes: &'de [u8]) -> Result<T> {
    let mut state = DecodeState::new();
    let mut decoder = Decoder::new(bytes, &mut state);
    let value = decoder.read()?;
    decoder.end()?;
    Ok(value)
}
