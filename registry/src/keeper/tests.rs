//! The keeper against a server that exists only in these tests, in virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::backend::{Backend, Fault, FaultKind, Life, News, Opened, Session};
use super::start;
use crate::layout::{Node, providers};
use crate::listing::Publisher;
use crate::registration::RegistrationState;
use crate::registry::{Registry, RegistryState};
use crate::settings::Settings;
use crate::target::Target;
use crate::url::Url;

/// A server, and all that a test may do to it.
#[derive(Clone)]
struct Server(Arc<Inner>);

struct Inner {
    world: Mutex<World>,
    /// Counts what a watch would tell.
    changes: watch::Sender<u64>,
    /// The last news of the session, numbered.
    news: watch::Sender<(u64, Option<&'static str>)>,
}

#[derive(Default)]
struct World {
    /// By path: the session that made it.
    nodes: BTreeMap<String, u64>,
    opened: u64,
    opens: u64,
    down: bool,
    /// Every request hangs.
    hung: bool,
    /// Writes are answered with an error, and land when the test says so.
    late: bool,
    landing: Vec<String>,
    refused: BTreeSet<String>,
    /// The next reading of a list panics.
    panics: bool,
}

impl Server {
    fn new() -> Self {
        let (changes, news) = (watch::Sender::new(0), watch::Sender::new((0, None)));
        Self(Arc::new(Inner { world: Mutex::default(), changes, news }))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.world.lock().unwrap()
    }

    fn tell(&self, news: &'static str) {
        self.0.news.send_modify(|now| *now = (now.0 + 1, Some(news)));
    }

    fn changed(&self) {
        self.0.changes.send_modify(|count| *count += 1);
    }

    async fn answer(&self) -> Result<(), Fault> {
        let hung = self.world().hung;
        let down = self.world().down;
        if hung {
            pending::<()>().await;
        }
        if down { Err(Fault::link("down")) } else { Ok(()) }
    }

    fn names(&self) -> Vec<String> {
        self.world().nodes.keys().cloned().collect()
    }

    async fn connect(&self, parameters: &str) -> Arc<dyn Registry> {
        let url = Url::parse(&format!("fake://h?{parameters}")).unwrap();
        let settings = Settings::of(&url, 1, Duration::from_secs(15)).unwrap();
        start(settings, self.clone()).await.unwrap()
    }
}

struct Fake {
    server: Server,
    id: u64,
}

struct FakeLife {
    news: watch::Receiver<(u64, Option<&'static str>)>,
}

impl Backend for Server {
    type Session = Fake;
    type Life = FakeLife;

    async fn open(&mut self) -> Result<Opened<Self>, Fault> {
        self.world().opens += 1;
        self.answer().await?;
        self.world().opened += 1;
        let id = self.world().opened;
        let mut news = self.0.news.subscribe();
        news.mark_unchanged();
        Ok(Opened { session: Arc::new(Fake { server: self.clone(), id }), life: FakeLife { news } })
    }
}

impl Session for Fake {
    async fn ensure(&self, node: &Node) -> Result<(), Fault> {
        self.server.answer().await?;
        let path = format!("{}/{}", node.directory, node.name);
        let mut world = self.server.world();
        if world.refused.contains(&path) {
            return Err(Fault::new(FaultKind::Refused, "not for you"));
        }
        if world.late {
            world.landing.push(path);
            return Err(Fault::link("no answer"));
        }
        world.nodes.insert(path, self.id);
        drop(world);
        self.server.changed();
        Ok(())
    }

    async fn remove(&self, node: &Node) -> Result<(), Fault> {
        self.server.answer().await?;
        self.server.world().nodes.remove(&format!("{}/{}", node.directory, node.name));
        self.server.changed();
        Ok(())
    }

    async fn follow(&self, interface: &str, list: &Publisher) -> Result<(), Fault> {
        let mut changes = self.server.0.changes.subscribe();
        self.server.answer().await?;
        assert!(!std::mem::take(&mut self.server.world().panics), "asked for");
        let prefix = format!("{}/", providers("dubbo", interface));
        list.publish_nodes(
            self.server.names().iter().filter_map(|path| path.strip_prefix(&prefix)).map(str::to_owned),
        );
        let _ = changes.changed().await;
        Ok(())
    }

