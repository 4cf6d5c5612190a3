//! Providers come and go: a registry in memory tells the clients, and real sockets carry the calls.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should end")]

mod support;

use std::{
    collections::BTreeSet,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use getty_rpc::{
    Client, Cluster, Context, ErrorKind, LoadBalance, Server,
    getty::Backoff,
    registry::{Registry, Target, Url, connect},
    service,
};
use support::{Fake, PATIENCE, within};
use tokio::{
    sync::oneshot,
    task::{JoinHandle, JoinSet},
    time::timeout,
};

#[service(interface = "com.example.Who", version = "1.0.0")]
trait Who {
    /// Which provider answers.
    async fn name(&self) -> String;
    #[method(idempotent)]
    async fn slow(&self, millis: i32) -> String;
    /// Which connection the call came on.
    async fn connection(&self) -> String;
}

struct Named {
    name: String,
    calls: Arc<AtomicUsize>,
}

impl Who for Named {
    async fn name(&self) -> String {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.name.clone()
    }

    async fn slow(&self, millis: i32) -> String {
        self.calls.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(millis.unsigned_abs().into())).await;
        self.name.clone()
    }

    async fn connection(&self) -> String {
        let peer = Context::current().and_then(|context| context.peer());
        peer.map(|peer| peer.to_string()).unwrap_or_default()
    }
}

struct Provider {
    port: u16,
    calls: Arc<AtomicUsize>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Provider {
    async fn start(registry: &str, name: &str, port: u16) -> Self {
        let calls = Arc::new(AtomicUsize::new(0));
        let service = WhoServer::new(Named { name: name.to_owned(), calls: Arc::clone(&calls) });
        let server = Server::bind(("127.0.0.1", port)).await.unwrap();
        let server =
            server.service(service).registry(registry).await.unwrap().notice(Duration::from_millis(300));
        let port = server.local_addr().unwrap().port();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server.serve_until(async { drop(stopped.await) }));
        Self { port, calls, stop: Some(stop), serving }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    async fn stop(&mut self) {
        drop(self.stop.take());
        timeout(PATIENCE, &mut self.serving).await.unwrap().unwrap().unwrap();
    }
}

async fn until(mut done: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("it comes about");
}

/// Established connections to a local port.
fn connections_to(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let remote = format!(":{port:04X}");
    let established = |line: &&str| {
        let mut fields = line.split_whitespace().skip(2);
        fields.next().is_some_and(|address| address.ends_with(&remote)) && fields.next() == Some("01")
    };
    table.lines().filter(established).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_leaves_in_good_order_costs_no_call_and_its_pool_closes() {
    let registry = "memory://leaves";
    let mut first = Provider::start(registry, "first", 0).await;
    let second = Provider::start(registry, "second", 0).await;
    let client = Client::builder().timeout(PATIENCE).registry(registry).await.unwrap();
    let who: WhoClient = client.refer();
    until(async || who.name().await.is_ok_and(|name| name == "first")).await;
    until(async || who.name().await.is_ok_and(|name| name == "second")).await;
    let to_begin_with = first.calls() + second.calls();

    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let (who, stop) = (who.clone(), Arc::clone(&stop));
        callers.spawn(async move {
            let mut calls = 0;
            while !stop.load(Ordering::SeqCst) {
                who.name().await.expect("no call fails");
                who.slow(1).await.expect("no call fails");
                calls += 2;
            }
            calls
        });
    }
    let before = first.calls();
    until(async || first.calls() > before + 100).await;
    first.stop().await;
    let left = Instant::now();
    until(async || connections_to(first.port) == 0).await;
    assert!(left.elapsed() < Duration::from_secs(1), "its pool closed after {:?}", left.elapsed());
    let (at_first, at_second) = (first.calls(), second.calls());
    until(async || second.calls() > at_second + 100).await;
    assert_eq!(first.calls(), at_first);

    // It comes back under the same address.
    let again = Provider::start(registry, "again", first.port).await;
    until(async || again.calls() > 100).await;
    stop.store(true, Ordering::SeqCst);
    let mut total = to_begin_with;
    while let Some(caller) = callers.join_next().await {
        total += caller.unwrap();
    }
    assert_eq!(total, first.calls() + second.calls() + again.calls(), "each call ran once");
}

#[tokio::test]
async fn no_provider_is_an_error_at_once_that_names_the_service() {
    let client = Client::builder().timeout(PATIENCE).registry("memory://nobody").await.unwrap();
    let error = client.refer::<WhoClient>().name().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Connect), "{error:?}");
    assert!(error.surely_not_run() && error.message().contains("com.example.Who:1.0.0"), "{error}");
}

