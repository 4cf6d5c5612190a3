//! Owns the text of `hostile`, and whether its goals are met.

use super::{Scene, Series};
use crate::compare::median;
use crate::report::ClientReport;
use std::fmt::{self, Write};

/// What came of a scene: medians over the rounds.
pub(super) struct Outcome {
    scene: Scene,
    calls_per_second: f64,
    p50_us: f64,
    p99_us: f64,
    /// The p99 to that of what it is compared with.
    ratio: Option<f64>,
    /// Cores that the server used.
    cores: f64,
    closed: u64,
    /// Of the honest client, in all rounds.
    errors: u64,
}

impl Outcome {
    /// Whether its goal is met, if it has one. Not if anything failed, nor if there is no ratio.
    pub(super) fn is_met(&self) -> bool {
        let within = |goal| self.errors == 0 && self.ratio.is_some_and(|ratio| ratio <= goal);
        self.scene.beside.goal().is_none_or(within)
    }
}

pub(super) fn outcomes(series: &[Series]) -> Vec<Outcome> {
    series.iter().map(|one| outcome(one, series)).collect()
}

fn outcome(one: &Series, all: &[Series]) -> Outcome {
    let of = |figure: fn(&ClientReport) -> f64| median(one.rounds.iter().map(figure).collect());
    let instead = one.scene.instead();
    Outcome {
        scene: one.scene,
        calls_per_second: of(|report| report.calls_per_second),
        p50_us: of(|report| report.p50_us),
        p99_us: of(|report| report.p99_us),
        ratio: all.iter().find(|other| Some(other.scene) == instead).map(|other| ratio(one, other)),
        cores: median(one.cores.clone()),
        closed: one.closed,
        errors: one.rounds.iter().map(|report| report.errors).sum(),
    }
}

/// The median of those within each round, so that a slow minute of the machine, which slows both, does not count.
fn ratio(one: &Series, other: &Series) -> f64 {
    median(one.rounds.iter().zip(&other.rounds).map(|(own, other)| own.p99_us / other.p99_us).collect())
}

pub(super) fn render(outcomes: &[Outcome], rounds: usize) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut text, outcomes, rounds);
    text
}

fn write(text: &mut String, outcomes: &[Outcome], rounds: usize) -> fmt::Result {
    writeln!(
        text,
        "an honest client, with one frame or one handshake under way, beside others; medians of {rounds} rounds\n"
    )?;
    writeln!(
        text,
        "{:<34}{:>10}{:>8}{:>9}{:>9}{:>7}{:>8}   p99 to that beside",
        "", "a second", "errors", "p50 us", "p99 us", "cores", "closed"
    )?;
    for one in outcomes {
        let Outcome { scene, calls_per_second, p50_us, p99_us, ratio, cores, closed, errors } = one;
        let Scene { mode, beside } = scene;
        write!(
            text,
            "{mode:<10}{beside:<24}{calls_per_second:>10.0}{errors:>8}{p50_us:>9.1}{p99_us:>9.1}{cores:>7.2}{closed:>8}"
        )?;
        if let (Some(ratio), Some(instead)) = (ratio, beside.instead()) {
            write!(text, "   {instead:<21} x{ratio:.2}")?;
        }
        if let Some(goal) = beside.goal() {
            write!(text, " of x{goal}: {}", if one.is_met() { "met" } else { "MISSED" })?;
        }
        writeln!(text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hostile::beside::{Attack, Beside};
    use crate::peer::Mode;

    /// With a round for each p99, in microseconds.
    fn series(beside: Beside, p99: &[f64], errors: u64) -> Series {
        let report = |&p99_us: &f64| ClientReport {
            calls: 1000,
            errors,
            first_error: None,
            seconds: 1.0,
            calls_per_second: 1000.0,
            mean_us: 10.0,
            p50_us: 9.0,
            p99_us,
            p999_us: 999.0,
            max_us: 9999.0,
            cpu_us_per_call: 6.0,
        };
        let scene = Scene { mode: Mode::Echo, beside };
        Series { scene, rounds: p99.iter().map(report).collect(), cores: vec![0.5; p99.len()], closed: 7 }
    }

    fn verdict(hostile: &[f64], errors: u64) -> (bool, String) {
        let outcomes = outcomes(&[
            series(Beside::Nobody, &[10.0, 100.0, 20.0], 0),
            series(Beside::Attack(Attack::Silent), hostile, errors),
        ]);
        (outcomes.iter().all(Outcome::is_met), render(&outcomes, 3))
    }

    #[test]
    fn a_goal_is_met_by_the_median_of_the_ratios_within_the_rounds_and_without_errors() {
        // 1.2, 9 and 1.25 times.
        let (met, text) = verdict(&[12.0, 900.0, 25.0], 0);
        assert!(met && text.contains("nobody                x1.25 of x1.25: met"), "{text}");
        let (met, text) = verdict(&[12.0, 900.0, 25.2], 0);
        assert!(!met && text.contains("x1.26 of x1.25: MISSED"), "{text}");
        let (met, text) = verdict(&[12.0, 900.0, 25.0], 1);
        assert!(!met && text.contains("x1.25 of x1.25: MISSED"), "{text}");
        assert!(!verdict(&[f64::NAN; 3], 0).0);
    }
}
