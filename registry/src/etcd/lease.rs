//! Owns the life of one lease: it is kept alive three times within its time, and its end is noticed. Must never wait longer
//! than a third of that time for an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use etcd_client::{Error, LeaseKeepAliveResponse, LeaseKeepAliveStream, LeaseKeeper};
use tokio::time::{Instant, sleep_until, timeout};

use super::fault;
use crate::keeper::backend::{Fault, FaultKind, Life, News};
use crate::race::{Either, race};

pub(crate) struct EtcdLife {
    keeper: LeaseKeeper,
    answers: LeaseKeepAliveStream,
    third: Duration,
    next: Instant,
    /// Set to 0 when the lease is gone.
    lease: Arc<AtomicI64>,
}

impl EtcdLife {
    pub(super) fn new(
        keeper: LeaseKeeper,
        answers: LeaseKeepAliveStream,
        ttl: Duration,
        lease: Arc<AtomicI64>,
    ) -> Self {
        let third = ttl / 3;
        Self { keeper, answers, third, next: Instant::now() + third, lease }
    }

    pub(super) fn id(&self) -> i64 {
        self.keeper.id()
    }

    /// Waits for the end of the stream, or of the lease.
    async fn end(&mut self) -> Fault {
        loop {
            // An answer that nobody asked for is the end of the stream, so a server that stops is noticed at once.
            match race(self.answers.message(), sleep_until(self.next)).await {
                Either::Left(answer) => {
                    if let Some(fault) = self.read(answer) {
                        return fault;
                    }
                    continue;
                }
                Either::Right(()) => self.next = Instant::now() + self.third,
            }
            if let Err(error) = self.keeper.keep_alive().await {
                return fault(&error);
            }
            let fault = match timeout(self.third, self.answers.message()).await {
                Ok(answer) => self.read(answer),
                Err(_) => Some(Fault::link(format_args!(
                    "expected the lease to be kept alive within {} ms, found no answer",
                    self.third.as_millis()
                ))),
            };
            if let Some(fault) = fault {
                return fault;
            }
        }
    }

    fn read(&self, answer: Result<Option<LeaseKeepAliveResponse>, Error>) -> Option<Fault> {
        match answer {
            Ok(Some(answer)) if answer.ttl() > 0 => None,
            Ok(Some(_)) => {
                self.lease.store(0, Ordering::Relaxed);
                Some(Fault::new(FaultKind::Session, "the lease is gone"))
            }
            Ok(None) => Some(Fault::link("the server ended the stream of the lease")),
            Err(error) => Some(fault(&error)),
        }
    }
}

impl Life for EtcdLife {
    async fn news(&mut self) -> News {
        News::Lost(self.end().await)
    }
}
