//! The ordered pool: each session has a line, and lines are queued, each at most once. Owns that no two workers ever have the
//! same line.
//!
//! ```text
//!             first packet                   a worker takes it up
//!   Resting ----------------> Queued ------------------------------> Worked on
//!      ^                         ^                                       |
//!      |                         +----- a turn is over, more wait -------+
//!      +------------------------------- nothing waits -------------------+
//! ```
//!
//! So order holds with any number of workers, a slow session has one worker at the most, and the queue is no longer than the
//! number of sessions.

use std::{collections::VecDeque, sync::Arc};

use super::{
    Job, Target,
    crew::{Crew, Source, TURN},
    lock,
    room::Room,
};
use crate::sync::{Handle, Mutex};

pub(super) struct Ordered {
    crew: Arc<Crew<Lines>>,
    depth: usize,
}

/// Packets of one session that wait.
pub(crate) struct Line {
    jobs: Mutex<Jobs>,
    room: Room,
    crew: Arc<Crew<Lines>>,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    /// Queued, or worked on.
    busy: bool,
}

/// Lines with packets that nobody works on.
#[derive(Default)]
struct Lines(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    lines: VecDeque<Arc<Line>>,
    shut: bool,
}

impl Ordered {
    pub(super) fn start(workers: usize, depth: usize, runtime: &Handle) -> Self {
        Self { crew: Crew::start(Lines::default(), workers, runtime), depth }
    }

    pub(super) fn line(&self) -> Arc<Line> {
        Arc::new(Line { jobs: Mutex::default(), room: Room::new(self.depth), crew: Arc::clone(&self.crew) })
    }
}

impl Drop for Ordered {
    fn drop(&mut self) {
        self.crew.end();
    }
}

impl Target for Line {
    fn room(&self) -> &Room {
        &self.room
    }

    fn push(self: Arc<Self>, job: Job) {
        {
            let mut jobs = lock(&self.jobs);
            jobs.waiting.push_back(job);
            if std::mem::replace(&mut jobs.busy, true) {
                return;
            }
        }
        let crew = Arc::clone(&self.crew);
        if crew.source.queue(self) {
            crew.call();
        }
    }
}

impl Line {
    /// Drops what waits. What a job holds may be the last handle to a session, so not under the lock.
    fn clear(&self) {
        let waiting = {
            let mut jobs = lock(&self.jobs);
            jobs.busy = false;
            std::mem::take(&mut jobs.waiting)
        };
        drop(waiting);
    }

    /// The next job; `None` when nothing waits, and from then on nobody works on this line.
    fn next(&self) -> Option<Job> {
        let mut jobs = lock(&self.jobs);
        let next = jobs.waiting.pop_front();
        jobs.busy = next.is_some();
        next
    }
}

impl Lines {
    /// Whether it was queued; if nobody works any more it is cleared instead.
    fn queue(&self, line: Arc<Line>) -> bool {
        let mut queue = lock(&self.0);
        if queue.shut {
            drop(queue);
            line.clear();
            return false;
        }
        queue.lines.push_back(line);
        true
    }
}

impl Source for Lines {
    type Work = Arc<Line>;

    fn take(&self, _: usize) -> Option<Arc<Line>> {
        lock(&self.0).lines.pop_front()
    }

    fn run(&self, line: Arc<Line>) {
        for _ in 0..TURN {
            match line.next() {
                Some(job) => job(),
                None => return,
            }
        }
        let is_last = {
            let mut jobs = lock(&line.jobs);
            jobs.busy = !jobs.waiting.is_empty();
            !jobs.busy
        };
        if !is_last {
            self.queue(line);
        }
    }

    fn is_dry(&self) -> bool {
        lock(&self.0).lines.is_empty()
    }

    fn shut(&self) {
        let lines = {
            let mut queue = lock(&self.0);
            queue.shut = true;
            std::mem::take(&mut queue.lines)
        };
        lines.iter().for_each(|line| line.clear());
    }
}
