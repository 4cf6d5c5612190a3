//! Any tokio stream of bytes as a connection: TLS, Unix sockets, pipes in memory.

use std::{
    io::Result,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{Connection, Direct, Transport};
use crate::{ConnInfo, Out, stock::CHUNK};

/// A connection over any tokio stream.
#[derive(Debug)]
pub struct Io<S> {
    stream: S,
    name: &'static str,
    flushed: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Io<S> {
    /// Over this stream; `name` is what [`ConnInfo::transport`] says.
    pub fn new(stream: S, name: &'static str) -> Self {
        Self { stream, name, flushed: true }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Transport for Io<S> {
    type Task = Self;

    fn info(&self) -> ConnInfo {
        ConnInfo::accepted(self.name, None, None)
    }

    fn split(self) -> (Self, Option<Direct>) {
        (self, None)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Connection for Io<S> {
    fn poll_fill(&mut self, cx: &mut Context<'_>, buf: &mut BytesMut) -> Poll<Result<usize>> {
        fill(&mut self.stream, cx, buf)
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>, out: &mut Out) -> Poll<Result<()>> {
        while out.has_remaining() {
            self.flushed = false;
            let n = ready!(pin!(self.stream.write_buf(out)).poll(cx))?;
            if n == 0 {
                return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
            }
        }
        if !self.flushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// One read into the room that `buf` has, of at most one chunk: a buffer that others have made larger does not make a turn
/// longer.
pub(super) fn fill<R: AsyncRead + Unpin>(
    reader: &mut R,
    cx: &mut Context<'_>,
    buf: &mut BytesMut,
) -> Poll<Result<usize>> {
    // The future keeps nothing between polls, so a new one each time loses nothing.
    pin!(reader.read_buf(&mut buf.limit(CHUNK))).poll(cx)
}
