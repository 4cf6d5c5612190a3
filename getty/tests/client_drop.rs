//! What users give to a client is dropped where its end may use the client again, and a client may be closed from inside.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use getty::{Client, ClientBuilder, ConnInfo, EventListener, Opened, Protocol, Session};
use support::{FrameReader, FrameWriter, Place, Recorder, in_time, within};
use tokio::{runtime::Runtime, time::Instant};

#[test]
fn a_state_may_use_its_client_when_the_runtime_ends() {
    in_time(|| {
        let client = Slot::default();
        let place = Place::new(Place::echo());
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let made = ClientBuilder::new(Keeping(client.clone()), Nothing)
                .connections(2)
                .dial("the place", move || place.clone().dial());
            client.0.set(made.clone()).unwrap();
            made.connect().await.unwrap();
        });
        drop(runtime);
    });
}

#[test]
fn a_listener_may_use_its_client_when_that_is_closed_before_it_was_used() {
    in_time(|| {
        let client = Slot::default();
        let listener = Ending(client.clone());
        let place = Place::new(Place::echo());
        let made = ClientBuilder::new(Keeping(Slot::default()), listener)
            .dial("the place", move || place.clone().dial());
        client.0.set(made.clone()).unwrap();
        Runtime::new().unwrap().block_on(made.close());
    });
}

#[tokio::test(start_paused = true)]
async fn a_client_that_a_future_of_its_own_session_closes_ends_within_close_wait() {
    let place = Place::new(Place::echo());
    let (recorder, mut events) = Recorder::new();
    let client = place.client(2, recorder);
    client.connect().await.unwrap();
    let start = Instant::now();
    let (closed, told) = tokio::sync::oneshot::channel();
    let inside = client.clone();
    // The session waits for its future, and the future for the session.
    client.try_session().unwrap().run(async move { inside.close().await }, |_, ()| {
        closed.send(()).unwrap();
    });
    within(told).await.unwrap();
    assert!(start.elapsed().as_secs() <= 3, "{:?}", start.elapsed());
    let names: Vec<_> = events.drain().iter().map(|event| event.what.name()).collect();
    assert_eq!(names, ["open", "open", "close", "close"]);
}

/// A client, known to those who are made before it.
#[derive(Clone, Default)]
struct Slot(Arc<OnceLock<Client<Keeping>>>);

impl Slot {
    fn ask(&self) {
        if let Some(client) = self.0.get() {
            let _ = (client.is_worthwhile(), client.try_session(), client.sessions());
        }
    }
}

/// As [`Frames`], with a state that asks the client when it ends.
struct Keeping(Slot);

struct Ending(Slot);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.ask();
    }
}

impl Protocol for Keeping {
    type Reader = FrameReader;
    type Writer = FrameWriter;
    type State = Ending;

    fn open(&self, _: &ConnInfo) -> Opened<FrameReader, FrameWriter, Ending> {
        Opened::new(FrameReader, FrameWriter, Ending(self.0.clone()))
    }
}

impl EventListener<Keeping> for Ending {
    fn on_message(&self, _: &Session<Keeping>, _: Bytes) {}
}

struct Nothing;

impl EventListener<Keeping> for Nothing {
    fn on_message(&self, _: &Session<Keeping>, _: Bytes) {}
}
