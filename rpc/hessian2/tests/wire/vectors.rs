//! Values against the bytes of Java, Go and Caucho: what they decode to, and that they are written the same way.

use crate::conformance::{Outcome, judge};
use crate::tree::{read, rows};

/// Checks all rows of a file and gives how many came out byte for byte, and the names of the others.
fn check_file(file: &str) -> (usize, Vec<String>) {
    let text = read(file);
    let mut same = 0;
    let mut others = Vec::new();
    for row in rows(&text) {
        match judge(&row) {
            Outcome::Passed { same: true } => same += 1,
            Outcome::Failed(why) => panic!("{} {why}", row.name),
            _ => others.push(row.name),
        }
    }
    (same, others)
}

#[test]
fn java_values_decode_to_their_trees_and_come_out_byte_for_byte() {
    let (same, others) = check_file("hessian2_java_vectors");
    assert_eq!(
        others,
        [
            "binary_inputstream",
            "binary_inputstream_9000",
            "optional_present",
            "optional_empty",
            "thread_not_serializable",
            "raw_call",
            "raw_fault",
            "raw_reply",
            "raw_bytebuffer_parts",
        ],
        "streams, rows without bytes, and messages that are no values"
    );
    assert_eq!(same, 375);
}

#[test]
fn values_of_the_test_suites_decode_to_their_trees_and_come_out_byte_for_byte() {
    assert_eq!(check_file("hessian2_testhessian2_vectors"), (200, vec![]));
}

#[test]
fn go_values_decode_to_their_trees() {
    // The others hold choices that only Go makes: dates, doubles, text chunks.
    assert_eq!(check_file("hessian2_go_vectors").0, 91);
}
