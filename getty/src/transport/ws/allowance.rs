//! How often frames come that bring nothing: what a peer may send of them, and how many pings this side sends. It knows no frame.
//!
//! ```text
//!   second with more than the limit --> strike --two more, each within 5 s of the one before--> over
//!          ^                              |
//!          +------ 5 s without one -------+
//! ```
//!
//! A burst is one strike, however long: what a stalled network has gathered comes all at once.

use std::time::Duration;

use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
/// How long a strike is remembered.
const MEMORY: Duration = Duration::from_secs(5);
const STRIKES: u8 = 3;
/// Part of the limit that own pings may take: the peer may have the same limit, and counts the answers to its own pings too.
const PART: usize = 3;

/// Of one connection.
#[derive(Debug)]
pub(super) struct Allowance {
    /// Frames a second.
    limit: usize,
    received: Count,
    pings: Count,
    struck: Instant,
    strikes: u8,
}

/// Frames of the second that runs.
#[derive(Debug)]
struct Count {
    began: Instant,
    frames: usize,
}

impl Allowance {
    pub(super) fn new(limit: usize) -> Self {
        let now = Instant::now();
        let count = || Count { began: now, frames: 0 };
        Self { limit, received: count(), pings: count(), struck: now, strikes: 0 }
    }

    /// Counts one of the peer's; whether it may go on.
    pub(super) fn admits(&mut self) -> bool {
        let now = Instant::now();
        // The first one above the limit is the strike, those that follow it are the same.
        if self.received.next(now).checked_sub(self.limit) != Some(1) {
            return true;
        }
        if now.saturating_duration_since(self.struck) >= MEMORY {
            self.strikes = 0;
        }
        self.struck = now;
        self.strikes += 1;
        self.strikes < STRIKES
    }

    /// Whether this side may send a ping now, and counts it.
    pub(super) fn may_ping(&mut self) -> bool {
        self.pings.next(Instant::now()) <= (self.limit / PART).max(1)
    }
}

impl Count {
    /// How many there have been with this one.
    fn next(&mut self, now: Instant) -> usize {
        if now.saturating_duration_since(self.began) >= SECOND {
            *self = Self { began: now, frames: 0 };
        }
        self.frames = self.frames.saturating_add(1);
        self.frames
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    /// Whether a peer may send so many frames at this distance.
    async fn admits(allowance: &mut Allowance, count: usize, apart: Duration) -> bool {
        for _ in 0..count {
            if !allowance.admits() {
                return false;
            }
            advance(apart).await;
        }
        true
    }

    #[tokio::test(start_paused = true)]
    async fn ten_a_second_may_come_for_ever_and_eleven_for_less_than_four_seconds() {
        let mut allowance = Allowance::new(10);
        assert!(admits(&mut allowance, 1_000, SECOND / 10).await);
        let (mut allowance, began) = (Allowance::new(10), Instant::now());
        assert!(!admits(&mut allowance, 1_000, SECOND / 11).await);
        assert!((2 * SECOND..4 * SECOND).contains(&began.elapsed()), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_one_strike_and_a_strike_is_forgotten() {
        let mut allowance = Allowance::new(10);
        for _ in 0..10 {
            assert!(admits(&mut allowance, 10_000, Duration::ZERO).await);
            advance(MEMORY).await;
        }
        assert!(admits(&mut allowance, 10_000, Duration::ZERO).await);
        advance(MEMORY - SECOND).await;
        assert!(admits(&mut allowance, 10_000, Duration::ZERO).await);
        advance(MEMORY - SECOND).await;
        assert!(!admits(&mut allowance, 11, Duration::ZERO).await, "the third one is too many");
    }

    #[tokio::test(start_paused = true)]
    async fn two_sides_that_ping_as_often_as_they_may_do_not_meet_the_limit() {
        let (mut own, mut peer) = (Allowance::new(10), Allowance::new(10));
        for _ in 0..1_000 {
            // A ping of the one, and the other's answer to its own.
            for _ in 0..2 * usize::from(own.may_ping()) {
                assert!(peer.admits());
            }
            advance(SECOND / 100).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nothing_is_counted_against_anybody() {
        let mut allowance = Allowance::new(usize::MAX);
        for _ in 0..100 {
            assert!((0..1_000).all(|_| allowance.admits() && allowance.may_ping()));
            advance(SECOND).await;
        }
    }
}
