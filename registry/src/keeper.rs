//! Owns the life of a registry that is reached through sessions: it opens them, sees to it that what is declared is there
//! in each, and says whether the registry is there. Knows no server; a [`Backend`] does. Must never forget what is declared
//! because of an error, and never try without a pause.
//!
//! ```text
//!            +---- pause <----+
//!            v                | fault
//! start --> open -------------+
//!            ^  | opened
//!            |  v
//!            | serve: registrar | followers | life ---- close or last handle dropped --> goodbye --> closed
//!            |  |
//!            |  | session lost (all registrations uncertain, lists kept)
//!            +--+
//! ```

#[cfg_attr(
    not(feature = "zookeeper"),
    allow(dead_code, reason = "what only ZooKeeper tells is not told without its backend")
)]
pub(crate) mod backend;
mod declared;
mod followers;
mod registrar;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use self::backend::{Backend, Fault, FaultKind, Life, News, Opened, Session};
use self::declared::Declared;
use self::followers::Followers;
use self::registrar::NoAnswer;
use crate::backoff::Backoff;
use crate::error::{RegisterError, RegistryError, UnregisterError};
use crate::layout::Node;
use crate::race::{Either, race};
use crate::registration::{Registration, RegistrationState};
use crate::registry::{Registry, RegistryState, Wait};
use crate::settings::Settings;
use crate::subscription::Subscription;
use crate::target::Target;
use crate::url::Url;

/// The user's handle. Dropping it closes the registry in the background.
struct Kept {
    shared: Arc<Shared>,
}

/// What the handle and the task share.
struct Shared {
    settings: Settings,
    declared: Arc<Declared>,
    state: watch::Sender<RegistryState>,
    closing: watch::Sender<bool>,
}

/// Opens a registry. With `check`, waits for the first session; else returns at once.
pub(crate) async fn start<B: Backend>(
    settings: Settings,
    mut backend: B,
) -> Result<Arc<dyn Registry>, RegistryError> {
    let first = if settings.check { Some(first_session(&settings, &mut backend).await?) } else { None };
    let state =
        if first.is_some() { RegistryState::Connected } else { RegistryState::NotYet { cause: None } };
    let shared = Arc::new(Shared {
        settings,
        declared: Arc::default(),
        state: watch::Sender::new(state),
        closing: watch::Sender::new(false),
    });
    tokio::spawn(run(Arc::clone(&shared), backend, first));
    Ok(Arc::new(Kept { shared }))
}

impl Registry for Kept {
    fn register(&self, url: Url) -> Result<Registration, RegisterError> {
        let node = Node::of(&self.shared.settings.root, &url).ok_or(RegisterError::NoInterface)?;
        self.shared.declared.want(node, url)
    }

    fn unregister(&self, url: &Url) -> Wait<Result<(), UnregisterError>> {
        let node = Node::of(&self.shared.settings.root, url);
        let seen = node.and_then(|node| self.shared.declared.withdraw(&node));
        let waited = self.shared.settings.timeout;
        Box::pin(async move {
            let Some(mut seen) = seen else { return Ok(()) };
            let gone = seen.wait_for(|state| matches!(state, RegistrationState::Unregistered));
            if timeout(waited, gone).await.is_ok() {
                // Also if the registry was closed meanwhile.
                return Ok(());
            }
            let cause = match &*seen.borrow() {
                RegistrationState::Waiting { cause: Some(cause) }
                | RegistrationState::Uncertain { cause } => Arc::clone(cause),
                _ => "no answer yet".into(),
            };
            Err(UnregisterError::NotConfirmed { waited, cause })
        })
    }

    fn registrations(&self) -> Vec<Registration> {
        self.shared.declared.wanted()
    }

    fn subscribe(&self, target: &Target) -> Subscription {
        let grace = self.shared.settings.grace;
        let subscribe = |list: &crate::Publisher| list.subscribe(target.clone(), grace);
        self.shared
            .declared
            .list(target.interface(), subscribe)
            .unwrap_or_else(|| subscribe(&crate::Publisher::new()))
    }

    fn state(&self) -> watch::Receiver<RegistryState> {
        self.shared.state.subscribe()
    }

    fn close(&self) -> Wait<()> {
        self.shared.closing.send_replace(true);
        let mut state = self.shared.state.subscribe();
        let limit = self.shared.settings.timeout.saturating_mul(2);
        Box::pin(async move {
            let closed = state.wait_for(|state| matches!(state, RegistryState::Closed));
            if timeout(limit, closed).await.is_err() {
                tracing::warn!(
                    "the registry did not close in time; what is registered goes with its session"
                );
            }
        })
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.shared.closing.send_replace(true);
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("url", &self.shared.settings.shown)
            .field("state", &*self.shared.state.borrow())
            .finish_non_exhaustive()
    }
}

impl Shared {
    async fn closing(&self) {
        let mut closing = self.closing.subscribe();
        // The sender lives as long as `self`.
        let _ = closing.wait_for(|closing| *closing).await;
    }

    /// Says once for each change, in the log too, how the registry is.
    fn connected(&self) {
        if !self.state.borrow().is_connected() {
            tracing::info!(registry = %self.settings.shown, "connected to the registry");
            self.state.send_replace(RegistryState::Connected);
        }
    }

