//! Hostile, truncated and borderline input: it ends in a value or an error, on a small stack, and all readers agree
//! where a value ends.

use std::collections::HashMap;

use getty_hessian2::{
    Decode, DecodeState, Decoder, Encode, EncodeState, Encoder, ErrorKind, Hessian, Kind, Limits, Result,
    Sink, Value, Values, from_slice, to_vec,
};

use crate::malformed::{rows, unhex};
use crate::tree;

pub(crate) fn on_small_stack(kib: usize, run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(kib << 10).spawn(run).unwrap().join().unwrap();
}

#[test]
fn every_malformed_row_ends_in_a_value_or_an_error() {
    on_small_stack(128, || {
        let (mut values, mut errors) = (0, 0);
        for row in rows() {
            let bytes = row.bytes();
            match Value::parse(&bytes) {
                Ok(value) => {
                    values += 1;
                    let again = Value::parse(&to_vec(&value).unwrap()).unwrap();
                    assert_eq!(again, value, "{}", row.name);
                    assert!(!format!("{value:?}").is_empty());
                }
                Err(error) => {
                    errors += 1;
                    assert!(!error.to_string().is_empty());
                }
            }
        }
        assert_eq!((values, errors), (19, 49));
    });
}

#[test]
fn rows_that_others_read_wrongly_are_errors() {
    for row in rows() {
        let bytes = row.bytes();
        let wrong = row.name.starts_with("trunc") || row.name.contains("neg") || row.name.contains("oob");
        if wrong && !row.name.contains("date") {
            assert!(Value::parse(&bytes).is_err(), "{}", row.name);
        }
    }
}

#[test]
fn every_start_of_a_value_is_an_early_end_and_nothing_else() {
    let text = tree::read("hessian2_testhessian2_vectors");
    for row in tree::rows(&text) {
        let bytes = unhex(row.hex.as_deref().unwrap());
        let mut state = DecodeState::new();
        for len in (0..bytes.len().min(2_000)).filter(|len| len % 7 < 2 || *len < 200) {
            let error = Value::parse(&bytes[..len]).unwrap_err();
            let is_end = matches!(error.kind(), ErrorKind::UnexpectedEnd | ErrorKind::Length { .. });
            assert!(is_end, "{} cut to {len}: {error}", row.name);
            state.reset();
            assert!(Decoder::new(&bytes[..len], &mut state).skip().is_err());
        }
    }
}

#[test]
fn values_of_any_depth_are_handled_without_recursion() {
    on_small_stack(128, || {
        let deep = [vec![0x79; 1_000_000], vec![0x4e]].concat();
        let mut limits = Limits::default();
        (limits.depth, limits.memory_factor) = (u32::MAX, 1_000);
        let mut state = DecodeState::with_limits(limits);
        let value: Value = Decoder::new(&deep, &mut state).read().unwrap();
        state.reset();
        Decoder::new(&deep, &mut state).skip().unwrap();
        assert_eq!(value, value.clone());
        assert!(format!("{value:?}").len() < 10_000);
        let mut out = Vec::new();
        let mut state = EncodeState::with_depth(u32::MAX);
        state.begin(&out);
        Encoder::new(&mut out, &mut state).write(&value).unwrap();
        assert_eq!(out, deep);
        let error = to_vec(&value).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Limit { what: "levels of containers", limit: 256 }));
    });
}

#[derive(Debug, Default, PartialEq, Hessian)]
#[hessian(class = "com.example.Node")]
struct Node {
    next: Option<Box<Self>>,
    a: String,
    b: Option<String>,
    c: Vec<String>,
    d: HashMap<String, String>,
    e: Option<i64>,
    f: i32,
    g: f64,
    h: bool,
    i: Option<Vec<u8>>,
    j: Option<String>,
    k: Option<String>,
    l: Vec<Option<String>>,
    m: Option<f64>,
    n: String,
    o: String,
    p: Vec<Self>,
}

fn chain(len: usize) -> Node {
    (1..len).fold(Node::default(), |next, _| Node { next: Some(Box::new(next)), ..Node::default() })
}

