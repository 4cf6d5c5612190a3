//! Load balancing: one provider out of several, by weight.

use std::sync::{Mutex, PoisonError};

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

/// What a balancer has to remember.
#[derive(Debug, Default)]
pub(super) struct Balancer {
    kind: LoadBalance,
    turns: Mutex<Vec<Turn>>,
}

#[derive(Debug)]
struct Turn {
    address: String,
    current: i64,
}

impl Balancer {
    pub(super) fn new(kind: LoadBalance) -> Self {
        Self { kind, turns: Mutex::default() }
    }

    /// The index of the chosen one. Weight 0 is chosen only when all are 0; then the choice is even.
    pub(super) fn choose(&self, invokers: &[&Invoker]) -> Option<usize> {
        if invokers.len() <= 1 {
            return invokers.len().checked_sub(1);
        }
        match self.kind {
            LoadBalance::Random => random(invokers),
            LoadBalance::RoundRobin => self.in_turn(invokers),
        }
    }

    fn in_turn(&self, invokers: &[&Invoker]) -> Option<usize> {
        let weights = weights(invokers);
        let total: i64 = weights.iter().sum();
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|turn| invokers.iter().any(|invoker| invoker.address() == turn.address));
        let mut best: Option<(usize, usize, i64)> = None;
        for (index, (invoker, weight)) in invokers.iter().zip(&weights).enumerate() {
            let at = match turns.iter().position(|turn| turn.address == invoker.address()) {
                Some(at) => at,
                None => {
                    turns.push(Turn { address: invoker.address().to_owned(), current: 0 });
                    turns.len() - 1
                }
            };
            let Some(turn) = turns.get_mut(at) else { continue };
            turn.current += weight;
            if best.is_none_or(|(_, _, most)| turn.current > most) && *weight > 0 {
                best = Some((index, at, turn.current));
            }
        }
        let (index, at, _) = best?;
        if let Some(turn) = turns.get_mut(at) {
            turn.current -= total;
        }
        Some(index)
    }
}

fn random(invokers: &[&Invoker]) -> Option<usize> {
    let weights = weights(invokers);
    let mut left = fastrand::i64(0..weights.iter().sum::<i64>().max(1));
    weights.iter().position(|weight| {
        left -= weight;
        left < 0
    })
}

/// Weights that are not all zero.
fn weights(invokers: &[&Invoker]) -> Vec<i64> {
    let weights: Vec<i64> = invokers.iter().map(|invoker| i64::from(invoker.weight())).collect();
    if weights.iter().all(|weight| *weight == 0) { vec![1; weights.len()] } else { weights }
}
