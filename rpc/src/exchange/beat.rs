//! The heartbeat of one session: looks when it is time, asks, and ends the session when the peer is gone.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use getty::{Protocol, Session};
use tokio::time::Instant;

use super::{
    heartbeat::{Heartbeat, Pulse},
    write_frame,
};
use crate::{
    protocol::{Header, Kind, PAYLOAD},
    serialization::{self, hessian2},
};

/// Heartbeats need ids of their own: below zero, where no call's id is.
static IDS: AtomicI64 = AtomicI64::new(-1);

/// Part of a session's state.
pub(crate) struct Beat {
    period: Duration,
    watch: Mutex<Watch>,
}

struct Watch {
    heartbeat: Heartbeat,
    next: Instant,
}

impl Beat {
    pub(crate) fn new(period: Duration, now: Instant) -> Self {
        let watch = Watch { heartbeat: Heartbeat::new(period, now), next: now };
        Self { period, watch: Mutex::new(watch) }
    }

    /// How often [`tick`](Self::tick) wants to be called.
    pub(crate) fn interval(&self) -> Duration {
        Heartbeat::interval(self.period)
    }

    /// Called from `on_cron`; more often than needed does no harm. Some text when the session was ended, at once, because the peer
    /// is gone.
    pub(crate) fn tick<P: Protocol>(&self, session: &Session<P>, now: Instant) -> Option<String> {
        let pulse = {
            let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
            if now < watch.next {
                return None;
            }
            watch.next = now + self.interval();
            watch.heartbeat.look(now, session.stats().read_bytes)
        };
        match pulse {
            Pulse::Quiet => {}
            Pulse::Ask => {
                let id = IDS.fetch_sub(1, Ordering::Relaxed);
                let kind = Kind::Request { two_way: true };
                let header = Header { kind, event: true, serialization: hessian2::ID, id, length: 0 };
                let _ = write_frame(session, PAYLOAD, |out| serialization::event(out, header, None));
            }
            Pulse::Dead(idle) => {
                tracing::warn!(peer = ?session.peer(), ?idle, period = ?self.period, "no heartbeat came back, closing");
                // It may not even take what is queued for it.
                session.abort();
                return Some(format!(
                    "nothing came from the peer for {idle:?}, no answer to a heartbeat either"
                ));
            }
        }
        None
    }
}
