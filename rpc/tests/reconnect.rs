//! Providers that come and go: a client finds back to them by itself, without haste, and tells its callers the truth meanwhile.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    future::IntoFuture,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use getty_rpc::{
    Client, ClientBuilder, Error, ErrorKind,
    getty::{Backoff, transport::dial_tcp},
    protocol::Status,
};
use support::{
    AnyClient, Fake, FakePipe, PATIENCE, Peer, ProbeClient, Probing, Provider, Serving, serve, value_body,
    within,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep},
};

/// How often a provider is started again.
const ROUNDS: usize = 12;
/// Far more than settling some calls takes, and far less than their timeout.
const SETTLED: Duration = Duration::from_secs(10);

/// The default back-off in a hundredth of the time.
fn fast() -> Backoff {
    Backoff::default()
        .first(Duration::from_millis(2))
        .max(Duration::from_millis(300))
        .proof(Duration::from_millis(50))
        .brief(Duration::from_millis(10))
        .on_demand(Duration::from_millis(60))
        .spread(Duration::from_micros(500))
}

/// What a client has dialled.
#[derive(Clone)]
struct Dials(watch::Sender<Vec<Dial>>);

#[derive(Clone, Copy)]
struct Dial {
    at: Instant,
    connected: bool,
}

impl Dials {
    fn new() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }

    fn note(&self, at: Instant, connected: bool) {
        self.0.send_modify(|dials| dials.push(Dial { at, connected }));
    }

    /// A client whose dials are counted.
    fn tcp(&self, builder: ClientBuilder, address: SocketAddr) -> Client {
        let dials = self.clone();
        builder.timeout(PATIENCE).dial(address.to_string(), move || {
            let dials = dials.clone();
            async move {
                let at = Instant::now();
                let dialled = dial_tcp(&address.to_string()).await;
                dials.note(at, dialled.is_ok());
                dialled
            }
        })
    }

    fn all(&self) -> Vec<Dial> {
        self.0.borrow().clone()
    }

    /// How many there were in some time from the first on.
    fn within(&self, time: Duration) -> usize {
        let all = self.all();
        all.iter().filter(|dial| dial.at - all[0].at <= time).count()
    }

    /// How many that began since then have succeeded.
    fn connected_since(&self, start: Instant) -> usize {
        connected_since(&self.0.borrow(), start)
    }

    /// Waits until so many that began since then have succeeded.
    async fn until_connected(&self, start: Instant, count: usize) {
        let mut dials = self.0.subscribe();
        within(dials.wait_for(|dials| connected_since(dials, start) >= count)).await.unwrap();
    }
}

fn connected_since(dials: &[Dial], start: Instant) -> usize {
    dials.iter().filter(|dial| dial.connected && dial.at >= start).count()
}

async fn greet(probe: &ProbeClient, calls: usize) {
    for call in 0..calls {
        let name = call.to_string();
        assert_eq!(within(probe.hello(&name)).await.unwrap(), format!("hello {name}"));
    }
}

async fn greet_at_a_time(probe: &ProbeClient, calls: usize) {
    let mut running = JoinSet::new();
    for _ in 0..calls {
        let probe = probe.clone();
        running.spawn(async move { greet(&probe, 1).await });
    }
    while let Some(call) = within(running.join_next()).await {
        call.unwrap();
    }
}

/// A client whose provider is killed while nothing is in flight, again and again: each time all its connections are made anew,
/// and the next calls succeed.
async fn killed_while_idle(connections: usize) {
    let probing = Probing::new();
    let start_at = async |address| {
        let probing = probing.clone();
        Provider::start_at(address, move |server| server.service(probing.server())).await
    };
    let mut provider = start_at("127.0.0.1:0".parse().unwrap()).await;
    let address = provider.address();
    let dials = Dials::new();
    let client = dials.tcp(Client::builder().connections(connections).backoff(fast()), address);
    within(client.connect()).await.unwrap();
    let probe: ProbeClient = client.refer();
    greet_at_a_time(&probe, connections).await;
    for _ in 0..ROUNDS {
        provider.kill().await;
        // A dial that began before may have met a port that was about to close.
        let killed = Instant::now();
        provider = start_at(address).await;
        dials.until_connected(killed, connections).await;
        greet(&probe, 3).await;
        greet_at_a_time(&probe, 3 * connections).await;
        assert_eq!(dials.connected_since(killed), connections, "one new connection for each that was lost");
    }
}

#[tokio::test]
async fn calls_after_a_restart_succeed_at_the_first_try() {
    killed_while_idle(1).await;
}

