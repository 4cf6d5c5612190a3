//! When a client may dial again. Knows no socket and no task: it is told what happened and when.
//!
//! ```text
//!                 failed                 failed
//!   Good (0) ---------------> Bad (1) ---------------> Bad (2) ...   waits grow, at most `max`
//!     ^                          |                        |
//!     +-------- proven ----------+------------------------+
//! ```
//!
//! An accepted connection proves nothing: proxies accept for providers that are gone. A first good packet does, or having
//! lived for some seconds. But a session that ended in its first second is a failure whatever came over it, and after such
//! a one a first packet proves nothing before that second has passed: else a peer that greets and closes is dialled without
//! end.
//!
//! When a server goes, all its clients fail at the same moment, and must not come back at the same moment. Jitter on each wait is
//! not enough for that: it adds up so slowly that after two seconds most clients still dial within a few tenths of one. So chance
//! decides how much a wait *grows*; the first ones, which all clients have in common, tear them apart. And an attempt that took
//! long widens the wait after it: attempts that time out together began together.

use std::time::Duration;

use tokio::time::Instant;

/// Where an attempt fails at once, no wait at all would keep a thread busy for good.
const SHORTEST: Duration = Duration::from_millis(1);

/// A time that nobody lives to see.
const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// When a client dials again: after failed attempts with growing waits, after the loss of a good session at once.
///
/// An attempt has failed when the dial fails, when `on_open` refuses, or when the session ends before it has proven its peer: by
/// a packet, or by its age. The first proof resets the waits; that a connection was accepted does not.
///
/// Somebody who needs a session meanwhile has it dialled [`on_demand`](Self::on_demand) after the last attempt at the latest;
/// [`Client::connect_now`](crate::Client::connect_now) waits for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backoff {
    /// Wait after the first failure; with each further one it grows by a factor between 1.5 and 3, by chance. Jitter takes up to a
    /// quarter off, and adds up to half of the time that the attempt took. No wait is shorter than 1 ms before that. Default
    /// 200 ms.
    pub first: Duration,
    /// Longest wait, counted from the beginning of the attempt that failed, before jitter takes off. Default 30 s.
    pub max: Duration,
    /// A session that lived so long counts as good even if no packet came. Default 5 s.
    pub proof: Duration,
    /// A session that ends before it is so old counts as a failed attempt even if packets came. Default 1 s.
    pub brief: Duration,
    /// Somebody who needs a session cuts a longer wait down to this since the last attempt. Default 6 s.
    pub on_demand: Duration,
    /// A session that is lost, and no failure, is dialled again within this, by chance. Who needs a session does not wait for it.
    /// Default 50 ms.
    pub spread: Duration,
    /// Makes chance the same in every run, for simulations. Clients with the same seed dial at the same moments, so each needs its
    /// own. Default `None`: another one for every client.
    pub seed: Option<u64>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(200),
            max: Duration::from_secs(30),
            proof: Duration::from_secs(5),
            brief: Duration::from_secs(1),
            on_demand: Duration::from_secs(6),
            spread: Duration::from_millis(50),
            seed: None,
        }
    }
}

impl Backoff {
    /// With another wait after the first failure.
    #[must_use]
    pub const fn first(mut self, first: Duration) -> Self {
        self.first = first;
        self
    }

    /// With another longest wait.
    #[must_use]
    pub const fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// With another time after which a session counts as good.
    #[must_use]
    pub const fn proof(mut self, proof: Duration) -> Self {
        self.proof = proof;
        self
    }

    /// With another age below which the end of a session counts as a failure.
    #[must_use]
    pub const fn brief(mut self, brief: Duration) -> Self {
        self.brief = brief;
        self
    }

    /// With another shortest wait for those who need a session.
    #[must_use]
    pub const fn on_demand(mut self, on_demand: Duration) -> Self {
        self.on_demand = on_demand;
        self
    }

    /// With another range of time in which lost sessions are dialled again.
    #[must_use]
    pub const fn spread(mut self, spread: Duration) -> Self {
        self.spread = spread;
        self
    }

    /// With a seed for chance.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The wait after a failure, before jitter. `last`: that of the failure before, 0 for the first in a row.
    fn after(&self, last: Duration, chance: &mut fastrand::Rng) -> Duration {
        let grown = if last.is_zero() { self.first } else { last.mul_f64(1.5 + 1.5 * chance.f64()) };
        grown.min(self.max).clamp(SHORTEST, NEVER)
    }

