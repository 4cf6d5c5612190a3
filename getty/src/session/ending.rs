//! How a session ends: what is still written, how long that may take, and the last two callbacks.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::Sleep;

use super::{Driver, Out, Session, core::Life, driver::Input};
use crate::{
    CloseReason, Error, Protocol,
    observer::report,
    sync::atomic::{Ordering, fence},
    transport::Connection,
};

/// What ends a session that is closed before its end: a writer broke the out-buffer.
pub(super) const STOLEN: Error = Error::Contract("a writer took bytes away that other packets had written");

/// The end of one session.
///
/// | why | futures of `run` | what is queued | `on_error` |
/// |---|---|---|---|
/// | the peer finished, or `close` | waited for | written | no |
/// | the Reader or the transport refused, a packet is too long | not waited for | written | yes |
/// | `abort`, also while one of the above is under way | not waited for | dropped | as before it |
/// | the connection broke, a callback panicked, the runtime went | not waited for | dropped | yes |
/// | `on_open` refused | none yet | written if that takes no waiting | yes |
pub(super) struct Ending {
    error: Option<Error>,
    /// `None` once there is nothing to wait for.
    wait: Option<Pin<Box<Sleep>>>,
    runs: bool,
    stage: Stage,
    /// The peer was still sending.
    sending: bool,
    /// The peer finished first.
    by_peer: bool,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Flush,
    Finish,
    Over,
}

impl Ending {
    fn new(error: Option<Error>, stage: Stage, wait: Option<Duration>, runs: bool) -> Self {
        Self {
            error,
            wait: wait.map(|wait| Box::pin(tokio::time::sleep(wait))),
            runs,
            stage,
            sending: false,
            by_peer: false,
        }
    }

    /// By [`Session::close`].
    pub(super) fn wanted(close_wait: Duration) -> Self {
        Self::new(None, Stage::Flush, Some(close_wait), true)
    }

    /// By [`Session::abort`].
    pub(super) fn aborted() -> Self {
        Self::new(None, Stage::Over, None, false)
    }

    /// By the peer, between two packets.
    pub(super) fn peer_finished(close_wait: Duration) -> Self {
        Self { by_peer: true, ..Self::new(None, Stage::Flush, Some(close_wait), true) }
    }

    /// By an error; what was answered before it is still written where the connection is whole.
    pub(super) fn after(error: Error, close_wait: Duration) -> Self {
        match error {
            Error::Read(_)
            | Error::Transport(_)
            | Error::TooLong { .. }
            | Error::Truncated { .. }
            | Error::Contract(_) => Self::new(Some(error), Stage::Flush, Some(close_wait), false),
            _ => Self::broken(error),
        }
    }

    /// By an error after which nothing can be written, or should be.
    pub(super) fn broken(error: Error) -> Self {
        Self::new(Some(error), Stage::Over, None, false)
    }

    /// Without waiting for anything.
    pub(super) fn at_once(error: Error) -> Self {
        Self::new(Some(error), Stage::Flush, None, false)
    }

    pub(super) fn poll<P: Protocol, C: Connection>(
        &mut self,
        driver: &mut Driver<P, C>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if driver.session.0.is_closed() {
            self.error.get_or_insert(STOLEN);
            self.stage = Stage::Over;
        }
        if driver.session.0.is_aborted() {
            self.stage = Stage::Over;
        }
        driver.session.0.advance(Life::Closing);
        // What is counted down from now on wakes this task; what was before is seen below.
        fence(Ordering::SeqCst);
        driver.take_orders(cx);
        if self.stage == Stage::Flush {
            let sealed = !driver.session.0.is_handling()
                && (!self.runs || driver.session.0.runs.load(Ordering::Acquire) == 0);
            if sealed {
                driver.session.0.seal();
            }
            match driver.flush_and_sleep(cx) {
                Poll::Ready(Ok(())) if sealed => self.stage = Stage::Finish,
                Poll::Ready(Err(_)) => self.stage = Stage::Over,
                _ if self.waits(cx) => return Poll::Pending,
                _ => self.stage = Stage::Finish,
            }
        }
        if self.stage == Stage::Finish {
            driver.session.0.lock().direct = None;
            if driver.conn.poll_finish(cx).is_pending() && self.waits(cx) {
                return Poll::Pending;
            }
            self.sending = driver.discard_input(cx) == Input::Coming;
            self.stage = Stage::Over;
        }
        if driver.session.0.is_handling() {
            // However long it takes: on_close comes after the last on_message, whose end wakes this task.
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    fn waits(&mut self, cx: &mut Context<'_>) -> bool {
        self.wait.as_mut().is_some_and(|wait| wait.as_mut().poll(cx).is_pending())
    }

    /// Refuses all further writes, then tells the listener, the close callbacks and the observer. Gives how long the socket should
    /// linger, if at all.
    ///
    /// A peer that is still sending gets time to see that this end has finished: to close the socket at once would be a
    /// reset, and that takes from the peer what it has not received yet. After an error there is no such courtesy.
    pub(super) fn finish<P: Protocol>(mut self, session: &Session<P>) -> Option<Pin<Box<Sleep>>> {
        let linger = self.wait.take_if(|_| self.sending && self.error.is_none());
        let shared = &*session.0;
        let clean = match (shared.is_aborted(), self.by_peer) {
            (true, _) => CloseReason::Aborted,
            (false, true) => CloseReason::Peer,
            (false, false) => CloseReason::Local,
        };
        let error = self.finish_silently(session);
        let listener = &shared.endpoint.listener;
        if let Some(error) = error {
            report("on_error", || listener.on_error(session, error));
        }
        report("on_close", || listener.on_close(session));
        session.run_close_callbacks();
        let reason = error.map_or(clean, |error| CloseReason::Error(error));
        tracing::debug!(
            session = shared.id,
            connection = %shared.info,
            reason = reason.name(),
            error = error.map(tracing::field::display),
            "session ended"
        );
        shared.endpoint.observing.tell(|observer, _| observer.closed(&session.observed(), &reason));
        linger
    }

    /// For a session that `on_open` has not seen: only the callbacks of its end run.
    pub(super) fn finish_unseen<P: Protocol>(self, session: &Session<P>) {
        self.finish_silently(session);
        session.run_close_callbacks();
    }

    /// Refuses all further writes, and tells nobody. Gives the error.
    fn finish_silently<P: Protocol>(self, session: &Session<P>) -> Option<&Arc<Error>> {
        let shared = &*session.0;
        {
            let mut core = shared.lock();
            shared.advance(Life::Closed);
            core.direct = None;
            core.waker = None;
            core.out = Out::new(false);
        }
        shared.end_timers();
        let error = match self.error {
            Some(error) => Some(shared.extras.keep_error(error)),
            // What a pool's worker left.
            None => shared.extras.error(),
        };
        shared.extras.tell_all_of_room();
        error
    }
}
