//! Owns the following of lists in one session: a task for each interface that somebody subscribes to. Must never publish;
//! the session does, and only what the registry said.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinSet};
use tokio::time::sleep;

use super::backend::Session;
use super::declared::Declared;
use crate::backoff::Backoff;
use crate::listing::Publisher;
use crate::race::{Either, jittered, race};

/// A pause after a task that ended by a panic, which is not expected to go away.
const AFTER_A_PANIC: Duration = Duration::from_secs(1);

/// The tasks of one session. Dropping it ends them.
pub(super) struct Followers {
    tasks: JoinSet<()>,
    followed: HashMap<Id, Arc<str>>,
}

impl Followers {
    pub(super) fn new() -> Self {
        Self { tasks: JoinSet::new(), followed: HashMap::new() }
    }

    /// Keeps one task running for each list that is wanted. Never returns.
    pub(super) async fn run<S: Session>(
        &mut self,
        session: &Arc<S>,
        declared: &Arc<Declared>,
        audit: Duration,
        breaks: &watch::Receiver<u64>,
    ) {
        loop {
            let followed: HashSet<Arc<str>> = self.followed.values().cloned().collect();
            for (interface, list) in declared.lists() {
                if !followed.contains(&interface) {
                    let one = follow(
                        Arc::clone(session),
                        Arc::clone(declared),
                        Arc::clone(&interface),
                        list,
                        audit,
                        breaks.clone(),
                    );
                    self.followed.insert(self.tasks.spawn(one).id(), interface);
                }
            }
            let ended = async {
                match self.tasks.join_next_with_id().await {
                    Some(ended) => ended,
                    None => std::future::pending().await,
                }
            };
            match race(ended, declared.interest.notified()).await {
                Either::Left(Ok((id, ()))) => {
                    self.followed.remove(&id);
                }
                Either::Left(Err(error)) => {
                    tracing::error!(%error, "the follower of a list ended unexpectedly; starting it again");
                    sleep(AFTER_A_PANIC).await;
                    self.followed.remove(&error.id());
                }
                Either::Right(()) => {}
            }
        }
    }

    /// Ends all tasks, and waits until they hold the session no more.
    pub(super) async fn end(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Follows one list until nobody listens.
async fn follow<S: Session>(
    session: Arc<S>,
    declared: Arc<Declared>,
    interface: Arc<str>,
    list: Arc<Publisher>,
    audit: Duration,
    mut breaks: watch::Receiver<u64>,
) {
    let mut backoff = Backoff::default();
    loop {
        // Whatever the watches say, the list is read anew on a clock and after a break.
        let again = race(sleep(jittered(audit)), breaks.changed());
        match race(list.unwanted(), race(session.follow(&interface, &list), again)).await {
            Either::Left(()) => {
                if declared.forget_unwanted(&interface) {
                    return;
                }
            }
            Either::Right(Either::Left(Ok(()))) => backoff.reset(),
            Either::Right(Either::Left(Err(fault))) => {
                tracing::debug!(%interface, %fault, "a list could not be read; the last one stays in use");
                race(sleep(backoff.next()), breaks.changed()).await;
            }
            Either::Right(Either::Right(_)) => {}
        }
    }
}
