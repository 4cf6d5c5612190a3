//! The text that is made of `.proto` files: names, documentation, descriptors.

use std::fs;

use crate::support::{Generated, Project, docs, one, one_with};

const GREETER: &str = r#"
syntax = "proto3";
package com.x;
option java_multiple_files = true;

// Who is greeted.
message HelloRequest { string name = 1; }
message HelloReply { string text = 1; }

// Greets people.
//
// In any language.
service Greeter {
  // Says hello.
  rpc SayHello(HelloRequest) returns (HelloReply);
  rpc GetURL(HelloRequest) returns (HelloReply) {} // After it.
}
"#;

#[test]
fn a_service_is_a_trait_with_the_interface_the_methods_and_the_docs_of_the_file() {
    let made = one("service_is_a_trait", GREETER);
    assert_eq!(
        made.service_attributes("Greeter"),
        r#"interface = "com.x.Greeter" , serialization = "protobuf""#
    );
    assert_eq!(docs(&made.service("Greeter").attrs), "Greets people.\n\nIn any language.");
    let methods = made.methods("Greeter");
    let signatures: Vec<_> = methods.iter().map(|method| &*method.signature).collect();
    assert_eq!(
        signatures,
        [
            "async fn say_hello (& self , request : HelloRequest) -> HelloReply",
            "async fn get_url (& self , request : HelloRequest) -> HelloReply"
        ]
    );
    assert_eq!(methods[0].docs, "Says hello.");
    assert_eq!(methods[0].attributes, r#"name = "sayHello""#);
    assert_eq!(methods[1].docs, "After it.");
    assert_eq!(methods[1].attributes, r#"name = "getURL""#);
}

#[test]
fn what_has_no_comment_is_documented_by_its_name() {
    let made = one(
        "no_comment",
        "syntax = 'proto3'; package com.x; message M {} service S { rpc Do(M) returns (M); }",
    );
    assert_eq!(docs(&made.service("S").attrs), "The service `com.x.S`.");
    assert_eq!(made.methods("S")[0].docs, "The rpc `com.x.S.Do`.");
}

#[test]
fn what_rustc_refuses_in_comments_comes_into_no_file() {
    let text = GREETER.replace("Greets people.", "Greets\u{202e} people.\r Or not.");
    let made = one("refused_characters", &text);
    assert!(!made.text.contains(['\u{202e}', '\r']), "{}", made.text);
    assert_eq!(docs(&made.service("Greeter").attrs), "Greets people.\nOr not.\n\nIn any language.");
}

#[test]
fn every_message_has_the_descriptor_of_its_java_class_nested_ones_too_and_entries_of_maps_have_none() {
    let made = one(
        "descriptors",
        r#"
syntax = "proto2";
package com.x;
option java_package = "org.y";
option java_outer_classname = "Outer";
message Request {
  enum Kind { A = 0; }
  message Type { message XMLPart {} optional XMLPart part = 1; }
  map<string, Type> types = 1;
  optional group Extra = 2 { optional int32 id = 1; }
}
"#,
    );
    let descriptors: Vec<_> = made.descriptors().into_iter().collect();
    let expected = [
        ("Request", "Lorg/y/Outer$Request;"),
        ("request::Extra", "Lorg/y/Outer$Request$Extra;"),
        ("request::Type", "Lorg/y/Outer$Request$Type;"),
        ("request::r#type::XmlPart", "Lorg/y/Outer$Request$Type$XMLPart;"),
    ];
    assert_eq!(descriptors, expected.map(|(rust, java)| (rust.to_owned(), java.to_owned())));
}

#[test]
fn settings_of_a_service_and_its_rpcs_stand_in_its_trait() {
    let builder = getty_build::configure()
        .interface("com.x.Greeter", "org.y.GreeterService")
        .version("com.x.Greeter", "1.0.0")
        .group(".com.x.Greeter", "g \"1\"")
        .exception("com.x.Greeter.SayHello", "crate::NotFound");
    let made = one_with("settings", GREETER, builder);
    assert_eq!(
        made.service_attributes("Greeter"),
        r#"interface = "org.y.GreeterService" , version = "1.0.0" , group = "g \"1\"" , serialization = "protobuf""#
    );
    let methods = made.methods("Greeter");
    assert!(
        methods[0].signature.ends_with("-> :: core :: result :: Result < HelloReply , crate :: NotFound >"),
        "{}",
        methods[0].signature
    );
    assert!(methods[1].signature.ends_with("-> HelloReply"));
}

#[test]
fn the_interface_is_in_the_java_package_where_there_is_one() {
    let text = GREETER.replace("option java", "option java_package = \"org.y\";\noption java");
    assert!(one("java_package", &text).service_attributes("Greeter").contains("\"org.y.Greeter\""));
}

#[test]
fn well_known_types_are_those_of_prost_and_their_java_class_stands_at_the_method() {
    let made = one_with(
        "well_known",
        r#"
syntax = "proto3";
package com.x;
import "google/protobuf/empty.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/timestamp.proto";
service S {
  rpc Ping(google.protobuf.Empty) returns (google.protobuf.Empty);
  rpc Check(google.protobuf.Empty) returns (google.protobuf.Empty);
  rpc HTTPName(google.protobuf.StringValue) returns (google.protobuf.Int64Value);
  rpc At(google.protobuf.Timestamp) returns (google.protobuf.Timestamp);
}
"#,
        getty_build::configure().exception("com.x.S.Check", "Bad"),
    );
    let methods: Vec<_> =
        made.methods("S").into_iter().map(|method| (method.signature, method.attributes)).collect();
    let expected = [
        (
            "async fn ping (& self , request : ())",
            r#"name = "ping" , descriptor = "Lcom/google/protobuf/Empty;""#,
        ),
        (
            "async fn check (& self , request : ()) -> :: core :: result :: Result < () , Bad >",
            r#"name = "check" , descriptor = "Lcom/google/protobuf/Empty;""#,
        ),
        (
            "async fn http_name (& self , request : :: getty_rpc :: prost :: alloc :: string :: String) -> i64",
            r#"name = "hTTPName" , descriptor = "Lcom/google/protobuf/StringValue;""#,
        ),
        (
            "async fn at (& self , request : :: getty_rpc :: prost_types :: Timestamp) -> :: getty_rpc :: prost_types :: Timestamp",
            r#"name = "at" , descriptor = "Lcom/google/protobuf/Timestamp;""#,
        ),
    ];
    assert_eq!(
        methods,
        expected.map(|(signature, attributes)| (signature.to_owned(), attributes.to_owned()))
    );
    assert!(made.descriptors().is_empty(), "they are types of another crate");
}

#[test]
fn names_that_are_keywords_of_rust_stay_usable_and_java_sees_them_unchanged() {
    let made = one(
        "keywords",
        r#"
syntax = "proto3";
package com.x;
message Self { string type = 1; bool self = 2; int32 gen = 3; }
message Match { Self async = 1; oneof try { string fn = 2; string use = 3; } }
service Trait {
  rpc Type(Self) returns (Match);
  rpc Self(Match) returns (Self);
}
"#,
    );
    let methods = made.methods("Trait");
    assert_eq!(methods[0].signature, "async fn r#type (& self , request : Self_) -> Match");
    assert_eq!(methods[1].signature, "async fn self_ (& self , request : Match) -> Self_");
    let names: Vec<_> = methods.iter().map(|method| &*method.attributes).collect();
    assert_eq!(names, [r#"name = "type""#, r#"name = "self""#]);
    assert_eq!(made.descriptors()["Self_"], "Lcom/x/Greeter$Self;");
}

#[test]
fn each_package_has_a_file_and_names_messages_of_another_by_its_own_options() {
    let project = Project::new(
        "imports",
        &[
            (
                "api/service.proto",
                r#"
syntax = "proto3";
package com.x.api;
option java_multiple_files = true;
import "common/types.proto";
service Search { rpc Find(com.x.common.Query) returns (com.x.common.Query.Page); }
"#,
            ),
            (
                "common/types.proto",
                r#"
syntax = "proto3";
package com.x.common;
option java_package = "org.common";
message Query { string text = 1; message Page { repeated string hits = 1; } }
service Other { rpc Watch(Query) returns (stream Query); }
"#,
            ),
        ],
    );
    let made = project.compile_first(getty_build::configure().include_file("protos.rs")).unwrap();
    let names: Vec<_> = made.keys().map(String::as_str).collect();
    assert_eq!(names, ["com.x.api.rs", "com.x.common.rs", "protos.rs"]);

    let api = Generated::new(&made["com.x.api.rs"]);
    assert_eq!(
        api.methods("Search")[0].signature,
        "async fn find (& self , request : super :: common :: Query) -> super :: common :: query :: Page"
    );
    assert!(api.descriptors().is_empty());
    let common = Generated::new(&made["com.x.common.rs"]);
    assert_eq!(common.descriptors()["Query"], "Lorg/common/Types$Query;");
    assert_eq!(common.descriptors()["query::Page"], "Lorg/common/Types$Query$Page;");
    assert!(!common.text.contains("trait"), "a service of an imported file, which may stream, is not made");
}

#[test]
fn two_files_of_one_package_share_a_file() {
    let head = "syntax = 'proto3'; package com.x;";
    let project = Project::new(
        "two_files",
        &[
            (
                "a.proto",
                &format!(
                    "{head} import 'b.proto'; service A {{ rpc Do(InB) returns (InB); }} message InA {{}}"
                ),
            ),
            ("b.proto", &format!("{head} message InB {{}} service B {{ rpc Do(InB) returns (InB); }}")),
        ],
    );
    let made = project.compile(getty_build::configure()).unwrap();
    assert_eq!(made.len(), 1);
    let made = Generated::new(&made["com.x.rs"]);
    assert_eq!(made.methods("A").len() + made.methods("B").len(), 2);
    assert_eq!(
        made.descriptors()["InA"],
        "Lcom/x/AOuterClass$InA;",
        "the service A has the name of the file"
    );
    assert_eq!(made.descriptors()["InB"], "Lcom/x/BOuterClass$InB;");
}

#[test]
fn a_file_without_a_package_is_an_underscore() {
    let text = "syntax = 'proto3'; message M {} service S { rpc Do(M) returns (M); }";
    let made = Project::new("no_package", &[("m.proto", text)]).compile(getty_build::configure()).unwrap();
    let made = Generated::new(&made["_.rs"]);
    assert!(made.service_attributes("S").contains(r#"interface = "S""#));
    assert_eq!(made.descriptors()["M"], "LMOuterClass$M;");
}

#[test]
fn messages_that_are_types_elsewhere_are_not_made_and_their_class_stands_at_the_method() {
    let text = GREETER.replace("GetURL(HelloRequest)", "GetURL(HelloReply)");
    let builder = getty_build::configure().extern_path(".com.x.HelloRequest", "::other::Request");
    let made = one_with("extern_path", &text, builder);
    let methods = made.methods("Greeter");
    assert_eq!(methods[0].attributes, r#"name = "sayHello" , descriptor = "Lcom/x/HelloRequest;""#);
    assert!(methods[0].signature.contains("request : :: other :: Request"));
    assert_eq!(methods[1].attributes, r#"name = "getURL""#);
    assert_eq!(made.descriptors().keys().collect::<Vec<_>>(), ["HelloReply"]);
}

#[test]
fn attributes_stand_at_the_types_and_fields_that_they_are_for() {
    let builder = getty_build::configure()
        .type_attribute(".com.x.HelloReply", "#[derive(Ord)]")
        .field_attribute(".com.x.HelloRequest.name", "#[doc(hidden)]");
    let made = one_with("attributes", GREETER, builder);
    assert_eq!(made.text.matches("#[derive(Ord)]").count(), 1);
    assert_eq!(made.text.matches("#[doc(hidden)]").count(), 1);
}

#[test]
fn a_file_that_would_not_change_is_not_written_again() {
    let project = Project::new("unchanged", &[("greeter.proto", GREETER)]);
    project.compile(getty_build::configure()).unwrap();
    let path = project.root.join("out/com.x.rs");
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    let written = fs::metadata(&path).unwrap().modified().unwrap();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    project.compile(getty_build::configure()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
}
