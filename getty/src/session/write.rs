//! Writing from any task: append under the lock, then write at once, wake the task, or leave it to the task.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    task::Waker,
    time::Duration,
};

use bytes::{Buf, Bytes};
use tokio::time::timeout;

use super::{
    Flush, Out, Session,
    core::{Core, Life},
};
use crate::{
    BoxError, OutOf, Protocol, WriteError, Writer,
    sync::{
        MutexGuard,
        atomic::{Ordering, fence},
    },
};

/// Where a written frame lies in its session's output, in bytes since the session opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset after the last byte.
    pub end: u64,
}

/// How an appended frame leaves.
enum Leaving {
    /// The task is at work and will look again.
    ByTask,
    /// The task has to be woken.
    Woken(Waker),
    /// It has left already.
    Left,
}

impl<P: Protocol> Session<P> {
    /// Queues a packet and returns at once.
    ///
    /// # Errors
    /// [`WriteError::Closed`], [`WriteError::Full`], [`WriteError::TooLong`] or [`WriteError::Encode`]. Nothing of the packet is written then.
    pub fn write(&self, packet: OutOf<P>) -> Result<Span, WriteError> {
        self.append(Flush::Auto, |core| core.writer.write(packet, &mut core.out)).map(|(span, ())| span)
    }

    /// Queues bytes that are whole packets already; from 8 KiB on without a copy. On message transports they are one message.
    ///
    /// # Errors
    /// [`WriteError::Closed`], [`WriteError::Full`] or [`WriteError::TooLong`].
    pub fn write_bytes(&self, bytes: Bytes) -> Result<Span, WriteError> {
        self.append(Flush::Auto, |core| {
            core.out.put_bytes(bytes);
            Ok(())
        })
        .map(|(span, ())| span)
    }

    /// Queues several buffers as if they were one: they are together on the wire, in this order, with nothing between them, and all or
    /// none are queued. Those of 8 KiB and more are not copied; over TCP and Unix sockets they leave by vectored writes, together with
    /// what else waits. The buffers stay as they are, and can be written again. On message transports they are one message.
    ///
    /// # Errors
    /// As [`write_bytes`](Self::write_bytes).
    pub fn write_vectored(&self, buffers: &[Bytes]) -> Result<Span, WriteError> {
        self.append(Flush::Auto, |core| {
            for buffer in buffers {
                core.out.put_shared(buffer);
            }
            Ok(())
        })
        .map(|(span, ())| span)
    }

    /// Lets `encode` append one packet to the out-buffer itself, without a [`Writer`].
    ///
    /// It runs under the session's lock and only while the session can still write, so what it registers elsewhere is there
    /// before `on_close`. It must be short and must not call into a session. [`Out::offset`] tells it the packet's start.
    ///
    /// # Errors
    /// [`WriteError::Closed`], [`WriteError::Full`], [`WriteError::TooLong`], or [`WriteError::Encode`] with the error of `encode`; what it appended is
    /// taken back then, as after a panic.
    pub fn write_with<R>(
        &self,
        flush: Flush,
        encode: impl FnOnce(&mut Out) -> Result<R, BoxError>,
    ) -> Result<(Span, R), WriteError> {
        self.append(flush, |core| encode(&mut core.out))
    }

    /// Whether less than [`Limits::out_high`](field@crate::Limits::out_high) waits.
    pub fn try_ready(&self) -> bool {
        self.0.queued() < self.0.limits().out_high
    }

    /// Waits until there is room in the out-buffer. Cancel-safe: it queues nothing.
    ///
    /// # Errors
    /// [`WriteError::Closed`] when the session ends meanwhile.
    pub async fn ready(&self) -> Result<(), WriteError> {
        if self.try_ready() && !self.0.is_sealed() {
            return Ok(());
        }
        loop {
            let room = self.0.extras.room().notified();
            self.0.waiting.store(true, Ordering::Release);
            fence(Ordering::SeqCst);
            if self.0.is_sealed() {
                return Err(WriteError::Closed);
            }
            if self.0.has_room() {
                return Ok(());
            }
            room.await;
        }
    }

