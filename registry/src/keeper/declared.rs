//! Owns what a user has declared: the URLs that should be in the registry, the ones that should not be any more, and the
//! lists that are followed. Knows no server; the registrar and the followers act on it and tell how it went.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use super::backend::Fault;
use crate::MAX_REGISTRATIONS;
use crate::error::RegisterError;
use crate::layout::Node;
use crate::listing::Publisher;
use crate::registration::{Registration, RegistrationState};
use crate::url::Url;

/// What is declared, shared by the user's handle and the keeper's task.
#[derive(Default)]
pub(crate) struct Declared {
    inner: Mutex<Inner>,
    /// Something must be registered or removed.
    pub(crate) work: Notify,
    /// A list must be followed that is not.
    pub(crate) interest: Notify,
}

#[derive(Default)]
struct Inner {
    wishes: HashMap<Arc<Node>, Wish>,
    /// By interface.
    lists: HashMap<Arc<str>, Arc<Publisher>>,
    closed: bool,
}

/// A URL that should be in the registry, or should not.
struct Wish {
    url: Arc<Url>,
    wanted: bool,
    /// It must be looked at.
    due: bool,
    /// The registry was asked to write it, so it may be there, whatever the answer was.
    attempted: bool,
    state: watch::Sender<RegistrationState>,
}

/// One thing to see to.
pub(crate) struct Task {
    pub(crate) node: Arc<Node>,
    pub(crate) wanted: bool,
}

impl Declared {
    /// Writes a wish down; one that is there already is the same.
    pub(crate) fn want(&self, node: Node, url: Url) -> Result<Registration, RegisterError> {
        let mut inner = self.lock();
        if inner.closed {
            return Err(RegisterError::Closed);
        }
        if let Some(wish) = inner.wishes.get(&node).filter(|wish| wish.wanted) {
            return Ok(Registration::of(Arc::clone(&wish.url), wish.state.subscribe()));
        }
        if inner.wishes.len() >= MAX_REGISTRATIONS {
            return Err(RegisterError::TooMany);
        }
        let url = Arc::new(url);
        let (state, seen) = watch::channel(RegistrationState::Waiting { cause: None });
        let attempted = inner.wishes.get(&node).is_some_and(|old| old.attempted);
        let wish = Wish { url: Arc::clone(&url), wanted: true, due: true, attempted, state };
        if let Some(withdrawn) = inner.wishes.insert(Arc::new(node), wish) {
            withdrawn.set(RegistrationState::Unregistered);
        }
        drop(inner);
        self.work.notify_one();
        Ok(Registration::of(url, seen))
    }

    /// What is wanted and not withdrawn, by its text.
    pub(crate) fn wanted(&self) -> Vec<Registration> {
        let inner = self.lock();
        let wanted = inner.wishes.values().filter(|wish| wish.wanted);
        let mut wanted: Vec<_> =
            wanted.map(|wish| Registration::of(Arc::clone(&wish.url), wish.state.subscribe())).collect();
        drop(inner);
        wanted.sort_by_cached_key(|registration| registration.url().to_full_string());
        wanted
    }

    /// Withdraws a wish. `None` if there is nothing to wait for.
    pub(crate) fn withdraw(&self, node: &Node) -> Option<watch::Receiver<RegistrationState>> {
        let mut inner = self.lock();
        let wish = inner.wishes.get_mut(node)?;
        wish.wanted = false;
        wish.due = true;
        if !wish.attempted {
            wish.state.send_replace(RegistrationState::Unregistered);
            inner.wishes.remove(node);
            return None;
        }
        let seen = wish.state.subscribe();
        drop(inner);
        self.work.notify_one();
        Some(seen)
    }

    /// Withdraws all wishes.
    pub(crate) fn withdraw_all(&self) {
        let mut inner = self.lock();
        inner.wishes.retain(|_, wish| {
            wish.wanted = false;
            wish.due = true;
            if !wish.attempted {
                wish.set(RegistrationState::Unregistered);
            }
            wish.attempted
        });
    }

