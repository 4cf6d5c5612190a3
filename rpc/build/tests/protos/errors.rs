//! What is said of `.proto` files that are wrong, and of settings for what is not there.

use getty_build::Error;

use crate::support::{Project, refused, refused_with};

#[test]
fn a_name_that_is_not_defined_is_shown_where_it_stands() {
    assert_eq!(
        refused("undefined", "syntax = \"proto3\";\npackage com.x;\nmessage M {\n  Bar bar = 1;\n}\n"),
        "\
proto/greeter.proto:4:3: name 'Bar' is not defined
  |
4 |   Bar bar = 1;
  |   ^^^ found here"
    );
}

#[test]
fn all_that_is_wrong_is_shown() {
    let shown = refused("several", "syntax = \"proto3\";\nmessage M { A a = 1; B b = 1; }\n");
    for part in ["name 'A' is not defined", "name 'B' is not defined", "greeter.proto:2:13"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}

#[test]
fn text_that_is_no_protobuf_is_shown_where_it_stands() {
    let shown = refused("syntax", "syntax = \"proto3\";\nmesage M {}\n");
    assert!(shown.starts_with("proto/greeter.proto:2:1: expected "), "{shown}");
    assert!(shown.contains("2 | mesage M {}\n  | ^^^^^^"), "{shown}");
}

#[test]
fn a_streaming_rpc_is_refused_by_name_whichever_side_streams() {
    for (index, (arguments, result)) in
        [("stream M", "M"), ("M", "stream M"), ("stream M", "stream M")].into_iter().enumerate()
    {
        let text = format!(
            "syntax = \"proto3\";\npackage com.x;\nmessage M {{}}\nservice S {{\n  rpc Watch({arguments}) returns ({result});\n}}\n"
        );
        let shown = refused(&format!("streaming_{index}"), &text);
        assert!(shown.starts_with("proto/greeter.proto:5:7: the rpc `com.x.S.Watch` streams"), "{shown}");
        assert!(shown.contains("  |       ^^^^^"), "{shown}");
    }
}

#[test]
fn an_edition_is_refused_as_such() {
    for edition in ["2023", "2024"] {
        let shown = refused(
            &format!("edition_{edition}"),
            &format!("// A comment.\nedition = \"{edition}\";\npackage com.x;\nmessage M {{}}\n"),
        );
        assert!(shown.starts_with("proto/greeter.proto:2:1: editions are not supported"), "{shown}");
        assert!(shown.contains("write `syntax = \"proto3\";`"), "{shown}");
    }
}

#[test]
fn a_class_of_the_file_that_is_declared_in_it_is_refused_as_protoc_does() {
    let shown = refused(
        "outer_class",
        "syntax = \"proto3\";\noption java_outer_classname = \"M\";\nmessage N { message M {} }\n",
    );
    assert!(shown.starts_with("proto/greeter.proto:2:1: `M` is declared in this file"), "{shown}");
}

#[test]
fn names_that_are_one_in_rust_are_refused() {
    let head = "syntax = \"proto3\";\npackage com.x;\n";
    for (index, (text, expected)) in [
        (
            "message M {}\nservice S { rpc GetURL(M) returns (M); rpc GetUrl(M) returns (M); }",
            "greeter.proto:4:44: the rpcs `GetURL` and `GetUrl` are both `get_url` in Rust",
        ),
        (
            "message GreeterClient {}\nservice Greeter { rpc Do(GreeterClient) returns (GreeterClient); }",
            "greeter.proto:4:9: the message `GreeterClient` and the client of the service `Greeter` are both `GreeterClient` in Rust",
        ),
        (
            "message M {} enum greeter { A = 0; }\nservice Greeter { rpc Do(M) returns (M); }",
            "the enum `greeter` and the trait of the service `Greeter` are both `Greeter` in Rust",
        ),
        (
            "message M {} service A { rpc Do(M) returns (M); } service AServer { rpc Do(M) returns (M); }",
            "the server of the service `A` and the trait of the service `AServer` are both `AServer` in Rust",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let shown = refused(&format!("same_name_{index}"), &format!("{head}{text}\n"));
        assert!(shown.contains(expected), "{shown}");
    }
}

#[test]
fn a_file_or_an_import_that_is_missing_is_named_with_where_it_was_looked_for() {
    let shown = refused("missing_import", "syntax = \"proto3\";\nimport \"other.proto\";\n");
    assert!(shown.starts_with("proto/greeter.proto:2:1: import 'other.proto' not found"), "{shown}");
    assert!(shown.contains("2 | import \"other.proto\";"), "{shown}");
    assert!(
        shown.contains("help: the includes are `proto`; each file and each import must lie in one"),
        "{shown}"
    );

    let error = getty_build::configure().out_dir("x").compile(&["no/such.proto"], &["no"]).unwrap_err();
    assert!(error.to_string().contains("there is no `no/such.proto`"), "{error}");
}

#[test]
fn a_file_outside_of_the_includes_is_named() {
    let project = Project::new("outside", &[("a/m.proto", "syntax = \"proto3\";")]);
    let (file, include) = (project.root.join("proto/a/m.proto"), project.root.join("out"));
    let error = getty_build::configure().out_dir("x").compile(&[file], &[include]).unwrap_err().to_string();
    assert!(error.contains("a/m.proto' is not in any include path"), "{error}");
    assert!(error.contains("/out`; each file and each import must lie in one of them"), "{error}");
}

#[test]
fn a_setting_for_what_is_not_there_says_what_is() {
    let text = "syntax = \"proto3\";\npackage com.x;\nmessage M {}\nservice S { rpc Do(M) returns (M); }\n";
    let configure = getty_build::configure;
    for (index, (builder, expected)) in [
        (
            configure().version("com.x.T", "1"),
            "version(\"com.x.T\", ..) names nothing in the .proto files, which declare `com.x.S`",
        ),
        (
            configure().interface("S", "a.S"),
            "interface(\"S\", ..) names nothing in the .proto files, which declare `com.x.S`",
        ),
        (
            configure().group("com.x.S.Do", "g"),
            "group(\"com.x.S.Do\", ..) names nothing in the .proto files, which declare `com.x.S`",
        ),
        (
            configure().exception("com.x.S", "E"),
            "exception(\"com.x.S\", ..) names nothing in the .proto files, which declare `com.x.S.Do`",
        ),
        (
            configure().exception("com.x.S.Do", "crate:E"),
            "exception(\"com.x.S.Do\", \"crate:E\"): expected a Rust type",
        ),
        (configure().extern_path("com.x.M", "::m::M"), "com.x.M"),
    ]
    .into_iter()
    .enumerate()
    {
        let shown = refused_with(&format!("unknown_{index}"), text, builder);
        assert!(shown.contains(expected), "{shown}");
    }
}

#[test]
fn a_file_that_ends_too_soon_or_is_no_text_is_named() {
    let shown = refused("eof", "syntax = \"proto3\";\nmessage M {\n");
    assert!(shown.starts_with("proto/greeter.proto: expected "), "{shown}");

    let project = Project::new("no_text", &[("m.proto", "")]);
    let file = project.root.join("proto/m.proto");
    std::fs::write(&file, [0xff, 0xfe]).unwrap();
    let error = project.compile(getty_build::configure()).unwrap_err().to_string();
    assert!(error.contains("proto/m.proto: file 'm.proto' is not valid utf-8"), "{error}");
}

#[test]
fn values_of_an_enum_that_are_one_in_rust_are_an_error_and_no_panic() {
    let shown = refused("same_value", "syntax = \"proto3\"; enum E { FOO_BAR = 0; FooBar = 1; }");
    assert!(shown.contains("`FooBar` variant name to be used both by `FOO_BAR` and `FooBar`"), "{shown}");
}

#[test]
fn a_directory_that_cannot_be_written_to_is_an_error() {
    let project = Project::new("unwritable", &[("m.proto", "syntax = \"proto3\"; message M {}")]);
    let (file, include) = (project.root.join("proto/m.proto"), project.root.join("proto"));
    let error =
        getty_build::configure().out_dir(project.root.join("none")).compile(&[file], &[include]).unwrap_err();
    assert!(matches!(error, Error::Generate(_)), "{error}");
}

#[test]
fn the_debug_form_is_the_message_since_a_build_script_shows_that() {
    let project =
        Project::new("debug_form", &[("m.proto", "syntax = \"proto3\";\nmessage M { Bar b = 1; }\n")]);
    let error = project.compile(getty_build::configure()).unwrap_err();
    assert_eq!(format!("{error:?}"), error.to_string());
}
