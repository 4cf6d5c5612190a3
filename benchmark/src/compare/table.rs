//! Owns the text at the end of a comparison: figures per row and peer, what limits, and getty's ratios to the others.

use super::Entry;
use super::result::{Medians, Series};
use crate::peer::Peer;
use std::fmt::Write;

/// Behind the row, which is as wide as the longest name.
const HEADER: &str = "\
peer          calls/s    p50 us    p99 us p99.9 us    max us  errors us server us client  RSS MiB  cores %  limit
";

/// From this share of its CPU on, something counts as used up.
const BUSY: f64 = 0.9;

/// What keeps a run from being faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    Server,
    Client,
    /// Both sides' workers are busy.
    Both,
    /// Neither side's workers are busy, but the cores are, which they share with each other and with other processes.
    Cores,
    /// Nothing is busy: the run waits, so it is bound by latency.
    Neither,
}

/// The table, with a line of ratios below each row in which getty took part.
pub(super) fn render(series: &[Series], workers: usize, cores: usize) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write!(text, "{}", Table { series, workers, cores });
    text
}

struct Table<'a> {
    series: &'a [Series],
    workers: usize,
    cores: usize,
}

impl std::fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let width = self.width();
        write!(f, "{:<width$} {HEADER}", "row")?;
        for shape in self.series.chunk_by(|one, next| one.entry.row.has_shape_of(next.entry.row)) {
            for one in shape {
                self.line(f, one)?;
            }
            for getty in shape.iter().filter(|one| one.entry.peer == Peer::Getty) {
                for other in shape.iter().filter(|other| is_compared(getty.entry, other.entry)) {
                    self.ratios(f, getty, other)?;
                }
            }
        }
        Ok(())
    }
}

/// Whether a line of ratios says how this entry of getty compares to that one: to every other peer, and with a registry to
/// itself without one.
fn is_compared(getty: Entry, other: Entry) -> bool {
    other.peer != Peer::Getty || getty.row.is_registry_of(other.row)
}

impl Table<'_> {
    /// That of the column of rows.
    fn width(&self) -> usize {
        self.series.iter().map(|one| one.entry.row.to_string().len()).max().unwrap_or_default().max(13)
    }

    fn line(&self, f: &mut std::fmt::Formatter<'_>, one: &Series) -> std::fmt::Result {
        let medians = one.medians();
        let machine_busy = one.median(|run| run.machine_busy);
        writeln!(
            f,
            "{:<width$} {:<9}{:>12}{:>10.1}{:>10.1}{:>10.1}{:>10.1}{:>8}{:>10.3}{:>10.3}{:>9.1}{:>9.0}  {}",
            one.entry.row,
            one.entry.peer.to_string(),
            thousands(medians.calls_per_second),
            medians.p50_us,
            medians.p99_us,
            medians.p999_us,
            medians.max_us,
            medians.errors,
            medians.server_cpu_us_per_call,
            medians.client_cpu_us_per_call,
            medians.server_peak_rss_bytes as f64 / f64::from(1 << 20),
            machine_busy * 100.0,
            self.limit(&medians, machine_busy).describe(),
            width = self.width(),
        )
    }

    fn ratios(&self, f: &mut std::fmt::Formatter<'_>, getty: &Series, other: &Series) -> std::fmt::Result {
        let throughput = getty.ratio(other, |run| run.client.calls_per_second);
        let p99 = getty.ratio(other, |run| run.client.p99_us);
        let cpu = getty.ratio(other, super::result::Round::cpu_us_per_call);
        let name = match other.entry.peer {
            Peer::Getty => "to no registry".to_owned(),
            peer => format!("getty / {peer}"),
        };
        let (row, width) = (getty.entry.row, self.width());
        writeln!(
            f,
            "{row:<width$} {name:<16} calls/s x{throughput:.2}, p99 x{p99:.2}, CPU of both sides x{cpu:.2}"
        )
    }

    /// Busy means CPU time per second of time, over what the workers, or the cores, can give.
    fn limit(&self, medians: &Medians, machine_busy: f64) -> Limit {
        // Workers beyond the cores have nothing to run on.
        let all = self.workers.min(self.cores) as f64;
        let busy = |us_per_call: f64| us_per_call * medians.calls_per_second / 1e6 >= BUSY * all;
        match (busy(medians.server_cpu_us_per_call), busy(medians.client_cpu_us_per_call)) {
            (true, true) => Limit::Both,
            (true, false) => Limit::Server,
            (false, true) => Limit::Client,
            (false, false) if machine_busy >= BUSY => Limit::Cores,
            (false, false) => Limit::Neither,
        }
    }
}

impl Limit {
    fn describe(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Both => "server and client",
            Self::Cores => "cores, shared by all",
            Self::Neither => "neither: latency bound",
        }
    }
}

/// 1234567.8 as 1,234,568.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::result::tests::series;
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,568"],
            [0.0, 999.4, 1000.0, 1_234_567.8].map(thousands).each_ref().map(|s| &**s)
        );
    }

    #[test]
    fn the_side_that_is_busy_limits() {
        let at = |calls_per_second, machine_busy, cores| {
            // The server takes 4 us a call, the client 6.
            let medians = series(Peer::Tarpc, "rpc:1x1", &[calls_per_second]).medians();
            Table { series: &[], workers: 2, cores }.limit(&medians, machine_busy)
        };
        assert_eq!(at(10_000.0, 0.1, 2), Limit::Neither);
        assert_eq!(at(190_000.0, 0.95, 2), Limit::Cores, "0.8 and 1.1 of 2 cores");
        assert_eq!(at(310_000.0, 0.4, 8), Limit::Client, "1.2 and 1.9 of 2 workers");
        assert_eq!(at(450_000.0, 0.5, 8), Limit::Both);
    }

    #[test]
    fn ratios_stand_below_the_rows_with_getty_and_only_there() {
        let with = [series(Peer::Getty, "rpc:1x1", &[300.0]), series(Peer::Tarpc, "rpc:1x1", &[100.0])];
        let text = render(&with, 2, 2);
        assert!(text.contains("getty / tarpc    calls/s x3.00"), "{text}");
        assert_eq!(text.lines().count(), 4);
        let without = [series(Peer::Tonic, "rpc:1x1", &[300.0]), series(Peer::Tarpc, "rpc:1x1", &[100.0])];
        assert_eq!(render(&without, 2, 2).lines().count(), 3);
    }

    #[test]
    fn each_choice_of_getty_is_compared_to_the_others_and_a_registry_to_none() {
        let text = render(
            &[
                series(Peer::Getty, "rpc:1x1", &[200.0]),
                series(Peer::Getty, "rpc+protobuf:1x1", &[300.0]),
                series(Peer::Getty, "rpc+protobuf+registry:1x1", &[150.0]),
                series(Peer::Tarpc, "rpc:1x1", &[100.0]),
            ],
            2,
            2,
        );
        let ratios: Vec<_> = text.lines().filter(|line| line.contains("CPU of both sides")).collect();
        let starts = [
            "rpc:1x1                   getty / tarpc    calls/s x2.00,",
            "rpc+protobuf:1x1          getty / tarpc    calls/s x3.00,",
            "rpc+protobuf+registry:1x1 to no registry   calls/s x0.50,",
            "rpc+protobuf+registry:1x1 getty / tarpc    calls/s x1.50,",
        ];
        assert_eq!(ratios.len(), starts.len(), "{text}");
        ratios.iter().zip(starts).for_each(|(line, start)| assert!(line.starts_with(start), "{line}"));
    }
}
