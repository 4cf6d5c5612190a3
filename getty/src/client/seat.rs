//! One seat of a client: dial, live, `on_close`, dial again, in one task.

use std::{
    future::{Future, poll_fn},
    io,
    pin::pin,
    sync::Arc,
    task::Poll,
};

use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{Endpoint, Shared};
use crate::{
    Attempt, ConnInfo, Error, EventListener, Limits, Protocol, Session,
    session::Driver,
    transport::{Connection, Transport},
};

/// Starts all seats of a client.
pub(super) type Start<P> = Box<dyn FnOnce(&Arc<Shared<P>>) + Send>;

pub(super) fn start<P, C, D, F>(
    protocol: P,
    listener: Box<dyn EventListener<P>>,
    limits: Limits,
    dial: D,
) -> Start<P>
where
    P: Protocol,
    C: Transport,
    D: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = io::Result<C>> + Send + 'static,
{
    Box::new(move |shared| {
        let endpoint = Endpoint::new(protocol, listener, limits);
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
        while self.may_dial().await {
            let Some(conn) = self.dial().await else { continue };
            let info = ConnInfo { attempt, cause: cause.take(), ..conn.info() };
            let driver = Driver::new(&self.endpoint, conn, info, None);
            cause = self.live(driver).await;
            attempt = Attempt::Again;
        }
    }

    /// Waits until this seat may dial; false when the client was closed.
    async fn may_dial(&self) -> bool {
        loop {
            let changed = self.shared.changed.notified();
            let next = {
                let mut state = self.shared.lock();
                if state.closed {
                    return false;
                }
                let together = state.reach.failures == 0 && !self.shared.live.load().is_empty();
                let alone = *state.probing.get_or_insert(self.index) == self.index;
                let next = state.reach.next(&self.shared.backoff);
                if !together && !alone {
                    None
                } else if next <= Instant::now() {
                    state.reach.dialling(Instant::now());
                    state.dialling += 1;
                    return true;
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

    async fn dial(&self) -> Option<C> {
        let dialled = self.unless_closed(timeout(self.shared.limits.dial, (self.dial)())).await;
        self.shared.lock().dialling -= 1;
        match dialled? {
            Ok(Ok(conn)) => Some(conn),
            Ok(Err(error)) => self.failed(error.to_string()),
            Err(_) => {
                self.failed(format!("no connection within {:?} (Limits::dial)", self.shared.limits.dial))
            }
        }
    }

    fn failed<T>(&self, cause: String) -> Option<T> {
        let failures = {
            let mut state = self.shared.lock();
            state.reach.failed(&self.shared.backoff, Instant::now(), cause.clone());
            state.reach.failures
        };
        if failures == 1 {
            tracing::warn!(
                address = self.shared.address,
                cause,
                "cannot connect, trying again with growing pauses"
            );
        }
        self.shared.changed.notify_waiters();
        None
    }

    /// Runs a session to its end. Others see it only after `on_open`, so what that writes goes out first.
    async fn live<T: Connection>(&self, driver: Driver<P, T>) -> Option<Arc<Error>> {
        let session = driver.session().clone();
        let mut driver = pin!(driver);
        let opened =
            poll_fn(|cx| Poll::Ready(driver.as_mut().poll(cx))).await.is_pending() && session.is_open();
        if opened {
            self.publish(&session);
        }
        let mut proof = pin!(sleep(self.shared.backoff.proof));
        let mut proven = false;
        poll_fn(|cx| {
            let ended = driver.as_mut().poll(cx);
            if !proven && (session.stats().read_packets > 0 || proof.as_mut().poll(cx).is_ready()) {
                proven = true;
                self.proven();
            }
            ended
        })
        .await;
        self.withdraw(&session, proven);
        session.error().cloned()
    }

    fn publish(&self, session: &Session<P>) {
        self.shared.live.rcu(|live| with(live, session));
        let mut state = self.shared.lock();
        if state.reach.failures == 0 {
            state.probing = None;
        }
        // Closed after the dial was made: whoever closed the client has not seen this session.
        let closed = state.closed;
        drop(state);
        if closed {
            session.close();
        }
        self.shared.changed.notify_waiters();
    }

    fn proven(&self) {
        let mut state = self.shared.lock();
        if state.reach.failures > 0 {
            tracing::info!(address = self.shared.address, failures = state.reach.failures, "connected again");
        }
        state.reach.proven();
        state.probing = None;
        drop(state);
        self.shared.changed.notify_waiters();
    }

    fn withdraw(&self, session: &Session<P>, proven: bool) {
        self.shared.live.rcu(|live| without(live, session));
        if proven {
            self.shared.lock().reach.lost(&self.shared.backoff, Instant::now());
            self.shared.changed.notify_waiters();
            return;
        }
        let cause = match session.error() {
            Some(error) => error.to_string(),
            None => "the peer closed the connection before it sent anything".to_owned(),
        };
        if !self.shared.lock().closed {
            self.failed::<()>(cause);
        }
    }

    /// `None` when the client is closed before the future is ready.
    async fn unless_closed<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        loop {
            let mut changed = pin!(self.shared.changed.notified());
            if self.shared.lock().closed {
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
        let mut state = self.shared.lock();
        state.running = state.running.saturating_sub(1);
        drop(state);
        self.shared.changed.notify_waiters();
    }
}

fn with<P: Protocol>(live: &[Session<P>], session: &Session<P>) -> Vec<Session<P>> {
    live.iter().chain([session]).cloned().collect()
}

fn without<P: Protocol>(live: &[Session<P>], session: &Session<P>) -> Vec<Session<P>> {
    live.iter().filter(|other| *other != session).cloned().collect()
}
