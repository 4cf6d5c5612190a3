//! Heartbeats and the events of a provider's shutdown, in both directions.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    collections::BTreeSet,
    future::IntoFuture,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use getty_rpc::{
    Client, ClientBuilder, Error, ErrorKind,
    getty::transport::dial_tcp,
    hessian2::Value,
    protocol::{Header, Kind, Status},
};
use support::{
    AnyClient, Fake, FakePipe, PATIENCE, Peer, ProbeClient, Probing, Request, asked, body, connected, event,
    heartbeat, over_pipes, read_only, response, serve, value_body, within,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream},
    time::{Instant, sleep},
};

/// Where time is paused. Three of them are shorter than the patience of a test.
const PERIOD: Duration = Duration::from_secs(10);
/// Where it is too, and the time that a draining close may take (`Limits::close_wait`) has to stand out.
const BRIEF: Duration = Duration::from_secs(1);
/// Where it is not.
const SHORT: Duration = Duration::from_millis(200);
/// Longer than anything here takes in paused time.
const DAY: Duration = Duration::from_secs(24 * 3600);

fn writeable() -> Vec<u8> {
    event(0, false, b"\x01W")
}

/// The answer to an event as Java and Go send it.
fn sign_of_life(id: i64) -> Vec<u8> {
    let kind = Kind::Response { status: Status::OK };
    support::frame(Header { kind, event: true, serialization: 2, id, length: 0 }, b"N")
}

/// Whether this is a heartbeat that wants an answer, put together as Java and Go do it.
fn is_heartbeat((header, body): &(Header, Bytes)) -> bool {
    let bytes = header.to_bytes();
    (bytes[2], bytes[3], &body[..]) == (0xe2, 0, b"N") && header.id < 0
}

/// Answers so many heartbeats; nothing else may come.
async fn answer_heartbeats<S: AsyncRead + AsyncWrite + Unpin>(peer: &mut Peer<S>, count: usize) {
    for _ in 0..count {
        let frame = peer.next().await.expect("the connection was closed");
        assert!(is_heartbeat(&frame), "{frame:?}");
        peer.send(&sign_of_life(frame.0.id)).await;
    }
}

/// Waits until the other side has looked at all that was sent to it.
async fn seen<S: AsyncRead + AsyncWrite + Unpin>(peer: &mut Peer<S>) {
    peer.send(&heartbeat(4_711)).await;
    let (header, _) = peer.next().await.unwrap();
    assert_eq!((header.id, header.event), (4_711, true), "something else came: {header:?}");
}

/// A client of a server on a loopback port that counts its dials.
fn counted(builder: ClientBuilder, address: String) -> (ProbeClient, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let dials = Arc::clone(&count);
    let client = builder.timeout(PATIENCE).dial(address.clone(), move || {
        dials.fetch_add(1, Ordering::SeqCst);
        let address = address.clone();
        async move { dial_tcp(&address).await }
    });
    (client.refer(), count)
}

/// Over real sockets, and being idle is what is tested.
async fn outlives_idleness(client: Duration, server: Duration) {
    let probing = Probing::new();
    let serving = serve(|it| it.service(probing.server()).heartbeat(server)).await;
    let (probe, dials) = counted(Client::builder().heartbeat(client), serving.url());
    within(probe.hello("a")).await.unwrap();
    sleep(SHORT * 5).await;
    within(probe.hello("b")).await.unwrap();
    assert_eq!(dials.load(Ordering::SeqCst), 1, "the same connection");
}

#[tokio::test]
async fn an_idle_connection_outlives_five_periods_when_only_the_client_asks() {
    outlives_idleness(SHORT, PERIOD).await;
}

#[tokio::test]
async fn an_idle_connection_outlives_five_periods_when_only_the_server_asks() {
    outlives_idleness(PERIOD, SHORT).await;
}

#[tokio::test]
async fn an_idle_connection_outlives_five_periods_when_both_ask() {
    outlives_idleness(SHORT, SHORT).await;
}

#[tokio::test]
async fn a_client_asks_again_and_again_over_a_real_socket() {
    let fake = Fake::bind().await;
    let client =
        Client::builder().heartbeat(SHORT).timeout(PATIENCE).direct(&fake.address().to_string()).unwrap();
    let (connected, mut peer) = within(async { tokio::join!(client.connect(), fake.accept()) }).await;
    connected.unwrap();
    answer_heartbeats(&mut peer, 5).await;
    let any: AnyClient = client.refer();
    let answer = value_body(1);
    let (outcome, _) = tokio::join!(any.call().into_future(), peer.reply(Status::OK, &answer));
    assert_eq!(outcome.unwrap(), Ok(1.into()));
}

