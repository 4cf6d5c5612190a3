//! How a session ends: what is still written, how long that may take, and the last two callbacks.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::Sleep;

use super::{Driver, Out, Session, core::Life};
use crate::{Error, Protocol, error::panicked, transport::Connection};

/// The end of one session.
///
/// | why | futures of `run` | what is queued | `on_error` |
/// |---|---|---|---|
/// | the peer finished, or `close` | waited for | written | no |
/// | the Reader refused, a packet is too long | not waited for | written | yes |
/// | the connection broke, a callback panicked, the runtime went | not waited for | dropped | yes |
/// | `on_open` refused | none yet | written if that takes no waiting | yes |
pub(super) struct Ending {
    error: Option<Error>,
    /// `None` once there is nothing to wait for.
    wait: Option<Pin<Box<Sleep>>>,
    runs: bool,
    stage: Stage,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Flush,
    Finish,
    Over,
}

impl Ending {
    fn new(error: Option<Error>, stage: Stage, wait: Option<Duration>, runs: bool) -> Self {
        Self { error, wait: wait.map(|wait| Box::pin(tokio::time::sleep(wait))), runs, stage }
    }

    /// By [`Session::close`].
    pub(super) fn wanted(close_wait: Duration) -> Self {
        Self::new(None, Stage::Flush, Some(close_wait), true)
    }

    /// By the peer, between two packets.
    pub(super) fn peer_finished(close_wait: Duration) -> Self {
        Self::new(None, Stage::Flush, Some(close_wait), true)
    }

    /// By an error; what was answered before it is still written where the connection is whole.
    pub(super) fn after(error: Error, close_wait: Duration) -> Self {
        match error {
            Error::Read(_) | Error::TooLong { .. } | Error::Truncated { .. } | Error::Contract(_) => {
                Self::new(Some(error), Stage::Flush, Some(close_wait), false)
            }
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
        driver.session.0.advance(Life::Closing);
        driver.take_orders(cx);
        if self.stage == Stage::Flush {
            match driver.flush_and_sleep(cx) {
                Poll::Ready(Ok(())) if !self.runs || driver.session.0.runs.load(Ordering::Acquire) == 0 => {
                    self.stage = Stage::Finish;
                }
                Poll::Ready(Err(_)) => self.stage = Stage::Over,
                _ if self.waits(cx) => return Poll::Pending,
                _ => self.stage = Stage::Finish,
            }
        }
        if self.stage == Stage::Finish {
            driver.session.0.lock().direct = None;
            driver.discard_input(cx);
            if driver.conn.poll_finish(cx).is_pending() && self.waits(cx) {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    fn waits(&mut self, cx: &mut Context<'_>) -> bool {
        self.wait.as_mut().is_some_and(|wait| wait.as_mut().poll(cx).is_pending())
    }

    /// Refuses all further writes, then tells the listener.
    pub(super) fn finish<P: Protocol>(self, session: &Session<P>) {
        let shared = &*session.0;
        {
            let mut core = shared.lock();
            shared.advance(Life::Closed);
            core.direct = None;
            core.waker = None;
            core.out = Out::new(false);
        }
        shared.room.notify_waiters();
        let listener = &shared.endpoint.listener;
        if let Some(error) = self.error {
            let error = shared.error.get_or_init(|| Arc::new(error));
            tracing::debug!(session = shared.id, connection = %shared.info, %error, "session ended");
            report("on_error", || listener.on_error(session, error));
        }
        report("on_close", || listener.on_close(session));
    }
}

/// The last callbacks have nobody to tell of a panic but the log.
fn report(what: &'static str, callback: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(callback)) {
        tracing::error!("{}", panicked(what, panic));
    }
}
