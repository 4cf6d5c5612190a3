//! A place that a client dials, in memory, whose provider behaves as the test wants; on paused time it has years to do so.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use getty_rpc::{
    getty::transport::Io,
    protocol::{Header, Kind, Status},
};
use tokio::{
    io::{DuplexStream, duplex},
    task::JoinSet,
    time::Instant,
};

use super::{Peer, PipeEnd, frame, heartbeat, response, value_body};

/// What the provider does with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// There is none.
    Refuses,
    /// Answers heartbeats, and every call with 3.
    Serves,
    /// Closes after this time, without a word.
    Closes(Duration),
    /// Closes when the first heartbeat comes.
    ClosesAtHeartbeat,
    /// Answers the first heartbeat, then closes.
    ClosesAfterHeartbeat,
    /// Sends a heartbeat, then closes.
    GreetsAndCloses,
    /// Neither reads nor writes.
    Hangs,
}

#[derive(Clone)]
pub(crate) struct Network(Arc<Mutex<State>>);

struct State {
    behaviour: Behaviour,
    dials: Vec<Instant>,
    connections: JoinSet<()>,
}

impl Network {
    pub(crate) fn new(behaviour: Behaviour) -> Self {
        Self(Arc::new(Mutex::new(State { behaviour, dials: Vec::new(), connections: JoinSet::new() })))
    }

    /// For connections to come.
    pub(crate) fn behave(&self, behaviour: Behaviour) {
        self.0.lock().unwrap().behaviour = behaviour;
    }

    /// Ends all connections.
    pub(crate) fn cut(&self) {
        let mut connections = std::mem::take(&mut self.0.lock().unwrap().connections);
        connections.abort_all();
    }

    /// Takes the times of all dials so far.
    pub(crate) fn dials(&self) -> Vec<Instant> {
        std::mem::take(&mut self.0.lock().unwrap().dials)
    }

    /// How many connections there are.
    pub(crate) fn connections(&self) -> usize {
        let mut state = self.0.lock().unwrap();
        while state.connections.try_join_next().is_some() {}
        state.connections.len()
    }

    pub(crate) async fn dial(self) -> io::Result<PipeEnd> {
        let mut state = self.0.lock().unwrap();
        state.dials.push(Instant::now());
        let behaviour = state.behaviour;
        if behaviour == Behaviour::Refuses {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (own, theirs) = duplex(64 * 1024);
        state.connections.spawn(provide(theirs, behaviour));
        Ok(Io::new(own, "pipe"))
    }
}

async fn provide(stream: DuplexStream, behaviour: Behaviour) {
    let mut peer = Peer::over(stream);
    match behaviour {
        Behaviour::Closes(after) => return tokio::time::sleep(after).await,
        Behaviour::GreetsAndCloses => return peer.send(&heartbeat(1)).await,
        Behaviour::Hangs => return std::future::pending().await,
        _ => {}
    }
    while let Some((header, _)) = peer.wait_for_next().await {
        let Kind::Request { two_way: true } = header.kind else { continue };
        if header.event && behaviour == Behaviour::ClosesAtHeartbeat {
            return;
        }
        let answer = match header.event {
            true => frame(Header { kind: Kind::Response { status: Status::OK }, ..header }, b"N"),
            false => response(header.id, Status::OK, &value_body(3)),
        };
        peer.send(&answer).await;
        if header.event && behaviour == Behaviour::ClosesAfterHeartbeat {
            return;
        }
    }
}
