//! A thousand clients whose server goes away and comes back: they all come back, soon, and not all at once.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use getty::{Backoff, BoxError, Client, ClientBuilder, EventListener, Server, Session};
use tokio::time::{sleep, timeout};

use crate::{
    net::{SERVER, Sockets, dial, listen, network, now},
    support::Frames,
    trace::{Event, Noting, Trace, What, assert_same},
};

const CLIENTS: usize = 1_000;
const HOSTS: usize = 10;
/// All are connected and proven by then.
const GOES_AT: Duration = Duration::from_secs(10);
const TENTH: Duration = Duration::from_millis(100);

/// How the server is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Away {
    /// Its process has ended: dials are refused.
    Refusing,
    /// Its machine has gone: nothing answers, and dials run into their time limit.
    Silent,
}

/// What happened. Two equal ones are the same run.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    events: Vec<Event>,
    /// When the server was back.
    opened: Duration,
    /// Sessions that live at the end.
    live: usize,
}

impl Run {
    /// The clients to which that happened since the server was back, and when.
    fn since_it_opened(&self, what: &What) -> impl Iterator<Item = (usize, Duration)> {
        let is_meant = move |(_, of, at): &&Event| of == what && *at >= self.opened;
        self.events.iter().filter(is_meant).map(|(client, _, at)| (*client, *at))
    }
}

/// What the hosts of a run say.
#[derive(Clone, Default)]
struct Seen {
    trace: Trace,
    opened: Arc<Mutex<Duration>>,
    live: Arc<Mutex<usize>>,
}

#[derive(Debug, Clone, Copy)]
struct Storm {
    seed: u64,
    outage: Duration,
    away: Away,
    /// Sessions of each client.
    connections: usize,
    /// Whether each client has a user who asks for a session all the time.
    demanded: bool,
}

impl Storm {
    fn refusing(outage: u64) -> Self {
        let outage = Duration::from_secs(outage);
        Self { seed: 1, outage, away: Away::Refusing, connections: 1, demanded: false }
    }

    /// Runs it and checks what has to hold of all of them.
    fn run(self) -> Run {
        let run = self.simulated();
        let dials: Vec<_> = run.since_it_opened(&What::Dials).map(|(_, at)| at).collect();
        let busiest = dials
            .iter()
            .enumerate()
            .map(|(i, from)| dials[i..].iter().take_while(|at| **at < *from + TENTH).count());
        let busiest = busiest.max().unwrap_or_default();
        let mut back = vec![None; CLIENTS];
        for (client, at) in run.since_it_opened(&What::Answered) {
            back[client].get_or_insert(at - run.opened);
        }
        let bound = (3 * self.outage + Duration::from_secs(2)).min(Duration::from_secs(30));
        let soon = back.iter().flatten().filter(|after| **after <= bound).count();
        let last = back.iter().flatten().max();
        println!(
            "{self:?}: {} dials after the port opened, at most {busiest} in 100 ms; {soon} back within {bound:?}, the last after {last:?}",
            dials.len()
        );
        // The others had dialled already when it opened.
        assert!(dials.len() * 10 >= CLIENTS * self.connections * 9);
        assert!(busiest * 100 <= dials.len() * 15, "{busiest} of {} dials came within 100 ms", dials.len());
        assert!(soon * 100 >= CLIENTS * 99, "{soon} of {CLIENTS} were back within {bound:?}");
        assert!(back.iter().all(Option::is_some), "a client has not come back");
        assert_eq!(run.live, CLIENTS * self.connections, "sessions that live at the end");
        run
    }

    fn simulated(self) -> Run {
        let seen = Seen::default();
        let mut sim = network(self.seed, self.outage + Duration::from_secs(120));
        let host = seen.clone();
        sim.host(SERVER, move || {
            let seen = host.clone();
            async move { Ok(self.serve(seen).await?) }
        });
        for host in 0..HOSTS {
            let seen = seen.clone();
            sim.client(format!("clients-{host}"), async move {
                self.use_clients(host, seen).await;
                Ok(())
            });
        }
        sim.run().unwrap();
        drop(sim);
        let (opened, live) = (*seen.opened.lock().unwrap(), *seen.live.lock().unwrap());
        Run { events: seen.trace.take(), opened, live }
    }

    async fn serve(self, seen: Seen) -> std::io::Result<()> {
        let accepted = Accepted::default();
        if self.away == Away::Refusing {
            let _ = timeout(
                GOES_AT,
                Server::over(listen(Sockets::default()).await?).serve(Frames, accepted.clone()),
            )
            .await;
            accepted.0.lock().unwrap().drain(..).for_each(|session| session.abort());
            sleep(self.outage).await;
            *seen.opened.lock().unwrap() = now();
        } else {
            *seen.opened.lock().unwrap() = GOES_AT + self.outage;
        }
        Server::over(listen(Sockets::default()).await?).serve(Frames, accepted).await
    }

