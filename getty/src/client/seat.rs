//! One seat of a client: dial, live, `on_close`, dial again, in one task.

use std::{
    future::{Future, poll_fn},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{
    backoff::Life,
    shared::{End, Shared},
};
use crate::{
    Attempt, ConnInfo, Error, EventListener, Full, Limits, Pool, Protocol, Session,
    endpoint::Endpoint,
    error::panicked,
    observer::Observing,
    session::Driver,
    transport::{Connection, Transport},
};

/// Starts all seats of a client.
pub(super) type Start<P> = Box<dyn FnOnce(&Arc<Shared<P>>) + Send>;

pub(super) fn start<P, C, D, F>(
    protocol: P,
    listener: Box<dyn EventListener<P>>,
    limits: Limits,
    (pool, full): (Pool, Full),
    observing: Observing,
    dial: D,
) -> Start<P>
where
    P: Protocol,
    C: Transport,
    D: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = io::Result<C>> + Send + 'static,
{
    Box::new(move |shared| {
        let endpoint = Endpoint::new(protocol, listener, limits, pool, full, observing);
        let dial = Arc::new(dial);
        for index in 0..shared.seats {
            let seat = Seat {
                index,
                shared: Arc::clone(shared),
                endpoint: Arc::clone(&endpoint),
                dial: Arc::clone(&dial),
            };
            endpoint.runtime.spawn(seat.run());
        }
    })
}

/// An attempt under way: from when a seat may dial until others see its session, or it has failed. As long as it lives, it is
/// worth waiting for.
struct Dialling<'a, P: Protocol>(&'a Shared<P>);

impl<P: Protocol> Drop for Dialling<'_, P> {
    fn drop(&mut self) {
        self.0.lock().dialling -= 1;
    }
}

struct Seat<P: Protocol, D> {
    index: usize,
    shared: Arc<Shared<P>>,
    endpoint: Arc<Endpoint<P>>,
    dial: Arc<D>,
}

