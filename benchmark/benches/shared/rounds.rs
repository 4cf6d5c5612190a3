//! Owns how times are compared: cases take turns, and a ratio is the median of those within the rounds, so that a slow minute of
//! the machine touches both its sides.

/// What each case takes in each round. Each round begins with another case.
pub(crate) fn take_turns(rounds: usize, cases: usize, mut run: impl FnMut(usize) -> f64) -> Vec<Vec<f64>> {
    let mut times = vec![Vec::new(); cases];
    for round in 0..rounds {
        for turn in 0..cases {
            let at = (round + turn) % cases;
            times[at].push(run(at));
        }
    }
    times
}

/// Median of the ratios within the rounds.
pub(crate) fn ratio(one: &[f64], other: &[f64]) -> f64 {
    median(one.iter().zip(other).map(|(one, other)| one / other).collect())
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Prints whether a ratio is what it may be at most, and says it.
pub(crate) fn meets(goal: &str, at_most: f64, of: &str, ratio: f64) -> bool {
    let met = ratio <= at_most;
    println!("goal: {goal} at most {at_most:.1} x {of}: {ratio:.2}, {}", if met { "met" } else { "MISSED" });
    met
}
