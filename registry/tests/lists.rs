//! What becomes of the names of nodes: those that running peers wrote are providers, and what is none costs nobody else.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::time::Duration;

use getty_registry::{MAX_ENTRIES_OF_A_SERVICE, Publisher, Subscription, Target, Update, Url};

const JAVA_33: &str = "dubbo%3A%2F%2F192.0.2.2%3A22633%2Fcom.example.probe.ProbeService%3Fapplication%3Dprobe-java-33%26deprecated%3Dfalse%26dubbo%3D2.0.2%26dynamic%3Dtrue%26generic%3Dfalse%26interface%3Dcom.example.probe.ProbeService%26methods%3Dadd%2Cany%26prefer.serialization%3Dhessian2%26release%3D3.3.6%26revision%3D1.0%26serialization%3Dhessian2%26service-name-mapping%3Dtrue%26side%3Dprovider%26timestamp%3D1795603786727";
const JAVA_33_GROUP: &str = "dubbo%3A%2F%2F192.0.2.2%3A22633%2Fcom.example.probe.ProbeService%3Fapplication%3Dprobe-java-33%26deprecated%3Dfalse%26dubbo%3D2.0.2%26dynamic%3Dtrue%26generic%3Dfalse%26group%3Dg1%26interface%3Dcom.example.probe.ProbeService%26methods%3Dadd%2Cany%26prefer.serialization%3Dhessian2%26release%3D3.3.6%26revision%3D1.0%26serialization%3Dhessian2%26service-name-mapping%3Dtrue%26side%3Dprovider%26timestamp%3D1795603788279%26version%3D1.0.0";
const JAVA_27: &str = "dubbo%3A%2F%2F192.0.2.2%3A22627%2Fcom.example.probe.ProbeService%3Fanyhost%3Dtrue%26application%3Dprobe-java-27%26dubbo%3D2.0.2%26dynamic%3Dtrue%26generic%3Dfalse%26interface%3Dcom.example.probe.ProbeService%26metadata-type%3Dremote%26methods%3Dnext%2Cdate%26pid%3D11545%26release%3D2.7.23%26service.name%3DServiceBean%3A%2Fcom.example.probe.ProbeService%26side%3Dprovider%26timestamp%3D1795603858955";
const GO: &str = "dubbo%3A%2F%2F192.0.2.2%3A22001%2Fcom.example.demo.GreetService%3FIDL-mode%3DIDL%26anyhost%3Dtrue%26application%3Ddemo-go-provider%26bean.name%3DService%26cluster%3Dfailover%26export%3Dtrue%26group%3Deu%26interface%3Dcom.example.demo.GreetService%26loadbalance%3Drandom%26max-server-recv-msg-size%3D4mib%26methods%3Dgreet%2CGreet%26module%3Dsample%26name%3Ddemo-go-provider%26organization%3Ddubbo-go%26owner%3Ddubbo-go%26pid%3D9921%26registry%3Dzookeeper%26registry.role%3D3%26registry.type%3Dinterface%26release%3Ddubbo-golang-3.3.2%26serialization%3Dhessian2%26service.filter%3Decho%2Ctoken%2Caccesslog%2Ctps%2Cgeneric_service%2Cexecute%2Cpshutdown%26side%3Dprovider%26timestamp%3D1795601762%26version%3D2.1.0%26weight%3D0";
/// Consumers of Java 3.3 stand under a provider's protocol, without a port.
const JAVA_CONSUMER: &str = "dubbo%3A%2F%2F192.0.2.2%2Fcom.example.probe.ProbeService%3Fapplication%3Dprobe-consumer-33%26category%3Dconsumers%26check%3Dfalse%26interface%3Dcom.example.probe.ProbeService%26methods%3Dadd%26side%3Dconsumer";

fn publish(list: &Publisher, names: &[&str]) {
    list.publish_nodes(names.iter().map(|name| (*name).to_owned()));
}

fn node(port: u16, parameters: &str) -> String {
    Url::parse(&format!("dubbo://10.0.0.5:{port}/com.x.Greeter?{parameters}")).unwrap().encode()
}

