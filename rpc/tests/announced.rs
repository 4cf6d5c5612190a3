//! A server that stops tells its callers, whether or not its registry answers.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{future::pending, sync::Arc, time::Duration};

use getty_rpc::{
    protocol::Status,
    registry::{
        Publisher, RegisterError, Registration, RegistrationState, Registry, RegistryState, Subscription,
        Target, UnregisterError, Url, Wait,
    },
};
use support::{Peer, Probing, Request, serve, within};
use tokio::sync::watch;

/// A registry that never confirms that a URL is gone, and tells when it was asked to forget one.
#[derive(Debug)]
struct Sluggish {
    asked: watch::Sender<bool>,
    state: watch::Sender<RegistryState>,
}

impl Sluggish {
    fn new() -> Arc<Self> {
        let state = watch::Sender::new(RegistryState::Connected);
        Arc::new(Self { asked: watch::Sender::new(false), state })
    }

    async fn asked(&self) {
        let mut asked = self.asked.subscribe();
        within(asked.wait_for(|asked| *asked)).await.unwrap();
    }
}

impl Registry for Sluggish {
    fn register(&self, url: Url) -> Result<Registration, RegisterError> {
        let (state, registration) = Registration::channel(url);
        state.send_replace(RegistrationState::Registered);
        Ok(registration)
    }

    fn unregister(&self, _: &Url) -> Wait<Result<(), UnregisterError>> {
        self.asked.send_replace(true);
        Box::pin(pending())
    }

    fn registrations(&self) -> Vec<Registration> {
        Vec::new()
    }

    fn subscribe(&self, target: &Target) -> Subscription {
        Publisher::new().subscribe(target.clone(), Duration::ZERO)
    }

    fn state(&self) -> watch::Receiver<RegistryState> {
        self.state.subscribe()
    }

    fn close(&self) -> Wait<()> {
        Box::pin(std::future::ready(()))
    }
}

#[tokio::test]
async fn callers_hear_of_the_end_at_once_however_slow_the_registry_is() {
    let (probing, registry) = (Probing::new(), Sluggish::new());
    let mut serving =
        serve(|server| server.service(probing.server()).registry_with(Arc::clone(&registry) as _)).await;
    let mut peer = Peer::connect(serving.address()).await;
    let (_, before) = peer.ask(1, &Request::hello("a").call(1)).await;
    assert!(!contains(&before, b"closing"));
    serving.stop();
    assert_eq!(peer.next().await.unwrap().1, &b"\x01R"[..], "the read-only event");
    assert_eq!(peer.next().await.unwrap().1, &b"N"[..], "a heartbeat");
    let (status, late) = peer.ask(2, &Request::hello("late").call(2)).await;
    assert!(status == Status::OK && contains(&late, b"closing"));

    registry.asked().await;
    // It gives no answer, and late calls are served.
    let (status, _) = peer.ask(3, &Request::hello("late").call(3)).await;
    assert_eq!(status, Status::OK);
}

fn contains(body: &[u8], name: &[u8]) -> bool {
    body.windows(name.len()).any(|window| window == name)
}
