//! Values against the bytes of Java, Go and Caucho: what they decode to, and that they are written the same way.

use getty_hessian2::{DecodeState, Decoder, EncodeState, Encoder, Value};

use crate::malformed::unhex;
use crate::tree::{Row, check, read, rows};

/// All values of a body. Each is skipped first, to see that skipping ends where reading ends.
fn decode(bytes: &[u8]) -> Vec<Value> {
    let mut state = DecodeState::new();
    let mut d = Decoder::new(bytes, &mut state);
    let mut values = Vec::new();
    while d.remaining() > 0 {
        let start = d.mark();
        d.skip().unwrap();
        let skipped_to = d.position();
        d.rewind(start);
        values.push(d.read().unwrap());
        assert_eq!(d.position(), skipped_to);
    }
    values
}

fn encode(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut state = EncodeState::new();
    state.begin(&out);
    let mut e = Encoder::new(&mut out, &mut state);
    values.iter().try_for_each(|value| e.write(value)).unwrap();
    out
}

fn must_be_identical(row: &Row<'_>) -> bool {
    matches!(row.verify.as_deref(), Some("equal" | "reencode-equal"))
}

/// Checks all rows of a file and gives how many have a tree, and how many come out byte for byte.
fn check_file(file: &str, identical: impl Fn(&Row<'_>) -> bool) -> (usize, usize) {
    let text = read(file);
    let (mut with_tree, mut same) = (0, 0);
    for row in rows(&text) {
        let Some(bytes) = row.hex.as_deref().map(unhex) else { continue };
        if row.tree.is_none() && !identical(&row) {
            continue;
        }
        let values = decode(&bytes);
        if let Some(tree) = &row.tree {
            with_tree += 1;
            let trees = tree.values.as_deref().unwrap_or(std::slice::from_ref(tree));
            assert_eq!(trees.len(), values.len(), "{}", row.name);
            let mut seen = Vec::new();
            for (tree, value) in trees.iter().zip(&values) {
                check(tree, value.root(), &mut seen).unwrap_or_else(|error| panic!("{}: {error}", row.name));
            }
        }
        let again = encode(&values);
        assert_eq!(decode(&again), values, "{}", row.name);
        if identical(&row) {
            assert!(again == bytes, "{}: other bytes than the original", row.name);
        }
        same += usize::from(again == bytes);
    }
    (with_tree, same)
}

#[test]
fn java_values_decode_to_their_trees_and_come_out_byte_for_byte() {
    // The five others: streams and parts of binaries, and a reference from one value into another.
    assert_eq!(check_file("hessian2_java_vectors", must_be_identical), (373, 374));
}

#[test]
fn values_of_the_test_suites_decode_to_their_trees_and_come_out_byte_for_byte() {
    assert_eq!(check_file("hessian2_testhessian2_vectors", |_| true), (200, 200));
}

#[test]
fn go_values_decode_to_their_trees() {
    // The others hold choices that only Go makes: dates, doubles, text chunks.
    assert_eq!(check_file("hessian2_go_vectors", |_| false), (126, 91));
}
