//! Owns the crate hessian_rs as a peer: its cases, and what it does wrong.
//!
//! Both are found anew in each run. What it writes is read with our codec, what ours writes is read with it, and the two
//! values must be the same: a case in which they are not is left out of its group, which says why. Nothing is known of it
//! but its public interface, as it is under the GPL.
//!
//! Its `Value` has no objects: they are written by its `Serializer` from a class definition and the values of the fields,
//! and read they are maps with the name of the class.

use std::env;
use std::fmt::{self, Debug};
use std::hint::black_box;
use std::panic::{self, AssertUnwindSafe};
use std::process::{self, Command, Stdio};

use getty_hessian2::{Kind, Val, Value};
use hessian_rs::ser::Serializer;
use hessian_rs::value::{Definition, List, Map, Value as Theirs};

use super::{Case, Group};

const NAME: &str = "hessian_rs";
/// Set for a process that reads what may overflow its stack.
const NESTING: &str = "GETTY_BENCHMARK_HESSIAN_RS_NESTING";
const LEVELS: usize = 10_000;

/// Adds the case that writes the value of `body`, our bytes.
pub(crate) fn push_encode(group: &mut Group, body: &[u8]) {
    let value = Value::parse(body).unwrap();
    let source = Source::of(value.root());
    let mut out = Vec::new();
    if let Some(fault) = fault_of_written(&value, caught(|| source.write(&mut out).map(|()| out.clone()))) {
        group.remarks.push(format!("{NAME} is left out of {}: the value {fault}", group.name));
        return;
    }
    group.push(
        NAME,
        out.len(),
        Case::new(move || {
            out.clear();
            black_box(&source).write(&mut out).unwrap();
            black_box(&out);
        }),
    );
}

/// Adds the case that reads `body`, our bytes.
pub(crate) fn push_decode(group: &mut Group, body: &[u8]) {
    if let Some(fault) = fault_of_read(body) {
        group.remarks.push(format!("{NAME} is left out of {}: the body {fault}", group.name));
        return;
    }
    let body = body.to_vec();
    group.push(
        NAME,
        body.len(),
        Case::new(move || {
            black_box(hessian_rs::from_slice(black_box(&body)).unwrap());
        }),
    );
}

/// What it does wrong with small values that services send, and with bytes that anybody can send.
pub(crate) fn defects() -> Vec<String> {
    if env::var_os(NESTING).is_some() {
        let read = hessian_rs::from_slice(&nested());
        process::exit(i32::from(read.is_ok()));
    }
    let written: [(&str, Value); 8] = [
        ("40000.0 as a double", 40_000.0.into()),
        ("12.3456 as a double", 12.3456.into()),
        ("1e10 as a double", 1e10.into()),
        ("5 bytes of binary", Value::from(vec![7_u8; 5])),
        ("70,000 bytes of binary", Value::from(vec![7_u8; 70_000])),
        ("a string of 32,767 letters", "x".repeat(32_767).into()),
        ("a string of 32,768 letters", "x".repeat(32_768).into()),
        ("the text 😀", "😀".into()),
    ];
    let read: [(&str, &[u8]); 3] = [
        ("the text 😀 as Java writes it", b"\x02\xed\xa0\xbd\xed\xb8\x80"),
        ("a list with the same list in it twice", b"\x7a\x78\x51\x91"),
        ("text that is no UTF-8", b"\x01\xff"),
    ];
    let written = written.into_iter().filter_map(|(name, value)| {
        let theirs = theirs(value.root());
        let fault = fault_of_written(&value, caught(|| hessian_rs::to_vec(&theirs)))?;
        Some(format!("{NAME}: {name} {fault}"))
    });
    let read =
        read.into_iter().filter_map(|(name, body)| Some(format!("{NAME}: {name} {}", fault_of_read(body)?)));
    written.chain(read).chain(fault_of_nesting()).collect()
}

/// A value as it is written: containers of objects that it has no `Value` for are taken apart.
enum Source {
    Object(Definition, Vec<Theirs>),
    Objects(Option<String>, Vec<(Definition, Vec<Theirs>)>),
    Other(Theirs),
}

