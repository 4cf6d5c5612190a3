//! A client: a number of sessions to one address. It dials at the first need, and each seat dials again when its session ends.
//!
//! ```text
//!   Client (handles) ---> snapshot of live sessions (one atomic load)
//!                              ^ publish / withdraw
//!   seat 1: dial -> live -> on_close -> dial -> ...      one task each, no supervisor, no polling
//!   seat 2: dial -> live -> ...
//! ```
//!
//! While no session lives, or attempts fail, one seat dials and the others wait for its success. A client that is connected and
//! idle has one task for each session, and none besides (with `Limits::cron`, that of its timer wheel; with a pool, its workers).
//!
//! [`ClientState`] has the diagram of its states, `backoff` that of its pauses.

mod backoff;
mod builder;
mod seat;
mod shared;
mod states;

use std::{
    fmt,
    future::Future,
    io,
    sync::{Arc, atomic::Ordering},
};

use tokio::time::Instant;

use crate::{
    EventListener, Protocol, Session, SessionError,
    transport::{Host, Transport},
};

pub use backoff::Backoff;
pub use builder::ClientBuilder;
pub use states::{ClientState, ClientStates};

use shared::{End, Shared};

/// Sessions to one address. Clones are the same client; when the last one is dropped its sessions are closed.
pub struct Client<P: Protocol>(Arc<Handle<P>>);

struct Handle<P: Protocol>(Arc<Shared<P>>);

impl<P: Protocol> Client<P> {
    /// A client of `connections` TCP sessions (at least one) to a host and port. It dials at the first need; the name is looked up
    /// at every dial.
    pub fn tcp(
        address: impl Into<Host>,
        connections: usize,
        protocol: P,
        listener: impl EventListener<P>,
    ) -> Self {
        ClientBuilder::new(protocol, listener).connections(connections).tcp(address)
    }

    /// A client over connections that `dial` makes.
    pub fn new<C, D, F>(connections: usize, protocol: P, listener: impl EventListener<P>, dial: D) -> Self
    where
        C: Transport,
        D: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<C>> + Send + 'static,
    {
        ClientBuilder::new(protocol, listener).connections(connections).dial("a custom transport", dial)
    }

    /// A live session if there is one, in turn. Never waits and never dials.
    pub fn try_session(&self) -> Option<Session<P>> {
        self.pick(|_| true)
    }

    /// As [`try_session`](Self::try_session), among those that are `usable`.
    pub fn pick(&self, usable: impl Fn(&Session<P>) -> bool) -> Option<Session<P>> {
        let live = self.0.0.live.load();
        if let [only] = &live[..] {
            // No turn is taken where there is none: callers on several threads would contend for it.
            return (only.is_open() && usable(only)).then(|| only.clone());
        }
        let first = self.0.0.turn.fetch_add(1, Ordering::Relaxed);
        let count = live.len();
        (0..count)
            .filter_map(|i| live.get(first.wrapping_add(i) % count))
            .find(|session| session.is_open() && usable(session))
            .cloned()
    }

    /// Whether there is a live session that is `usable`. Takes no turn, so that asking does not change who is picked next.
    pub fn any(&self, usable: impl Fn(&Session<P>) -> bool) -> bool {
        self.0.0.live.load().iter().any(|session| session.is_open() && usable(session))
    }

    /// A live session; the first call dials. Cancel-safe.
    ///
    /// # Errors
    /// [`SessionError::Unreachable`] at once while the client waits between failed attempts, or when the attempt under way
    /// fails; [`SessionError::Closed`] after [`close`](Self::close).
    pub async fn session(&self) -> Result<Session<P>, SessionError> {
        match self.try_session() {
            Some(session) => Ok(session),
            None => self.wait_for(|| self.try_session()).await,
        }
    }

    /// Dials now and waits until all sessions live. Cancel-safe: the dialling goes on.
    ///
    /// # Errors
    /// As [`session`](Self::session).
    pub async fn connect(&self) -> Result<(), SessionError> {
        self.wait_for(|| (self.0.0.live.load().len() >= self.0.0.seats).then_some(())).await
    }

