//! What holds for all values and all bytes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use getty_hessian2::{
    Date, Decode, DecodeState, Decoder, Encode, EncodeState, Encoder, Value, from_slice, to_vec,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::everything::{Everything, Extract, Kind, Part};
use crate::malformed::unhex;
use crate::tree;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,40}",
        any::<String>(),
        "[一-龥😀-😎a-z]{0,60}",
        (prop_oneof![Just("a"), Just("é"), Just("中"), Just("😀")], 0..20_u32, -2..3_i32).prop_map(
            |(unit, chunks, around)| {
                let units = (chunks as i32 / 8 * 0x8000 + around).max(0) as usize;
                unit.repeat(units / unit.encode_utf16().count())
            }
        ),
    ]
}

fn part() -> impl Strategy<Value = Part> {
    let leaf = ("[a-z]{0,5}", any::<f64>().prop_filter("NaN", |double| !double.is_nan()))
        .prop_map(|(name, weight)| Part { name, next: None, weight });
    leaf.prop_recursive(5, 5, 1, |inner| {
        (inner.clone(), inner).prop_map(|(part, next)| Part { next: Some(Box::new(next)), ..part })
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::NULL),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3000..3000_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-100_000..100_000_i32).prop_map(|mills| Value::from(0.001 * f64::from(mills))),
        any::<i64>().prop_map(|millis| Value::from(Date::from_millis(millis))),
        "\\PC{0,40}".prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::from),
        (8_000..20_000_usize).prop_map(|len| Value::from(vec![7_u8; len])),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        let items = prop::collection::vec(inner.clone(), 0..12);
        let entries = prop::collection::vec((inner.clone(), inner.clone()), 0..6);
        let fields = prop::collection::vec(("[a-d]{1,2}", inner), 0..6);
        let name = prop_oneof![Just("java.util.LinkedList"), Just("[object"), Just("x.Y")];
        prop_oneof![
            items.clone().prop_map(Value::list),
            (name.clone(), items).prop_map(|(name, items)| Value::typed_list(name, items)),
            entries.clone().prop_map(Value::map),
            (name.clone(), entries).prop_map(|(name, entries)| Value::typed_map(name, entries)),
            (name, fields).prop_map(|(name, fields)| Value::object(name, fields)),
        ]
    })
}

prop_compose! {
    fn everything()(
        (flag, byte, octet, short, int, unsigned, long) in any::<(bool, i8, u8, i16, i32, u32, i64)>(),
        float in any::<f32>().prop_filter("NaN", |float| !float.is_nan()),
        double in any::<f64>().prop_filter("NaN", |double| !double.is_nan()),
        (letter, millis) in any::<(char, i64)>(),
        text in text(),
        (maybe, bytes, signed_bytes) in any::<(Option<String>, Vec<u8>, Vec<i8>)>(),
        (list, set, map) in any::<(Vec<Option<i64>>, BTreeSet<String>, BTreeMap<i32, Vec<u8>>)>(),
        kind in prop_oneof![Just(Kind::First), Just(Kind::Second), "[a-z]{1,9}".prop_map(Kind::Other)],
        parts in prop::collection::vec(part(), 0..4),
        any in value(),
    ) -> Everything {
        let date = Date::from_millis(millis);
        Everything {
            flag, byte, octet, short, int, unsigned, long, float, double, letter, text, maybe, bytes, signed_bytes,
            date, list, set, map, kind, parts, any,
        }
    }
}

/// Whether skipping ends where reading has ended, both when it goes well and when it does not.
fn skips_as_it_reads<'de, T: Decode<'de>>(bytes: &'de [u8]) -> Option<T> {
    let (mut reading, mut skipping) = (DecodeState::new(), DecodeState::new());
    let mut reader = Decoder::new(bytes, &mut reading);
    let mut skipper = Decoder::new(bytes, &mut skipping);
    let (read, skipped) = (reader.read::<T>(), skipper.skip());
    if let Ok(value) = read {
        skipped.unwrap();
        assert_eq!(reader.position(), skipper.position());
        return Some(value);
    }
    None
}

