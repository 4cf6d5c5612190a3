//! In the place of getty's `sync`: locks and atomics are loom's, a task is a thread of the model, and a [`Notify`] is tokio's with a
//! point before each call where loom may let another thread go first.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex as StdMutex, OnceLock as StdOnceLock},
    task::{Context, Poll, Waker},
};

use loom::{
    future::block_on,
    thread::{self, JoinHandle},
};

pub(crate) use std::sync::PoisonError;

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
pub(crate) use loom::sync::{Mutex, MutexGuard, atomic};

/// A runtime that gives every task a thread of its own.
#[derive(Debug, Clone)]
pub(crate) struct Handle {
    ends: bool,
    tasks: Arc<StdMutex<Vec<JoinHandle<()>>>>,
}

/// A task was spawned.
#[derive(Debug)]
pub(crate) struct Spawned;

impl Handle {
    pub(crate) fn current() -> Self {
        Self { ends: false, tasks: Arc::default() }
    }

    /// A runtime that ends while its tasks run: each is polled once and then dropped.
    pub(crate) fn that_ends() -> Self {
        Self { ends: true, ..Self::current() }
    }

    pub(crate) fn spawn<F: Future<Output = ()> + Send + 'static>(&self, future: F) -> Spawned {
        let ends = self.ends;
        let task = thread::spawn(move || {
            if ends {
                let _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
            } else {
                block_on(future);
            }
        });
        self.tasks().push(task);
        Spawned
    }

    pub(crate) fn ends(&self) -> bool {
        self.ends
    }

    /// Waits until no task is left.
    pub(crate) fn join(&self) {
        loop {
            let Some(task) = self.tasks().pop() else { return };
            // A task that has panicked has failed the model already.
            let _ = task.join();
        }
    }

    /// std's lock, which is never held over an operation of the model.
    fn tasks(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// std's, of which loom knows by the two beside it: who makes the value excludes others, and who only looks may not see it yet.
#[derive(Debug)]
pub(crate) struct OnceLock<T> {
    making: Mutex<()>,
    made: AtomicBool,
    inner: StdOnceLock<T>,
}

impl<T> OnceLock<T> {
    pub(crate) fn new() -> Self {
        Self { making: Mutex::new(()), made: AtomicBool::new(false), inner: StdOnceLock::new() }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        if self.made.load(Ordering::Acquire) { self.inner.get() } else { None }
    }

    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let value = self.inner.get_or_init(make);
        self.made.store(true, Ordering::Release);
        value
    }
}

/// tokio's. Without the atomic beside it, loom would see neither that its calls depend on each other, nor that they synchronize.
#[derive(Debug)]
pub(crate) struct Notify {
    calls: AtomicUsize,
    inner: tokio::sync::Notify,
}

impl Notify {
    pub(crate) fn new() -> Self {
        Self { calls: AtomicUsize::new(0), inner: tokio::sync::Notify::new() }
    }

    pub(crate) fn notify_one(&self) {
        count(&self.calls);
        self.inner.notify_one();
    }

    pub(crate) fn notify_last(&self) {
        count(&self.calls);
        self.inner.notify_last();
    }

    pub(crate) fn notify_waiters(&self) {
        count(&self.calls);
        self.inner.notify_waiters();
    }

    pub(crate) fn notified(&self) -> Notified<'_> {
        count(&self.calls);
        Notified { calls: &self.calls, inner: Box::pin(self.inner.notified()) }
    }
}

#[derive(Debug)]
pub(crate) struct Notified<'a> {
    calls: &'a AtomicUsize,
    inner: Pin<Box<tokio::sync::futures::Notified<'a>>>,
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        count(self.calls);
        self.inner.as_mut().poll(cx)
    }
}

/// One that was called and is dropped passes the call on.
impl Drop for Notified<'_> {
    fn drop(&mut self) {
        // A model that has failed unwinds, and nothing can be counted any more.
        if !std::thread::panicking() {
            count(self.calls);
        }
    }
}

fn count(calls: &AtomicUsize) {
    calls.fetch_add(1, Ordering::AcqRel);
}
