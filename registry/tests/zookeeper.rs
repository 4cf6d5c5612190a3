//! The registry in ZooKeeper, against real servers: what every registry promises, what it endures, and what is ZooKeeper's
//! alone.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod support;

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use getty_registry::{RegistrationState, RegistryState};
use support::contract::contract;
use support::faults::{Hand, Scene, faults, place};
use support::proxy::{Mode, Proxy};
use support::servers::{Kind, Server};
use support::{Place, interface, next, ports, ports_of, provider, register, subscribe, until, within};
use tokio::time::{Instant, sleep};
use zookeeper_client::{Acls, Client, CreateMode, Error};

/// The server of the contract's tests: the environment's, else one for all of them.
static PLACE: LazyLock<Place> = LazyLock::new(|| {
    static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(Kind::ZooKeeper));
    let address = std::env::var("GETTY_ZOOKEEPER").unwrap_or_else(|_| SERVER.address().to_string());
    Place::new(format!("zookeeper://{address}"), "session=4s&timeout=10s")
});

contract!(PLACE);
faults!(ZooKeeper);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_url_is_one_node_of_one_name_over_a_hundred_rounds_and_lost_sessions() {
    support::names::each_url_is_one_node_of_one_name_over_a_hundred_rounds_and_lost_sessions::<ZooKeeper>()
        .await;
}

struct ZooKeeper(Client);

impl Hand for ZooKeeper {
    const KIND: Kind = Kind::ZooKeeper;

    async fn reach(server: &Server) -> Self {
        Self(within("a session", Client::connect(&server.address().to_string())).await.unwrap())
    }

