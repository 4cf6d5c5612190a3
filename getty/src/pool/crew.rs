//! Owns a number of workers that take from one source: when they sleep, when they let others run, and how they end.
//!
//! ```text
//!            a job              the pool is dropped and the source dry
//!   sleep ----------> work ----------------------------------------------> ended
//!     ^                |           the runtime ends
//!     +---- dry -------+---------------------------------> dropped; the last one drops the jobs too
//! ```

use std::sync::Arc;

use crate::sync::{
    Handle, Notify,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

/// Jobs that a worker does before others of the runtime get their turn.
pub(super) const TURN: usize = 16;

/// What workers take from.
pub(super) trait Source: Send + Sync + 'static {
    type Work: Send;

    /// The next work for this worker, if there is any.
    fn take(&self, worker: usize) -> Option<Self::Work>;

    /// Does it.
    fn run(&self, work: Self::Work);

    /// Whether another worker would find nothing.
    fn is_dry(&self) -> bool;

    /// Nobody works any more: drops what there is, and from now on what is added.
    fn shut(&self);
}

/// Workers and their source.
pub(super) struct Crew<S> {
    pub(super) source: S,
    filled: Notify,
    ended: AtomicBool,
    workers: AtomicUsize,
}

impl<S: Source> Crew<S> {
    pub(super) fn start(source: S, workers: usize, runtime: &Handle) -> Arc<Self> {
        let workers = workers.max(1);
        let crew = Arc::new(Self {
            source,
            filled: Notify::new(),
            ended: AtomicBool::new(false),
            workers: AtomicUsize::new(workers),
        });
        for worker in 0..workers {
            // Made before the task is: a runtime that has ended drops it without running it.
            let member = Member(Arc::clone(&crew));
            runtime.spawn(async move { member.work(worker).await });
        }
        crew
    }

    /// Something was added to the source.
    pub(super) fn call(&self) {
        self.filled.notify_one();
    }

    /// Lets the workers end when the source is dry.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.filled.notify_waiters();
        // One that is about to wait finds this.
        self.filled.notify_one();
    }
}

/// A worker, counted in for as long as its task is there.
struct Member<S: Source>(Arc<Crew<S>>);

impl<S: Source> Member<S> {
    async fn work(&self, worker: usize) {
        let Crew { source, filled, ended, .. } = &*self.0;
        let mut done = 0_usize;
        loop {
            let added = filled.notified();
            // Looked at first: what was added before the end is found then.
            let ended = ended.load(Ordering::Acquire);
            match source.take(worker) {
                Some(work) => {
                    if !source.is_dry() {
                        // Two calls may have become one, and this work may take long.
                        filled.notify_one();
                    }
                    source.run(work);
                    done = done.wrapping_add(1);
                    if done.is_multiple_of(TURN) {
                        // A source that never runs dry must not keep the thread.
                        tokio::task::yield_now().await;
                    }
                }
                None if ended => {
                    // The next worker is to hear of it too.
                    filled.notify_one();
                    return;
                }
                None => added.await,
            }
        }
    }
}

impl<S: Source> Drop for Member<S> {
    fn drop(&mut self) {
        if self.0.workers.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Jobs hold their sessions, and those hold the pool: without this, jobs that nobody will do would keep all of it.
            self.0.source.shut();
        }
    }
}