    fn away(&self, fault: &Fault) {
        let cause = &fault.text;
        self.declared.all_uncertain(cause);
        let (now, first) = match &*self.state.borrow() {
            RegistryState::NotYet { cause: before } => {
                (RegistryState::NotYet { cause: Some(Arc::clone(cause)) }, before.is_none())
            }
            RegistryState::Away { since, .. } => {
                (RegistryState::Away { since: *since, cause: Arc::clone(cause) }, false)
            }
            _ => (RegistryState::Away { since: Instant::now(), cause: Arc::clone(cause) }, true),
        };
        if first {
            tracing::warn!(
                registry = %self.settings.shown, %cause,
                "the registry is away; the last lists stay in use, what is declared is seen to when it is back"
            );
        }
        self.state.send_if_modified(|state| {
            let changed = *state != now;
            *state = now;
            changed
        });
    }
}

async fn open<B: Backend>(settings: &Settings, backend: &mut B) -> Result<Opened<B>, Fault> {
    let limit = settings.timeout;
    timeout(limit, backend.open()).await.unwrap_or_else(|_| Err(Fault::link(NoAnswer(limit))))
}

/// Tries until there is a session or the time is over: a server that starts together with the program may be a moment
/// late.
async fn first_session<B: Backend>(settings: &Settings, backend: &mut B) -> Result<Opened<B>, RegistryError> {
    let waited = settings.timeout;
    let until = Instant::now() + waited;
    let registry = settings.shown.clone();
    let mut backoff = Backoff::default();
    let mut cause: Arc<str> = NoAnswer(waited).to_string().into();
    loop {
        match timeout_at(until, open(settings, backend)).await {
            Ok(Ok(opened)) => return Ok(opened),
            Ok(Err(Fault { kind: FaultKind::Login, text })) => {
                return Err(RegistryError::Login { registry, cause: text });
            }
            Ok(Err(fault)) => cause = fault.text,
            Err(_) => return Err(RegistryError::Unreachable { registry, waited, cause }),
        }
        if timeout_at(until, sleep(backoff.next())).await.is_err() {
            return Err(RegistryError::Unreachable { registry, waited, cause });
        }
    }
}

async fn run<B: Backend>(shared: Arc<Shared>, mut backend: B, mut opened: Option<Opened<B>>) {
    let mut backoff = Backoff::default();
    loop {
        let next = match opened.take() {
            Some(opened) => Ok(opened),
            None => match race(shared.closing(), open(&shared.settings, &mut backend)).await {
                Either::Left(()) => break,
                Either::Right(next) => next,
            },
        };
        match next {
            Ok(Opened { session, life }) => {
                shared.connected();
                let begun = Instant::now();
                let Some(fault) = serve(&shared, session, life).await else { break };
                shared.away(&fault);
                // A session that is lost at once, again and again, must not become a storm of connections.
                if begun.elapsed() > shared.settings.session {
                    backoff.reset();
                }
            }
            Err(fault) => shared.away(&fault),
        }
        if let Either::Left(()) = race(shared.closing(), sleep(backoff.next())).await {
            break;
        }
    }
    shared.declared.close();
    shared.state.send_replace(RegistryState::Closed);
}

/// Sees to everything in one session: its end, or `None` when the registry was closed.
async fn serve<S: Session>(shared: &Shared, session: Arc<S>, mut life: impl Life) -> Option<Fault> {
    let breaks = watch::Sender::new(0_u64);
    let (declared, settings) = (&shared.declared, &shared.settings);
    let mut followers = Followers::new();
    let seen = breaks.subscribe();
    let work = race(
        registrar::run(Arc::clone(&session), declared, settings.audit, settings.timeout, breaks.subscribe()),
        followers.run(&session, declared, settings.audit, &seen),
    );
    let lost = race(listen(shared, &mut life, &breaks), work);
    let end = match race(shared.closing(), lost).await {
        Either::Left(()) => None,
        Either::Right(Either::Left(fault)) | Either::Right(Either::Right(Either::Left(fault))) => Some(fault),
        Either::Right(Either::Right(Either::Right(()))) => Some(Fault::link("the followers ended")),
    };
    followers.end().await;
    if end.is_none() {
        // The session is kept alive until the last node is gone.
        race(goodbye(shared, session), async {
            listen(shared, &mut life, &breaks).await;
            std::future::pending::<()>().await;
        })
        .await;
    }
    end
}

/// Listens to the news of a session until it ends.
async fn listen(shared: &Shared, life: &mut impl Life, breaks: &watch::Sender<u64>) -> Fault {
    loop {
        match life.news().await {
            News::Away(fault) => shared.away(&fault),
            News::Back => {
                shared.connected();
                breaks.send_modify(|count| *count = count.wrapping_add(1));
            }
            News::Lost(fault) => return fault,
        }
    }
}

/// Removes what is registered and ends the session.
async fn goodbye<S: Session>(shared: &Shared, session: Arc<S>) {
    let limit = shared.settings.timeout;
    let removed = async {
        shared.declared.withdraw_all();
        for task in shared.declared.due() {
            let result = registrar::see_to(session.as_ref(), &task, limit).await;
            shared.declared.settle(&task, &result);
            if result.is_err_and(|fault| fault.kind != FaultKind::Refused) {
                return;
            }
        }
    };
    let _ = timeout(limit, removed).await;
    let _ = timeout(limit, session.close()).await;
}
