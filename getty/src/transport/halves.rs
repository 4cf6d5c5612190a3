//! A socket in two halves: the session's task reads and writes, and the session's handle writes at once through the write half
//! that they share.

use std::{
    io::{ErrorKind, IoSlice, Result},
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
#[cfg(unix)]
use tokio::net::unix;
use tokio::{io::AsyncRead, net::tcp};

use super::{Connection, Direct, io::fill};
use crate::Out;

/// Pieces in one vectored write.
const PIECES: usize = 32;

/// A write half that can write without waiting.
pub trait WriteHalf: Send + Sync + 'static {
    /// Ready when a write may take something.
    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<()>>;
    /// Writes what is taken at once.
    fn try_write(&self, bytes: &[u8]) -> Result<usize>;
    /// As [`try_write`](Self::try_write), from several pieces.
    fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> Result<usize>;
}

macro_rules! write_half {
    ($half:ty) => {
        impl WriteHalf for $half {
            fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<()>> {
                self.as_ref().poll_write_ready(cx)
            }

            fn try_write(&self, bytes: &[u8]) -> Result<usize> {
                self.try_write(bytes)
            }

            fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> Result<usize> {
                self.try_write_vectored(slices)
            }
        }
    };
}

write_half!(tcp::OwnedWriteHalf);
#[cfg(unix)]
write_half!(unix::OwnedWriteHalf);

/// The task's part of such a socket.
#[derive(Debug)]
pub struct Halves<R, W> {
    read: R,
    /// Dropping the last one sends the FIN.
    write: Option<Arc<W>>,
}

impl<R, W: WriteHalf> Halves<R, W> {
    pub(super) fn new(read: R, write: W) -> (Self, Option<Direct>) {
        let write = Arc::new(write);
        let direct = Direct(Arc::clone(&write) as Arc<dyn WriteHalf>);
        (Self { read, write: Some(write) }, Some(direct))
    }
}

impl<R: AsyncRead + Unpin + Send + 'static, W: WriteHalf> Connection for Halves<R, W> {
    fn poll_fill(&mut self, cx: &mut Context<'_>, buf: &mut BytesMut) -> Poll<Result<usize>> {
        fill(&mut self.read, cx, buf)
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>, out: &mut Out) -> Poll<Result<()>> {
        let Some(half) = &self.write else { return Poll::Ready(Err(ErrorKind::NotConnected.into())) };
        while out.has_remaining() {
            ready!(half.poll_ready(cx))?;
            match write_some(&**half, out) {
                Ok(n) => out.advance(n),
                // The readiness was stale; asking again registers for the next.
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        self.write = None;
        Poll::Ready(Ok(()))
    }
}

/// Writes what the socket takes at once.
pub(super) fn write_some<W: WriteHalf + ?Sized>(half: &W, out: &Out) -> Result<usize> {
    let first = out.chunk();
    let n = if first.len() == out.remaining() {
        half.try_write(first)?
    } else {
        let mut slices = [IoSlice::new(&[]); PIECES];
        let count = out.chunks_vectored(&mut slices);
        half.try_write_vectored(slices.get(..count).unwrap_or_default())?
    };
    if n == 0 { Err(ErrorKind::WriteZero.into()) } else { Ok(n) }
}
