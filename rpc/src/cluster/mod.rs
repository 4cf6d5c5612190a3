//! Which provider a call goes to, and what happens when that fails.
//!
//! ```text
//!   Subscription (registry) --> Directory: list of Invokers --> LoadBalance: one of them --> Pool: a session
//!                                        ^                                                     |
//!                                        +---- Cluster: another one, if the call did not run --+
//! ```

mod balance;
mod directory;
mod invoker;
mod pool;

pub use balance::LoadBalance;
pub(crate) use directory::{Directory, Pools};
pub(crate) use invoker::Invoker;
pub(crate) use pool::{Pool, PoolSettings};

/// What happens when a call fails.
///
/// | failure | `Failover` | `Failfast` |
/// |---|---|---|
/// | it never left: a provider that cannot be reached, or shuts down | goes to every other provider once, uncounted | the same |
/// | a provider refused it with status 100 | goes to another | goes to one other |
/// | the connection was lost, and it surely did not run or its method is idempotent | goes to another | the caller's |
/// | anything else | the caller's | the caller's |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cluster {
    /// It is sent to another provider, so many times at most, if it surely did not run or its method is declared idempotent.
    /// Dubbo's default is two.
    Failover {
        /// Further attempts.
        retries: u32,
    },
    /// The error is the caller's at once, if the call can have run.
    Failfast,
}

impl Default for Cluster {
    fn default() -> Self {
        Self::Failover { retries: 2 }
    }
}

impl Cluster {
    pub(crate) fn retries(self) -> u32 {
        match self {
            Self::Failover { retries } => retries,
            Self::Failfast => 0,
        }
    }
}
