//! The task of a session while it lives: it reads, decodes, calls back and writes. It owns the connection and the Reader.
//!
//! ```text
//!             +--------+   Err    +--------+   all written, runs done,   +------+
//!  first poll | on_open| -------> | Ending | -----------------------+--> | Done |
//!  ---------> +--------+          +--------+   or close_wait is over      +------+
//!                 | Ok                ^    |                                  ^
//!                 v                   |    +-- peer still sends --> Lingering +
//!             +--------------------------------------------+
//!             | Live: orders -> read, decode -> write -> sleep |
//!             +--------------------------------------------+
//! ```
//!
//! A hand-written future: an `async` block around it would store it twice, and there is one for each session.

mod decode;
mod watch;

use std::{
    future::Future,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::BytesMut;
use tokio::time::Sleep;

pub(super) use self::decode::Input;
use self::{
    decode::{Kept, Read},
    watch::Watch,
};
use super::{
    Out, Session,
    ending::{Ending, STOLEN},
};
use crate::{
    ConnInfo, Error, Protocol,
    endpoint::Endpoint,
    error::panicked,
    pool::{Line, Workers},
    server::Sessions,
    session::core::Shared,
    transport::{Connection, Transport},
};

/// Rounds of read and write in one poll before others get their turn.
const ROUNDS: usize = 8;
/// Turns that follow each other before the driver of I/O gets its own.
const TURNS: u8 = 4;

#[must_use = "a driver does nothing until it is polled"]
pub(crate) struct Driver<P: Protocol, C: Connection> {
    pub(super) session: Session<P>,
    pub(super) conn: C,
    reader: P::Reader,
    /// What was read and is not decoded yet.
    rest: BytesMut,
    /// What was taken from the out-buffer and is on its way into the connection.
    pub(super) drain: Out,
    phase: Phase,
    /// Bytes without which the Reader has nothing to do.
    missing: u32,
    /// Packets that the last read brought; so many callers may be about to write.
    batch: u16,
    /// Turns since the driver of I/O had its own.
    turns: u8,
    /// Decoding stopped because too much waits to be written.
    choked: bool,
    /// Decoding stopped because the pool has no place; it wakes the task when there may be one.
    starved: bool,
    /// Decoding stopped because too many futures of `run` are under way; one that is done wakes the task.
    busy: bool,
    /// Decoding stopped because others are to have their turn.
    crowded: bool,
    watch: Watch,
    /// Bytes that the endpoint has been told of.
    held: usize,
    /// Where packets wait in an ordered pool.
    line: Option<Arc<Line>>,
    /// The packet that waits for room in its queue of a keyed pool.
    kept: Option<Kept<P>>,
    tracker: Option<Arc<Sessions<P>>>,
}

enum Phase {
    Opening,
    Live,
    Ending(Box<Ending>),
    /// All is said, and what the peer still sends is thrown away until it has finished or the time is over.
    Lingering(Pin<Box<Sleep>>),
    Done,
}

/// What happened in one round.
#[derive(Default)]
struct Round {
    bytes: usize,
    packets: u32,
    frames: u32,
}

impl<P: Protocol, C: Connection> Driver<P, C> {
    pub(crate) fn new<T>(
        endpoint: &Arc<Endpoint<P>>,
        conn: T,
        info: ConnInfo,
        tracker: Option<Arc<Sessions<P>>>,
    ) -> Self
    where
        T: Transport<Task = C>,
    {
        let (session, reader) = Shared::open(endpoint, info, C::MESSAGES.then_some(C::LARGEST));
        conn.configure(session.limits());
        let (mut conn, direct) = conn.split();
        session.0.lock().direct = direct;
        conn.begin(session.limits());
        if let Some(tracker) = &tracker {
            tracker.add(&session);
        }
        Self {
            session,
            conn,
            reader,
            rest: BytesMut::new(),
            drain: Out::new(C::MESSAGES),
            phase: Phase::Opening,
            missing: 0,
            batch: 0,
            turns: 0,
            choked: false,
            starved: false,
            busy: false,
            crowded: false,
            watch: Watch::default(),
            held: 0,
            line: endpoint.pool.as_ref().and_then(Workers::line),
            kept: None,
            tracker,
        }
    }

    pub(crate) fn session(&self) -> &Session<P> {
        &self.session
    }

    fn open(&mut self) -> Phase {
        let Endpoint { listener, observing, .. } = &*self.session.0.endpoint;
        tracing::debug!(session = self.session.id(), connection = %self.session.info(), "session opened");
        observing.tell(|observer, _| observer.opened(&self.session.observed()));
        match catch_unwind(AssertUnwindSafe(|| listener.on_open(&self.session))) {
            Ok(Ok(())) => Phase::Live,
            Ok(Err(refusal)) => Phase::Ending(Box::new(Ending::at_once(Error::Refused(refusal)))),
            Err(panic) => Phase::Ending(Box::new(Ending::at_once(panicked("on_open", panic)))),
        }
    }

    /// Ready with what ends the session.
    fn live(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        for _ in 0..ROUNDS {
            let orders = self.take_orders(cx);
            self.watch.come |= orders.watch;
            if self.session.0.is_closed() {
                return Poll::Ready(Ending::broken(STOLEN));
            }
            if self.session.0.is_aborted() {
                return Poll::Ready(Ending::aborted());
            }
            if !self.session.is_open() {
                return Poll::Ready(Ending::wanted(self.session.limits().close_wait));
            }
            if orders.cron {
                self.conn.keep_alive();
            }
            if orders.cron
                && let Err(panic) =
                    catch_unwind(AssertUnwindSafe(|| self.session.0.endpoint.listener.on_cron(&self.session)))
            {
                return Poll::Ready(Ending::broken(panicked("on_cron", panic)));
            }
            if orders.gather && orders.frames < u32::from(self.batch) {
                // Those whom the last read woke are about to write too; they run before this task does again.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let mut round = Round::default();
            let read = match self.read(cx, &mut round) {
                Ok(Read::Eof) => return Poll::Ready(Ending::peer_finished(self.session.limits().close_wait)),
                Ok(read) => read,
                Err(error) => return Poll::Ready(Ending::after(error, self.session.limits().close_wait)),
            };
            if self.session.0.is_aborted() {
                return Poll::Ready(Ending::aborted());
            }
            match self.flush(cx, &mut round) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Ending::broken(error.into())),
                Poll::Pending => {
                    if matches!(read, Read::More) {
                        // There is input that nobody will wake this task for: the read did not run into its end.
                        yield_turn(cx);
                        return Poll::Pending;
                    }
                    return self.rest(true);
                }
            }
            if matches!(read, Read::More) {
                self.next_turn(cx);
                return Poll::Pending;
            }
            if !self.choked && self.sleep(&round) {
                self.turns = 0;
                return self.rest(false);
            }
        }
        yield_turn(cx);
        Poll::Pending
    }

    /// Comes back behind the tasks that are ready, among them those whom this turn woke. To ask for I/O too each time would cost a
    /// system call for each read of a busy session, and its peer would wait for it.
    fn next_turn(&mut self, cx: &mut Context<'_>) {
        self.turns += 1;
        if self.turns < TURNS {
            cx.waker().wake_by_ref();
        } else {
            self.turns = 0;
            yield_turn(cx);
        }
    }

    /// Notes whom to wake, and takes what others have asked for meanwhile.
    pub(super) fn take_orders(&self, cx: &Context<'_>) -> Orders {
        let mut core = self.session.0.lock();
        if !core.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            core.waker = Some(cx.waker().clone());
        }
        core.awake = true;
        Orders {
            cron: self.session.0.marks.take_cron(),
            watch: self.session.0.marks.take_watch(),
            gather: std::mem::take(&mut core.gather),
            frames: core.frames,
        }
    }

    /// Writes what waits, and what is added meanwhile. Ready when nothing waits, neither here nor in the connection.
    fn flush(&mut self, cx: &mut Context<'_>, round: &mut Round) -> Poll<io::Result<()>> {
        loop {
            // Mostly there is nothing, and what this does not see yet is seen before the task sleeps. A message may have no bytes.
            if self.drain.is_empty() && (C::MESSAGES || self.session.0.queued() > 0) {
                let mut core = self.session.0.lock();
                if !core.out.is_empty() {
                    core.out.swap_into(&mut self.drain);
                    round.frames = round.frames.saturating_add(std::mem::take(&mut core.frames));
                }
            }
            // Also with nothing to write: the connection may hold bytes of its own, or what it could not flush before.
            let nothing = self.drain.is_empty();
            let drained = self.conn.poll_drain(cx, &mut self.drain);
            if !nothing {
                self.session.0.took(self.drain.taken());
            }
            match drained {
                Poll::Ready(Ok(())) if nothing => {
                    self.drain.release();
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Ok(())) if self.drain.is_empty() => {}
                Poll::Ready(Ok(())) => return Poll::Ready(Err(undrained())),
                other => return other,
            }
        }
    }

    /// Goes to sleep if there is nothing to write. From then on writers wake the task, or write themselves.
    fn sleep(&self, round: &Round) -> bool {
        let mut core = self.session.0.lock();
        if !core.out.is_empty() {
            return false;
        }
        if round.packets > 1 {
            core.credit = false;
        } else if round.packets == 1 || round.frames == 1 {
            core.credit = true;
        }
        core.awake = false;
        // What was written meanwhile may have left its room behind.
        core.out.release();
        true
    }

    /// As [`flush`](Self::flush) then [`sleep`](Self::sleep), for a session that is ending.
    pub(super) fn flush_and_sleep(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut round = Round::default();
        loop {
            match self.flush(cx, &mut round) {
                Poll::Ready(Ok(())) if self.sleep(&round) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(())) => {}
                other => return other,
            }
        }
    }
}

