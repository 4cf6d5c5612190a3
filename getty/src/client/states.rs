//! What a client is at, for those who watch it. It decides nothing: it is told after each change.

use std::fmt;

use tokio::sync::watch;

/// What a [`Client`](crate::Client) is at, as [`Client::state`](crate::Client::state) and [`Client::states`](crate::Client::states)
/// say it.
///
/// ```text
///          first need                 a session opens
///   Idle ------------> Connecting ------------------------> Ready
///                       |      ^                            |   ^
///     an attempt failed |      | the last one was lost      |   |
///                       |      +----------------------------+   |
///                       v       the last one ended unproven v   |
///                     Failing ----------------------------------+
///                                     a session opens
///
///   any of them -- close, abort, leave, the last handle dropped, the runtime gone --> Closed
/// ```
///
/// With several seats it is the whole client that is meant: it is ready as long as one session is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientState {
    /// Nobody has needed a session yet, so nothing was dialled.
    Idle,
    /// No session is open, and no attempt has failed since the peer was last good: the first dial is under way, or a session was
    /// lost and is dialled again.
    Connecting,
    /// At least one session is open.
    Ready,
    /// No session is open, and the last attempt failed or its session ended before it had proven the peer: the client dials with
    /// growing pauses.
    Failing,
    /// It dials no more, for good. Sessions may still be ending, or live on after [`Client::leave`](crate::Client::leave).
    Closed,
}

impl fmt::Display for ClientState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Ready => "ready",
            Self::Failing => "failing",
            Self::Closed => "closed",
        })
    }
}

/// Tells of the states of a client, one after the other. Made by [`Client::states`](crate::Client::states). It is no handle: the
/// client is closed with its last handle, however many watch it.
#[derive(Debug)]
pub struct ClientStates {
    states: watch::Receiver<ClientState>,
    /// That it is closed was told.
    over: bool,
}

impl ClientStates {
    pub(super) fn new(mut states: watch::Receiver<ClientState>) -> Self {
        // So that the first one is told too.
        states.mark_changed();
        Self { states, over: false }
    }

    /// The first time the state there is; after that it waits until the state is another one than was told. A state that came and
    /// went meanwhile is left out. `None` once [`ClientState::Closed`] has been told. It polls nothing. Cancel-safe.
    pub async fn next(&mut self) -> Option<ClientState> {
        if self.over {
            return None;
        }
        // A client does not go without having said that it is closed.
        self.states.changed().await.ok()?;
        let state = *self.states.borrow_and_update();
        self.over = state == ClientState::Closed;
        Some(state)
    }
}
