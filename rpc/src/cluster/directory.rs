//! The providers of one service: a list that a registry keeps up to date, or a fixed one.
//!
//! ```text
//!              first list               news                registry closed, last reference gone
//!   Unknown ---------------> Known ---------------> Known ---------------> (task ends)
//!      calls wait              calls choose
//! ```

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use arc_swap::ArcSwapOption;
use getty_registry::{Subscription, Update};
use tokio::{sync::Notify, task::JoinHandle};

use super::{Invoker, LoadBalance, Pool, PoolSettings, balance::Balancer};
use crate::{
    error::{Error, ErrorKind, Result},
    service::Target,
};

/// The providers of one service.
pub(crate) struct Directory {
    shared: Arc<Shared>,
    task: Option<JoinHandle<()>>,
}

struct Shared {
    target: Target,
    list: ArcSwapOption<List>,
    changed: Notify,
    balancer: Balancer,
}

struct List {
    invokers: Vec<Arc<Invoker>>,
    /// The registry says that there is nobody; these are the last that it knew.
    stale: bool,
    /// The address of one that the registry knew before, for a list without any.
    last: Option<String>,
}

impl Directory {
    /// Of providers that do not change.
    pub(crate) fn fixed(target: Target, pools: &[Arc<Pool>], balance: LoadBalance) -> Self {
        let invokers = pools.iter().map(|pool| Arc::new(Invoker::new(100, Arc::clone(pool)))).collect();
        let shared = Shared::new(target, balance);
        shared.list.store(Some(Arc::new(List { invokers, stale: false, last: None })));
        Self { shared: Arc::new(shared), task: None }
    }

    /// Of the providers that a registry knows. Must be called in a tokio runtime.
    pub(crate) fn subscribed(
        target: Target,
        subscription: Subscription,
        pools: Arc<Pools>,
        balance: LoadBalance,
    ) -> Self {
        let shared = Arc::new(Shared::new(target, balance));
        let task = tokio::spawn(follow(Arc::clone(&shared), subscription, pools));
        Self { shared, task: Some(task) }
    }

    /// A provider for a call that has `tried` some already: one that is available if there is any, and one that was tried only if there
    /// is no other. Allocates nothing.
    pub(crate) fn choose(&self, tried: &[Arc<Invoker>]) -> Option<Arc<Invoker>> {
        let list = self.shared.list.load();
        let invokers = &list.as_ref()?.invokers;
        if let [only] = &invokers[..] {
            return Some(Arc::clone(only));
        }
        let fresh = |invoker: &Invoker| !tried.iter().any(|known| std::ptr::eq(&**known, invoker));
        let anyhow = |_: &Invoker| true;
        let balancer = &self.shared.balancer;
        balancer
            .choose(invokers, fresh, Invoker::is_available)
            .or_else(|| balancer.choose(invokers, fresh, anyhow))
            .or_else(|| balancer.choose(invokers, anyhow, anyhow))
            .map(Arc::clone)
    }

    /// Whether there is a provider that was not asked yet.
    pub(crate) fn has_others(&self, tried: &[Arc<Invoker>], asked: Option<&Arc<Invoker>>) -> bool {
        let known =
            |invoker: &Arc<Invoker>| tried.iter().chain(asked).any(|known| Arc::ptr_eq(known, invoker));
        self.shared
            .list
            .load()
            .as_ref()
            .is_some_and(|list| list.invokers.iter().any(|invoker| !known(invoker)))
    }

    /// What it means that a provider cannot be reached: where the registry knows nobody, that is worth more than the cause alone.
    pub(crate) fn unreachable(&self, invoker: &Invoker, error: Error) -> Error {
        let stale = self.shared.list.load().as_ref().is_some_and(|list| list.stale);
        if !stale || !matches!(error.kind(), ErrorKind::Connect) {
            return error;
        }
        let text = format!(
            "the registry knows no provider of {}, and the last known, {}, is down: {}",
            self.shared.target,
            invoker.address(),
            error.message()
        );
        Error::not_run(ErrorKind::Connect, text).caused_by(error)
    }

    /// Waits until there is a list, and says what is wrong when it is empty. Cancel-safe.
    pub(crate) async fn known(&self) -> Result<()> {
        loop {
            let changed = self.shared.changed.notified();
            match self.shared.list.load().as_ref() {
                None => {}
                Some(list) if list.invokers.is_empty() => {
                    let mut text = format!("the registry knows no provider of {}", self.shared.target);
                    if let Some(last) = &list.last {
                        text += &format!("; the last known was {last}");
                    }
                    return Err(Error::not_run(ErrorKind::Connect, text));
                }
                Some(_) => return Ok(()),
            }
            changed.await;
        }
    }
}

impl Shared {
    fn new(target: Target, balance: LoadBalance) -> Self {
        Self {
            target,
            list: ArcSwapOption::empty(),
            changed: Notify::new(),
            balancer: Balancer::new(balance),
        }
    }

    fn take(&self, update: &Update, pools: &Pools) {
        let old = self.list.load_full();
        let known = |address: &str, weight: u32| {
            old.as_ref()?.invokers.iter().find(|i| i.address() == address && i.weight() == weight).cloned()
        };
        let invokers: Vec<_> = update
            .snapshot
            .iter()
            .map(|provider| {
                let (address, weight) = (provider.address().to_string(), provider.weight());
                known(&address, weight).unwrap_or_else(|| Arc::new(Invoker::new(weight, pools.get(&address))))
            })
            .collect();
        // Of several, the first is as good as any: it is there to be recognized.
        let before = old.as_ref().filter(|_| invokers.is_empty());
        let last = before.and_then(|old| match old.invokers.first() {
            Some(invoker) => Some(invoker.address().to_owned()),
            None => old.last.clone(),
        });
        let list = List { invokers, stale: update.stale, last };
        tracing::info!(service = %self.target, providers = ?list.invokers, stale = list.stale, "providers changed");
        self.list.store(Some(Arc::new(list)));
        self.changed.notify_waiters();
    }
}

async fn follow(shared: Arc<Shared>, mut subscription: Subscription, pools: Arc<Pools>) {
    while let Some(update) = subscription.next().await {
        shared.take(&update, &pools);
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// The pools of a client, one for each address, for as long as somebody uses it.
pub(crate) struct Pools {
    settings: PoolSettings,
    known: Mutex<HashMap<String, Weak<Pool>>>,
}

impl Pools {
    pub(crate) fn new(settings: PoolSettings) -> Self {
        Self { settings, known: Mutex::default() }
    }

    fn get(&self, address: &str) -> Arc<Pool> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, pool| pool.strong_count() > 0);
        if let Some(pool) = known.get(address).and_then(Weak::upgrade) {
            return pool;
        }
        let pool = Arc::new(Pool::tcp(address.to_owned(), &self.settings));
        known.insert(address.to_owned(), Arc::downgrade(&pool));
        pool
    }
}

impl Pools {
    pub(crate) fn all(&self) -> Vec<Arc<Pool>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().filter_map(Weak::upgrade).collect()
    }
}
