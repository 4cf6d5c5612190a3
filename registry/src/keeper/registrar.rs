//! Owns the reconciling of registrations: in one session, it makes the registry what is declared, after every change, after
//! every break, and on a clock. Must never give up.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::backend::{Fault, FaultKind, Session};
use super::declared::{Declared, Task};
use crate::backoff::Backoff;
use crate::race::{Either, jittered, race};

/// Runs until the session is found to have ended.
pub(super) async fn run<S: Session>(
    session: Arc<S>,
    declared: &Declared,
    audit: Duration,
    limit: Duration,
    mut breaks: watch::Receiver<u64>,
) -> Fault {
    let mut backoff = Backoff::default();
    let mut next_audit = Instant::now();
    loop {
        if Instant::now() >= next_audit {
            declared.all_due();
            next_audit = Instant::now() + jittered(audit);
        }
        let (pause, answers) = match pass(session.as_ref(), declared, limit).await {
            Ok(()) => {
                backoff.reset();
                (None, true)
            }
            Err(fault) if fault.kind == FaultKind::Session => return fault,
            Err(fault) => {
                tracing::debug!(%fault, "a registration did not succeed; trying again");
                (Some(backoff.next()), fault.kind == FaultKind::Refused)
            }
        };
        // What is declared meanwhile need not wait for what is refused, but must wait for a server that does not answer.
        let declared_more = async { if answers { declared.work.notified().await } else { pending().await } };
        let wake = pause.map_or(next_audit, |pause| next_audit.min(Instant::now() + pause));
        if let Either::Left(_) = race(breaks.changed(), race(sleep_until(wake), declared_more)).await {
            declared.all_due();
        }
    }
}

/// Sees to everything that is due; the error of the last thing that failed.
async fn pass<S: Session>(session: &S, declared: &Declared, limit: Duration) -> Result<(), Fault> {
    let mut outcome = Ok(());
    for task in declared.due() {
        if !declared.attempt(&task) {
            continue;
        }
        let result = see_to(session, &task, limit).await;
        declared.settle(&task, &result);
        if let Err(fault) = result {
            let only_this = fault.kind == FaultKind::Refused;
            outcome = Err(fault);
            if !only_this {
                break;
            }
        }
    }
    outcome
}

pub(super) async fn see_to<S: Session>(session: &S, task: &Task, limit: Duration) -> Result<(), Fault> {
    let work = async {
        if task.wanted { session.ensure(&task.node).await } else { session.remove(&task.node).await }
    };
    timeout(limit, work).await.unwrap_or_else(|_| Err(Fault::link(NoAnswer(limit))))
}

/// What a time limit says.
pub(super) struct NoAnswer(pub(super) Duration);

impl std::fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "expected an answer within {} ms, found none", self.0.as_millis())
    }
}
