//! Calls that wait: for a connection, for their answer, for their timeout, or until their caller gives up.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    future::{Future, IntoFuture},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use getty_rpc::{Client, ErrorKind, protocol::Status};
use support::{
    FakePipe, PATIENCE, Peer, ProbeClient, Probing, called, patient, request_attachments, response, serve,
    value_body, within,
};
use tokio::{task::JoinSet, time::Instant};

#[tokio::test(start_paused = true)]
async fn a_timeout_below_a_millisecond_is_not_sent_as_zero_which_would_be_none() {
    let (any, mut provider) = support::connected(|builder| builder).await;
    let call = any.call().timeout(Duration::from_micros(1)).into_future();
    let (outcome, sent) = tokio::join!(call, provider.next_call());
    assert!(outcome.unwrap_err().is_timeout());
    let sent = request_attachments(&sent.unwrap().1);
    assert!(sent.ends_with(" timeout=1"), "{sent}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_answered_ends_at_its_own_timeout_and_a_late_answer_reaches_nobody() {
    let (any, mut provider) = support::connected(|builder| builder.heartbeat(PATIENCE * 1_000)).await;
    let mut late = Vec::new();
    for timeout in [20, 300, 5_000] {
        let timeout = Duration::from_millis(timeout);
        let begun = tokio::time::Instant::now();
        let (outcome, sent) = tokio::join!(any.call().timeout(timeout).into_future(), provider.next_call());
        let error = outcome.unwrap_err();
        assert!(error.is_timeout() && !error.surely_not_run(), "{error}");
        assert!(error.message().contains("com.example.Any.call"), "{error}");
        let took = begun.elapsed();
        assert!(took >= timeout && took <= timeout + Duration::from_millis(50), "{took:?} for {timeout:?}");
        late.push(sent.unwrap().0.id);
    }
    // Their answers come when another call waits, in the slot that they had, and with ids nobody ever sent.
    let asking = async {
        let (header, _) = provider.next_call().await.unwrap();
        for id in late.into_iter().chain([0, -1, i64::MAX, header.id ^ 1]) {
            assert_ne!(id, header.id);
            provider.send(&response(id, Status::OK, &value_body("late"))).await;
        }
        let own = response(header.id, Status::OK, &value_body("own"));
        provider.send(&[own.clone(), response(header.id, Status::OK, &value_body("twice"))].concat()).await;
    };
    let (outcome, ()) = tokio::join!(any.call().into_future(), asking);
    assert_eq!(outcome.unwrap(), Ok("own".into()));
    let outcome = support::asked(&any, &mut provider, Status::OK, &value_body("next")).await;
    assert_eq!(outcome.unwrap(), Ok("next".into()));
}

#[tokio::test]
async fn a_call_that_is_dropped_gives_its_place_back_and_its_answer_reaches_nobody() {
    let (any, mut provider) = support::connected(|builder| builder.pending(2)).await;
    let mut dropped = Vec::new();
    for _ in 0..100 {
        let (mut first, mut second) = (any.call().into_future(), any.call().into_future());
        for call in [&mut first, &mut second] {
            assert!(
                std::future::poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *call).poll(cx)))
                    .await
                    .is_pending()
            );
        }
        let error = any.call().await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Busy) && error.surely_not_run(), "{error}");
        assert!(error.message().contains('2'), "{error}");
        drop((first, second));
        for _ in 0..2 {
            dropped.push(provider.next_call().await.unwrap().0.id);
        }
    }
    for id in dropped {
        provider.send(&response(id, Status::OK, &value_body("dropped"))).await;
    }
    let outcome = support::asked(&any, &mut provider, Status::OK, &value_body("own")).await;
    assert_eq!(outcome.unwrap(), Ok("own".into()));
}

