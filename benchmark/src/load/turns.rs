//! Owns the loop of those who do one thing at a time, again and again until the budget is spent, and how long each took.

use super::{BoxError, LoadError};
use crate::latency::{Measurement, Recorder};
use crate::window::{Budget, Window};
use std::sync::Arc;
use std::time::Instant;
use tokio::task::JoinSet;

/// What one of them does.
pub(crate) trait Turn: Send + 'static {
    type Outcome: Send;

    /// Once: this is what is timed.
    fn take(&mut self) -> impl Future<Output = Result<Self::Outcome, BoxError>> + Send;

    /// Whether that came out right. Not timed, nor is what goes away with it.
    fn check(outcome: Self::Outcome) -> Result<(), BoxError>;
}

/// Runs each as a task of its own until the budget of all is spent.
pub(crate) async fn drive<T: Turn>(
    all: impl ExactSizeIterator<Item = T>,
    budget: Budget,
) -> Result<Measurement, LoadError> {
    let recorders = Recorder::group(all.len())?;
    let window = Arc::new(Window::start(budget, all.len()));

    let mut tasks = JoinSet::new();
    for (recorder, one) in recorders.into_iter().zip(all) {
        tasks.spawn(go_on(one, Arc::clone(&window), recorder));
    }
    let mut recorders = Vec::with_capacity(tasks.len());
    while let Some(ended) = tasks.join_next().await {
        recorders.push(ended.map_err(LoadError::Panicked)?);
    }
    Ok(Measurement::finish(&window, recorders)?)
}

async fn go_on<T: Turn>(mut one: T, window: Arc<Window>, mut recorder: Recorder) -> Recorder {
    let mut ended = Instant::now();
    loop {
        let admitted = window.admit(ended, 1);
        if admitted.warm_up + admitted.measured == 0 {
            return recorder;
        }
        let started = Instant::now();
        let outcome = one.take().await;
        ended = Instant::now();
        if admitted.measured == 0 {
            continue;
        }
        match outcome.and_then(T::check) {
            Ok(()) => recorder.right(started, ended, 1),
            Err(error) => recorder.wrong(ended, error),
        }
    }
}
