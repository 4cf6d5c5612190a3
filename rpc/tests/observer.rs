//! Observers and names of servers and clients: getty tells them of every connection.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;
#[path = "../../getty/tests/support/watcher.rs"]
mod watcher;

use std::collections::BTreeSet;

use getty_rpc::{
    Client, ClientBuilder, Server,
    getty::{EndpointKind, transport::memory},
};
use support::{PATIENCE, ProbeClient, Probing, Serving, serve, within};
use watcher::{Told, Watcher};

/// Waits until so many connections have ended, and gives all that was told.
async fn closed(watcher: &Watcher, connections: usize) -> Vec<Told> {
    within(async {
        loop {
            let told = watcher.told();
            if told.iter().filter(|told| matches!(told, Told::Closed { .. })).count() >= connections {
                return told;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

/// Asserts that so many connections have opened and closed, each once, all of this endpoint.
fn assert_lives(told: &[Told], endpoint: &str, kind: EndpointKind, connections: usize) {
    let mut open = BTreeSet::new();
    let mut opened = 0;
    for told in told {
        match told {
            Told::Opened { endpoint: of, kind: is, id, .. } => {
                assert_eq!((of.as_str(), *is), (endpoint, kind));
                assert!(open.insert(*id), "{told:?} came twice");
                opened += 1;
            }
            Told::Closed { endpoint: of, id, .. } => {
                assert_eq!(of, endpoint);
                assert!(open.remove(id), "{told:?}, which was not open");
            }
            Told::Dialled(of) | Told::DialFailed { endpoint: of, .. } => assert_eq!(of, endpoint),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((opened, open.len()), (connections, 0), "{told:?}");
}

async fn call(client: &Client) {
    assert_eq!(within(client.refer::<ProbeClient>().hello("Ada")).await.unwrap(), "hello Ada");
}

fn patient() -> ClientBuilder {
    Client::builder().timeout(PATIENCE)
}

#[tokio::test]
async fn the_observer_of_a_server_sees_each_connection_open_and_close_under_the_servers_name() {
    for name in [Some("orders"), None] {
        let (watcher, probing) = (Watcher::default(), Probing::new());
        let serving = serve(|server| {
            let server = server.service(probing.server()).observer(watcher.clone());
            match name {
                Some(name) => server.name(name),
                None => server,
            }
        })
        .await;
        let client = patient().connections(2).direct(&serving.url()).unwrap();
        within(client.connect()).await.unwrap();
        call(&client).await;
        within(client.close()).await;
        let told = closed(&watcher, 2).await;
        assert_lives(&told, name.unwrap_or("server"), EndpointKind::Server, 2);
    }
}

#[tokio::test]
async fn the_observer_of_a_client_sees_each_connection_to_every_address_under_the_clients_name() {
    let probing = Probing::new();
    let (one, another) = (
        serve(|server| server.service(probing.server())).await,
        serve(|server| server.service(probing.server())).await,
    );
    let addresses = format!("{},{}", one.url(), another.url());
    for name in [Some("shop"), None] {
        let watcher = Watcher::default();
        let builder = patient().observer(watcher.clone());
        let builder = match name {
            Some(name) => builder.name(name),
            None => builder,
        };
        let client = builder.direct(&addresses).unwrap();
        within(client.connect()).await.unwrap();
        within(client.close()).await;
        let told = closed(&watcher, 2).await;
        let name = name.unwrap_or("client");
        assert_lives(&told, name, EndpointKind::Client, 2);
        let dialled = told.iter().filter(|told| **told == Told::Dialled(name.to_owned()));
        assert_eq!(dialled.count(), 2, "{told:?}");
    }
}

#[tokio::test]
async fn the_observer_of_a_client_sees_connections_of_its_own_dial_and_of_a_registry_too() {
    let (watcher, probing) = (Watcher::default(), Probing::new());
    let (connector, listen) = memory::listen();
    let _serving = Serving::start(Server::over(listen).service(probing.server()));
    let dialled = patient().name("shop").observer(watcher.clone()).dial("memory", move || {
        let connector = connector.clone();
        async move { connector.connect().await }
    });
    call(&dialled).await;
    within(dialled.close()).await;
    assert_lives(&closed(&watcher, 1).await, "shop", EndpointKind::Client, 1);

    const REGISTRY: &str = "memory://of-the-test-of-observers";
    let server = Server::bind("127.0.0.1:0").await.unwrap().service(probing.server());
    let _serving = Serving::start(server.registry(REGISTRY).await.unwrap());
    let found = patient().name("shop").observer(watcher.clone()).registry(REGISTRY).await.unwrap();
    call(&found).await;
    within(found.close()).await;
    assert_lives(&closed(&watcher, 2).await, "shop", EndpointKind::Client, 2);
}

#[tokio::test]
async fn the_observer_of_a_client_hears_of_dials_that_fail() {
    let watcher = Watcher::default();
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = patient().name("shop").observer(watcher.clone()).direct(&gone.to_string()).unwrap();
    within(client.connect()).await.unwrap_err();
    let failed = |told: &Told| matches!(told, Told::DialFailed { endpoint, .. } if endpoint == "shop");
    assert!(watcher.told().iter().any(failed), "{watcher:?}");
}
