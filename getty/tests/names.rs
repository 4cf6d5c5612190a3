//! Peers whose address changes: a name is looked up at every dial, and what it gives is used with sense. The hosts are in memory,
//! the look-up and the clock are the test's own.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    collections::BTreeMap,
    future::pending,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use getty::{
    Client, ClientBuilder, Server, SessionError, on_message,
    transport::{Host, memory::Memory},
};
use support::{Found, Frames, Place, echo, within};
use tokio::{
    net::TcpListener,
    time::{Instant, sleep},
};

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);

/// Hosts A, B, C.
const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

/// What a look-up gives.
#[derive(Debug, Clone)]
enum Answer {
    Hosts(&'static [usize]),
    Fails,
    /// As a resolver does whose own servers do not answer.
    Hangs,
}

/// A network with one name.
#[derive(Clone)]
struct World(Arc<Mutex<Inner>>);

struct Inner {
    answer: Answer,
    look_ups: usize,
    hosts: BTreeMap<usize, Place>,
    /// Hosts that were dialled, in order.
    dialled: Vec<usize>,
}

fn address(host: usize) -> SocketAddr {
    ([10, 0, 0, u8::try_from(host).unwrap()], 20880).into()
}

impl World {
    /// All its hosts are good.
    fn new(answer: Answer) -> Self {
        let hosts = [A, B, C].map(|host| (host, Place::new(Place::echo()))).into();
        Self(Arc::new(Mutex::new(Inner { answer, look_ups: 0, hosts, dialled: Vec::new() })))
    }

    /// From now on.
    fn answer(&self, answer: Answer) {
        self.0.lock().unwrap().answer = answer;
    }

    fn host(&self, host: usize) -> Place {
        self.0.lock().unwrap().hosts[&host].clone()
    }

    /// The host goes, with all its connections.
    fn kill(&self, host: usize) {
        self.host(host).put(Found::Refusal);
        self.host(host).close_all();
    }

    fn client(&self, connections: usize) -> Client<Frames> {
        self.client_of(ClientBuilder::new(Frames, on_message(|_, _| {})).connections(connections))
    }

    fn client_of(&self, builder: ClientBuilder<Frames>) -> Client<Frames> {
        let world = self.clone();
        let host = Host::resolved_by("svc.test:20880", move |name| {
            assert_eq!(&*name, "svc.test:20880");
            world.clone().look_up()
        });
        let world = self.clone();
        builder.dial(host.name().to_owned(), move || {
            let (world, host) = (world.clone(), host.clone());
            async move { host.dial(|address| world.clone().dial(address)).await }
        })
    }

    async fn look_up(self) -> io::Result<Vec<SocketAddr>> {
        let answer = {
            let mut inner = self.0.lock().unwrap();
            inner.look_ups += 1;
            inner.answer.clone()
        };
        match answer {
            Answer::Hosts(hosts) => Ok(hosts.iter().map(|host| address(*host)).collect()),
            Answer::Fails => Err(io::Error::other("no such name")),
            Answer::Hangs => pending().await,
        }
    }

    async fn dial(self, to: SocketAddr) -> io::Result<Memory> {
        let place = {
            let mut inner = self.0.lock().unwrap();
            let host = *inner.hosts.keys().find(|host| address(**host) == to).unwrap();
            inner.dialled.push(host);
            inner.hosts[&host].clone()
        };
        place.dial().await
    }

    /// Takes the hosts that were dialled, in order.
    fn dialled(&self) -> Vec<usize> {
        std::mem::take(&mut self.0.lock().unwrap().dialled)
    }