#[tokio::test]
async fn calls_after_a_restart_succeed_at_the_first_try_on_all_of_eight_connections() {
    killed_while_idle(8).await;
}

#[tokio::test]
async fn a_provider_that_closes_an_idle_connection_is_called_again_over_a_new_one() {
    let fake = Fake::bind().await;
    let dials = Dials::new();
    let any: AnyClient = dials.tcp(Client::builder().backoff(fast()), fake.address()).refer();
    let start = Instant::now();
    let mut spare = None;
    for round in 0..ROUNDS {
        if round > 0 {
            // The client is back before anybody calls.
            dials.until_connected(start, round + 1).await;
        }
        let answered = async {
            let mut peer = match spare.take() {
                Some(peer) => peer,
                None => fake.accept().await,
            };
            peer.reply(Status::OK, &value_body(1)).await;
            peer
        };
        let (outcome, mut peer) = within(async { tokio::join!(any.call().into_future(), answered) }).await;
        assert_eq!(outcome.unwrap(), Ok(1.into()));
        within(peer.stream.shutdown()).await.unwrap();
        assert_eq!(peer.next().await, None, "the client closes too");
        spare = Some(fake.accept().await);
    }
    dials.until_connected(start, ROUNDS + 1).await;
    assert_eq!(dials.connected_since(start), ROUNDS + 1);
}

#[tokio::test]
async fn a_provider_that_stops_in_good_order_and_comes_back_is_called_at_the_first_try() {
    let probing = Probing::new();
    let mut serving = serve(|server| server.service(probing.server())).await;
    let address = serving.address();
    let dials = Dials::new();
    let client = dials.tcp(Client::builder().connections(2).backoff(fast()), address);
    within(client.connect()).await.unwrap();
    let probe: ProbeClient = client.refer();
    greet_at_a_time(&probe, 4).await;
    for _ in 0..ROUNDS {
        serving.stop();
        serving.stopped().await;
        let stopped = Instant::now();
        let server = getty_rpc::Server::bind(address).await.unwrap();
        serving = Serving::start(server.service(probing.server()));
        dials.until_connected(stopped, 2).await;
        greet_at_a_time(&probe, 4).await;
        assert_eq!(dials.connected_since(stopped), 2);
    }
}

#[tokio::test]
async fn calls_in_flight_at_a_kill_may_have_run_and_later_ones_succeed_over_as_many_connections() {
    const CONNECTIONS: usize = 4;
    const CALLS: usize = 64;
    let probing = Probing::new();
    let server = probing.clone();
    let provider = Provider::start(move |it| it.service(server.server())).await;
    let address = provider.address();
    let dials = Dials::new();
    let client = dials.tcp(Client::builder().connections(CONNECTIONS).backoff(fast()), address);
    within(client.connect()).await.unwrap();
    let probe: ProbeClient = client.refer();
    let mut hanging = JoinSet::new();
    for _ in 0..CALLS {
        let probe = probe.clone();
        hanging.spawn(async move { probe.hang().await });
    }
    probing.entered(CALLS as u32).await;
    provider.kill().await;
    let killed = Instant::now();
    while let Some(outcome) = within(hanging.join_next()).await {
        let error = outcome.unwrap().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::ConnectionLost), "{error}");
        assert!(!error.surely_not_run(), "{error}");
    }
    assert!(killed.elapsed() < SETTLED, "{:?}", killed.elapsed());
    let error = within(probe.hello("nobody")).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Connect) && error.surely_not_run(), "{error}");

    let server = probing.clone();
    let provider = Provider::start_at(address, move |it| it.service(server.server())).await;
    dials.until_connected(killed, CONNECTIONS).await;
    greet_at_a_time(&probe, CALLS).await;
    assert_eq!(dials.connected_since(killed), CONNECTIONS);
    drop(provider);
}

