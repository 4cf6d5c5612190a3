//! The orderly end of a server: what its callers are told, and that no call is lost.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use getty_rpc::{
    Client, Cluster, ErrorKind, Pool,
    hessian2::{DecodeState, Decoder, Value},
    protocol::{Header, Kind, Status},
};
use support::{Fake, Peer, ProbeClient, Probing, Request, over_pipes, patient, serve, value_body, within};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinSet,
    time::Instant,
};

/// What an answer says besides its value.
fn attachments(body: &Bytes) -> Value {
    let mut state = DecodeState::new();
    let mut decoder = Decoder::new(body, &mut state);
    decoder.skip().unwrap();
    decoder.skip().unwrap();
    decoder.read().unwrap()
}

fn closing(body: &Bytes) -> Option<String> {
    attachments(body).root().get("closing").as_str().map(str::to_owned)
}

/// Reads what a server says first at its end: the read-only event, and a heartbeat, whose id is given back.
async fn told<S: AsyncRead + AsyncWrite + Unpin>(peer: &mut Peer<S>) -> i64 {
    let (header, body) = peer.next().await.unwrap();
    assert_eq!(header.to_bytes()[2], 0xa2, "a one-way event");
    assert_eq!(body, &b"\x01R"[..]);
    let (header, body) = peer.next().await.unwrap();
    assert_eq!((header.to_bytes()[2], &body[..]), (0xe2, &b"N"[..]), "a heartbeat");
    header.id
}

fn sign_of_life(id: i64) -> Vec<u8> {
    let kind = Kind::Response { status: Status::OK };
    support::frame(Header { kind, event: true, serialization: 2, id, length: 0 }, b"N")
}

#[tokio::test]
async fn callers_are_told_calls_in_flight_finish_and_late_ones_are_served() {
    let probing = Probing::new();
    let mut serving = serve(|server| server.service(probing.server())).await;
    let mut peer = Peer::connect(serving.address()).await;
    let (_, before) = peer.ask(1, &Request::hello("a").call(1)).await;
    assert_eq!(closing(&before), None);
    peer.send(&Request::probe("wait", "").call(2)).await;
    probing.entered(1).await;

    serving.stop();
    let heartbeat = told(&mut peer).await;
    for id in 3..10 {
        let (status, body) = peer.ask(id, &Request::hello("late").call(id)).await;
        assert_eq!((status, closing(&body).as_deref()), (Status::OK, Some("true")));
    }
    peer.send(&sign_of_life(heartbeat)).await;
    assert!(!serving.has_stopped());
    probing.open(1);
    let (id, status, body) = peer.answer().await;
    assert_eq!((id, status, closing(&body).as_deref()), (2, Status::OK, Some("true")));
    assert_eq!(peer.next().await, None);
    serving.stopped().await;
}

#[tokio::test]
async fn callers_that_know_no_attachments_get_none_at_the_end_either() {
    let probing = Probing::new();
    let mut serving = serve(|server| server.service(probing.server())).await;
    let mut peer = Peer::connect(serving.address()).await;
    peer.ask(1, &Request::hello("a").call(1)).await;
    serving.stop();
    told(&mut peer).await;
    let (_, body) = peer.ask(2, &Request::hello("old").protocol("2.5.3").call(2)).await;
    assert_eq!(&body[..], b"\x91\x09hello old");
}

