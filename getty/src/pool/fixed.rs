//! The fixed pool: M queues, N workers, packets in turn. Owns the queues, and who takes from which.
//!
//! ```text
//!   --- round robin ---> [ p p p . . ] <--- worker 0, worker M, ...      a worker whose queue is empty
//!    \-- round robin --> [ p . . . . ] <--- worker 1, worker M + 1, ...  looks at the others
//! ```
//!
//! So a slow packet holds up nobody while a worker is left, whatever queue that one belongs to.

use std::{collections::VecDeque, sync::Arc};

use super::{
    Job, Target,
    crew::{Crew, Source},
    lock,
    room::Room,
};
use crate::sync::{
    Handle, Mutex,
    atomic::{AtomicUsize, Ordering},
};

pub(super) struct Fixed(Arc<Crew<Queues>>);

struct Queues {
    queues: Vec<Mutex<Queue>>,
    next: AtomicUsize,
    /// Jobs in all queues. Counted before they are put there, so it is never too low.
    jobs: AtomicUsize,
    room: Room,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    shut: bool,
}

impl Fixed {
    pub(super) fn start(queues: usize, workers: usize, depth: usize, runtime: &Handle) -> Self {
        let queues = queues.max(1);
        let source = Queues {
            queues: (0..queues).map(|_| Mutex::default()).collect(),
            next: AtomicUsize::new(0),
            jobs: AtomicUsize::new(0),
            room: Room::new(queues.saturating_mul(depth.max(1))),
        };
        Self(Crew::start(source, workers.max(queues), runtime))
    }

    pub(super) fn target(&self) -> Arc<dyn Target> {
        Arc::clone(&self.0) as _
    }

    pub(super) fn room(&self) -> &Room {
        &self.0.source.room
    }
}

impl Drop for Fixed {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Target for Crew<Queues> {
    fn room(&self) -> &Room {
        &self.source.room
    }

    fn push(self: Arc<Self>, job: Job) {
        let Queues { queues, next, jobs, .. } = &self.source;
        let Some(queue) = queues.get(next.fetch_add(1, Ordering::Relaxed) % queues.len()) else { return };
        let mut queue = lock(queue);
        if queue.shut {
            // Not under the lock: the end of a job may be that of its session, and of the pool.
            drop(queue);
            return drop(job);
        }
        jobs.fetch_add(1, Ordering::AcqRel);
        queue.jobs.push_back(job);
        drop(queue);
        self.call();
    }
}

impl Source for Queues {
    type Work = Job;

    fn take(&self, worker: usize) -> Option<Job> {
        let count = self.queues.len();
        let from = |i: usize| lock(self.queues.get(worker.wrapping_add(i) % count)?).jobs.pop_front();
        let job = (0..count).find_map(from)?;
        self.jobs.fetch_sub(1, Ordering::AcqRel);
        Some(job)
    }

    fn run(&self, job: Job) {
        job();
    }

    fn is_dry(&self) -> bool {
        self.jobs.load(Ordering::Acquire) == 0
    }

    fn shut(&self) {
        for queue in &self.queues {
            let jobs = {
                let mut queue = lock(queue);
                queue.shut = true;
                std::mem::take(&mut queue.jobs)
            };
            self.jobs.fetch_sub(jobs.len(), Ordering::AcqRel);
            drop(jobs);
        }
    }
}
