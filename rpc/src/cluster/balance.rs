//! Load balancing: one provider out of several, by weight. A choice is one walk over the list and allocates nothing.

use std::sync::{Arc, Mutex, PoisonError};

use super::Invoker;

/// How a provider is chosen among those that can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LoadBalance {
    /// At random, in proportion to the weights. Dubbo's default.
    #[default]
    Random,
    /// In turn, in proportion to the weights, and evenly spread (smooth weighted round robin).
    RoundRobin,
}

/// What a balancer has to remember. The credit that each provider has gathered for its turn is kept with the provider.
#[derive(Debug, Default)]
pub(super) struct Balancer {
    kind: LoadBalance,
    /// Held while turns are counted.
    turn: Mutex<()>,
}

impl Balancer {
    pub(super) fn new(kind: LoadBalance) -> Self {
        Self { kind, turn: Mutex::default() }
    }

    /// One of those that are `eligible` and `available`. Whether one is available is dear to find out, so it is asked only where it
    /// decides. Weight 0 is chosen only when all are 0; then the choice is even.
    pub(super) fn choose<'a>(
        &self,
        invokers: &'a [Arc<Invoker>],
        eligible: impl Fn(&Invoker) -> bool,
        available: impl Fn(&Invoker) -> bool,
    ) -> Option<&'a Arc<Invoker>> {
        let both = |invoker: &Invoker| eligible(invoker) && available(invoker);
        match self.kind {
            // Whoever is chosen among all and turns out to be available was chosen fairly among the available ones.
            LoadBalance::Random => random(invokers, &eligible)
                .filter(|chosen| available(chosen))
                .or_else(|| random(invokers, both)),
            LoadBalance::RoundRobin => self.in_turn(invokers, both),
        }
    }

    /// Each gains its weight, the richest is chosen and pays what all have gained together. Those that cannot be chosen lose what
    /// they had gathered.
    fn in_turn<'a>(
        &self,
        invokers: &'a [Arc<Invoker>],
        candidate: impl Fn(&Invoker) -> bool,
    ) -> Option<&'a Arc<Invoker>> {
        let _held = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let all_zero = !invokers.iter().any(|invoker| invoker.weight() > 0 && candidate(invoker));
        let mut total = 0;
        let mut best: Option<(&Arc<Invoker>, i64)> = None;
        for invoker in invokers {
            let weight = if all_zero { 1 } else { i64::from(invoker.weight()) };
            if !candidate(invoker) {
                invoker.set_credit(0);
                continue;
            }
            let credit = invoker.credit() + weight;
            invoker.set_credit(credit);
            total += weight;
            if weight > 0 && best.is_none_or(|(_, most)| credit > most) {
                best = Some((invoker, credit));
            }
        }
        let (chosen, credit) = best?;
        chosen.set_credit(credit - total);
        Some(chosen)
    }
}

