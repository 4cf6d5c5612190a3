//! What callers notice of a registry that is restarted, stopped, cut off, wiped or tampered with: nothing. Providers and callers
//! are in this process and go through a proxy to a ZooKeeper or an etcd of the test's own.
#![allow(clippy::expect_used, reason = "a test that cannot go on should end")]

mod support;

use std::{sync::Arc, time::Duration};

use getty_examples::{listed, tickets::TicketsClient};
use getty_rpc::{
    Client, Cluster, Stub,
    registry::{Registry, RegistryState},
};
use support::{
    PATIENCE,
    callers::Callers,
    providers::Provider,
    proxy::{Mode, Proxy},
    registries::Providers,
    servers::{Kind, Server},
    sockets::connections_to,
    until,
};
use tokio::{
    task::block_in_place,
    time::{sleep, timeout},
};

/// The session or lease of these tests.
const SESSION: Duration = Duration::from_secs(2);

/// What befalls a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Killed and started again at once.
    Restarted,
    /// Killed, and started again when sessions and leases are over.
    Away,
    /// Stands still until sessions and leases are over.
    Stopped,
    /// No byte goes through until sessions and leases are over, and nobody says so.
    CutOff,
    /// Started again without its data.
    Wiped,
    /// Away until sessions and leases are over, and started again without its data.
    AwayAndWiped,
    /// Somebody deletes the node of one provider.
    OneDeleted,
    /// Somebody deletes the nodes of all providers.
    AllDeleted,
    /// Somebody revokes all leases. etcd's alone.
    #[cfg_attr(not(feature = "etcd"), expect(dead_code, reason = "only etcd has leases"))]
    LeasesRevoked,
}

const FAULTS: [Fault; 8] = [
    Fault::Restarted,
    Fault::Away,
    Fault::Stopped,
    Fault::CutOff,
    Fault::Wiped,
    Fault::AwayAndWiped,
    Fault::OneDeleted,
    Fault::AllDeleted,
];

/// A registry, two providers, and callers.
struct Scene {
    server: Server,
    proxy: Proxy,
    kind: Kind,
    providers: [Provider; 2],
    consumer: Arc<dyn Registry>,
    callers: Callers,
}

/// Nodes that were deleted by hand are missed only by an audit, so these come often.
async fn open(kind: Kind, address: impl std::fmt::Display) -> Arc<dyn Registry> {
    let protocol = match kind {
        Kind::ZooKeeper => "zookeeper",
        Kind::Etcd => "etcd",
    };
    let url = format!("{protocol}://{address}?session={}&timeout=1s&audit=1s", SESSION.as_millis());
    listed::open(&url).await.expect("a registry")
}

impl Scene {
    async fn set(kind: Kind) -> Self {
        let server = block_in_place(|| Server::start(kind));
        let proxy = Proxy::to(server.address()).await;
        let providers = [
            Provider::start(&open(kind, proxy.address()).await).await,
            Provider::start(&open(kind, proxy.address()).await).await,
        ];
        let consumer = open(kind, proxy.address()).await;
        let mut list = Providers::of(&consumer, TicketsClient::INFO);
        for provider in &providers {
            list.has(provider.port).await;
        }
        // Without retries: nothing covers up what goes wrong.
        let builder = Client::builder().timeout(PATIENCE).cluster(Cluster::Failfast);
        let client = builder.registry_with(Arc::clone(&consumer));
        let callers = Callers::start(&client, 10);
        let scene = Self { server, proxy, kind, providers, consumer, callers };
        for provider in &scene.providers {
            scene.callers.reach(provider.port, 10).await;
        }
        scene
    }

    /// Lets it happen, and ends it.
    async fn befall(&mut self, fault: Fault) {
        match fault {
            Fault::Restarted | Fault::Wiped | Fault::Away | Fault::AwayAndWiped => {
                block_in_place(|| self.server.kill());
            }
            Fault::Stopped => self.server.pause(),
            Fault::CutOff => self.proxy.set(Mode::Hold),
            Fault::OneDeleted => return self.delete(&self.providers[..1]).await,
            Fault::AllDeleted => return self.delete(&self.providers).await,
            Fault::LeasesRevoked => return self.revoke_leases(),
        }
        if !matches!(fault, Fault::Restarted | Fault::Wiped) {
            self.is_away().await;
            sleep(SESSION + Duration::from_secs(1)).await;
        }
        if matches!(fault, Fault::Wiped | Fault::AwayAndWiped) {
            self.server.wipe();
        }
        match fault {
            Fault::Stopped => self.server.resume(),
            Fault::CutOff => self.proxy.set(Mode::Pass),
            _ => block_in_place(|| self.server.run()),
        }
    }

