//! The text form of a URL: what a person writes, what he gets back, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use getty_registry::{Address, Part, Url, UrlError};

fn parse(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn every_part_of_a_url_is_read() {
    let url = parse("dubbo://user:pw@host:20880/com.x.Greeter?version=1.0.0&group=g");
    assert_eq!(url.protocol(), "dubbo");
    assert_eq!(url.username(), Some("user"));
    assert_eq!(url.password(), Some("pw"));
    assert_eq!(url.host(), "host");
    assert_eq!(url.port(), Some(20880));
    assert_eq!(url.path(), "com.x.Greeter");
    assert_eq!(url.version(), Some("1.0.0"));
    assert_eq!(url.group(), Some("g"));
    assert_eq!(url.to_full_string(), "dubbo://user:pw@host:20880/com.x.Greeter?version=1.0.0&group=g");
}

#[test]
fn unknown_parameters_are_kept_in_their_order() {
    let text = "dubbo://h:1/x?zeta=1&alpha=2&x-unknown=a,b&mid=";
    let url = parse(text);
    let names: Vec<&str> = url.parameters().map(|(name, _)| name).collect();
    assert_eq!(names, ["zeta", "alpha", "x-unknown", "mid"]);
    assert_eq!(url.parameter("mid"), Some(""));
    assert_eq!(url.to_string(), text);
}

#[test]
fn a_repeated_parameter_has_its_last_value_in_its_first_place() {
    assert_eq!(parse("dubbo://h:1/x?a=1&b=2&a=3").to_string(), "dubbo://h:1/x?a=3&b=2");
}

#[test]
fn an_ipv6_host_stands_in_brackets_and_has_one_spelling() {
    let url = parse("dubbo://[2001:DB8:0:0::5]:20880/x");
    assert_eq!(url.host(), "2001:db8::5");
    assert_eq!(url.to_string(), "dubbo://[2001:db8::5]:20880/x");
    assert_eq!(url.address().unwrap().to_string(), "[2001:db8::5]:20880");
    assert_eq!(parse("dubbo://[::1]").port(), None);
    for text in
        ["dubbo://::1:20880", "dubbo://[::1", "dubbo://[::1%eth0]:1", "dubbo://[h]:1", "dubbo://a:1:2"]
    {
        assert_eq!(Url::parse(text), Err(UrlError::Ipv6), "{text}");
    }
}

#[test]
fn a_builder_gives_the_url_that_its_text_gives() {
    let built = Url::builder("Dubbo", "::1")
        .username("me")
        .password("p#w")
        .port(20880)
        .path("/com.x.Greeter")
        .parameter("a", "x")
        .parameter("b", "2")
        .parameter("a", "1 & 1")
        .build()
        .unwrap();
    assert_eq!(built, parse("dubbo://me:p%23w@[::1]:20880/com.x.Greeter?a=1%20%26%201&b=2"));
    let changed = built.to_builder().without_parameter("a").host("h").build().unwrap();
    assert_eq!(changed.to_full_string(), "dubbo://me:p%23w@h:20880/com.x.Greeter?b=2");
}

#[test]
fn a_part_in_percent_form_is_decoded_once_and_a_plus_stays_a_plus() {
    let url = parse("dubbo://h:1/a%2Fb?note=100%25&twice=%2525&plus=1+2&space=a%20b");
    assert_eq!(url.path(), "a/b");
    assert_eq!(url.parameter("note"), Some("100%"));
    assert_eq!(url.parameter("twice"), Some("%25"));
    assert_eq!(url.parameter("plus"), Some("1+2"));
    assert_eq!(url.parameter("space"), Some("a b"));
}

#[test]
fn a_password_in_percent_form_is_understood() {
    for protocol in ["zookeeper", "etcd"] {
        let url = parse(&format!("{protocol}://user:p%23s%40s%2Fw@127.0.0.1:2181?backup=h2:2181,h3:2181"));
        assert_eq!(url.username(), Some("user"));
        assert_eq!(url.password(), Some("p#s@s/w"));
        assert_eq!(url.address(), Some(Address::new("127.0.0.1", 2181).unwrap()));
        assert_eq!(url.parameter("backup"), Some("h2:2181,h3:2181"));
    }
}

#[test]
fn a_raw_character_in_a_password_is_refused_with_its_percent_form_and_never_changes_the_host() {
    for protocol in ["zookeeper", "etcd"] {
        for (password, character, percent) in [
            ("p#s", '#', "%23"),
            ("p@s", '@', "%40"),
            ("p/s", '/', "%2F"),
            // Digits before the separator would make a good host and port of user and password.
            ("22/s", '/', "%2F"),
            ("22?s", '?', "%3F"),
            ("22?s=1&t", '?', "%3F"),
            ("p@s/w", '@', "%40"),
            ("p@s/w", '/', "%2F"),
            ("p s", ' ', "%20"),
            ("%zz", '%', "%25"),
            ("p%2", '%', "%25"),
        ] {
            let text = format!("{protocol}://user:{password}@127.0.0.1:2181?backup=h2:2181,h3:2181");
            let message = Url::parse(&text).expect_err(&text).to_string();
            let shown = if character == ' ' { "a space".to_owned() } else { format!("`{character}`") };
            assert!(message.contains(&shown) && message.contains(percent), "{text}: {message}");
            assert!(!message.contains(password), "{text}: {message}");
        }
    }
}

#[test]
fn a_raw_colon_in_a_password_is_understood() {
    let url = parse("zookeeper://user:p:s@127.0.0.1:2181");
    assert_eq!((url.username(), url.password(), url.host()), (Some("user"), Some("p:s"), "127.0.0.1"));
}

#[test]
fn user_password_port_path_and_case_of_the_protocol_are_free() {
    let url = parse("zookeeper://user@127.0.0.1:2181/");
    assert_eq!((url.username(), url.password(), url.path()), (Some("user"), None, ""));
    let url = parse("zookeeper://:pw@127.0.0.1");
    assert_eq!((url.username(), url.password(), url.port()), (Some(""), Some("pw"), None));
    assert_eq!(url.address(), None);
    let url = parse("ZooKeeper://Host:2181/?a=1");
    assert_eq!((url.protocol(), url.host(), url.parameter("a")), ("zookeeper", "Host", Some("1")));
}

#[test]
fn a_password_is_shown_only_where_it_is_asked_for() {
    let url = parse("dubbo://user:hunter2@h:1/x?password=hunter2&Token=hunter2&client-secret=hunter2&a=1");
    assert_eq!(url.to_string(), "dubbo://user:***@h:1/x?password=***&Token=***&client-secret=***&a=1");
    let builder = url.to_builder();
    let error = url.parameter_as::<u32>("password").unwrap_err();
    for shown in [format!("{url:?}"), format!("{builder:?}"), format!("{error} {error:?}")] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    assert_eq!(parse(&url.to_full_string()), url);
    assert_eq!(url.to_full_string().matches("hunter2").count(), 4);
}

#[test]
fn what_is_no_url_is_refused_with_the_reason() {
    let forbidden = |part, character| UrlError::Forbidden { part, character };
    let raw = |part, character| UrlError::Character { part, character };
    let long_host = format!("dubbo://{}:1", "h".repeat(256));
    for (text, error) in [
        ("", UrlError::NoProtocol),
        ("host:20880", UrlError::NoProtocol),
        ("://host:20880", UrlError::NoProtocol),
        (" dubbo://h:1", forbidden(Part::Protocol, ' ')),
        ("1dubbo://h:1", forbidden(Part::Protocol, '1')),
        ("dubbo://", UrlError::NoHost),
        ("dubbo:///x", UrlError::NoHost),
        ("dubbo://:20880", UrlError::NoHost),
        ("dubbo://u:p@:20880", UrlError::NoHost),
        ("dubbo://a b:1", forbidden(Part::Host, ' ')),
        ("dubbo://h#x:1", forbidden(Part::Host, '#')),
        ("dubbo://h%41:1", forbidden(Part::Host, '%')),
        ("dubbo://中:1", forbidden(Part::Host, '中')),
        (&long_host, UrlError::HostTooLong),
        ("dubbo://h:", UrlError::Port),
        ("dubbo://h:0", UrlError::Port),
        ("dubbo://h:65536", UrlError::Port),
        ("dubbo://h:+1", UrlError::Port),
        ("dubbo://h:x", UrlError::Port),
        ("dubbo://[::1]x", UrlError::Port),
        ("dubbo://h:1/a#b", raw(Part::Path, '#')),
        ("dubbo://h:1/x?a#=1", raw(Part::ParameterName, '#')),
        ("dubbo://h:1/x?a=1\n", raw(Part::ParameterValue, '\n')),
        ("dubbo://h:1/x?a=%", UrlError::Percent { part: Part::ParameterValue }),
        ("dubbo://h:1/x?a=%ff", UrlError::NotUtf8 { part: Part::ParameterValue }),
    ] {
        assert_eq!(Url::parse(text), Err(error), "{text:?}");
    }
}

#[test]
fn an_error_says_what_to_write_instead() {
    for (text, message) in [
        ("zookeeper://u:p#w@h:1", "found `#` in the password; write it as %23"),
        (
            "zookeeper://u:1/w@h:1",
            "found `@` behind `/`; if that character belongs to the user name or the password, write it as %2F; if the \
             `@` belongs to the path or a parameter, write it as %40",
        ),
        (
            "zookeeper://u#w:1",
            "found `#` in the host, which holds only letters, digits, `.`, `-` and `_`; if it belongs to a user name or \
             password, write it as %23 and end them with `@`",
        ),
        ("dubbo://h:1/x?a=1\n", "found U+000A in a parameter's value; write it as %0A"),
    ] {
        assert_eq!(Url::parse(text).unwrap_err().to_string(), message);
    }
}

#[test]
fn a_url_over_a_limit_is_refused() {
    let name_of = |at: usize| format!("p{at}");
    let with_parameters = |count: usize| {
        let text: Vec<String> = (0..count).map(|at| format!("{}=1", name_of(at))).collect();
        Url::parse(&format!("dubbo://h:1/x?{}", text.join("&")))
    };
    assert_eq!(with_parameters(512).unwrap().parameters().len(), 512);
    assert_eq!(with_parameters(513), Err(UrlError::TooManyParameters));

    let with_value = |bytes: usize| Url::builder("dubbo", "h").parameter("a", "%".repeat(bytes)).build();
    let longest = (0..64 * 1024).rev().find(|bytes| with_value(*bytes).is_ok()).unwrap();
    let url = with_value(longest).unwrap();
    assert_eq!(with_value(longest + 1), Err(UrlError::TooLong));
    assert_eq!(parse(&url.to_full_string()), url);
    assert_eq!(Url::decode(&url.encode()).unwrap(), url);

    assert_eq!(Url::parse(&format!("dubbo://h/{}", "a".repeat(1 << 20))), Err(UrlError::TooLong));
    assert_eq!(Url::decode(&"a".repeat(1 << 20)), Err(UrlError::TooLong));
}

#[test]
fn a_service_key_leaves_absent_parts_out() {
    for (parameters, key) in [
        ("", "com.x.Greeter"),
        ("?version=1.0.0", "com.x.Greeter:1.0.0"),
        ("?group=g", "g/com.x.Greeter"),
        ("?version=1.0.0&group=g", "g/com.x.Greeter:1.0.0"),
        ("?version=&group=", "com.x.Greeter"),
        ("?version=0.0.0&group=g", "g/com.x.Greeter"),
        ("?version=*", "com.x.Greeter"),
        ("?interface=com.x.Other&version=2", "com.x.Other:2"),
    ] {
        let url = parse(&format!("dubbo://h:1/com.x.Greeter{parameters}"));
        assert_eq!(url.service_key().as_deref(), Some(key), "{parameters}");
    }
    assert_eq!(parse("zookeeper://h:2181").service_key(), None);
}

#[test]
fn a_typed_parameter_is_absent_right_or_an_error_that_names_it() {
    let url = parse("dubbo://h:1/x?timeout=3000&empty=&bad=3s&on=true&weight=-1");
    assert_eq!(url.parameter_as::<u32>("timeout"), Ok(Some(3000)));
    assert_eq!(url.parameter_as::<bool>("on"), Ok(Some(true)));
    assert_eq!(url.parameter_as::<u32>("empty"), Ok(None));
    assert_eq!(url.parameter_as::<u32>("absent"), Ok(None));
    assert_eq!(
        url.parameter_as::<u32>("bad").unwrap_err().to_string(),
        "expected parameter `bad` to be a value of type u32, found 3s"
    );
    assert!(url.parameter_as::<u32>("weight").is_err());
    let long = url.to_builder().parameter("bad", "\n".repeat(1000)).build().unwrap();
    assert_eq!(long.parameter_as::<u32>("bad").unwrap_err().found.len(), 40);
}
