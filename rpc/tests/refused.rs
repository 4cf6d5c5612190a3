//! Which other providers a call is sent to that the first one did not run.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use getty_rpc::{Client, Cluster, ErrorKind, protocol::Status};
use support::{Fake, PATIENCE, ProbeClient, error_body, value_body, within};
use tokio::net::TcpListener;

const CLUSTERS: [Cluster; 3] =
    [Cluster::Failfast, Cluster::Failover { retries: 0 }, Cluster::Failover { retries: 2 }];

fn client(cluster: Cluster, addresses: &[String]) -> Client {
    let builder = Client::builder().timeout(PATIENCE).cluster(cluster);
    builder.direct(&addresses.join(",")).unwrap()
}

/// A port that refuses.
async fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

/// Answers calls with status 100 until the test ends.
fn refuse(fake: Fake) {
    tokio::spawn(async move {
        let mut provider = fake.accept_whenever().await;
        loop {
            provider.reply(Status::SERVER_THREADPOOL_EXHAUSTED, &error_body("no room")).await;
        }
    });
}

#[tokio::test]
async fn a_call_passes_over_all_providers_that_cannot_be_reached_whatever_the_cluster() {
    for cluster in CLUSTERS {
        let alive = Fake::bind().await;
        let mut addresses = vec![alive.address().to_string()];
        for _ in 0..5 {
            addresses.push(nobody().await);
        }
        let probe: ProbeClient = client(cluster, &addresses).refer();
        let calls = tokio::spawn(async move {
            for _ in 0..20 {
                assert_eq!(probe.add(1, 2).await.unwrap(), 3);
            }
        });
        let mut provider = alive.accept().await;
        for _ in 0..20 {
            provider.reply(Status::OK, &value_body(3)).await;
        }
        within(calls).await.unwrap();
    }
}

#[tokio::test]
async fn where_no_provider_can_be_reached_each_is_tried_and_the_error_says_that_the_call_did_not_run() {
    for cluster in CLUSTERS {
        let addresses = [nobody().await, nobody().await, nobody().await];
        let probe: ProbeClient = client(cluster, &addresses).refer();
        let error = within(async { probe.add(1, 2).await }).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Connect) && error.surely_not_run(), "{error:?}");
    }
}

#[tokio::test]
async fn a_refused_call_is_sent_to_one_other_provider_even_without_retries() {
    for cluster in CLUSTERS {
        let (full, free) = (Fake::bind().await, Fake::bind().await);
        let probe: ProbeClient =
            client(cluster, &[full.address().to_string(), free.address().to_string()]).refer();
        refuse(full);
        let calls = tokio::spawn(async move {
            for _ in 0..20 {
                assert_eq!(probe.add(1, 2).await.unwrap(), 3);
            }
        });
        let mut provider = free.accept().await;
        for _ in 0..20 {
            provider.reply(Status::OK, &value_body(3)).await;
        }
        within(calls).await.unwrap();
    }
}

#[tokio::test]
async fn a_call_that_everybody_refuses_asks_no_more_providers_than_retries_allow() {
    for (cluster, most) in [(Cluster::Failfast, 2), (Cluster::Failover { retries: 2 }, 3)] {
        let mut addresses = Vec::new();
        let (asked, mut seen) = tokio::sync::mpsc::unbounded_channel();
        for _ in 0..5 {
            let (fake, asked) = (Fake::bind().await, asked.clone());
            addresses.push(fake.address().to_string());
            tokio::spawn(async move {
                let mut provider = fake.accept_whenever().await;
                loop {
                    provider.reply(Status::SERVER_THREADPOOL_EXHAUSTED, &error_body("no room")).await;
                    asked.send(()).unwrap();
                }
            });
        }
        let probe: ProbeClient = client(cluster, &addresses).refer();
        let error = within(async { probe.add(1, 2).await }).await.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Status(Status::SERVER_THREADPOOL_EXHAUSTED)),
            "{cluster:?}: {error}"
        );
        for _ in 0..most {
            within(seen.recv()).await.unwrap();
        }
        assert!(seen.try_recv().is_err(), "{cluster:?} asked more than {most}");
    }
}