    /// Waits for room, then queues. Cancel-safe: dropped before it is done, it has queued nothing.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn send(&self, packet: OutOf<P>) -> Result<Span, WriteError> {
        self.ready().await?;
        self.write(packet)
    }

    /// As [`ready`](Self::ready), but waits at most so long; with zero it only asks. Cancel-safe: it queues nothing. With `write_bytes`,
    /// `write_vectored` and `write_with` it makes a write that waits for a bounded time.
    ///
    /// # Errors
    /// [`WriteError::TimedOut`] when there is still no room, [`WriteError::Closed`] when the session ends meanwhile.
    pub async fn ready_timeout(&self, limit: Duration) -> Result<(), WriteError> {
        match timeout(limit, self.ready()).await {
            Ok(ready) => ready,
            Err(_) => Err(WriteError::TimedOut { queued: self.0.queued(), waited: limit }),
        }
    }

    /// As [`send`](Self::send), but waits at most so long for room. It bounds this one write, and changes nothing for others or for the
    /// session. The packet is queued whole or not at all: what is queued leaves whole, or the session ends. Cancel-safe: dropped before
    /// it is done, it has queued nothing.
    ///
    /// # Errors
    /// [`WriteError::TimedOut`] when there was no room in time; else as [`write`](Self::write).
    pub async fn send_timeout(&self, packet: OutOf<P>, limit: Duration) -> Result<Span, WriteError> {
        self.ready_timeout(limit).await?;
        self.write(packet)
    }

    fn append<R>(
        &self,
        flush: Flush,
        encode: impl FnOnce(&mut Core<P>) -> Result<R, BoxError>,
    ) -> Result<(Span, R), WriteError> {
        let mut core = self.0.lock();
        if self.0.is_sealed() {
            return Err(WriteError::Closed);
        }
        let limit = self.0.limits().out_hard;
        let queued = self.0.queued();
        if queued >= limit {
            return Err(WriteError::Full { queued, limit });
        }
        let start = core.out.offset();
        let mark = core.out.mark();
        let encoded = catch_unwind(AssertUnwindSafe(|| encode(&mut core)));
        if !core.out.holds(&mark) {
            return Err(self.break_off(core, encoded.err()));
        }
        let result = match encoded {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => {
                core.out.rewind(&mark);
                return Err(WriteError::Encode(error));
            }
            Err(panic) => {
                core.out.rewind(&mark);
                drop(core);
                resume_unwind(panic)
            }
        };
        let length = usize::try_from(core.out.offset().saturating_sub(start)).unwrap_or(usize::MAX);
        if length > core.largest {
            core.out.rewind(&mark);
            return Err(WriteError::TooLong { length, limit: core.largest });
        }
        core.out.end_frame();
        core.frames = core.frames.saturating_add(1);
        let packets = &self.0.written_packets;
        packets.store(packets.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        let end = core.out.offset();
        self.0.end.store(end, Ordering::Relaxed);
        let leaving = self.leave(&mut core, flush);
        drop(core);
        match leaving {
            Leaving::ByTask => {}
            Leaving::Woken(waker) => waker.wake(),
            Leaving::Left => self.0.tell_room(),
        }
        Ok((Span { start, end }, result))
    }

    /// Bytes of others are gone, so the peer could understand nothing that follows: ends the session.
    fn break_off(&self, mut core: MutexGuard<'_, Core<P>>, panic: Option<Box<dyn Any + Send>>) -> WriteError {
        self.0.advance(Life::Closed);
        core.out = Out::new(false);
        let waker = core.waker.clone();
        drop(core);
        if let Some(waker) = waker {
            waker.wake();
        }
        match panic {
            Some(panic) => resume_unwind(panic),
            None => WriteError::Encode("the writer took bytes away that other packets had written".into()),
        }
    }

    /// Sees to it that what was appended leaves. Wakers are woken after unlocking.
    ///
    /// | the task | what happens |
    /// |---|---|
    /// | is at work, or waits for the socket | nothing: it looks again before it sleeps |
    /// | sleeps, this is the only frame, there is credit | written right here |
    /// | sleeps | it is woken, and lets others write first while fewer frames wait than the last read brought |
    fn leave(&self, core: &mut Core<P>, flush: Flush) -> Leaving {
        if core.awake {
            return Leaving::ByTask;
        }
        let alone = core.frames == 1 && flush != Flush::Gather;
        if alone && (core.credit || flush == Flush::Now) && self.write_directly(core) {
            return Leaving::Left;
        }
        core.awake = true;
        core.gather = flush != Flush::Now;
        core.waker.clone().map_or(Leaving::ByTask, Leaving::Woken)
    }

    /// Whether everything left. An error is left to the task, which will meet it too.
    fn write_directly(&self, core: &mut Core<P>) -> bool {
        let Some(direct) = &core.direct else { return false };
        core.credit = false;
        while core.out.has_remaining() {
            match direct.try_write(&core.out) {
                Ok(n) if n > 0 => core.out.advance(n),
                _ => break,
            }
        }
        self.0.taken.store(core.out.taken(), Ordering::Release);
        if core.out.is_empty() {
            core.frames = 0;
            core.out.release();
        }
        core.out.is_empty()
    }
}
