//! What holds for every URL and for every text: nothing is lost on a way there and back, nothing panics, no password
//! shows.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use getty_registry::{Address, FixedList, Url};
use proptest::prelude::*;

/// Text that is rich in what URLs and percent forms are made of.
fn awkward() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "%", "%25", "25", "%26", "26", "%3D", "3D", "%3F", "3F", "%3f", "&", "=", "?", "/", "#", "@", ":",
        ";", ",", "+", " ", "a", "Z", "中", "🦀", "\n", "\u{a0}", "*", "~", "$", "\\", "://",
    ]);
    prop_oneof![prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat()), ".{0,20}"]
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9._-]{1,20}",
        any::<std::net::Ipv4Addr>().prop_map(|ip| ip.to_string()),
        any::<std::net::Ipv6Addr>().prop_map(|ip| ip.to_string()),
    ]
}

prop_compose! {
    fn url()(
        protocol in "[a-z][a-z0-9+._-]{0,9}",
        username in prop::option::of(awkward()),
        password in prop::option::of(awkward()),
        host in host(),
        port in prop::option::of(1_u16..),
        path in awkward(),
        parameters in prop::collection::vec((awkward(), awkward()), 0..6),
    ) -> Url {
        let mut builder = Url::builder(protocol, host).path(path);
        if let Some(username) = username { builder = builder.username(username) }
        if let Some(password) = password { builder = builder.password(password) }
        if let Some(port) = port { builder = builder.port(port) }
        for (name, value) in parameters { builder = builder.parameter(name, value) }
        builder.build().unwrap()
    }
}

proptest! {
    #[test]
    fn a_url_comes_back_from_its_text(url in url()) {
        prop_assert_eq!(Url::parse(&url.to_full_string()), Ok(url));
    }

    #[test]
    fn a_url_comes_back_from_its_node_name(url in url()) {
        let node = url.encode();
        prop_assert!(node.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '%' | '.' | '-' | '_')));
        prop_assert_eq!(Url::decode(&node), Ok(url));
    }

    #[test]
    fn a_builder_of_a_url_gives_the_same_url(url in url()) {
        prop_assert_eq!(url.to_builder().build(), Ok(url));
    }

    #[test]
    fn no_password_is_shown(url in url()) {
        let url = url.to_builder().password("hunter2").parameter("token", "hunter2").build().unwrap();
        let shown = format!("{url} {url:?} {:?}", url.to_builder());
        prop_assert!(!shown.contains("hunter2"));
    }

    #[test]
    fn a_shown_url_has_no_white_space_and_no_control_character(url in url()) {
        prop_assert!(!url.to_string().contains(|c: char| c.is_whitespace() || c.is_control()));
    }

    #[test]
    fn no_text_panics_and_what_is_read_comes_back(text in prop_oneof![awkward(), ".{0,80}"]) {
        for text in [text.clone(), format!("dubbo://{text}"), format!("dubbo://h:1/x?{text}"), format!("a://b:{text}@h")] {
            if let Ok(url) = Url::parse(&text) {
                prop_assert_eq!(&Url::parse(&url.to_full_string()), &Ok(url.clone()));
                prop_assert_eq!(Url::decode(&url.encode()), Ok(url));
            }
            if let Ok(url) = Url::decode(&text) {
                prop_assert_eq!(Url::decode(&url.encode()), Ok(url));
            }
            let _ = FixedList::parse(&text);
            let _ = Address::parse(&text);
        }
    }

    #[test]
    fn a_raw_password_is_refused_or_the_host_stays_the_host(password in awkward()) {
        if let Ok(url) = Url::parse(&format!("zookeeper://user:{password}@10.0.0.5:2181?backup=h2:2181")) {
            prop_assert_eq!(url.host(), "10.0.0.5");
            prop_assert_eq!(url.username(), Some("user"));
        }
        if let Ok(list) = FixedList::parse(&format!("dubbo://user:{password}@10.0.0.5:2181")) {
            prop_assert!(list.urls().iter().all(|url| url.host() == "10.0.0.5"));
        }
    }

    #[test]
    fn an_address_comes_back_from_its_text(host in host(), port in 1_u16..) {
        let address = Address::new(&host, port).unwrap();
        prop_assert_eq!(address.to_string().parse(), Ok(address));
    }
}