impl<P, C, D, F> Seat<P, D>
where
    P: Protocol,
    C: Transport,
    D: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = io::Result<C>> + Send + 'static,
{
    async fn run(self) {
        let mut attempt = Attempt::First;
        let mut cause = None;
        while let Some(dialling) = self.may_dial().await {
            let began = Instant::now();
            let Some((conn, dialling)) = self.dial(dialling, began).await else { continue };
            // `Protocol::open` runs here.
            let made = catch_unwind(AssertUnwindSafe(|| {
                let info = ConnInfo { attempt, cause: cause.clone(), ..conn.info() };
                Driver::new(&self.endpoint, conn, info, None)
            }));
            match made {
                Ok(driver) => {
                    cause = self.live(driver, dialling, began).await;
                    attempt = Attempt::Again;
                }
                Err(panic) => self.failed(dialling, began, panicked("making a session", panic).to_string()),
            }
        }
    }

    /// Waits until this seat may dial; `None` when the client was closed.
    async fn may_dial(&self) -> Option<Dialling<'_, P>> {
        loop {
            let changed = self.shared.changed.notified();
            let next = {
                // Given back after the lock: the last handle of a session takes along what is the user's.
                let live;
                let mut state = self.shared.lock();
                if state.ended.is_some() {
                    return None;
                }
                live = self.shared.live.load();
                let together = state.reach.failures == 0 && !live.is_empty();
                let alone = *state.probing.get_or_insert(self.index) == self.index;
                let hurried = state.take_hurry(self.index);
                let now = Instant::now();
                let next = state.reach.next(&self.shared.backoff, now);
                if !together && !alone && !hurried {
                    None
                } else if hurried || next <= now {
                    state.reach.dialling(now);
                    state.dialling += 1;
                    return Some(Dialling(&self.shared));
                } else {
                    Some(next)
                }
            };
            match next {
                Some(next) => drop(timeout_at(next, changed).await),
                None => changed.await,
            }
        }
    }

    async fn dial<'a>(&self, dialling: Dialling<'a, P>, began: Instant) -> Option<(C, Dialling<'a, P>)> {
        let dialled = self.unless_closed(timeout(self.shared.limits.dial, caught(&*self.dial))).await;
        let observing = &self.endpoint.observing;
        let cause = match dialled? {
            Ok(Ok(conn)) => {
                observing.tell(|observer, endpoint| observer.dialled(endpoint, began.elapsed()));
                return Some((conn, dialling));
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no connection within {:?} (Limits::dial)", self.shared.limits.dial),
        };
        observing.tell(|observer, endpoint| observer.dial_failed(endpoint, &cause));
        self.failed(dialling, began, cause);
        None
    }

    /// An attempt has failed. It is over before others hear of that, else they would wait for it.
    fn failed(&self, dialling: Dialling<'_, P>, began: Instant, cause: String) {
        drop(dialling);
        self.count_failure(began, cause);
    }

    /// What began then has failed, be it an attempt or its session.
    fn count_failure(&self, began: Instant, cause: String) {
        let first =
            self.shared.lock().reach.failed(&self.shared.backoff, Instant::now(), began, cause.clone());
        if first {
            tracing::warn!(
                address = self.shared.address,
                cause,
                "cannot connect, trying again with growing pauses"
            );
        }
        self.shared.tell();
    }

    /// Runs a session to its end. Others see it only after `on_open`, so what that writes goes out first.
    async fn live<T: Connection>(
        &self,
        driver: Driver<P, T>,
        dialling: Dialling<'_, P>,
        began: Instant,
    ) -> Option<Arc<Error>> {
        let session = driver.session().clone();
        let mut driver = pin!(driver);
        let opened =
            poll_fn(|cx| Poll::Ready(driver.as_mut().poll(cx))).await.is_pending() && session.is_open();
        if opened {
            self.publish(&session, dialling);
        } else {
            drop(dialling);
        }
        let born = Instant::now();
        let life = || Life { age: born.elapsed(), spoke: session.stats().read_packets > 0 };
        let mut proof = pin!(sleep(self.shared.backoff.proof));
        let mut proven = false;
        let mut ready = opened;
        poll_fn(|cx| {
            let ended = driver.as_mut().poll(cx);
            if ready && ended.is_pending() && !session.is_open() {
                // It takes a while to end, and is of no use meanwhile.
                ready = false;
                self.shared.tell_state();
            }
            if !proven && (proof.as_mut().poll(cx).is_ready() || life().spoke) {
                proven = self.prove(life());
            }
            ended
        })
        .await;
        if !proven {
            self.prove(life());
        }
        self.withdraw(&session, life(), began);
        session.error().cloned()
    }

    fn publish(&self, session: &Session<P>, dialling: Dialling<'_, P>) {
        self.shared.live.rcu(|live| with(live, session));
        // Only now: who finds neither a session nor an attempt gives up.
        drop(dialling);
        let mut state = self.shared.lock();
        state.lives(self.index, true);
        if state.reach.failures == 0 {
            state.probing = None;
        }
        let ended = state.ended;
        drop(state);
        // Since the dial was made: whoever ended the client has not seen this session.
        if let Some(end) = ended {
            end.of_late(session);
        }
        self.shared.tell();
    }

    /// Whether such a session is proof that the peer is good.
    fn prove(&self, life: Life) -> bool {
        let mut state = self.shared.lock();
        if !state.reach.is_proven_by(&self.shared.backoff, life) {
            return false;
        }
        if state.reach.failures > 0 {
            tracing::info!(address = self.shared.address, failures = state.reach.failures, "connected again");
        }
        state.reach.proven();
        state.probing = None;
        drop(state);
        self.shared.tell();
        true
    }

    fn withdraw(&self, session: &Session<P>, life: Life, began: Instant) {
        self.shared.live.rcu(|live| without(live, session));
        {
            let mut state = self.shared.lock();
            state.lives(self.index, false);
            if state.ended.is_some() || state.reach.lost(&self.shared.backoff, Instant::now(), life) {
                drop(state);
                return self.shared.tell();
            }
        }
        let cause = match session.error() {
            Some(error) => error.to_string(),
            None => format!("the session ended {:?} after it opened, without an error", life.age),
        };
        self.count_failure(began, cause);
    }

    /// `None` when the client is closed before the future is ready.
    async fn unless_closed<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        loop {
            let mut changed = pin!(self.shared.changed.notified());
            if self.shared.lock().ended.is_some() {
                return None;
            }
            let ready = poll_fn(|cx| match future.as_mut().poll(cx) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending => changed.as_mut().poll(cx).map(|()| None),
            })
            .await;
            if ready.is_some() {
                return ready;
            }
        }
    }
}

impl<P: Protocol, D> Drop for Seat<P, D> {
    fn drop(&mut self) {
        let is_last = {
            let mut state = self.shared.lock();
            state.running = state.running.saturating_sub(1);
            if state.running == 0 {
                // The client was closed, or its runtime has gone: there will be no further session.
                state.ended.get_or_insert(End::Closed);
            }
            state.running == 0
        };
        if is_last {
            // Not under the lock: a session takes its state along, which is the user's and may ask the client as it goes.
            self.shared.live.store(Arc::default());
        }
        self.shared.tell();
    }
}

/// Dials. A panic of the user's function is a failed attempt, not the end of the seat.
async fn caught<C, F: Future<Output = io::Result<C>>>(dial: &impl Fn() -> F) -> io::Result<C> {
    let caught = |panic| io::Error::other(panicked("dialling", panic).to_string());
    let dialling = catch_unwind(AssertUnwindSafe(dial)).map_err(caught)?;
    let mut dialling = pin!(dialling);
    poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| dialling.as_mut().poll(cx)))
            .unwrap_or_else(|panic| Poll::Ready(Err(caught(panic))))
    })
    .await
}

fn with<P: Protocol>(live: &[Session<P>], session: &Session<P>) -> Vec<Session<P>> {
    live.iter().chain([session]).cloned().collect()
}

fn without<P: Protocol>(live: &[Session<P>], session: &Session<P>) -> Vec<Session<P>> {
    live.iter().filter(|other| *other != session).cloned().collect()
}
