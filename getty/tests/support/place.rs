//! A place in memory that clients dial: what is found there can change, and every dial is counted.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use getty::{
    Client, ClientBuilder, EventListener, Limits, Session, accept,
    transport::{Io, memory::Memory},
};
use tokio::{
    io::{AsyncWriteExt, DuplexStream, duplex},
    time::{Instant, sleep},
};

use super::Frames;

#[derive(Clone)]
pub(crate) struct Place(Arc<Mutex<State>>);

struct State {
    found: Found,
    dials: Vec<Instant>,
    sessions: Vec<Session<Frames>>,
}

/// What a dial finds.
#[derive(Clone)]
pub(crate) enum Found {
    /// Nobody listens.
    Refusal,
    /// No answer at all.
    Silence,
    /// A server with this listener.
    Server(Arc<dyn EventListener<Frames>>),
    /// Somebody who accepts, sends this, and closes after a time.
    Brief { sends: Vec<u8>, after: Duration },
}

impl Place {
    pub(crate) fn new(found: Found) -> Self {
        Self(Arc::new(Mutex::new(State { found, dials: Vec::new(), sessions: Vec::new() })))
    }

    /// A server that answers with what it gets.
    pub(crate) fn echo() -> Found {
        Found::Server(Arc::new(getty::on_message(|session: &Session<Frames>, packet| {
            let _ = session.write(packet);
        })))
    }

    /// From now on dials find something else. The sessions there are stay.
    pub(crate) fn put(&self, found: Found) {
        self.0.lock().unwrap().found = found;
    }

    /// Closes the sessions that servers have here, and gives their number.
    pub(crate) fn close_all(&self) -> usize {
        let sessions = std::mem::take(&mut self.0.lock().unwrap().sessions);
        let open = sessions.iter().filter(|session| session.is_open()).count();
        sessions.iter().for_each(Session::close);
        open
    }

    /// Sessions that servers have here.
    pub(crate) fn live(&self) -> usize {
        self.0.lock().unwrap().sessions.iter().filter(|session| session.is_open()).count()
    }

    /// When clients dialled.
    pub(crate) fn dials(&self) -> Vec<Instant> {
        self.0.lock().unwrap().dials.clone()
    }

    pub(crate) fn client(&self, connections: usize, listener: impl EventListener<Frames>) -> Client<Frames> {
        self.client_of(ClientBuilder::new(Frames, listener).connections(connections))
    }

    pub(crate) fn client_of(&self, builder: ClientBuilder<Frames>) -> Client<Frames> {
        let place = self.clone();
        builder.dial("the place", move || place.clone().dial())
    }

    pub(crate) async fn dial(self) -> io::Result<Memory> {
        let found = {
            let mut state = self.0.lock().unwrap();
            state.dials.push(Instant::now());
            state.found.clone()
        };
        let (own, theirs) = duplex(64 * 1024);
        match found {
            Found::Refusal => return Err(io::ErrorKind::ConnectionRefused.into()),
            Found::Silence => std::future::pending().await,
            Found::Server(listener) => {
                // Its clients may be silent for as long as they like.
                let limits = Limits::default().first_packet(Duration::MAX);
                let session = accept(Io::new(theirs, "memory"), Frames, listener, limits);
                self.0.lock().unwrap().sessions.push(session);
            }
            Found::Brief { sends, after } => drop(tokio::spawn(be_brief(theirs, sends, after))),
        }
        Ok(Io::new(own, "memory"))
    }
}

async fn be_brief(mut stream: DuplexStream, sends: Vec<u8>, after: Duration) {
    let _ = stream.write_all(&sends).await;
    sleep(after).await;
}