#[tokio::test]
async fn under_load_a_kill_costs_only_the_calls_that_were_under_way_or_came_while_nobody_was_there() {
    let probing = Probing::new();
    let server = probing.clone();
    let mut provider = Provider::start(move |it| it.service(server.server())).await;
    let address = provider.address();
    let dials = Dials::new();
    let client = dials.tcp(Client::builder().connections(4).backoff(fast()), address);
    within(client.connect()).await.unwrap();
    let probe: ProbeClient = client.refer();
    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for _ in 0..16 {
        let (probe, stop) = (probe.clone(), Arc::clone(&stop));
        callers.spawn(async move {
            let (mut good, mut may_have_run) = (0, 0);
            while !stop.load(Ordering::Relaxed) {
                match probe.hello("load").await {
                    Ok(_) => good += 1,
                    Err(error) => {
                        assert!(is_honest(&error), "{error}");
                        may_have_run += usize::from(!error.surely_not_run());
                        // Calls that fail at once would leave no time to anybody else.
                        sleep(Duration::from_millis(1)).await;
                    }
                }
            }
            (good, may_have_run)
        });
    }
    let mut killed = Instant::now();
    for _ in 0..5 {
        let before = probing.calls();
        while probing.calls() < before + 100 {
            sleep(Duration::from_millis(1)).await;
        }
        provider.kill().await;
        killed = Instant::now();
        let server = probing.clone();
        provider = Provider::start_at(address, move |it| it.service(server.server())).await;
        dials.until_connected(killed, 4).await;
    }
    stop.store(true, Ordering::Relaxed);
    let (mut good, mut may_have_run) = (0, 0);
    while let Some(caller) = within(callers.join_next()).await {
        let caller = caller.unwrap();
        good += caller.0;
        may_have_run += caller.1;
    }
    let run = probing.calls();
    assert!(
        run >= 500 && (good..=good + may_have_run).contains(&run),
        "{run} have run: {good}, {may_have_run}"
    );
    greet_at_a_time(&probe, 16).await;
    assert_eq!(dials.connected_since(killed), 4, "as many connections as before");
}

#[tokio::test]
async fn all_addresses_get_their_share_of_the_calls_from_the_first_ones_on() {
    let probing: Vec<_> = (0..3).map(|_| Probing::new()).collect();
    let mut serving = Vec::new();
    for probing in &probing {
        serving.push(serve(|server| server.service(probing.server())).await);
    }
    let addresses: Vec<_> = serving.iter().map(Serving::url).collect();
    let client = support::patient(addresses.join(","));
    let probe: ProbeClient = client.refer();
    greet(&probe, 1).await;
    // The others are being dialled without a further word; this waits for them.
    within(client.connect()).await.unwrap();
    greet(&probe, 300).await;
    let calls: Vec<_> = probing.iter().map(Probing::calls).collect();
    assert!(calls.iter().all(|calls| *calls > 50), "{calls:?}");

    // Nobody asks this one to connect.
    let probe: ProbeClient = support::patient(addresses.join(",")).refer();
    let before: Vec<_> = probing.iter().map(Probing::calls).collect();
    while probing.iter().zip(&before).any(|(probing, before)| probing.calls() == *before) {
        greet(&probe, 1).await;
    }
}

/// What a bad provider does with each connection.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Welcome {
    Fin,
    Reset,
    /// Closes a little later.
    Late,
    /// Closes at the first heartbeat.
    AtHeartbeat,
}

/// What tells whoever called a bad provider.
fn is_honest(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Connect => error.surely_not_run(),
        ErrorKind::ConnectionLost => true,
        _ => false,
    }
}

/// Each with the real thing: a listener on a loopback port, in a hundredth of the time.
async fn dialled_with_patience_over_tcp(welcome: Welcome) {
    const MINUTE: Duration = Duration::from_millis(600);
    let fake = Fake::bind().await;
    let address = fake.address();
    let dials = Dials::new();
    // What proves a connection is not scaled: a slow machine makes sessions look older than they are meant to be.
    let backoff = fast().proof(Duration::from_secs(5)).brief(Duration::from_secs(1));
    let builder = Client::builder().connections(4).backoff(backoff).heartbeat(Duration::from_millis(40));
    let probe: ProbeClient = dials.tcp(builder, address).refer();
    let bad = tokio::spawn(async move {
        loop {
            let mut peer = fake.accept().await;
            match welcome {
                Welcome::Fin => {}
                Welcome::Reset => peer.reset(),
                Welcome::Late => {
                    tokio::spawn(async move {
                        sleep(Duration::from_millis(50)).await;
                        drop(peer);
                    });
                }
                Welcome::AtHeartbeat => {
                    tokio::spawn(async move {
                        while peer.next().await.is_some_and(|(header, _)| !header.event) {}
                    });
                }
            }
        }
    });
    let start = Instant::now();
    while start.elapsed() < MINUTE {
        let error = within(probe.hello("nobody")).await.unwrap_err();
        assert!(is_honest(&error), "{welcome:?}: {error}");
        sleep(Duration::from_millis(5)).await;
    }
    let count = dials.within(MINUTE);
    assert!((2..=20).contains(&count), "{welcome:?}: {count} dials");

    bad.abort();
    assert!(bad.await.unwrap_err().is_cancelled());
    let good = getty_rpc::Server::bind(address).await.unwrap();
    let _serving = Serving::start(good.service(Probing::new().server()));
    // Connections that the bad one accepted last may still end; the calls after the first good one all succeed.
    while within(probe.hello("somebody")).await.is_err() {
        sleep(Duration::from_millis(5)).await;
    }
    greet(&probe, 3).await;
}