    async fn names(&self, directory: &str) -> Vec<String> {
        loop {
            match self.0.list_children(directory).await {
                Ok(mut names) => {
                    names.sort();
                    return names;
                }
                Err(Error::NoNode) => return Vec::new(),
                // A busy machine; the client connects again.
                Err(Error::ConnectionLoss) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn put(&self, path: &str) {
        self.0
            .create(path, b"127.0.0.1", &CreateMode::Persistent.with_acls(Acls::anyone_all()))
            .await
            .unwrap();
    }

    async fn delete(&self, path: &str) {
        match self.0.delete(path, None).await {
            Ok(()) | Err(Error::NoNode) => {}
            Err(error) => panic!("{error}"),
        }
    }

    async fn delete_tree(&self, path: &str) {
        loop {
            for name in self.0.list_children(path).await.unwrap_or_default() {
                Box::pin(self.delete_tree(&format!("{path}/{name}"))).await;
            }
            match self.0.delete(path, None).await {
                // A child came back meanwhile.
                Err(Error::NotEmpty) => {}
                _ => return,
            }
        }
    }
}

impl ZooKeeper {
    async fn owner(&self, path: &str) -> i64 {
        self.0.check_stat(path).await.unwrap().map_or(0, |stat| stat.ephemeral_owner)
    }
}

fn through(proxy: SocketAddr) -> Place {
    Place::new(format!("zookeeper://{proxy}"), "session=2s&timeout=1s")
}

fn path(scene: &Scene) -> String {
    format!("/dubbo/{}/providers/{}", scene.interface, scene.url.encode())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_ephemeral_and_its_parents_are_not() {
    let server = Server::start(Kind::ZooKeeper);
    let place = place(&server, Kind::ZooKeeper);
    let scene = Scene::set(&place, &place).await;
    let hand = ZooKeeper::reach(&server).await;
    assert_ne!(hand.owner(&path(&scene)).await, 0);
    for parent in ["/dubbo".to_owned(), format!("/dubbo/{}", scene.interface)] {
        assert_eq!(hand.owner(&parent).await, 0, "{parent}");
    }
    let (data, _) = hand.0.get_data(&path(&scene)).await.unwrap();
    assert!(data.is_empty());
}

/// The server ends the session while the client cannot reach it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_session_is_followed_by_a_new_one_with_all_that_is_declared() {
    let server = Server::start(Kind::ZooKeeper);
    let proxy = Proxy::to(server.address()).await;
    let (direct, cut) = (place(&server, Kind::ZooKeeper), through(proxy.address()));
    let scene = Scene::set(&cut, &cut).await;
    let hand = ZooKeeper::reach(&server).await;
    let before = hand.owner(&path(&scene)).await;
    proxy.set(Mode::Hold);
    until("the server ends the session", || async { hand.owner(&path(&scene)).await == 0 }).await;
    proxy.set(Mode::Pass);
    scene.all_is_well(&direct).await;
    let after = hand.owner(&path(&scene)).await;
    assert!(after != 0 && after != before, "{before:x} {after:x}");
}

/// The client comes back in a new session while its old one still holds the node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_an_old_session_is_replaced_without_a_consumer_seeing_it_vanish() {
    let server = Server::start(Kind::ZooKeeper);
    let place =
        Place::new(format!("zookeeper://{}", server.address()), "session=2s&timeout=1s&empty-grace=0");
    let (providers, consumers) = (place.connect().await, place.connect().await);
    let interface = interface();
    let directory = format!("/dubbo/{interface}/providers");
    let (persistent, ephemeral) = (
        CreateMode::Persistent.with_acls(Acls::anyone_all()),
        CreateMode::Ephemeral.with_acls(Acls::anyone_all()),
    );
    let hand = ZooKeeper::reach(&server).await;
    hand.0.mkdir(&directory, &persistent).await.unwrap();
    let mut seen = subscribe(&consumers, &interface);
    assert!(next(&mut seen).await.snapshot.is_empty());
    let mut all = Vec::new();
    for port in 1..=20 {
        // An old session that nobody uses any more, as a killed process leaves it.
        let old = Client::connector().with_session_timeout(Duration::from_secs(2)).with_detached();
        let old = old.connect(&server.address().to_string()).await.unwrap();
        let url = provider(&interface, port);
        let node = format!("{directory}/{}", url.encode());
        old.create(&node, b"", &ephemeral).await.unwrap();
        let id = old.session_id().0;
        drop(old);
        all.push(port);
        ports(&mut seen, &all).await;
        let registered = register(&providers, &url);
        tokio::select! {
            _ = registered => {}
            update = seen.next() => panic!("port {port}: {update:?}"),
        }
        assert_ne!(hand.owner(&node).await, id);
    }
    let quiet = tokio::time::timeout(Duration::from_secs(4), seen.next()).await;
    assert!(quiet.is_err(), "beyond the end of the old sessions: {quiet:?}");
    assert_eq!(hand.names(&directory).await.len(), 20);
}

/// The client crate alone would sleep longer and longer between its tries.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_away_for_a_part_of_the_session_is_used_as_soon_as_it_is_back() {
    let server = Server::start(Kind::ZooKeeper);
    let proxy = Proxy::to(server.address()).await;
    let place = Place::new(format!("zookeeper://{}", proxy.address()), "session=30s&timeout=2s");
    let registry = place.connect().await;
    let mut registration = register(&registry, &provider(&interface(), 1)).await;
    proxy.set(Mode::Refuse);
    let mut state = registration.watch();
    within("away", state.wait_for(|state| *state != RegistrationState::Registered)).await.unwrap();
    sleep(Duration::from_secs(7)).await;
    proxy.set(Mode::Pass);
    let begun = Instant::now();
    within("back", registration.registered()).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_break_nothing_is_missed_that_happened_meanwhile() {
    let server = Server::start(Kind::ZooKeeper);
    let proxy = Proxy::to(server.address()).await;
    let (direct, cut) = (place(&server, Kind::ZooKeeper), through(proxy.address()));
    let (consumers, providers) = (cut.connect().await, direct.connect().await);
    let interface = interface();
    register(&providers, &provider(&interface, 1)).await;
    let mut seen = subscribe(&consumers, &interface);
    ports(&mut seen, &[1]).await;
    for port in 2..6 {
        proxy.set(Mode::Refuse);
        let mut state = consumers.state();
        within("away", state.wait_for(|state| !state.is_connected())).await.unwrap();
        register(&providers, &provider(&interface, port)).await;
        proxy.set(Mode::Pass);
        ports(&mut seen, &(1..=port).collect::<Vec<_>>()).await;
    }
}

/// More than 128 KiB of watched paths would make every reconnect of the client crate fail until the session is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_subscriptions_survive_a_reconnect_in_the_same_session() {
    let server = Server::start(Kind::ZooKeeper);
    let proxy = Proxy::to(server.address()).await;
    let cut = Place::new(format!("zookeeper://{}", proxy.address()), "session=4s&timeout=10s");
    let scene = Scene::set(&cut, &cut).await;
    let consumers = &scene.providers;
    let prefix = format!("com.x.{}", "long".repeat(20));
    let mut all = Vec::new();
    for number in 0..2_000 {
        all.push(subscribe(consumers, &format!("{prefix}{number}")));
    }
    for subscription in &mut all {
        next(subscription).await;
    }
    let hand = ZooKeeper::reach(&server).await;
    // A slow machine may need longer than the second session waits; every time it cannot be.
    let mut kept = false;
    for _ in 0..5 {
        let before = hand.owner(&path(&scene)).await;
        proxy.set(Mode::Refuse);
        let mut state = consumers.state();
        within("away", state.wait_for(|state| !state.is_connected())).await.unwrap();
        proxy.set(Mode::Pass);
        within("back", state.wait_for(RegistryState::is_connected)).await.unwrap();
        within("registered", consumers.register(scene.url.clone()).unwrap().registered()).await.unwrap();
        // One whose watches could not be set again is cut off at once, and again, until its session is over.
        let cut_off =
            tokio::time::timeout(Duration::from_secs(5), state.wait_for(|state| !state.is_connected())).await;
        kept = cut_off.is_err() && hand.owner(&path(&scene)).await == before;
        if kept {
            break;
        }
    }
    assert!(kept, "no reconnect kept its session");
    let providers = place(&server, Kind::ZooKeeper).connect().await;
    for number in [0, 1_000, 1_999] {
        register(&providers, &provider(&format!("{prefix}{number}"), 1)).await;
        ports(&mut all[number], &[1]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_or_dropped_registry_leaves_no_session_on_the_server() {
    let server = Server::start(Kind::ZooKeeper);
    let place = Place::new(format!("zookeeper://{}", server.address()), "session=4s&timeout=2s");
    let sessions = || {
        let dump = tokio::task::block_in_place(|| server.ask("dump")).unwrap();
        let ephemerals =
            dump.split("Sessions with Ephemerals").nth(1).unwrap_or_default().matches("0x").count();
        (dump.matches("0x").count(), ephemerals)
    };
    let before = sessions();
    let (closed, dropped) = (place.connect().await, place.connect().await);
    register(&closed, &provider(&interface(), 1)).await;
    register(&dropped, &provider(&interface(), 1)).await;
    assert_ne!(sessions(), before);
    within("closed", closed.close()).await;
    drop(dropped);
    until("all sessions are gone", || async { sessions() == before }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_made_with_a_user_are_that_users_alone() {
    let server = Server::start(Kind::ZooKeeper);
    let user = Place::new(format!("zookeeper://me:se%23cret@{}", server.address()), "session=2s&timeout=1s");
    let registry = user.connect().await;
    let interface = interface();
    register(&registry, &provider(&interface, 1)).await;
    assert_eq!(ports_of(&next(&mut subscribe(&user.connect().await, &interface)).await), [1]);
    let hand = ZooKeeper::reach(&server).await;
    let refused = hand.0.list_children(&format!("/dubbo/{interface}/providers")).await;
    assert_eq!(refused, Err(Error::NoAuth));
    hand.0.auth("digest", b"me:se#cret").await.unwrap();
    assert_eq!(hand.names(&format!("/dubbo/{interface}/providers")).await.len(), 1);
    // Another user is told so in the state of his registration, and goes on trying.
    let other = Place::new(format!("zookeeper://you:x@{}", server.address()), "session=2s&timeout=1s")
        .connect()
        .await;
    let registration = other.register(provider(&interface, 2)).unwrap();
    let mut state = registration.watch();
    let refused =
        within("a cause", state.wait_for(|state| format!("{state:?}").contains("not authorized"))).await;
    assert!(refused.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_of_several_is_enough() {
    let (server, dead) = (Server::start(Kind::ZooKeeper), Server::prepare(Kind::ZooKeeper));
    // Connections to it are made, and nobody answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let servers =
        [dead.address(), silent.local_addr().unwrap(), server.address()].map(|address| address.to_string());
    let at = format!("zookeeper://{},no.such.host.invalid:2181", servers.join(","));
    for _ in 0..8 {
        let registry = Place::new(&at, "session=4s&timeout=6s").connect().await;
        let interface = interface();
        register(&registry, &provider(&interface, 1)).await;
        ports(&mut subscribe(&registry, &interface), &[1]).await;
    }
}
