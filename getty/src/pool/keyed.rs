//! The keyed pool: queues with one worker each; a packet's key says which. Owns the way from a key to a queue.
//!
//! ```text
//!   key --- hash with the pool's secret, modulo queues ---> [ p p . . ] ---> its worker
//! ```
//!
//! One worker a queue keeps the order of a key. It also lets a slow packet hold up the keys that share its queue.

use std::{
    collections::VecDeque,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use super::{
    Job, Target,
    crew::{Crew, Source},
    lock,
    room::Room,
};
use crate::sync::{Handle, Mutex};

pub(super) struct Keyed {
    queues: Vec<Arc<Crew<Queue>>>,
    /// Without a secret, a peer that chooses its keys could choose a queue, and fill it.
    secret: RandomState,
}

struct Queue {
    jobs: Mutex<Jobs>,
    room: Room,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    shut: bool,
}

impl Keyed {
    pub(super) fn start(queues: usize, depth: usize, runtime: &Handle) -> Self {
        let queue = |_| Crew::start(Queue { jobs: Mutex::default(), room: Room::new(depth) }, 1, runtime);
        Self { queues: (0..queues.max(1)).map(queue).collect(), secret: RandomState::new() }
    }

    pub(super) fn target(&self, key: u64) -> Arc<dyn Target> {
        let spread = self.secret.hash_one(key) % self.queues.len() as u64;
        let index = usize::try_from(spread).unwrap_or_default();
        Arc::clone(&self.queues[index]) as _
    }

    pub(super) fn rooms(&self) -> impl Iterator<Item = &Room> {
        self.queues.iter().map(|queue| &queue.source.room)
    }
}

impl Drop for Keyed {
    fn drop(&mut self) {
        self.queues.iter().for_each(|queue| queue.end());
    }
}

impl Target for Crew<Queue> {
    fn room(&self) -> &Room {
        &self.source.room
    }

    fn push(self: Arc<Self>, job: Job) {
        let mut jobs = lock(&self.source.jobs);
        if jobs.shut {
            // Not under the lock: the end of a job may be that of its session, and of the pool.
            drop(jobs);
            return drop(job);
        }
        jobs.waiting.push_back(job);
        drop(jobs);
        self.call();
    }
}

impl Source for Queue {
    type Work = Job;

    fn take(&self, _: usize) -> Option<Job> {
        lock(&self.jobs).waiting.pop_front()
    }

    fn run(&self, job: Job) {
        job();
    }

    fn is_dry(&self) -> bool {
        // There is no other worker.
        true
    }

    fn shut(&self) {
        let waiting = {
            let mut jobs = lock(&self.jobs);
            jobs.shut = true;
            std::mem::take(&mut jobs.waiting)
        };
        drop(waiting);
    }
}
