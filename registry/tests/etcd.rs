//! The registry in etcd, against real servers: what every registry promises, what it endures, and what is etcd's alone.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod support;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use etcd_client::{Client, CompactionOptions, DeleteOptions, GetOptions, LeaseTimeToLiveOptions, Permission};
use getty_registry::{Registration, Registry, RegistryError, Url, connect};
use support::contract::contract;
use support::faults::{Hand, Scene, blocking, faults, place};
use support::proxy::{Mode, Proxy, SLOW};
use support::servers::{Kind, Server};
use support::{Place, interface, next, ports, ports_of, provider, register, subscribe, until, within};
use tokio::time::{Instant, sleep};

/// The server of the contract's tests: the environment's, else one for all of them.
static PLACE: LazyLock<Place> = LazyLock::new(|| {
    static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(Kind::Etcd));
    let address = std::env::var("GETTY_ETCD").unwrap_or_else(|_| SERVER.address().to_string());
    Place::new(format!("etcd://{address}"), "session=10s&timeout=10s")
});

contract!(PLACE);
faults!(Etcd);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_url_is_one_node_of_one_name_over_a_hundred_rounds_and_lost_sessions() {
    support::names::each_url_is_one_node_of_one_name_over_a_hundred_rounds_and_lost_sessions::<Etcd>().await;
}

struct Etcd(Client);

impl Hand for Etcd {
    const KIND: Kind = Kind::Etcd;

    async fn reach(server: &Server) -> Self {
        Self(within("a client", Client::connect([server.address().to_string()], None)).await.unwrap())
    }

    async fn names(&self, directory: &str) -> Vec<String> {
        let prefix = format!("{directory}/");
        let read = async {
            loop {
                let options = GetOptions::new().with_prefix();
                // One that fails says nothing about what is there: the server may have been back for a moment only.
                match self.0.kv_client().get(prefix.as_str(), Some(options)).await {
                    Ok(found) => return found,
                    Err(_) => sleep(Duration::from_millis(10)).await,
                }
            }
        };
        let found = within("the names of the keys", read).await;
        found.kvs().iter().map(|pair| pair.key_str().unwrap()[prefix.len()..].to_owned()).collect()
    }

    async fn put(&self, path: &str) {
        self.0.kv_client().put(path, "1234", None).await.unwrap();
    }

    async fn delete(&self, path: &str) {
        self.0.kv_client().delete(path, None).await.unwrap();
    }

    async fn delete_tree(&self, path: &str) {
        self.0.kv_client().delete(path, Some(DeleteOptions::new().with_prefix())).await.unwrap();
    }
}

impl Etcd {
    /// The lease of a key; 0 for none, or no key.
    async fn lease(&self, path: &str) -> i64 {
        let found = self.0.kv_client().get(path, None).await.unwrap();
        found.kvs().first().map_or(0, etcd_client::KeyValue::lease)
    }

    async fn put_and_delete(&self, path: &str) -> i64 {
        self.put(path).await;
        self.0.kv_client().delete(path, None).await.unwrap().header().unwrap().revision()
    }
}

