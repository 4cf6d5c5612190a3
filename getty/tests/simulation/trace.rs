//! What becomes of clients, in order and to the nanosecond: two runs with equal traces are the same run.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use getty::{CloseReason, EndpointInfo, Observed, Observer};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Dials,
    /// The dial has come to a connection.
    Dialled,
    /// The dial has failed, because of this.
    Failed(String),
    Opened,
    /// A packet has come.
    Answered,
    Closed(&'static str),
}

/// Which client, what became of it, and when.
pub(crate) type Event = (usize, What, Duration);

/// What became of all clients so far.
#[derive(Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Vec<Event>>>);

impl Trace {
    pub(crate) fn of(&self, client: usize) -> Noting {
        Noting { client, trace: self.clone() }
    }

    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Notes what becomes of one client, as its observer and where it is told.
#[derive(Clone)]
pub(crate) struct Noting {
    client: usize,
    trace: Trace,
}

impl Noting {
    pub(crate) fn note(&self, what: What) {
        // What ends with the simulation is no part of it.
        if let Some(at) = turmoil::sim_elapsed() {
            self.trace.0.lock().unwrap().push((self.client, what, at));
        }
    }
}

impl Observer for Noting {
    fn dialled(&self, _: &EndpointInfo, _: Duration) {
        self.note(What::Dialled);
    }

    fn dial_failed(&self, _: &EndpointInfo, cause: &str) {
        self.note(What::Failed(cause.to_owned()));
    }

    fn opened(&self, _: &Observed) {
        self.note(What::Opened);
    }

    fn closed(&self, _: &Observed, reason: &CloseReason<'_>) {
        self.note(What::Closed(reason.name()));
    }
}

/// Fails with the first event in which two runs differ.
pub(crate) fn assert_same(first: &[Event], second: &[Event]) {
    let parted = first.iter().zip(second).find(|(first, second)| first != second);
    assert!(parted.is_none(), "two runs of one seed part: {parted:?}");
    assert_eq!(first.len(), second.len(), "one run of a seed goes on longer than another");
}
