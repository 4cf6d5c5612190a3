//! The reading half of a session's task: what comes is read, taken apart into packets and delivered. It owns no state of its own;
//! that is the driver's.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering,
    task::{Context, Poll},
};

use bytes::BytesMut;

use super::{Driver, ROUNDS, Round, yield_turn};
use crate::{
    Attempt, Error, In, Limits, Protocol, Reader, Step,
    endpoint::Endpoint,
    error::panicked,
    pool::{Place, Reserved},
    stock::{self, CHUNK},
    transport::Connection,
};

/// Less room than this in the read buffer, and it is made larger.
const MIN_ROOM: usize = 4 * 1024;
/// A read that brought less than this part of what is left over brought little.
const FEW: usize = 8;
/// Room of the smallest buffer of a session's own.
const SMALLEST: usize = 64;

/// What a read came to.
pub(super) enum Read {
    /// Nothing more for now.
    Wait,
    /// There is more, but it is somebody else's turn.
    More,
    /// The peer has finished.
    Eof,
}

/// What the peer will send yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coming {
    /// More, for all that is known.
    More,
    /// Nothing: it has finished.
    Nothing,
}

/// What a read goes into.
struct Room {
    buf: BytesMut,
    /// It is the session's, and as small as what it waits for; else it is of the stock, or as large.
    own: bool,
}

/// A packet whose queue in a keyed pool is full, and its key.
pub(super) type Kept<P> = Box<(In<P>, u64)>;

/// Where a packet goes.
enum Way {
    /// To `on_message`, here.
    Here,
    Pool(Place),
    /// To the queue that it will say itself.
    ByKey,
    /// To `on_refused`.
    Refused,
}

impl<P: Protocol, C: Connection> Driver<P, C> {
    pub(super) fn read(&mut self, cx: &mut Context<'_>, round: &mut Round) -> Result<Read, Error> {
        if self.choked && !self.session.0.may_queue(self.session.limits().out_high / 2)
            || self.busy && !self.session.0.may_run()
        {
            return Ok(Read::Wait);
        }
        let mut room = self.check_out();
        let read = self.read_into(cx, &mut room, round);
        self.check_in(room, round.bytes);
        if round.packets > 0 {
            self.batch = u16::try_from(round.packets).unwrap_or(u16::MAX);
            let packets = u64::from(round.packets);
            if self.session.0.read_packets.fetch_add(packets, Ordering::Relaxed) == 0 {
                self.conn.proven();
            }
        }
        read
    }

    fn read_into(&mut self, cx: &mut Context<'_>, room: &mut Room, round: &mut Round) -> Result<Read, Error> {
        let Limits { turn, turn_packets, .. } = *self.session.limits();
        let (mut need, mut fills) = (0, 0);
        if std::mem::take(&mut self.choked)
            | std::mem::take(&mut self.starved)
            | std::mem::take(&mut self.busy)
            | std::mem::take(&mut self.crowded)
        {
            self.decode_all(cx, &mut room.buf, round, Coming::More)?;
            need = self.missing as usize;
        }
        while !self.choked && !self.starved && !self.busy && self.session.is_open() {
            // Messages that are no packets count too.
            if self.crowded || round.bytes >= turn.max(1) || (C::MESSAGES && fills >= turn_packets.max(1)) {
                return Ok(Read::More);
            }
            fills += 1;
            make_room(room, need);
            match self.conn.poll_fill(cx, &mut room.buf) {
                Poll::Pending => break,
                Poll::Ready(Err(error)) => return Err(error.into()),
                Poll::Ready(Ok(0)) if C::MESSAGES => return Ok(Read::Eof),
                Poll::Ready(Ok(0)) => {
                    self.decode_all(cx, &mut room.buf, round, Coming::Nothing)?;
                    // Last packets may wait for room. The end is still there when they have gone.
                    let waits = self.choked || self.starved || self.busy || !self.session.is_open();
                    return Ok(match (self.crowded, waits) {
                        (true, _) => Read::More,
                        (false, true) => Read::Wait,
                        (false, false) => Read::Eof,
                    });
                }
                Poll::Ready(Ok(n)) => {
                    round.bytes += n;
                    self.session.0.heard(n);
                    need = (self.missing as usize).saturating_sub(n);
                    if need > 0 {
                        self.missing = need as u32;
                    } else {
                        self.decode_all(cx, &mut room.buf, round, Coming::More)?;
                        need = self.missing as usize;
                    }
                }
            }
        }
        Ok(Read::Wait)
    }

