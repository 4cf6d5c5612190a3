//! How often a client dials when its peer is away, or is of no use. The clock is the test's own.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bytes::Bytes;
use getty::{Backoff, Client, ClientBuilder, Limits, Session, SessionError, on_message};
use support::{Found, Frames, Place, Recorder, frame, reset, within};
use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

// Peers that accept and then are of no use.

#[tokio::test(start_paused = true)]
async fn a_peer_that_closes_at_once_is_dialled_seldom() {
    assert_seldom_dialled(Found::Brief { sends: vec![], after: Duration::ZERO }).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closes_after_a_moment_is_dialled_seldom() {
    assert_seldom_dialled(Found::Brief { sends: vec![], after: 50 * MILLI }).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closes_after_bytes_that_are_no_packet_is_dialled_seldom() {
    let mut part = frame(b"never whole");
    part.pop();
    assert_seldom_dialled(Found::Brief { sends: part, after: Duration::ZERO }).await;
    assert_seldom_dialled(Found::Brief { sends: b"nonsense".to_vec(), after: Duration::ZERO }).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closes_after_its_first_packet_is_dialled_seldom() {
    assert_seldom_dialled(Found::Brief { sends: frame(b"heartbeat"), after: Duration::ZERO }).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_refuses_or_never_answers_is_dialled_seldom() {
    assert_seldom_dialled(Found::Refusal).await;
    assert_seldom_dialled(Found::Silence).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_on_open_refuses_counts_as_a_failure() {
    for demanded in [false, true] {
        let place = Place::new(Place::echo());
        let (recorder, mut events) = Recorder::new();
        let client = place.client(4, recorder.on_open(|_: &Session<Frames>| Err("not this one".into())));
        let error = within(client.session()).await.unwrap_err();
        assert!(
            matches!(&error, SessionError::Unreachable { cause, .. } if cause.contains("not this one")),
            "{error}"
        );
        dials_in_a_minute(&place, &client, demanded).await;
        drop(client);
        let names = events.names_to_the_end().await;
        assert_eq!(names, ["open", "error", "close"].repeat(place.dials().len()));
    }
}

#[tokio::test]
async fn real_sockets_that_are_closed_or_reset_at_once_are_not_dialled_without_pause() {
    for with_reset in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let client = ClientBuilder::new(Frames, on_message(|_, _| {}))
            .connections(4)
            .backoff(Backoff::default().first(20 * MILLI))
            .tcp(address);
        let start = Instant::now();
        let user = client.clone();
        tokio::spawn(async move {
            loop {
                drop(user.session().await);
                tokio::task::yield_now().await;
            }
        });
        // Four seats at once at most; the fifth and the sixth dial have to wait, each at least three quarters of 20 ms.
        for _ in 0..6 {
            let (socket, _) = within(listener.accept()).await.unwrap();
            if with_reset { reset(socket) } else { drop(socket) }
        }
        assert!(start.elapsed() >= 30 * MILLI, "six dials within {:?}", start.elapsed());
        client.close().await;
    }
}

// What a caller sees meanwhile.

#[tokio::test(start_paused = true)]
async fn calls_fail_at_once_while_the_client_waits_for_its_next_attempt() {
    let place = Place::new(Found::Refusal);
    let client = place.client(2, on_message(|_, _| {}));
    within(client.session()).await.unwrap_err();
    for round in 1..10 {
        let start = Instant::now();
        let error = client.session().await.unwrap_err();
        assert_eq!(start.elapsed(), Duration::ZERO);
        let SessionError::Unreachable { address, cause, attempts, next } = &error else { panic!("{error}") };
        assert_eq!(address, "the place");
        assert!(cause.contains("refused"), "{cause}");
        assert!(*attempts as usize == place.dials().len(), "{attempts} attempts in round {round}");
        assert!(*next <= 6 * SECOND, "somebody needs it, so the next attempt is due in {next:?}");
        sleep(*next + MILLI).await;
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_a_dial_that_fails_are_told() {
    let place = Place::new(Found::Silence);
    let builder =
        ClientBuilder::new(Frames, on_message(|_, _| {})).limits(Limits::default().dial(2 * SECOND));
    let client = place.client_of(builder);
    let start = Instant::now();
    let waiting: Vec<_> = (0..10)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.session().await.unwrap_err().to_string() })
        })
        .collect();
    for waiting in waiting {
        let error = within(waiting).await.unwrap();
        assert!(error.contains("Limits::dial"), "{error}");
    }
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!(place.dials().len(), 1);
}

// And when the peer is good again.

#[tokio::test(start_paused = true)]
async fn a_good_peer_is_found_within_the_longest_pause() {
    let place = Place::new(Found::Refusal);
    let client = place.client(4, on_message(|_, _| {}));
    within(client.session()).await.unwrap_err();
    // Much longer than any number of attempts that somebody might think enough.
    sleep(3600 * SECOND).await;
    let dials = place.dials().len();
    assert!((120..=180).contains(&dials), "{dials} dials in an hour");
    place.put(Place::echo());
    sleep(30 * SECOND).await;
    assert!(client.try_session().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_good_peer_is_found_soon_by_those_who_need_it() {
    let place = Place::new(Found::Refusal);
    let client = place.client(4, on_message(|_, _| {}));
    within(client.session()).await.unwrap_err();
    sleep(600 * SECOND).await;
    next_dial(&place).await;
    place.put(Place::echo());
    // One single call right after a dial, which fails, makes the pause shorter.
    client.session().await.unwrap_err();
    sleep(6 * SECOND + MILLI).await;
    assert!(client.try_session().is_some());
}

#[tokio::test(start_paused = true)]
async fn all_seats_come_back_once_the_peer_has_proven_itself() {
    let place = Place::new(Found::Refusal);
    let client = place.client(4, on_message(|_, _| {}));
    within(client.session()).await.unwrap_err();
    sleep(60 * SECOND).await;
    place.put(Place::echo());
    let dials = place.dials().len();
    sleep(30 * SECOND).await;
    // The first one sends nothing and gets nothing: it is proven by the time that it lives.
    sleep(5 * SECOND + MILLI).await;
    assert_eq!(client.sessions().len(), 4);
    assert_eq!(place.dials().len() - dials, 4);
}

#[tokio::test(start_paused = true)]
async fn the_first_packet_proves_a_peer_and_resets_the_pauses() {
    let place = failed_for_a_minute().await;
    place.0.put(Place::echo());
    sleep(30 * SECOND).await;
    let session = place.1.try_session().unwrap();
    session.write(Bytes::from_static(b"x")).unwrap();
    sleep(MILLI).await;
    assert_eq!(place.1.sessions().len(), 2, "the second seat follows at once");
    sleep(10 * SECOND).await;
    place.0.close_all();
    let lost = Instant::now();
    sleep(SECOND).await;
    assert_eq!(place.0.live(), 2);
    let dials = place.0.dials();
    let again: Vec<_> = dials.iter().filter(|at| **at >= lost).map(|at| *at - lost).collect();
    assert_eq!(again.len(), 2, "one dial for each lost session: {again:?}");
    assert!(again.iter().all(|pause| *pause <= 50 * MILLI), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_proven_by_five_seconds_and_not_before() {
    for (lives, proven) in [(4 * SECOND, false), (6 * SECOND, true)] {
        let (place, _client) = failed_for_a_minute().await;
        place.put(Found::Brief { sends: vec![], after: lives });
        next_dial(&place).await;
        let dials = place.dials().len();
        sleep(lives + 100 * MILLI).await;
        assert_eq!(place.dials().len() > dials, proven, "after {lives:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn many_clients_of_one_address_do_not_come_back_all_at_once() {
    const CLIENTS: usize = 200;
    let place = Place::new(Place::echo());
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let client = place.client(1, on_message(|_, _| {}));
        client.connect().await.unwrap();
        clients.push(client);
    }
    sleep(10 * SECOND).await;
    place.put(Found::Refusal);
    assert_eq!(place.close_all(), CLIENTS);
    sleep(2 * SECOND).await;
    place.put(Place::echo());
    let opened = Instant::now();
    sleep(10 * SECOND).await;
    assert_eq!(place.live(), CLIENTS);
    let after: Vec<_> = place.dials().iter().filter(|at| **at >= opened).copied().collect();
    assert_eq!(after.len(), CLIENTS);
    let busiest = after
        .iter()
        .map(|from| after.iter().filter(|at| (*from..*from + 100 * MILLI).contains(at)).count())
        .max()
        .unwrap();
    assert!(busiest <= CLIENTS / 2, "{busiest} of {CLIENTS} dials within 100 ms");
}

#[tokio::test(start_paused = true)]
async fn clients_come_back_soon_after_their_peer_and_few_of_them_at_once() {
    const CLIENTS: usize = 400;
    for (outage, called) in [(2, false), (2, true), (10, false), (10, true), (60, false), (60, true)] {
        let place = Place::new(Place::echo());
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            let client = place.client(1, on_message(|_, _| {}));
            client.connect().await.unwrap();
            clients.push(client);
        }
        sleep(10 * SECOND).await;
        place.put(Found::Refusal);
        assert_eq!(place.close_all(), CLIENTS);
        let outage = outage * SECOND;
        let gone = Instant::now();
        while gone.elapsed() < outage {
            sleep(SECOND).await;
            for client in clients.iter().filter(|_| called) {
                drop(client.session().await);
            }
        }
        place.put(Place::echo());
        let before = place.dials().len();
        let limit = (3 * outage + 2 * SECOND).min(30 * SECOND);
        sleep(limit).await;
        let back = place.live();
        assert!(back >= CLIENTS * 99 / 100, "{back} are back {limit:?} after {outage:?}");
        sleep(30 * SECOND).await;
        assert_eq!(place.live(), CLIENTS);
        let after = place.dials().split_off(before);
        assert_eq!(after.len(), CLIENTS, "each dials once");
        let busiest = busiest_100_ms(after);
        assert!(busiest <= CLIENTS * 15 / 100, "{busiest} dials in 100 ms after {outage:?}, {called}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_session_is_dialled_again_within_the_spread_and_a_caller_does_not_wait_for_that() {
    for called in [false, true] {
        let place = Place::new(Place::echo());
        let backoff = Backoff::default().spread(2 * SECOND);
        let mut clients = Vec::new();
        for _ in 0..200 {
            let builder = ClientBuilder::new(Frames, on_message(|_, _| {})).backoff(backoff);
            let client = place.client_of(builder);
            client.connect().await.unwrap();
            clients.push(client);
        }
        sleep(10 * SECOND).await;
        let lost = Instant::now();
        place.close_all();
        // The clients see that.
        sleep(MILLI).await;
        for client in clients.iter().filter(|_| called) {
            client.session().await.unwrap();
        }
        sleep(2 * SECOND).await;
        assert_eq!(place.live(), 200);
        let after: Vec<_> = place.dials().iter().filter(|at| **at >= lost).copied().collect();
        let busiest = busiest_100_ms(after);
        assert_eq!(busiest > 100, called, "{busiest} of 200 within 100 ms");
    }
}

/// How many of these lie in the 100 ms that hold the most.
fn busiest_100_ms(mut dials: Vec<Instant>) -> usize {
    dials.sort_unstable();
    let until = |from: &Instant| dials.partition_point(|at| *at < *from + 100 * MILLI);
    dials.iter().enumerate().map(|(i, from)| until(from) - i).max().unwrap_or(0)
}

// Settings.

#[tokio::test(start_paused = true)]
async fn the_longest_durations_do_no_harm() {
    let place = Place::new(Found::Refusal);
    let backoff = Backoff::default()
        .first(Duration::MAX)
        .max(Duration::MAX)
        .proof(Duration::MAX)
        .on_demand(Duration::MAX);
    let limits = Limits::default().dial(Duration::MAX).close_wait(Duration::MAX).cron(Some(Duration::MAX));
    let builder = ClientBuilder::new(Frames, on_message(|_, _| {})).limits(limits).backoff(backoff);
    let client = place.client_of(builder);
    within(client.session()).await.unwrap_err();
    within(client.session()).await.unwrap_err();
    within(client.close()).await;

    let place = Place::new(Place::echo());
    let builder = ClientBuilder::new(Frames, on_message(|_, _| {})).limits(limits).backoff(backoff);
    let client = place.client_of(builder);
    within(client.session()).await.unwrap();
    within(client.close()).await;
}

#[tokio::test(start_paused = true)]
async fn pauses_of_zero_keep_no_thread_busy() {
    for backoff in [Backoff::default().first(Duration::ZERO), Backoff::default().max(Duration::ZERO)] {
        let place = Place::new(Found::Refusal);
        let client = place.client_of(ClientBuilder::new(Frames, on_message(|_, _| {})).backoff(backoff));
        within(client.session()).await.unwrap_err();
        sleep(SECOND).await;
        let dials = place.dials().len();
        assert!(dials <= 1_400, "{dials} dials in a second");
        within(client.close()).await;
    }
}

/// Four seats, one minute, with callers and without: at most 20 dials.
async fn assert_seldom_dialled(found: Found) {
    for demanded in [false, true] {
        let place = Place::new(found.clone());
        let (recorder, _events) = Recorder::new();
        let client = place.client(4, recorder);
        drop(client.session().await);
        dials_in_a_minute(&place, &client, demanded).await;
    }
}

async fn dials_in_a_minute(place: &Place, client: &Client<Frames>, demanded: bool) {
    let start = Instant::now();
    let failed = AtomicUsize::new(0);
    while start.elapsed() < 60 * SECOND {
        if demanded && client.session().await.is_err() {
            failed.fetch_add(1, Ordering::SeqCst);
        }
        sleep(20 * MILLI).await;
    }
    let dials = place.dials().len();
    assert!((3..=20).contains(&dials), "{dials} dials in a minute, demanded: {demanded}");
    within(client.close()).await;
    assert_eq!(place.dials().len(), dials);
}

/// A client of two seats whose peer has refused for a minute.
async fn failed_for_a_minute() -> (Place, Client<Frames>) {
    let place = Place::new(Found::Refusal);
    let client = place.client(2, on_message(|_, _| {}));
    within(client.session()).await.unwrap_err();
    sleep(60 * SECOND).await;
    (place, client)
}

/// Lets the clock run until the next dial.
async fn next_dial(place: &Place) {
    let before = place.dials().len();
    while place.dials().len() == before {
        sleep(MILLI).await;
    }
}
