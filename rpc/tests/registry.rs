//! Providers come and go: a registry in memory tells the clients, and real sockets carry the calls.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should end")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use getty_rpc::{Client, Cluster, ErrorKind, LoadBalance, Server, service};
use tokio::{
    sync::oneshot,
    task::{JoinHandle, JoinSet},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(60);

#[service(interface = "com.example.Who", version = "1.0.0")]
trait Who {
    /// Which provider answers.
    async fn name(&self) -> String;
    #[method(idempotent)]
    async fn slow(&self, millis: i32) -> String;
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
    until(async || who.name().await.unwrap() == "first").await;
    until(async || who.name().await.unwrap() == "second").await;
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
async fn a_dead_provider_is_passed_over_with_failover_and_reported_with_failfast() {
    let registry = "memory://dead";
    let alive = Provider::start(registry, "alive", 0).await;
    let dead = Provider::start(registry, "dead", 0).await;
    dead.serving.abort();
    let client = Client::builder()
        .timeout(PATIENCE)
        .load_balance(LoadBalance::RoundRobin)
        .registry(registry)
        .await
        .unwrap();
    let failover: WhoClient = client.refer();
    for _ in 0..20 {
        assert_eq!(failover.name().await.unwrap(), "alive");
    }
    assert_eq!(alive.calls(), 20);
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