#[tokio::test]
async fn what_is_no_address_of_a_provider_is_refused_with_what_to_do() {
    for (addresses, parts) in [
        ("zookeeper://127.0.0.1:2181", ["zookeeper://", "use `registry`"]),
        ("zookeeper://user:secret@a:2181,b:2181?backup=c:2181", ["zookeeper://", "use `registry`"]),
        ("etcd://127.0.0.1:2379", ["etcd://", "use `registry`"]),
        ("etcd3://127.0.0.1:2379", ["etcd3://", "use `registry`"]),
        ("memory://name", ["memory://", "use `registry`"]),
        ("dubbo://a:20880; memory://name", ["memory://", "use `registry`"]),
        ("tri://127.0.0.1:50051", ["the protocol tri,", "dubbo://host:20880"]),
        ("rest://127.0.0.1:8080", ["the protocol rest,", "dubbo://host:20880"]),
        ("dubbo://a:20880;tri://a:50051", ["the protocol tri,", "dubbo://host:20880"]),
    ] {
        let error = Client::direct(addresses).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::BadRequest) && error.surely_not_run(), "{error}");
        assert!(parts.iter().all(|part| error.message().contains(part)), "{addresses}: {error}");
        assert!(!error.message().contains("secret"), "{error}");
    }
    for addresses in
        ["a:20880", "dubbo://a:20880,b:20880", "dubbo://a:20880/x?origin=tri://b:1;dubbo://b:20880"]
    {
        Client::direct(addresses).unwrap();
    }
}

/// The registry of this name, and the URL under which a provider at this port stands there.
async fn by_hand(registry: &str, port: u16, parameters: &str) -> (Arc<dyn Registry>, Url) {
    let registry = connect(&Url::parse(registry).unwrap()).await.unwrap();
    let url = format!("dubbo://127.0.0.1:{port}/com.example.Who?version=1.0.0{parameters}");
    (registry, Url::parse(&url).unwrap())
}

/// Waits until the registry has so many providers.
async fn has(registry: &Arc<dyn Registry>, providers: usize) {
    let mut subscription = registry.subscribe(&Target::new("com.example.Who").version("1.0.0"));
    while within(subscription.next()).await.unwrap().snapshot.len() != providers {}
}

/// A port that nobody listens at.
fn dead_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A client of a provider that has gone without a word and of one that lives, asked in turn. The registry still has both.
///
/// Once the dead one is found to be dead, it is not dialled again while a test lasts.
async fn half_dead(name: &str, cluster: Cluster) -> (WhoClient, Provider, Arc<dyn Registry>) {
    let alive = Provider::start(name, "alive", 0).await;
    let (registry, dead) = by_hand(name, dead_port(), "").await;
    registry.register(dead).unwrap();
    has(&registry, 2).await;
    let client = Client::builder()
        .timeout(PATIENCE)
        .load_balance(LoadBalance::RoundRobin)
        .cluster(cluster)
        .backoff(Backoff::default().first(PATIENCE).max(PATIENCE).on_demand(PATIENCE))
        .registry(name)
        .await
        .unwrap();
    (client.refer(), alive, registry)
}

#[tokio::test]
async fn a_dead_provider_is_passed_over_with_failover_and_with_failfast() {
    for (name, cluster) in
        [("memory://dead-failover", Cluster::default()), ("memory://dead-failfast", Cluster::Failfast)]
    {
        let (who, alive, _registry) = half_dead(name, cluster).await;
        for _ in 0..20 {
            assert_eq!(who.name().await.unwrap(), "alive");
        }
        assert_eq!(alive.calls(), 20);
    }
}

#[tokio::test]
async fn where_the_registry_knows_nobody_any_more_errors_say_so_and_name_the_last_provider() {
    for (registry, end) in [
        ("memory://scaled?empty-grace=10m", ", and the last known, {}, is down"),
        ("memory://scaled-at-once?empty-grace=0", "; the last known was {}"),
    ] {
        let mut first = Provider::start(registry, "first", 0).await;
        let address = format!("127.0.0.1:{}", first.port);
        let client = Client::builder().timeout(PATIENCE).registry(registry).await.unwrap();
        let who: WhoClient = client.refer();
        assert_eq!(who.name().await.unwrap(), "first");
        first.stop().await;
        let expected =
            format!("the registry knows no provider of com.example.Who:1.0.0{}", end.replace("{}", &address));
        until(async || who.name().await.is_err_and(|error| error.message().starts_with(&expected))).await;
        for _ in 0..5 {
            let error = who.name().await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Connect) && error.surely_not_run(), "{error:?}");
            assert!(error.message().starts_with(&expected), "{error}");
        }
        let second = Provider::start(registry, "second", 0).await;
        until(async || who.name().await.is_ok()).await;
        assert_eq!(second.calls(), 1);
    }
}