    /// As [`connect`](Self::connect), but without regard to the back-off: each seat that has no session dials at once, and once more
    /// if its attempt under way fails. For those who know more than a client can, such as that a registry has just announced the
    /// peer; called in a loop it dials without pause. The back-off stays as it was for attempts after this one. Cancel-safe: the
    /// dialling goes on.
    ///
    /// # Errors
    /// [`SessionError::Unreachable`] when these attempts have failed; [`SessionError::Closed`] after [`close`](Self::close).
    pub async fn connect_now(&self) -> Result<(), SessionError> {
        self.0.0.hurry();
        self.connect().await
    }

    /// What it is at. Not for every packet: whether there is a session, [`try_session`](Self::try_session) knows without a lock.
    pub fn state(&self) -> ClientState {
        self.0.0.state()
    }

    /// Tells what it is at, now and after each change.
    ///
    /// ```
    /// # async fn watch(client: &getty::Client<getty::Lines>) {
    /// let mut states = client.states();
    /// tokio::spawn(async move {
    ///     while let Some(state) = states.next().await {
    ///         println!("{state}");
    ///     }
    /// });
    /// # }
    /// ```
    pub fn states(&self) -> ClientStates {
        ClientStates::new(self.0.0.states())
    }

    /// Dials no more; sessions that live go on until they end by themselves, also when the last handle is dropped. For an
    /// address that is given up while calls are in flight.
    pub fn leave(&self) {
        self.0.0.end(End::Left);
    }

    /// Whether it is worth waiting for a session: one lives, or none was tried yet, or an attempt is under way or due.
    pub fn is_worthwhile(&self) -> bool {
        let now = Instant::now();
        let state = self.0.0.lock();
        let due = state.reach.failures == 0 || state.reach.next(&self.0.0.backoff, now) <= now;
        // Looked for under the lock: an attempt that is not counted any more has left its session here.
        let lives = || self.0.0.live.load().iter().any(Session::is_open);
        state.ended.is_none() && (due || state.is_trying() || lives())
    }

    /// The sessions that live now.
    pub fn sessions(&self) -> Vec<Session<P>> {
        self.0.0.live.load().to_vec()
    }

    /// Ends dialling and waiting at once, closes all sessions, and waits for every `on_close`. Each session drains as
    /// [`Session::close`] says, for [`Limits::close_wait`](field@crate::Limits::close_wait) at the most; only packets that a pool
    /// handles are waited for longer. [`abort`](Self::abort) waits for nothing, also while this is under way. Dropped before it is
    /// done, the closing goes on.
    pub async fn close(&self) {
        self.0.0.end(End::Closed);
        self.ended().await;
    }

    /// As [`close`](Self::close), but the sessions end as [`Session::abort`] says: what is queued is dropped, and neither futures nor
    /// a peer that takes nothing are waited for. Dropped before it is done, it goes on.
    pub async fn abort(&self) {
        self.0.0.end(End::Aborted);
        self.ended().await;
    }

    async fn ended(&self) {
        loop {
            let changed = self.0.0.changed.notified();
            if self.0.0.lock().running == 0 {
                return;
            }
            changed.await;
        }
    }

    async fn wait_for<T>(&self, find: impl Fn() -> Option<T>) -> Result<T, SessionError> {
        let shared = &self.0.0;
        let mut failures = None;
        loop {
            let changed = shared.changed.notified();
            if let Some(found) = find() {
                return Ok(found);
            }
            if let Err(error) = shared.need(&mut failures) {
                // One that has come up since is seen before its attempt is counted out.
                return find().ok_or(error);
            }
            changed.await;
        }
    }
}

impl<P: Protocol> Drop for Handle<P> {
    fn drop(&mut self) {
        let left = self.0.lock().ended == Some(End::Left);
        if !left {
            self.0.end(End::Closed);
        }
    }
}

impl<P: Protocol> Clone for Client<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Protocol> fmt::Debug for Client<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = &self.0.0;
        f.debug_struct("Client")
            .field("address", &shared.address)
            .field("state", &shared.state())
            .field("seats", &shared.seats)
            .field("live", &shared.live.load().len())
            .finish_non_exhaustive()
    }
}
