//! Callers of tickets that go on and on, and a record of what they saw.

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use getty_examples::tickets::TicketsClient;
use getty_rpc::{Client, Error};
use tokio::{task::JoinSet, time::timeout};

use super::{PATIENCE, until};

/// A caller whose call failed at once does not try again at once.
const AFTER_A_FAILURE: Duration = Duration::from_millis(10);

pub(crate) struct Callers {
    stop: Arc<AtomicBool>,
    calls: Arc<Mutex<Vec<Call>>>,
    tasks: JoinSet<()>,
}

pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) started: Instant,
    /// The port of the provider that answered.
    pub(crate) outcome: Result<u16, Error>,
}

impl Callers {
    /// Half of the calls are of a method that may be repeated.
    pub(crate) fn start(client: &Client, count: usize) -> Self {
        let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::<Mutex<Vec<Call>>>::default());
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            let (stop, calls) = (Arc::clone(&stop), Arc::clone(&calls));
            let tickets: TicketsClient = client.refer();
            tasks.spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let started = Instant::now();
                    let outcome = tickets.take().await.map(|ticket| port_of(&ticket));
                    let take = Call { method: "take", started, outcome };
                    let started = Instant::now();
                    let outcome = tickets.provider().await.map(|provider| port_of(&provider));
                    let provider = Call { method: "provider", started, outcome };
                    let failed = take.outcome.is_err() || provider.outcome.is_err();
                    calls.lock().expect("no panic").extend([take, provider]);
                    if failed {
                        tokio::time::sleep(AFTER_A_FAILURE).await;
                    }
                }
            });
        }
        Self { stop, calls, tasks }
    }

    pub(crate) fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().expect("no panic")
    }

    /// Waits until a provider has answered so many calls that start from now on.
    pub(crate) async fn reach(&self, port: u16, times: usize) {
        let from = Instant::now();
        let answered =
            |call: &&Call| call.started >= from && call.outcome.as_ref().is_ok_and(|at| *at == port);
        until(|| self.calls().iter().filter(answered).count() >= times).await;
    }

    pub(crate) async fn stop(mut self) -> Vec<Call> {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(caller) = timeout(PATIENCE, self.tasks.join_next()).await.expect("callers end") {
            caller.expect("no panic");
        }
        std::mem::take(&mut *self.calls())
    }
}

/// The port in `127.0.0.1:port#number`.
fn port_of(answer: &str) -> u16 {
    let address = answer.split('#').next().expect("a first part");
    address.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
}
