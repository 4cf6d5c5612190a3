//! Providers in processes of their own that come and go, a ZooKeeper that knows them, and callers that should notice nothing.
//! `scripts/registry-servers run` starts the ZooKeeper.
#![allow(clippy::expect_used, reason = "a test that cannot go on should end")]

mod support;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use getty_examples::{listed, tickets::TicketsClient};
use getty_rpc::{Client, ErrorKind, Stub};
use support::{
    PATIENCE, Program,
    callers::Callers,
    free_port, printed, providers,
    registries::{Providers, zookeeper},
    run,
    sockets::{connections_to, nobody_dials},
    until,
};

const CALLERS: usize = 50;
/// What the callers are promised.
const SECOND: Duration = Duration::from_secs(1);

/// Two providers that are called through their registry.
struct Called {
    port: u16,
    /// The port of the second one.
    other: u16,
    first: Program,
    _second: Program,
    list: Providers,
    callers: Callers,
}

impl Called {
    async fn start(url: &str) -> Self {
        let (port, other) = (free_port(), free_port());
        let first = providers::process(url, port).await;
        let second = providers::process(url, other).await;
        let registry = listed::open(url).await.expect("a registry");
        let client = Client::builder().timeout(PATIENCE).registry_with(Arc::clone(&registry));
        let callers = Callers::start(&client, CALLERS);
        callers.reach(port, 100).await;
        callers.reach(other, 100).await;
        let mut list = Providers::of(&registry, TicketsClient::INFO);
        list.has(port).await;
        Self { port, other, first, _second: second, list, callers }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_process_that_stops_costs_no_call_is_left_within_a_second_and_is_used_again() {
    let url = zookeeper("orderly");
    let Called { port, other, mut first, _second, mut list, callers } = Called::start(&url).await;
    first.signal("TERM").await;
    list.has_not(port).await;
    let gone = Instant::now();
    until(|| connections_to(port) == 0).await;
    let closed = Instant::now();
    assert!(closed - gone < SECOND, "its pool closed after {:?}", closed - gone);
    assert!(first.ended().await.success());
    nobody_dials(port, 2 * SECOND).await;
    callers.reach(other, 100).await;

    let back = Instant::now();
    let _again = providers::process(&url, port).await;
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
    let Called { port, other, mut first, _second, mut list, callers } = Called::start(&url).await;
    let killed = Instant::now();
    first.signal("KILL").await;
    first.ended().await;
    let dead = Instant::now();
    // The registry goes on naming it until its session ends.
    list.has_not(port).await;
    nobody_dials(port, 2 * SECOND).await;
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
