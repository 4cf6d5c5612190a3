//! A client: a number of sessions to one address. It dials at the first need, and each seat dials again when its session ends.
//!
//! ```text
//!   Client (handles) ---> snapshot of live sessions (one atomic load)
//!                              ^ publish / withdraw
//!   seat 1: dial -> live -> on_close -> dial -> ...      one task each, no supervisor, no polling
//!   seat 2: dial -> live -> ...
//! ```
//!
//! While no session lives, or attempts fail, one seat dials and the others wait for its success.

mod backoff;
mod builder;
mod seat;

use std::{
    fmt,
    future::Future,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use arc_swap::ArcSwap;
use tokio::{sync::Notify, time::Instant};

use crate::{
    EventListener, Limits, Protocol, Session, SessionError, endpoint::Endpoint, transport::Transport,
};

pub use backoff::Backoff;
pub use builder::ClientBuilder;

use backoff::Reach;
use seat::Start;

/// Sessions to one address. Clones are the same client; when the last one is dropped its sessions are closed.
pub struct Client<P: Protocol>(Arc<Handle<P>>);

struct Handle<P: Protocol>(Arc<Shared<P>>);

/// Why a client dials no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Its sessions are closed.
    Closed,
    /// Its sessions live on until they end by themselves.
    Left,
}

/// What handles and seats share.
struct Shared<P: Protocol> {
    address: String,
    seats: usize,
    limits: Limits,
    backoff: Backoff,
    live: ArcSwap<Vec<Session<P>>>,
    turn: AtomicUsize,
    state: Mutex<State<P>>,
    /// A session came or went, an attempt failed, somebody needs a session, or the client was closed.
    changed: Notify,
}

struct State<P: Protocol> {
    /// What starts the seats; gone once they have started. They need a runtime, which the constructor does not.
    start: Option<Start<P>>,
    running: usize,
    ended: Option<End>,
    reach: Reach,
    /// The seat that dials while no other may.
    probing: Option<usize>,
    /// Attempts under way. A session of one that succeeds is seen by others before the attempt is counted out.
    dialling: usize,
}

impl<P: Protocol> Client<P> {
    /// A client of `connections` TCP sessions (at least one) to a host and port. It dials at the first need; the name is looked up
    /// at every dial.
    pub fn tcp(
        address: impl Into<String>,
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
        state.ended.is_none() && (due || state.dialling > 0 || lives())
    }

    /// The sessions that live now.
    pub fn sessions(&self) -> Vec<Session<P>> {
        self.0.0.live.load().to_vec()
    }

    /// Closes all sessions, ends dialling, and waits for every `on_close`. Dropped before it is done, the closing goes on.
    pub async fn close(&self) {
        self.0.0.end(End::Closed);
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

impl<P: Protocol> Shared<P> {
    fn lock(&self) -> MutexGuard<'_, State<P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that a session is needed. `seen` holds the failures that were known when the need arose.
    fn need(self: &Arc<Self>, seen: &mut Option<u32>) -> Result<(), SessionError> {
        let now = Instant::now();
        let mut state = self.lock();
        if state.ended.is_some() {
            return Err(SessionError::Closed);
        }
        if let Some(start) = state.start.take() {
            state.running = self.seats;
            drop(state);
            start(self);
            return Ok(());
        }
        let known = *seen.get_or_insert(state.reach.failures);
        let newly = state.reach.demand();
        let failed = state.reach.failures > known || !state.reach.is_hopeful(&self.backoff, now);
        // A failure may be the end of another seat's session, and an attempt of this one may still succeed.
        let hopeless = (failed && state.dialling == 0).then(|| SessionError::Unreachable {
            address: self.address.clone(),
            cause: state.reach.cause.clone().unwrap_or_default(),
            attempts: state.reach.failures,
            next: state.reach.next(&self.backoff, now).saturating_duration_since(now),
        });
        drop(state);
        if newly {
            // A seat that waits may now dial sooner, also if this caller does not wait for it.
            self.changed.notify_waiters();
        }
        hopeless.map_or(Ok(()), Err)
    }

    fn end(&self, end: End) {
        // What users gave goes with it, and may ask this client as it goes: not under the lock.
        let unused = {
            let mut state = self.lock();
            state.ended.get_or_insert(end);
            state.start.take()
        };
        drop(unused);
        if end == End::Closed {
            for session in self.live.load().iter() {
                session.close();
            }
        }
        self.changed.notify_waiters();
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
            .field("seats", &shared.seats)
            .field("live", &shared.live.load().len())
            .finish_non_exhaustive()
    }
}
