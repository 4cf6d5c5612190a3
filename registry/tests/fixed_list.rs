//! Fixed lists: what a user may write, and what he is told when it is wrong.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use getty_registry::{Address, FixedList, FixedListError, Part, UrlError};

fn addresses(text: &str) -> Vec<String> {
    FixedList::parse(text).unwrap().addresses().map(|address| address.to_string()).collect()
}

#[test]
fn a_plain_address_is_a_dubbo_provider() {
    let list = FixedList::parse("127.0.0.1:20000").unwrap();
    assert_eq!(list.urls()[0].to_string(), "dubbo://127.0.0.1:20000");
    assert_eq!(
        addresses("127.0.0.1:20000,[::1]:20001, h_1.example:20002"),
        ["127.0.0.1:20000", "[::1]:20001", "h_1.example:20002"]
    );
}

#[test]
fn addresses_of_one_url_share_its_path_and_parameters() {
    let list = FixedList::parse("dubbo://a:20880,b:20880/com.x.Greeter?version=1.0.0&weight=200").unwrap();
    let written: Vec<String> = list.urls().iter().map(ToString::to_string).collect();
    assert_eq!(
        written,
        [
            "dubbo://a:20880/com.x.Greeter?version=1.0.0&weight=200",
            "dubbo://b:20880/com.x.Greeter?version=1.0.0&weight=200"
        ]
    );
    assert_eq!(addresses("dubbo://a:20880,b:20880?version=1.0.0"), ["a:20880", "b:20880"]);
    assert_eq!(addresses("a:1/com.x.Greeter?methods=x,y"), ["a:1"]);
}

#[test]
fn urls_between_semicolons_have_their_own_parameters() {
    let list = FixedList::parse("dubbo://a:1?weight=1; tri://b:2,c:2?weight=2;d:3").unwrap();
    let written: Vec<String> = list.urls().iter().map(ToString::to_string).collect();
    assert_eq!(written, ["dubbo://a:1?weight=1", "tri://b:2?weight=2", "tri://c:2?weight=2", "dubbo://d:3"]);
}

#[test]
fn a_name_stays_a_name_that_is_resolved_by_whoever_dials() {
    let list = FixedList::parse("dubbo://svc.invalid:20880").unwrap();
    assert_eq!(list.addresses().collect::<Vec<_>>(), [Address::new("svc.invalid", 20880).unwrap()]);
}

#[test]
fn a_mistake_is_an_error_that_says_which_provider_is_wrong() {
    let entry = |number, error| FixedListError::Entry { number, error };
    for (text, error) in [
        ("", FixedListError::Empty),
        ("  ", FixedListError::Empty),
        ("a:1,,b:2", FixedListError::EmptyEntry { number: 2 }),
        ("a:1,b:2,", FixedListError::EmptyEntry { number: 3 }),
        ("a:1;", FixedListError::EmptyEntry { number: 2 }),
        ("dubbo://?x=1", FixedListError::EmptyEntry { number: 1 }),
        ("a:1,b", entry(2, UrlError::NoPort)),
        ("a:1,b:x", entry(2, UrlError::Port)),
        ("a:1,b:0", entry(2, UrlError::Port)),
        ("a:1,::1:20880", entry(2, UrlError::Ipv6)),
        ("a:1,b c:2", entry(2, UrlError::Forbidden { part: Part::Host, character: ' ' })),
        ("a:1;1x://b:2", entry(2, UrlError::Forbidden { part: Part::Protocol, character: '1' })),
        ("dubbo://a:1,dubbo://b:2", FixedListError::SecondProtocol { number: 1 }),
        ("a:1,b:2,a:1", FixedListError::Repeated { number: 3, first: 1 }),
    ] {
        assert_eq!(FixedList::parse(text), Err(error), "{text:?}");
    }
    assert_eq!(
        FixedList::parse("a:1,b").unwrap_err().to_string(),
        "provider 2: expected host:port, found a host without a port"
    );
}

#[test]
fn one_address_may_stand_twice_with_other_parameters() {
    assert_eq!(addresses("dubbo://a:1/x;dubbo://a:1/y"), ["a:1", "a:1"]);
}

#[test]
fn a_separator_in_a_password_never_makes_another_host() {
    for (text, percent) in [
        ("dubbo://user:22;x@a:1", "%3B"),
        ("user:22;x@a:1", "%3B"),
        ("dubbo://user:22;dubbo://x@a:1", "%3B"),
        ("dubbo://user:p@b:22;dubbo://x@a:1", "%3B"),
        ("dubbo://user:22,x@a:1", "%2C"),
        ("dubbo://user:22/x@a:1", "%2F"),
        ("dubbo://user:22?x@a:1", "%3F"),
        ("dubbo://user:22#x@a:1", "%23"),
    ] {
        let message = FixedList::parse(text).expect_err(text).to_string();
        assert!(message.contains(percent), "{text}: {message}");
    }
    let list = FixedList::parse("dubbo://user:2%3B2%2Cx@a:1,b:2").unwrap();
    assert_eq!(list.urls()[1].password(), Some("2;2,x"));
    assert!(!format!("{list:?}").contains("2;2"));
}

#[test]
fn a_list_over_its_limit_is_refused() {
    let text = |count: u32| (0..count).map(|at| format!("h{at}:1")).collect::<Vec<_>>().join(",");
    assert_eq!(FixedList::parse(&text(1024)).unwrap().urls().len(), 1024);
    assert_eq!(FixedList::parse(&text(1025)), Err(FixedListError::TooMany));
}
