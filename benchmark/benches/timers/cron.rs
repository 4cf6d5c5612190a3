//! Owns what `on_cron` costs: sessions over pipes in memory, so that no descriptors are needed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

use getty::transport::memory::{self, Memory};
use getty::{Chunks, EventListener, Limits, Server, Session, accept, on_message};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};

pub(crate) const PERIOD: Duration = Duration::from_secs(10);
const SESSIONS: usize = 20_000;
/// They open one group after the other within a period, as they come at all times.
const GROUPS: usize = 100;
/// Part of a core that all of them may use.
const GOAL: f64 = 0.01;

/// Sessions that nobody runs.
pub(crate) fn sessions(runtime: &Runtime, count: usize) -> Vec<Session<Chunks>> {
    let _guard = runtime.enter();
    let ignore = || on_message(|_: &Session<Chunks>, _| {});
    (0..count).map(|_| accept(memory::pair().0, Chunks, ignore(), Limits::default())).collect()
}

/// Each puts its timer on and takes it off, in turn, so many times in all.
pub(crate) fn set_and_unset(sessions: &[Session<Chunks>], count: usize) {
    for session in sessions.iter().cycle().take(count) {
        session.set_cron(Some(PERIOD));
        session.set_cron(None);
    }
}

#[derive(Default)]
struct Counted(AtomicU64);

impl EventListener<Chunks> for Counted {
    fn on_message(&self, _: &Session<Chunks>, _: bytes::Bytes) {}

    fn on_cron(&self, _: &Session<Chunks>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether sessions with a cron use as little CPU as they may within `window`.
pub(crate) fn is_quiet(window: Duration) -> bool {
    let Ok(runtime) = Builder::new_multi_thread().worker_threads(2).enable_all().build() else {
        return false;
    };
    let (connector, listen) = memory::listen();
    let counted = Arc::new(Counted::default());
    let limits = Limits::default().cron(Some(PERIOD)).sessions(SESSIONS);
    runtime.spawn(Server::over(listen).limits(limits).serve(Chunks, Arc::clone(&counted)));
    let mut peers: Vec<Memory> = Vec::new();
    for _ in 0..GROUPS {
        for _ in 0..SESSIONS / GROUPS {
            peers.extend(runtime.block_on(connector.connect()).ok());
        }
        sleep(PERIOD / GROUPS as u32);
    }
    let (crons, used) = (counted.0.load(Ordering::Relaxed), process_time());
    sleep(window);
    let crons = counted.0.load(Ordering::Relaxed) - crons;
    let part = (process_time() - used).as_secs_f64() / window.as_secs_f64();
    let due = peers.len() as f64 * window.as_secs_f64() / PERIOD.as_secs_f64();
    let met = part <= GOAL && peers.len() == SESSIONS && crons as f64 > due * 0.75;
    println!(
        "goal: {} sessions with a cron of {PERIOD:?} at most {:.0} % of a core: {:.2} % for {crons} crons in {window:?}, {}",
        peers.len(),
        GOAL * 100.0,
        part * 100.0,
        if met { "met" } else { "MISSED" }
    );
    met
}

/// The time that all threads of this process have run.
fn process_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}