    /// Everybody knows that the registry is away, and that nothing is known to be registered.
    async fn is_away(&self) {
        for registry in self.providers.iter().map(|one| &one.registry).chain([&self.consumer]) {
            let mut state = registry.state();
            let away = state.wait_for(|state| matches!(state, RegistryState::Away { .. }));
            timeout(PATIENCE, away).await.expect("it is noticed").expect("open");
        }
        for provider in &self.providers {
            let all = provider.registry.registrations();
            assert!(!all.is_empty() && all.iter().all(|one| !one.is_registered()), "{all:?}");
        }
    }

    /// By somebody who takes the nodes for his own and withdraws them.
    async fn delete(&self, providers: &[Provider]) {
        let other = open(self.kind, self.server.address()).await;
        let all = providers.iter().flat_map(|one| one.registry.registrations());
        let urls: Vec<_> = all.map(|one| one.url().clone()).collect();
        for url in &urls {
            let mut registration = other.register(url.clone()).expect("a registration");
            timeout(PATIENCE, registration.registered()).await.expect("in time").expect("registered");
        }
        let gone: Vec<_> = urls.iter().map(|url| other.unregister(url)).collect();
        for gone in gone {
            timeout(PATIENCE, gone).await.expect("in time").expect("unregistered");
        }
    }

    /// By etcd's gateway for HTTP.
    fn revoke_leases(&self) {
        let post = |path: &str, body: &str| {
            let request =
                format!("POST /v3/lease/{path} HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            block_in_place(|| self.server.ask(&request)).expect("an answer")
        };
        let all = post("leases", "{}");
        let leases = all.split("\"ID\":\"").skip(1).filter_map(|rest| rest.split('"').next());
        // One that was in use a moment ago may be given back meanwhile.
        let revoked =
            leases.filter(|lease| post("revoke", &format!("{{\"ID\":\"{lease}\"}}")).contains("200 OK"));
        assert!(revoked.count() >= 3, "two providers and a consumer have some: {all}");
    }

    /// All is as before, and the consumer still hears of changes.
    async fn all_is_well(&self) {
        let fresh = open(self.kind, self.server.address()).await;
        let mut list = Providers::of(&fresh, TicketsClient::INFO);
        for provider in &self.providers {
            list.has(provider.port).await;
        }
        let third = Provider::start(&fresh).await;
        let port = third.port;
        self.callers.reach(port, 10).await;
        third.stop().await;
        until(|| connections_to(port) == 0).await;
        for provider in &self.providers {
            self.callers.reach(provider.port, 10).await;
            // Its node may be there before it knows.
            until(|| provider.registry.registrations().iter().all(|one| one.is_registered())).await;
        }
    }
}

async fn no_call_fails_whatever_befalls(kind: Kind, faults: &[Fault]) {
    let mut scene = Scene::set(kind).await;
    for fault in faults {
        let begun = std::time::Instant::now();
        scene.befall(*fault).await;
        scene.all_is_well().await;
        let calls = std::mem::take(&mut *scene.callers.calls());
        let failed: Vec<_> = calls.iter().filter_map(|call| call.outcome.as_ref().err()).collect();
        println!("{kind:?} {fault:?}: {} calls, {:?}", calls.len(), begun.elapsed());
        assert!(
            failed.is_empty(),
            "{fault:?}: {} of {} calls failed: {:?}",
            failed.len(),
            calls.len(),
            failed[0]
        );
    }
    scene.callers.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_whatever_befalls_zookeeper() {
    no_call_fails_whatever_befalls(Kind::ZooKeeper, &FAULTS).await;
}

#[cfg(feature = "etcd")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_whatever_befalls_etcd() {
    let faults = [&FAULTS[..], &[Fault::LeasesRevoked]].concat();
    no_call_fails_whatever_befalls(Kind::Etcd, &faults).await;
}