#[tokio::test]
async fn a_call_that_is_dropped_before_it_is_polled_sends_nothing() {
    let (any, mut provider) = support::connected(|builder| builder).await;
    drop(any.call());
    drop(any.call().into_future());
    let outcome = support::asked(&any, &mut provider, Status::OK, &value_body("own")).await;
    assert_eq!(outcome.unwrap(), Ok("own".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_ten_thousand_answers_goes_to_its_own_caller() {
    let probing = Probing::new();
    let serving = serve(|server| server.service(probing.server())).await;
    let client = Client::builder().timeout(PATIENCE).connections(2).direct(&serving.url()).unwrap();
    let probe: ProbeClient = client.refer();
    let mut callers = JoinSet::new();
    for caller in 0..200 {
        let probe = probe.clone();
        callers.spawn(async move {
            for call in 0..50 {
                let name = format!("{caller}/{call}{}", "x".repeat(call * 7));
                match call % 5 {
                    0 => assert_eq!(
                        probe.add(caller * 1_000, call as i32).await.unwrap(),
                        caller * 1_000 + call as i32
                    ),
                    1 => {
                        let id = -i64::from(caller * 1_000 + call as i32) - 1;
                        assert_eq!(probe.find(id).await.unwrap().unwrap_err().id, id);
                    }
                    2 => {
                        // Given up at once: its answer comes while others wait.
                        let mut given_up = probe.hello("nobody").into_future();
                        std::future::poll_fn(|cx| {
                            Poll::Ready(std::pin::Pin::new(&mut given_up).poll(cx).is_ready())
                        })
                        .await;
                        drop(given_up);
                        assert_eq!(probe.hello(&name).await.unwrap(), format!("hello {name}"));
                    }
                    _ => assert_eq!(probe.hello(&name).await.unwrap(), format!("hello {name}")),
                }
            }
        });
    }
    while let Some(caller) = within(callers.join_next()).await {
        caller.unwrap();
    }
    assert!(probing.calls() >= 10_000);
}

#[tokio::test]
async fn calls_are_futures_that_can_be_sent_and_are_small() {
    fn sendable<T: Send>(call: T) -> T {
        call
    }
    let (_probing, _serving, probe) = called().await;
    let call = sendable(sendable(probe.hello("spawned")).into_future());
    // The bound is what a call has today, rounded up; a caller's own future holds one of these for each call that it awaits.
    assert!(size_of_val(&call) <= 192, "{}", size_of_val(&call));
    assert!(size_of_val(&probe.add(1, 2)) <= 128, "{}", size_of_val(&probe.add(1, 2)));
    let spawned = tokio::spawn({
        let probe = probe.clone();
        async move { probe.hello("spawned").await }
    });
    assert_eq!(within(spawned).await.unwrap().unwrap(), "hello spawned");
    assert_eq!(call.await.unwrap(), "hello spawned");
}

#[tokio::test]
async fn closing_a_client_fails_its_calls_at_once() {
    let (probing, serving, _probe) = called().await;
    let client = Client::builder().timeout(PATIENCE).connections(2).direct(&serving.url()).unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let probe: ProbeClient = client.refer();
        calls.spawn(async move { probe.wait().await });
    }
    probing.entered(20).await;
    within(client.close()).await;
    while let Some(outcome) = within(calls.join_next()).await {
        let error = outcome.unwrap().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Closed) && !error.surely_not_run(), "{error}");
    }
    let probe: ProbeClient = client.refer();
    for _ in 0..3 {
        let error = probe.hello("late").await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Closed) && error.surely_not_run(), "{error}");
    }
    within(client.close()).await;
    // Closing before anything was dialled.
    let client = patient(serving.address());
    within(client.close()).await;
    let error = client.refer::<ProbeClient>().hello("late").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Closed), "{error}");
}

#[tokio::test(start_paused = true)]
async fn closing_a_client_fails_its_calls_at_once_though_the_provider_takes_nothing() {
    let (pipe, mut connections) = FakePipe::accept();
    let client = Client::builder().timeout(PATIENCE).dial("pipe", move || pipe.clone().dial());
    let probe: ProbeClient = client.refer();
    within(client.connect()).await.unwrap();
    let _provider = within(connections.recv()).await.unwrap();
    let mut calls = JoinSet::new();
    for call in 0..10 {
        let probe = probe.clone();
        calls.spawn(async move { (call, probe.hello("x".repeat(100_000)).await) });
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    client.close().await;
    while let Some(outcome) = calls.join_next().await {
        let (call, outcome) = outcome.unwrap();
        let error = outcome.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Closed), "{error}");
        // The pipe has taken a part of the first one.
        assert_eq!(error.surely_not_run(), call > 0, "{call}: {error}");
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn one_way_calls_that_are_queued_when_their_client_is_closed_are_still_written() {
    let (pipe, mut connections) = FakePipe::accept();
    let client = Client::builder().timeout(PATIENCE).dial("pipe", move || pipe.clone().dial());
    let probe: ProbeClient = client.refer();
    within(client.connect()).await.unwrap();
    let mut provider = Peer::over(within(connections.recv()).await.unwrap());
    // Far more than the pipe holds.
    for _ in 0..10 {
        probe.note("x".repeat(100_000)).await.unwrap();
    }
    let noted = async {
        let mut noted = 0;
        while provider.next_call().await.is_some() {
            noted += 1;
        }
        noted
    };
    let ((), noted) = within(async { tokio::join!(client.close(), noted) }).await;
    assert_eq!(noted, 10);
}

#[tokio::test]
async fn megabytes_go_both_ways_while_short_calls_are_answered() {
    let (_probing, _serving, probe) = called().await;
    let mut calls = JoinSet::new();
    for length in [10_000, 1_000_000, 8_000_000, 3_000_000] {
        let probe = probe.clone();
        calls.spawn(async move {
            let name = "n".repeat(length);
            assert!(probe.hello(&name).await.unwrap().ends_with(&name));
        });
    }
    for n in 0..200 {
        assert_eq!(probe.add(n, 1).await.unwrap(), n + 1);
    }
    while let Some(call) = within(calls.join_next()).await {
        call.unwrap();
    }
}

#[tokio::test]
async fn calls_that_come_before_a_connection_is_there_wait_for_it() {
    let (pipe, mut connections) = FakePipe::accept();
    let dial = Arc::new(tokio::sync::Notify::new());
    let may_dial = Arc::clone(&dial);
    let client = Client::builder().timeout(PATIENCE).dial("slowly", move || {
        let (pipe, may_dial) = (pipe.clone(), Arc::clone(&may_dial));
        async move {
            may_dial.notified().await;
            pipe.dial().await
        }
    });
    let mut calls = JoinSet::new();
    for n in 0..50 {
        let probe: ProbeClient = client.refer();
        calls.spawn(async move { probe.add(n, 0).await.unwrap() });
    }
    tokio::task::yield_now().await;
    dial.notify_one();
    let mut provider = Peer::over(within(connections.recv()).await.unwrap());
    for _ in 0..50 {
        provider.reply(Status::OK, &value_body(7)).await;
    }
    assert_eq!(within(calls.join_all()).await, [7; 50]);
}
