//! Owns the end-to-end test of `benchmark idle`. Bounded by counts, not by figures: those are the machine's.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

use std::process::{Command, Output};

/// With so many descriptors at most.
fn idle(descriptors: u32, arguments: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_benchmark");
    let script = format!("ulimit -n {descriptors} && exec '{program}' idle {arguments}");
    Command::new("sh").args(["-c", &script]).output().unwrap()
}

#[test]
fn it_says_what_connections_cost_and_how_many_descriptors_allow_and_ends_as_its_goals_say() {
    let output = idle(160, "--sessions 1000 --peers getty,tokio --seconds 1");
    let (table, said) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(said.contains("60 connections in the place of 1000"), "{said}");
    assert!(table.starts_with("60 idle connections"), "{table}");
    let row = |peer: &str| table.lines().filter(|line| line.starts_with(peer)).count();
    assert_eq!((row("getty "), row("tokio ")), (1, 1), "{table}");
    assert_eq!(table.matches("goal: getty").count(), 2, "{table}");
    let missed = table.contains("MISSED");
    assert_eq!(output.status.code(), Some(i32::from(missed)), "{table}");
}

#[test]
fn without_descriptors_for_a_connection_it_says_so() {
    let output = idle(90, "--peers tokio --seconds 1");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("allows 90 open files"), "{said}");
}
