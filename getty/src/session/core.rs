//! The part of a session that its handles and its task share: one lock, and a few counters beside it.
//!
//! Lock order: this lock, then locks of the user's state, then that of the timers, then the wheel's. Wakers are woken after unlocking.

use std::{sync::Arc, task::Waker};

use super::{
    Out, Session,
    extras::Extras,
    timers::{Marks, Timers},
};
use crate::{
    ConnInfo, Limits, Protocol,
    endpoint::Endpoint,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering, fence},
    },
    transport::Direct,
};

/// std's, as loom's atomics live in a model and cannot be static.
static IDS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);

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
    /// Changed under the lock only.
    pub(super) written_packets: AtomicU64,
    /// When bytes last came, in nanoseconds since the endpoint's wheel began.
    pub(super) heard: AtomicU64,
    /// Futures of `run` that have become tasks and are not done.
    pub(super) runs: AtomicU32,
    /// Packets that a pool handles, or is going to.
    pub(super) handling: AtomicU32,
    /// Somebody waits for room in the out-buffer.
    pub(super) waiting: AtomicBool,
    pub(super) timers: Timers,
    pub(super) marks: Marks,
    pub(super) extras: Extras<P>,
}

/// What the lock guards.
pub(super) struct Core<P: Protocol> {
    pub(super) out: Out,
    pub(super) writer: P::Writer,
    /// Bytes of the longest frame.
    pub(super) largest: usize,
    /// Frames in `out`.
    pub(super) frames: u32,
    /// Whether the task is at work, or waits for the socket to take more: then writers only append.
    pub(super) awake: bool,
    /// Whether the task was woken by a writer, and so may let others write first.
    pub(super) gather: bool,
    /// Whether a writer may write to the socket itself.
    pub(super) credit: bool,
    pub(super) waker: Option<Waker>,
    pub(super) direct: Option<Direct>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Life {
    Open,
    /// Ending; what is in flight may still answer.
    Closing,
    /// Nothing is in flight any more; writes are refused, what is queued is still written.
    Sealed,
    /// Given up: writes are refused, what is queued has been dropped.
    Aborted,
    /// Nothing can be written any more, and the last callbacks are due or running.
    Closed,
    /// The last callback has run.
    Over,
}

/// What may wait to be written whatever the other sessions hold.
const LITTLE: usize = 16 * 1024;

impl<P: Protocol> Shared<P> {
    /// A new session, and the Reader that its driver keeps. `largest`: bytes of the longest message, if the transport has messages.
    pub(crate) fn open(
        endpoint: &Arc<Endpoint<P>>,
        info: ConnInfo,
        largest: Option<usize>,
    ) -> (Session<P>, P::Reader) {
        let opened = endpoint.protocol.open(&info);
        let shared = Arc::new(Self {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            info,
            state: opened.state,
            own_limits: opened.limits.map(Box::new),
            endpoint: Arc::clone(endpoint),
            core: Mutex::new(Core {
                out: Out::new(largest.is_some()),
                largest: largest.unwrap_or(usize::MAX),
                writer: opened.writer,
                frames: 0,
                awake: true,
                gather: false,
                credit: true,
                waker: None,
                direct: None,
            }),
            life: AtomicU8::new(Life::Open as u8),
            taken: AtomicU64::new(0),
            end: AtomicU64::new(0),
            read_bytes: AtomicU64::new(0),
            read_packets: AtomicU64::new(0),
            written_packets: AtomicU64::new(0),
            heard: AtomicU64::new(endpoint.wheel.nanos()),
            runs: AtomicU32::new(0),
            handling: AtomicU32::new(0),
            waiting: AtomicBool::new(false),
            timers: Timers::default(),
            marks: Marks::default(),
            extras: Extras::default(),
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

    /// Whether writes are refused.
    pub(super) fn is_sealed(&self) -> bool {
        self.life.load(Ordering::Acquire) >= Life::Sealed as u8
    }

    pub(super) fn is_closed(&self) -> bool {
        self.life.load(Ordering::Acquire) >= Life::Closed as u8
    }

    /// Whether also its last callback has run.
    pub(super) fn is_over(&self) -> bool {
        self.life.load(Ordering::Acquire) == Life::Over as u8
    }

    /// Whether somebody wants its end at once.
    pub(super) fn is_aborted(&self) -> bool {
        self.life.load(Ordering::Acquire) == Life::Aborted as u8
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

    /// Refuses writes from now on, drops what is queued, and wakes the task and those who wait for room.
    pub(super) fn abort(&self) {
        let (waker, queued) = {
            let mut core = self.lock();
            self.advance(Life::Aborted);
            core.direct = None;
            (core.waker.clone(), std::mem::replace(&mut core.out, Out::new(false)))
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        self.extras.tell_all_of_room();
        // Bytes may be of a user's making, and so is their end: not under the lock.
        drop(queued);
    }

    /// Refuses writes from now on, also those that wait for room.
    pub(super) fn seal(&self) {
        {
            let _no_writer = self.lock();
            self.advance(Life::Sealed);
        }
        self.extras.tell_all_of_room();
    }

    /// Wakes the task, whatever it waits for.
    pub(super) fn wake(&self) {
        let waker = self.lock().waker.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Counts `runs` or `handling` down, and wakes the task of a session that is ending: it waits for that.
    /// So it does where there were `most`, as no further one is begun then.
    pub(super) fn one_less(&self, count: &AtomicU32, most: usize) {
        let before = count.fetch_sub(1, Ordering::AcqRel);
        // Either this sees that the session ends, or its task sees the count: both store, then load.
        fence(Ordering::SeqCst);
        if !self.is_open() || before as usize == most {
            self.wake();
        }
    }

    /// Whether a pool has packets of this session.
    pub(super) fn is_handling(&self) -> bool {
        self.handling.load(Ordering::Acquire) > 0
    }

    /// Called by the driver when so many bytes have come.
    pub(super) fn heard(&self, bytes: usize) {
        // Nobody else writes it.
        let before = self.read_bytes.load(Ordering::Relaxed);
        self.read_bytes.store(before.wrapping_add(bytes as u64), Ordering::Relaxed);
        self.heard.store(self.endpoint.wheel.nanos(), Ordering::Relaxed);
    }

    /// Called by the driver when bytes have left.
    pub(super) fn took(&self, offset: u64) {
        self.taken.store(offset, Ordering::Release);
        self.tell_room();
    }

    /// Wakes those who wait for room, if there is some. After each change of `taken`, and not under the lock.
    pub(super) fn tell_room(&self) {
        // Either this sees that somebody waits, or who waits sees the room: both store, then load.
        fence(Ordering::SeqCst);
        if self.waiting.load(Ordering::Acquire) && self.has_room() {
            self.waiting.store(false, Ordering::Release);
            self.extras.tell_all_of_room();
        }
    }

    /// Whether those who wait for room may go on.
    pub(super) fn has_room(&self) -> bool {
        self.queued() <= self.limits().out_high / 2
    }

    /// Whether so little waits to be written that more may be decoded: at most `most`, and where the sessions of this endpoint hold
    /// much together, little more than what is on its way in any case.
    pub(super) fn may_queue(&self, most: usize) -> bool {
        let queued = self.queued();
        queued <= most.min(LITTLE) || (queued <= most && !self.endpoint.holds_much())
    }

    /// Whether fewer futures of `run` are under way than may be.
    pub(super) fn may_run(&self) -> bool {
        (self.runs.load(Ordering::Acquire) as usize) < self.limits().runs.max(1)
    }
}
