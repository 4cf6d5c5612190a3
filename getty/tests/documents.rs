//! What the documentation says of the code is so: tests that it names exist, and defaults are those that it gives.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

use std::{collections::BTreeMap, fs, path::Path};

use getty::Limits;

const DEFECTS: &str = include_str!("../docs/defects.md");
const README: &str = include_str!("../README.md");

#[test]
fn every_defect_has_a_test_that_exists_or_cannot_happen() {
    let mut wrong = Vec::new();
    let rows = rows(DEFECTS);
    assert!(rows.len() > 50, "there are {} rows", rows.len());
    for (row, expected) in rows.iter().zip(1..) {
        let (number, here) = (row[0], row[row.len() - 1]);
        assert_eq!(number, expected.to_string());
        let tests = tests_in(here);
        if tests.is_empty() && !here.starts_with("Cannot happen: ") {
            wrong.push(format!("{number} has neither a test nor a reason"));
        }
        for (file, name) in tests {
            if !is_test(file, name) {
                wrong.push(format!("{number} names {file}::{name}, which is no test"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_limit_stands_in_the_readme_with_its_default() {
    let section = README.split("\n## ").find(|section| section.starts_with("Limits\n")).unwrap();
    let said: BTreeMap<_, _> = rows(section)
        .into_iter()
        .filter(|row| row[0].starts_with('`') && !row[0].contains("::") && row[0] != "`Pool`")
        .map(|row| (row[0].trim_matches('`').to_owned(), value(row[1])))
        .collect();
    let text = format!("{:?}", Limits::default());
    let fields = text.strip_prefix("Limits { ").and_then(|text| text.strip_suffix(" }")).unwrap();
    let real: BTreeMap<_, _> = fields
        .split(", ")
        .map(|field| {
            let (name, value) = field.split_once(": ").unwrap();
            let value = value.strip_prefix("Some(").and_then(|some| some.strip_suffix(')')).unwrap_or(value);
            (name.to_owned(), value.to_owned())
        })
        .collect();
    assert_eq!(said, real);
}

/// The cells of all rows of all tables, but for their heads.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines: Vec<_> = text.lines().collect();
    let is_rule = |line: &str| line.starts_with("|---");
    lines
        .iter()
        .enumerate()
        .filter(|(at, line)| {
            let before_rule = lines.get(at + 1).is_some_and(|next| is_rule(next));
            line.starts_with("| ") && !is_rule(line) && !before_rule
        })
        .map(|(_, line)| line.trim_start_matches("| ").trim_end_matches(" |").split(" | ").collect())
        .collect()
}

/// What stands between backticks as `file::name`.
fn tests_in(cell: &str) -> Vec<(&str, &str)> {
    let is_lower = |text: &str| text.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '/' | '-'));
    cell.split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|code| code.split_once("::"))
        .filter(|(file, name)| is_lower(file) && is_lower(name))
        .collect()
}

fn is_test(file: &str, name: &str) -> bool {
    let getty = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = if file.contains('/') { getty.parent().unwrap().to_owned() } else { getty.join("tests") };
    let Ok(text) = fs::read_to_string(folder.join(format!("{file}.rs"))) else { return false };
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let Some(at) = lines.iter().position(|line| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("fn ")
            .and_then(|line| line.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with('('))
    }) else {
        return false;
    };
    let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
    attributes.into_iter().any(|line| line.starts_with("#[test") || line.starts_with("#[tokio::test"))
}

/// What `Debug` prints for a default such as `8 MiB + 64 KiB`, `3 s` or `none`.
fn value(said: &str) -> String {
    match said {
        "none" => return "None".to_owned(),
        "yes" => return "true".to_owned(),
        _ => {}
    }
    if let Some(seconds) = said.strip_suffix(" s") {
        return format!("{seconds}s");
    }
    let part = |part: &str| {
        let (number, unit) = part.split_once(' ').unwrap_or((part, ""));
        let unit = match unit {
            "" => 1,
            "KiB" => 1024,
            "MiB" => 1024 * 1024,
            other => panic!("{other} is no unit"),
        };
        number.replace(',', "").parse::<u64>().unwrap() * unit
    };
    said.split(" + ").map(part).sum::<u64>().to_string()
}
