//! Owns what is measured: latencies, errors, duration and CPU of one run. Knows neither peers nor processes.

use crate::window::{Mark, Window};
use hdrhistogram::Histogram;
use std::fmt::Display;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use thiserror::Error;

/// Nanoseconds that the histogram tells apart at the low end, and the longest latency it holds; longer ones count as
/// that. Three digits between: an error of at most 0.1 %.
const FINEST: u64 = 100;
const LONGEST: u64 = 60_000_000_000;
const DIGITS: u8 = 3;

/// Latencies that a caller keeps to itself before it adds them to the histogram.
const BATCH: usize = 64;

/// What one caller, or one echoing connection, measures.
///
/// All callers of a run share one histogram, but come to it only once in 64 calls. A histogram per caller would need no
/// lock, but with a thousand callers each call would miss the cache there: 0.3 us, dearer than all else measured here.
#[derive(Debug)]
pub(crate) struct Recorder {
    histogram: Arc<Mutex<Histogram<u64>>>,
    /// Nanoseconds, and how many calls took them.
    pending: Vec<(u64, u64)>,
    errors: u64,
    first_error: Option<String>,
    last: Option<Instant>,
}

/// No result can be given for a run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum MeasureError {
    /// The histogram's bounds are not accepted.
    #[error("cannot make a histogram of latencies")]
    Histogram(#[from] hdrhistogram::CreationError),
    /// The kernel does not tell the CPU time.
    #[error("cannot read the CPU time of this process; the benchmark needs Linux and /proc")]
    Cpu(#[from] io::Error),
    /// No measured call has ended.
    #[error("no measured call has ended; give more calls or more time with -n")]
    Nothing,
}

impl Recorder {
    /// Recorders for all callers of a run.
    pub(crate) fn group(callers: usize) -> Result<Vec<Self>, MeasureError> {
        let histogram = Arc::new(Mutex::new(Histogram::new_with_bounds(FINEST, LONGEST, DIGITS)?));
        let one = |_| {
            let pending = Vec::with_capacity(BATCH);
            Self { histogram: Arc::clone(&histogram), pending, errors: 0, first_error: None, last: None }
        };
        Ok((0..callers).map(one).collect())
    }

    /// Notes `count` calls that were started together and rightly answered together.
    pub(crate) fn right(&mut self, started: Instant, ended: Instant, count: u64) {
        self.pending.push((nanos(ended.saturating_duration_since(started)), count));
        self.last = self.last.max(Some(ended));
        if self.pending.len() == BATCH {
            self.flush();
        }
    }

    /// Notes a call that failed or was answered wrongly. It has no latency. Of several, the first one's `reason` is
    /// kept.
    pub(crate) fn wrong(&mut self, ended: Instant, reason: impl Display) {
        self.errors += 1;
        self.first_error.get_or_insert_with(|| reason.to_string());
        self.last = self.last.max(Some(ended));
    }

    fn flush(&mut self) {
        let mut histogram = self.histogram.lock().unwrap_or_else(PoisonError::into_inner);
        self.pending.drain(..).for_each(|(nanos, count)| histogram.saturating_record_n(nanos, count));
    }
}

/// The result of one run.
#[derive(Debug)]
pub(crate) struct Measurement {
    latency: Histogram<u64>,
    /// Measured calls that failed or were answered wrongly.
    pub(crate) errors: u64,
    /// Why one of them failed.
    pub(crate) first_error: Option<String>,
    /// From the first measured call's start to the last one's end.
    pub(crate) elapsed: Duration,
    /// CPU time that this process spent meanwhile.
    pub(crate) cpu: Duration,
}

impl Measurement {
    /// Sums up what the callers measured. Call it when the last of them has ended, and at once, as the CPU time is read
    /// here.
    pub(crate) fn finish(window: &Window, mut recorders: Vec<Recorder>) -> Result<Self, MeasureError> {
        let end = Mark::now()?;
        let start = window.opened()?.ok_or(MeasureError::Nothing)?;
        recorders.iter_mut().for_each(Recorder::flush);
        let last = recorders.iter().filter_map(|one| one.last).max().ok_or(MeasureError::Nothing)?;
        let histogram = &recorders.first().ok_or(MeasureError::Nothing)?.histogram;
        Ok(Self {
            latency: histogram.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            errors: recorders.iter().map(|one| one.errors).sum(),
            first_error: recorders.iter().find_map(|one| one.first_error.clone()),
            elapsed: last.saturating_duration_since(start.at),
            cpu: end.cpu.saturating_sub(start.cpu),
        })
    }

    /// Calls that were rightly answered.
    pub(crate) fn calls(&self) -> u64 {
        self.latency.len()
    }

    /// Mean latency in microseconds.
    pub(crate) fn mean_us(&self) -> f64 {
        self.latency.mean() / 1000.0
    }

    /// The latency in microseconds that this part of the calls did not exceed; 1.0 gives the maximum.
    pub(crate) fn quantile_us(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1000.0
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::Budget;

    #[test]
    fn callers_are_summed_up_and_only_right_answers_have_a_latency() {
        let window = Window::start(Budget::Calls(100), 1);
        let start = Instant::now();
        window.admit(start, 200);
        let mut callers = Recorder::group(2).unwrap();
        for _ in 0..150 {
            callers[0].right(start, start + Duration::from_micros(100), 1);
        }
        callers[1].right(start, start + Duration::from_micros(300), 150);
        callers[1].wrong(start + Duration::from_secs(2), "refused");
        callers[1].wrong(start + Duration::from_secs(2), "closed");
        let all = Measurement::finish(&window, callers).unwrap();
        assert_eq!((all.calls(), all.errors, all.first_error.as_deref()), (300, 2, Some("refused")));
        assert!((all.mean_us() - 200.0).abs() < 1.0, "{}", all.mean_us());
        assert!((all.quantile_us(0.5) - 100.0).abs() < 0.2, "{}", all.quantile_us(0.5));
        assert!((all.quantile_us(1.0) - 300.0).abs() < 0.4, "{}", all.quantile_us(1.0));
        assert!(all.elapsed > Duration::from_secs(1), "the end is the end of the last call, right or wrong");
    }

    #[test]
    fn a_run_without_a_measured_call_is_an_error() {
        let window = Window::start(Budget::Calls(100), 1);
        assert!(matches!(
            Measurement::finish(&window, Recorder::group(1).unwrap()),
            Err(MeasureError::Nothing)
        ));
    }
}
