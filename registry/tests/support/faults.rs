//! What every registry on a server endures, whichever it is. [`faults!`] makes tests of it for a kind of server. Sessions
//! and leases last 2 s, and audits come every 30 s unless a test is about them: what is not noticed by an event is not
//! noticed in time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use getty_registry::{Registry, RegistryError, RegistryState, Target, Update, Url, connect};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::servers::{Kind, Server};
use super::{Place, interface, next, ports, ports_of, provider, register, subscribe, until, within};

/// The session or lease of these tests.
pub(crate) const SESSION: Duration = Duration::from_secs(2);

/// A hand in the server that is not the registry's.
pub(crate) trait Hand: Sized {
    const KIND: Kind;

    async fn reach(server: &Server) -> Self;
    /// The names of the nodes in a directory.
    async fn names(&self, directory: &str) -> Vec<String>;
    async fn put(&self, path: &str);
    async fn delete(&self, path: &str);
    /// Deletes all that is below a path, and what is at it.
    async fn delete_tree(&self, path: &str);
}

/// Makes a test of every fault. The type is a [`Hand`].
macro_rules! faults {
    ($hand:ty) => {
        faults!($hand;
            restarted_within_the_session_all_is_there_again,
            restarted_beyond_the_session_all_is_there_again,
            stopped_for_twice_the_session_all_is_there_again,
            wiped_all_is_there_again_and_the_last_list_stays_in_use,
            refused_at_start_it_is_an_error_within_the_time_limit,
            refused_at_start_it_is_waited_for_without_check,
            a_node_deleted_by_hand_comes_back_and_after_an_unregistration_does_not,
            a_tree_deleted_by_hand_comes_back,
            entries_that_are_no_url_are_skipped_and_counted,
            a_url_is_unregistered_although_the_server_is_away,
            a_url_registered_while_the_server_is_away_is_there_later,
            closing_while_the_server_is_away_ends_in_time,
            no_call_waits_longer_than_its_limit_while_the_server_is_stopped,
            a_service_that_was_gone_and_comes_back_elsewhere_is_found_at_once,
            the_password_is_never_shown,
        );
    };
    ($hand:ty; $($fault:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $fault() {
                support::faults::$fault::<$hand>().await;
            }
        )*
    };
}
pub(crate) use faults;

/// The place of a server.
pub(crate) fn place(server: &Server, kind: Kind) -> Place {
    let protocol = match kind {
        Kind::ZooKeeper => "zookeeper",
        Kind::Etcd => "etcd",
    };
    Place::new(format!("{protocol}://{}", server.address()), "session=2s&timeout=1s")
}

/// A provider, a consumer, and all that the consumer was given.
pub(crate) struct Scene {
    pub(crate) interface: String,
    pub(crate) url: Url,
    pub(crate) providers: Arc<dyn Registry>,
    pub(crate) consumers: Arc<dyn Registry>,
    seen: Arc<Mutex<Vec<Update>>>,
    follower: JoinHandle<()>,
}

impl Scene {
    /// One provider at port 1, seen by the consumer.
    pub(crate) async fn set(providers: &Place, consumers: &Place) -> Self {
        let (providers, consumers) = (providers.connect().await, consumers.connect().await);
        let interface = interface();
        let url = provider(&interface, 1);
        register(&providers, &url).await;
        let mut subscription = subscribe(&consumers, &interface);
        ports(&mut subscription, &[1]).await;
        let seen: Arc<Mutex<Vec<Update>>> = Arc::default();
        let record = Arc::clone(&seen);
        let follower = tokio::spawn(async move {
            while let Some(update) = subscription.next().await {
                record.lock().unwrap().push(update);
            }
        });
        Self { interface, url, providers, consumers, seen, follower }
    }

    /// Both sides know that the server is away.
    pub(crate) async fn both_away(&self) {
        for registry in [&self.providers, &self.consumers] {
            let mut state = registry.state();
            within("away", state.wait_for(|state| matches!(state, RegistryState::Away { .. })))
                .await
                .unwrap();
        }
    }

