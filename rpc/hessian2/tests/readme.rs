//! What the README says of defaults. Its examples run with the documentation of the crate.

use getty_hessian2::Limits;

const README: &str = include_str!("../README.md");

#[test]
fn the_readme_gives_the_default_of_each_limit() {
    let limits = Limits::default();
    let kib = |bytes: usize| format!("{} KiB", bytes >> 10);
    let mib = |bytes: usize| format!("{} MiB", bytes >> 20);
    for (names, default) in [
        ("`depth`", limits.depth.to_string()),
        ("`stack`", kib(limits.stack)),
        ("`items`", with_commas(limits.items)),
        ("`nodes`", with_commas(limits.nodes)),
        ("`classes`", with_commas(limits.classes as usize)),
        ("`fields`", with_commas(limits.fields as usize)),
        ("`bytes`", mib(limits.bytes)),
        ("`expanded`", mib(limits.expanded)),
        (
            "`memory_factor`, `memory_floor`",
            format!("{}, {}", limits.memory_factor, mib(limits.memory_floor)),
        ),
        ("`cache`", kib(limits.cache)),
    ] {
        let row = format!("| {names} | {default} |");
        assert!(README.contains(&row), "the README has no row that begins with {row}");
    }
}

fn with_commas(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}
