//! What few sessions have: values by type, callbacks of their end, counts of what seldom happens, an error, and who waits for room in
//! the out-buffer. Allocated on first use, so that the others pay two words.

use std::{
    any::{Any, TypeId},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{Session, core::Life};
use crate::{
    Error, Protocol,
    observer::report,
    sync::{Notify, OnceLock, atomic::fence},
};

type Value = Arc<dyn Any + Send + Sync>;
type Callback<P> = Box<dyn FnOnce(&Session<P>) + Send>;

/// Names a callback of [`Session::add_close_callback`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCallback(u64);

pub(super) struct Extras<P: Protocol>(OnceLock<Box<Extra<P>>>);

struct Extra<P: Protocol> {
    refused_packets: AtomicU64,
    dropped_messages: AtomicU64,
    /// Why the session ended.
    error: OnceLock<Arc<Error>>,
    /// Woken when the out-buffer has room again, and at the end.
    room: Notify,
    given: Mutex<Given<P>>,
}

/// What users have given.
struct Given<P: Protocol> {
    attributes: Vec<(TypeId, Value)>,
    callbacks: Vec<(CloseCallback, Callback<P>)>,
    /// Callbacks that were ever added.
    added: u64,
}

impl<P: Protocol> Default for Extras<P> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<P: Protocol> Extra<P> {
    fn new() -> Box<Self> {
        let given = Given { attributes: Vec::new(), callbacks: Vec::new(), added: 0 };
        Box::new(Self {
            refused_packets: AtomicU64::new(0),
            dropped_messages: AtomicU64::new(0),
            error: OnceLock::new(),
            room: Notify::new(),
            given: Mutex::new(given),
        })
    }

    fn given(&self) -> MutexGuard<'_, Given<P>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Protocol> Extras<P> {
    /// Makes it if it is not there.
    fn extra(&self) -> &Extra<P> {
        self.0.get_or_init(Extra::new)
    }

    /// Makes it if it is not there.
    fn given(&self) -> MutexGuard<'_, Given<P>> {
        self.extra().given()
    }

    /// `None` where it was never made.
    fn find(&self) -> Option<MutexGuard<'_, Given<P>>> {
        self.0.get().map(|extra| extra.given())
    }

    pub(super) fn count_refused_packet(&self) {
        self.extra().refused_packets.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_dropped_message(&self) {
        self.extra().dropped_messages.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused_packets(&self) -> u64 {
        self.0.get().map_or(0, |extra| extra.refused_packets.load(Ordering::Relaxed))
    }

    pub(super) fn dropped_messages(&self) -> u64 {
        self.0.get().map_or(0, |extra| extra.dropped_messages.load(Ordering::Relaxed))
    }

    /// Keeps the first error. Gives the one that is kept.
    pub(super) fn keep_error(&self, error: Error) -> &Arc<Error> {
        self.extra().error.get_or_init(|| Arc::new(error))
    }

    pub(super) fn error(&self) -> Option<&Arc<Error>> {
        self.0.get()?.error.get()
    }

    /// For who waits for room: asked before it looks whether there is some, or the session ends.
    pub(super) fn room(&self) -> &Notify {
        &self.extra().room
    }

    /// Wakes all who wait for room, once they have a reason to go on.
    pub(super) fn tell_all_of_room(&self) {
        // Either this sees what was made for who waits, or who waits sees the reason: both store, then load.
        fence(Ordering::SeqCst);
        if let Some(extra) = self.0.get() {
            extra.room.notify_waiters();
        }
    }

    pub(super) fn set<T: Any + Send + Sync>(&self, value: T) {
        let mut value: Value = Arc::new(value);
        let mut given = self.given();
        match given.attributes.iter_mut().find(|(id, _)| *id == TypeId::of::<T>()) {
            Some((_, old)) => std::mem::swap(old, &mut value),
            None => return given.attributes.push((TypeId::of::<T>(), value)),
        }
        drop(given);
        // The end of the old value is the user's code: not under the lock.
        drop(value);
    }

    pub(super) fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let given = self.find()?;
        let (_, value) = given.attributes.iter().find(|(id, _)| *id == TypeId::of::<T>())?;
        Arc::clone(value).downcast().ok()
    }

    pub(super) fn remove<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let mut given = self.find()?;
        let at = given.attributes.iter().position(|(id, _)| *id == TypeId::of::<T>())?;
        let (_, value) = given.attributes.swap_remove(at);
        value.downcast().ok()
    }

    pub(super) fn remove_callback(&self, name: CloseCallback) -> bool {
        let Some(mut given) = self.find() else { return false };
        let Some(at) = given.callbacks.iter().position(|(other, _)| *other == name) else { return false };
        let removed = given.callbacks.remove(at);
        drop(given);
        // What it holds may be of a user's making, and so is its end: not under the lock.
        drop(removed);
        true
    }
}

impl<P: Protocol> Session<P> {
    pub(super) fn add_callback(&self, callback: Callback<P>) -> CloseCallback {
        let mut given = self.0.extras.given();
        given.added += 1;
        let name = CloseCallback(given.added);
        // Either this sees that the session is over, or who ended it sees what was made here: both store, then load.
        fence(Ordering::SeqCst);
        if self.0.is_over() {
            drop(given);
            report("a close callback", || callback(self));
        } else {
            given.callbacks.push((name, callback));
        }
        name
    }

    /// Runs the callbacks of the end, also those that they add. From then on others run where they are added.
    pub(super) fn run_close_callbacks(&self) {
        loop {
            let callbacks = match self.0.extras.find() {
                Some(mut given) => {
                    if given.callbacks.is_empty() {
                        return self.0.advance(Life::Over);
                    }
                    std::mem::take(&mut given.callbacks)
                }
                None => {
                    self.0.advance(Life::Over);
                    fence(Ordering::SeqCst);
                    if self.0.extras.0.get().is_none() {
                        return;
                    }
                    continue;
                }
            };
            for (_, callback) in callbacks {
                report("a close callback", || callback(self));
            }
        }
    }
}
