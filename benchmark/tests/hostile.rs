//! Owns the end-to-end tests of `benchmark hostile`. Bounded by counts, not by figures: those are the machine's.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

use std::process::{Command, Output};

/// With so many descriptors at most.
fn hostile(descriptors: u32, arguments: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_benchmark");
    let script = format!("ulimit -n {descriptors} && exec '{program}' hostile {arguments}");
    Command::new("sh").args(["-c", &script]).output().unwrap()
}

#[test]
fn it_compares_each_attack_and_no_honest_call_fails_and_it_ends_as_its_goals_say() {
    let output = hostile(1000, "--rounds 1 -n 100 --crowd 40");
    let (table, said) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(said, "");
    let rows: Vec<_> = table.lines().skip(3).collect();
    let expected = [
        ("echo      nobody ", None, false),
        ("echo      a busy client ", Some("nobody"), false),
        ("echo      a flood of tiny frames ", Some("a busy client"), true),
        ("echo      silent peers ", Some("nobody"), true),
        ("echo      a frame a second ", Some("nobody"), false),
        ("echo      a header byte a second ", Some("a frame a second"), true),
        ("echo      readers that keep up ", Some("nobody"), false),
        ("echo      slow readers ", Some("readers that keep up"), true),
        ("handshake nobody ", None, false),
        ("handshake handshakes without end ", Some("nobody"), true),
    ];
    assert_eq!(rows.len(), expected.len(), "{table}");
    for (row, (begin, instead, has_goal)) in rows.iter().zip(expected) {
        let figures = row.strip_prefix(begin).unwrap_or_else(|| panic!("{begin:?} was expected: {row}"));
        let figures: Vec<_> = figures.split_whitespace().collect();
        let [calls, errors, p50, p99, ..] = figures[..] else { panic!("{row}") };
        assert_eq!(errors, "0", "{table}");
        for figure in [calls, p50, p99] {
            assert!(figure.parse::<f64>().unwrap() > 0.0, "{table}");
        }
        assert!(instead.is_none_or(|instead| row.contains(&format!("   {instead} "))), "{table}");
        assert_eq!(row.ends_with("met") || row.ends_with("MISSED"), has_goal, "{table}");
    }
    let missed = table.contains("MISSED");
    assert_eq!(output.status.code(), Some(i32::from(missed)), "{table}");
}

#[test]
fn without_descriptors_for_the_crowd_it_says_so() {
    let output = hostile(200, "--crowd 101");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("allows 200 open files"), "{said}");
}
