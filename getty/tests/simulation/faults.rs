//! Sessions on a network that delays, loses, and parts, with a server that crashes: what comes over a session comes in order and
//! once, and a session that has lost something ends.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use getty::{Backoff, BoxError, Client, ClientBuilder, Error, EventListener, Limits, Server, Session};
use tokio::time::sleep;
use turmoil::Sim;

use crate::{
    net::{SERVER, Sockets, dial, listen, network, now},
    support::Frames,
    trace::{Event, Noting, Trace, What, assert_same},
};

const CLIENTS: usize = 3;
const MILLI: Duration = Duration::from_millis(1);
/// Until then there are faults, each followed by a calm while.
const TROUBLE: Duration = Duration::from_secs(30);
/// Until then clients write.
const WRITING: Duration = Duration::from_secs(45);
/// By then all that was written over a session that lives has been answered.
const ANSWERED: Duration = Duration::from_secs(50);

/// What one session did.
#[derive(Debug, Default, PartialEq, Eq)]
struct Record {
    accepted: bool,
    closed: u32,
    error: Option<String>,
    written: u32,
    received: u32,
    /// What must never be.
    wrong: Option<String>,
    /// Periods in which answers were missing and none came, and how many had come before.
    silent: (u32, u32),
    aborted: bool,
    /// Lived at the end, with everything answered.
    complete: bool,
}

/// All sessions of all hosts, in the order in which they opened.
type Records = Arc<Mutex<Vec<Record>>>;

/// Where the record of a session is.
struct Place(usize);

/// The listener of both sides.
#[derive(Clone)]
struct Keeping {
    records: Records,
    /// Only on the client's side.
    noting: Option<Noting>,
}

impl Keeping {
    fn record<T>(&self, session: &Session<Frames>, change: impl FnOnce(&mut Record) -> T) -> T {
        let place = session.get::<Place>().expect("on_open has put it there").0;
        change(&mut self.records.lock().unwrap()[place])
    }

    fn write_next(&self, session: &Session<Frames>) {
        let next = self.record(session, |record| record.written);
        if session.write(packet(next)).is_ok() {
            self.record(session, |record| record.written += 1);
        }
    }
}

impl EventListener<Frames> for Keeping {
    fn on_open(&self, session: &Session<Frames>) -> Result<(), BoxError> {
        let mut records = self.records.lock().unwrap();
        session.set(Place(records.len()));
        records.push(Record { accepted: self.noting.is_none(), ..Record::default() });
        Ok(())
    }

    fn on_message(&self, session: &Session<Frames>, came: Bytes) {
        self.record(session, |record| {
            if came != packet(record.received) || record.closed > 0 {
                let wrong = format!("packet {} was expected, {:?} came", record.received, came.get(..4));
                record.wrong.get_or_insert(wrong);
            }
            record.received += 1;
        });
        match &self.noting {
            Some(noting) => noting.note(What::Answered),
            None => self.write_next(session),
        }
    }

    /// Only whoever waits for something can tell that a peer is silent.
    fn on_cron(&self, session: &Session<Frames>) {
        let silent = self.record(session, |record| {
            let waits = record.received < record.written && record.received == record.silent.1;
            record.silent = (if waits { record.silent.0 + 1 } else { 0 }, record.received);
            record.aborted |= record.silent.0 == 4;
            record.aborted
        });
        if silent {
            session.abort();
        }
    }

    fn on_error(&self, session: &Session<Frames>, error: &Error) {
        self.record(session, |record| {
            if record.closed > 0 || record.error.replace(error.to_string()).is_some() {
                record.wrong = Some(format!("on_error came late or twice: {error}"));
            }
        });
    }

    fn on_close(&self, session: &Session<Frames>) {
        self.record(session, |record| record.closed += 1);
    }
}

/// Long and short ones; which one it is can be seen at its beginning.
fn packet(number: u32) -> Bytes {
    let mut packet = number.to_be_bytes().to_vec();
    packet.resize(4 + number as usize % 7 * 1_000, number as u8);
    packet.into()
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    /// Nothing moves for a while, and nothing is lost.
    Held,
    /// What is sent is lost.
    Parted,
    /// What one side sends is lost.
    PartedOneWay {
        from_server: bool,
    },
    Crashed,
}

impl Fault {
    fn any(chance: &mut fastrand::Rng) -> Self {
        match chance.u8(..4) {
            0 => Self::Held,
            1 => Self::Parted,
            2 => Self::PartedOneWay { from_server: chance.bool() },
            _ => Self::Crashed,
        }
    }

    fn begin(self, sim: &mut Sim<'_>, sockets: &Sockets, client: &str) {
        match self {
            Self::Held => sim.hold(SERVER, client),
            Self::Parted => sim.partition(SERVER, client),
            Self::PartedOneWay { from_server: true } => sim.partition_oneway(SERVER, client),
            Self::PartedOneWay { from_server: false } => sim.partition_oneway(client, SERVER),
            Self::Crashed => sockets.crash(sim),
        }
    }