fn key(interface: &str, url: &Url) -> String {
    format!("/dubbo/{interface}/providers/{}", url.encode())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_empty_and_belongs_to_a_lease_of_thirty_seconds() {
    let server = Server::start(Kind::Etcd);
    let registry = Place::new(format!("etcd3://{}", server.address()), "").connect().await;
    let interface = interface();
    let url = provider(&interface, 1);
    register(&registry, &url).await;
    let hand = Etcd::reach(&server).await;
    let found = hand.0.kv_client().get(key(&interface, &url), None).await.unwrap();
    assert_eq!(found.kvs()[0].value(), b"");
    let options = LeaseTimeToLiveOptions::new().with_keys();
    let lease = hand.0.lease_client().time_to_live(found.kvs()[0].lease(), Some(options)).await.unwrap();
    assert_eq!((lease.granted_ttl(), lease.keys().len()), (30, 1));
    within("closed", registry.close()).await;
    assert_eq!(hand.0.lease_client().leases().await.unwrap().leases().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bare_parents_and_deeper_keys_of_others_are_no_providers() {
    let server = Server::start(Kind::Etcd);
    let place = place(&server, Kind::Etcd);
    let hand = Etcd::reach(&server).await;
    let interface = interface();
    let url = provider(&interface, 1);
    for path in [
        "/dubbo".to_owned(),
        format!("/dubbo/{interface}"),
        format!("/dubbo/{interface}/providers"),
        format!("/dubbo/{interface}/providers/"),
        format!("/dubbo/{interface}/providers/a/b"),
        format!("/dubbo/{interface}/providersx/{}", url.encode()),
        format!("/dubbo/{interface}x/providers/{}", url.encode()),
    ] {
        hand.put(&path).await;
    }
    let registry = place.connect().await;
    let mut seen = subscribe(&registry, &interface);
    assert!(next(&mut seen).await.snapshot.is_empty());
    hand.put(&key(&interface, &url)).await;
    ports(&mut seen, &[1]).await;
    assert_eq!(seen.skipped(), Default::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_lease_is_followed_by_a_new_one_with_all_that_is_declared() {
    let server = Server::start(Kind::Etcd);
    let place = place(&server, Kind::Etcd);
    let scene = Scene::set(&place, &place).await;
    let hand = Etcd::reach(&server).await;
    let path = key(&scene.interface, &scene.url);
    let mut before = 0;
    for _ in 0..3 {
        until("the key is there", || async { hand.lease(&path).await != 0 }).await;
        let lease = hand.lease(&path).await;
        assert_ne!(lease, before);
        hand.0.lease_client().revoke(lease).await.unwrap();
        before = lease;
    }
    until("the key is there again", || async { ![0, before].contains(&hand.lease(&path).await) }).await;
    scene.all_is_well(&place).await;
}

/// A server that restarts keeps its leases.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_the_lease_is_taken_up_again() {
    let mut server = Server::start(Kind::Etcd);
    let place = Place::new(format!("etcd://{}", server.address()), "session=30s&timeout=1s");
    let scene = Scene::set(&place, &place).await;
    let path = key(&scene.interface, &scene.url);
    let before = Etcd::reach(&server).await.lease(&path).await;
    blocking(&mut server, Server::kill).await;
    blocking(&mut server, Server::run).await;
    scene.all_is_well(&place).await;
    assert_eq!(Etcd::reach(&server).await.lease(&path).await, before);
}

/// A server takes a client that asks for signs of life more often than every 5 s for a nuisance, and ends its connection after the
/// fourth. To see that it does not takes a while by its nature.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_with_nothing_to_do_is_not_ended_by_the_server() {
    let server = Server::start(Kind::Etcd);
    let registry =
        Place::new(format!("etcd://{}", server.address()), "session=5m&timeout=1s&audit=50s").connect().await;
    register(&registry, &provider(&interface(), 1)).await;
    let mut state = registry.state();
    let away = state.wait_for(|state| !state.is_connected());
    let ended = tokio::time::timeout(Duration::from_secs(25), away).await;
    assert!(ended.is_err(), "{ended:?}");
}

/// The lease is kept by the server, the key is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_lost_in_a_restart_comes_back_under_the_old_lease() {
    let mut server = Server::start(Kind::Etcd);
    let proxy = Proxy::to(server.address()).await;
    let cut = Place::new(format!("etcd://{}", proxy.address()), "session=30s&timeout=1s");
    let scene = Scene::set(&cut, &cut).await;
    let path = key(&scene.interface, &scene.url);
    let before = Etcd::reach(&server).await.lease(&path).await;
    proxy.set(Mode::Refuse);
    blocking(&mut server, Server::kill).await;
    blocking(&mut server, Server::run).await;
    let hand = Etcd::reach(&server).await;
    hand.delete(&path).await;
    proxy.set(Mode::Pass);
    scene.all_is_well(&place(&server, Kind::Etcd)).await;
    assert_eq!(hand.lease(&path).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_that_falls_behind_a_compaction_starts_anew() {
    let server = Server::start(Kind::Etcd);
    let proxy = Proxy::to(server.address()).await;
    let (direct, cut) = (
        place(&server, Kind::Etcd),
        Place::new(format!("etcd://{}", proxy.address()), "session=30s&timeout=1s"),
    );
    let scene = Scene::set(&direct, &cut).await;
    let hand = Etcd::reach(&server).await;
    for mode in [Mode::Refuse, Mode::Hold] {
        proxy.set(mode);
        let mut revision = 0;
        for number in 0..100 {
            revision = hand.put_and_delete(&format!("/other/{number}")).await;
        }
        let options = CompactionOptions::new().with_physical();
        hand.0.kv_client().compact(revision, Some(options)).await.unwrap();
        proxy.set(Mode::Pass);
    }
    scene.all_is_well(&direct).await;
}

/// The watch comes so late that the revision from which it is to start is gone already: the server makes it and cancels it, on a
/// stream that stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_that_the_server_cancels_is_opened_again() {
    let server = Server::start(Kind::Etcd);
    let proxy = Proxy::to(server.address()).await;
    let slow = Place::new(format!("etcd://{}", proxy.address()), "session=60s&timeout=10s&audit=50s");
    let (consumers, providers) = (slow.connect().await, place(&server, Kind::Etcd).connect().await);
    let interface = interface();
    let hand = Etcd::reach(&server).await;
    proxy.set(Mode::Slow);
    let mut seen = subscribe(&consumers, &interface);
    let compacted = async {
        loop {
            let revision = hand.put_and_delete("/other").await;
            hand.0.kv_client().compact(revision, None).await.unwrap();
        }
    };
    // A list each time that the watch behind it was canceled; the next try comes after a pause.
    let listed = async {
        assert!(next(&mut seen).await.snapshot.is_empty());
        sleep(SLOW * 5).await;
    };
    tokio::select! {
        () = listed => {}
        () = compacted => {}
    }
    proxy.set(Mode::Pass);
    let begun = Instant::now();
    register(&providers, &provider(&interface, 1)).await;
    ports(&mut seen, &[1]).await;
    register(&providers, &provider(&interface, 2)).await;
    ports(&mut seen, &[1, 2]).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "no audit came to help: {:?}", begun.elapsed());
}

/// Away for six times the lease: killed, stopped, cut off, and killed with its data wiped. All of twenty providers come back,
/// each within 5 s, and nobody's list is shorter meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn away_for_longer_than_the_lease_twenty_of_twenty_are_visible_again() {
    let mut server = Server::start(Kind::Etcd);
    let proxy = Proxy::to(server.address()).await;
    let lease = Duration::from_secs(1);
    let cut = Place::new(format!("etcd://{}", proxy.address()), "session=1s&timeout=1s");
    let interface = interface();
    let mut providers: Vec<(Arc<dyn Registry>, Registration)> = Vec::new();
    for port in 1..=20 {
        let registry = cut.connect().await;
        let registration = register(&registry, &provider(&interface, port)).await;
        providers.push((registry, registration));
    }
    let all: Vec<u16> = (1..=20).collect();
    let consumers = cut.connect().await;
    let mut seen = subscribe(&consumers, &interface);
    ports(&mut seen, &all).await;
    for fault in ["killed", "stopped", "cut off", "wiped"] {
        match fault {
            "killed" | "wiped" => blocking(&mut server, Server::kill).await,
            "stopped" => server.pause(),
            _ => proxy.set(Mode::Hold),
        }
        sleep(lease * 6).await;
        for (registry, registration) in &providers {
            assert!(!registry.state().borrow().is_connected() && !registration.is_registered(), "{fault}");
            assert!(registry.registrations().iter().all(|one| !one.is_registered()), "{fault}");
        }
        match fault {
            "stopped" => server.resume(),
            "cut off" => proxy.set(Mode::Pass),
            _ => {
                if fault == "wiped" {
                    server.wipe();
                }
                blocking(&mut server, Server::run).await;
            }
        }
        let answers = Instant::now();
        for (_, registration) in &mut providers {
            within(fault, registration.registered()).await.unwrap();
        }
        let took = answers.elapsed();
        assert!(took < Duration::from_secs(5), "{fault}: {took:?}");
        println!("{fault}: all registered again after {took:?}");
        let hand = Etcd::reach(&server).await;
        assert_eq!(hand.names(&format!("/dubbo/{interface}/providers")).await.len(), 20, "{fault}");
        // The lease had run out, so others saw the keys go. Whoever was away with them saw nothing of it, or a part of it
        // for a moment.
        until("the consumer's list is whole", || async {
            let fresh = consumers.clone();
            ports_of(&next(&mut subscribe(&fresh, &interface)).await) == all
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_is_logged_in_and_stays_so_over_a_restart() {
    let mut server = Server::start(Kind::Etcd);
    let hand = Etcd::reach(&server).await;
    let mut auth = hand.0.auth_client();
    auth.user_add("root", "root", None).await.unwrap();
    auth.role_add("root").await.unwrap();
    auth.user_grant_role("root", "root").await.unwrap();
    auth.user_add("me", "se#cret", None).await.unwrap();
    auth.role_add("dubbo").await.unwrap();
    let permission = Permission::read_write("/dubbo/").with_prefix();
    auth.role_grant_permission("dubbo", permission).await.unwrap();
    auth.user_grant_role("me", "dubbo").await.unwrap();
    auth.auth_enable().await.unwrap();

    let at = |user: &str| Place::new(format!("etcd://{user}{}", server.address()), "session=2s&timeout=2s");
    for (user, text) in [("me:wrong@", "authentication failed"), ("", "user name is empty")] {
        let error = connect(&at(user).url("")).await.unwrap_err();
        assert!(matches!(error, RegistryError::Login { .. }), "{error:?}");
        assert!(error.to_string().contains(text) && !error.to_string().contains("wrong"), "{error}");
    }
    let place = at("me:se%23cret@");
    let scene = Scene::set(&place, &place).await;
    // Tokens are forgotten by a server that restarts.
    blocking(&mut server, Server::kill).await;
    blocking(&mut server, Server::run).await;
    scene.all_is_well(&place).await;

    // Outside of what it may write, the registration says so.
    let other = place.connect_with("group=other").await;
    let registration = other.register(provider(&scene.interface, 9)).unwrap();
    let mut state = registration.watch();
    let refused = state.wait_for(|state| format!("{state:?}").contains("permission denied"));
    assert!(within("a cause", refused).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_of_several_is_enough() {
    let (server, dead) = (Server::start(Kind::Etcd), Server::prepare(Kind::Etcd));
    // Connections to it are made, and nobody answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let servers =
        [dead.address(), silent.local_addr().unwrap(), server.address()].map(|address| address.to_string());
    let at = format!("etcd://{},no.such.host.invalid:2379", servers.join(","));
    for _ in 0..4 {
        let registry = Place::new(&at, "timeout=6s").connect().await;
        let interface = interface();
        register(&registry, &provider(&interface, 1)).await;
        ports(&mut subscribe(&registry, &interface), &[1]).await;
    }
}
