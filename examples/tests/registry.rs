//! Providers in processes of their own that come and go, a ZooKeeper that knows them, and callers that should notice nothing.
//! `scripts/registry-servers run` starts the ZooKeeper.
#![allow(clippy::expect_used, reason = "a test that cannot go on should end")]

mod support;

use std::{
    net::Ipv4Addr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use getty_examples::{listed, tickets::TicketsClient};
use getty_rpc::{Client, Error, ErrorKind, Stub};
use support::{
    PATIENCE, Program, free_port, printed,
    registries::{Providers, zookeeper},
    run,
    sockets::connections_to,
};
use tokio::{net::TcpListener, task::JoinSet, time::timeout};

const CALLERS: usize = 50;
/// What the callers are promised.
const SECOND: Duration = Duration::from_secs(1);

async fn provider(registry: &str, port: u16) -> Program {
    let port_text = port.to_string();
    // Calls take a moment, so that there are always some in flight.
    let arguments = ["provider", "--registry", registry, "--port", &port_text, "--work", "10"];
    Program::start(env!("CARGO_BIN_EXE_registry"), &arguments, port).await
}

/// Callers that go on and on, and a record of what they saw.
struct Callers {
    stop: Arc<AtomicBool>,
    calls: Arc<Mutex<Vec<Call>>>,
    tasks: JoinSet<()>,
}

struct Call {
    method: &'static str,
    started: Instant,
    /// The port of the provider that answered.
    outcome: Result<u16, Error>,
}

impl Callers {
    /// Half of the calls are of a method that may be repeated.
    fn start(client: &Client) -> Self {
        let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Vec<Call>>>::default());
        let mut tasks = JoinSet::new();
        for _ in 0..CALLERS {
            let (stop, calls) = (Arc::clone(&stop), Arc::clone(&calls));
            let tickets: TicketsClient = client.refer();
            tasks.spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let started = Instant::now();
                    let outcome = tickets.take().await.map(|ticket| port_of(&ticket));
                    let take = Call { method: "take", started, outcome };
                    let started = Instant::now();
                    let outcome = tickets.provider().await.map(|provider| port_of(&provider));
                    let provider = Call { method: "provider", started, outcome };
                    calls.lock().expect("no panic").extend([take, provider]);
                }
            });
        }
        Self { stop, calls, tasks }
    }

    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().expect("no panic")
    }

    /// Waits until a provider has answered so many calls that start from now on.
    async fn reach(&self, port: u16, times: usize) {
        let from = Instant::now();
        let answered =
            |call: &&Call| call.started >= from && call.outcome.as_ref().is_ok_and(|at| *at == port);
        until(|| self.calls().iter().filter(answered).count() >= times).await;
    }

    async fn stop(mut self) -> Vec<Call> {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(caller) = timeout(PATIENCE, self.tasks.join_next()).await.expect("callers end") {
            caller.expect("no panic");
        }
        std::mem::take(&mut *self.calls())
    }
}

/// The port in `127.0.0.1:port#number`.
fn port_of(answer: &str) -> u16 {
    let address = answer.split('#').next().expect("a first part");
    address.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
}

async fn until(mut done: impl FnMut() -> bool) {
    let wait = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("it comes about");
}

/// From a second on, nobody dials the place where a provider was. To see that takes a while by its nature.
async fn nobody_dials(port: u16) {
    tokio::time::sleep(SECOND).await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.expect("the port is free again");
    let dialled = timeout(2 * SECOND, listener.accept()).await;
    assert!(dialled.is_err(), "dialled by {dialled:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_process_that_stops_costs_no_call_is_left_within_a_second_and_is_used_again() {
    let url = zookeeper("orderly");
    let (port, other) = (free_port(), free_port());
    let mut first = provider(&url, port).await;
    let _second = provider(&url, other).await;
    let registry = listed::open(&url).await.expect("a registry");
    let client = Client::builder().timeout(PATIENCE).registry_with(Arc::clone(&registry));
    let callers = Callers::start(&client);
    callers.reach(port, 100).await;
    callers.reach(other, 100).await;

    let mut list = Providers::of(&registry, TicketsClient::INFO);
    list.has(port).await;
    first.signal("TERM").await;
    list.has_not(port).await;
    let gone = Instant::now();
    until(|| connections_to(port) == 0).await;
    let closed = Instant::now();
    assert!(closed - gone < SECOND, "its pool closed after {:?}", closed - gone);
    assert!(first.ended().await.success());
    nobody_dials(port).await;
    callers.reach(other, 100).await;

    let back = Instant::now();
    let _again = provider(&url, port).await;
    callers.reach(port, 100).await;

    let calls = callers.stop().await;
    for call in &calls {
        let at = call.outcome.as_ref().unwrap_or_else(|error| panic!("{} failed: {error}", call.method));
        let between = closed < call.started && call.started < back;
        assert!(!between || *at == other, "a call went to a provider that had left");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_provider_process_costs_only_calls_in_flight_that_may_not_be_repeated() {
    let url = zookeeper("killed");
    let (port, other) = (free_port(), free_port());
    let mut first = provider(&url, port).await;
    let _second = provider(&url, other).await;
    let registry = listed::open(&url).await.expect("a registry");
    let client = Client::builder().timeout(PATIENCE).registry_with(Arc::clone(&registry));
    let callers = Callers::start(&client);
    callers.reach(port, 100).await;
    callers.reach(other, 100).await;

    let mut list = Providers::of(&registry, TicketsClient::INFO);
    list.has(port).await;
    let killed = Instant::now();
    first.signal("KILL").await;
    first.ended().await;
    let dead = Instant::now();
    // The registry goes on naming it until its session ends.
    list.has_not(port).await;
    nobody_dials(port).await;
    callers.reach(other, 100).await;

    let calls = callers.stop().await;
    let failed: Vec<_> = calls.iter().filter(|call| call.outcome.is_err()).collect();
    assert!(!failed.is_empty(), "there were calls in flight");
    assert!(failed.len() <= CALLERS, "{} calls failed, and no caller makes two at a time", failed.len());
    for call in failed {
        let error = call.outcome.as_ref().expect_err("filtered");
        assert_eq!(call.method, "take", "a call that may be repeated failed: {error}");
        assert!(matches!(error.kind(), ErrorKind::ConnectionLost), "{error:?}");
        assert!(!error.surely_not_run(), "it could have been repeated: {error:?}");
        assert!(
            call.started < dead + SECOND,
            "failed though it began {:?} after the end",
            call.started - killed
        );
    }
}

async fn the_user_examples_find_each_other_in(url: &str) {
    let mut server = Program::user_server(&["--registry", url]).await;
    let text = printed(&run(env!("CARGO_BIN_EXE_user-client"), &["--registry", url]).await);
    assert!(text.lines().last().is_some_and(|line| line.starts_with("ALL OK")), "{text}");
    server.signal("TERM").await;
    assert!(server.ended().await.success());
}

#[tokio::test]
async fn the_user_examples_find_each_other_in_zookeeper() {
    the_user_examples_find_each_other_in(&zookeeper("users")).await;
}

#[cfg(feature = "etcd")]
#[tokio::test]
async fn the_user_examples_find_each_other_in_etcd() {
    the_user_examples_find_each_other_in(&support::registries::etcd("users")).await;
}
