//! Finds out that a silent peer is gone. A plain state machine: it is told the time and how many bytes have come.
//!
//! ```text
//!   idle for 3/4 period        idle for 2 periods
//!  ------ Ask: heartbeat ------ Dead: close --------> time
//! ```
//!
//! The session looks four times a period and learns only then that something has come, so a peer that stops is noticed before
//! two and a half periods have passed, and one that answers has more than half a period for it. Bytes are counted and not
//! frames: a long frame may take several periods to come.

use std::time::Duration;

use tokio::time::Instant;

/// Watches one connection.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    period: Duration,
    bytes: u64,
    heard: Instant,
    asked: Instant,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pulse {
    /// Nothing.
    Quiet,
    /// Send a heartbeat.
    Ask,
    /// Close: nothing came for so long.
    Dead(Duration),
}

impl Heartbeat {
    pub(crate) fn new(period: Duration, now: Instant) -> Self {
        Self { period, bytes: 0, heard: now, asked: now }
    }

    /// How often to look.
    pub(crate) fn interval(period: Duration) -> Duration {
        period / 4
    }

    /// Looks. So many `bytes` have come so far.
    pub(crate) fn look(&mut self, now: Instant, bytes: u64) -> Pulse {
        if bytes != self.bytes {
            self.bytes = bytes;
            self.heard = now;
            return Pulse::Quiet;
        }
        let idle = now.saturating_duration_since(self.heard);
        if idle >= self.period * 2 {
            return Pulse::Dead(idle);
        }
        let asked = now.saturating_duration_since(self.asked);
        if idle >= self.period * 3 / 4 && asked >= self.period / 2 {
            self.asked = now;
            return Pulse::Ask;
        }
        Pulse::Quiet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(60);

    fn run(until: Duration, bytes: impl Fn(Duration) -> u64) -> Vec<(u64, Pulse)> {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(PERIOD, start);
        let mut seen = Vec::new();
        let mut at = Duration::ZERO;
        while at < until {
            at += Heartbeat::interval(PERIOD);
            match heartbeat.look(start + at, bytes(at)) {
                Pulse::Quiet => {}
                pulse => seen.push((at.as_secs(), pulse)),
            }
        }
        seen
    }

    #[test]
    fn a_peer_that_stops_is_noticed_within_three_periods() {
        // It stops right after a look.
        let pulses = run(3 * PERIOD, |at| if at <= Duration::from_secs(1) { 0 } else { 1 });
        let dead = pulses.iter().find(|(_, pulse)| matches!(pulse, Pulse::Dead(_))).expect("noticed");
        assert!(dead.0 < 3 * PERIOD.as_secs(), "{pulses:?}");
        assert!(pulses.iter().any(|(_, pulse)| *pulse == Pulse::Ask));
    }

    #[test]
    fn a_peer_that_answers_heartbeats_is_never_dead() {
        // Answers come a look after the question.
        let pulses = run(20 * PERIOD, |at| at.as_secs() / 60);
        assert!(pulses.iter().all(|(_, pulse)| *pulse == Pulse::Ask), "{pulses:?}");
    }

    #[test]
    fn a_busy_peer_is_not_asked() {
        assert_eq!(run(10 * PERIOD, |at| at.as_secs()), []);
    }
}