    fn look_ups(&self) -> usize {
        self.0.lock().unwrap().look_ups
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_address_is_used_at_the_first_dial_after_the_name_has_it() {
    let world = World::new(Answer::Hosts(&[A]));
    let client = world.client(1);
    client.connect().await.unwrap();
    sleep(10 * SECOND).await;
    // An end of the same host is followed by the same host.
    world.host(A).close_all();
    sleep(SECOND).await;
    assert_eq!(world.dialled(), [A, A]);
    sleep(10 * SECOND).await;
    world.answer(Answer::Hosts(&[B]));
    world.kill(A);
    sleep(SECOND).await;
    assert_eq!((world.dialled(), client.sessions().len()), (vec![B], 1));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_changes_only_after_its_host_has_gone_costs_one_failed_dial() {
    let world = World::new(Answer::Hosts(&[A]));
    let client = world.client(1);
    client.connect().await.unwrap();
    sleep(10 * SECOND).await;
    world.kill(A);
    sleep(60 * MILLI).await;
    assert_eq!(world.dialled(), [A, A]);
    world.answer(Answer::Hosts(&[B]));
    sleep(SECOND).await;
    assert_eq!((world.dialled(), client.sessions().len()), (vec![B], 1));
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_name_touches_no_connection_and_makes_none() {
    let world = World::new(Answer::Hosts(&[A]));
    let client = world.client(4);
    client.connect().await.unwrap();
    let sessions = client.sessions();
    assert_eq!(world.look_ups(), 4, "one for each dial");
    for answer in [Answer::Hosts(&[A]), Answer::Hosts(&[B]), Answer::Hosts(&[B, C]), Answer::Fails] {
        world.answer(answer);
        sleep(HOUR).await;
        client.connect().await.unwrap();
        client.connect_now().await.unwrap();
    }
    assert!(client.sessions() == sessions);
    assert_eq!((world.dialled(), world.look_ups()), (vec![A; 4], 4));
}

#[tokio::test(start_paused = true)]
async fn all_addresses_of_a_name_are_tried_in_turn_within_one_dial() {
    for found in [Found::Refusal, Found::Silence] {
        let world = World::new(Answer::Hosts(&[A, B, C]));
        world.host(A).put(found.clone());
        world.host(B).put(found);
        let client = world.client(1);
        let start = Instant::now();
        client.session().await.unwrap();
        assert_eq!(world.dialled(), [A, B, C]);
        assert!(start.elapsed() <= 2 * SECOND + MILLI, "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn each_dial_begins_behind_the_address_that_was_tried_last() {
    let world = World::new(Answer::Hosts(&[B, C]));
    let client = world.client(4);
    client.connect().await.unwrap();
    assert_eq!(world.dialled(), [B, C, B, C]);
    // So one that accepts and is of no use does not keep the client from the other.
    sleep(10 * SECOND).await;
    world.host(B).put(Found::Brief { sends: vec![], after: Duration::ZERO });
    world.host(B).close_all();
    sleep(HOUR).await;
    let sessions = client.sessions().len();
    let dialled = world.dialled();
    let of = |host| dialled.iter().filter(|dialled| **dialled == host).count();
    assert_eq!((sessions, world.host(C).live()), (4, 4), "{dialled:?}");
    assert_eq!(of(C), 2, "{dialled:?}");
    assert!((1..=6).contains(&of(B)), "{dialled:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_in_another_order_each_time_still_takes_turns() {
    let world = World::new(Answer::Hosts(&[B, C]));
    let client = world.client(1);
    client.connect().await.unwrap();
    for (answer, next) in [(&[B, C], C), (&[C, B], B), (&[C, B], C), (&[B, C], B)] {
        sleep(10 * SECOND).await;
        world.answer(Answer::Hosts(answer));
        assert_eq!(world.dialled().len(), 1);
        world.host(B).close_all();
        world.host(C).close_all();
        sleep(SECOND).await;
        assert_eq!(world.host(next).live(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_look_up_fails_or_hangs_the_last_addresses_stay_in_use() {
    for failure in [Answer::Fails, Answer::Hangs, Answer::Hosts(&[])] {
        let world = World::new(Answer::Hosts(&[B, C]));
        let client = world.client(1);
        client.connect().await.unwrap();
        assert_eq!(world.dialled(), [B]);
        world.answer(failure.clone());
        for next in [C, B, C, B] {
            sleep(10 * SECOND).await;
            world.host(B).close_all();
            world.host(C).close_all();
            sleep(2 * SECOND).await;
            assert_eq!((world.dialled(), client.sessions().len()), (vec![next], 1), "{failure:?}");
        }
        // Then the name has one of them again.
        world.answer(Answer::Hosts(&[B]));
        world.kill(B);
        sleep(10 * SECOND).await;
        world.host(B).put(Place::echo());
        sleep(30 * SECOND).await;
        let dialled = world.dialled();
        assert!(dialled.iter().all(|host| *host == B), "{dialled:?}");
        assert_eq!(world.host(B).live(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_was_never_found_is_a_failed_dial_that_says_so() {
    for (answer, says) in [
        (Answer::Fails, "no such name"),
        (Answer::Hosts(&[]), "svc.test:20880 resolves to no address"),
        (Answer::Hangs, "Limits::dial"),
    ] {
        let world = World::new(answer);
        let client = world.client(2);
        let error = client.session().await.unwrap_err();
        let SessionError::Unreachable { address, cause, next, .. } = &error else { panic!("{error}") };
        assert!(address == "svc.test:20880" && cause.contains(says), "{error}");
        world.answer(Answer::Hosts(&[A]));
        sleep(*next + MILLI).await;
        client.session().await.unwrap();
    }
}

#[tokio::test]
async fn a_look_up_of_ones_own_serves_sockets_too() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let good = server.local_addr().unwrap();
    tokio::spawn(server.serve(Frames, echo()));
    // A port that was free a moment ago.
    let bad = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let host = Host::resolved_by("svc.test:20880", move |_| async move { Ok(vec![bad, good]) });
    let (recorder, mut events) = support::Recorder::new();
    let client = ClientBuilder::new(Frames, recorder).tcp(host);
    support::assert_echoes(&client, &mut events).await;
    assert_eq!(within(client.session()).await.unwrap().peer(), Some(good));
}