    /// Makes everything due: in a new session, after a break, and on a clock.
    pub(crate) fn all_due(&self) {
        self.lock().wishes.values_mut().for_each(|wish| wish.due = true);
    }

    /// What must be looked at.
    pub(crate) fn due(&self) -> Vec<Task> {
        let inner = self.lock();
        let due = inner.wishes.iter().filter(|(_, wish)| wish.due);
        due.map(|(node, wish)| Task { node: Arc::clone(node), wanted: wish.wanted }).collect()
    }

    /// Must be called before the registry is asked to write a node. False if the wish has changed meanwhile.
    pub(crate) fn attempt(&self, task: &Task) -> bool {
        match self.lock().wishes.get_mut(&task.node) {
            Some(wish) if wish.wanted == task.wanted => {
                wish.attempted = true;
                true
            }
            _ => false,
        }
    }

    /// Tells how a task went. A wish that has changed meanwhile stays due.
    pub(crate) fn settle(&self, task: &Task, result: &Result<(), Fault>) {
        let mut inner = self.lock();
        let Some(wish) = inner.wishes.get_mut(&task.node).filter(|wish| wish.wanted == task.wanted) else {
            return;
        };
        match (result, task.wanted) {
            (Ok(()), true) => {
                wish.due = false;
                wish.set(RegistrationState::Registered);
            }
            (Ok(()), false) => {
                wish.due = false;
                // A write that got no answer may still arrive behind the removal, so it is looked for once more.
                if matches!(*wish.state.borrow(), RegistrationState::Unregistered) {
                    inner.wishes.remove(&task.node);
                } else {
                    wish.set(RegistrationState::Unregistered);
                }
            }
            (Err(fault), _) => wish.fail(&fault.text),
        }
    }

    /// Nothing is certain any more.
    pub(crate) fn all_uncertain(&self, cause: &Arc<str>) {
        self.lock().wishes.values().for_each(|wish| wish.fail(cause));
    }

    /// The publisher of an interface; the closure runs while nobody can forget it. `None` after the close.
    pub(crate) fn list<T>(&self, interface: &str, then: impl FnOnce(&Publisher) -> T) -> Option<T> {
        let mut inner = self.lock();
        if inner.closed {
            return None;
        }
        if let Some(list) = inner.lists.get(interface) {
            return Some(then(list));
        }
        let list = Arc::new(Publisher::new());
        let result = then(&list);
        inner.lists.insert(interface.into(), list);
        drop(inner);
        self.interest.notify_one();
        Some(result)
    }

    /// All lists that are followed.
    pub(crate) fn lists(&self) -> Vec<(Arc<str>, Arc<Publisher>)> {
        self.lock().lists.iter().map(|(interface, list)| (Arc::clone(interface), Arc::clone(list))).collect()
    }

    /// Forgets a list that nobody listens to. False if somebody does.
    pub(crate) fn forget_unwanted(&self, interface: &str) -> bool {
        let mut inner = self.lock();
        let unwanted = inner.lists.get(interface).is_none_or(|list| !list.is_wanted());
        if unwanted {
            inner.lists.remove(interface);
        }
        unwanted
    }

    /// Ends all registrations and subscriptions.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        for (_, wish) in inner.wishes.drain() {
            wish.set(RegistrationState::Unregistered);
        }
        inner.lists.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wish {
    fn set(&self, state: RegistrationState) {
        self.state.send_if_modified(|now| {
            let changed = *now != state;
            *now = state;
            changed
        });
    }

    fn fail(&self, cause: &Arc<str>) {
        let cause = Arc::clone(cause);
        let now = self.state.borrow().clone();
        match now {
            RegistrationState::Waiting { .. } => self.set(RegistrationState::Waiting { cause: Some(cause) }),
            RegistrationState::Unregistered => {}
            _ => self.set(RegistrationState::Uncertain { cause }),
        }
    }
}
