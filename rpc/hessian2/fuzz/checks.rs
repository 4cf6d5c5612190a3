//! Owns what must hold for any bytes. Each function panics where it does not; fuzz targets and tests run the same.

use arbitrary::{Result as Made, Unstructured};
use getty_hessian2::{
    Date, Decode, DecodeState, Decoder, Dialect, EncodeState, Encoder, ErrorKind, Throwable, Value, Values,
    from_slice, to_vec,
};

use crate::everything::{Everything, Extract, More};

/// Any bytes end in a value or an error; a value prints, and is equal to itself, its copy and what is read again.
pub(crate) fn value(bytes: &[u8]) {
    match Value::parse(bytes) {
        Ok(value) => {
            assert!(!format!("{value:?}").is_empty());
            assert_eq!(value, value.clone());
            assert_eq!(value, Value::parse(bytes).unwrap());
            assert_eq!(value.root().to_value().unwrap(), value);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Any bytes end in a value of a Rust type or an error; where there is a value, skipping ends where it ends.
pub(crate) fn typed(bytes: &[u8]) {
    read_as::<Everything>(bytes);
    read_as::<More>(bytes);
    read_as::<Extract<'_>>(bytes);
    read_as::<Vec<More>>(bytes);
    read_as::<Throwable>(bytes);
    read_as::<std::collections::HashMap<String, Vec<Option<Value>>>>(bytes);
    read_as::<Vec<&str>>(bytes);
}

fn read_as<'de, T: Decode<'de>>(bytes: &'de [u8]) {
    let (mut reading, mut skipping) = (DecodeState::new(), DecodeState::new());
    let mut reader = Decoder::new(bytes, &mut reading);
    let mut skipper = Decoder::new(bytes, &mut skipping);
    match reader.read::<T>() {
        Ok(_) => {
            skipper.skip().unwrap();
            assert_eq!(reader.position(), skipper.position());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Reading all values of a body and skipping every other one finds the same positions, and the tables stay right.
pub(crate) fn skip(bytes: &[u8]) {
    let (mut reading, mut skipping) = (DecodeState::new(), DecodeState::new());
    let mut reader = Decoder::new(bytes, &mut reading);
    let mut skipper = Decoder::new(bytes, &mut skipping);
    for index in 0.. {
        if reader.remaining() == 0 {
            break;
        }
        let read = reader.read::<Value>();
        let skipped =
            if index % 2 == 0 { skipper.skip().map(|()| None) } else { skipper.read::<Value>().map(Some) };
        match (read, skipped) {
            (Ok(read), Ok(skipped)) => {
                assert_eq!(reader.position(), skipper.position());
                assert!(skipped.is_none_or(|skipped| skipped == read), "the tables differ");
            }
            // Only reading follows references and makes values.
            (Err(error), Ok(None)) => {
                assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "read: {error}, but skipped");
                break;
            }
            (Ok(read), Err(error)) => panic!("skipped: {error}, but read: {read:?}"),
            (Err(_), _) => break,
        }
    }
}

/// What is read is the same when it is written and read again, and has settled bytes from then on.
pub(crate) fn again(bytes: &[u8]) {
    let Ok(values) = Values::parse(bytes) else { return };
    let first = write(&values, Dialect::HessianLite4);
    let second = Values::parse(&first).unwrap();
    assert_eq!(second, values);
    assert_eq!(write(&second, Dialect::HessianLite4), first);
    let old = write(&values, Dialect::HessianLite3);
    let second = Values::parse(&old).unwrap();
    assert_eq!(write(&second, Dialect::HessianLite3), old);
}

fn write(values: &Values, dialect: Dialect) -> Vec<u8> {
    let (mut out, mut state) = (Vec::new(), EncodeState::new());
    state.set_dialect(dialect);
    state.begin(&out);
    values.write(&mut Encoder::new(&mut out, &mut state)).unwrap();
    out
}

/// A value made from the bytes is written to bytes that are read, skipped, and written again alike.
pub(crate) fn written(bytes: &[u8]) {
    let Ok(value) = any_value(&mut Unstructured::new(bytes), 40) else { return };
    let Ok(out) = to_vec(&value) else { return };
    assert_eq!(from_slice::<Value>(&out).unwrap(), value);
    assert_eq!(to_vec(&from_slice::<Value>(&out).unwrap()).unwrap(), out);
    skip(&out);
    again(&out);
}

/// Any value, up to `depth` levels deep.
fn any_value(u: &mut Unstructured<'_>, depth: u32) -> Made<Value> {
    let kinds = if depth == 0 { 10 } else { 15 };
    Ok(match u.int_in_range(0..=kinds - 1)? {
        0 => Value::NULL,
        1 => Value::from(u.arbitrary::<bool>()?),
        2 => Value::from(u.arbitrary::<i32>()?),
        3 => Value::from(u.arbitrary::<i32>()? >> u.int_in_range(0..=31)?),
        4 => Value::from(u.arbitrary::<i64>()? >> u.int_in_range(0..=63)?),
        5 => Value::from(u.arbitrary::<f64>()?),
        6 => Value::from(0.001 * f64::from(u.arbitrary::<i32>()?)),
        7 => Value::from(Date::from_millis(u.arbitrary()?)),
        8 => {
            let text: &str = u.arbitrary()?;
            Value::from(text.repeat(repeats(u, text.len())?))
        }
        9 => {
            let bytes: &[u8] = u.arbitrary()?;
            Value::from(bytes.repeat(repeats(u, bytes.len())?))
        }
        10 => Value::list(items(u, depth)?),
        11 => Value::typed_list(name(u)?, items(u, depth)?),
        12 => Value::map(items(u, depth)?.into_iter().zip(items(u, depth)?)),
        13 => Value::typed_map(name(u)?, items(u, depth)?.into_iter().zip(items(u, depth)?)),
        _ => {
            let names = items(u, depth)?.into_iter().map(|value| Ok((name(u)?, value)));
            let fields = names.collect::<Made<Vec<_>>>()?;
            Value::object(name(u)?, fields)
        }
    })
}

/// Long ones, so that chunks are cut, are rare.
fn repeats(u: &mut Unstructured<'_>, len: usize) -> Made<usize> {
    Ok(if u.ratio(1, 20)? { u.int_in_range(1..=100_000)? / (len + 1) + 1 } else { 1 })
}

fn name<'a>(u: &mut Unstructured<'a>) -> Made<&'a str> {
    const NAMES: [&str; 6] =
        ["java.util.ArrayList", "[int", "java.time.LocalDate", "java.time.LocalTime", "epochDay", ""];
    if u.arbitrary()? { u.choose(&NAMES).copied() } else { u.arbitrary() }
}

fn items(u: &mut Unstructured<'_>, depth: u32) -> Made<Vec<Value>> {
    let len = u.int_in_range(0..=20)?;
    (0..len).map(|_| any_value(u, depth - 1)).collect()
}
