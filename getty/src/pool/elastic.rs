//! The elastic pool: one queue, and workers that come and go. Owns how many there are.
//!
//! ```text
//!            a packet comes, nobody is idle, fewer than max           idle for long, more than min
//!   (none) ------------------------------------------------> worker ------------------------------> (none)
//! ```

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{Job, Target, crew::TURN, lock, room::Room};
use crate::sync::{Handle, Mutex, Notify};

pub(super) struct Elastic(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    filled: Notify,
    room: Room,
    runtime: Handle,
    min: usize,
    max: usize,
    idle: Duration,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    workers: usize,
    /// Workers that wait, or are about to.
    idle: usize,
    /// The pool was dropped: who finds nothing to do ends.
    ended: bool,
    /// The runtime has ended: nobody will do anything.
    shut: bool,
}

/// What a worker is to do.
enum Next {
    Do(Job),
    Wait,
    End,
}

impl Elastic {
    pub(super) fn start(min: usize, max: usize, idle: Duration, depth: usize, runtime: &Handle) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State { workers: min, ..State::default() }),
            filled: Notify::new(),
            room: Room::new(depth),
            runtime: runtime.clone(),
            min,
            max: max.max(min).max(1),
            idle,
        });
        (0..min).for_each(|_| Shared::hire(&shared));
        Self(shared)
    }

    pub(super) fn target(&self) -> Arc<dyn Target> {
        Arc::clone(&self.0) as _
    }

    pub(super) fn room(&self) -> &Room {
        &self.0.room
    }
}

impl Drop for Elastic {
    fn drop(&mut self) {
        lock(&self.0.state).ended = true;
        self.0.filled.notify_waiters();
        // One that is about to wait finds this.
        self.0.filled.notify_one();
    }
}

impl Target for Shared {
    fn room(&self) -> &Room {
        &self.room
    }

    fn push(self: Arc<Self>, job: Job) {
        let grows = {
            let mut state = lock(&self.state);
            if state.shut {
                drop(state);
                // Not under the lock: the end of a job may be that of its session, and of the pool.
                return drop(job);
            }
            state.jobs.push_back(job);
            let grows = state.jobs.len() > state.idle && state.workers < self.max;
            state.workers += usize::from(grows);
            grows
        };
        if grows {
            Self::hire(&self);
        } else {
            // The one that waits for the shortest time: in turn, all would stay for what one can do.
            self.filled.notify_last();
        }
    }
}

impl Shared {
    /// Starts a worker that is counted already.
    fn hire(this: &Arc<Self>) {
        // Made before the task is: a runtime that has ended drops it without running it.
        let worker = Worker { shared: Arc::clone(this), counted: true };
        this.runtime.spawn(worker.work());
    }

    /// `waited`: whether the worker, which is counted as idle then, has been called; false after it has waited in vain.
    fn next(&self, waited: Option<bool>) -> Next {
        let mut state = lock(&self.state);
        if waited.is_some() {
            state.idle = state.idle.saturating_sub(1);
        }
        if let Some(job) = state.jobs.pop_front() {
            if !state.jobs.is_empty() && state.idle > 0 {
                // Two calls may have become one, and this job may take long.
                self.filled.notify_last();
            }
            return Next::Do(job);
        }
        if state.ended || (waited == Some(false) && state.workers > self.min) {
            state.workers = state.workers.saturating_sub(1);
            if state.ended {
                // The next one is to hear of it too.
                self.filled.notify_one();
            }
            return Next::End;
        }
        state.idle += 1;
        Next::Wait
    }
}

/// A worker, counted in for as long as its task is there.
struct Worker {
    shared: Arc<Shared>,
    counted: bool,
}

impl Worker {
    async fn work(mut self) {
        let mut done = 0_usize;
        let mut waited = None;
        loop {
            let added = self.shared.filled.notified();
            match self.shared.next(waited.take()) {
                Next::Do(job) => {
                    job();
                    done = done.wrapping_add(1);
                    if done.is_multiple_of(TURN) {
                        // A queue that never runs dry must not keep the thread.
                        tokio::task::yield_now().await;
                    }
                }
                Next::Wait => waited = Some(timeout(self.shared.idle, added).await.is_ok()),
                Next::End => break,
            }
        }
        self.counted = false;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.counted {
            return;
        }
        // Its runtime has ended. Jobs hold their sessions, and those hold the pool: without this, jobs that nobody will do would
        // keep all of it.
        let jobs = {
            let mut state = lock(&self.shared.state);
            state.workers = state.workers.saturating_sub(1);
            if state.workers > 0 {
                return;
            }
            state.shut = true;
            std::mem::take(&mut state.jobs)
        };
        drop(jobs);
    }
}
