//! Each case by itself, with criterion's statistics: `cargo bench -p getty-benchmark --bench hessian2`.
//!
//! Criterion runs one case after the other, so figures of two cases may come from two minutes of the machine. For
//! ratios see the bench `hessian2-ratios`.
#![allow(clippy::unwrap_used, reason = "a case that fails has no time")]

mod cases;
#[path = "../shared/clock.rs"]
mod clock;

use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput};

/// Time that the thread has run.
struct ThreadTime;

impl Measurement for ThreadTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        clock::thread_time()
    }

    fn end(&self, start: Duration) -> Duration {
        clock::thread_time().saturating_sub(start)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        static WALL: WallTime = WallTime;
        WALL.formatter()
    }
}

fn main() {
    let remarks = cases::remarks();
    let mut criterion = Criterion::default().with_measurement(ThreadTime).configure_from_args();
    for group in cases::groups() {
        let mut bench = criterion.benchmark_group(&group.name);
        for mut named in group.cases {
            bench.throughput(Throughput::Bytes(named.bytes as u64));
            bench.bench_function(named.name, |bencher| bencher.iter(|| named.case.run()));
        }
        bench.finish();
        group.remarks.iter().for_each(|remark| println!("{remark}"));
    }
    criterion.final_summary();
    remarks.iter().for_each(|remark| println!("{remark}"));
}
