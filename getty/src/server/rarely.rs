//! What strangers can cause is told in the log once a second at most, so that nobody fills a disk.

use std::time::Duration;

use tokio::time::Instant;

const PERIOD: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Rarely {
    last: Option<Instant>,
    untold: u64,
}

impl Rarely {
    /// Whether it may be told now, and then how often it was not since the last time.
    pub(super) fn now(&mut self) -> Option<u64> {
        let now = Instant::now();
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < PERIOD) {
            self.untold += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_thousand_at_once_are_one_line_and_the_next_one_says_how_many_there_were() {
        let mut rarely = Rarely::default();
        assert_eq!(rarely.now(), Some(0));
        assert!((0..999).all(|_| rarely.now().is_none()));
        tokio::time::advance(PERIOD).await;
        assert_eq!(rarely.now(), Some(999));
    }
}
