//! When a client dials again, on a clock that the tests turn: after losses at once, after failures ever less often.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::time::Duration;

use getty_rpc::{Client, ClientBuilder, Error, ErrorKind};
use support::{Behaviour, Network, ProbeClient};
use tokio::time::{Instant, sleep};

/// A stub whose calls go over this network.
fn over(network: &Network, builder: ClientBuilder) -> ProbeClient {
    let network = network.clone();
    builder.dial("a network in memory", move || network.clone().dial()).refer()
}

fn is_lost(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Connect | ErrorKind::ConnectionLost)
}

#[tokio::test(start_paused = true)]
async fn two_seconds_after_a_provider_was_killed_and_started_again_calls_succeed() {
    let network = Network::new(Behaviour::Serves);
    let probe = over(&network, Client::builder());
    for round in 0..50 {
        assert_eq!(probe.add(1, 2).await.unwrap(), 3, "round {round}");
        network.behave(Behaviour::Refuses);
        network.cut();
        sleep(Duration::from_millis(100)).await;
        network.behave(Behaviour::Serves);
        sleep(Duration::from_secs(2)).await;
        for _ in 0..3 {
            assert_eq!(probe.add(1, 2).await.unwrap(), 3, "round {round}");
        }
    }
    assert_eq!(network.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn connections_that_end_while_idle_are_not_handed_out_and_each_is_dialled_again_once() {
    let network = Network::new(Behaviour::Serves);
    let probe = over(&network, Client::builder().connections(8));
    for round in 0..50 {
        assert_eq!(probe.add(1, 2).await.unwrap(), 3);
        sleep(Duration::from_secs(30)).await;
        assert_eq!(network.connections(), 8);
        assert_eq!(network.dials().len(), 8, "round {round}");
        network.cut();
        sleep(Duration::from_secs(2)).await;
        for _ in 0..24 {
            assert_eq!(probe.add(1, 2).await.unwrap(), 3, "round {round}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn connections_that_end_soon_after_they_were_made_are_back_two_seconds_later_too() {
    for connections in [1, 8] {
        let network = Network::new(Behaviour::Serves);
        let probe = over(&network, Client::builder().connections(connections));
        assert_eq!(probe.add(1, 2).await.unwrap(), 3);
        sleep(Duration::from_millis(500)).await;
        assert_eq!(network.connections(), connections);
        network.cut();
        sleep(Duration::from_secs(2)).await;
        for _ in 0..24 {
            assert_eq!(probe.add(1, 2).await.unwrap(), 3, "{connections} connections");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_closes_idle_connections_is_called_without_a_failure() {
    let network = Network::new(Behaviour::Serves);
    let probe = over(&network, Client::builder().connections(2));
    for _ in 0..20 {
        assert_eq!(probe.add(1, 2).await.unwrap(), 3);
        sleep(Duration::from_secs(30)).await;
        network.cut();
        // The client has not been told yet.
        tokio::task::yield_now().await;
        assert_eq!(probe.add(1, 2).await.unwrap(), 3);
    }
}

/// Counts dials in a minute with a call each second, all of which fail at once.
async fn dials_in_a_minute(network: &Network, probe: &ProbeClient) -> usize {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        let called = Instant::now();
        let error = probe.add(1, 2).await.unwrap_err();
        assert!(is_lost(&error), "{error}");
        assert!(called.elapsed() <= Duration::from_millis(100), "{:?}: {error}", called.elapsed());
        sleep(Duration::from_secs(1)).await;
    }
    network.dials().len()
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_accepts_and_closes_is_dialled_ever_less_often_and_used_when_it_is_good_again() {
    let behaviours = [
        Behaviour::Refuses,
        Behaviour::Closes(Duration::ZERO),
        Behaviour::Closes(Duration::from_millis(50)),
        Behaviour::GreetsAndCloses,
    ];
    for behaviour in behaviours {
        let network = Network::new(behaviour);
        let probe = over(&network, Client::builder().connections(4));
        let dials = dials_in_a_minute(&network, &probe).await;
        assert!((5..=20).contains(&dials), "{behaviour:?}: {dials} dials");
        // Also when nobody calls.
        sleep(Duration::from_secs(60)).await;
        let dials = network.dials().len();
        assert!((1..=20).contains(&dials), "{behaviour:?}: {dials} dials while idle");

        network.behave(Behaviour::Serves);
        sleep(Duration::from_secs(31)).await;
        for _ in 0..8 {
            assert_eq!(probe.add(1, 2).await.unwrap(), 3, "{behaviour:?}");
        }
        assert_eq!(network.connections(), 4, "{behaviour:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closes_at_or_after_the_first_heartbeat_is_not_dialled_without_pause() {
    for behaviour in [Behaviour::ClosesAtHeartbeat, Behaviour::ClosesAfterHeartbeat] {
        let network = Network::new(behaviour);
        let probe = over(&network, Client::builder().connections(4).heartbeat(Duration::from_millis(500)));
        // The connections are made at the first need.
        assert_eq!(probe.add(1, 2).await.unwrap(), 3, "{behaviour:?}");
        sleep(Duration::from_secs(60)).await;
        let dials = network.dials().len();
        assert!(dials <= 4 + 20, "{behaviour:?}: {dials} dials");
        network.behave(Behaviour::Serves);
        sleep(Duration::from_secs(31)).await;
        assert_eq!(probe.add(1, 2).await.unwrap(), 3, "{behaviour:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_to_a_place_that_does_not_answer_the_dial_end_at_their_own_timeout() {
    let client = Client::builder()
        .dial("nowhere", || async { std::future::pending::<std::io::Result<support::PipeEnd>>().await });
    let probe: ProbeClient = client.refer();
    for _ in 0..10 {
        let begun = Instant::now();
        let error = probe.add(1, 2).timeout(Duration::from_millis(300)).await.unwrap_err();
        assert!(error.surely_not_run(), "{error}");
        assert!(begun.elapsed() <= Duration::from_millis(310), "{:?}", begun.elapsed());
        sleep(Duration::from_millis(100)).await;
    }
}
