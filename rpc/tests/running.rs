//! Handlers that run: how many may, how long, and what becomes of those that panic or never end.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::time::Duration;

use getty_rpc::{Client, ErrorKind, hessian2::Value, protocol::Status};
use support::{
    PATIENCE, Peer, ProbeClient, Probing, Request, STRING, assert_serves, over_pipes, probe, serve, text,
    value, within,
};
use tokio::task::JoinSet;

/// A heartbeat that does not come while a test lasts.
const FOR_EVER: Duration = Duration::from_secs(1_000_000);

#[tokio::test]
async fn a_panic_in_a_handler_is_answered_and_the_connection_lives() {
    let (_probing, _serving, mut peer) = probe().await;
    for (id, method) in [(1, "panic"), (2, "panicLater"), (3, "panic")] {
        let request = Request::probe(method, STRING).argument("on purpose");
        let (status, body) = peer.ask(id, &request.call(id)).await;
        assert_eq!(status, Status::SERVICE_ERROR);
        let text = text(&body);
        assert!(text.contains("panicked") && text.contains("on purpose"), "{text}");
    }
    assert_serves(&mut peer).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_after_the_deadline_and_other_calls_on_the_connection_succeed() {
    let probing = Probing::new();
    let (_serving, connector) = over_pipes(|server| server.service(probing.server()));
    let mut peer = connector.connect();
    let wait = Request::probe("wait", "");
    peer.send(&wait.clone().attach("timeout", "300").call(1)).await;
    peer.send(&wait.clone().attach("timeout", 300).call(2)).await;
    peer.send(&wait.clone().attach("timeout", "60000").call(3)).await;
    probing.entered(3).await;
    tokio::time::sleep(Duration::from_millis(301)).await;
    probing.open(3);
    let (id, status, body) = peer.answer().await;
    assert_eq!((id, value((status, body))), (3, Value::from(7)));
    assert_eq!(value(peer.ask(4, &Request::hello("a").call(4)).await), Value::from("hello a"));
    assert_eq!(peer.finish().await, []);
}

#[tokio::test]
async fn an_answer_that_is_there_only_after_the_deadline_is_not_sent_even_by_a_handler_that_never_waited() {
    let (probing, _serving, mut peer) = probe().await;
    let block = Request::probe("block", "J").argument(60_i64);
    peer.send(&block.clone().attach("timeout", "20").call(1)).await;
    peer.send(&block.attach("timeout", "20000").call(2)).await;
    let (id, status, body) = peer.answer().await;
    assert_eq!((id, value((status, body))), (2, Value::from(8)));
    assert_serves(&mut peer).await;
    assert_eq!(peer.finish().await, []);
    assert_eq!(probing.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_zero_or_of_no_number_is_no_limit() {
    let probing = Probing::new();
    let (_serving, connector) = over_pipes(|server| server.service(probing.server()).heartbeat(FOR_EVER));
    let mut peer = connector.connect();
    let timeouts = ["0", "", "-1", "3s", "99999999999999999999999", "18446744073709551615"];
    for (id, timeout) in (1..).zip(timeouts) {
        peer.send(&Request::probe("wait", "").attach("timeout", timeout).call(id)).await;
    }
    probing.entered(timeouts.len() as u32).await;
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    probing.open(timeouts.len());
    let mut ids = Vec::new();
    for _ in timeouts {
        let (id, status, _) = peer.answer().await;
        assert_eq!(status, Status::OK);
        ids.push(id);
    }
    ids.sort_unstable();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_never_ends_is_dropped_at_its_deadline_and_makes_room() {
    let probing = Probing::new();
    let (_serving, connector) = over_pipes(|server| server.service(probing.server()).running(64));
    let mut peer = connector.connect();
    for round in 1..=10 {
        for id in 0..64 {
            peer.send(&Request::probe("hang", "").attach("timeout", "500").call(id)).await;
        }
        probing.entered(64).await;
        let (status, _) = peer.ask(99, &Request::hello("no room").call(99)).await;
        assert_eq!(status, Status::SERVER_THREADPOOL_EXHAUSTED);
        tokio::time::sleep(Duration::from_millis(501)).await;
        assert_eq!(probing.dropped(), round * 64);
        let answer = peer.ask(100, &Request::hello("room").call(100)).await;
        assert_eq!(value(answer), Value::from("hello room"));
    }
    assert_eq!(peer.finish().await, []);
}

#[tokio::test(start_paused = true)]
async fn what_a_late_handler_drops_can_ask_whose_call_it_was() {
    let probing = Probing::new();
    let (_serving, connector) = over_pipes(|server| server.service(probing.server()));
    let mut peer = connector.connect();
    peer.send(&Request::probe("hang", "").attach("timeout", "500").call(1)).await;
    probing.entered(1).await;
    tokio::time::sleep(Duration::from_millis(501)).await;
    assert_eq!((probing.dropped(), probing.known()), (1, 1));
    assert_eq!(peer.finish().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_one_way_call_has_no_deadline_as_nobody_waits_for_it() {
    let probing = Probing::new();
    let (_serving, connector) = over_pipes(|server| server.service(probing.server()));
    let mut peer = connector.connect();
    peer.send(&Request::probe("wait", "").attach("timeout", "500").oneway(1)).await;
    probing.entered(1).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(probing.dropped(), 0);
    probing.open(1);
    assert_eq!(peer.finish().await, []);
}

#[tokio::test]
async fn a_full_server_refuses_and_room_comes_back_after_returns_and_panics() {
    let probing = Probing::new();
    let serving = serve(|server| server.service(probing.server()).running(4)).await;
    let mut peer = Peer::connect(serving.address()).await;
    for round in 0..50 {
        let ids: Vec<_> = (0..4).map(|i| round * 10 + i).collect();
        for &id in &ids {
            peer.send(&Request::probe("wait", "").call(id)).await;
        }
        probing.entered(4).await;
        let before = probing.calls();
        let (status, body) = peer.ask(-1, &Request::hello("one too many").call(-1)).await;
        assert_eq!(status, Status::SERVER_THREADPOOL_EXHAUSTED);
        assert!(text(&body).contains("exhausted"), "{}", text(&body));
        assert_eq!(probing.calls(), before, "it did not run");
        // A one-way call is refused in silence, and what is answered without a handler still is.
        peer.send(&Request::probe("note", STRING).argument("one too many").oneway(-2)).await;
        assert_eq!(peer.ask(-3, &Request::probe("nope", "").call(-3)).await.0, Status::BAD_REQUEST);
        probing.open(4);
        let mut answered = Vec::new();
        for _ in &ids {
            answered.push(peer.answer().await.0);
        }
        answered.sort_unstable();
        assert_eq!(answered, ids);
        for (id, method) in [(-4, "panic"), (-5, "panicLater")] {
            let panics = Request::probe(method, STRING).argument("on purpose");
            assert_eq!(peer.ask(id, &panics.call(id)).await.0, Status::SERVICE_ERROR);
        }
    }
    assert_serves(&mut peer).await;
}

#[tokio::test(start_paused = true)]
async fn after_ten_thousand_calls_of_every_fate_all_places_of_server_and_client_are_free() {
    const CALLS: usize = 10_000;
    const LIMIT: usize = 64;
    const SHORT: Duration = Duration::from_millis(500);
    let probing = Probing::new();
    let (_serving, connector) = over_pipes(|server| server.service(probing.server()).running(LIMIT));
    let pipe = connector.clone();
    let client = Client::builder().timeout(PATIENCE).pending(LIMIT).dial("pipe", move || pipe.clone().dial());
    let probe: ProbeClient = client.refer();
    for batch in 0..CALLS / 50 {
        let mut calls = JoinSet::new();
        for call in 0..50 {
            let probe = probe.clone();
            calls.spawn(async move {
                match (call, call % 3) {
                    (0, _) => drop(probe.panic("on purpose").await.unwrap_err()),
                    (1, _) => drop(probe.panic_later("on purpose").await.unwrap_err()),
                    (_, 2) => assert_eq!(probe.hello("you").await.unwrap(), "hello you"),
                    (_, 0) => {
                        let error = probe.hang().timeout(SHORT).await.unwrap_err();
                        assert!(matches!(error.kind(), ErrorKind::Timeout), "{error}");
                    }
                    // Given up by its caller, once it runs.
                    _ => {
                        let given_up = tokio::time::timeout(SHORT / 2, probe.hang().timeout(SHORT)).await;
                        assert!(given_up.is_err());
                    }
                }
            });
        }
        while let Some(call) = within(calls.join_next()).await {
            call.unwrap();
        }
        tokio::time::sleep(SHORT).await;
        assert_eq!((probing.calls(), probing.dropped()), (50 * (batch + 1), 32 * (batch + 1)));
    }

    let mut calls = JoinSet::new();
    for _ in 0..LIMIT {
        let probe = probe.clone();
        calls.spawn(async move { probe.wait().await });
    }
    // Those that hung have entered too.
    probing.entered((CALLS / 50 * 32 + LIMIT) as u32).await;
    let error = probe.hello("one too many").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Busy) && error.surely_not_run(), "{error}");
    let mut peer = connector.connect();
    let (status, _) = peer.ask(1, &Request::hello("one too many").call(1)).await;
    assert_eq!(status, Status::SERVER_THREADPOOL_EXHAUSTED);
    probing.open(LIMIT);
    while let Some(call) = within(calls.join_next()).await {
        assert_eq!(call.unwrap().unwrap(), 7);
    }
    assert_eq!(probe.hello("again").await.unwrap(), "hello again");
    assert_eq!(probing.calls(), CALLS + LIMIT + 1);
}
