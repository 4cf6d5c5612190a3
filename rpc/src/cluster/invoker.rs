//! One provider of one service, as calls see it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use getty::Session;

use super::Pool;
use crate::{error::Result, exchange::ClientProtocol};

/// A provider.
pub(crate) struct Invoker {
    weight: u32,
    /// What it has gathered for its turn, where providers are chosen in turn.
    credit: AtomicI64,
    pool: Arc<Pool>,
}

impl Invoker {
    pub(crate) fn new(weight: u32, pool: Arc<Pool>) -> Self {
        Self { weight, credit: AtomicI64::new(0), pool }
    }

    pub(crate) fn address(&self) -> &str {
        self.pool.address()
    }

    pub(crate) fn weight(&self) -> u32 {
        self.weight
    }

    /// Read and set by one balancer alone, under its lock.
    pub(super) fn credit(&self) -> i64 {
        self.credit.load(Ordering::Relaxed)
    }

    pub(super) fn set_credit(&self, credit: i64) {
        self.credit.store(credit, Ordering::Relaxed);
    }

    /// Whether a call has a chance here: it is connected, or was not tried yet, or is due to be tried again.
    pub(crate) fn is_available(&self) -> bool {
        self.pool.is_available()
    }

    pub(crate) fn try_session(&self) -> Option<Session<ClientProtocol>> {
        self.pool.try_session()
    }

    pub(crate) async fn session(self: Arc<Self>) -> Result<Session<ClientProtocol>> {
        self.pool.session().await
    }
}

impl fmt::Debug for Invoker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x{}", self.address(), self.weight)
    }
}