    /// Decodes all whole packets, tells the connection if there were any, and notes how many bytes are missing for the next.
    fn decode_all(
        &mut self,
        cx: &Context<'_>,
        buf: &mut BytesMut,
        round: &mut Round,
        coming: Coming,
    ) -> Result<(), Error> {
        let (mut what, before) = ("the reader", round.packets);
        let decoded = catch_unwind(AssertUnwindSafe(|| {
            let need = self.decode_batch(cx, buf, round, coming, &mut what)?;
            Ok((need, self.left(buf)))
        }))
        .unwrap_or_else(|panic| Err(panicked(what, panic)));
        if round.packets > before {
            self.conn.decoded();
        }
        if !C::MESSAGES || self.choked || self.starved || self.busy || self.crowded {
            self.missing = u32::try_from(decoded?.0).unwrap_or(u32::MAX);
            return Ok(());
        }
        let is_whole = match decoded {
            Ok((_, left)) => left == 0 || !self.session.is_open(),
            Err(Error::Read(_) | Error::TooLong { .. }) if C::LOSSY => false,
            Err(error) => return Err(error),
        };
        if !is_whole {
            // A message is a packet: what the Reader left of it belongs to nothing.
            buf.clear();
            self.reader.reset();
            self.session.0.extras.count_dropped_message();
        }
        Ok(())
    }