#[test]
fn typed_values_down_to_the_depth_limit_fit_a_thread_of_two_mebibytes_and_deeper_ones_are_errors() {
    on_small_stack(2048, || {
        // The innermost holds empty lists, which are the last level.
        let node = chain(255);
        let bytes = to_vec(&node).unwrap();
        assert_eq!(from_slice::<Node>(&bytes).unwrap(), node);

        let too_deep = chain(256);
        let error = to_vec(&too_deep).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Limit { what: "levels of containers", limit: 256 }));
        let mut out = Vec::new();
        let mut state = EncodeState::with_depth(257);
        state.begin(&out);
        Encoder::new(&mut out, &mut state).write(&too_deep).unwrap();
        let error = from_slice::<Node>(&out).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Limit { what: "levels of containers", limit: 256 }));
    });
}

/// As many bytes as 60 fields have.
#[derive(Debug)]
struct Wide([u64; 170]);

impl Default for Wide {
    fn default() -> Self {
        Self([0; 170])
    }
}

impl<'de> Decode<'de> for Wide {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        d.i64().map(|value| Self([value.cast_unsigned(); 170]))
    }
}

impl Encode for Wide {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        e.i64(self.0[0].cast_signed());
        Ok(())
    }
}

#[test]
fn recursion_of_large_types_ends_in_an_error_before_the_stack_does() {
    #[derive(Debug, Default, Hessian)]
    #[hessian(class = "A")]
    struct Chain {
        next: Option<Box<Self>>,
        wide: Wide,
    }
    #[derive(Debug, Default, Hessian)]
    #[hessian(class = "A")]
    struct Tree {
        next: Vec<Self>,
        wide: Wide,
    }
    on_small_stack(2048, || {
        let chain = |len| {
            (1..len).fold(Chain::default(), |next, _| Chain { next: Some(next.into()), ..Chain::default() })
        };
        assert!(from_slice::<Chain>(&to_vec(&chain(90)).unwrap()).is_ok());
        let deep = to_vec(&chain(250)).unwrap();
        let error = from_slice::<Chain>(&deep).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Limit { what: "bytes of types inside each other", .. }),
            "{error}"
        );
        let tree = (1..120).fold(Tree::default(), |next, _| Tree { next: vec![next], ..Tree::default() });
        let error = from_slice::<Tree>(&to_vec(&tree).unwrap()).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Limit { what: "bytes of types inside each other", .. }),
            "{error}"
        );
    });
}

#[test]
fn references_cannot_multiply_without_end() {
    for row in rows().iter().filter(|row| row.name.starts_with("ref_billion")) {
        let bytes = row.bytes();
        let value = Value::parse(&bytes).unwrap();
        assert_eq!(value, Value::parse(&bytes).unwrap());
        type Nested<T> = Vec<Option<T>>;
        #[derive(Debug)]
        struct Tree(#[expect(dead_code, reason = "built to be bounded")] Nested<Self>);
        impl<'de> Decode<'de> for Tree {
            fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
                match d.peek() {
                    Some(Kind::String) => d.skip().map(|()| Self(vec![])),
                    _ => d.read().map(Self),
                }
            }
        }
        let result = from_slice::<Tree>(&bytes);
        if row.name != "ref_billion_laughs_10" {
            assert!(matches!(result.unwrap_err().kind(), ErrorKind::Limit { .. }), "{}", row.name);
        }
    }
}

#[test]
fn a_cycle_is_kept_by_values_and_refused_by_types() {
    let list = unhex("795190");
    let value = Value::parse(&list).unwrap();
    assert!(value.root().at(0).is_same(value.root()));
    assert_eq!(to_vec(&value).unwrap(), list);
    assert_eq!(format!("{value:?}"), "[&0]");
    assert_eq!(value, Value::parse(&unhex("7979 5190")).unwrap(), "infinitely nested lists, both");
    let error = from_slice::<Vec<Vec<i32>>>(&list).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Cycle { index: 0 }));
    assert_eq!(to_vec(&Value::parse(b"H\x04self\x51\x90Z").unwrap()).unwrap(), b"H\x04self\x51\x90Z");
}

/// An object, or text.
struct Any;

impl<'de> Decode<'de> for Any {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        if d.peek() == Some(Kind::String) {
            d.str().map(drop)?
        } else {
            d.object(&[]).map(drop)?
        }
        Ok(Self)
    }
}

