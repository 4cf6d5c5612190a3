//! The service of the `registry` example: it shows which provider answers.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use getty_rpc::service;

/// Gives out tickets.
#[service(interface = "com.example.tickets.Tickets", version = "1.0.0")]
pub trait Tickets {
    /// The next ticket, `<provider>#<number>`. Asked twice it gives two, so a call that may have run is not repeated.
    async fn take(&self) -> String;
    /// Which provider answers. Asked twice it says the same, so the client may repeat it elsewhere.
    #[method(idempotent)]
    async fn provider(&self) -> String;
}

/// One machine that gives out tickets.
#[derive(Debug)]
pub struct Machine {
    name: String,
    work: Duration,
    taken: AtomicU64,
}

impl Machine {
    /// A machine with a name, and the time that it needs for each call.
    pub fn new(name: impl Into<String>, work: Duration) -> Self {
        Self { name: name.into(), work, taken: AtomicU64::new(0) }
    }
}

impl Tickets for Machine {
    async fn take(&self) -> String {
        let number = self.taken.fetch_add(1, Ordering::Relaxed) + 1;
        tokio::time::sleep(self.work).await;
        format!("{}#{number}", self.name)
    }

    async fn provider(&self) -> String {
        tokio::time::sleep(self.work).await;
        self.name.clone()
    }
}
