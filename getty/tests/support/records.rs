//! A stream that works as TLS does: what is written is kept, and leaves as one record when it is flushed.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream whose written bytes leave as one record when it is flushed, as TLS does: four bytes of length, then the bytes.
/// An empty record is the end.
pub(crate) struct Records<S> {
    stream: S,
    pending: BytesMut,
    leaving: BytesMut,
    input: BytesMut,
    ended: bool,
    /// Records that were made.
    pub(crate) flushed: Arc<AtomicUsize>,
}

impl<S> Records<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            pending: BytesMut::new(),
            leaving: BytesMut::new(),
            input: BytesMut::new(),
            ended: false,
            flushed: Arc::default(),
        }
    }
}

impl<S: AsyncWrite + Unpin> Records<S> {
    fn seal(&mut self) {
        let record = self.pending.split();
        self.leaving.extend_from_slice(&(record.len() as u32).to_be_bytes());
        self.leaving.extend_from_slice(&record);
    }

    fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.leaving.is_empty() {
            let n = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.leaving))?;
            self.leaving.advance(n);
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Records<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if let Some((length, rest)) = this.input.split_first_chunk::<4>() {
                let length = u32::from_be_bytes(*length) as usize;
                if length == 0 {
                    return Poll::Ready(Ok(()));
                }
                if rest.len() >= length {
                    // What does not fit goes back as a record of its own.
                    let mut record = this.input.split_to(4 + length).split_off(4);
                    let n = record.len().min(buf.remaining());
                    buf.put_slice(&record.split_to(n));
                    if !record.is_empty() {
                        let mut input = BytesMut::from(&(record.len() as u32).to_be_bytes()[..]);
                        input.extend_from_slice(&record);
                        input.extend_from_slice(&this.input);
                        this.input = input;
                    }
                    return Poll::Ready(Ok(()));
                }
            }
            let mut chunk = [0; 16 * 1024];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            this.input.extend_from_slice(chunk.filled());
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Records<S> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().pending.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.pending.is_empty() {
            this.seal();
            this.flushed.fetch_add(1, Ordering::SeqCst);
        }
        this.poll_leave(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !std::mem::replace(&mut this.ended, true) {
            this.seal();
        }
        ready!(this.poll_leave(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}