fn addresses(update: &Update) -> Vec<String> {
    update.snapshot.iter().map(ToString::to_string).collect()
}

/// An update that is there already.
async fn now(subscription: &mut Subscription) -> Option<Update> {
    tokio::time::timeout(Duration::ZERO, subscription.next()).await.ok().flatten()
}

#[tokio::test]
async fn providers_that_java_wrote_are_found() {
    let list = Publisher::new();
    publish(&list, &[JAVA_33, JAVA_33_GROUP, JAVA_27, JAVA_CONSUMER]);
    let target = Target::new("com.example.probe.ProbeService");
    let mut plain = list.subscribe(target.clone(), Duration::ZERO);
    let update = plain.next().await.unwrap();
    assert_eq!(addresses(&update), ["192.0.2.2:22627", "192.0.2.2:22633"]);
    assert!(update.snapshot.iter().all(|provider| provider.weight() == 100 && provider.started().is_some()));
    assert_eq!(update.snapshot[1].parameter("prefer.serialization"), Some("hessian2"));
    assert_eq!((plain.skipped().not_matching, plain.skipped().unreadable), (2, 0));
    let mut grouped = list.subscribe(target.version("1.0.0").group("g1"), Duration::ZERO);
    assert_eq!(addresses(&grouped.next().await.unwrap()), ["192.0.2.2:22633"]);
}

#[tokio::test]
async fn providers_that_dubbo_go_wrote_are_found_and_have_a_weight() {
    let list = Publisher::new();
    publish(&list, &[GO]);
    let target = Target::new("com.example.demo.GreetService").version("2.1.0").group("eu");
    let update = list.subscribe(target, Duration::ZERO).next().await.unwrap();
    assert_eq!(addresses(&update), ["192.0.2.2:22001"]);
    assert_eq!(update.snapshot[0].weight(), 100);
    let started = update.snapshot[0].started().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(started.as_secs(), 1_795_601_762);
}

#[tokio::test]
async fn what_is_no_provider_is_skipped_and_counted_and_the_good_ones_are_used() {
    let list = Publisher::new();
    let twice = node(1, "").replace('%', "%25");
    let off = [node(2, "enabled=false"), node(3, "disabled=true"), node(4, "category=configurators")];
    let portless = Url::parse("dubbo://h/com.x.Greeter").unwrap().encode();
    let good =
        [node(5, "enabled=true"), node(6, "disabled=false&enabled=false"), node(7, "category=providers")];
    let mut names: Vec<&str> =
        vec![&twice, "", "127.0.0.1", "%zz", "override%3A%2F%2F0.0.0.0%2Fcom.x.Greeter", &portless];
    names.extend(off.iter().chain(&good).map(String::as_str));
    publish(&list, &names);
    let mut seen = list.subscribe(Target::new("com.x.Greeter"), Duration::ZERO);
    let update = seen.next().await.unwrap();
    assert_eq!(addresses(&update), ["10.0.0.5:5", "10.0.0.5:6", "10.0.0.5:7"]);
    assert_eq!((seen.skipped().unreadable, seen.skipped().not_matching), (4, 5));
}

#[tokio::test]
async fn a_provider_that_was_restarted_at_its_address_is_one() {
    let list = Publisher::new();
    let (old, new) = (node(1, "timestamp=1700000000000"), node(1, "timestamp=1700000009000"));
    let other = node(1, "timestamp=1600000000000&version=2.0.0");
    publish(&list, &[&new, &old, &other]);
    let mut seen = list.subscribe(Target::new("com.x.Greeter").version("*"), Duration::ZERO);
    let update = seen.next().await.unwrap();
    assert_eq!(update.snapshot.len(), 2, "one of each version");
    assert!(update.snapshot.iter().all(|provider| provider.parameter("timestamp") != Some("1700000000000")));
    assert_eq!(seen.skipped().repeated, 1);
    publish(&list, &[&new, &other]);
    assert_eq!(now(&mut seen).await, None, "its former entry going is no news");
}

