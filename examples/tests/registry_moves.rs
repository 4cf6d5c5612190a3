//! A service whose last provider goes and which comes back at another address: what callers are told meanwhile, how soon they go
//! to the new one, and that the old one is left alone. The old providers are processes of their own.
//! `scripts/registry-servers run` starts the ZooKeeper.
#![allow(clippy::expect_used, reason = "a test that cannot go on should end")]

mod support;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use getty_examples::{listed, tickets::TicketsClient};
use getty_rpc::{Client, ErrorKind, Stub, registry::Registry};
use support::{
    PATIENCE, Program,
    callers::Callers,
    free_port,
    providers::{self, Provider},
    registries::{Providers, zookeeper},
    sockets::{connections_to, nobody_dials},
    until,
};

/// Within which all calls go to the new provider.
const SECOND: Duration = Duration::from_secs(1);

/// One provider, and callers that go on whatever they are told.
struct Scene {
    url: String,
    old: Program,
    list: Providers,
    tickets: TicketsClient,
    callers: Callers,
}

impl Scene {
    async fn set(url: String) -> Self {
        let old = providers::process(&url, free_port()).await;
        let registry = listed::open(&url).await.expect("a registry");
        let client = Client::builder().timeout(PATIENCE).registry_with(Arc::clone(&registry));
        let callers = Callers::start(&client, 10);
        callers.reach(old.port, 10).await;
        let mut list = Providers::of(&registry, TicketsClient::INFO);
        list.has(old.port).await;
        Self { url, old, list, tickets: client.refer(), callers }
    }

    /// Until it has gone from the list, or is in it only because there is no other.
    async fn old_is_no_provider(&mut self) {
        self.list.has_not_or_is_stale(self.old.port).await;
    }

    /// What callers are told, again and again, until there is a provider.
    async fn errors_say(&self, text: &str) {
        let tickets = &self.tickets;
        let told = async {
            loop {
                let error = tickets.provider().await.expect_err("there is no provider");
                if error.message().starts_with(text) {
                    return error;
                }
            }
        };
        let error = tokio::time::timeout(PATIENCE, told).await.expect("they say so");
        assert!(matches!(error.kind(), ErrorKind::Connect) && error.surely_not_run(), "{error:?}");
    }

    fn nobody(&self) -> String {
        "the registry knows no provider of com.example.tickets.Tickets:1.0.0".to_owned()
    }

    fn last_is_down(&self) -> String {
        format!("{}, and the last known, 127.0.0.1:{}, is down: ", self.nobody(), self.old.port)
    }

    /// A registry of a provider's own.
    async fn registry(&self) -> Arc<dyn Registry> {
        listed::open(&self.url).await.expect("a registry")
    }

    /// From a second after the announcement on all calls go to the new provider, and nobody dials the old one.
    async fn all_go_to(mut self, new: &Provider) {
        self.list.has(new.port).await;
        let announced = Instant::now();
        self.old_is_no_provider().await;
        until(|| connections_to(self.old.port) == 0).await;
        nobody_dials(self.old.port, 5 * SECOND).await;
        self.callers.reach(new.port, 100).await;
        let calls = self.callers.stop().await;
        for call in calls.iter().filter(|call| call.started > announced + SECOND) {
            let at = call.outcome.as_ref().unwrap_or_else(|error| panic!("{} failed: {error}", call.method));
            assert_eq!(*at, new.port);
        }
        // What never left is known not to have run, so that only calls in flight at a kill are in doubt.
        let in_doubt = |error: &&getty_rpc::Error| !error.surely_not_run();
        let in_doubt = calls.iter().filter_map(|call| call.outcome.as_ref().err()).filter(in_doubt).count();
        assert!(in_doubt <= 10, "{in_doubt} calls by ten callers");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_nobody_is_there_errors_name_the_last_provider_and_the_next_gets_all_calls_within_a_second() {
    let mut scene = Scene::set(zookeeper("moves")).await;
    scene.old.signal("TERM").await;
    assert!(scene.old.ended().await.success());
    scene.old_is_no_provider().await;
    scene.errors_say(&scene.last_is_down()).await;
    let new = Provider::start(&scene.registry().await).await;
    scene.all_go_to(&new).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_time_of_grace_the_last_provider_is_named_and_no_longer_dialled() {
    let mut scene = Scene::set(zookeeper("moves-late") + "&empty-grace=1s").await;
    scene.old.signal("TERM").await;
    assert!(scene.old.ended().await.success());
    let gone = format!("{}; the last known was 127.0.0.1:{}", scene.nobody(), scene.old.port);
    scene.errors_say(&gone).await;
    nobody_dials(scene.old.port, 2 * SECOND).await;
    let new = Provider::start(&scene.registry().await).await;
    scene.all_go_to(&new).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_provider_is_named_too_once_its_node_has_gone() {
    let mut scene = Scene::set(zookeeper("moves-killed")).await;
    scene.old.signal("KILL").await;
    scene.old.ended().await;
    scene.errors_say(&scene.last_is_down()).await;
    let new = Provider::start(&scene.registry().await).await;
    scene.all_go_to(&new).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_comes_before_the_node_of_a_killed_one_has_gone_gets_all_calls_within_a_second() {
    let mut scene = Scene::set(zookeeper("moves-overlapping")).await;
    let registry = scene.registry().await;
    scene.old.signal("KILL").await;
    scene.old.ended().await;
    let new = Provider::start(&registry).await;
    scene.all_go_to(&new).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_comes_right_after_the_last_has_gone_gets_all_calls_within_a_second() {
    let mut scene = Scene::set(zookeeper("moves-at-once")).await;
    let registry = scene.registry().await;
    scene.old.signal("TERM").await;
    scene.old_is_no_provider().await;
    let new = Provider::start(&registry).await;
    assert!(scene.old.ended().await.success());
    scene.all_go_to(&new).await;
}