#[test]
fn the_limit_of_bytes_counts_text_and_binaries_alike_whether_they_are_read_or_skipped() {
    let mut limits = Limits::default();
    limits.bytes = 6;
    for (bytes, fits) in [
        (&b"S\0\x06abcdef"[..], true),
        (b"R\0\x03abc\x30\x03def", true),
        (b"R\0\x03abc\x04defg", false),
        (b"\x02\xed\xa0\xbd\xed\xb8\x80", true),
        (b"\x03\xed\xa0\xbd\xed\xb8\x80a", false),
        (b"R\0\x01\xed\xa0\xbd\x01\xed\xb8\x80", true),
        (b"B\0\x06abcdef", true),
        (b"A\0\x03abc\x34\x03def", true),
        (b"A\0\x03abc\x24defg", false),
    ] {
        let mut state = DecodeState::with_limits(limits.clone());
        assert_eq!(Decoder::new(bytes, &mut state).read::<Value>().is_ok(), fits, "{bytes:x?} is read");
        state.reset();
        assert_eq!(Decoder::new(bytes, &mut state).skip().is_ok(), fits, "{bytes:x?} is skipped");
    }
}

#[test]
fn a_name_with_half_a_surrogate_pair_is_an_error_whether_it_is_read_or_skipped() {
    for bytes in [
        &b"C\x01\xed\xa0\xbd\x90\x60"[..],
        b"C\x01A\x91\x01\xed\xa0\xbd\x60\x91",
        b"C\x01A\x91R\0\x01\xed\xa0\xbd\x00\x60\x91",
        b"\x70\x01\xed\xb8\x80",
        b"M\x01\xed\xb8\x80Z",
    ] {
        let mut state = DecodeState::new();
        let skipped = Decoder::new(bytes, &mut state).skip().unwrap_err();
        let read = Value::parse(bytes).unwrap_err();
        assert_eq!((skipped.kind(), read.kind()), (&ErrorKind::LoneSurrogate, &ErrorKind::LoneSurrogate));
    }
    let pair = b"\x70R\0\x01\xed\xa0\xbd\x01\xed\xb8\x80";
    assert_eq!(Value::parse(pair).unwrap().root().type_name(), Some("\u{1f600}"));
}

#[test]
fn text_that_references_make_again_is_charged() {
    // 50 references to a list of 10 KB: 10 KB of input become 512 KB of text.
    let text = [&b"\x79S\x28\0"[..], &[b'a'; 0x2800]].concat();
    let body = [&b"\x58\xc8\x33"[..], &text, &b"\x51\x91".repeat(50)].concat();
    let mut limits = Limits::default();
    (limits.memory_factor, limits.memory_floor) = (64, 0);
    let read = |limits: &Limits| {
        let mut state = DecodeState::with_limits(limits.clone());
        Decoder::new(&body, &mut state).read::<Vec<Vec<String>>>()
    };
    assert_eq!(read(&limits).unwrap().len(), 51);
    limits.memory_factor = 32;
    let error = read(&limits).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Limit { what: "bytes of memory", .. }));
}

