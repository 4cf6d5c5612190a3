//! What a session does outside of its task: futures, polled once where they stand and a task of their own only if they have to
//! wait; and packets that a pool handles.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering,
    task::{Context, Poll, Waker},
};

use super::Session;
use crate::{In, Protocol, error::panicked, pool::Place};

impl<P: Protocol> Session<P> {
    /// Runs a future and hands its output to `then`. The future is polled once, here; only if it is pending does it become
    /// a task. Most handlers are ready at once, and so cost one allocation and no task.
    ///
    /// An accepted session with [`Limits::runs`](field@crate::Limits::runs) such tasks decodes nothing more until one of them is done.
    ///
    /// An ending session waits for its futures, at most [`Limits::close_wait`](field@crate::Limits::close_wait), so that they can still
    /// answer. They are not cancelled when it ends; a `write` tells them then.
    ///
    /// A panic in the first poll, or in `then` after it, is the caller's: inside a callback it ends the session. A panic in
    /// a task ends that task alone.
    pub fn run<F>(&self, future: F, then: impl FnOnce(&Self, F::Output) + Send + 'static)
    where
        F: Future + Send + 'static,
    {
        let mut future = Box::pin(future);
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => then(self, output),
            Poll::Pending => {
                // The waker of the first poll was none; a new task polls again at once.
                let running = Running::new(self.clone());
                self.0.endpoint.runtime.spawn(async move {
                    let output = future.await;
                    then(&running.0, output);
                });
            }
        }
    }
}

/// Counts a future in for as long as it runs.
struct Running<P: Protocol>(Session<P>);

impl<P: Protocol> Running<P> {
    fn new(session: Session<P>) -> Self {
        session.0.runs.fetch_add(1, Ordering::AcqRel);
        Self(session)
    }
}

impl<P: Protocol> Drop for Running<P> {
    fn drop(&mut self) {
        let most = self.0.limits().runs.max(1);
        self.0.0.one_less(&self.0.0.runs, most);
    }
}

impl<P: Protocol> Session<P> {
    /// Gives a packet to the pool. The session ends only when it is handled.
    pub(super) fn hand_over(&self, place: Place, packet: In<P>) {
        let handling = Handling::new(self.clone());
        place.fill(move || {
            let session = &handling.0;
            let listener = &session.0.endpoint.listener;
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| listener.on_message(session, packet))) {
                let error = panicked("on_message", panic);
                session.0.extras.keep_error(error);
                session.close();
            }
        });
    }

    /// Gives a packet back for which the pool has no place. `what` is told which callback runs.
    pub(super) fn refuse(&self, packet: In<P>, what: &mut &'static str) {
        self.0.extras.count_refused_packet();
        *what = "on_refused";
        self.0.endpoint.listener.on_refused(self, packet);
    }
}

/// Counts a packet in until it is handled.
struct Handling<P: Protocol>(Session<P>);

impl<P: Protocol> Handling<P> {
    fn new(session: Session<P>) -> Self {
        session.0.handling.fetch_add(1, Ordering::AcqRel);
        Self(session)
    }
}

impl<P: Protocol> Drop for Handling<P> {
    fn drop(&mut self) {
        self.0.0.one_less(&self.0.0.handling, usize::MAX);
    }
}
