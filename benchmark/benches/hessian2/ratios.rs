//! All cases in turn, for ratios: `cargo bench -p getty-benchmark --bench hessian2-ratios [-- [--quick] [GROUP]]`.
//!
//! The cases of a group run interleaved: each round gives every one of them a slice of the same length, and each round
//! begins with another one. A ratio is the median of the ratios within the rounds, so a slow minute of the machine touches
//! both its sides. Times are medians of the time that the thread has run. Below the groups that have goals stands which are
//! met; the process ends with 1 if one is missed. Who takes no part in a group, and why, stands there too.
#![allow(clippy::unwrap_used, reason = "a case that fails has no time")]

mod cases;
#[path = "../shared/clock.rs"]
mod clock;
mod goals;
#[path = "../shared/rounds.rs"]
mod rounds;

use std::process::ExitCode;
use std::time::Duration;

use cases::{Case, Group};
use goals::Goal;
use rounds::{median, ratio};

/// How long a case runs in each round.
const SLICE: Duration = Duration::from_millis(2);
const ROUNDS: usize = 101;
const QUICK_ROUNDS: usize = 11;

fn main() -> ExitCode {
    let remarks = cases::remarks();
    let mut rounds = ROUNDS;
    let mut filters = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--quick" => rounds = QUICK_ROUNDS,
            // Cargo's own.
            "--bench" => {}
            _ => filters.push(argument),
        }
    }
    let mut met = true;
    for mut group in cases::groups() {
        if !filters.is_empty() && !filters.iter().any(|filter| group.name.contains(filter)) {
            continue;
        }
        let times = measure(&mut group, rounds);
        print_times(&group, &times);
        group.remarks.iter().for_each(|remark| println!("{remark}"));
        for goal in goals::of(&group.name) {
            met &= print_goal(&group, goal, &times);
        }
    }
    if !remarks.is_empty() {
        println!();
    }
    remarks.iter().for_each(|remark| println!("{remark}"));
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Nanoseconds of one run, for each case and round.
fn measure(group: &mut Group, rounds: usize) -> Vec<Vec<f64>> {
    let runs: Vec<_> = group.cases.iter_mut().map(|named| runs_in_a_slice(&mut named.case)).collect();
    rounds::take_turns(rounds, group.cases.len(), |at| {
        let time = time(&mut group.cases[at].case, runs[at]);
        time.as_nanos() as f64 / runs[at] as f64
    })
}

fn runs_in_a_slice(case: &mut Case) -> u64 {
    let mut runs = 1;
    loop {
        let time = time(case, runs);
        if time >= SLICE / 2 {
            let runs = SLICE.as_nanos() * u128::from(runs) / time.as_nanos();
            return (runs as u64).max(1);
        }
        runs *= 2;
    }
}

fn time(case: &mut Case, runs: u64) -> Duration {
    let start = clock::thread_time();
    for _ in 0..runs {
        case.run();
    }
    clock::thread_time().saturating_sub(start)
}

fn print_times(group: &Group, times: &[Vec<f64>]) {
    let base = group.cases[0].name;
    println!("\n{:26} {:>9} {:>11} {:>8}", group.name, "bytes", "ns", format!("x {base}"));
    for (named, of_case) in group.cases.iter().zip(times) {
        let (time, ratio) = (median(of_case.clone()), ratio(of_case, &times[0]));
        println!("{:26} {:>9} {time:>11.0} {ratio:>8.2}", named.name, named.bytes);
    }
}

fn print_goal(group: &Group, goal: &Goal, times: &[Vec<f64>]) -> bool {
    let of_case = |name| &times[group.cases.iter().position(|named| named.name == name).unwrap()];
    rounds::meets(goal.case, goal.at_most, goal.of, ratio(of_case(goal.case), of_case(goal.of)))
}
