//! Owns the count of calls that this process has served. Must not become a point where workers meet: each thread
//! counts on a cache line of its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

static LANES: Mutex<Vec<Arc<Lane>>> = Mutex::new(Vec::new());

thread_local! {
    static LANE: Arc<Lane> = {
        let lane = Arc::<Lane>::default();
        LANES.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&lane));
        lane
    };
}

/// Counts `calls` as served.
pub(crate) fn add(calls: u64) {
    LANE.with(|lane| lane.0.fetch_add(calls, Ordering::Relaxed));
}

/// Calls served by all threads so far, those that have ended included.
pub(crate) fn total() -> u64 {
    let lanes = LANES.lock().unwrap_or_else(PoisonError::into_inner);
    lanes.iter().map(|lane| lane.0.load(Ordering::Relaxed)).sum()
}

/// Two cache lines, as processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Lane(AtomicU64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_ended_threads_stay_counted() {
        let before = total();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(|| (0..100).for_each(|_| add(1)))).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(total() >= before + 400);
    }
}
