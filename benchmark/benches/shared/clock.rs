//! Owns the clock: what this thread has run. Time in which others had the processor does not count.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

pub(crate) fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}