    fn end(self, sim: &mut Sim<'_>, client: &str) {
        match self {
            Self::Held => sim.release(SERVER, client),
            Self::Parted => sim.repair(SERVER, client),
            Self::PartedOneWay { from_server: true } => sim.repair_oneway(SERVER, client),
            Self::PartedOneWay { from_server: false } => sim.repair_oneway(client, SERVER),
            Self::Crashed => sim.bounce(SERVER),
        }
    }
}

/// What the sessions did, and what became of the clients.
fn run(seed: u64) -> (Vec<Record>, Vec<Event>) {
    let (records, trace) = (Records::default(), Trace::default());
    let mut sim = network(seed, ANSWERED + TROUBLE);
    let keeping = Keeping { records: Arc::clone(&records), noting: None };
    let sockets = Sockets::default();
    let accepted = sockets.clone();
    sim.host(SERVER, move || {
        let (keeping, accepted) = (keeping.clone(), accepted.clone());
        async move { Ok(Server::over(listen(accepted).await?).limits(limits()).serve(Frames, keeping).await?) }
    });
    for index in 0..CLIENTS {
        let (records, noting) = (Arc::clone(&records), trace.of(index));
        let seed = seed.wrapping_mul(CLIENTS as u64).wrapping_add(index as u64);
        sim.client(name(index), async move {
            use_client(seed, records, noting).await;
            Ok(())
        });
    }
    let mut chance = fastrand::Rng::with_seed(seed);
    while sim.elapsed() < TROUBLE {
        let (fault, client) = (Fault::any(&mut chance), name(chance.usize(..CLIENTS)));
        fault.begin(&mut sim, &sockets, &client);
        step(&mut sim, chance.u32(100..4_000) * MILLI);
        fault.end(&mut sim, &client);
        step(&mut sim, chance.u32(100..3_000) * MILLI);
    }
    sim.run().unwrap();
    // With the hosts of servers go the sessions that nobody has closed.
    drop(sim);
    let records = Arc::into_inner(records).expect("all hosts have gone").into_inner().unwrap();
    (records, trace.take())
}

fn step(sim: &mut Sim<'_>, time: Duration) {
    let until = sim.elapsed() + time;
    while sim.elapsed() < until {
        sim.step().unwrap();
    }
}

async fn use_client(seed: u64, records: Records, noting: Noting) {
    let keeping = Keeping { records, noting: Some(noting.clone()) };
    let client: Client<Frames> = ClientBuilder::new(Frames, keeping.clone())
        .connections(2)
        .limits(limits())
        .backoff(Backoff::default().max(Duration::from_secs(2)).seed(seed))
        .observer(noting.clone())
        .dial(SERVER, move || {
            noting.note(What::Dials);
            dial()
        });
    while now() < WRITING {
        if let Ok(session) = client.session().await {
            keeping.write_next(&session);
        }
        sleep(20 * MILLI).await;
    }
    sleep(ANSWERED.saturating_sub(now())).await;
    for session in client.sessions() {
        keeping.record(&session, |record| record.complete = record.received == record.written);
    }
    client.close().await;
}

fn limits() -> Limits {
    Limits::default().cron(Some(500 * MILLI)).dial(Duration::from_secs(1))
}

fn name(client: usize) -> String {
    format!("client-{client}")
}

#[test]
fn packets_come_in_order_and_once_or_their_session_ends() {
    for seed in 0..4 {
        let (records, _) = run(seed);
        let (accepted, dialled): (Vec<_>, Vec<_>) = records.iter().partition(|record| record.accepted);
        let received: u32 = accepted.iter().map(|record| record.received).sum();
        let complete = dialled.iter().filter(|record| record.complete).count();
        let (failed, aborted) = (
            records.iter().filter(|record| record.error.is_some()).count(),
            records.iter().filter(|record| record.aborted).count(),
        );
        println!(
            "seed {seed}: {} sessions dialled, {} accepted, {failed} ended with an error, {aborted} were silent, {received} packets",
            dialled.len(),
            accepted.len()
        );
        for record in &records {
            assert_eq!(record.wrong, None, "seed {seed}: {record:?}");
            assert_eq!(record.closed, 1, "seed {seed}: {record:?}");
            assert!(record.accepted || record.received <= record.written, "seed {seed}: {record:?}");
        }
        assert_eq!(complete, 2 * CLIENTS, "seed {seed}: the sessions of the end are whole");
        // Else there was no trouble, or nothing but trouble.
        assert!(dialled.len() > 3 * CLIENTS && failed + aborted > CLIENTS, "seed {seed}");
        assert!(received > 2_000, "seed {seed}: {received}");
    }
}

#[test]
fn the_same_seed_gives_the_same_faults_and_the_same_sessions() {
    let (records, events) = run(1);
    let (same, same_events) = run(1);
    // Else there is nothing to compare.
    assert!(events.iter().any(|(_, what, _)| matches!(what, What::Failed(_))));
    assert_same(&events, &same_events);
    for (index, (first, second)) in records.iter().zip(&same).enumerate() {
        assert_eq!(first, second, "the session that opened after {index} others");
    }
    assert_eq!(records.len(), same.len());
    assert!(events != run(2).1, "two seeds give the same run");
}
