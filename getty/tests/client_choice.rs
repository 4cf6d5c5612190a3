//! Users who choose among a client's sessions.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::collections::BTreeSet;

use getty::{Session, on_message};
use support::{Frames, Place};

/// An attribute of those that may be used.
#[derive(Debug, PartialEq)]
struct Role(&'static str);

#[tokio::test]
async fn a_session_is_chosen_by_what_the_user_knows_of_it() {
    let place = Place::new(Place::echo());
    let client = place.client(6, on_message(|_, _| {}));
    client.connect().await.unwrap();
    let sessions = client.sessions();
    for (session, role) in sessions.iter().zip(["reads", "writes", "reads"]) {
        session.set(Role(role));
    }
    let has =
        |role| move |session: &Session<Frames>| session.get::<Role>().is_some_and(|own| *own == Role(role));
    assert_eq!(client.pick(has("writes")), Some(sessions[1].clone()));
    assert!(client.any(has("writes")) && !client.any(has("sings")));
    assert!(client.pick(has("sings")).is_none());
    // Those that fit are taken in turn.
    let readers: BTreeSet<_> = (0..12).map(|_| client.pick(has("reads")).unwrap().id()).collect();
    assert_eq!(readers, BTreeSet::from([sessions[0].id(), sessions[2].id()]));
    // One that has ended is not chosen, however well it would fit.
    sessions[1].close();
    assert!(client.pick(has("writes")).is_none() && !client.any(has("writes")));
}
