//! Owns the reports that the processes hand over as JSON. Field names are a contract with whoever reads them.

use crate::latency::Measurement;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a server prints when it is stopped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServerReport {
    /// Served since the start, warm-up included.
    pub(crate) calls: u64,
    /// CPU time since it listened, in microseconds.
    pub(crate) cpu_us: u64,
    /// 0 if nothing was served.
    pub(crate) cpu_us_per_call: f64,
    /// The most memory it ever had resident.
    pub(crate) peak_rss_bytes: u64,
}

impl ServerReport {
    pub(crate) fn new(calls: u64, cpu: Duration, peak_rss_bytes: u64) -> Self {
        let cpu_us = u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX);
        Self { calls, cpu_us, cpu_us_per_call: per_call(cpu, calls), peak_rss_bytes }
    }
}

/// What a client prints at the end. Latencies are in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClientReport {
    /// Measured and rightly answered.
    pub(crate) calls: u64,
    /// Measured and failed, or wrongly answered.
    pub(crate) errors: u64,
    /// Why one of them failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_error: Option<String>,
    /// From the start of the first measured call to the end of the last.
    pub(crate) seconds: f64,
    pub(crate) calls_per_second: f64,
    pub(crate) mean_us: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p999_us: f64,
    pub(crate) max_us: f64,
    /// CPU time of the client's process in the measured time.
    pub(crate) cpu_us_per_call: f64,
}

impl ClientReport {
    pub(crate) fn new(measured: &Measurement) -> Self {
        let seconds = measured.elapsed.as_secs_f64();
        let calls = measured.calls();
        Self {
            calls,
            errors: measured.errors,
            first_error: measured.first_error.clone(),
            seconds: round(seconds, 6),
            calls_per_second: if seconds > 0.0 { round(calls as f64 / seconds, 1) } else { 0.0 },
            mean_us: round(measured.mean_us(), 1),
            p50_us: round(measured.quantile_us(0.5), 1),
            p99_us: round(measured.quantile_us(0.99), 1),
            p999_us: round(measured.quantile_us(0.999), 1),
            max_us: round(measured.quantile_us(1.0), 1),
            cpu_us_per_call: per_call(measured.cpu, calls),
        }
    }

    /// The report for a reader, a line per figure.
    pub(crate) fn to_text(&self) -> String {
        format!(
            "throughput  {:>12.0} calls/s\n\
             mean        {:>12.1} us\n\
             median      {:>12.1} us\n\
             p99         {:>12.1} us\n\
             p99.9       {:>12.1} us\n\
             max         {:>12.1} us\n\
             calls       {:>12} in {:.3} s\n\
             errors      {:>12} {}\n\
             client CPU  {:>12.3} us/call",
            self.calls_per_second,
            self.mean_us,
            self.p50_us,
            self.p99_us,
            self.p999_us,
            self.max_us,
            self.calls,
            self.seconds,
            self.errors,
            self.first_error.as_deref().unwrap_or_default(),
            self.cpu_us_per_call,
        )
    }
}

/// Rounds to so many digits after the point: more would pretend a precision that is not there.
pub(crate) fn round(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

fn per_call(cpu: Duration, calls: u64) -> f64 {
    if calls == 0 { 0.0 } else { round(cpu.as_secs_f64() * 1e6 / calls as f64, 4) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_report_is_one_line_with_these_names() {
        let report = ServerReport::new(1000, Duration::from_millis(5), 4096);
        let line = serde_json::to_string(&report).unwrap();
        assert_eq!(line, r#"{"calls":1000,"cpu_us":5000,"cpu_us_per_call":5.0,"peak_rss_bytes":4096}"#);
        assert_eq!(serde_json::from_str::<ServerReport>(&line).unwrap(), report);
    }

    #[test]
    fn an_idle_server_has_no_cpu_per_call() {
        assert_eq!(ServerReport::new(0, Duration::from_millis(5), 4096).cpu_us_per_call, 0.0);
    }
}
