//! Owns the callers of mode `rpc`: each is a task with one call in flight, like a thread of rpcx's client.

use super::turns::{self, Turn};
use super::{BoxError, LoadError};
use crate::latency::Measurement;
use crate::message::BenchmarkMessage;
use crate::window::Budget;
use std::sync::Arc;

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
    let request = Arc::new(BenchmarkMessage::prepare());
    let connections: Vec<_> = connections.iter().cycle().take(callers).cloned().collect();
    let calling = |connection| Calling { connection, request: Arc::clone(&request) };
    turns::drive(connections.into_iter().map(calling), budget).await
}

/// One caller.
struct Calling<C> {
    connection: C,
    request: Arc<BenchmarkMessage>,
}

impl<C: Caller> Turn for Calling<C> {
    type Outcome = BenchmarkMessage;

    fn take(&mut self) -> impl Future<Output = Result<BenchmarkMessage, BoxError>> + Send {
        self.connection.say(&self.request)
    }

    fn check(answer: BenchmarkMessage) -> Result<(), BoxError> {
        match answer.is_answer() {
            true => Ok(()),
            false => Err("the answer is not field1 = \"OK\", field2 = 100".into()),
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