#[tokio::test]
async fn what_was_sent_before_the_peer_knew_is_served_even_when_nothing_runs() {
    let probing = Probing::new();
    let mut serving = serve(|server| server.service(probing.server())).await;
    let mut peer = Peer::connect(serving.address()).await;
    peer.ask(1, &Request::hello("a").call(1)).await;
    serving.stop();
    let heartbeat = told(&mut peer).await;
    // The calls are on their way; the server sees them before it sees that the peer knows.
    let mut bytes = Vec::new();
    for id in 2..100 {
        bytes.extend(Request::hello("late").call(id));
    }
    bytes.extend(sign_of_life(heartbeat));
    peer.send(&bytes).await;
    let answered: Vec<_> = peer.read_to_end().await.iter().map(|(header, _)| header.id).collect();
    assert_eq!(answered, Vec::from_iter(2..100));
    serving.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_sent_before_the_peer_knew_is_served_out_of_order_too() {
    for _ in 0..20 {
        let probing = Probing::new();
        let pool = Pool::Fixed { queues: 4, workers: 4, depth: 64 };
        let mut serving = serve(|server| server.service(probing.server()).pool(pool)).await;
        let mut peer = Peer::connect(serving.address()).await;
        peer.ask(1, &Request::hello("a").call(1)).await;
        serving.stop();
        let heartbeat = told(&mut peer).await;
        let mut bytes = Vec::new();
        for id in 2..200 {
            bytes.extend(Request::hello("late").call(id));
        }
        bytes.extend(sign_of_life(heartbeat));
        peer.send(&bytes).await;
        let mut answered: Vec<_> = peer.read_to_end().await.iter().map(|(header, _)| header.id).collect();
        answered.sort_unstable();
        assert_eq!(answered, Vec::from_iter(2..200));
        serving.stopped().await;
    }
}

#[tokio::test]
async fn a_connection_that_is_made_meanwhile_is_told_at_once() {
    let probing = Probing::new();
    let mut serving = serve(|server| server.service(probing.server())).await;
    let mut first = Peer::connect(serving.address()).await;
    first.send(&Request::probe("wait", "").call(1)).await;
    probing.entered(1).await;
    serving.stop();
    told(&mut first).await;
    let mut second = Peer::connect(serving.address()).await;
    let heartbeat = told(&mut second).await;
    second.send(&sign_of_life(heartbeat)).await;
    let (status, _) = second.ask(2, &Request::hello("late").call(2)).await;
    assert_eq!(status, Status::OK);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_shows_nothing_is_not_waited_for_for_long() {
    let probing = Probing::new();
    let (mut serving, connector) = over_pipes(|server| server.service(probing.server()));
    let mut silent = connector.connect();
    silent.ask(1, &Request::hello("a").call(1)).await;
    let begun = Instant::now();
    serving.stop();
    told(&mut silent).await;
    serving.stopped().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_server_without_callers_stops_at_once() {
    let probing = Probing::new();
    let (mut serving, _connector) = over_pipes(|server| server.service(probing.server()));
    let begun = Instant::now();
    serving.stop();
    serving.stopped().await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_does_not_end_holds_up_the_end_only_so_long() {
    let probing = Probing::new();
    let wait = Duration::from_secs(20);
    let (mut serving, connector) = over_pipes(|server| server.service(probing.server()).shutdown_wait(wait));
    let mut peer = connector.connect();
    peer.send(&Request::probe("hang", "").call(1)).await;
    probing.entered(1).await;
    let begun = Instant::now();
    serving.stop();
    let heartbeat = told(&mut peer).await;
    peer.send(&sign_of_life(heartbeat)).await;
    serving.stopped().await;
    let took = begun.elapsed();
    assert!(took >= wait && took < wait + Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn no_call_is_lost_when_the_busy_one_of_two_providers_stops() {
    for _ in 0..10 {
        no_call_is_lost(Cluster::default()).await;
    }
}

/// The list is fixed: no registry ever says that the provider has gone.
#[tokio::test]
async fn no_call_is_lost_without_retries_either() {
    for _ in 0..10 {
        no_call_is_lost(Cluster::Failfast).await;
    }
}

async fn no_call_is_lost(cluster: Cluster) {
    const CALLERS: usize = 50;
    let probings = [Probing::new(), Probing::new()];
    let mut providers = [
        serve(|server| server.service(probings[0].server())).await,
        serve(|server| server.service(probings[1].server())).await,
    ];
    let urls = format!("{},{}", providers[0].url(), providers[1].url());
    let builder = Client::builder().timeout(support::PATIENCE).connections(2).cluster(cluster);
    let client = builder.direct(&urls).unwrap();
    let probe: ProbeClient = client.refer();

    let done = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (probe, done) = (probe.clone(), Arc::clone(&done));
        callers.spawn(async move {
            while !done.load(Ordering::Relaxed) {
                assert_eq!(probe.add(1, 2).await.unwrap(), 3);
            }
        });
    }
    let calls = || [probings[0].calls(), probings[1].calls()];
    let mut until = async |reached: &dyn Fn() -> bool| {
        while !reached() {
            assert!(callers.try_join_next().is_none(), "a call failed");
            tokio::task::yield_now().await;
        }
    };
    within(until(&|| calls().iter().max() > Some(&500))).await;
    let [first, second] = calls();
    let busy = usize::from(second > first);
    providers[busy].stop();
    let before = calls()[1 - busy];
    within(until(&|| calls()[1 - busy] > before + 500)).await;
    done.store(true, Ordering::Relaxed);
    while let Some(caller) = within(callers.join_next()).await {
        caller.unwrap();
    }
    let [first, second] = providers;
    if busy == 0 { first.stopped().await } else { second.stopped().await }
}

#[tokio::test]
async fn a_client_sends_nothing_more_to_a_provider_that_is_shutting_down_and_comes_back_when_it_may() {
    let fake = Fake::bind().await;
    let client = patient(fake.address());
    let probe: ProbeClient = client.refer();
    let call = tokio::spawn({
        let probe = probe.clone();
        async move { probe.add(1, 2).await }
    });
    let mut provider = fake.accept().await;
    provider.reply(Status::OK, &value_body(3)).await;
    assert_eq!(within(call).await.unwrap().unwrap(), 3);

    // The heartbeat shows that the client has read the event before it.
    provider.send(&[support::read_only(), support::heartbeat(7)].concat()).await;
    assert_eq!(provider.next().await.unwrap().0.id, 7);
    for _ in 0..10 {
        let error = probe.add(1, 2).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Connect) && error.surely_not_run(), "{error}");
        assert!(error.message().contains("shutting down"), "{error}");
    }
    provider.send(&[support::event(0, false, b"\x01W"), support::heartbeat(8)].concat()).await;
    assert_eq!(provider.next().await.unwrap().0.id, 8, "none of the calls was sent");
    let call = tokio::spawn(async move { probe.add(1, 2).await });
    provider.reply(Status::OK, &value_body(3)).await;
    assert_eq!(within(call).await.unwrap().unwrap(), 3);
}

#[tokio::test]
async fn an_answer_that_says_closing_sends_further_calls_elsewhere() {
    let (fake, other) = (Fake::bind().await, Fake::bind().await);
    let client = patient(format!("{},{}", fake.address(), other.address()));
    let probe: ProbeClient = client.refer();
    let call = tokio::spawn({
        let probe = probe.clone();
        async move { probe.add(1, 2).await }
    });
    let (mut provider, other) = tokio::select! {
        provider = fake.accept() => (provider, other),
        provider = other.accept() => (provider, fake),
    };
    // As dubbo-go answers while it stops: values of several kinds, then a byte that belongs to nothing.
    let attachments =
        [("closing", Value::from("true")), ("dubbo-go-graceful-shutdown-provider-counted", true.into())];
    let mut body = support::body(|e| {
        e.i32(4);
        e.i32(12);
        e.write(&Value::map(attachments)).unwrap();
    });
    body.push(b'N');
    provider.reply(Status::OK, &body).await;
    assert_eq!(within(call).await.unwrap().unwrap(), 12);
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        let probe = probe.clone();
        calls.spawn(async move { probe.add(1, 2).await.unwrap() });
    }
    let mut other = other.accept().await;
    for _ in 0..10 {
        other.reply(Status::OK, &value_body(3)).await;
    }
    assert_eq!(within(calls.join_all()).await, [3; 10]);
    client.close().await;
    assert_eq!(provider.next().await, None);
}
