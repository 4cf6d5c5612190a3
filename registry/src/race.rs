//! Owns the race of two futures: the first to be ready wins and the other is dropped. Must never be used with a future
//! that is not cancel-safe.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

/// Which of two futures was ready first.
pub(crate) enum Either<L, R> {
    Left(L),
    Right(R),
}

/// Waits for one of two futures. If both are ready the left one wins.
pub(crate) async fn race<L: Future, R: Future>(left: L, right: R) -> Either<L::Output, R::Output> {
    let (mut left, mut right) = (pin!(left), pin!(right));
    poll_fn(move |context| {
        if let Poll::Ready(output) = left.as_mut().poll(context) {
            return Poll::Ready(Either::Left(output));
        }
        right.as_mut().poll(context).map(Either::Right)
    })
    .await
}

/// Waits until a moment, for ever if there is none.
pub(crate) async fn sleep_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// A duration from 80 % to 120 % of `middle`, so that many clients do not come at the same moment.
pub(crate) fn jittered(middle: Duration) -> Duration {
    middle.mul_f64(0.8 + 0.4 * fastrand::f64())
}