    /// That wait with jitter, after an attempt that took so long.
    fn jittered(&self, wait: Duration, took: Duration, chance: &mut fastrand::Rng) -> Duration {
        let most = self.max.saturating_sub(took).max(SHORTEST);
        let less = wait.min(most).mul_f64(1.0 - 0.25 * chance.f64());
        let more = took.min(NEVER).mul_f64(0.5 * chance.f64());
        (less + more).min(most)
    }
}

/// What a client knows of its address.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// Attempts that failed since the last proof.
    pub(super) failures: u32,
    /// The last wait, before jitter; 0 since the last proof.
    wait: Duration,
    chance: fastrand::Rng,
    pub(super) cause: Option<String>,
    dialled: Option<Instant>,
    due: Option<Instant>,
    demanded: bool,
    /// The last session that gave packets ended young.
    doubted: bool,
    /// When the last failure was counted.
    failed: Option<Instant>,
}

/// What is known of a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Life {
    pub(super) age: Duration,
    /// Whether a packet has come.
    pub(super) spoke: bool,
}

impl Reach {
    pub(super) fn new(policy: &Backoff) -> Self {
        let chance = policy.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        Self { chance, ..Self::default() }
    }

    pub(super) fn dialling(&mut self, now: Instant) {
        self.dialled = Some(now);
        self.demanded = false;
    }

    /// The attempt that began then failed, or its session ended before it was proven. What began before the last failure was
    /// known tells nothing new: when a peer goes, all sessions to it end, and that is one failure. Whether it is the first one
    /// since the peer was good.
    pub(super) fn failed(&mut self, policy: &Backoff, now: Instant, began: Instant, cause: String) -> bool {
        if self.failures > 0 && self.failed.is_some_and(|failed| began < failed) {
            return false;
        }
        self.failed = Some(now);
        self.failures = self.failures.saturating_add(1);
        self.cause = Some(cause);
        self.wait = policy.after(self.wait, &mut self.chance);
        let took = now.saturating_duration_since(began);
        self.due = Some(later(now, policy.jittered(self.wait, took, &mut self.chance)));
        self.failures == 1
    }

    /// Whether such a session proves that its peer is good.
    pub(super) fn is_proven_by(&self, policy: &Backoff, life: Life) -> bool {
        life.age >= policy.proof || (life.spoke && (!self.doubted || life.age >= policy.brief))
    }

    /// A session has proven itself.
    pub(super) fn proven(&mut self) {
        self.failures = 0;
        self.wait = Duration::ZERO;
        self.cause = None;
        self.due = None;
        self.doubted = false;
    }

    /// A session ended. Whether that is a loss, and not one more failure: then its seat dials again, a little spread so
    /// that many clients do not come at once.
    pub(super) fn lost(&mut self, policy: &Backoff, now: Instant, life: Life) -> bool {
        let young = life.age < policy.brief.min(policy.proof);
        self.doubted |= young && life.spoke;
        if young || !self.is_proven_by(policy, life) {
            return false;
        }
        self.due = Some(later(now, policy.spread.min(NEVER).mul_f64(self.chance.f64())));
        true
    }

    /// Somebody needs a session now. Whether the seats have not been told of that since the last dial.
    pub(super) fn demand(&mut self) -> bool {
        !std::mem::replace(&mut self.demanded, true)
    }

    /// Whether it is worth waiting for the next attempt.
    pub(super) fn is_hopeful(&self, policy: &Backoff, now: Instant) -> bool {
        self.failures == 0 || self.next(policy, now) <= now
    }

    /// When the next attempt may be made; in the past for at once.
    pub(super) fn next(&self, policy: &Backoff, now: Instant) -> Instant {
        let due = self.due.unwrap_or(now);
        match self.dialled {
            Some(_) if self.demanded && self.failures == 0 => now,
            Some(dialled) if self.demanded => due.min(later(dialled, policy.on_demand)),
            _ => due,
        }
    }
}

