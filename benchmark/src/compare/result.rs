//! Owns the medians over the rounds, and the row of JSON made of them. Its field names are a contract.

use super::Entry;
use crate::peer::{Mode, Peer};
use crate::report::{ClientReport, ServerReport, round};
use serde::Serialize;

/// One run of one peer in one row.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) client: ClientReport,
    pub(super) server: ServerReport,
    /// The share of all cores, 0 to 1, that was used while the run lasted, by whomever.
    pub(super) machine_busy: f64,
}

/// All runs of one peer in one row, in the order of the rounds.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) entry: Entry,
    pub(super) rounds: Vec<Round>,
}

/// A row of the result: medians over the rounds, but `errors` are those of all rounds.
#[derive(Debug, Serialize)]
pub(super) struct Medians {
    pub(super) peer: Peer,
    pub(super) mode: Mode,
    pub(super) serialization: String,
    pub(super) registry: bool,
    pub(super) connections: usize,
    pub(super) callers: usize,
    /// Bytes of a frame in mode `echo`.
    pub(super) frame_bytes: Option<usize>,
    pub(super) rounds: usize,
    pub(super) calls_per_second: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    pub(super) p999_us: f64,
    pub(super) max_us: f64,
    pub(super) errors: u64,
    pub(super) server_cpu_us_per_call: f64,
    pub(super) client_cpu_us_per_call: f64,
    pub(super) server_peak_rss_bytes: u64,
}

impl Series {
    pub(super) fn new(entry: Entry) -> Self {
        Self { entry, rounds: Vec::new() }
    }

    pub(super) fn medians(&self) -> Medians {
        let Entry { peer, row } = self.entry;
        Medians {
            peer,
            mode: row.mode,
            serialization: peer.serialization(row.mode, row.serialization),
            registry: row.registry,
            connections: row.connections.get(),
            callers: row.callers.get(),
            frame_bytes: (row.mode == Mode::Echo).then(|| row.size().bytes()),
            rounds: self.rounds.len(),
            calls_per_second: round(self.median(|run| run.client.calls_per_second), 1),
            p50_us: round(self.median(|run| run.client.p50_us), 1),
            p99_us: round(self.median(|run| run.client.p99_us), 1),
            p999_us: round(self.median(|run| run.client.p999_us), 1),
            max_us: round(self.median(|run| run.client.max_us), 1),
            errors: self.rounds.iter().map(|run| run.client.errors).sum(),
            server_cpu_us_per_call: round(self.median(|run| run.server.cpu_us_per_call), 4),
            client_cpu_us_per_call: round(self.median(|run| run.client.cpu_us_per_call), 4),
            server_peak_rss_bytes: self.median(|run| run.server.peak_rss_bytes as f64) as u64,
        }
    }

    /// How this one's figure compares to the other's: the median of the ratios within each round, so that a slow
    /// minute of the machine, which slows both, does not count.
    pub(super) fn ratio(&self, other: &Self, figure: impl Fn(&Round) -> f64) -> f64 {
        median(
            self.rounds.iter().zip(&other.rounds).map(|(own, other)| figure(own) / figure(other)).collect(),
        )
    }

    /// The median of one figure.
    pub(super) fn median(&self, figure: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(figure).collect())
    }
}

impl Round {
    /// CPU of both sides.
    pub(super) fn cpu_us_per_call(&self) -> f64 {
        self.server.cpu_us_per_call + self.client.cpu_us_per_call
    }
}

/// The middle value, or the mean of the middle two; NaN of nothing.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (Some(value), 1) => *value,
        (Some(upper), _) => values.get(middle - 1).map_or(f64::NAN, |lower| f64::midpoint(*lower, *upper)),
        (None, _) => f64::NAN,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::compare::Row;
    use std::time::Duration;

    /// One round per figure, on a machine that is half busy. The server takes 4 us a call, the client 6.
    pub(in super::super) fn series(peer: Peer, row: &str, calls_per_second: &[f64]) -> Series {
        let mut series = Series::new(Entry { peer, row: row.parse::<Row>().unwrap() });
        series.rounds = calls_per_second.iter().map(|&figure| run(figure)).collect();
        series
    }

    fn run(calls_per_second: f64) -> Round {
        let client = ClientReport {
            calls: 1000,
            errors: 1,
            first_error: None,
            seconds: 1000.0 / calls_per_second,
            calls_per_second,
            mean_us: 10.0,
            p50_us: 9.0,
            p99_us: 99.0,
            p999_us: 999.0,
            max_us: 9999.0,
            cpu_us_per_call: 6.0,
        };
        Round {
            client,
            server: ServerReport::new(1250, Duration::from_millis(5), 8 << 20),
            machine_busy: 0.5,
        }
    }

    #[test]
    fn medians_of_odd_even_and_no_values() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(vec![7.0]), 7.0);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn a_row_has_exactly_these_fields() {
        let row =
            serde_json::to_string(&series(Peer::Tarpc, "rpc:10x1000", &[100.0, 300.0, 200.0]).medians())
                .unwrap();
        let expected = concat!(
            r#"{"peer":"tarpc","mode":"rpc","serialization":"native","registry":false,"connections":10,"callers":1000,"frame_bytes":null,"rounds":3,"#,
            r#""calls_per_second":200.0,"p50_us":9.0,"p99_us":99.0,"p999_us":999.0,"max_us":9999.0,"errors":3,"#,
            r#""server_cpu_us_per_call":4.0,"client_cpu_us_per_call":6.0,"server_peak_rss_bytes":8388608}"#,
        );
        assert_eq!(row, expected);
    }

    #[test]
    fn a_ratio_is_the_median_of_the_rounds_ratios_not_the_ratio_of_the_medians() {
        let own = series(Peer::Getty, "rpc:1x1", &[200.0, 50.0, 30.0]);
        let other = series(Peer::Tarpc, "rpc:1x1", &[100.0, 10.0, 20.0]);
        assert_eq!(own.ratio(&other, |run| run.client.calls_per_second), 2.0);
    }
}
