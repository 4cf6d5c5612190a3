//! A connection that carries messages, as WebSocket and UDP do, made with the public API alone.

use std::{
    collections::VecDeque,
    future::{pending, poll_fn},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker, ready},
};

use bytes::BytesMut;
use getty::{
    ConnInfo, Out,
    transport::{Connection, Direct, Listen, Transport},
};
use tokio::sync::mpsc;

use super::within;

/// One end of a connection of messages; each way holds a few.
pub(crate) struct Messages {
    incoming: Arc<Mutex<Pipe>>,
    outgoing: Arc<Mutex<Pipe>>,
}

#[derive(Default)]
struct Pipe {
    messages: VecDeque<Vec<u8>>,
    closed: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

const PIPE: usize = 4;

pub(crate) fn message_pipes() -> (Messages, Messages) {
    let (one, other) = (Arc::<Mutex<Pipe>>::default(), Arc::<Mutex<Pipe>>::default());
    let own = Messages { incoming: Arc::clone(&one), outgoing: Arc::clone(&other) };
    (own, Messages { incoming: other, outgoing: one })
}

impl Messages {
    /// A message from the other end.
    pub(crate) async fn receive(&self) -> Vec<u8> {
        within(poll_fn(|cx| self.incoming.lock().unwrap().poll_pop(cx)))
            .await
            .expect("the other end has closed")
    }

    /// A message to the other end, also if the pipe is full.
    pub(crate) fn send(&self, message: Vec<u8>) {
        self.outgoing.lock().unwrap().push(message);
    }
}

impl Pipe {
    fn push(&mut self, message: Vec<u8>) {
        self.messages.push_back(message);
        self.reader.take().into_iter().for_each(|reader| reader.wake());
    }

    fn poll_pop(&mut self, cx: &Context<'_>) -> Poll<Option<Vec<u8>>> {
        match self.messages.pop_front() {
            Some(message) => {
                self.writer.take().into_iter().for_each(|writer| writer.wake());
                Poll::Ready(Some(message))
            }
            None if self.closed => Poll::Ready(None),
            None => {
                self.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn close(&mut self) {
        self.closed = true;
        self.reader.take().into_iter().for_each(|reader| reader.wake());
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        self.outgoing.lock().unwrap().close();
    }
}

impl Transport for Messages {
    type Task = Self;

    fn info(&self) -> ConnInfo {
        ConnInfo::accepted("messages", None, None)
    }

    fn split(self) -> (Self, Option<Direct>) {
        (self, None)
    }
}

impl Connection for Messages {
    const MESSAGES: bool = true;

    fn poll_fill(&mut self, cx: &mut Context<'_>, buf: &mut BytesMut) -> Poll<io::Result<usize>> {
        let message = ready!(self.incoming.lock().unwrap().poll_pop(cx)).unwrap_or_default();
        buf.extend_from_slice(&message);
        Poll::Ready(Ok(message.len()))
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>, out: &mut Out) -> Poll<io::Result<()>> {
        let mut pipe = self.outgoing.lock().unwrap();
        while !out.is_empty() {
            if pipe.messages.len() >= PIPE {
                pipe.writer = Some(cx.waker().clone());
                return Poll::Pending;
            }
            let message = out.take_message().unwrap();
            pipe.push(message.to_vec());
        }
        Poll::Ready(Ok(()))
    }

    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.lock().unwrap().close();
        Poll::Ready(Ok(()))
    }
}

/// Accepts what is sent to it.
pub(crate) struct MessageListen(pub(crate) mpsc::UnboundedReceiver<Messages>);

impl Listen for MessageListen {
    type Conn = Messages;

    async fn accept(&mut self) -> io::Result<Messages> {
        match self.0.recv().await {
            Some(accepted) => Ok(accepted),
            None => pending().await,
        }
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }
}
