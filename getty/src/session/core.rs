//! The part of a session that its handles and its task share: one lock, and a few counters beside it.
//!
//! Lock order: this lock, then locks of the user's state, then none. Wakers are woken after unlocking.

use std::{
    any::{Any, TypeId},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
    task::Waker,
    time::Duration,
};

use tokio::sync::Notify;

use super::{Out, Session};
use crate::{
    ConnInfo, Error, Limits, Protocol,
    endpoint::Endpoint,
    transport::Direct,
    wheel::{Due, Timed},
};

static IDS: AtomicU64 = AtomicU64::new(1);

pub(crate) struct Shared<P: Protocol> {
    pub(super) id: u64,
    pub(super) info: ConnInfo,
    pub(super) state: P::State,
    own_limits: Option<Box<Limits>>,
    pub(super) endpoint: Arc<Endpoint<P>>,
    pub(super) core: Mutex<Core<P>>,
    life: AtomicU8,
    /// Offset up to which the connection has taken the output.
    pub(super) taken: AtomicU64,
    /// Offset of the output's end.
    pub(super) end: AtomicU64,
    pub(super) read_bytes: AtomicU64,
    pub(super) read_packets: AtomicU64,
    /// Futures of `run` that have become tasks and are not done.
    pub(super) runs: AtomicUsize,
    /// Woken when the out-buffer has room again, and at the end.
    pub(super) room: Notify,
    pub(super) waiting: AtomicBool,
    /// Tick of the wheel at which `on_cron` is due; [`NO_CRON`] for never.
    cron_due: AtomicU64,
    cron_period: AtomicU64,
    pub(super) error: OnceLock<Arc<Error>>,
    pub(super) attributes: Attributes,
    this: Weak<Self>,
}

const NO_CRON: u64 = u64::MAX;

/// What the lock guards.
pub(super) struct Core<P: Protocol> {
    pub(super) out: Out,
    pub(super) writer: P::Writer,
    /// Frames in `out`.
    pub(super) frames: u32,
    /// Whether the task is at work, or waits for the socket to take more: then writers only append.
    pub(super) awake: bool,
    /// Whether the task was woken by a writer, and so may let others write first.
    pub(super) gather: bool,
    /// Whether a writer may write to the socket itself.
    pub(super) credit: bool,
    pub(super) cron: bool,
    pub(super) waker: Option<Waker>,
    pub(super) direct: Option<Direct>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Life {
    Open,
    Closing,
    Closed,
}

impl<P: Protocol> Shared<P> {
    /// A new session, and the Reader that its driver keeps.
    pub(crate) fn open(
        endpoint: &Arc<Endpoint<P>>,
        info: ConnInfo,
        direct: Option<Direct>,
        messages: bool,
    ) -> (Session<P>, P::Reader) {
        let opened = endpoint.protocol.open(&info);
        let shared = Arc::new_cyclic(|this| Self {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            info,
            state: opened.state,
            own_limits: opened.limits.map(Box::new),
            endpoint: Arc::clone(endpoint),
            core: Mutex::new(Core {
                out: Out::new(messages),
                writer: opened.writer,
                frames: 0,
                awake: true,
                gather: false,
                credit: true,
                cron: false,
                waker: None,
                direct,
            }),
            life: AtomicU8::new(Life::Open as u8),
            taken: AtomicU64::new(0),
            end: AtomicU64::new(0),
            read_bytes: AtomicU64::new(0),
            read_packets: AtomicU64::new(0),
            runs: AtomicUsize::new(0),
            room: Notify::new(),
            waiting: AtomicBool::new(false),
            cron_due: AtomicU64::new(NO_CRON),
            cron_period: AtomicU64::new(0),
            error: OnceLock::new(),
            attributes: Attributes::default(),
            this: this.clone(),
        });
        let period = shared.limits().cron;
        shared.set_cron(period);
        (Session(shared), opened.reader)
    }

    pub(super) fn limits(&self) -> &Limits {
        self.own_limits.as_deref().unwrap_or(&self.endpoint.limits)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Core<P>> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_open(&self) -> bool {
        self.life.load(Ordering::Acquire) == Life::Open as u8
    }

    pub(super) fn is_closed(&self) -> bool {
        self.life.load(Ordering::Acquire) == Life::Closed as u8
    }

    /// Moves on to a later part of life. Called under the lock where the out-buffer must not change at the same time.
    pub(super) fn advance(&self, to: Life) {
        self.life.fetch_max(to as u8, Ordering::AcqRel);
    }

    /// Bytes that wait, in the out-buffer and in the driver.
    pub(super) fn queued(&self) -> usize {
        let queued = self.end.load(Ordering::Relaxed).saturating_sub(self.taken.load(Ordering::Relaxed));
        usize::try_from(queued).unwrap_or(usize::MAX)
    }

    pub(super) fn close(&self) {
        self.advance(Life::Closing);
        self.wake();
    }

    /// Wakes the task, whatever it waits for.
    pub(super) fn wake(&self) {
        let waker = self.lock().waker.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Called by the driver when bytes have left.
    pub(super) fn took(&self, offset: u64) {
        self.taken.store(offset, Ordering::Release);
        if self.waiting.load(Ordering::Acquire) && self.has_room() {
            self.waiting.store(false, Ordering::Release);
            self.room.notify_waiters();
        }
    }

    /// Whether those who wait for room may go on.
    pub(super) fn has_room(&self) -> bool {
        self.queued() <= self.limits().out_high / 2
    }

    pub(super) fn set_cron(&self, period: Option<Duration>) {
        let Some(period) = period else {
            return self.cron_due.store(NO_CRON, Ordering::Release);
        };
        let ticks = self.endpoint.wheel.ticks(period);
        self.cron_period.store(ticks, Ordering::Release);
        let due = self.endpoint.wheel.after(ticks);
        self.cron_due.store(due, Ordering::Release);
        self.endpoint.wheel.insert(due, self.this.clone());
    }
}

impl<P: Protocol> Timed for Shared<P> {
    fn due(&self, tick: u64) -> Due {
        if self.cron_due.load(Ordering::Acquire) != tick || !self.is_open() {
            // Another period was set meanwhile, and has its own entry.
            return Due::Never;
        }
        let next = tick.saturating_add(self.cron_period.load(Ordering::Acquire));
        self.cron_due.store(next, Ordering::Release);
        let waker = {
            let mut core = self.lock();
            core.cron = true;
            core.waker.clone()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        Due::At(next)
    }
}

/// Values by type, allocated on first use.
#[derive(Default)]
pub(super) struct Attributes(OnceLock<Box<Mutex<Vec<Attribute>>>>);

type Attribute = (TypeId, Arc<dyn Any + Send + Sync>);

impl Attributes {
    pub(super) fn set<T: Any + Send + Sync>(&self, value: T) {
        let value: Arc<dyn Any + Send + Sync> = Arc::new(value);
        let mut all = self.0.get_or_init(Box::default).lock().unwrap_or_else(PoisonError::into_inner);
        match all.iter_mut().find(|(id, _)| *id == TypeId::of::<T>()) {
            Some((_, old)) => *old = value,
            None => all.push((TypeId::of::<T>(), value)),
        }
    }

    pub(super) fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let all = self.0.get()?.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, value) = all.iter().find(|(id, _)| *id == TypeId::of::<T>())?;
        Arc::clone(value).downcast().ok()
    }
}