/// The last of the candidates that won against those before it: each wins with its share of the weight so far.
fn random(invokers: &[Arc<Invoker>], candidate: impl Fn(&Invoker) -> bool) -> Option<&Arc<Invoker>> {
    let mut draw = fastrand::Rng::new();
    let (mut total, mut zeros) = (0_u64, 0_u64);
    let (mut chosen, mut chosen_zero) = (None, None);
    for invoker in invokers.iter().filter(|invoker| candidate(invoker)) {
        match u64::from(invoker.weight()) {
            0 => {
                zeros += 1;
                if draw.u64(0..zeros) == 0 {
                    chosen_zero = Some(invoker);
                }
            }
            weight => {
                total += weight;
                if draw.u64(0..total) < weight {
                    chosen = Some(invoker);
                }
            }
        }
    }
    chosen.or(chosen_zero)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        cluster::{Pool, PoolSettings},
        exchange::{ClientSettings, ClientShared},
        observing::Observing,
        protocol::PAYLOAD,
    };

    const DRAWS: usize = 20_000;

    fn invokers(weights: &[u32]) -> Vec<Arc<Invoker>> {
        let settings = ClientSettings { payload: PAYLOAD, heartbeat: Duration::from_secs(60), pending: 1 };
        let shared = Arc::new(ClientShared::new(settings));
        let settings = PoolSettings {
            connections: 1,
            backoff: getty::Backoff::default(),
            observing: Observing::default(),
            shared,
        };
        let pool = |port| Arc::new(Pool::tcp(format!("127.0.0.1:{port}"), &settings));
        weights.iter().enumerate().map(|(port, weight)| Arc::new(Invoker::new(*weight, pool(port)))).collect()
    }

    /// How often each is chosen.
    fn chosen(
        kind: LoadBalance,
        invokers: &[Arc<Invoker>],
        draws: usize,
        available: impl Fn(&Invoker) -> bool + Copy,
    ) -> Vec<usize> {
        fastrand::seed(7);
        let balancer = Balancer::new(kind);
        let mut counts = vec![0; invokers.len()];
        for _ in 0..draws {
            let chosen = balancer.choose(invokers, |_| true, available).unwrap();
            counts[invokers.iter().position(|invoker| Arc::ptr_eq(invoker, chosen)).unwrap()] += 1;
        }
        counts
    }

    /// Five standard deviations of a share that is one half, which is the widest.
    fn is_near(count: usize, share: f64) -> bool {
        let draws = DRAWS as f64;
        (count as f64 - share * draws).abs() < 5.0 * (draws / 4.0).sqrt()
    }

    #[test]
    fn weights_are_the_shares_of_a_random_choice() {
        let counts = chosen(LoadBalance::Random, &invokers(&[100, 0, 300, 600]), DRAWS, |_| true);
        assert!(
            counts.iter().zip([0.1, 0.0, 0.3, 0.6]).all(|(count, share)| is_near(*count, share)),
            "{counts:?}"
        );
        assert_eq!(counts[1], 0);
    }

    #[test]
    fn those_that_are_left_share_what_is_not_available_by_their_weights() {
        for kind in [LoadBalance::Random, LoadBalance::RoundRobin] {
            let counts = chosen(kind, &invokers(&[100, 300, 600]), DRAWS, |invoker| invoker.weight() != 600);
            assert!(is_near(counts[0], 0.25) && is_near(counts[1], 0.75), "{kind:?}: {counts:?}");
            assert_eq!(counts[2], 0);
        }
    }

    #[test]
    fn where_all_weights_are_zero_the_choice_is_even() {
        for kind in [LoadBalance::Random, LoadBalance::RoundRobin] {
            let counts = chosen(kind, &invokers(&[0, 0, 0]), DRAWS, |_| true);
            assert!(counts.iter().all(|count| is_near(*count, 1.0 / 3.0)), "{kind:?}: {counts:?}");
        }
    }

    #[test]
    fn none_is_chosen_where_none_may_be() {
        let invokers = invokers(&[100, 0]);
        for kind in [LoadBalance::Random, LoadBalance::RoundRobin] {
            let balancer = Balancer::new(kind);
            assert!(balancer.choose(&invokers, |_| false, |_| true).is_none());
            assert!(balancer.choose(&invokers, |_| true, |_| false).is_none());
            assert!(balancer.choose(&[], |_| true, |_| true).is_none());
        }
    }

    #[test]
    fn turns_are_spread_evenly_and_not_taken_in_a_row() {
        let invokers = invokers(&[5, 1, 1]);
        let balancer = Balancer::new(LoadBalance::RoundRobin);
        let turns: Vec<u32> = (0..7)
            .map(|_| {
                let chosen = balancer.choose(&invokers, |_| true, |_| true).unwrap();
                invokers.iter().position(|invoker| Arc::ptr_eq(invoker, chosen)).unwrap() as u32
            })
            .collect();
        assert_eq!(turns, [0, 0, 1, 0, 2, 0, 0]);
    }
}
