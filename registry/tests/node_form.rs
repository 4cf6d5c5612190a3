//! The name of a registry node: one percent-encoding over the whole URL, read exactly once, the same as what Java and Go
//! write.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use getty_registry::{Part, Url, UrlError};

/// Names of nodes that real peers wrote into ZooKeeper and etcd, and one parameter of each.
const WRITTEN_BY_PEERS: &[(&str, &str, &str)] = &[
    // Dubbo Java 3.3.6, provider.
    (
        "dubbo%3A%2F%2F192.0.2.2%3A22633%2Fcom.example.probe.ProbeService%3Fapplication%3Dprobe-java-33%26deprecated%3Dfalse%26dubbo%3D2.0.2%26dynamic%3Dtrue%26generic%3Dfalse%26group%3Dg1%26interface%3Dcom.example.probe.ProbeService%26methods%3Dadd%2Cany%26prefer.serialization%3Dhessian2%26release%3D3.3.6%26revision%3D1.0%26serialization%3Dhessian2%26service-name-mapping%3Dtrue%26side%3Dprovider%26timestamp%3D1795603788279%26version%3D1.0.0",
        "g1/com.example.probe.ProbeService:1.0.0",
        "add,any",
    ),
    // Dubbo Java 2.7.23, provider.
    (
        "dubbo%3A%2F%2F192.0.2.2%3A22627%2Fcom.example.probe.ProbeService%3Fanyhost%3Dtrue%26application%3Dprobe-java-27%26dubbo%3D2.0.2%26dynamic%3Dtrue%26generic%3Dfalse%26interface%3Dcom.example.probe.ProbeService%26metadata-type%3Dremote%26methods%3Dnext%2Cdate%26pid%3D11545%26release%3D2.7.23%26service.name%3DServiceBean%3A%2Fcom.example.probe.ProbeService%26side%3Dprovider%26timestamp%3D1795603858955",
        "com.example.probe.ProbeService",
        "next,date",
    ),
    // Dubbo Java 3.3.6, consumer: no port.
    (
        "dubbo%3A%2F%2F192.0.2.2%2Fcom.example.probe.ProbeService%3Fapplication%3Dprobe-consumer-33%26category%3Dconsumers%26check%3Dfalse%26interface%3Dcom.example.probe.ProbeService%26methods%3Dadd%26side%3Dconsumer",
        "com.example.probe.ProbeService",
        "add",
    ),
    // dubbo-go 3.3.2, provider.
    (
        "dubbo%3A%2F%2F192.0.2.2%3A22001%2Fcom.example.demo.GreetService%3FIDL-mode%3DIDL%26anyhost%3Dtrue%26application%3Ddemo-go-provider%26group%3Deu%26interface%3Dcom.example.demo.GreetService%26methods%3Dgreet%2CGreet%26release%3Ddubbo-golang-3.3.2%26serialization%3Dhessian2%26service.filter%3Decho%2Ctoken%26timestamp%3D1795601762%26version%3D2.1.0%26weight%3D0",
        "eu/com.example.demo.GreetService:2.1.0",
        "greet,Greet",
    ),
    // dubbo-go 3.3.2, consumer: many empty values.
    (
        "consumer%3A%2F%2F192.0.2.2%2Fcom.example.demo.GreetService%3FIDL-mode%3D%26app.version%3D%26group%3Deu%26interface%3Dcom.example.demo.GreetService%26methods%3Dgreet%26timeout%3D3s%26version%3D2.1.0",
        "eu/com.example.demo.GreetService:2.1.0",
        "greet",
    ),
];

/// Values that broke registries of others, alone and in company.
const AWKWARD: &[&str] = &[
    "%",
    "%25",
    "%2525",
    "%26",
    "%2526",
    "%3D",
    "(",
    ")",
    "/",
    "+",
    " ",
    "$",
    "&",
    "=",
    "#",
    "?",
    "@",
    ";",
    ":",
    "\\",
    "'",
    "*",
    "~",
    "中文",
    "🦀",
    "a b&c=d#e?f/g%h+i(j)$k",
    "://",
    "%2F%2F",
    "\n",
    "\u{0}",
];

fn with(value: &str) -> Url {
    Url::builder("dubbo", "10.0.0.5")
        .port(20880)
        .path(format!("com.x.{value}"))
        .parameter("interface", format!("com.x.{value}"))
        .parameter(value, value)
        .build()
        .unwrap()
}

#[test]
fn names_written_by_java_and_go_are_read_and_written_again_byte_for_byte() {
    for (node, service_key, methods) in WRITTEN_BY_PEERS {
        let url = Url::decode(node).unwrap();
        assert_eq!(url.service_key().as_deref(), Some(*service_key));
        assert_eq!(url.parameter("methods"), Some(*methods));
        assert_eq!(url.encode(), *node);
    }
}