#[tokio::test]
async fn a_port_that_accepts_and_closes_is_dialled_with_growing_pauses_and_left_when_a_provider_is_there() {
    tokio::join!(
        dialled_with_patience_over_tcp(Welcome::Fin),
        dialled_with_patience_over_tcp(Welcome::Reset),
        dialled_with_patience_over_tcp(Welcome::Late),
        dialled_with_patience_over_tcp(Welcome::AtHeartbeat),
    );
}

/// A provider over pipes that is bad until it is told to be good.
struct Turncoat {
    good: Arc<AtomicBool>,
    dials: Dials,
    client: Client,
}

impl Turncoat {
    fn new(welcome: Welcome) -> Self {
        let (pipe, connections) = FakePipe::accept();
        let dials = Dials::new();
        let good = Arc::new(AtomicBool::new(false));
        tokio::spawn(provide(welcome, connections, Arc::clone(&good)));
        let noted = dials.clone();
        let client = Client::builder().connections(4).dial("pipe", move || {
            noted.note(Instant::now(), true);
            pipe.clone().dial()
        });
        Self { good, dials, client }
    }
}

async fn provide(
    welcome: Welcome,
    mut connections: mpsc::UnboundedReceiver<DuplexStream>,
    good: Arc<AtomicBool>,
) {
    while let Some(mut stream) = connections.recv().await {
        if good.load(Ordering::Relaxed) {
            tokio::spawn(async move {
                let mut peer = Peer::over(stream);
                while let Some((header, _)) = peer.next_call().await {
                    peer.send(&support::response(header.id, Status::OK, &value_body(1))).await;
                }
            });
            continue;
        }
        tokio::spawn(async move {
            match welcome {
                Welcome::Fin | Welcome::Reset => {}
                Welcome::Late => sleep(Duration::from_millis(50)).await,
                Welcome::AtHeartbeat => drop(stream.read_exact(&mut [0; 16]).await),
            }
        });
    }
}

#[tokio::test(start_paused = true)]
async fn at_most_twenty_dials_are_made_in_a_minute_to_a_provider_that_closes_each_connection() {
    for welcome in [Welcome::Fin, Welcome::Late, Welcome::AtHeartbeat] {
        for callers in [false, true] {
            let Turncoat { good, dials, client } = Turncoat::new(welcome);
            let any: AnyClient = client.refer();
            let start = Instant::now();
            any.call().await.unwrap_err();
            while callers && start.elapsed() < Duration::from_secs(60) {
                let called = Instant::now();
                let error = any.call().await.unwrap_err();
                assert!(
                    called.elapsed() <= Duration::from_millis(50) || welcome == Welcome::AtHeartbeat,
                    "{error}"
                );
                sleep(Duration::from_millis(100)).await;
            }
            tokio::time::sleep_until(start + Duration::from_secs(60)).await;
            let count = dials.within(Duration::from_secs(60));
            assert!((2..=20).contains(&count), "{welcome:?}, {callers}: {count} dials");

            // The good one is found at the next attempt, which is due half a minute after the last connection ended at most;
            // one that is open until its first heartbeat ends then.
            let due = Duration::from_secs(if welcome == Welcome::AtHeartbeat { 60 } else { 30 });
            good.store(true, Ordering::Relaxed);
            let turned = Instant::now();
            dials.until_connected(turned, 1).await;
            assert!(turned.elapsed() <= due, "{welcome:?}: {:?}", turned.elapsed());
            while any.call().await.is_err() {
                sleep(Duration::from_millis(10)).await;
            }
            client.connect().await.unwrap();
            for _ in 0..8 {
                assert_eq!(any.call().await.unwrap(), Ok(1.into()));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn calls_to_a_port_that_refuses_fail_at_once_and_surely_did_not_run() {
    let dials = Dials::new();
    let noted = dials.clone();
    let client = Client::builder().connections(4).dial("nowhere", move || {
        noted.note(Instant::now(), false);
        async { Err::<support::PipeEnd, _>(std::io::ErrorKind::ConnectionRefused.into()) }
    });
    let probe: ProbeClient = client.refer();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        let called = Instant::now();
        let error = probe.hello("nobody").await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Connect) && error.surely_not_run(), "{error}");
        assert_eq!(called.elapsed(), Duration::ZERO, "{error}");
        sleep(Duration::from_millis(10)).await;
    }
    let count = dials.within(Duration::from_secs(60));
    assert!((2..=20).contains(&count), "{count} dials");
}