fn in_two_bodies<T: Encode>(value: &T) -> (Vec<u8>, Vec<u8>) {
    let mut state = EncodeState::new();
    let mut bodies = [vec![1; 5], vec![2; 9]];
    for body in &mut bodies {
        state.begin(body);
        Encoder::new(body, &mut state).write(value).unwrap();
    }
    let [first, second] = bodies;
    (first[5..].to_vec(), second[9..].to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_typed_value_comes_back(everything in everything()) {
        let bytes = to_vec(&everything).unwrap();
        prop_assert_eq!(&from_slice::<Everything>(&bytes).unwrap(), &everything);
        prop_assert_eq!(skips_as_it_reads::<Everything>(&bytes), Some(everything.clone()));
        let extract = from_slice::<Extract<'_>>(&bytes).unwrap();
        prop_assert_eq!((extract.any, extract.parts, extract.text), (everything.any.clone(), everything.parts.clone(), everything.text.clone().into()));
    }

    #[test]
    fn a_typed_value_is_the_same_as_a_value(everything in everything()) {
        let bytes = to_vec(&everything).unwrap();
        let value = Value::parse(&bytes).unwrap();
        prop_assert_eq!(&to_vec(&value).unwrap(), &bytes);
        prop_assert_eq!(&value.to::<Everything>().unwrap(), &everything);
        prop_assert_eq!(Value::of(&everything).unwrap(), value);
    }

    #[test]
    fn a_value_comes_back_byte_for_byte(value in value()) {
        let bytes = to_vec(&value).unwrap();
        let again: Value = from_slice(&bytes).unwrap();
        prop_assert_eq!(&again, &value);
        prop_assert_eq!(to_vec(&again).unwrap(), bytes);
        prop_assert_eq!(again.root().to_value().unwrap(), value);
    }

    #[test]
    fn a_reused_state_writes_what_a_new_one_writes(value in value(), part in part()) {
        let (first, second) = in_two_bodies(&vec![part.clone(), part]);
        prop_assert_eq!(first, second);
        let (first, second) = in_two_bodies(&value);
        prop_assert_eq!(&first, &second);
        prop_assert_eq!(first, to_vec(&value).unwrap());
    }

    #[test]
    fn text_of_every_length_comes_back(text in text()) {
        let bytes = to_vec(&text).unwrap();
        prop_assert_eq!(&from_slice::<Cow<'_, str>>(&bytes).unwrap(), &text);
        let value = Value::parse(&bytes).unwrap();
        prop_assert_eq!(value.root().as_str(), Some(&*text));
    }

    #[test]
    fn numbers_come_back_in_their_own_width(long in any::<i64>(), shift in 0..64_u32) {
        let long = long >> shift;
        prop_assert_eq!(from_slice::<i64>(&to_vec(&long).unwrap()).unwrap(), long);
        let int = long as i32;
        prop_assert_eq!(from_slice::<i32>(&to_vec(&int).unwrap()).unwrap(), int);
        let double = f64::from_bits(long.cast_unsigned());
        let back = from_slice::<f64>(&to_vec(&double).unwrap()).unwrap();
        prop_assert!(back == double || (back.is_nan() && double.is_nan()));
        let thousandths = int as f64 / 1000.0;
        prop_assert_eq!(from_slice::<f64>(&to_vec(&thousandths).unwrap()).unwrap(), thousandths);
        let float = f32::from_bits(int.cast_unsigned());
        let back = from_slice::<f32>(&to_vec(&float).unwrap()).unwrap();
        prop_assert!(back == float || (back.is_nan() && float.is_nan()));
    }

    #[test]
    fn any_bytes_end_in_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        every_reader(&bytes);
    }
}

/// Reads bytes in many ways; whatever is read must be skipped to the same place, and written again.
fn every_reader(bytes: &[u8]) {
    if let Some(value) = skips_as_it_reads::<Value>(bytes) {
        let again = to_vec(&value).unwrap();
        assert_eq!(Value::parse(&again).unwrap(), value);
    }
    _ = skips_as_it_reads::<Everything>(bytes);
    _ = skips_as_it_reads::<Extract<'_>>(bytes);
    _ = skips_as_it_reads::<Vec<HashMap<String, Vec<Value>>>>(bytes);
    _ = skips_as_it_reads::<getty_hessian2::Throwable>(bytes);
    _ = skips_as_it_reads::<Vec<String>>(bytes);
    _ = skips_as_it_reads::<Vec<Vec<u8>>>(bytes);
}

#[test]
fn a_changed_vector_ends_in_a_value_or_an_error() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..3_u8);
    for file in ["hessian2_java_vectors", "hessian2_testhessian2_vectors", "hessian2_go_vectors"] {
        let text = tree::read(file);
        for bytes in tree::rows(&text).iter().filter_map(|row| row.hex.as_deref().map(unhex)) {
            if bytes.is_empty() || bytes.len() > 3_000 {
                continue;
            }
            for _ in 0..20 {
                let mut bytes = bytes.clone();
                let (place, byte, how) = change.new_tree(&mut runner).unwrap().current();
                let place = place.index(bytes.len());
                match how {
                    0 => bytes[place] = byte,
                    1 => bytes.insert(place, byte),
                    _ => _ = bytes.remove(place),
                }
                every_reader(&bytes);
            }
        }
    }
}
