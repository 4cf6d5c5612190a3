//! Task pools: `on_message` outside of the session's task, so that a slow packet does not hold up those behind it.
//!
//! ```text
//!   session tasks                queues (M)              workers (N tokio tasks)
//!   decode --- round robin ---> [ p p p . . ] ---------> worker 0, worker M, ...
//!          \-- round robin ---> [ p . . . . ] ---------> worker 1, worker M + 1, ...
//! ```
//!
//! A pool is bounded: a session takes a place before it decodes a packet, and without one it rests until a worker has made
//! room. Packets of one session may be handled in another order than they came in.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Waker,
};

use tokio::{runtime::Handle, sync::Notify};

/// Jobs that a worker does before others of the runtime get their turn.
const TURN: usize = 16;

/// Where `on_message` runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Pool {
    /// In the session's task, in the order of the packets.
    #[default]
    Inline,
    /// In tasks of a pool, in any order.
    Fixed {
        /// Queues; each packet goes to the next one. At least one is made.
        queues: usize,
        /// Workers; worker `i` takes from queue `i % queues`. At least one a queue is made.
        workers: usize,
        /// Packets that may wait in a queue. A session that finds all places taken reads no further until there is room.
        depth: usize,
    },
}

/// One packet and what is to be done with it.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// The places and queues of a fixed pool. The workers end when it is dropped.
pub(crate) struct Fixed {
    shared: Arc<Shared>,
}

struct Shared {
    queues: Vec<Queue>,
    next: AtomicUsize,
    /// Places that are not taken.
    room: AtomicUsize,
    /// Sessions that wait for one.
    waiting: Mutex<Vec<Waker>>,
    ended: AtomicBool,
}

struct Queue {
    jobs: Mutex<VecDeque<Job>>,
    filled: Notify,
}

/// A place in a pool. Dropped, it is free again.
pub(crate) struct Place {
    shared: Arc<Shared>,
}

impl Fixed {
    /// `None` where there is no pool.
    pub(crate) fn start(pool: Pool, runtime: &Handle) -> Option<Self> {
        let Pool::Fixed { queues, workers, depth } = pool else { return None };
        let queues = queues.max(1);
        let workers = workers.max(queues);
        let places = queues.saturating_mul(depth.max(1));
        let queue = |_| Queue { jobs: Mutex::default(), filled: Notify::new() };
        let shared = Arc::new(Shared {
            queues: (0..queues).map(queue).collect(),
            next: AtomicUsize::new(0),
            room: AtomicUsize::new(places),
            waiting: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        for worker in 0..workers {
            runtime.spawn(work(Arc::clone(&shared), worker % queues));
        }
        Some(Self { shared })
    }

    /// A place for one packet. Without room the waker is woken when there may be some.
    pub(crate) fn place(&self, waker: &Waker) -> Option<Place> {
        self.try_place().or_else(|| {
            // Noted before room is looked for again: else what is freed in between wakes nobody.
            let mut waiting = lock(&self.shared.waiting);
            if !waiting.iter().any(|known| known.will_wake(waker)) {
                waiting.push(waker.clone());
            }
            drop(waiting);
            self.try_place()
        })
    }

    fn try_place(&self) -> Option<Place> {
        self.shared
            .room
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |room| room.checked_sub(1))
            .is_ok()
            .then(|| Place { shared: Arc::clone(&self.shared) })
    }
}

impl Drop for Fixed {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        for queue in &self.shared.queues {
            queue.filled.notify_waiters();
            // One that is about to wait finds this.
            queue.filled.notify_one();
        }
    }
}

impl Place {
    /// Puts a job into the next queue. The place is free again when a worker takes it up.
    pub(crate) fn fill(self, job: impl FnOnce() + Send + 'static) {
        let shared = Arc::clone(&self.shared);
        let index = shared.next.fetch_add(1, Ordering::Relaxed) % shared.queues.len();
        if let Some(queue) = shared.queues.get(index) {
            lock(&queue.jobs).push_back(Box::new(move || {
                drop(self);
                job();
            }));
            queue.filled.notify_one();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.room.fetch_add(1, Ordering::AcqRel);
        let waiting = std::mem::take(&mut *lock(&self.shared.waiting));
        waiting.into_iter().for_each(Waker::wake);
    }
}

async fn work(shared: Arc<Shared>, queue: usize) {
    let Some(queue) = shared.queues.get(queue) else { return };
    let mut done = 0_usize;
    loop {
        let filled = queue.filled.notified();
        let job = lock(&queue.jobs).pop_front();
        match job {
            Some(job) => {
                job();
                done += 1;
                if done.is_multiple_of(TURN) {
                    // A queue that never runs dry must not keep the thread.
                    tokio::task::yield_now().await;
                }
            }
            None if shared.ended.load(Ordering::Acquire) => {
                // The next worker of this queue is to hear of it too.
                queue.filled.notify_one();
                return;
            }
            None => filled.await,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
