//! What timers cost: `cargo bench -p getty-benchmark --bench timers [-- --quick]`.
//!
//! First a million timers are added to a wheel and cancelled, and as many by sessions, which look up the time for each, beside a
//! million pushes to a `Vec` and pops from it of what the wheel holds for each; the three take turns. Then sessions that have
//! nothing but `on_cron` are watched for a while. The process ends with 1 if a goal is missed.

#[path = "../shared/clock.rs"]
mod clock;
mod cron;
#[path = "../shared/rounds.rs"]
mod rounds;
/// What the wheel takes from getty.
mod sync {
    pub(crate) use tokio::runtime::Handle;
}
#[expect(dead_code, reason = "what sessions do with it besides")]
#[path = "../../../getty/src/wheel/mod.rs"]
mod wheel;

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::{Arc, Weak};
use std::time::Duration;

use rounds::{median, ratio, take_turns};
use tokio::runtime::{Builder, Runtime};
use wheel::{Due, Timed, Wheel};

const TIMERS: usize = 1_000_000;
/// Timers belong to as many.
const OWNERS: usize = 1_000;
/// They are due at any time within a minute, in the wheel's ticks.
const MINUTE: u64 = 6_000;
const ROUNDS: usize = 15;
const QUICK_ROUNDS: usize = 3;
/// How much longer than a push and a pop a timer may take.
const GOAL: f64 = 5.0;

const NAMES: [&str; 3] = ["Vec: push, pop", "wheel: add, cancel", "session: set_cron, none"];

/// What a timer belongs to.
struct Owner;

impl Timed for Owner {
    fn due(&self, _: u64, _: u64) -> Due {
        Due::Never
    }
}

fn main() -> ExitCode {
    let quick = std::env::args().any(|argument| argument == "--quick");
    // Nothing runs on it: it is where the wheel's task and the sessions' would.
    let Ok(runtime) = Builder::new_current_thread().enable_time().build() else { return ExitCode::FAILURE };
    let owners: Vec<_> = (0..OWNERS).map(|_| Arc::new(Owner)).collect();
    let sessions = cron::sessions(&runtime, OWNERS);
    let times = take_turns(if quick { QUICK_ROUNDS } else { ROUNDS }, NAMES.len(), |case| {
        let start = clock::thread_time();
        match case {
            0 => vec(&owners),
            1 => wheel(&runtime, &owners),
            _ => cron::set_and_unset(&sessions, TIMERS),
        }
        (clock::thread_time() - start).as_nanos() as f64 / TIMERS as f64
    });
    println!("{:26} {:>8} {:>8}", format!("{TIMERS} timers"), "ns each", "ratio");
    for (name, of_case) in NAMES.iter().zip(&times) {
        println!("{name:26} {:>8.1} {:>8.2}", median(of_case.clone()), ratio(of_case, &times[0]));
    }
    let meets = |case: usize| rounds::meets(NAMES[case], GOAL, NAMES[0], ratio(&times[case], &times[0]));
    let cheap = meets(1) & meets(2);
    let quiet = cron::is_quiet(if quick { Duration::from_secs(2) } else { cron::PERIOD });
    if cheap && quiet { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// When timer `number` is due, in ticks from now: any time within a minute, in no order.
fn ticks(number: usize) -> u64 {
    1 + (number as u64).wrapping_mul(2_654_435_761) % MINUTE
}

fn targets(owners: &[Arc<Owner>]) -> impl Iterator<Item = Weak<dyn Timed>> {
    owners.iter().cycle().take(TIMERS).map(|owner| Arc::downgrade(owner) as Weak<dyn Timed>)
}

fn vec(owners: &[Arc<Owner>]) {
    let mut all = Vec::new();
    for (number, target) in targets(owners).enumerate() {
        all.push((ticks(number), target));
    }
    while let Some(one) = all.pop() {
        black_box(one);
    }
}

/// All are there before the first is cancelled. Whoever adds a timer knows its tick, and keeps its key.
fn wheel(runtime: &Runtime, owners: &[Arc<Owner>]) {
    let wheel = Wheel::new(runtime.handle().clone());
    let now = wheel.after(0);
    let mut keys = Vec::new();
    for (number, target) in targets(owners).enumerate() {
        keys.push(wheel.insert(now + ticks(number), target));
    }
    for key in keys {
        wheel.cancel(key);
    }
}
