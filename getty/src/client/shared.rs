//! What the handles and the seats of a client share, and the rules that both go by. It dials nothing itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicUsize};

use arc_swap::ArcSwap;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::{Backoff, ClientState, backoff::Reach, seat::Start};
use crate::{Limits, Protocol, Session, SessionError};

/// Why a client dials no more; what comes later says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// Its sessions live on until they end by themselves.
    Left,
    /// Its sessions are closed.
    Closed,
    /// Its sessions are aborted.
    Aborted,
}

pub(super) struct Shared<P: Protocol> {
    pub(super) address: String,
    pub(super) seats: usize,
    pub(super) limits: Limits,
    pub(super) backoff: Backoff,
    pub(super) live: ArcSwap<Vec<Session<P>>>,
    pub(super) turn: AtomicUsize,
    state: Mutex<State<P>>,
    /// A session came or went, an attempt failed, somebody needs a session, or the client was closed.
    pub(super) changed: Notify,
    states: watch::Sender<ClientState>,
}

pub(super) struct State<P: Protocol> {
    /// What starts the seats; gone once they have started. They need a runtime, which the constructor does not.
    pub(super) start: Option<Start<P>>,
    pub(super) running: usize,
    pub(super) ended: Option<End>,
    pub(super) reach: Reach,
    /// The seat that dials while no other may.
    pub(super) probing: Option<usize>,
    /// Attempts under way. A session of one that succeeds is seen by others before the attempt is counted out.
    pub(super) dialling: usize,
    seated: Vec<Seated>,
}

/// What is known of a seat.
#[derive(Debug, Clone, Copy, Default)]
struct Seated {
    /// It has a session, which others see.
    lives: bool,
    /// It is to dial at once, whatever the back-off says.
    hurried: bool,
}

impl<P: Protocol> State<P> {
    pub(super) fn lives(&mut self, seat: usize, lives: bool) {
        if let Some(seated) = self.seated.get_mut(seat) {
            *seated = Seated { lives, hurried: false };
        }
    }

    /// Whether this seat is to dial at once; it is told so once.
    pub(super) fn take_hurry(&mut self, seat: usize) -> bool {
        self.seated.get_mut(seat).is_some_and(|seated| std::mem::take(&mut seated.hurried))
    }

    /// Whether it is worth waiting for an attempt: one is under way, or is to be made at once.
    pub(super) fn is_trying(&self) -> bool {
        self.dialling > 0 || self.seated.iter().any(|seated| seated.hurried)
    }
}

impl<P: Protocol> Shared<P> {
    pub(super) fn new(
        address: String,
        seats: usize,
        limits: Limits,
        backoff: Backoff,
        start: Start<P>,
    ) -> Self {
        let state = State {
            start: Some(start),
            running: 0,
            ended: None,
            reach: Reach::new(&backoff),
            probing: None,
            dialling: 0,
            seated: vec![Seated::default(); seats],
        };
        Self {
            address,
            seats,
            limits,
            backoff,
            live: ArcSwap::default(),
            turn: AtomicUsize::new(0),
            state: Mutex::new(state),
            changed: Notify::new(),
            states: watch::Sender::new(ClientState::Idle),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells all who wait for a change, and those who watch the state. After each change, and not under the lock.
    pub(super) fn tell(&self) {
        self.tell_state();
        self.changed.notify_waiters();
    }

    /// Tells those who watch the state, if it is another one.
    pub(super) fn tell_state(&self) {
        // Given back after the locks: the last handle of a session takes along what is the user's, and that may ask this client.
        let mut live = None;
        // Found out under the lock of those who watch: of two that tell at the same time, the later one tells what is so then.
        self.states.send_if_modified(|told| {
            let state = self.state_now(live.insert(self.live.load()));
            std::mem::replace(told, state) != state
        });
    }

    fn state_now(&self, live: &[Session<P>]) -> ClientState {
        let state = self.lock();
        if state.ended.is_some() {
            ClientState::Closed
        } else if state.start.is_some() {
            ClientState::Idle
        } else if live.iter().any(Session::is_open) {
            ClientState::Ready
        } else if state.reach.failures > 0 {
            ClientState::Failing
        } else {
            ClientState::Connecting
        }
    }

    pub(super) fn state(&self) -> ClientState {
        *self.states.borrow()
    }

    pub(super) fn states(&self) -> watch::Receiver<ClientState> {
        self.states.subscribe()
    }

    /// Says that a session is needed. `seen` holds the failures that were known when the need arose.
    pub(super) fn need(self: &Arc<Self>, seen: &mut Option<u32>) -> Result<(), SessionError> {
        let now = Instant::now();
        let mut state = self.lock();
        if state.ended.is_some() {
            return Err(SessionError::Closed);
        }
        if let Some(start) = state.start.take() {
            state.running = self.seats;
            drop(state);
            start(self);
            self.tell_state();
            return Ok(());
        }
        let known = *seen.get_or_insert(state.reach.failures);
        let newly = state.reach.demand();
        let failed = state.reach.failures > known || !state.reach.is_hopeful(&self.backoff, now);
        // A failure may be the end of another seat's session, and an attempt of this one may still succeed.
        let hopeless = (failed && !state.is_trying()).then(|| SessionError::Unreachable {
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

    /// Has every seat dial at once that has no session. One whose attempt is under way dials once more if that fails.
    pub(super) fn hurry(&self) {
        {
            let mut state = self.lock();
            if state.start.is_some() {
                // No seat waits for anything yet.
                return;
            }
            for seated in &mut state.seated {
                seated.hurried = !seated.lives;
            }
        }
        self.changed.notify_waiters();
    }

    pub(super) fn end(&self, end: End) {
        // What users gave goes with it, and may ask this client as it goes: not under the lock.
        let unused = {
            let mut state = self.lock();
            state.ended = state.ended.max(Some(end));
            state.start.take()
        };
        drop(unused);
        for session in self.live.load().iter() {
            end.of(session);
        }
        self.tell();
    }
}

impl End {
    /// What becomes of a session that others have.
    fn of<P: Protocol>(self, session: &Session<P>) {
        match self {
            Self::Left => {}
            Self::Closed => session.close(),
            Self::Aborted => session.abort(),
        }
    }

    /// What becomes of a session that nobody has yet, because its dial was under way.
    pub(super) fn of_late<P: Protocol>(self, session: &Session<P>) {
        self.max(Self::Closed).of(session);
    }
}
