//! Owns the callers of mode `rpc`: each is a task with one call in flight, like a thread of rpcx's client.

use super::{BoxError, LoadError};
use crate::latency::{Measurement, Recorder};
use crate::message::BenchmarkMessage;
use crate::window::{Budget, Window};
use std::sync::Arc;
use std::time::Instant;
use tokio::task::JoinSet;

/// A connection of some peer, as one caller holds it. Clones share the connection.
pub(crate) trait Caller: Clone + Send + 'static {
    /// Calls `say` and waits for the answer. What the peer's API makes of a borrowed request (a clone, say) is part of
    /// what is measured.
    fn say(
        &mut self,
        request: &BenchmarkMessage,
    ) -> impl Future<Output = Result<BenchmarkMessage, BoxError>> + Send;
}

/// Runs `callers` callers over connections that stand, in turn, until the budget is spent.
pub(crate) async fn drive<C: Caller>(
    connections: Vec<C>,
    callers: usize,
    budget: Budget,
) -> Result<Measurement, LoadError> {
    let recorders = Recorder::group(callers)?;
    let request = Arc::new(BenchmarkMessage::prepare());
    let window = Arc::new(Window::start(budget, callers));

    let mut tasks = JoinSet::new();
    for (recorder, connection) in recorders.into_iter().zip(connections.iter().cycle()) {
        tasks.spawn(call(connection.clone(), Arc::clone(&request), Arc::clone(&window), recorder));
    }
    let mut recorders = Vec::with_capacity(callers);
    while let Some(ended) = tasks.join_next().await {
        recorders.push(ended.map_err(LoadError::Panicked)?);
    }
    Ok(Measurement::finish(&window, recorders)?)
}

async fn call<C: Caller>(
    mut connection: C,
    request: Arc<BenchmarkMessage>,
    window: Arc<Window>,
    mut recorder: Recorder,
) -> Recorder {
    let mut ended = Instant::now();
    loop {
        let admitted = window.admit(ended, 1);
        if admitted.warm_up + admitted.measured == 0 {
            return recorder;
        }
        let started = Instant::now();
        let answer = connection.say(&request).await;
        ended = Instant::now();
        if admitted.measured == 0 {
            continue;
        }
        match answer {
            Ok(answer) if answer.is_answer() => recorder.right(started, ended, 1),
            Ok(_) => recorder.wrong(ended, "the answer is not field1 = \"OK\", field2 = 100"),
            Err(error) => recorder.wrong(ended, error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers rightly, wrongly and not at all, in turn.
    #[derive(Clone)]
    struct Fickle(u32);

    impl Caller for Fickle {
        async fn say(&mut self, request: &BenchmarkMessage) -> Result<BenchmarkMessage, BoxError> {
            self.0 += 1;
            match self.0 % 3 {
                0 => Ok(request.clone().into_answer()),
                1 => Ok(request.clone()),
                _ => Err("refused".into()),
            }
        }
    }

    #[tokio::test]
    async fn wrong_and_failed_calls_are_errors_and_warm_up_is_not_counted() {
        let measured = drive(vec![Fickle(0)], 1, Budget::Calls(300)).await.unwrap();
        assert_eq!((measured.calls(), measured.errors), (100, 200));
    }

    #[tokio::test]
    async fn the_budget_is_shared_by_all_callers() {
        let measured = drive(vec![Fickle(0), Fickle(0)], 30, Budget::Calls(600)).await.unwrap();
        assert_eq!(measured.calls() + measured.errors, 600);
    }
}