    fn decode_batch(
        &mut self,
        cx: &Context<'_>,
        buf: &mut BytesMut,
        round: &mut Round,
        coming: Coming,
        what: &mut &'static str,
    ) -> Result<usize, Error> {
        if !self.deliver_kept(cx) {
            self.starved = true;
            return Ok(0);
        }
        let shared = &*self.session.0;
        let Limits { max_packet, out_high, turn_packets, runs, .. } = *shared.limits();
        // Only one of the two sides may: two that both wait for the other to read would wait for ever.
        let may_choke = shared.info.attempt == Attempt::Accepted;
        loop {
            let before = self.left(buf);
            if buf.is_empty() && (before == 0 || coming == Coming::More) {
                return Ok(0);
            }
            let Some(way) = self.way(cx) else {
                self.starved = true;
                return Ok(0);
            };
            let step = match coming {
                Coming::More => self.reader.read(buf),
                Coming::Nothing => self.reader.read_end(buf),
            };
            let step = step.map_err(Error::Read)?;
            let left = self.left(buf);
            match step {
                Step::Packet(_) if left >= before => {
                    return Err(Error::Contract("the reader gave a packet and took no byte"));
                }
                Step::Packet(_) if before - left > max_packet => {
                    return Err(Error::TooLong { length: before - left, limit: max_packet });
                }
                Step::Packet(packet) => {
                    round.packets += 1;
                    if let Err(kept) = self.deliver(cx, way, packet, what) {
                        self.kept = Some(kept);
                        self.starved = true;
                        return Ok(0);
                    }
                    *what = "the reader";
                    if may_choke && !shared.may_queue(out_high) {
                        self.choked = true;
                        return Ok(0);
                    }
                    if may_choke && shared.runs.load(Ordering::Acquire) as usize >= runs.max(1) {
                        self.busy = true;
                        return Ok(0);
                    }
                    if !shared.is_open() {
                        return Ok(0);
                    }
                    if round.packets as usize >= turn_packets {
                        self.crowded = true;
                        return Ok(0);
                    }
                }
                Step::Need(_) if left != before => {
                    return Err(Error::Contract("the reader took bytes and gave no packet"));
                }
                Step::Need(_) if coming == Coming::Nothing => {
                    return Err(Error::Truncated { pending: left });
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
    }

    /// Bytes that have come and that no packet was made of.
    fn left(&self, buf: &BytesMut) -> usize {
        buf.len().saturating_add(self.reader.held())
    }

    /// Where the next packet goes; `None` while there is no place for it.
    fn way(&self, cx: &Context<'_>) -> Option<Way> {
        let Some(pool) = &self.session.0.endpoint.pool else { return Some(Way::Here) };
        match pool.reserve(self.session.id(), self.line.as_ref(), cx.waker()) {
            Reserved::Place(place) => Some(Way::Pool(place)),
            Reserved::ByKey => Some(Way::ByKey),
            Reserved::Full if pool.refuses() => Some(Way::Refused),
            Reserved::Full => None,
        }
    }

    /// Gives a packet back that has to be kept, with its key.
    fn deliver(
        &self,
        cx: &Context<'_>,
        way: Way,
        packet: In<P>,
        what: &mut &'static str,
    ) -> Result<(), Kept<P>> {
        let Endpoint { listener, pool, .. } = &*self.session.0.endpoint;
        match (way, pool) {
            (Way::Pool(place), _) => self.session.hand_over(place, packet),
            (Way::Refused, _) => self.session.refuse(packet, what),
            (Way::ByKey, Some(pool)) => {
                *what = "key";
                let key = listener.key(&self.session, &packet);
                match pool.reserve_by_key(self.session.id(), key, cx.waker()) {
                    Some(place) => self.session.hand_over(place, packet),
                    None if pool.refuses() => self.session.refuse(packet, what),
                    None => return Err(Box::new((packet, key))),
                }
            }
            (Way::Here | Way::ByKey, _) => {
                *what = "on_message";
                listener.on_message(&self.session, packet);
            }
        }
        Ok(())
    }

    /// Whether there is no kept packet any more.
    fn deliver_kept(&mut self, cx: &Context<'_>) -> bool {
        let (Some(pool), Some(kept)) = (&self.session.0.endpoint.pool, self.kept.take()) else { return true };
        match pool.reserve_by_key(self.session.id(), kept.1, cx.waker()) {
            Some(place) => self.session.hand_over(place, kept.0),
            None => self.kept = Some(kept),
        }
        self.kept.is_none()
    }

    /// No further packet is delivered: others may have the place that this session waits for.
    pub(super) fn give_up_place(&mut self) {
        self.kept = None;
        if std::mem::take(&mut self.starved)
            && let Some(pool) = &self.session.0.endpoint.pool
        {
            pool.give_up(self.session.id());
        }
    }

    /// A buffer to read into, which begins with what the last read left.
    fn check_out(&mut self) -> Room {
        let rest = std::mem::take(&mut self.rest);
        if rest.len() >= CHUNK / 2 || self.crowded {
            return Room { buf: rest, own: false };
        }
        if rest.capacity() > rest.len() {
            return Room { buf: rest, own: true };
        }
        Room::lent(&rest)
    }

    /// Keeps only what is left over, so that an idle session holds no chunk. Where little comes at a time, it is read in place
    /// from then on, into a buffer that doubles: else all that has come would be moved for every piece.
    fn check_in(&mut self, Room { buf, own }: Room, read: usize) {
        let len = buf.len();
        if len >= CHUNK / 2 || (own && len > 0) || self.crowded {
            // Large, read in place, or wanted again at once.
            self.rest = buf;
            return;
        }
        if !C::MESSAGES && (1..len / FEW).contains(&read) {
            self.rest = BytesMut::with_capacity((2 * len).max(SMALLEST));
            self.rest.extend_from_slice(&buf);
        } else if len > 0 {
            self.rest = BytesMut::from(&buf[..]);
        }
        if !own {
            stock::give(buf);
        }
    }

    /// Throws away what the peer has sent and nobody will read.
    pub(in crate::session) fn discard_input(&mut self, cx: &mut Context<'_>) -> Input {
        let mut input = if self.rest.is_empty() { Input::Quiet } else { Input::Coming };
        self.rest = BytesMut::new();
        let mut buf = stock::take();
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
pub(in crate::session) enum Input {
    /// Nothing for now.
    Quiet,
    /// Something was thrown away.
    Coming,
    /// It has finished too, or the connection is broken.
    Ended,
}

impl Room {
    /// A buffer of the stock that begins with this.
    fn lent(rest: &[u8]) -> Self {
        let mut buf = stock::take();
        buf.extend_from_slice(rest);
        Self { buf, own: false }
    }
}

/// Room for what is missing, but for one chunk at most: a length is only a claim, and no read brings more. A buffer that has
/// to grow at least doubles, so what has come is seldom moved, and its capacity is at most twice that and two chunks.
fn make_room(room: &mut Room, need: usize) {
    let free = room.buf.capacity() - room.buf.len();
    if room.own {
        if free == 0 || room.buf.is_empty() {
            *room = Room::lent(&room.buf);
        }
    } else if free < need.clamp(MIN_ROOM, CHUNK) {
        room.buf.reserve(CHUNK);
    }
}
