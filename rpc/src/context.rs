//! What a handler can learn of the call that it serves.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::attachments::Attachments;

tokio::task_local! {
    static CURRENT: Context;
}

/// The call that a handler serves. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Context {
    peer: Option<SocketAddr>,
    deadline: Option<Instant>,
    attachments: Option<Arc<Attachments>>,
}

static NONE: Attachments = Attachments::new();

impl Context {
    /// That of the handler that asks, also where it is dropped; `None` outside of one, and in tasks that a handler has spawned.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    pub(crate) fn new(peer: Option<SocketAddr>, deadline: Option<Instant>, attachments: Attachments) -> Self {
        let attachments = (!attachments.is_empty()).then(|| Arc::new(attachments));
        Self { peer, deadline, attachments }
    }

    /// Runs a handler, or polls it, as the one that serves this call.
    pub(crate) fn scope<T>(self, handler: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, handler)
    }

    /// Who calls.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// When the caller stops waiting. The handler is dropped then, wherever it waits, and nothing is answered; what must go on
    /// belongs into a task of its own. A `blocking` handler cannot be dropped, so one that computes long should look at this now
    /// and then. `None` when the caller named no timeout, and for a one-way call, which nobody waits for.
    pub fn deadline(&self) -> Option<std::time::Instant> {
        self.deadline.map(Instant::into_std)
    }

    /// How long the caller still waits; zero when it has stopped. `None` as for [`deadline`](Self::deadline).
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// The attachments that the caller sent, without those of the framework (path, interface, version, group, timeout).
    pub fn attachments(&self) -> &Attachments {
        self.attachments.as_deref().unwrap_or(&NONE)
    }
}
