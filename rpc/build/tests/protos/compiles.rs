//! That rustc and rustdoc take what is made, without a warning. `getty_rpc` is played by a crate with the few names that the
//! generated code uses, so that this shows what it may rely on.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use crate::support::Project;

const PROTO: &str = include_str!("compiles/greeter.proto");
const COMMON: &str = include_str!("compiles/common.proto");

/// The crates beside the generated files: path, text.
const CRATES: [(&str, &str); 7] = [
    ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"macros\", \"rpc\", \"user\"]\n"),
    (
        "macros/Cargo.toml",
        "[package]\nname = \"macros\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[lib]\nproc-macro = true\n",
    ),
    ("macros/src/lib.rs", include_str!("compiles/macros.rs")),
    (
        "rpc/Cargo.toml",
        "[package]\nname = \"getty_rpc\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\nmacros = { path = \"../macros\" }\nprost = \"0.14\"\nprost-types = \"0.14\"\n",
    ),
    ("rpc/src/lib.rs", include_str!("compiles/rpc.rs")),
    (
        "user/Cargo.toml",
        "[package]\nname = \"user\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\ngetty_rpc = { path = \"../rpc\" }\n",
    ),
    ("user/src/lib.rs", include_str!("compiles/user.rs")),
];

#[test]
fn what_is_made_compiles_and_its_docs_build_without_a_warning_and_run_no_example() {
    let greeter = PROTO.replace("{RTL}", "\u{202e}").replace("{CR}", "\r");
    let project = Project::new("compiles", &[("greeter.proto", &greeter), ("common.proto", COMMON)]);
    let builder = getty_build::configure()
        .version("com.x.Greeter", "1.0.0")
        .exception("com.x.Greeter.Check", "crate::NotFound")
        .include_file("protos.rs");
    project.compile(builder).unwrap();

    for (path, text) in CRATES {
        let path = project.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    // The same versions as here, which need no network.
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    fs::copy(lock, project.root.join("Cargo.lock")).unwrap();

    succeeds(cargo(&project.root, &["test", "--package=user"]));
    succeeds(cargo(&project.root, &["doc", "--package=user", "--no-deps"]));
}

fn cargo(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--offline")
        .current_dir(directory)
        // Outside of the directory, which each run makes anew.
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiles_target"))
        .env("RUSTDOCFLAGS", "-Dwarnings")
        .output()
        .unwrap()
}

fn succeeds(output: Output) {
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", shown(&output.stdout), shown(&output.stderr));
}
