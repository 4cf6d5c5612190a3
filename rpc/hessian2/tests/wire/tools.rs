//! What the examples print, and how they end.

use crate::conformance;
use crate::hostile::on_small_stack;

const FILES: [&str; 4] =
    ["hessian2_java_vectors", "hessian2_testhessian2_vectors", "hessian2_go_vectors", "hessian2_malformed"];

fn conformance(files: &[String]) -> (bool, String) {
    let mut out = Vec::new();
    let passed = conformance::run(files, &mut out).unwrap();
    (passed, String::from_utf8(out).unwrap())
}

fn file(name: &str, text: &[u8]) -> String {
    let path = format!("{}/{name}.jsonl", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn conformance_passes_every_row_of_the_vector_files() {
    let files = FILES.map(|name| format!("{}/tests/vectors/{name}.jsonl", env!("CARGO_MANIFEST_DIR")));
    let (passed, out) = conformance(&files);
    assert!(passed, "{out}");
    assert!(!out.contains("FAILED"));
    let counts: Vec<&str> = out.lines().filter(|line| line.starts_with("  all: ")).collect();
    assert_eq!(
        counts,
        [
            "  all: 384 of 384; 3 end in an error, 3 have no bytes",
            "  all: 200 of 200; 0 end in an error, 0 have no bytes",
            "  all: 128 of 128; 0 end in an error, 1 have no bytes",
            "  all: 68 of 68; 48 end in an error, 0 have no bytes",
        ]
    );
    let excepted: Vec<&str> =
        out.lines().filter_map(|line| line.strip_prefix("except ")?.split(':').next()).collect();
    assert_eq!(excepted, ["binary_inputstream", "binary_inputstream_9000", "raw_bytebuffer_parts"]);
    assert!(out.contains("\n  double: 44 of 44\n") && out.contains("\n  time_compact: 4 of 4\n"), "{out}");
}

#[test]
fn conformance_names_every_row_that_falls_short_and_fails() {
    let good =
        r#"{"name": "good", "hex": "91", "tree": {"t": "int", "v": "1"}, "verify": "equal", "new": [{}]}"#;
    let lines = [
        good,
        "",
        r#"{"name": "other_value", "hex": "92", "tree": {"t": "int", "v": "1"}, "verify": "equal"}"#,
        r#"{"name": "other_width", "hex": "e1", "tree": {"t": "int", "v": "1"}}"#,
        r#"{"name": "not_shortest", "hex": "4900000001", "tree": {"t": "int", "v": "1"}, "verify": "equal"}"#,
        r#"{"name": "not_shortest_but_allowed", "hex": "4900000001", "tree": {"t": "int", "v": "1"}}"#,
        r#"{"name": "two_values", "hex": "9191", "tree": {"t": "int", "v": "1"}}"#,
        r#"{"name": "cut", "hex": "0361", "tree": {"t": "string", "v": "abc"}}"#,
        r#"{"name": "cut_but_promises_nothing", "hex": "0361"}"#,
        r#"{"name": "cut_but_equal", "hex": "0361", "verify": "equal"}"#,
        r#"{"name": "copy_for_reference", "hex": "7a7878", "tree": {"t": "list", "type": null, "items":
            [{"t": "list", "type": null, "items": []}, {"t": "ref", "i": 1}]}}"#,
        r#"{"name": "reference", "hex": "7a785191", "tree": {"t": "list", "type": null, "items": [{"t": "list", "type": null, "items": []}, {"t": "ref", "i": 1}]}, "verify": "equal"}"#,
        r#"{"name": "ref_nowhere", "hex": "79785191", "tree": {"t": "list", "type": null, "items": [{"t": "ref", "i": 7}]}}"#,
        r#"{"name": "new_kind", "hex": "91", "tree": {"t": "quaternion", "v": 1}}"#,
        r#"{"name": "half_a_tree", "hex": "78", "tree": {"t": "list"}}"#,
        r#"{"name": "odd_hex", "hex": "919"}"#,
        r#"{"name": "no_hex", "hex": "9z", "tree": {"t": "int", "v": "1"}}"#,
        r#"{"name": "no_bytes", "hex": null, "verify": "encode_error"}"#,
        r#"{"name": "strange_recipe", "recipe": "eggs"}"#,
        r#"{"name": "recipe_without_number", "recipe": "79*N + 4e"}"#,
        "{broken",
        "[]",
    ];
    let text = lines.map(|line| line.replace('\n', "")).join("\n");
    let (passed, out) = conformance(&[file("wrong", &[text.as_bytes(), b"\n\xff\xfe\n"].concat())]);
    assert!(!passed);
    let failed: Vec<&str> = out
        .lines()
        .filter_map(|line| line.strip_prefix("FAILED "))
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        failed,
        [
            "other_value:",
            "other_width:",
            "not_shortest:",
            "two_values:",
            "cut:",
            "cut_but_equal:",
            "copy_for_reference:",
            "ref_nowhere:",
            "new_kind:",
            "half_a_tree:",
            "odd_hex:",
            "no_hex:",
            "strange_recipe:",
            "recipe_without_number:",
            "line",
            "line",
            "line",
        ],
        "{out}"
    );
    assert!(out.contains("not_shortest: has other bytes once it is written: 91 instead of 49 at 0"), "{out}");
    assert!(out.contains("FAILED line 21: is no row"), "{out}");
    assert!(out.ends_with("  all: 5 of 22; 1 end in an error, 1 have no bytes\n"), "{out}");
}

#[test]
fn conformance_takes_rows_of_any_size_and_depth_and_files_that_are_not_there() {
    let items = r#"{"t": "int", "v": "0"},"#.repeat(100_000);
    let huge = format!(
        r#"{{"name": "huge", "hex": "58d586a0{}", "tree": {{"t": "list", "type": null, "items": [{}]}}, "verify": "equal"}}"#,
        "90".repeat(100_000),
        items.trim_end_matches(',')
    );
    let deep = format!(
        r#"{{"name": "deep", "hex": "{}4e", "tree": {}{{"t": "null"}}{}}}"#,
        "79".repeat(200),
        r#"{"t": "list", "type": null, "items": ["#.repeat(200),
        "]}".repeat(200)
    );
    let bottomless = format!(r#"{{"name": "bottomless", "hex": "4e", "tree": {}"#, "[".repeat(1_000_000));
    on_small_stack(16 << 10, move || {
        let (passed, out) = conformance(&[file("large", [huge, deep].join("\n").as_bytes())]);
        assert!(passed, "{out}");
        let (passed, out) = conformance(&[file("bottomless", bottomless.as_bytes())]);
        assert!(!passed && out.contains("FAILED line 1: is no row: 1000001 levels"), "{out}");
    });
    let (passed, out) = conformance(&[file("good", b""), "no/such/file.jsonl".to_owned()]);
    assert!(!passed && out.contains("FAILED no/such/file.jsonl: "), "{out}");
}