impl Source {
    fn of(value: Val<'_>) -> Self {
        if value.kind() == Some(Kind::Object) {
            let (definition, fields) = object(value);
            return Self::Object(definition, fields);
        }
        if !value.is_empty() && value.items().all(|item| item.kind() == Some(Kind::Object)) {
            return Self::Objects(value.type_name().map(str::to_owned), value.items().map(object).collect());
        }
        Self::Other(theirs(value))
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<(), hessian_rs::Error> {
        let mut serializer = Serializer::new(out);
        match self {
            Self::Object(definition, fields) => {
                serializer.serialize_fields_with_definition(definition, fields)
            }
            Self::Objects(type_name, objects) => {
                serializer.write_list_begin(objects.len(), type_name.as_deref())?;
                objects.iter().try_for_each(|(definition, fields)| {
                    serializer.serialize_fields_with_definition(definition, fields)
                })
            }
            Self::Other(value) => serializer.serialize_value(value),
        }
    }
}

fn object(value: Val<'_>) -> (Definition, Vec<Theirs>) {
    let (names, fields) = value.fields().map(|(name, field)| (name.to_owned(), theirs(field))).unzip();
    (Definition { name: value.class().unwrap().to_owned(), fields: names }, fields)
}

/// The value as it reads it.
fn theirs(value: Val<'_>) -> Theirs {
    match value.kind().unwrap() {
        Kind::Bool => Theirs::Bool(value.as_bool().unwrap()),
        Kind::Int => Theirs::Int(value.as_i32().unwrap()),
        Kind::Long => Theirs::Long(value.as_i64().unwrap()),
        Kind::Double => Theirs::Double(value.as_f64().unwrap()),
        Kind::String => Theirs::String(value.as_str().unwrap().to_owned()),
        Kind::Binary => Theirs::Bytes(value.as_bytes().unwrap().to_vec()),
        Kind::List => {
            let items = value.items().map(theirs).collect();
            Theirs::List(match value.type_name() {
                Some(name) => List::Typed(name.to_owned(), items),
                None => List::Untyped(items),
            })
        }
        Kind::Object => {
            let fields = value.fields().map(|(name, field)| (Theirs::String(name.to_owned()), theirs(field)));
            Theirs::Map(Map::Typed(value.class().unwrap().to_owned(), fields.collect()))
        }
        Kind::Null => Theirs::Null,
        kind => panic!("no case has a {kind}"),
    }
}

/// What is wrong with the bytes it wrote for `value`.
fn fault_of_written(value: &Value, written: Result<Vec<u8>, Failure>) -> Option<String> {
    let bytes = match written {
        Ok(bytes) if bytes.is_empty() => return Some("is written as 0 bytes".to_owned()),
        Ok(bytes) => bytes,
        Err(failure) => return Some(format!("cannot be written: {failure}")),
    };
    match Value::parse(&bytes) {
        Ok(read) if read == *value => None,
        Ok(read) => {
            let (place, read, right) = difference(read.root(), value.root());
            let read = short(&read);
            Some(if place.is_empty() {
                format!("is written as {}, which is {read}", hex(&bytes))
            } else {
                format!("is written so that {place}, which is {}, is {read}", short(&right))
            })
        }
        Err(error) => Some(format!("is written as {}, which is no value: {error}", hex(&bytes))),
    }
}

/// What is wrong with the value it reads from `body`.
fn fault_of_read(body: &[u8]) -> Option<String> {
    let right = Value::parse(body).map(|value| theirs(value.root()));
    match (caught(|| hessian_rs::from_slice(body)), right) {
        (Ok(read), Ok(right)) if read == right => None,
        (Err(Failure::Refused(_)), Err(_)) => None,
        (Ok(read), Ok(right)) => Some(format!("is read as {}, and it is {}", short(&read), short(&right))),
        (Ok(read), Err(error)) => Some(format!("is read as {} in spite of this: {error}", short(&read))),
        (Err(failure), _) => Some(format!("cannot be read: {failure}")),
    }
}

/// A stack that overflows ends the process, so another one has to try.
fn fault_of_nesting() -> Option<String> {
    let mut trial = Command::new(env::current_exe().unwrap());
    let status = trial.env(NESTING, "1").stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let fault = match status.code() {
        Some(0) => return None,
        Some(1) => "are read as a value".to_owned(),
        _ => format!("end the process that reads them: {status}"),
    };
    Some(format!("{NAME}: {LEVELS} bytes that say a list in a list in a list {fault}"))
}

fn nested() -> Vec<u8> {
    vec![0x79; LEVELS]
}

/// Where the two first differ, and what is there.
fn difference<'v>(mut one: Val<'v>, mut other: Val<'v>) -> (String, Val<'v>, Val<'v>) {
    let mut place = String::new();
    loop {
        let items = one.items().zip(other.items()).enumerate();
        let fields = one.fields().zip(other.fields()).filter(|((one, _), (other, _))| one == other);
        let items = items.map(|(at, (one, other))| (format!("[{at}]"), one, other));
        let fields = fields.map(|((name, one), (_, other))| (format!(".{name}"), one, other));
        let Some((step, inner, other_inner)) = items.chain(fields).find(|(_, one, other)| one != other)
        else {
            return (place, one, other);
        };
        place.push_str(&step);
        (one, other) = (inner, other_inner);
    }
}

/// Why it gave no value.
enum Failure {
    Refused(hessian_rs::Error),
    Panicked(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => write!(f, "{error}"),
            Self::Panicked(text) => write!(f, "panic: {text}"),
        }
    }
}

/// Runs its code. A panic ends nothing and says nothing on the terminal.
fn caught<T>(run: impl FnOnce() -> Result<T, hessian_rs::Error>) -> Result<T, Failure> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    panic::set_hook(hook);
    match result {
        Ok(result) => result.map_err(Failure::Refused),
        Err(payload) => {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default();
            Err(Failure::Panicked(text.to_owned()))
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let begin: Vec<_> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let rest = bytes.len().saturating_sub(begin.len());
    let begin = begin.join(" ");
    if rest == 0 { begin } else { format!("{begin} and {rest} bytes more") }
}

fn short(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