    async fn use_clients(self, host: usize, seen: Seen) {
        let clients: Vec<_> =
            (host..CLIENTS).step_by(HOSTS).map(|index| self.client(index, seen.trace.of(index))).collect();
        for client in &clients {
            let client = client.clone();
            tokio::spawn(async move { client.connect().await });
            sleep(Duration::from_millis(50)).await;
        }
        sleep(GOES_AT.saturating_sub(now())).await;
        if self.away == Away::Silent {
            // Nothing tells that a peer is silent but somebody who waits for it.
            for client in &clients {
                client.sessions().iter().for_each(Session::abort);
            }
        }
        if self.demanded {
            for client in &clients {
                let client = client.clone();
                tokio::spawn(async move {
                    loop {
                        drop(client.session().await);
                        sleep(5 * TENTH).await;
                    }
                });
            }
        }
        sleep((GOES_AT + self.outage + Duration::from_secs(40)).saturating_sub(now())).await;
        let live: usize = clients.iter().map(|client| client.sessions().len()).sum();
        *seen.live.lock().unwrap() += live;
    }

    fn client(self, index: usize, noting: Noting) -> Client<Frames> {
        let seed = self.seed.wrapping_mul(CLIENTS as u64).wrapping_add(index as u64);
        ClientBuilder::new(Frames, Asking(noting.clone()))
            .observer(noting.clone())
            .connections(self.connections)
            .backoff(Backoff::default().seed(seed))
            .dial(SERVER, move || {
                let (from, until) = (GOES_AT, GOES_AT + self.outage);
                let unanswered = self.away == Away::Silent && (from..until).contains(&now());
                noting.note(What::Dials);
                async move { if unanswered { pending().await } else { dial().await } }
            })
    }
}

/// A client's listener: it asks as soon as a session is there.
struct Asking(Noting);

impl EventListener<Frames> for Asking {
    fn on_open(&self, session: &Session<Frames>) -> Result<(), BoxError> {
        session.write(Bytes::from_static(b"there?"))?;
        Ok(())
    }

    fn on_message(&self, _: &Session<Frames>, _: Bytes) {
        self.0.note(What::Answered);
    }
}

/// The server's listener: it answers, and keeps its sessions in the order in which they came.
#[derive(Clone, Default)]
struct Accepted(Arc<Mutex<Vec<Session<Frames>>>>);

impl EventListener<Frames> for Accepted {
    fn on_open(&self, session: &Session<Frames>) -> Result<(), BoxError> {
        self.0.lock().unwrap().push(session.clone());
        Ok(())
    }

    fn on_message(&self, session: &Session<Frames>, packet: Bytes) {
        let _ = session.write(packet);
    }
}

#[test]
fn clients_come_back_soon_and_not_at_once_after_2_seconds() {
    Storm::refusing(2).run();
}

#[test]
fn clients_come_back_soon_and_not_at_once_after_10_seconds() {
    Storm::refusing(10).run();
}

#[test]
fn clients_come_back_soon_and_not_at_once_after_60_seconds() {
    Storm::refusing(60).run();
}

#[test]
fn clients_come_back_soon_and_not_at_once_when_nothing_answered() {
    for outage in [2, 60] {
        Storm { away: Away::Silent, ..Storm::refusing(outage) }.run();
    }
}

#[test]
fn clients_of_several_sessions_come_back_soon_and_not_at_once() {
    Storm { connections: 4, ..Storm::refusing(2) }.run();
}

#[test]
fn clients_that_somebody_needs_come_back_soon_and_not_at_once() {
    Storm { demanded: true, ..Storm::refusing(10) }.run();
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let storm = Storm { demanded: true, ..Storm::refusing(10) };
    let (first, second) = (storm.run(), storm.run());
    let count = |is: fn(&What) -> bool| first.events.iter().filter(|(_, what, _)| is(what)).count();
    // All have come, failed to come again, and come back; else there is nothing to compare.
    assert!(count(|what| *what == What::Dialled) >= 2 * CLIENTS);
    assert!(count(|what| matches!(what, What::Failed(_))) >= CLIENTS);
    assert!(count(|what| *what == What::Answered) >= 2 * CLIENTS);
    assert_same(&first.events, &second.events);
    assert!(first == second, "two runs of one seed end in another way");
    assert!(first.events != Storm { seed: 2, ..storm }.run().events, "two seeds give the same run");
}
