//! What is written for older peers, against what hessian-lite 3.2.13 made of the same values.

use getty_hessian2::{Dialect, EncodeState, Encoder, Values, to_vec};

use crate::malformed::unhex;
use crate::tree::{read, rows};

/// Rows in which 3.2.13 chose another value, not other bytes for the same one.
const OTHER_VALUES: [(&str, &str); 8] = [
    ("list_of_3", "3.2.13 loses the items of List.of"),
    ("list_of_0", "3.2.13 loses the items of List.of"),
    ("arraylist_sublist", "3.2.13 names a class that hessian-lite 4 leaves out"),
    ("map_of_1", "3.2.13 loses the entries of Map.of"),
    ("map_of_0", "3.2.13 loses the entries of Map.of"),
    ("record_point", "3.2.13 has the fields of records in another order"),
    ("object_plain", "3.2.13 does not write java.lang.Object"),
    ("inet4", "3.2.13 writes addresses without fields"),
];

fn write(values: &Values) -> Vec<u8> {
    let (mut out, mut state) = (Vec::new(), EncodeState::new());
    state.set_dialect(Dialect::HessianLite3);
    state.begin(&out);
    values.write(&mut Encoder::new(&mut out, &mut state)).unwrap();
    out
}

#[test]
fn values_of_java_are_written_as_hessian_lite_3_does() {
    let text = read("hessian2_java_vectors");
    let (mut compared, mut others) = (0, Vec::new());
    for row in rows(&text).into_iter().filter(|row| row.is_exact()) {
        let Some(old) = row.lite_3_2_13.as_deref() else { continue };
        let bytes = row.bytes().unwrap().unwrap();
        let ours = write(&Values::parse(&bytes).unwrap());
        let same = match (old.strip_prefix("hex:"), old.strip_prefix("differs(len=")) {
            (Some(hex), _) => ours == unhex(hex),
            // Binaries that are cut elsewhere: the file has the length only.
            (_, Some(len)) => len.strip_suffix(')') == Some(&*ours.len().to_string()),
            _ => old == "same" && ours == bytes,
        };
        compared += 1;
        if !same {
            others.push(row.name);
        }
    }
    assert_eq!(others, OTHER_VALUES.map(|(name, _)| name));
    assert_eq!(compared, 357);
}

#[test]
fn a_state_keeps_its_dialect_from_body_to_body() {
    let mut state = EncodeState::new();
    assert_eq!(state.dialect(), Dialect::HessianLite4);
    let mut body = |dialect| {
        state.set_dialect(dialect);
        let [first, second] = [0, 1].map(|_| {
            let mut out = Vec::new();
            state.begin(&out);
            Encoder::new(&mut out, &mut state).write(&[1, 2]).unwrap();
            out
        });
        assert_eq!(first, second);
        first
    };
    assert_eq!(body(Dialect::HessianLite3), b"\x72\x13java.util.ArrayList\x91\x92");
    assert_eq!(body(Dialect::HessianLite4), to_vec(&[1, 2]).unwrap());
}

#[test]
fn a_binary_is_cut_at_the_buffer_of_the_dialect() {
    let binary = vec![7_u8; 5_000];
    let mut out = Vec::new();
    let mut state = EncodeState::new();
    state.set_dialect(Dialect::HessianLite3);
    Encoder::new(&mut out, &mut state).bytes(&binary);
    assert_eq!(out[..3], [b'A', 0x0f, 0xfd], "4,093 bytes");
    assert_eq!(to_vec(&binary).unwrap()[..3], [b'B', 0x13, 0x88]);
    assert_eq!(getty_hessian2::from_slice::<Vec<u8>>(&out).unwrap(), binary);
}

/// Found with random values; these are the lengths of both.
#[test]
fn only_the_older_version_begins_a_binary_with_an_empty_buffer() {
    let first_chunk = |dialect, len| {
        let (mut out, mut state) = (Vec::new(), EncodeState::new());
        state.set_dialect(dialect);
        let mut encoder = Encoder::new(&mut out, &mut state);
        encoder.i32(100);
        encoder.bytes(&vec![7; len]);
        [out[2], out[3], out[4]]
    };
    assert_eq!(
        first_chunk(Dialect::HessianLite3, 5_000),
        [b'A', 0x0f, 0xfd],
        "4,093 bytes, as at the beginning"
    );
    assert_eq!(first_chunk(Dialect::HessianLite4, 9_000), [b'A', 0x1f, 0xfb], "8,187 bytes: two are gone");
}

/// Found with random values; these are the bytes of hessian-lite 4.0.4.
#[test]
fn an_empty_binary_where_no_header_of_a_chunk_fits_has_an_empty_chunk_before_it() {
    let end_behind = |len| {
        let bytes = to_vec(&[vec![7_u8; len], Vec::new()]).unwrap();
        bytes[4 + len..].to_vec()
    };
    assert_eq!(end_behind(8_185), [0x20], "three bytes of the buffer are left");
    assert_eq!(end_behind(8_186), [b'A', 0, 0, 0x20], "two are left");
    assert_eq!(end_behind(8_188), [b'A', 0, 0, 0x20], "none is left");
}
