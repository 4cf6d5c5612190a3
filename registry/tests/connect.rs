//! From a URL to a registry, and fixed lists as one.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use getty_registry::{
    FixedList, FixedRegistry, RegisterError, Registry, RegistryError, RegistryState, Target, Url, connect,
    registry_url,
};

async fn error(url: &str) -> RegistryError {
    connect(&registry_url(url).unwrap()).await.unwrap_err()
}

async fn addresses(registry: &dyn Registry, target: &Target) -> Vec<String> {
    let update = registry.subscribe(target).next().await.unwrap();
    update.snapshot.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_protocol_that_is_none_is_an_error_that_names_those_that_are() {
    let error = error("redis://h:1").await;
    assert_eq!(error, RegistryError::UnknownProtocol { protocol: "redis".to_owned() });
    assert!(error.to_string().contains("zookeeper, etcd, memory"), "{error}");
}

#[cfg(not(feature = "zookeeper"))]
#[tokio::test]
async fn zookeeper_without_its_feature_is_an_error_that_names_it() {
    let error = error("zookeeper://h").await.to_string();
    assert!(error.contains("cargo feature `zookeeper`"), "{error}");
}

#[cfg(not(feature = "etcd"))]
#[tokio::test]
async fn etcd_without_its_feature_is_an_error_that_names_it() {
    for protocol in ["etcd", "etcd3"] {
        let error = error(&format!("{protocol}://h")).await.to_string();
        assert!(error.contains("cargo feature `etcd`") && error.contains(protocol), "{error}");
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_an_error_that_names_it() {
    for (url, text) in [
        ("memory://x?timeout=never", "`timeout`"),
        ("memory://x?check=perhaps", "`check`"),
        ("memory://x?backup=a:b", "`backup`"),
        ("dubbo://a:1?backup=b", "`backup`"),
        ("dubbo://a:1?backup=a:1", "same as provider 1"),
    ] {
        let error = error(url).await.to_string();
        assert!(error.contains(text), "{url}: {error}");
    }
}

#[test]
fn several_servers_may_stand_between_commas_or_in_backup() {
    for (text, url) in [
        ("zookeeper://a:1", "zookeeper://a:1"),
        ("zookeeper://a:1,b:2, c", "zookeeper://a:1?backup=b:2,%20c"),
        ("zookeeper://u:p%23w@a:1,b:2?x=1&backup=c:3", "zookeeper://u:p%23w@a:1?x=1&backup=b:2,c:3"),
        ("etcd://[::1]:1,[::2]:2", "etcd://[::1]:1?backup=[::2]:2"),
    ] {
        assert_eq!(registry_url(text).unwrap(), Url::parse(url).unwrap(), "{text}");
    }
    assert!(registry_url("zookeeper://,a:1").is_err());
    assert!(registry_url("zookeeper://u:p#w@a:1,b:2").is_err());
}

#[tokio::test]
async fn a_fixed_list_serves_whatever_it_leaves_open() {
    let registry = connect(&registry_url("dubbo://a:1,b:2?weight=7").unwrap()).await.unwrap();
    let target = Target::new("com.x.Greeter").version("1.0.0").group("eu");
    assert_eq!(addresses(registry.as_ref(), &target).await, ["a:1", "b:2"]);
    let update = registry.subscribe(&target).next().await.unwrap();
    assert_eq!(update.snapshot[0].url().service_key().as_deref(), Some("eu/com.x.Greeter:1.0.0"));
    assert_eq!(update.snapshot[0].weight(), 7);
    assert_eq!(
        addresses(registry.as_ref(), &Target::new("com.x.Other").version("*").group("*")).await,
        ["a:1", "b:2"]
    );
    assert!(registry.state().borrow().is_connected());
}

#[tokio::test]
async fn a_fixed_list_keeps_to_what_it_says() {
    let list =
        FixedList::parse("dubbo://a:1/com.x.Greeter?version=1.0.0;dubbo://b:2/com.x.Other;tri://c:3;d:4")
            .unwrap();
    let registry = FixedRegistry::new(list);
    let target = Target::new("com.x.Greeter");
    assert_eq!(addresses(&registry, &target.clone().version("1.0.0")).await, ["a:1", "d:4"]);
    assert_eq!(addresses(&registry, &target.clone().version("2.0.0")).await, ["d:4"]);
    assert_eq!(addresses(&registry, &target.protocol("tri")).await, ["c:3"]);
}

#[tokio::test]
async fn a_fixed_list_takes_no_registration_and_ends_when_it_is_closed() {
    let registry = FixedRegistry::new(FixedList::parse("a:1").unwrap());
    let url = Url::parse("dubbo://b:2/com.x.Greeter").unwrap();
    assert_eq!(registry.register(url.clone()).unwrap_err(), RegisterError::FixedList);
    registry.unregister(&url).await.unwrap();
    let mut seen = registry.subscribe(&Target::new("com.x.Greeter"));
    assert!(seen.next().await.is_some());
    registry.close().await;
    assert_eq!(seen.next().await, None);
    assert_eq!(*registry.state().borrow(), RegistryState::Closed);
    let mut late = registry.subscribe(&Target::new("com.x.Greeter"));
    while late.next().await.is_some() {}
}

#[tokio::test]
async fn a_url_without_an_interface_is_never_registered() {
    let registry = connect(&registry_url("memory://connect").unwrap()).await.unwrap();
    assert_eq!(
        registry.register(Url::parse("dubbo://h:1").unwrap()).unwrap_err(),
        RegisterError::NoInterface
    );
}