/// So much later, or after a time that nobody lives to see.
fn later(from: Instant, wait: Duration) -> Instant {
    from + wait.min(NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_grow_by_one_and_a_half_to_three_and_are_bounded() {
        let now = Instant::now();
        let (mut third, mut seen) = (Duration::ZERO, (f64::MAX, 0.0_f64));
        for seed in 0..1_000 {
            let policy = Backoff::default().seed(seed);
            let mut reach = Reach::new(&policy);
            for failure in 1..=20 {
                let last = reach.wait;
                reach.failed(&policy, now, now, "refused".into());
                let growth = reach.wait.div_duration_f64(last);
                match failure {
                    1 => assert_eq!(reach.wait, policy.first),
                    2..=4 => seen = (seen.0.min(growth), seen.1.max(growth)),
                    15.. => assert_eq!(reach.wait, policy.max),
                    _ => assert!(growth <= 3.001, "{growth}"),
                }
                if failure == 3 {
                    third += reach.wait / 1_000;
                }
                let wait = reach.next(&policy, now) - now;
                assert!((reach.wait.mul_f64(0.749)..=reach.wait).contains(&wait), "{wait:?}");
            }
        }
        assert!(seen.0 >= 1.499 && seen.0 < 1.51 && seen.1 > 2.99 && seen.1 <= 3.001, "{seen:?}");
        // 200 ms, times 2.25 twice.
        assert!((990..=1_035).contains(&third.as_millis()), "{third:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn each_wait_is_anything_from_three_quarters_of_its_step_to_all_of_it() {
        let now = Instant::now();
        for failures in [1, 2, 5, 9, 100] {
            let parts: Vec<_> = (0..1_000)
                .map(|seed| {
                    let policy = Backoff::default().seed(seed);
                    let mut reach = Reach::new(&policy);
                    for _ in 0..failures {
                        reach.failed(&policy, now, now, "refused".into());
                    }
                    let wait = reach.next(&policy, now) - now;
                    assert!(wait <= policy.max, "{wait:?} after {failures}");
                    wait.div_duration_f64(reach.wait)
                })
                .collect();
            assert!(parts.iter().all(|part| (0.749..=1.0).contains(part)), "after {failures}");
            for tenth in 0..10 {
                let from = 0.75 + 0.025 * f64::from(tenth);
                let range = from..=from + 0.025;
                assert!(parts.iter().any(|part| range.contains(part)), "after {failures}: none in {range:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_took_long_spreads_the_wait_after_it() {
        let began = Instant::now();
        let now = began + Duration::from_secs(4);
        let policy = Backoff::default();
        let waits: Vec<_> = (0..1_000)
            .map(|seed| {
                let policy = policy.seed(seed);
                let mut reach = Reach::new(&policy);
                reach.failed(&policy, now, began, "no answer".into());
                (reach.next(&policy, now) - now).as_millis()
            })
            .collect();
        assert!(waits.iter().all(|wait| (150..=2_200).contains(wait)));
        for tenth in 2..=20 {
            let within = waits.iter().filter(|wait| (tenth * 100..tenth * 100 + 100).contains(*wait)).count();
            assert!((25..=80).contains(&within), "{within} of 1,000 waits are of {tenth} tenths of a second");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn demand_cuts_a_long_wait_but_never_below_its_own() {
        let policy = Backoff::default().seed(1);
        let mut reach = Reach::new(&policy);
        let start = Instant::now();
        reach.dialling(start);
        for _ in 0..10 {
            reach.failed(&policy, start, start, "refused".into());
        }
        assert!(reach.next(&policy, start) > start + Duration::from_secs(22));
        assert!(reach.demand() && !reach.is_hopeful(&policy, start));
        assert_eq!(reach.next(&policy, start), start + policy.on_demand);
    }

    #[tokio::test(start_paused = true)]
    async fn sessions_that_end_together_are_one_failure() {
        let policy = Backoff::default();
        let mut reach = Reach::default();
        let born = Instant::now();
        let end = born + Duration::from_millis(500);
        for _ in 0..8 {
            reach.failed(&policy, end, born, "ended".into());
        }
        assert_eq!(reach.failures, 1);
        reach.failed(&policy, end + policy.first, end + policy.first, "refused".into());
        assert_eq!(reach.failures, 2);
        reach.proven();
        reach.failed(&policy, end + policy.max, born, "ended".into());
        assert_eq!(reach.failures, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_packet_proves_a_peer_until_a_session_that_gave_one_ended_young() {
        let policy = Backoff::default();
        let mut reach = Reach::default();
        let now = Instant::now();
        let spoke = |millis| Life { age: Duration::from_millis(millis), spoke: true };
        assert!(reach.is_proven_by(&policy, spoke(0)));
        assert!(!reach.lost(&policy, now, spoke(900)));
        assert!(!reach.is_proven_by(&policy, spoke(900)));
        assert!(reach.is_proven_by(&policy, spoke(1_000)));
        reach.proven();
        assert!(reach.is_proven_by(&policy, spoke(0)));
        assert!(reach.lost(&policy, now, spoke(1_000)));
    }
}