#[test]
fn an_awkward_value_keeps_its_name_over_a_hundred_rounds() {
    let text = "text ".repeat(4096 / 5);
    for value in AWKWARD.iter().copied().chain([text.as_str()]) {
        let url = with(value);
        let first = url.encode();
        let mut node = first.clone();
        for _ in 0..100 {
            let read = Url::decode(&node).unwrap();
            assert_eq!(read, url, "{value:?}");
            node = read.encode();
            assert_eq!(node, first, "{value:?}");
        }
    }
}

#[test]
fn a_name_is_one_path_part_of_plain_characters() {
    for value in AWKWARD {
        let node = with(value).encode();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '%' | '.' | '-' | '_');
        assert!(node.chars().all(plain), "{node}");
    }
}

#[test]
fn a_name_is_decoded_exactly_once() {
    let url = Url::decode("dubbo%3A%2F%2Fh%3A1%2Fx%3Fa%3D%2525%26b%3D100%25%26c%3D%252B").unwrap();
    assert_eq!(url.parameter("a"), Some("%25"));
    assert_eq!(url.parameter("b"), Some("100%"));
    assert_eq!(url.parameter("c"), Some("%2B"));
}

#[test]
fn a_space_is_written_as_percent_20_and_read_from_plus_too() {
    let url = Url::decode("dubbo%3A%2F%2Fh%3A1%2Fx%3Fa%3D1+2%2B3%204").unwrap();
    assert_eq!(url.parameter("a"), Some("1 2+3 4"));
    assert_eq!(url.encode(), "dubbo%3A%2F%2Fh%3A1%2Fx%3Fa%3D1%202%2B3%204");
}

#[test]
fn a_separator_inside_a_value_is_written_as_dubbo_go_reads_it() {
    // dubbo-go decodes the whole and then each value: %2526 is %26 is `&`.
    let url = Url::builder("dubbo", "h")
        .port(1)
        .path("x")
        .parameter("a", "1&2=3")
        .parameter("b", "")
        .build()
        .unwrap();
    assert_eq!(url.encode(), "dubbo%3A%2F%2Fh%3A1%2Fx%3Fa%3D1%25262%3D3%26b%3D");
}

#[test]
fn a_name_that_is_encoded_in_part_is_read_like_one_that_is_encoded_as_a_whole() {
    let whole = "override%3A%2F%2F10.0.0.2%3A20880%2Fx.Greeter%3Fcategory%3Dconfigurators%26weight%3D0";
    let slashes = "override:%2F%2F10.0.0.2:20880%2Fx.Greeter?category=configurators&weight=0";
    assert_eq!(Url::decode(whole).unwrap(), Url::decode(slashes).unwrap());
    assert_eq!(Url::decode(slashes).unwrap().parameter_as::<i32>("weight"), Ok(Some(0)));
}

#[test]
fn a_name_that_is_encoded_twice_is_refused_and_says_so() {
    let twice = "dubbo%253A%252F%252Fh%253A1%252Fx";
    assert_eq!(Url::decode(twice), Err(UrlError::EncodedTwice));
}

#[test]
fn a_name_that_is_no_url_is_refused() {
    for (node, error) in [
        ("", UrlError::NoProtocol),
        ("127.0.0.1", UrlError::NoProtocol),
        ("dubbo%3A%2F%2Fh%3A1%2", UrlError::Percent { part: Part::Node }),
        ("dubbo%3A%2F%2Fh%zz", UrlError::Percent { part: Part::Node }),
        ("dubbo%3A%2F%2Fh%3A1%2F%ff", UrlError::NotUtf8 { part: Part::Node }),
        ("dubbo%3A%2F%2F%3A20880%2Fx", UrlError::NoHost),
    ] {
        assert_eq!(Url::decode(node), Err(error), "{node}");
    }
}

#[test]
fn raw_characters_in_a_foreign_value_are_taken_as_they_are() {
    let url = Url::decode("dubbo%3A%2F%2Fh%3A1%2Fx%3Fowner%3Dme%40corp.example%26note%3D%23%201%0A").unwrap();
    assert_eq!(url.parameter("owner"), Some("me@corp.example"));
    assert_eq!(url.parameter("note"), Some("# 1\n"));
    assert_eq!(url.to_string(), "dubbo://h:1/x?owner=me%40corp.example&note=%23%201%0A");
}

#[test]
fn user_and_password_come_back_from_a_name() {
    let url = Url::builder("dubbo", "h").username("a:b").password("p#s@s/w%26").port(1).build().unwrap();
    assert_eq!(Url::decode(&url.encode()).unwrap(), url);
}