#[tokio::test]
async fn the_same_list_again_is_no_news() {
    let list = Publisher::new();
    let (one, two) = (node(1, ""), node(2, ""));
    publish(&list, &[&one, &two]);
    let mut seen = list.subscribe(Target::new("com.x.Greeter"), Duration::ZERO);
    assert!(now(&mut seen).await.is_some());
    publish(&list, &[&two, &one, &two]);
    assert_eq!(now(&mut seen).await, None);
    publish(&list, &[&two, &one, "no url"]);
    assert_eq!(now(&mut seen).await, None, "an entry that is skipped changes no list");
    assert_eq!(seen.skipped().unreadable, 1);
}

#[tokio::test]
async fn a_changed_url_is_a_provider_that_goes_and_one_that_comes() {
    let list = Publisher::new();
    let (light, heavy) = (node(1, "weight=1"), node(1, "weight=1000"));
    publish(&list, &[&light]);
    let mut seen = list.subscribe(Target::new("com.x.Greeter"), Duration::ZERO);
    seen.next().await.unwrap();
    publish(&list, &[&heavy]);
    let update = seen.next().await.unwrap();
    assert_eq!((update.added[0].weight(), update.removed[0].weight()), (1000, 1));
    assert_eq!(update.added[0].address(), update.removed[0].address());
}

#[tokio::test(start_paused = true)]
async fn a_stale_list_ends_on_its_clock_whatever_else_the_registry_says() {
    let list = Publisher::new();
    let (ours, others) = (node(1, ""), [node(2, "version=9"), node(3, "version=9")]);
    publish(&list, &[&ours]);
    let grace = Duration::from_secs(60);
    let mut seen = list.subscribe(Target::new("com.x.Greeter"), grace);
    seen.next().await.unwrap();
    let emptied = tokio::time::Instant::now();
    publish(&list, &[]);
    assert!(seen.next().await.unwrap().stale);
    for other in &others {
        tokio::time::advance(Duration::from_secs(25)).await;
        publish(&list, &[other]);
        assert_eq!(now(&mut seen).await, None, "stale is said once");
    }
    let update = seen.next().await.unwrap();
    assert_eq!((update.snapshot.len(), update.removed.len(), update.stale), (0, 1, false));
    assert!(emptied.elapsed() >= grace && emptied.elapsed() < grace + Duration::from_secs(1));
    publish(&list, &[&ours]);
    assert_eq!(seen.next().await.unwrap().added.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_same_providers_again_end_a_stale_list_too() {
    let list = Publisher::new();
    let ours = node(1, "");
    publish(&list, &[&ours]);
    let mut seen = list.subscribe(Target::new("com.x.Greeter"), Duration::from_secs(60));
    seen.next().await.unwrap();
    publish(&list, &[]);
    assert!(seen.next().await.unwrap().stale);
    publish(&list, &[&ours]);
    let update = seen.next().await.unwrap();
    assert_eq!(
        (update.snapshot.len(), update.added.len(), update.removed.len(), update.stale),
        (1, 0, 0, false)
    );
}

#[tokio::test]
async fn a_list_over_its_limit_is_cut_and_counted() {
    let list = Publisher::new();
    let names = (0..MAX_ENTRIES_OF_A_SERVICE + 5).map(|at| {
        Url::parse(&format!("dubbo://10.{}.{}.{}:1/com.x.Greeter", at >> 16, at >> 8 & 255, at & 255))
            .unwrap()
            .encode()
    });
    list.publish_nodes(names);
    let mut seen = list.subscribe(Target::new("com.x.Greeter"), Duration::ZERO);
    assert_eq!(seen.next().await.unwrap().snapshot.len(), MAX_ENTRIES_OF_A_SERVICE);
    assert_eq!(seen.skipped().over_limit, 5);
}

#[tokio::test]
async fn a_dropped_publisher_ends_its_subscriptions() {
    let list = Publisher::new();
    publish(&list, &[]);
    let mut seen = list.subscribe(Target::new("com.x.Greeter"), Duration::ZERO);
    drop(list);
    assert!(seen.next().await.is_some(), "what was said before counts");
    assert_eq!(seen.next().await, None);
}
