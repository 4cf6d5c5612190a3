//! Owns the bookkeeping of one connection of mode `echo`: which packets are in flight, since when, and what to send
//! next. Does no I/O, so that every peer's client is measured by the same code.
//!
//! ```text
//!          +--------- refill(now): the ids to send <---------+
//!          v                                                 |
//!     in flight ---> echoed(now, ..) for each that returns ---> settle(now) ---> is_done: window over, all returned
//! ```
//!
//! Packets return in the order in which they were sent. Those that are sent with one reading of the clock are one batch, and all
//! that return in one read share one too.

use super::{LoadError, Shape};
use crate::frame::Size;
use crate::latency::{Measurement, Recorder};
use crate::window::{Budget, Window};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;
use tokio::task::JoinSet;

/// Runs one task per connection until the budget is spent. `flood` sends what [`Flight`] says over one connection and
/// returns it when it is done.
pub(crate) async fn drive<C, F>(
    connections: Vec<C>,
    shape: Shape,
    budget: Budget,
    flood: impl Fn(C, Flight) -> F,
) -> Result<Measurement, LoadError>
where
    F: Future<Output = Result<Flight, LoadError>> + Send + 'static,
{
    let recorders = Recorder::group(connections.len())?;
    let window = Arc::new(Window::start(budget, shape.connections.saturating_mul(shape.callers)));

    let mut tasks = JoinSet::new();
    for (recorder, connection) in recorders.into_iter().zip(connections) {
        tasks.spawn(flood(connection, Flight::new(Arc::clone(&window), recorder, shape)));
    }
    let mut recorders = Vec::with_capacity(shape.connections);
    while let Some(ended) = tasks.join_next().await {
        recorders.push(ended.map_err(LoadError::Panicked)??.recorder);
    }
    Ok(Measurement::finish(&window, recorders)?)
}

/// One connection's packets in flight.
#[derive(Debug)]
pub(crate) struct Flight {
    window: Arc<Window>,
    recorder: Recorder,
    depth: u64,
    size: Size,
    /// The id of the next packet to send.
    next: u64,
    /// The id of the next packet to return.
    awaited: u64,
    /// Sent and not wholly returned, oldest first.
    batches: VecDeque<Batch>,
    over: bool,
}

#[derive(Debug)]
struct Batch {
    /// The id after its last packet.
    end: u64,
    sent: Instant,
    measured: bool,
    /// Returned rightly, not yet recorded.
    right: u64,
}

impl Flight {
    fn new(window: Arc<Window>, recorder: Recorder, shape: Shape) -> Self {
        Self {
            window,
            recorder,
            depth: shape.callers as u64,
            size: shape.size,
            next: 0,
            awaited: 0,
            batches: VecDeque::new(),
            over: false,
        }
    }

    /// Bytes of each packet.
    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// The ids to send now; empty when enough is in flight or the window is over.
    pub(crate) fn refill(&mut self, now: Instant) -> Range<u64> {
        let first = self.next;
        let wanted = self.depth.saturating_sub(self.next - self.awaited);
        if wanted > 0 && !self.over {
            let admitted = self.window.admit(now, wanted);
            self.over = admitted.warm_up + admitted.measured < wanted;
            self.sent(now, admitted.warm_up, false);
            // Opening the window takes time that is not these packets'.
            let now = if admitted.opened { Instant::now() } else { now };
            self.sent(now, admitted.measured, true);
        }
        first..self.next
    }

    /// Takes the next packet that came back; `is_echo` tells whether it is the one with this id, unchanged.
    pub(crate) fn echoed(&mut self, now: Instant, is_echo: impl FnOnce(u64) -> bool) {
        let Some(batch) = self.batches.front_mut() else {
            // Nothing was asked for.
            return self.recorder.wrong(now, "a packet returned that was not in flight");
        };
        match (is_echo(self.awaited), batch.measured) {
            (true, _) => batch.right += 1,
            (false, true) => self.recorder.wrong(now, "a packet returned changed or out of order"),
            (false, false) => {}
        }
        self.awaited += 1;
        if self.awaited == batch.end {
            batch.record(now, &mut self.recorder);
            self.batches.pop_front();
        }
    }

    /// Notes that no more packets came with this reading of the clock.
    pub(crate) fn settle(&mut self, now: Instant) {
        if let Some(batch) = self.batches.front_mut() {
            batch.record(now, &mut self.recorder);
        }
    }

    /// The window is over and every packet has returned.
    pub(crate) fn is_done(&self) -> bool {
        self.over && self.batches.is_empty()
    }

