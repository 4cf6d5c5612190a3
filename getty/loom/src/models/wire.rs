//! A connection of a model: bytes that come, bytes that left, and a socket that may be full. It knows when it has got what it
//! expects; then its peer finishes, and so the session ends without anybody's help.

use std::{
    collections::VecDeque,
    io::{ErrorKind, IoSlice, Result},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::{Buf, BytesMut};
use loom::sync::{Mutex, MutexGuard};

use crate::{
    ConnInfo, Out,
    transport::{Connection, Direct, Transport, halves::WriteHalf},
};

pub(super) struct Wire {
    state: Mutex<State>,
    /// Whether an idle session's writer may write by itself, as on a plain socket.
    direct: bool,
}

#[derive(Debug)]
struct State {
    coming: VecDeque<u8>,
    sent: Vec<u8>,
    /// Bytes after which the peer finishes.
    expected: usize,
    /// How often the socket will be full before it takes more.
    full: usize,
    reader: Option<Waker>,
}

impl Wire {
    /// The peer finishes when it has got so many bytes.
    pub(super) fn that_expects(bytes: usize) -> Self {
        let state =
            State { coming: VecDeque::new(), sent: Vec::new(), expected: bytes, full: 0, reader: None };
        Self { state: Mutex::new(state), direct: true }
    }

    /// The peer never finishes.
    pub(super) fn endless() -> Self {
        Self::that_expects(usize::MAX)
    }

    /// These packets come at once.
    pub(super) fn with_input(self, bytes: &[u8]) -> Self {
        self.lock().coming.extend(bytes);
        self
    }

    /// The socket has no room for the first writes; each time it has some again right after.
    pub(super) fn full_at_first(self, times: usize) -> Self {
        self.lock().full = times;
        self
    }

    /// The socket never has room.
    pub(super) fn full_for_good(self) -> Self {
        self.full_at_first(usize::MAX)
    }

    /// Only the session's task can write, as with TLS.
    pub(super) fn not_direct(mut self) -> Self {
        self.direct = false;
        self
    }

    pub(super) fn sent(&self) -> Vec<u8> {
        self.lock().sent.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Takes bytes, two at the most, as sockets do not take everything. `None`: it is full.
    fn take(&self, bytes: &[u8]) -> Option<usize> {
        let (taken, reader) = {
            let mut state = self.lock();
            if state.full > 0 {
                state.full -= usize::from(state.full < usize::MAX);
                return None;
            }
            let taken = bytes.len().min(2);
            state.sent.extend(bytes.iter().take(taken));
            let reader = if state.sent.len() >= state.expected { state.reader.take() } else { None };
            (taken, reader)
        };
        reader.into_iter().for_each(Waker::wake);
        Some(taken)
    }
}

/// This side's end of a wire.
pub(super) struct End(pub(super) Arc<Wire>);

impl Transport for End {
    type Task = Self;

    fn info(&self) -> ConnInfo {
        ConnInfo::accepted("wire", None, None)
    }

    fn split(self) -> (Self, Option<Direct>) {
        let direct = self.0.direct.then(|| Direct(Arc::clone(&self.0) as Arc<dyn WriteHalf>));
        (self, direct)
    }
}

impl Connection for End {
    fn poll_fill(&mut self, cx: &mut Context<'_>, buf: &mut BytesMut) -> Poll<Result<usize>> {
        let mut state = self.0.lock();
        let count = state.coming.len();
        if count > 0 {
            buf.extend(state.coming.drain(..));
            return Poll::Ready(Ok(count));
        }
        if state.sent.len() >= state.expected {
            return Poll::Ready(Ok(0));
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>, out: &mut Out) -> Poll<Result<()>> {
        while out.has_remaining() {
            match self.0.take(out.chunk()) {
                Some(taken) => out.advance(taken),
                None => {
                    if self.0.lock().full < usize::MAX {
                        cx.waker().wake_by_ref();
                    }
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The peer finishes too: no clock runs that would end the waiting for it.
    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        self.0.lock().expected = 0;
        Poll::Ready(Ok(()))
    }
}

impl WriteHalf for Wire {
    fn poll_ready(&self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn try_write(&self, bytes: &[u8]) -> Result<usize> {
        self.take(bytes).ok_or_else(|| ErrorKind::WouldBlock.into())
    }

    fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> Result<usize> {
        slices.first().map_or(Ok(0), |slice| self.try_write(slice))
    }
}
