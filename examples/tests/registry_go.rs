//! Our examples and a running dubbo-go that find each other in ZooKeeper and in etcd, in both directions. `scripts/test` builds
//! the Go programs, starts the registries and says where they are.
#![allow(clippy::expect_used, reason = "a test that cannot go on should end")]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use getty_examples::{listed, user::UserServiceClient};
use getty_rpc::{Client, Stub};
use support::{
    PATIENCE, Program, dubbo_go, free_port, printed,
    registries::{Providers, zookeeper},
    run,
    sockets::connections_to,
    until,
};
use tokio::task::JoinSet;

/// A Go server, as soon as the registry knows it.
async fn go_server(registry: &str) -> Program {
    let port = free_port();
    let server = dubbo_go::server(port, &["-registry", registry]).await;
    let open = listed::open(registry).await.expect("a registry");
    Providers::of(&open, UserServiceClient::INFO).has(port).await;
    server
}

async fn every_method_of_a_go_server_in(registry: &str) {
    let _server = go_server(registry).await;
    let arguments = ["--registry", registry, "--go-provider"];
    let text = printed(&run(env!("CARGO_BIN_EXE_user-client"), &arguments).await);
    assert!(text.lines().last().is_some_and(|line| line.starts_with("ALL OK")), "{text}");
}

async fn every_method_of_our_server_in(registry: &str) {
    let _server = Program::user_server(&["--registry", registry]).await;
    dubbo_go::client(&["-registry", registry, "-mode", "all"]).await;
}

#[tokio::test]
async fn our_client_finds_a_go_server_in_zookeeper_and_gets_the_right_value_from_every_method() {
    every_method_of_a_go_server_in(&zookeeper("go-provides")).await;
}

#[tokio::test]
async fn a_go_client_finds_our_server_in_zookeeper_and_gets_the_right_value_from_every_method() {
    every_method_of_our_server_in(&zookeeper("go-consumes")).await;
}

#[cfg(feature = "etcd")]
#[tokio::test]
async fn our_client_finds_a_go_server_in_etcd_and_gets_the_right_value_from_every_method() {
    every_method_of_a_go_server_in(&support::registries::etcd("go-provides")).await;
}

/// In the root `dubbo`: dubbo-go's consumer watches no other one in etcd.
#[cfg(feature = "etcd")]
#[tokio::test]
async fn a_go_client_finds_our_server_in_etcd_and_gets_the_right_value_from_every_method() {
    every_method_of_our_server_in(&support::registries::etcd("dubbo")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_go_server_that_stops_costs_our_callers_no_call_and_is_left_within_a_second() {
    let url = zookeeper("go-stops");
    let mut leaves = go_server(&url).await;
    let _stays = Program::user_server(&["--registry", &url]).await;
    let registry = listed::open(&url).await.expect("a registry");
    let client = Client::builder().timeout(PATIENCE).registry_with(Arc::clone(&registry));
    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let (users, stop) = (client.refer::<UserServiceClient>(), Arc::clone(&stop));
        callers.spawn(async move {
            for n in 0.. {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                assert_eq!(users.next(n).await.expect("no call fails"), n + 1);
            }
        });
    }
    until(|| connections_to(leaves.port) > 0).await;
    let mut list = Providers::of(&registry, UserServiceClient::INFO);
    list.has(leaves.port).await;
    leaves.signal("TERM").await;
    list.has_not(leaves.port).await;
    let gone = Instant::now();
    until(|| connections_to(leaves.port) == 0).await;
    assert!(gone.elapsed() < Duration::from_secs(1), "its pool closed after {:?}", gone.elapsed());
    leaves.ended().await;
    stop.store(true, Ordering::SeqCst);
    while let Some(caller) = callers.join_next().await {
        caller.expect("no call failed");
    }
}

/// dubbo-go's consumer closes its connection the moment the registry drops a provider, or an answer says `closing`, with calls in
/// flight, which then wait for their timeout. With a provider in Go it does the same. None of its later calls fails.
#[tokio::test]
async fn our_server_that_stops_costs_a_go_caller_at_most_the_one_call_in_flight_that_dubbo_go_drops() {
    let url = zookeeper("ours-stops");
    let mut leaves = Program::user_server(&["--registry", &url]).await;
    let stays = Program::user_server(&["--registry", &url]).await;
    // dubbo-go asks for one provider after the other: a call while it does so may find none.
    let calling = dubbo_go::steady_client(&["-registry", &url, "-callers", "20", "-seconds", "6"]).await;
    until(|| connections_to(leaves.port) > 0 && connections_to(stays.port) > 0).await;
    let ended = async { (calling.last_words().await, Instant::now()) };
    let stopping = async {
        leaves.signal("TERM").await;
        assert!(leaves.ended().await.success());
        Instant::now()
    };
    let ((text, ended), stopped) = tokio::join!(ended, stopping);
    assert!(stopped < ended, "the server stopped only after the last call");
    let number = |what: &str| {
        let before = text.split(what).next().and_then(|before| before.rsplit(' ').next());
        before.and_then(|number| number.parse::<u32>().ok()).unwrap_or_else(|| panic!("{text}"))
    };
    assert_eq!(number(" wrong answers"), 0, "{text}");
    assert!(number(" errors") <= 20, "{text}");
}