pub(super) struct Orders {
    cron: bool,
    watch: bool,
    gather: bool,
    frames: u32,
}

impl<P: Protocol, C: Connection> Future for Driver<P, C> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        loop {
            match &mut this.phase {
                Phase::Opening => this.phase = this.open(),
                Phase::Live => match this.live(cx) {
                    Poll::Ready(ending) => {
                        this.give_up_place();
                        this.phase = Phase::Ending(Box::new(ending));
                    }
                    Poll::Pending => return Poll::Pending,
                },
                Phase::Ending(_) => {
                    let Phase::Ending(mut ending) = std::mem::replace(&mut this.phase, Phase::Done) else {
                        return Poll::Ready(());
                    };
                    if ending.poll(this, cx).is_pending() {
                        this.phase = Phase::Ending(ending);
                        return Poll::Pending;
                    }
                    if let Some(time) = ending.finish(&this.session) {
                        this.phase = Phase::Lingering(time);
                    }
                }
                Phase::Lingering(time) => {
                    if time.as_mut().poll(cx).is_pending() && this.discard_input(cx) != Input::Ended {
                        return Poll::Pending;
                    }
                    this.phase = Phase::Done;
                }
                Phase::Done => return Poll::Ready(()),
            }
        }
    }
}

impl<P: Protocol, C: Connection> Drop for Driver<P, C> {
    fn drop(&mut self) {
        match std::mem::replace(&mut self.phase, Phase::Done) {
            Phase::Lingering(_) | Phase::Done => {}
            Phase::Ending(ending) => drop(ending.finish(&self.session)),
            Phase::Live => drop(Ending::at_once(Error::Dropped).finish(&self.session)),
            Phase::Opening => Ending::at_once(Error::Dropped).finish_unseen(&self.session),
        }
        self.let_go();
        if let Some(tracker) = &self.tracker {
            tracker.remove(&self.session);
        }
    }
}

fn undrained() -> io::Error {
    io::Error::other("Connection::poll_drain was ready before it had taken everything")
}

/// Comes back after the others have run and the driver of I/O was asked. Waking itself would keep the run queue full, and
/// a runtime with a full run queue asks for I/O only now and then.
pub(crate) fn yield_turn(cx: &mut Context<'_>) {
    let _ = pin!(tokio::task::yield_now()).poll(cx);
}