    fn sent(&mut self, sent: Instant, count: u64, measured: bool) {
        if count == 0 {
            return;
        }
        self.next += count;
        match self.batches.back_mut() {
            // A peer that refills for each packet sends as many with one reading of the clock.
            Some(last) if last.sent == sent && last.measured == measured => last.end = self.next,
            _ => self.batches.push_back(Batch { end: self.next, sent, measured, right: 0 }),
        }
    }
}

impl Batch {
    fn record(&mut self, now: Instant, recorder: &mut Recorder) {
        let right = std::mem::take(&mut self.right);
        if self.measured && right > 0 {
            recorder.right(self.sent, now, right);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn flight(budget: u64, depth: usize) -> Flight {
        Flight::new(
            Arc::new(Window::start(Budget::Calls(budget), depth)),
            Recorder::group(1).unwrap().remove(0),
            Shape { connections: 1, callers: depth, size: Size::USUAL },
        )
    }

    fn result(flight: Flight) -> Measurement {
        Measurement::finish(&flight.window, vec![flight.recorder]).unwrap()
    }

    #[test]
    fn never_more_in_flight_than_the_depth() {
        let now = Instant::now();
        let mut flight = flight(100, 8);
        assert_eq!(flight.refill(now), 0..8);
        assert!(flight.refill(now).is_empty());
        (0..3).for_each(|_| flight.echoed(now, |_| true));
        assert_eq!(flight.refill(now), 8..11);
    }

    #[test]
    fn all_packets_return_before_it_is_done_and_exactly_the_budget_is_measured() {
        let mut flight = flight(100, 8);
        let (mut sent, mut returned) = (0, 0);
        while !flight.is_done() {
            let now = Instant::now();
            sent += flight.refill(now).count();
            // Reads that cut batches anywhere.
            for _ in 0..5.min(sent - returned) {
                flight.echoed(now, |id| id == returned as u64);
                returned += 1;
            }
            flight.settle(now);
        }
        assert_eq!((sent, returned), (125, 125), "25 to warm up, 100 measured");
        let result = result(flight);
        assert_eq!((result.calls(), result.errors), (100, 0));
    }

    #[test]
    fn packets_that_are_sent_one_by_one_are_timed_as_those_that_are_sent_together() {
        let mut flight = flight(8, 4);
        let start = Instant::now();
        assert_eq!(flight.refill(start), 0..4, "these are warm-up");
        for reading in 1..=3 {
            let now = start + reading * Duration::from_millis(1);
            for id in 0..4 {
                flight.echoed(now, |_| true);
                let next = u64::from(reading) * 4 + id;
                assert_eq!(flight.refill(now), if reading < 3 { next..next + 1 } else { 12..12 });
            }
            // The packet that opens the window has a reading of its own.
            assert!(flight.batches.len() <= 2, "{:?}", flight.batches);
            flight.settle(now);
        }
        assert!(flight.is_done());
        let result = result(flight);
        assert_eq!((result.calls(), result.errors), (8, 0));
        assert!((950.0..1_050.0).contains(&result.quantile_us(0.5)), "{}", result.quantile_us(0.5));
    }

    #[test]
    fn a_part_of_a_batch_is_timed_when_it_returns_not_when_the_batch_is_whole() {
        let mut flight = flight(100, 100);
        let start = Instant::now();
        flight.refill(start);
        (0..100).for_each(|_| flight.echoed(start, |_| true));
        flight.refill(start);
        let (soon, late) =
            (Instant::now() + Duration::from_millis(1), Instant::now() + Duration::from_secs(1));
        (0..60).for_each(|_| flight.echoed(soon, |_| true));
        flight.settle(soon);
        (0..40).for_each(|_| flight.echoed(late, |_| true));
        let result = result(flight);
        assert!(result.quantile_us(0.5) < 2_000.0, "{}", result.quantile_us(0.5));
        assert!(result.quantile_us(0.7) > 900_000.0, "{}", result.quantile_us(0.7));
    }

    #[test]
    fn wrong_packets_and_unasked_ones_are_errors() {
        let now = Instant::now();
        let mut flight = flight(4, 4);
        flight.refill(now);
        (0..4).for_each(|_| flight.echoed(now, |_| false));
        assert_eq!(flight.refill(now), 4..8, "the first four were warm-up");
        (0..4).for_each(|_| flight.echoed(now, |id| id != 5));
        flight.echoed(now, |_| true);
        let result = result(flight);
        assert_eq!((result.calls(), result.errors), (3, 2));
    }
}
