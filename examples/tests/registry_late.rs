//! A provider process that stops, and callers whose registry tells them late: they hear of it from the provider itself.
//! `scripts/registry-servers run` starts the ZooKeeper.
#![allow(clippy::expect_used, reason = "a test that cannot go on should end")]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use getty_examples::{listed, user::UserServiceClient};
use getty_rpc::{
    Client, Cluster, LoadBalance, Stub,
    registry::{
        Publisher, RegisterError, Registration, Registry, RegistryState, Subscription, Target,
        UnregisterError, Url, Wait,
    },
};
use support::{
    PATIENCE, Program,
    registries::{Providers, zookeeper},
    until,
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, interval, sleep},
};

/// A thousand calls a second.
const CALLERS: i32 = 10;
const PACE: Duration = Duration::from_millis(10);

/// A registry whose news, but for the first list, comes late.
#[derive(Debug)]
struct Late {
    inner: Arc<dyn Registry>,
    by: Duration,
}

impl Registry for Late {
    fn register(&self, url: Url) -> Result<Registration, RegisterError> {
        self.inner.register(url)
    }

    fn unregister(&self, url: &Url) -> Wait<Result<(), UnregisterError>> {
        self.inner.unregister(url)
    }

    fn registrations(&self) -> Vec<Registration> {
        self.inner.registrations()
    }

    fn subscribe(&self, target: &Target) -> Subscription {
        let (publisher, mut news, by) = (Publisher::new(), self.inner.subscribe(target), self.by);
        let subscription = publisher.subscribe(target.clone(), Duration::ZERO);
        tokio::spawn(async move {
            let mut late = Duration::ZERO;
            while let Some(update) = news.next().await {
                sleep(late).await;
                publisher.publish(update.snapshot.iter().map(|provider| provider.url().clone()));
                late = by;
            }
        });
        subscription
    }

    fn state(&self) -> watch::Receiver<RegistryState> {
        self.inner.state()
    }

    fn close(&self) -> Wait<()> {
        self.inner.close()
    }
}

/// Two providers, of which one is stopped; `long`: how long a call takes that is in flight at each when that happens.
async fn a_stopped_provider_costs_no_call(root: &str, news_by: Duration, long: Duration) {
    let url = zookeeper(root);
    let mut leaves = Program::user_server(&["--registry", &url]).await;
    let stays = Program::user_server(&["--registry", &url]).await;
    let inner = listed::open(&url).await.expect("a registry");
    let mut list = Providers::of(&inner, UserServiceClient::INFO);
    list.has(leaves.port).await;
    list.has(stays.port).await;
    // Each call is tried once, and what is sent is never sent again.
    let client = Client::builder()
        .timeout(PATIENCE)
        .cluster(Cluster::Failfast)
        .load_balance(LoadBalance::RoundRobin)
        .registry_with(Arc::new(Late { inner, by: news_by }));
    let users: UserServiceClient = client.refer();
    client.connect().await.expect("both providers");

    let millis = i32::try_from(long.as_millis()).expect("a few seconds");
    let mut slow = JoinSet::new();
    for _ in 0..2 {
        let users = users.clone();
        slow.spawn(async move { users.slow(millis).timeout(PATIENCE).await });
    }
    let (stop, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut callers = JoinSet::new();
    for first in 0..CALLERS {
        let (users, stop, made) = (users.clone(), Arc::clone(&stop), Arc::clone(&made));
        callers.spawn(async move {
            let mut pace = interval(PACE);
            let mut failed = Vec::new();
            for n in (first..).step_by(usize::try_from(CALLERS).expect("positive")) {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                pace.tick().await;
                match users.next(n).await {
                    Ok(next) => assert_eq!(next, n + 1),
                    Err(error) => failed.push(error),
                }
                made.fetch_add(1, Ordering::SeqCst);
            }
            failed
        });
    }
    until(|| made.load(Ordering::SeqCst) > 500).await;
    let stopped = Instant::now();
    leaves.signal("TERM").await;
    assert!(leaves.ended().await.success());
    // The news comes at last, and a while passes with it.
    tokio::time::sleep_until(stopped + news_by).await;
    let before = made.load(Ordering::SeqCst);
    until(|| made.load(Ordering::SeqCst) > before + 1000).await;
    stop.store(true, Ordering::SeqCst);
    let failed: Vec<_> = callers.join_all().await.concat();
    assert!(failed.is_empty(), "{} calls failed: {:?}", failed.len(), failed[0]);
    for answer in slow.join_all().await {
        assert_eq!(answer.expect("an answer"), format!("slept {millis} ms"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_stops_costs_no_call_although_the_news_comes_after_its_end_and_nothing_is_retried() {
    a_stopped_provider_costs_no_call("late", Duration::from_secs(6), Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_eight_seconds_is_answered_by_a_provider_that_stops_meanwhile() {
    a_stopped_provider_costs_no_call("late-long", Duration::from_secs(3), Duration::from_secs(8)).await;
}
