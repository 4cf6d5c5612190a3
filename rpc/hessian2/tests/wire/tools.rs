//! What the examples print, and how they end.

use crate::bombs::bombs;
use crate::conformance;
use crate::dump;
use crate::hostile::on_small_stack;
use crate::malformed::unhex;
use crate::tree;

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
        r#"{"name": "recipe_of_too_much", "recipe": "79*99999999999"}"#,
        r#"{"name": "recipe_3", "recipe": "(57 90)*N + 5a*3", "tree": {"t": "int", "v": "1"}}"#,
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
            "recipe_3:",
            "line",
            "line",
            "line",
        ],
        "{out}"
    );
    assert!(out.contains("not_shortest: has other bytes once it is written: 91 instead of 49 at 0"), "{out}");
    assert!(out.contains("except strange_recipe: unknown recipe"), "{out}");
    assert!(out.contains("FAILED line 23: is no row"), "{out}");
    assert!(out.ends_with("  all: 8 of 24; 1 end in an error, 4 have no bytes\n"), "{out}");
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

fn dump(bytes: &[u8]) -> (bool, String) {
    let mut out = Vec::new();
    let understood = dump::print(bytes, &mut out).unwrap();
    (understood, String::from_utf8(out).unwrap())
}

fn row(name: &str) -> Vec<u8> {
    let text = tree::read("hessian2_java_vectors");
    let rows = tree::rows(&text);
    rows.iter().find(|row| row.name == name).unwrap().bytes().unwrap().unwrap()
}

#[test]
fn dump_annotates_objects_references_types_and_cycles() {
    assert_eq!(dump(&row("node_cycle")), (true, include_str!("golden/node_cycle.txt").to_owned()));
    assert_eq!(
        dump(&row("typeref_shared_list_map")),
        (true, include_str!("golden/typeref_shared_list_map.txt").to_owned())
    );
    assert_eq!(
        dump(&row("compact_list_ld_lt")),
        (true, include_str!("golden/compact_list_ld_lt.txt").to_owned())
    );
    let body = unhex("024f4b 48 0161 4a000000d04b9284b8 01 00 57 5a 5a 5190 79 5f000001f4");
    assert_eq!(dump(&body), (true, include_str!("golden/body.txt").to_owned()));
}

#[test]
fn dump_tells_where_and_why_bytes_are_not_understood() {
    for (hex, line) in [
        ("5791", "0002 error: the bytes end inside a value"),
        ("7a91", "0000 error: 2 items, but 1 bytes are left"),
        ("79 5193", "0001 error: reference to #3: 1 are known"),
        ("71 93 91", "0000 error: type 3: 0 are known"),
        ("61", "0000 error: no such class: 0 are known"),
        ("58 d43000", "0000 error: 12288 items, but 0 bytes are left"),
        ("43 0141 8f", "0000 error: -1 fields, but 0 bytes are left"),
        ("91 40", "0001 error: no value begins with 40"),
        ("5a", "0000 error: no value begins with 5a"),
        ("48 91 5a", "0002 error: no value begins with 5a"),
        ("05 6162", "0000 error: the input ends inside a value"),
    ] {
        let (understood, out) = dump(&unhex(hex));
        assert!(!understood && out.lines().any(|found| found == line), "{hex}: {out}");
    }
}

#[test]
fn dump_goes_over_every_row_and_bomb_on_a_small_stack_and_understands_what_the_codec_reads() {
    on_small_stack(128, || {
        let text = tree::read("hessian2_malformed");
        let rows = tree::rows(&text).into_iter().map(|row| (row.name.clone(), row.bytes().unwrap().unwrap()));
        for (name, bytes) in
            rows.chain(bombs(1_000).into_iter().map(|bomb| (bomb.name.to_owned(), bomb.bytes)))
        {
            let (understood, out) = dump(&bytes);
            assert!(out.len() < 200 * bytes.len() + 10_000, "{name}: {} bytes", out.len());
            if getty_hessian2::Values::parse(&bytes).is_ok() {
                assert!(understood, "{name}: {out:.1000}");
            }
        }
    });
}

#[test]
fn dump_takes_hexadecimal_text_with_white_space() {
    assert_eq!(dump::unhex("7a 91\n 92\t"), Some(vec![0x7a, 0x91, 0x92]));
    assert_eq!(dump::unhex("7a9"), None);
    assert_eq!(dump::unhex("7x"), None);
}
