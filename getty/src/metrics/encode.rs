//! From sums to metrics, when they are asked for.

use std::{fmt::Error, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeCounterValue, EncodeLabelSet, NoLabelSet},
    metrics::MetricType,
};

use super::{
    Metrics,
    sums::{Endpoint, Pair},
};
use crate::Stats;

type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

/// A counter of the sessions' own, its name and its help.
type OfSessions = (&'static str, &'static str, fn(&Stats) -> u64);

const OF_SESSIONS: [OfSessions; 8] = [
    ("getty_read_bytes", "Bytes that Readers were given", |stats| stats.read_bytes),
    ("getty_written_bytes", "Bytes that connections have taken from out-buffers", |stats| {
        stats.written_bytes
    }),
    ("getty_wire_read_bytes", "Bytes read below the compression", |stats| stats.wire_read_bytes),
    ("getty_wire_written_bytes", "Bytes written below the compression", |stats| stats.wire_written_bytes),
    ("getty_read_packets", "Packets decoded", |stats| stats.read_packets),
    ("getty_written_packets", "Packets queued by writes", |stats| stats.written_packets),
    ("getty_refused_packets", "Packets that a full pool refused", |stats| stats.refused_packets),
    ("getty_dropped_messages", "Datagrams that were no packet", |stats| stats.dropped_messages),
];

/// At each scrape.
impl Collector for Metrics {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> Result<(), Error> {
        let sums = self.lock();
        // Taken once, so that all counters of a scrape belong together.
        let pairs: Vec<_> = sums
            .pairs
            .iter()
            .map(|((endpoint, transport), pair)| {
                ([("endpoint", &**endpoint), ("transport", *transport)], pair, pair.total())
            })
            .collect();
        gauge(
            &mut to,
            "getty_sessions",
            "Sessions that live",
            pairs.iter().map(|(labels, pair, _)| (labels, pair.live())),
        )?;
        let opened = pairs.iter().map(|(labels, pair, _)| (*labels, pair.opened));
        counter(&mut to, "getty_sessions_opened", "Sessions that began", opened)?;
        let closed = pairs.iter().flat_map(|(labels, pair, _)| by_reason(labels, pair));
        counter(&mut to, "getty_sessions_closed", "Sessions that ended, by reason", closed)?;
        for (name, help, value) in OF_SESSIONS {
            counter(&mut to, name, help, pairs.iter().map(|(labels, _, total)| (*labels, value(total))))?;
        }
        let queued = pairs.iter().map(|(labels, _, total)| (labels, total.queued_bytes));
        gauge(&mut to, "getty_queued_bytes", "Bytes that wait in out-buffers", queued)?;

        let endpoints = &sums.endpoints;
        let dials = endpoints.iter().flat_map(|(name, endpoint)| by_outcome(name, endpoint));
        counter(&mut to, "getty_dials", "Dials of clients, by outcome", dials)?;
        let seconds = endpoints.iter().map(|(name, endpoint)| (only(name), endpoint.dialling.as_secs_f64()));
        counter(&mut to, "getty_dial_seconds", "Time that the dials which succeeded took together", seconds)?;
        let refused = endpoints.iter().flat_map(|(name, endpoint)| {
            endpoint.refused.iter().map(|(limit, count)| ([("endpoint", &**name), ("limit", *limit)], *count))
        });
        counter(
            &mut to,
            "getty_refused_connections",
            "Connections closed right after they were accepted, by limit",
            refused,
        )?;
        let handshakes = endpoints.iter().map(|(name, endpoint)| (only(name), endpoint.failed_handshakes));
        counter(
            &mut to,
            "getty_failed_handshakes",
            "Accepted connections whose handshake failed",
            handshakes,
        )?;
        let accepts = endpoints.iter().map(|(name, endpoint)| (only(name), endpoint.failed_accepts));
        counter(&mut to, "getty_failed_accepts", "Failures to accept a connection", accepts)
    }
}

fn only(endpoint: &Arc<str>) -> Labels<'_, 1> {
    [("endpoint", endpoint)]
}

fn by_reason<'a>(labels: &Labels<'a, 2>, pair: &'a Pair) -> impl Iterator<Item = (Labels<'a, 3>, u64)> {
    let [endpoint, transport] = *labels;
    pair.closed.iter().map(move |(reason, count)| ([endpoint, transport, ("reason", reason)], *count))
}

fn by_outcome<'a>(name: &'a Arc<str>, endpoint: &Endpoint) -> [(Labels<'a, 2>, u64); 2] {
    [("ok", endpoint.dials), ("failed", endpoint.failed_dials)]
        .map(|(outcome, count)| ([("endpoint", &**name), ("outcome", outcome)], count))
}

/// The library adds `_total` to the name.
fn counter<L: EncodeLabelSet, V: EncodeCounterValue>(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    series: impl Iterator<Item = (L, V)>,
) -> Result<(), Error> {
    let mut family = to.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (labels, value) in series {
        family.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
    }
    Ok(())
}

fn gauge<'a, V: TryInto<i64>>(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    series: impl Iterator<Item = (&'a Labels<'a, 2>, V)>,
) -> Result<(), Error> {
    let mut family = to.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in series {
        family.encode_family(labels)?.encode_gauge(&value.try_into().unwrap_or(i64::MAX))?;
    }
    Ok(())
}