/// Makes a call to a provider that resets the connection when it has the request; there is another provider. Gives what the
/// call came to, and how many calls the other provider had.
async fn lost_in_flight<F>(
    name: &str,
    call: impl FnOnce(WhoClient) -> F,
) -> (getty_rpc::Result<String>, usize)
where
    F: Future<Output = getty_rpc::Result<String>>,
{
    let other = Provider::start(name, "other", 0).await;
    let fake = Fake::bind().await;
    // By its weight it is the first in the round.
    let (registry, url) = by_hand(name, fake.address().port(), "&weight=10000").await;
    registry.register(url).unwrap();
    has(&registry, 2).await;
    let client = Client::builder().timeout(PATIENCE).load_balance(LoadBalance::RoundRobin);
    let who = client.registry(name).await.unwrap().refer();
    let losing = async {
        let mut peer = fake.accept().await;
        peer.next_call().await.unwrap();
        peer.reset();
    };
    let (outcome, ()) = within(async { tokio::join!(call(who), losing) }).await;
    (outcome, other.calls())
}

#[tokio::test]
async fn an_idempotent_call_whose_connection_is_lost_is_repeated_at_another_provider() {
    let (outcome, calls) =
        lost_in_flight("memory://lost-idempotent", |who| async move { who.slow(1).await }).await;
    assert_eq!((outcome.unwrap().as_str(), calls), ("other", 1));
}

#[tokio::test]
async fn a_call_whose_connection_is_lost_is_not_repeated_if_it_is_not_idempotent() {
    let (outcome, calls) = lost_in_flight("memory://lost-once", |who| async move { who.name().await }).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::ConnectionLost) && !error.surely_not_run(), "{error}");
    assert_eq!(calls, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_comes_and_goes_is_dialled_once_each_time_and_costs_no_call() {
    const TIMES: usize = 10;
    let name = "memory://flaps";
    let steady = Provider::start(name, "steady", 0).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let service = WhoServer::new(Named { name: "flapping".to_owned(), calls: Arc::clone(&calls) });
    let flapping = support::Provider::start(|server| server.service(service)).await;
    let (registry, url) = by_hand(name, flapping.address().port(), "").await;
    has(&registry, 1).await;
    let who: WhoClient = Client::builder().timeout(PATIENCE).registry(name).await.unwrap().refer();
    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for _ in 0..20 {
        let (who, stop) = (who.clone(), Arc::clone(&stop));
        callers.spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                who.name().await.expect("no call fails");
                who.slow(1).await.expect("no call fails");
            }
        });
    }

    for time in 1..=TIMES {
        let before = calls.load(Ordering::SeqCst);
        registry.register(url.clone()).unwrap();
        until(async || calls.load(Ordering::SeqCst) > before + 10).await;
        assert_eq!(flapping.accepted(), time, "it is used over one new connection");
        within(registry.unregister(&url)).await.unwrap();
        until(async || connections_to(flapping.address().port()) == 0).await;
    }
    // And with no time for anybody to see it go.
    for _ in 0..TIMES {
        registry.register(url.clone()).unwrap();
        within(registry.unregister(&url)).await.unwrap();
    }
    let before = steady.calls();
    until(async || steady.calls() > before + 100).await;
    stop.store(true, Ordering::SeqCst);
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    let dials = flapping.accepted();
    assert!((TIMES..=2 * TIMES).contains(&dials), "{dials} dials");
}

#[tokio::test]
async fn round_robin_spreads_calls_evenly() {
    let registry = "memory://even";
    let providers = [
        Provider::start(registry, "a", 0).await,
        Provider::start(registry, "b", 0).await,
        Provider::start(registry, "c", 0).await,
    ];
    let client = Client::builder()
        .load_balance(LoadBalance::RoundRobin)
        .cluster(Cluster::Failfast)
        .timeout(PATIENCE)
        .registry(registry)
        .await
        .unwrap();
    let who: WhoClient = client.refer();
    client.connect().await.unwrap();
    for _ in 0..30 {
        who.name().await.unwrap();
    }
    assert_eq!(providers.map(|provider| provider.calls()), [10, 10, 10]);
}

#[tokio::test]
async fn turns_among_providers_leave_no_connection_idle() {
    let registry = "memory://connections";
    let _providers = [
        Provider::start(registry, "a", 0).await,
        Provider::start(registry, "b", 0).await,
        Provider::start(registry, "c", 0).await,
    ];
    let client = Client::builder()
        .load_balance(LoadBalance::RoundRobin)
        .connections(2)
        .timeout(PATIENCE)
        .registry(registry)
        .await
        .unwrap();
    let who: WhoClient = client.refer();
    client.connect().await.unwrap();
    let mut used = BTreeSet::new();
    for _ in 0..12 {
        used.insert(who.connection().await.unwrap());
    }
    assert_eq!(used.len(), 6, "{used:?}");
}
