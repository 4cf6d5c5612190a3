//! Owns the text of `idle`, and the goals.

use super::{Cost, Idle};
use crate::peer::Peer;
use std::fmt::{self, Write};
use std::time::Duration;

/// Bytes of memory for each connection.
const MEMORY: f64 = 1250.0;
/// Part of a core for all connections. None is what is wanted; this is the least that can be told from it.
const CPU: f64 = 0.001;

/// The table, with getty's goals below it.
pub(super) fn render(rows: &[Idle], sessions: usize, time: Duration) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut text, rows, sessions, time);
    text
}

fn write(text: &mut String, rows: &[Idle], sessions: usize, time: Duration) -> fmt::Result {
    writeln!(
        text,
        "{sessions} idle connections, bytes of the server's memory for each and its CPU in {time:?}\n"
    )?;
    writeln!(text, "{:<9}{:>24}{:>30}", "", "nothing was ever sent", "after a packet on each")?;
    writeln!(text, "{:<9}{:>12}{:>12}{:>18}{:>12}", "peer", "bytes", "core %", "bytes", "core %")?;
    for Idle { peer, silent, used } in rows {
        writeln!(
            text,
            "{peer:<9}{:>12.0}{:>12.3}{:>18.0}{:>12.3}",
            silent.memory,
            silent.cpu * 100.0,
            used.memory,
            used.cpu * 100.0
        )?;
    }
    for row in rows.iter().filter(|row| row.peer == Peer::Getty) {
        write!(text, "\n{}", Goals::of(row))?;
    }
    Ok(())
}

/// How getty's worse costs compare to what they may be.
pub(super) struct Goals(Cost);

impl Goals {
    pub(super) fn of(row: &Idle) -> Self {
        let Idle { silent, used, .. } = row;
        Self(Cost { memory: silent.memory.max(used.memory), cpu: silent.cpu.max(used.cpu) })
    }

    pub(super) fn are_met(&self) -> bool {
        self.0.memory <= MEMORY && self.0.cpu <= CPU
    }
}

impl fmt::Display for Goals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = |met| if met { "met" } else { "MISSED" };
        let Cost { memory, cpu } = self.0;
        writeln!(
            f,
            "goal: getty at most {MEMORY} bytes a connection: {memory:.0}, {}",
            verdict(memory <= MEMORY)
        )?;
        writeln!(
            f,
            "goal: getty no CPU, so at most {:.1} % of a core: {:.3} %, {}",
            CPU * 100.0,
            cpu * 100.0,
            verdict(cpu <= CPU)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idle(memory: f64, cpu: f64) -> Idle {
        Idle { peer: Peer::Getty, silent: Cost { memory: 10.0, cpu: 0.0 }, used: Cost { memory, cpu } }
    }

    #[test]
    fn the_worse_of_the_two_costs_counts() {
        for (memory, cpu, met) in
            [(1250.0, 0.001, true), (1251.0, 0.0, false), (0.0, 0.002, false), (0.0, 0.0, true)]
        {
            assert_eq!(Goals::of(&idle(memory, cpu)).are_met(), met, "{memory}, {cpu}");
        }
        let text = render(&[idle(1251.0, 0.0)], 19_000, Duration::from_secs(3));
        assert!(
            text.contains("1250 bytes a connection: 1251, MISSED") && text.contains("0.000 %, met"),
            "{text}"
        );
    }

    #[test]
    fn goals_are_getty_s_alone() {
        let tokio = Idle { peer: Peer::Tokio, ..idle(9999.0, 0.5) };
        assert!(!render(&[tokio], 1, Duration::from_secs(1)).contains("goal"));
    }
}
