//! Owns the pauses between tries: 0.2 s, doubled at each failure up to 2 s, with jitter. Knows no limit of tries: what is
//! declared stays declared.

use std::time::Duration;

use crate::race::jittered;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(2);

/// The pause that comes next.
pub(crate) struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Backoff {
    /// The next pause, 80 % to 120 % of its middle, which is at most 2 s.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = jittered(self.0);
        self.0 = self.0.saturating_mul(2).min(LONGEST);
        pause
    }

    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;

    #[test]
    fn pauses_grow_up_to_a_limit_and_start_anew_after_a_reset() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u128> = (0..50).map(|_| backoff.next().as_millis()).collect();
        assert!((160..=240).contains(&pauses[0]), "{pauses:?}");
        assert!(pauses[5..].iter().all(|pause| (1600..=2400).contains(pause)), "{pauses:?}");
        backoff.reset();
        assert!(backoff.next().as_millis() <= 240);
    }
}