#[tokio::test]
async fn a_server_asks_again_and_again_over_a_real_socket() {
    let serving = serve(|server| server.service(Probing::new().server()).heartbeat(SHORT)).await;
    let mut peer = Peer::connect(serving.address()).await;
    answer_heartbeats(&mut peer, 5).await;
    assert_eq!(peer.ask(1, &Request::hello("a").call(1)).await.0, Status::OK);
}

#[tokio::test(start_paused = true)]
async fn an_idle_peer_is_asked_about_once_a_period_with_an_id_of_its_own_each_time() {
    let (_any, mut provider) = connected(|builder| builder.heartbeat(PERIOD)).await;
    is_asked_now_and_then(&mut provider).await;
    let (_serving, connector) =
        over_pipes(|server| server.service(Probing::new().server()).heartbeat(PERIOD));
    is_asked_now_and_then(&mut connector.connect()).await;
}

async fn is_asked_now_and_then(peer: &mut Peer<DuplexStream>) {
    let start = Instant::now();
    let mut ids = BTreeSet::new();
    for _ in 0..20 {
        let frame = peer.next().await.unwrap();
        assert!(is_heartbeat(&frame), "{frame:?}");
        peer.send(&sign_of_life(frame.0.id)).await;
        ids.insert(frame.0.id);
    }
    let periods = start.elapsed().as_secs_f64() / PERIOD.as_secs_f64();
    assert!((15.0..=20.0).contains(&periods), "twenty heartbeats in {periods} periods");
    assert_eq!(ids.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_busy_peer_is_not_asked() {
    let (any, mut provider) = connected(|builder| builder.heartbeat(PERIOD).timeout(DAY)).await;
    let (_serving, connector) =
        over_pipes(|server| server.service(Probing::new().server()).heartbeat(PERIOD));
    let mut peer = connector.connect();
    for id in 0..40 {
        sleep(PERIOD / 3).await;
        let answering = async {
            let (header, _) = provider.next().await.unwrap();
            assert!(!header.event, "{header:?}");
            provider.send(&response(header.id, Status::OK, &value_body(1))).await;
        };
        tokio::join!(any.call().into_future(), answering).0.unwrap().unwrap();
        peer.ask(id, &Request::hello("a").call(id)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_takes_many_periods_to_come_is_a_sign_of_life_all_the_time() {
    let (_serving, connector) =
        over_pipes(|server| server.service(Probing::new().server()).heartbeat(PERIOD));
    let mut peer = connector.connect();
    let start = Instant::now();
    for part in Request::hello(&"slow".repeat(50_000)).call(1).chunks(4096) {
        peer.send(part).await;
        sleep(PERIOD / 4).await;
    }
    assert!(start.elapsed() > 10 * PERIOD);
    let (id, status, _) = peer.answer().await;
    assert_eq!((id, status), (1, Status::OK));
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_comes_byte_by_byte_is_given_up() {
    let (_serving, connector) =
        over_pipes(|server| server.service(Probing::new().server()).heartbeat(PERIOD));
    let mut peer = connector.connect();
    let start = Instant::now();
    for byte in Request::hello("slow").call(1).into_iter().take(28) {
        peer.send(&[byte]).await;
        sleep(BRIEF).await;
    }
    while peer.next().await.is_some() {}
    // A packet has 30 s, and a second more for each KiB of it.
    let given_up = start.elapsed();
    assert!((30..32).contains(&given_up.as_secs()), "after {given_up:?}");
}

/// Whether a connection was given up when it should be: between two and three periods after the last sign of life.
fn in_time(silent_since: Instant, period: Duration) {
    let periods = silent_since.elapsed().as_secs_f64() / period.as_secs_f64();
    assert!((2.0..3.0).contains(&periods), "given up after {periods} periods");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_reads_and_answers_nothing_is_given_up_within_three_periods_and_its_calls_fail() {
    // The silence begins anywhere between two looks.
    for offset in 0..8 {
        let (any, mut provider) = connected(|builder| builder.heartbeat(PERIOD).timeout(DAY)).await;
        sleep(PERIOD * offset / 32).await;
        seen(&mut provider).await;
        let since = Instant::now();
        let silent = async {
            let mut frames = Vec::new();
            while let Some(frame) = provider.next().await {
                frames.push(frame);
            }
            frames
        };
        let (outcome, frames) = tokio::join!(any.call().into_future(), silent);
        in_time(since, PERIOD);
        lost(&outcome.unwrap_err());
        let (calls, heartbeats): (Vec<_>, Vec<_>) = frames.into_iter().partition(|(header, _)| !header.event);
        assert_eq!(calls.len(), 1);
        assert!((1..=4).contains(&heartbeats.len()) && heartbeats.iter().all(is_heartbeat), "{heartbeats:?}");
    }
}

fn lost(error: &Error) {
    assert!(matches!(error.kind(), ErrorKind::ConnectionLost), "{error}");
    assert!(!error.surely_not_run(), "{error}");
    assert!(error.message().contains("heartbeat"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_and_answers_nothing_is_closed_within_three_periods() {
    for offset in 0..8 {
        let probing = Probing::new();
        let (_serving, connector) = over_pipes(|server| server.service(probing.server()).heartbeat(PERIOD));
        let mut peer = connector.connect();
        sleep(PERIOD * offset / 32).await;
        seen(&mut peer).await;
        let since = Instant::now();
        let mut heartbeats = 0;
        while let Some(frame) = peer.next().await {
            assert!(is_heartbeat(&frame), "{frame:?}");
            heartbeats += 1;
        }
        in_time(since, PERIOD);
        assert!((1..=4).contains(&heartbeats), "{heartbeats}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_takes_nothing_any_more_is_given_up_no_later_and_its_calls_fail_at_once() {
    let (any, mut provider) = connected(|builder| builder.heartbeat(BRIEF).timeout(DAY)).await;
    seen(&mut provider).await;
    let since = Instant::now();
    // The first call is more than the pipe holds, so not a byte of the second one leaves.
    let first = any.call().attach("text", "x".repeat(200_000)).into_future();
    let (first, second) = within(async { tokio::join!(first, any.call().into_future()) }).await;
    in_time(since, BRIEF);
    lost(&first.unwrap_err());
    let second = second.unwrap_err();
    assert!(second.surely_not_run(), "{second}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_any_more_is_closed_no_later() {
    let probing = Probing::new();
    let (_serving, connector) = over_pipes(|server| server.service(probing.server()).heartbeat(BRIEF));
    let mut peer = connector.connect();
    seen(&mut peer).await;
    let since = Instant::now();
    // The answer is more than the pipe holds.
    peer.send(&Request::probe("text", "I").argument(200_000).call(1)).await;
    // A write of nothing tells whether the other end is there, and says nothing to it.
    while peer.stream.write(&[]).await.is_ok() {
        sleep(BRIEF / 100).await;
    }
    in_time(since, BRIEF);
    assert_eq!(probing.calls(), 1);
}

#[tokio::test]
async fn a_silent_provider_is_given_up_over_a_real_socket_too_and_not_for_the_timeout() {
    let fake = Fake::bind().await;
    let client =
        Client::builder().heartbeat(SHORT).timeout(PATIENCE).direct(&fake.address().to_string()).unwrap();
    let any: AnyClient = client.refer();
    let silent = async {
        let peer = fake.accept().await;
        let since = Instant::now();
        (peer.read_to_end().await, since.elapsed())
    };
    let (outcome, (frames, time)) = within(async { tokio::join!(any.call().into_future(), silent) }).await;
    lost(&outcome.unwrap_err());
    assert!(frames.iter().skip(1).all(is_heartbeat), "{frames:?}");
    assert!(time < SHORT * 10, "{time:?}");
}

#[tokio::test]
async fn a_silent_client_is_closed_over_a_real_socket_too() {
    let serving = serve(|server| server.service(Probing::new().server()).heartbeat(SHORT)).await;
    let frames = Peer::connect(serving.address()).await.read_to_end().await;
    assert!(!frames.is_empty() && frames.iter().all(is_heartbeat), "{frames:?}");
}

/// What both sides do with events.
async fn answers_events<S: AsyncRead + AsyncWrite + Unpin>(peer: &mut Peer<S>) {
    for id in [1, 0, -1, i64::MIN, i64::MAX] {
        for body in [&b"N"[..], b"", b"\x01X", b"\xff"] {
            peer.send(&event(id, true, body)).await;
            let (header, answer) = peer.next().await.unwrap();
            let bytes = header.to_bytes();
            assert_eq!((bytes[2], bytes[3], header.id, &answer[..]), (0x22, 20, id, &b"N"[..]));
            // Wants no answer, so that the next one that comes is to what follows it.
            peer.send(&event(id, false, body)).await;
            peer.send(&sign_of_life(id)).await;
            seen(peer).await;
        }
    }
}

#[tokio::test]
async fn a_heartbeat_is_answered_with_its_id_and_null_and_a_one_way_event_with_nothing() {
    let serving = serve(|server| server.service(Probing::new().server())).await;
    let mut peer = Peer::connect(serving.address()).await;
    answers_events(&mut peer).await;
    assert_eq!(peer.ask(1, &Request::hello("a").call(1)).await.0, Status::OK);

    let (any, mut provider) = connected(|builder| builder).await;
    answers_events(&mut provider).await;
    assert_eq!(asked(&any, &mut provider, Status::OK, &value_body(2)).await.unwrap(), Ok(2.into()));
}

#[tokio::test]
async fn an_answer_to_a_heartbeat_is_never_taken_for_one_to_a_call() {
    let (any, mut provider) = connected(|builder| builder).await;
    let answering = async {
        let (header, _) = provider.next_call().await.unwrap();
        provider.send(&sign_of_life(header.id)).await;
        seen(&mut provider).await;
        provider.send(&response(header.id, Status::OK, &value_body(2))).await;
    };
    let (outcome, ()) = within(async { tokio::join!(any.call().into_future(), answering) }).await;
    assert_eq!(outcome.unwrap(), Ok(2.into()));
}

/// No call is sent, and the caller is told why.
async fn sends_nothing(any: &AnyClient, provider: &mut Peer<DuplexStream>) {
    for _ in 0..3 {
        let error = within(any.call()).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Connect), "{error}");
        assert!(error.surely_not_run() && error.message().contains("shutting down"), "{error}");
    }
    seen(provider).await;
}

#[tokio::test]
async fn after_the_read_only_event_no_call_is_sent_until_the_provider_takes_it_back() {
    let (any, mut provider) = connected(|builder| builder).await;
    for two_way in [false, true] {
        provider.send(&event(5, two_way, b"\x01R")).await;
        if two_way {
            assert_eq!(provider.next().await.unwrap().0.id, 5);
        }
        seen(&mut provider).await;
        sends_nothing(&any, &mut provider).await;
        // Other events change nothing.
        for other in [&b"N"[..], b"\x01X", b"\x01r", b"\x02RW", b"\x00", b"\xff"] {
            provider.send(&event(6, false, other)).await;
        }
        seen(&mut provider).await;
        sends_nothing(&any, &mut provider).await;
        provider.send(&writeable()).await;
        seen(&mut provider).await;
        assert_eq!(asked(&any, &mut provider, Status::OK, &value_body(2)).await.unwrap(), Ok(2.into()));
    }
}

#[tokio::test]
async fn an_answer_that_says_closing_stops_further_calls_as_the_event_does() {
    let closing = |value: Value| {
        body(|e| {
            e.i32(4);
            e.i32(3);
            e.write(&Value::map([("dubbo", Value::from("2.0.2")), ("closing", value)])).unwrap();
        })
    };
    let (any, mut provider) = connected(|builder| builder).await;
    for other in ["false", "", "TRUE "] {
        let outcome = asked(&any, &mut provider, Status::OK, &closing(other.into())).await;
        assert_eq!(outcome.unwrap(), Ok(3.into()), "{other:?} stops nothing");
    }
    assert_eq!(asked(&any, &mut provider, Status::OK, &closing("true".into())).await.unwrap(), Ok(3.into()));
    sends_nothing(&any, &mut provider).await;
    provider.send(&writeable()).await;
    seen(&mut provider).await;
    assert_eq!(asked(&any, &mut provider, Status::OK, &value_body(2)).await.unwrap(), Ok(2.into()));
}

#[tokio::test]
async fn calls_that_were_sent_before_the_read_only_event_get_their_answers() {
    let (any, mut provider) = connected(|builder| builder).await;
    let answering = async {
        let (first, _) = provider.next_call().await.unwrap();
        provider.send(&read_only()).await;
        seen(&mut provider).await;
        provider.send(&response(first.id, Status::OK, &value_body(2))).await;
    };
    let (outcome, ()) = within(async { tokio::join!(any.call().into_future(), answering) }).await;
    assert_eq!(outcome.unwrap(), Ok(2.into()));
    sends_nothing(&any, &mut provider).await;
}

#[tokio::test]
async fn a_read_only_event_concerns_its_connection_and_none_that_is_made_later() {
    let (pipe, mut connections) = FakePipe::accept();
    let client = Client::builder().timeout(PATIENCE).connections(2).dial("pipe", move || pipe.clone().dial());
    within(client.connect()).await.unwrap();
    let mut first = Peer::over(within(connections.recv()).await.unwrap());
    let mut second = Peer::over(within(connections.recv()).await.unwrap());
    let any: AnyClient = client.refer();
    first.send(&read_only()).await;
    seen(&mut first).await;
    for _ in 0..6 {
        assert_eq!(asked(&any, &mut second, Status::OK, &value_body(2)).await.unwrap(), Ok(2.into()));
    }
    second.send(&read_only()).await;
    seen(&mut second).await;
    sends_nothing(&any, &mut second).await;
    seen(&mut first).await;

    // The provider is started again.
    within(second.stream.shutdown()).await.unwrap();
    assert_eq!(second.next().await, None);
    let mut third = Peer::over(within(connections.recv()).await.unwrap());
    assert_eq!(asked(&any, &mut third, Status::OK, &value_body(3)).await.unwrap(), Ok(3.into()));
}
