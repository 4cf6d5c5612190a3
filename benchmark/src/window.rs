//! Owns the decision which calls are measured. Must never touch a call in flight: a call belongs to the window in
//! which it started, so warm-up runs into measuring without a pause and without a reset.
//!
//! ```text
//! connected ---- warm-up ----> open ---- measured ----> over: no call starts, those in flight end
//! ```

use crate::usage;
use std::io;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How much is measured. A quarter of it comes before as warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Budget {
    /// This many calls, over all callers.
    Calls(u64),
    /// All calls that start within this time.
    Time(Duration),
}

impl Budget {
    /// The budget as the command line spells it.
    pub(crate) fn to_argument(self) -> String {
        match self {
            Self::Calls(calls) => calls.to_string(),
            Self::Time(time) => format!("{}s", time.as_secs_f64()),
        }
    }
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused =
            || format!("expected a number of calls such as 100000 or seconds such as 3s, got {text:?}");
        let budget = match text.strip_suffix('s') {
            None => Self::Calls(text.parse().map_err(|_| refused())?),
            Some(seconds) => {
                let seconds = seconds.parse().map_err(|_| refused())?;
                Self::Time(Duration::try_from_secs_f64(seconds).map_err(|_| refused())?)
            }
        };
        match budget {
            Self::Calls(0) | Self::Time(Duration::ZERO) => Err(refused()),
            // Longer runs say no more, and no run may be endless.
            Self::Time(time) if time > LONGEST => {
                Err(format!("expected at most {} seconds, got {text}", LONGEST.as_secs()))
            }
            budget => Ok(budget),
        }
    }
}

const LONGEST: Duration = Duration::from_secs(3600);

/// What the callers of one run share.
#[derive(Debug)]
pub(crate) struct Window {
    limit: Limit,
    opened: OnceLock<io::Result<Mark>>,
}

/// The moment of the first measured call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) at: Instant,
    /// CPU time of this process until then.
    pub(crate) cpu: Duration,
}

/// How many of the calls asked for may start: the warm ones first. Fewer than asked for: the window is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Admitted {
    pub(crate) warm_up: u64,
    pub(crate) measured: u64,
    /// These are the first that are measured.
    pub(crate) opened: bool,
}

impl Admitted {
    fn new(warm_up: u64, measured: u64) -> Self {
        Self { warm_up, measured, opened: false }
    }
}

#[derive(Debug)]
enum Limit {
    Calls { drawn: AtomicU64, warm_up: u64, end: u64 },
    Time { opens: Instant, closes: Instant },
}

impl Window {
    /// Starts the warm-up now. `in_flight` is the number of calls that run at once: each of them is warmed up at
    /// least once.
    pub(crate) fn start(budget: Budget, in_flight: usize) -> Self {
        let limit = match budget {
            Budget::Calls(calls) => {
                let warm_up = (calls / 4).max(in_flight as u64);
                Limit::Calls { drawn: AtomicU64::new(0), warm_up, end: warm_up.saturating_add(calls) }
            }
            Budget::Time(time) => {
                let opens = Instant::now() + time / 4;
                Limit::Time { opens, closes: opens + time }
            }
        };
        Self { limit, opened: OnceLock::new() }
    }

    /// Asks to start `wanted` calls at `now`.
    pub(crate) fn admit(&self, now: Instant, wanted: u64) -> Admitted {
        let mut admitted = self.limit.admit(now, wanted);
        if admitted.measured > 0 {
            self.opened.get_or_init(|| {
                admitted.opened = true;
                Mark::now()
            });
        }
        admitted
    }

    /// When measuring began; `None` if no measured call was started.
    ///
    /// # Errors
    /// When the CPU time could not be read at that moment.
    pub(crate) fn opened(&self) -> io::Result<Option<Mark>> {
        match self.opened.get() {
            None => Ok(None),
            Some(Ok(mark)) => Ok(Some(*mark)),
            Some(Err(error)) => Err(io::Error::new(error.kind(), error.to_string())),
        }
    }
}

impl Limit {
    fn admit(&self, now: Instant, wanted: u64) -> Admitted {
        match self {
            Self::Calls { drawn, warm_up, end } => {
                let first = drawn.fetch_add(wanted, Ordering::Relaxed);
                let below = |bound: u64| bound.saturating_sub(first).min(wanted);
                Admitted::new(below(*warm_up), below(*end) - below(*warm_up))
            }
            Self::Time { closes, .. } if now >= *closes => Admitted::new(0, 0),
            Self::Time { opens, .. } if now >= *opens => Admitted::new(0, wanted),
            Self::Time { .. } => Admitted::new(wanted, 0),
        }
    }
}

impl Mark {
    pub(crate) fn now() -> io::Result<Self> {
        let cpu = usage::cpu_time()?;
        Ok(Self { at: Instant::now(), cpu })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_budget_is_measured_whatever_the_batches() {
        for batch in [1, 3, 64, 500] {
            let window = Window::start(Budget::Calls(100), 8);
            let (mut warm_up, mut measured) = (0, 0);
            loop {
                let admitted = window.admit(Instant::now(), batch);
                warm_up += admitted.warm_up;
                measured += admitted.measured;
                if admitted.warm_up + admitted.measured < batch {
                    break;
                }
            }
            assert_eq!((warm_up, measured), (25, 100), "batches of {batch}");
        }
    }

    #[test]
    fn every_caller_is_warmed_up() {
        let window = Window::start(Budget::Calls(100), 1000);
        assert_eq!(window.admit(Instant::now(), 2000), Admitted { opened: true, ..Admitted::new(1000, 100) });
    }

    #[test]
    fn a_call_belongs_to_the_time_at_which_it_started() {
        let window = Window::start(Budget::Time(Duration::from_secs(400)), 1);
        let start = Instant::now();
        let at = |seconds| window.admit(start + Duration::from_secs(seconds), 5);
        assert_eq!(at(0), Admitted::new(5, 0));
        assert!(window.opened().unwrap().is_none());
        assert_eq!(at(300), Admitted { opened: true, ..Admitted::new(0, 5) });
        assert_eq!(at(301), Admitted::new(0, 5));
        assert!(window.opened().unwrap().is_some());
        assert_eq!(at(600), Admitted::new(0, 0));
    }

    #[test]
    fn a_budget_is_calls_or_seconds_and_is_spelt_back() {
        for (text, budget) in
            [("5000", Budget::Calls(5000)), ("2.5s", Budget::Time(Duration::from_millis(2500)))]
        {
            assert_eq!(text.parse(), Ok(budget));
            assert_eq!(budget.to_argument(), text);
        }
        for text in ["", "0", "0s", "-1s", "s", "abc", "1e99s", "inf s", "99999s"] {
            assert!(text.parse::<Budget>().is_err(), "{text}");
        }
    }
}