#[test]
fn every_limit_is_enforced() {
    type Read = fn(&mut Decoder<'_, '_>) -> Result<()>;
    let untyped: [Read; 3] =
        [|d| d.read::<Value>().map(drop), |d| Values::read(d, 1).map(drop), |d| d.skip()];
    let fails_for = |readers: &[Read], change: &dyn Fn(&mut Limits), bytes: &[u8], what: &str| {
        let mut limits = Limits::default();
        change(&mut limits);
        let mut state = DecodeState::with_limits(limits);
        for read in readers {
            state.reset();
            let error = read(&mut Decoder::new(bytes, &mut state)).unwrap_err();
            assert!(
                matches!(error.kind(), ErrorKind::Limit { what: found, .. } if *found == what),
                "{error}"
            );
        }
    };
    let fails = |change: fn(&mut Limits), bytes: &[u8], what: &str| {
        fails_for(&untyped, &change, bytes, what);
        fails_for(&[|d| d.read::<Vec<Any>>().map(drop)], &change, bytes, what);
    };
    fails(|limits| limits.depth = 0, b"\x79\x78", "levels of containers");
    fails(|limits| limits.classes = 1, b"\x79C\x01A\x90C\x01B\x90\x60", "class definitions");
    fails(|limits| limits.fields = 1, b"\x79C\x01A\x92\x01a\x01b\x60", "fields of a class");
    let ints = |change: fn(&mut Limits), bytes: &[u8], what: &str| {
        fails_for(&untyped, &change, bytes, what);
    };
    ints(|limits| limits.items = 2, b"\x7b\x90\x90\x90", "items in a list or map");
    ints(|limits| limits.items = 2, b"W\x90\x90\x90Z", "items in a list or map");
    ints(|limits| limits.nodes = 5, b"\x7a\x7a\x90\x90\x7a\x90\x90", "values in a body");
    ints(|limits| limits.nodes = 5, b"W\x7a\x90\x90\x7a\x90\x90Z", "values in a body");
    fails(|limits| limits.nodes = 3, b"\x7aC\x01A\x92\x01a\x01b\x60\x90\x90\x60\x90\x90", "values in a body");
    fails(|limits| limits.bytes = 3, b"\x79\x04abcd", "bytes in a string or binary");
    fails(|limits| limits.bytes = 3, b"\x79R\0\x02abS\0\x02cd", "bytes in a string or binary");
    let mut limits = Limits::default();
    limits.bytes = 3;
    let mut state = DecodeState::with_limits(limits);
    assert!(Decoder::new(b"\x24abcd", &mut state).read::<Vec<u8>>().is_err());
    let mut limits = Limits::default();
    limits.expanded = 3;
    let mut state = DecodeState::with_limits(limits);
    let error =
        Decoder::new(b"\x7b\x7a\x91\x92\x51\x91\x51\x91", &mut state).read::<Vec<Vec<i32>>>().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Limit { what: "bytes read again through references", .. }));
    let too_large = |limits: &Limits, bytes: &[u8]| {
        let mut state = DecodeState::with_limits(limits.clone());
        let map = Decoder::new(bytes, &mut state).read::<Vec<HashMap<i32, i32>>>().unwrap_err();
        state.reset();
        let skipped = Decoder::new(bytes, &mut state).skip();
        (map.kind().clone(), skipped.is_err())
    };
    let mut limits = Limits::default();
    limits.items = 1;
    let kind = ErrorKind::Limit { what: "items in a list or map", limit: 1 };
    assert_eq!(too_large(&limits, b"\x79H\x90\x90\x91\x90Z"), (kind, true));
    let mut limits = Limits::default();
    limits.nodes = 8;
    let kind = ErrorKind::Limit { what: "values in a body", limit: 8 };
    // Three items, two values of the first map, and the same again for each reference; skipping follows none.
    assert_eq!(too_large(&limits, b"\x7bH\x90\x90Z\x51\x91\x51\x91"), (kind, false));
    let mut limits = Limits::default();
    (limits.memory_factor, limits.memory_floor) = (1, 0);
    let mut state = DecodeState::with_limits(limits);
    let error = Decoder::new(b"\x7a\x91\x92", &mut state).read::<Vec<i64>>().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Limit { what: "bytes of memory", .. }));
}

/// Units of three bytes for which two or one would do, at each place of short and long text.
#[test]
fn text_with_a_longer_form_than_needed_is_an_error_whether_it_is_read_or_skipped() {
    for units in 1..=31 {
        for at in 0..units {
            let mut body = vec![units as u8];
            body.extend("中".repeat(units).bytes());
            for lead in [[0xe0, 0x80, 0x80], [0xe0, 0x9f, 0xbf]] {
                body[1 + 3 * at..][..3].copy_from_slice(&lead);
                let read = from_slice::<String>(&body).unwrap_err();
                assert!(matches!(read.kind(), ErrorKind::Text { .. }), "{read}");
                let skipped = from_slice::<()>(&body).unwrap_err();
                assert_eq!(skipped.to_string(), read.to_string());
                let value = Value::parse(&body).unwrap_err();
                assert_eq!(value.to_string(), read.to_string());
            }
        }
    }
}

/// Numbers and dates that end early, in each form.
#[test]
fn a_scalar_that_ends_early_is_an_error_and_a_whole_one_ends_where_reading_ends_when_skipped() {
    for tag in 0..=u8::MAX {
        let mut body = [0_u8; 12];
        body[0] = tag;
        let mut state = DecodeState::new();
        let mut d = Decoder::new(&body, &mut state);
        if d.read::<Value>().is_err()
            || !matches!(tag, 0x38..=0x3f | 0x44..=0x4e | 0x54 | 0x59..=0x5f | 0x80..)
        {
            continue;
        }
        let end = d.position();
        let skipped = |len: usize| {
            let mut state = DecodeState::new();
            let mut d = Decoder::new(&body[..len], &mut state);
            d.skip().map(|()| d.position())
        };
        assert_eq!(skipped(body.len()).unwrap(), end, "{tag:#x}");
        for len in 1..end {
            assert!(skipped(len).is_err(), "{tag:#x}, {len} bytes");
        }
    }
}
