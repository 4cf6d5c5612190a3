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

use std::{
    future::Future,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use bytes::BytesMut;
use tokio::time::Sleep;

use super::{
    Out, Session,
    ending::{Ending, STOLEN},
};
use crate::{
    Attempt, ConnInfo, Error, Limits, Protocol, Reader, Step,
    endpoint::Endpoint,
    error::panicked,
    server::Sessions,
    session::core::Shared,
    stock::{self, CHUNK},
    transport::{Connection, Transport},
};

/// Less room than this in the read buffer, and it is made larger.
const MIN_ROOM: usize = 4 * 1024;
/// Rounds of read and write in one poll before others get their turn.
const ROUNDS: usize = 8;

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
    /// Packets that the last read brought; so many callers may be about to write.
    batch: u32,
    /// Decoding stopped because too much waits to be written.
    choked: bool,
    /// Decoding stopped because the pool has no place; it wakes the task when there may be one.
    starved: bool,
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

/// What a read came to.
enum Read {
    /// Nothing more for now.
    Wait,
    /// There is more, but it is somebody else's turn.
    More,
    /// The peer has finished.
    Eof,
}

/// How often something happened in one round.
#[derive(Default)]
struct Round {
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
        let (conn, direct) = conn.split();
        let (session, reader) = Shared::open(endpoint, info, direct, C::MESSAGES);
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
            batch: 0,
            choked: false,
            starved: false,
            tracker,
        }
    }

    pub(crate) fn session(&self) -> &Session<P> {
        &self.session
    }

    fn open(&mut self) -> Phase {
        let shared = &self.session.0;
        match catch_unwind(AssertUnwindSafe(|| shared.endpoint.listener.on_open(&self.session))) {
            Ok(Ok(())) => Phase::Live,
            Ok(Err(refusal)) => Phase::Ending(Box::new(Ending::at_once(Error::Refused(refusal)))),
            Err(panic) => Phase::Ending(Box::new(Ending::at_once(panicked("on_open", panic)))),
        }
    }

    /// Ready with what ends the session.
    fn live(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        for _ in 0..ROUNDS {
            let orders = self.take_orders(cx);
            if self.session.0.is_closed() {
                return Poll::Ready(Ending::broken(STOLEN));
            }
            if self.session.0.is_aborted() {
                return Poll::Ready(Ending::aborted());
            }
            if !self.session.is_open() {
                return Poll::Ready(Ending::wanted(self.session.limits().close_wait));
            }
            if orders.cron
                && let Err(panic) =
                    catch_unwind(AssertUnwindSafe(|| self.session.0.endpoint.listener.on_cron(&self.session)))
            {
                return Poll::Ready(Ending::broken(panicked("on_cron", panic)));
            }
            if orders.gather && orders.frames < self.batch {
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
                    }
                    return Poll::Pending;
                }
            }
            if matches!(read, Read::More) {
                break;
            }
            if !self.choked && self.sleep(&round) {
                return Poll::Pending;
            }
        }
        yield_turn(cx);
        Poll::Pending
    }

    /// Notes whom to wake, and takes what others have asked for meanwhile.
    pub(super) fn take_orders(&self, cx: &Context<'_>) -> Orders {
        let mut core = self.session.0.lock();
        if !core.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            core.waker = Some(cx.waker().clone());
        }
        core.awake = true;
        Orders {
            cron: self.session.0.take_cron(),
            gather: std::mem::take(&mut core.gather),
            frames: core.frames,
        }
    }

    fn read(&mut self, cx: &mut Context<'_>, round: &mut Round) -> Result<Read, Error> {
        if self.choked && !self.session.0.has_room() {
            return Ok(Read::Wait);
        }
        let mut buf = self.check_out();
        let read = self.read_into(cx, &mut buf, round);
        self.check_in(buf);
        if round.packets > 0 {
            self.batch = round.packets;
            self.session.0.read_packets.fetch_add(u64::from(round.packets), Ordering::Relaxed);
        }
        read
    }

    fn read_into(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut BytesMut,
        round: &mut Round,
    ) -> Result<Read, Error> {
        let turn = self.session.limits().turn.max(1);
        let mut read = 0;
        let mut need = 0;
        if std::mem::take(&mut self.choked) | std::mem::take(&mut self.starved) {
            need = self.decode_all(cx, buf, round)?;
        }
        while !self.choked && !self.starved && self.session.is_open() {
            if read >= turn {
                return Ok(Read::More);
            }
            make_room(buf, need);
            match self.conn.poll_fill(cx, buf) {
                Poll::Pending => break,
                Poll::Ready(Err(error)) => return Err(error.into()),
                Poll::Ready(Ok(0)) if buf.is_empty() => return Ok(Read::Eof),
                Poll::Ready(Ok(0)) if C::MESSAGES => return Ok(Read::Eof),
                Poll::Ready(Ok(0)) => return Err(Error::Truncated { pending: buf.len() }),
                Poll::Ready(Ok(n)) => {
                    read += n;
                    self.session.0.read_bytes.fetch_add(n as u64, Ordering::Relaxed);
                    need = self.decode_all(cx, buf, round)?;
                }
            }
        }
        Ok(Read::Wait)
    }

    /// Decodes all whole packets; tells how many bytes are missing for the next.
    fn decode_all(
        &mut self,
        cx: &Context<'_>,
        buf: &mut BytesMut,
        round: &mut Round,
    ) -> Result<usize, Error> {
        let mut what = "the reader";
        let need = catch_unwind(AssertUnwindSafe(|| self.decode_batch(cx, buf, round, &mut what)))
            .unwrap_or_else(|panic| Err(panicked(what, panic)))?;
        if C::MESSAGES && !self.choked && !self.starved {
            // A message is a packet: what the Reader left of it belongs to nothing.
            buf.clear();
            return Ok(0);
        }
        Ok(need)
    }

    fn decode_batch(
        &mut self,
        cx: &Context<'_>,
        buf: &mut BytesMut,
        round: &mut Round,
        what: &mut &'static str,
    ) -> Result<usize, Error> {
        let shared = &*self.session.0;
        let Limits { max_packet, out_high, .. } = *shared.limits();
        // Only one of the two sides may: two that both wait for the other to read would wait for ever.
        let may_choke = shared.info.attempt == Attempt::Accepted;
        while !buf.is_empty() {
            let place = match &shared.endpoint.pool {
                None => None,
                Some(pool) => match pool.place(cx.waker()) {
                    None => {
                        self.starved = true;
                        return Ok(0);
                    }
                    place => place,
                },
            };
            let before = buf.len();
            match self.reader.read(buf).map_err(Error::Read)? {
                Step::Packet(_) if buf.len() >= before => {
                    return Err(Error::Contract("the reader gave a packet and took no byte"));
                }
                Step::Packet(_) if before - buf.len() > max_packet => {
                    return Err(Error::TooLong { length: before - buf.len(), limit: max_packet });
                }
                Step::Packet(packet) => {
                    round.packets += 1;
                    match place {
                        Some(place) => self.session.hand_over(place, packet),
                        None => {
                            *what = "on_message";
                            shared.endpoint.listener.on_message(&self.session, packet);
                            *what = "the reader";
                        }
                    }
                    if may_choke && shared.queued() > out_high {
                        self.choked = true;
                        return Ok(0);
                    }
                    if !shared.is_open() {
                        return Ok(0);
                    }
                }
                Step::Need(_) if buf.len() != before => {
                    return Err(Error::Contract("the reader took bytes and gave no packet"));
                }
                Step::Need(need) => {
                    let length = before.saturating_add(need);
                    if length > max_packet {
                        return Err(Error::TooLong { length, limit: max_packet });
                    }
                    return Ok(need);
                }
            }
        }
        Ok(0)
    }

    /// A buffer to read into, which begins with what the last read left.
    fn check_out(&mut self) -> BytesMut {
        let rest = std::mem::take(&mut self.rest);
        if rest.len() >= CHUNK / 2 {
            return rest;
        }
        let mut chunk = stock::take();
        chunk.extend_from_slice(&rest);
        chunk
    }

    /// Keeps only what is left over, so that an idle session holds no chunk.
    fn check_in(&mut self, buf: BytesMut) {
        if buf.len() >= CHUNK / 2 {
            self.rest = buf;
            return;
        }
        if !buf.is_empty() {
            self.rest = BytesMut::from(&buf[..]);
        }
        stock::give(buf);
    }

    /// Writes what waits, and what is added meanwhile. Ready when nothing waits, neither here nor in the connection.
    fn flush(&mut self, cx: &mut Context<'_>, round: &mut Round) -> Poll<io::Result<()>> {
        loop {
            if self.drain.is_empty() {
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

    /// Throws away what the peer has sent and nobody will read.
    pub(super) fn discard_input(&mut self, cx: &mut Context<'_>) -> Input {
        let mut input = if self.rest.is_empty() { Input::Quiet } else { Input::Coming };
        let mut buf = self.check_out();
        for round in 1..=ROUNDS {
            buf.clear();
            match self.conn.poll_fill(cx, &mut buf) {
                Poll::Ready(Ok(n)) if n > 0 => input = Input::Coming,
                Poll::Ready(_) => input = Input::Ended,
                Poll::Pending => break,
            }
            if input == Input::Ended {
                break;
            }
            if round == ROUNDS {
                yield_turn(cx);
            }
        }
        stock::give(buf);
        input
    }
}

/// What a peer still sends to a session that is ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// Nothing for now.
    Quiet,
    /// Something was thrown away.
    Coming,
    /// It has finished too, or the connection is broken.
    Ended,
}

pub(super) struct Orders {
    cron: bool,
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
                    Poll::Ready(ending) => this.phase = Phase::Ending(Box::new(ending)),
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
            Phase::Opening => drop(Ending::at_once(Error::Dropped).finish_silently(&self.session)),
        }
        if let Some(tracker) = &self.tracker {
            tracker.remove(self.session.id());
        }
    }
}

/// Room for what is missing, but for one chunk at most: a length is only a claim, and no read brings more. A buffer that has
/// to grow at least doubles, so what has come is seldom moved, and its capacity is never far above twice that.
fn make_room(buf: &mut BytesMut, need: usize) {
    if buf.capacity() - buf.len() < need.clamp(MIN_ROOM, CHUNK) {
        buf.reserve(CHUNK);
    }
}

fn undrained() -> io::Error {
    io::Error::other("Connection::poll_drain was ready before it had taken everything")
}

/// Comes back after the others have run and the driver of I/O was asked. Waking itself would keep the run queue full, and
/// a runtime with a full run queue asks for I/O only now and then.
fn yield_turn(cx: &mut Context<'_>) {
    let _ = pin!(tokio::task::yield_now()).poll(cx);
}