    /// All is as before the fault: the provider is in the registry for others, the consumer hears of new ones, and it was
    /// never without the old one. Gives the time that took.
    pub(crate) async fn all_is_well(&self, place: &Place) -> Duration {
        let begun = Instant::now();
        let mut registration = self.providers.register(self.url.clone()).unwrap();
        within("registered again", registration.registered()).await.unwrap();
        let registered = begun.elapsed();

        let other = place.connect().await;
        register(&other, &provider(&self.interface, 2)).await;
        let mut fresh = subscribe(&other, &self.interface);
        ports(&mut fresh, &[1, 2]).await;
        let seen = &self.seen;
        until("the consumer hears of the new provider", || async {
            seen.lock().unwrap().last().is_some_and(|update| ports_of(update) == [1, 2])
        })
        .await;
        self.never_without();
        within("closed", other.close()).await;
        registered
    }

    /// The consumer's list always had the provider.
    pub(crate) fn never_without(&self) {
        let seen = self.seen.lock().unwrap();
        assert!(seen.iter().all(|update| ports_of(update).contains(&1)), "{seen:?}");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

/// Runs something that blocks.
pub(crate) async fn blocking(server: &mut Server, work: impl FnOnce(&mut Server)) {
    tokio::task::block_in_place(|| work(server));
}

pub(crate) async fn restarted_within_the_session_all_is_there_again<H: Hand>() {
    let mut server = Server::start(H::KIND);
    let place = place(&server, H::KIND);
    let scene = Scene::set(&place, &place).await;
    for _ in 0..2 {
        blocking(&mut server, Server::kill).await;
        blocking(&mut server, Server::run).await;
    }
    scene.all_is_well(&place).await;
}

pub(crate) async fn restarted_beyond_the_session_all_is_there_again<H: Hand>() {
    let mut server = Server::start(H::KIND);
    let place = place(&server, H::KIND);
    let scene = Scene::set(&place, &place).await;
    blocking(&mut server, Server::kill).await;
    scene.both_away().await;
    sleep(SESSION * 2).await;
    blocking(&mut server, Server::run).await;
    scene.all_is_well(&place).await;
}

pub(crate) async fn stopped_for_twice_the_session_all_is_there_again<H: Hand>() {
    let server = Server::start(H::KIND);
    let place = place(&server, H::KIND);
    let scene = Scene::set(&place, &place).await;
    server.pause();
    scene.both_away().await;
    sleep(SESSION * 2).await;
    server.resume();
    scene.all_is_well(&place).await;
}

pub(crate) async fn wiped_all_is_there_again_and_the_last_list_stays_in_use<H: Hand>() {
    let mut server = Server::start(H::KIND);
    let place = place(&server, H::KIND);
    let scene = Scene::set(&place, &place).await;
    blocking(&mut server, Server::kill).await;
    server.wipe();
    blocking(&mut server, Server::run).await;
    scene.all_is_well(&place).await;
}

pub(crate) async fn refused_at_start_it_is_an_error_within_the_time_limit<H: Hand>() {
    let server = Server::prepare(H::KIND);
    let begun = Instant::now();
    let error = connect(&place(&server, H::KIND).url("")).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(matches!(error, RegistryError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&server.address().to_string()), "{error}");
}

pub(crate) async fn refused_at_start_it_is_waited_for_without_check<H: Hand>() {
    let mut server = Server::prepare(H::KIND);
    let place = place(&server, H::KIND);
    let registry = place.connect_with("check=false").await;
    let interface = interface();
    let mut registration = registry.register(provider(&interface, 1)).unwrap();
    let mut subscription = subscribe(&registry, &interface);
    let mut state = registry.state();
    let tried = |state: &RegistryState| matches!(state, RegistryState::NotYet { cause: Some(_) });
    within("a first try", state.wait_for(tried)).await.unwrap();
    assert!(!registration.is_registered() && subscription.current().is_none());
    blocking(&mut server, Server::run).await;
    within("registered", registration.registered()).await.unwrap();
    ports(&mut subscription, &[1]).await;
    assert!(registry.state().borrow().is_connected());
}

fn directory(interface: &str) -> String {
    format!("/dubbo/{interface}/providers")
}

pub(crate) async fn a_node_deleted_by_hand_comes_back_and_after_an_unregistration_does_not<H: Hand>() {
    let server = Server::start(H::KIND);
    let mut place = place(&server, H::KIND);
    place.parameters.push_str("&audit=300ms");
    let scene = Scene::set(&place, &place).await;
    let hand = H::reach(&server).await;
    let path = format!("{}/{}", directory(&scene.interface), scene.url.encode());
    for _ in 0..3 {
        hand.delete(&path).await;
        until("the node is there again", || async {
            hand.names(&directory(&scene.interface)).await == [scene.url.encode()]
        })
        .await;
    }
    scene.never_without();
    // Deleted by hand and unregistered at the same time: the wish counts.
    let other = provider(&scene.interface, 3);
    register(&scene.providers, &other).await;
    hand.delete(&path).await;
    within("unregistered", scene.providers.unregister(&scene.url)).await.unwrap();
    sleep(Duration::from_secs(2)).await;
    assert_eq!(hand.names(&directory(&scene.interface)).await, [other.encode()]);
}

pub(crate) async fn a_tree_deleted_by_hand_comes_back<H: Hand>() {
    let server = Server::start(H::KIND);
    let mut place = place(&server, H::KIND);
    place.parameters.push_str("&audit=300ms");
    let scene = Scene::set(&place, &place).await;
    let hand = H::reach(&server).await;
    hand.delete_tree("/dubbo").await;
    until("the node is there again", || async {
        hand.names(&directory(&scene.interface)).await == [scene.url.encode()]
    })
    .await;
    scene.all_is_well(&place).await;
}

pub(crate) async fn entries_that_are_no_url_are_skipped_and_counted<H: Hand>() {
    let server = Server::start(H::KIND);
    let place = place(&server, H::KIND);
    let scene = Scene::set(&place, &place).await;
    let hand = H::reach(&server).await;
    for name in ["127.0.0.1", "dubbo%253A%252F%252Fh%253A1%252Fx", "%zz", "中"] {
        hand.put(&format!("{}/{name}", directory(&scene.interface))).await;
    }
    within("all entries are looked at", async {
        loop {
            let mut subscription = subscribe(&scene.consumers, &scene.interface);
            assert_eq!(ports_of(&next(&mut subscription).await), [1]);
            if subscription.skipped().unreadable == 4 {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    scene.never_without();
}

pub(crate) async fn a_url_is_unregistered_although_the_server_is_away<H: Hand>() {
    let mut server = Server::start(H::KIND);
    let place = place(&server, H::KIND);
    let scene = Scene::set(&place, &place).await;
    let kept = provider(&scene.interface, 2);
    let mut registration = register(&scene.providers, &kept).await;
    blocking(&mut server, Server::kill).await;
    scene.both_away().await;
    let error = within("an answer", scene.providers.unregister(&scene.url)).await.unwrap_err();
    assert!(error.to_string().contains("1000 ms"), "{error}");
    blocking(&mut server, Server::run).await;
    within("registered", registration.registered()).await.unwrap();
    let hand = H::reach(&server).await;
    until("the withdrawn node is gone", || async {
        hand.names(&directory(&scene.interface)).await == [kept.encode()]
    })
    .await;
    sleep(SESSION).await;
    assert_eq!(hand.names(&directory(&scene.interface)).await, [kept.encode()]);
}

pub(crate) async fn a_url_registered_while_the_server_is_away_is_there_later<H: Hand>() {
    let mut server = Server::start(H::KIND);
    let place = place(&server, H::KIND);
    let scene = Scene::set(&place, &place).await;
    blocking(&mut server, Server::kill).await;
    scene.both_away().await;
    let mut registration = scene.providers.register(provider(&scene.interface, 3)).unwrap();
    let mut subscription = scene.consumers.subscribe(&Target::new(&scene.interface));
    assert_eq!(
        ports_of(&next(&mut subscription).await),
        [1],
        "the last list is given to those who come late"
    );
    blocking(&mut server, Server::run).await;
    within("registered", registration.registered()).await.unwrap();
    ports(&mut subscription, &[1, 3]).await;
}

pub(crate) async fn closing_while_the_server_is_away_ends_in_time<H: Hand>() {
    let server = Server::start(H::KIND);
    let place = place(&server, H::KIND);
    let scene = Scene::set(&place, &place).await;
    server.pause();
    scene.both_away().await;
    for registry in [&scene.providers, &scene.consumers] {
        let begun = Instant::now();
        within("closed", registry.close()).await;
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    }
    server.resume();
    let hand = H::reach(&server).await;
    until("the node is gone", || async { hand.names(&directory(&scene.interface)).await.is_empty() }).await;
}

pub(crate) async fn no_call_waits_longer_than_its_limit_while_the_server_is_stopped<H: Hand>() {
    let server = Server::start(H::KIND);
    let place = place(&server, H::KIND);
    let scene = Scene::set(&place, &place).await;
    server.pause();
    for _ in 0..3 {
        let begun = Instant::now();
        let _ = within("an answer", scene.providers.unregister(&scene.url)).await;
        let _ = scene.providers.register(scene.url.clone()).unwrap();
        let _ = scene.providers.subscribe(&Target::new("com.x.Other"));
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    }
    let begun = Instant::now();
    connect(&place.url("")).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    server.resume();
    scene.all_is_well(&place).await;
}

/// A leaves and the list is empty; then B comes. Then B is killed with its node still there, and C comes.
pub(crate) async fn a_service_that_was_gone_and_comes_back_elsewhere_is_found_at_once<H: Hand>() {
    let server = Server::start(H::KIND);
    let place = place(&server, H::KIND);
    let (a, b, consumers) = (place.connect().await, place.connect().await, place.connect().await);
    let interface = interface();
    register(&a, &provider(&interface, 1)).await;
    let mut seen = subscribe(&consumers, &interface);
    ports(&mut seen, &[1]).await;

    within("closed", a.close()).await;
    let update = next(&mut seen).await;
    assert_eq!((ports_of(&update), update.stale), (vec![1], true));
    register(&b, &provider(&interface, 2)).await;
    let update = next(&mut seen).await;
    assert_eq!((ports_of(&update), update.removed.len(), update.stale), (vec![2], 1, false));

    // The same address again, registered by a new process before the old node is gone.
    let c = place.connect().await;
    register(
        &c,
        &provider(&interface, 2).to_builder().parameter("timestamp", "4000000000000").build().unwrap(),
    )
    .await;
    let update = next(&mut seen).await;
    assert_eq!(ports_of(&update), [2]);
    assert_eq!(update.snapshot[0].parameter("timestamp"), Some("4000000000000"));
    within("closed", b.close()).await;
    let quiet = tokio::time::timeout(Duration::from_millis(500), seen.next()).await;
    assert!(quiet.is_err(), "the former entry of the address was not in use: {quiet:?}");
}

pub(crate) async fn the_password_is_never_shown<H: Hand>() {
    let server = Server::prepare(H::KIND);
    let place = place(&server, H::KIND);
    let at = place.at.replace("://", "://someone:se%23cret@");
    let place = Place { at, ..place };
    let error = connect(&place.url("")).await.unwrap_err();
    let registry = place.connect_with("check=false").await;
    let mut state = registry.state();
    let tried = |state: &RegistryState| matches!(state, RegistryState::NotYet { cause: Some(_) });
    let state = format!("{:?}", *within("a first try", state.wait_for(tried)).await.unwrap());
    for text in [error.to_string(), format!("{error:?}"), format!("{registry:?}"), state] {
        assert!(!text.contains("cret"), "{text}");
    }
}