    async fn close(self: Arc<Self>) {
        let _ = self.server.answer().await;
    }
}

impl Life for FakeLife {
    async fn news(&mut self) -> News {
        loop {
            if self.news.changed().await.is_err() {
                pending::<()>().await;
            }
            match self.news.borrow_and_update().1 {
                Some("away") => return News::Away(Fault::link("cut")),
                Some("back") => return News::Back,
                Some(text) => return News::Lost(Fault::new(FaultKind::Session, text)),
                None => {}
            }
        }
    }
}

fn url(port: u16) -> Url {
    Url::parse(&format!("dubbo://10.0.0.5:{port}/com.x.Greeter")).unwrap()
}

fn path(port: u16) -> String {
    format!("/dubbo/com.x.Greeter/providers/{}", url(port).encode())
}

#[tokio::test(start_paused = true)]
async fn tries_are_few_while_the_server_is_down() {
    let server = Server::new();
    server.world().down = true;
    let registry = server.connect("check=false").await;
    sleep(Duration::from_secs(600)).await;
    let opens = server.world().opens;
    assert!((200..=400).contains(&opens), "{opens}");
    server.world().down = false;
    let mut state = registry.state();
    let back = timeout(Duration::from_secs(3), state.wait_for(RegistryState::is_connected)).await;
    assert!(back.is_ok(), "tried again within the longest pause");
}

#[tokio::test(start_paused = true)]
async fn sessions_that_end_at_once_are_not_opened_in_a_storm() {
    let server = Server::new();
    let _registry = server.connect("").await;
    let until = Instant::now() + Duration::from_secs(600);
    while Instant::now() < until {
        sleep(Duration::from_millis(10)).await;
        server.tell("expired");
    }
    let opens = server.world().opens;
    assert!(opens <= 400, "{opens}");
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_by_hand_is_there_again_within_a_minute_without_any_event() {
    let server = Server::new();
    let registry = server.connect("").await;
    let mut registration = registry.register(url(1)).unwrap();
    registration.registered().await.unwrap();
    for _ in 0..10 {
        server.world().nodes.clear();
        sleep(Duration::from_secs(60)).await;
        assert_eq!(server.names(), [path(1)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_whose_watch_is_silent_is_read_again_within_a_minute() {
    let server = Server::new();
    let registry = server.connect("").await;
    let mut subscription = registry.subscribe(&Target::new("com.x.Greeter"));
    assert!(subscription.next().await.unwrap().snapshot.is_empty());
    for port in 1..5 {
        server.world().nodes.insert(path(port), 0);
        let update = timeout(Duration::from_secs(60), subscription.next()).await;
        assert_eq!(update.expect("within a minute").unwrap().snapshot.len(), usize::from(port));
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_session_declares_everything_again() {
    let server = Server::new();
    let registry = server.connect("").await;
    let mut registration = registry.register(url(1)).unwrap();
    registration.registered().await.unwrap();
    let mut subscription = registry.subscribe(&Target::new("com.x.Greeter"));
    assert_eq!(subscription.next().await.unwrap().snapshot.len(), 1);
    for session in 2..12 {
        server.world().nodes.clear();
        server.tell("expired");
        let mut state = registry.state();
        state.wait_for(|state| matches!(state, RegistryState::Away { .. })).await.unwrap();
        assert_eq!(registration.state(), RegistrationState::Uncertain { cause: "expired".into() });
        registration.registered().await.unwrap();
        assert_eq!(server.world().nodes.get(&path(1)), Some(&session));
    }
    server.world().nodes.insert(path(2), 0);
    server.changed();
    assert_eq!(subscription.next().await.unwrap().snapshot.len(), 2, "its list was never shorter meanwhile");
}

/// Names with what others encoded again at every pass.
#[tokio::test(start_paused = true)]
async fn an_awkward_url_is_one_node_of_one_name_over_a_hundred_sessions() {
    let server = Server::new();
    let registry = server.connect("").await;
    let awkward = "%25(a)/b+c d$e&f=g#h%2525中文🦀".repeat(100);
    let url = url(1).to_builder().parameter("awkward", awkward.as_str()).build().unwrap();
    let name = format!("/dubbo/com.x.Greeter/providers/{}", url.encode());
    for _ in 0..100 {
        let mut registration = registry.register(url.clone()).unwrap();
        registration.registered().await.unwrap();
        assert_eq!(server.names(), [name.as_str()]);
        server.world().nodes.clear();
        server.tell("expired");
        registration.watch().wait_for(|state| *state != RegistrationState::Registered).await.unwrap();
        registration.registered().await.unwrap();
        assert_eq!(server.names(), [name.as_str()]);
        registry.unregister(&url).await.unwrap();
        assert!(server.names().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_is_told_which_urls_are_registered_and_which_are_not() {
    let server = Server::new();
    server.world().refused.insert(path(2));
    let registry = server.connect("").await;
    for port in 1..=3 {
        registry.register(url(port)).unwrap();
    }
    let told = || {
        let all = registry.registrations();
        all.iter().map(|one| (one.url().port().unwrap(), one.is_registered())).collect::<Vec<_>>()
    };
    assert_eq!(told(), [(1, false), (2, false), (3, false)]);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(told(), [(1, true), (2, false), (3, true)]);
    server.world().down = true;
    server.tell("expired");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(told(), [(1, false), (2, false), (3, false)]);
    server.world().down = false;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(told(), [(1, true), (2, false), (3, true)]);
    registry.unregister(&url(1)).await.unwrap();
    assert_eq!(told(), [(2, false), (3, true)]);
    registry.close().await;
    assert!(told().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_back_is_compared_with_what_is_declared_at_once() {
    let server = Server::new();
    let registry = server.connect("").await;
    let mut registration = registry.register(url(1)).unwrap();
    registration.registered().await.unwrap();
    let mut subscription = registry.subscribe(&Target::new("com.x.Greeter"));
    subscription.next().await.unwrap();
    server.tell("away");
    registration.watch().wait_for(|state| *state != RegistrationState::Registered).await.unwrap();
    server.world().nodes.clear();
    server.world().nodes.insert(path(2), 0);
    server.tell("back");
    let begun = Instant::now();
    let both = async {
        registration.registered().await.unwrap();
        while subscription.next().await.unwrap().snapshot.len() < 2 {}
    };
    assert!(timeout(Duration::from_secs(120), both).await.is_ok());
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(server.world().opened, 1);
}

/// A write whose answer was lost arrives behind the removal.
#[tokio::test(start_paused = true)]
async fn a_late_write_does_not_bring_an_unregistered_url_back() {
    let server = Server::new();
    let registry = server.connect("").await;
    server.world().late = true;
    let registration = registry.register(url(1)).unwrap();
    registration
        .watch()
        .wait_for(|state| matches!(state, RegistrationState::Waiting { cause: Some(_) }))
        .await
        .unwrap();
    server.world().late = false;
    registry.unregister(&url(1)).await.unwrap();
    let landing = std::mem::take(&mut server.world().landing);
    server.world().nodes.extend(landing.into_iter().map(|path| (path, 1)));
    assert_eq!(server.names(), [path(1)]);
    sleep(Duration::from_secs(60)).await;
    assert!(server.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_url_that_is_refused_does_not_hold_up_the_others() {
    let server = Server::new();
    server.world().refused.insert(path(5));
    let registry = server.connect("").await;
    let refused = registry.register(url(5)).unwrap();
    for port in (1..10).filter(|port| *port != 5) {
        registry.register(url(port)).unwrap().registered().await.unwrap();
    }
    assert_eq!(refused.state(), RegistrationState::Waiting { cause: Some("not for you".into()) });
    let begun = Instant::now();
    registry.register(url(10)).unwrap().registered().await.unwrap();
    registry.unregister(&url(10)).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
    server.world().nodes.clear();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(server.names().len(), 8, "audits come all the same");
    server.world().refused.clear();
    let begun = Instant::now();
    refused.clone().registered().await.unwrap();
    assert!(begun.elapsed() <= Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_holds_up_nobody_beyond_the_time_limit() {
    let server = Server::new();
    let registry = server.connect("timeout=2s").await;
    registry.register(url(1)).unwrap().registered().await.unwrap();
    server.world().hung = true;
    let begun = Instant::now();
    let error = registry.unregister(&url(1)).await.unwrap_err().to_string();
    assert!(error.contains("2000 ms"), "{error}");
    assert_eq!(begun.elapsed(), Duration::from_secs(2));
    registry.close().await;
    assert!(begun.elapsed() <= Duration::from_secs(6), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_url_that_was_never_written_is_gone_at_once() {
    let server = Server::new();
    server.world().down = true;
    let registry = server.connect("check=false").await;
    let registration = registry.register(url(1)).unwrap();
    let begun = Instant::now();
    registry.unregister(&url(1)).await.unwrap();
    assert_eq!((begun.elapsed(), registration.state()), (Duration::ZERO, RegistrationState::Unregistered));
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_panics_is_started_again() {
    let server = Server::new();
    let registry = server.connect("").await;
    server.world().panics = true;
    let mut subscription = registry.subscribe(&Target::new("com.x.Greeter"));
    let begun = Instant::now();
    subscription.next().await.unwrap();
    assert!((1..=2).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn closing_removes_what_is_registered_and_ends_all_tasks() {
    let server = Server::new();
    let registry = server.connect("").await;
    let registration = registry.register(url(1)).unwrap();
    let mut subscription = registry.subscribe(&Target::new("com.x.Greeter"));
    registration.clone().registered().await.unwrap();
    let weak = Arc::downgrade(&server.0);
    drop(registry);
    while subscription.next().await.is_some() {}
    assert_eq!(registration.state(), RegistrationState::Unregistered);
    assert!(server.names().is_empty());
    drop(server);
    tokio::task::yield_now().await;
    assert_eq!(weak.strong_count(), 0, "somebody still holds the session");
}
