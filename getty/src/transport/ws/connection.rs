//! A WebSocket connection: it reads frames until a message is whole, answers pings, sends its own, and says goodbye.
//!
//! ```text
//!   Open --poll_finish--> Bye (close frame sent, the peer's awaited) --its close frame--> Over
//!     |---close frame of the peer---> Over (answered by poll_finish)
//!     \---rules broken--------------> Over (poll_finish says which)
//! ```

use std::{
    fmt,
    future::Future,
    io::{Error as IoError, ErrorKind, Result},
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncWrite;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::{
    allowance::Allowance,
    frames::{self, Event, Inbound, Role, Violation},
};
use crate::{
    ConnInfo, Error, Limits, Out,
    stock::{self, CHUNK},
    transport::{Connection, Direct, Transport, io::fill, socket::configure_tcp, stream::Stream},
};

/// Frames that bring no message, and messages that are thrown away, before others get their turn.
const FRAMES: usize = 128;
/// Masks that are made at once.
const MASKS: usize = 16;

/// A WebSocket connection whose handshake is done.
pub struct Ws {
    task: Box<WsTask>,
    info: ConnInfo,
}

impl Ws {
    pub(super) fn new(stream: Stream, role: Role, info: ConnInfo) -> Self {
        Self::with_input(stream, role, info, BytesMut::new())
    }

    /// With frames that came together with the handshake.
    pub(super) fn with_input(stream: Stream, role: Role, info: ConnInfo, input: BytesMut) -> Self {
        let task = WsTask {
            stream,
            inbound: Inbound::new(role, Limits::default().max_packet),
            input,
            sending: BytesMut::new(),
            flushed: true,
            masks: (role == Role::Client).then(Masks::default),
            pong: None,
            ping: false,
            control_frames: Limits::default().control_frames,
            allowance: None,
            state: State::Open,
            said_bye: false,
        };
        Self { task: Box::new(task), info }
    }
}

impl Transport for Ws {
    type Task = Box<WsTask>;

    fn info(&self) -> ConnInfo {
        self.info.clone()
    }

    fn configure(&self, limits: &Limits) {
        configure_tcp(self.task.stream.tcp(), limits);
    }

    fn split(self) -> (Box<WsTask>, Option<Direct>) {
        (self.task, None)
    }
}

impl fmt::Debug for Ws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ws").field(&self.info).finish()
    }
}

/// The task's part of a [`Ws`], which is all of it.
pub struct WsTask {
    stream: Stream,
    inbound: Inbound,
    /// What was read and is not taken apart yet.
    input: BytesMut,
    /// Frames on their way.
    sending: BytesMut,
    flushed: bool,
    masks: Option<Masks>,
    /// Answer to the latest ping; earlier ones need none (RFC 6455, 5.5.3).
    pong: Option<Bytes>,
    ping: bool,
    /// [`Limits::control_frames`](field@Limits::control_frames).
    control_frames: usize,
    /// Made when there is something to count.
    allowance: Option<Box<Allowance>>,
    state: State,
    /// The close frame is among what is sent, so nothing may follow it.
    said_bye: bool,
}

enum State {
    Open,
    /// There is nothing more to read. The close frame has this code, if any.
    Over(Option<u16>),
}

impl WsTask {
    /// Ready with the next message, or `None` when the peer has said goodbye.
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<BytesMut>>> {
        let mut read = 0;
        let mut frames = 0;
        // A peer that sends pings or fragments without end gets no more than its turn.
        while frames < FRAMES && read < CHUNK {
            frames += 1;
            match self.inbound.next(&mut self.input) {
                // An empty message has no packet in it.
                Ok(Some(Event::Message(message))) if message.is_empty() => self.count()?,
                Ok(Some(Event::Message(message))) => return Poll::Ready(Ok(Some(message))),
                Ok(Some(Event::Ping(payload))) => {
                    self.pong = Some(payload);
                    self.count()?;
                }
                Ok(Some(Event::Pong)) => self.count()?,
                Ok(Some(Event::Fragment)) => {}
                Ok(Some(Event::Close(said))) => return Poll::Ready(self.closed(said).map(|()| None)),
                Ok(None) => match ready!(self.poll_read(cx))? {
                    0 => {
                        self.state = State::Over(None);
                        let text =
                            "the peer ended the connection without a close frame (WebSocket code 1006)";
                        return Poll::Ready(Err(IoError::new(ErrorKind::UnexpectedEof, text)));
                    }
                    n => read += n,
                },
                Err(violation) => return Poll::Ready(Err(self.broken(violation))),
            }
        }
        yield_turn(cx)
    }

    /// Counts a frame that brings nothing.
    fn count(&mut self) -> Result<()> {
        if self.allowance().admits() {
            return Ok(());
        }
        let text = format!(
            "pings, pongs and empty messages came without end, more than {} a second (Limits::control_frames)",
            self.control_frames
        );
        Err(self.broken(Violation::Rule(1008, text)))
    }

    fn allowance(&mut self) -> &mut Allowance {
        self.allowance.get_or_insert_with(|| Box::new(Allowance::new(self.control_frames)))
    }

    /// There is nothing more to read, and this is why.
    fn broken(&mut self, violation: Violation) -> IoError {
        self.state = State::Over(Some(violation.code()));
        let error = match violation {
            Violation::TooLong { length, limit } => Error::TooLong { length, limit },
            Violation::Rule(code, text) => Error::Transport(
                format!("the peer broke the rules of WebSocket (code {code}): {text}").into(),
            ),
        };
        IoError::new(ErrorKind::InvalidData, error)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize>> {
        if self.input.capacity() - self.input.len() < CHUNK / 2 {
            let mut chunk = stock::take();
            chunk.extend_from_slice(&self.input);
            stock::give(std::mem::replace(&mut self.input, chunk));
        }
        let polled = fill(&mut self.stream, cx, &mut self.input);
        if polled.is_pending() {
            // Idle connections hold no chunk.
            let rest = BytesMut::from(&self.input[..]);
            stock::give(std::mem::replace(&mut self.input, rest));
        }
        polled
    }

    /// Ready when the peer has said goodbye too. What was under way until then is of no use any more.
    fn poll_bye(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        for _ in 0..FRAMES {
            if ready!(self.poll_message(cx))?.is_none() {
                return Poll::Ready(Ok(()));
            }
        }
        yield_turn(cx)
    }

    /// What the peer's close frame means.
    fn closed(&mut self, said: Option<(u16, String)>) -> Result<()> {
        let code = said.as_ref().map(|(code, _)| *code);
        self.state = State::Over(code);
        match said {
            // 1000: done; 1001: it goes away.
            None | Some((1000 | 1001, _)) => Ok(()),
            Some((code, reason)) => {
                let text = format!("the peer closed the WebSocket with code {code}: {reason:?}");
                Err(IoError::new(ErrorKind::ConnectionAborted, Error::Transport(text.into())))
            }
        }
    }

    /// Turns what waits into frames, up to about a chunk of them.
    fn gather(&mut self, out: &mut Out) -> Result<()> {
        self.gather_control()?;
        while self.sending.len() < CHUNK
            && let Some(message) = out.take_message()
        {
            self.send(OpCode::Data(Data::Binary), &message)?;
        }
        Ok(())
    }

    fn gather_control(&mut self) -> Result<()> {
        if self.sending.len() >= CHUNK {
            // They too wait for a peer that does not read.
            return Ok(());
        }
        if let Some(payload) = self.pong.take() {
            self.send(OpCode::Control(Control::Pong), &payload)?;
        }
        if std::mem::take(&mut self.ping) {
            self.send(OpCode::Control(Control::Ping), b"")?;
        }
        Ok(())
    }

    fn send(&mut self, opcode: OpCode, payload: &[u8]) -> Result<()> {
        if self.said_bye {
            return Ok(());
        }
        let mask = self.masks.as_mut().map(Masks::next).transpose()?;
        if self.sending.capacity() == 0 {
            self.sending = stock::take();
        }
        frames::write(&mut self.sending, opcode, mask, payload);
        Ok(())
    }

    /// Ready when all frames are on their way.
    fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        while !self.sending.is_empty() {
            self.flushed = false;
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &self.sending))? {
                0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                n => self.sending.advance(n),
            }
        }
        if !self.flushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.flushed = true;
        }
        stock::give(std::mem::take(&mut self.sending));
        Poll::Ready(Ok(()))
    }

    fn say_bye(&mut self, code: Option<u16>) -> Result<()> {
        if !self.said_bye {
            let code = code.map(u16::to_be_bytes);
            self.send(OpCode::Control(Control::Close), code.as_ref().map_or(&[], |code| &code[..]))?;
            self.said_bye = true;
        }
        Ok(())
    }
}

impl Connection for Box<WsTask> {
    const MESSAGES: bool = true;

    fn begin(&mut self, limits: &Limits) {
        self.inbound.limit = limits.max_packet;
        self.control_frames = limits.control_frames;
    }

    fn keep_alive(&mut self) {
        self.ping |= self.allowance().may_ping();
    }

    fn pending(&self) -> usize {
        self.input.len().saturating_add(self.inbound.unfinished())
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>, buf: &mut BytesMut) -> Poll<Result<usize>> {
        if let State::Over(_) = self.state {
            return Poll::Ready(Ok(0));
        }
        let message = ready!(self.poll_message(cx))?.unwrap_or_default();
        buf.extend_from_slice(&message);
        Poll::Ready(Ok(message.len()))
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>, out: &mut Out) -> Poll<Result<()>> {
        loop {
            self.gather(out)?;
            ready!(self.poll_leave(cx))?;
            if out.is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let code = match self.state {
            State::Open => Some(1000),
            State::Over(code) => code,
        };
        self.say_bye(code)?;
        ready!(self.poll_leave(cx))?;
        if let State::Open = self.state {
            ready!(self.poll_bye(cx))?;
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl fmt::Debug for WsTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WsTask").field("inbound", &self.inbound).finish_non_exhaustive()
    }
}

/// Comes back after the others have run.
fn yield_turn<T>(cx: &mut Context<'_>) -> Poll<T> {
    let _ = pin!(tokio::task::yield_now()).poll(cx);
    Poll::Pending
}

/// Masks of a client. They have to be unpredictable, so that nobody can choose what proxies on the way see.
#[derive(Default)]
struct Masks {
    made: [[u8; 4]; MASKS],
    left: usize,
}

impl Masks {
    fn next(&mut self) -> Result<[u8; 4]> {
        if self.left == 0 {
            getrandom::fill(self.made.as_flattened_mut()).map_err(IoError::from)?;
            self.left = MASKS;
        }
        self.left -= 1;
        Ok(self.made.get(self.left).copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// And what its peer never accepts from.
    async fn client() -> (Box<WsTask>, tokio::net::TcpListener) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let ws = Ws::new(Stream::Plain(stream), Role::Client, ConnInfo::accepted("ws", None, None));
        (ws.task, listener)
    }

    #[tokio::test]
    async fn a_thousand_pings_take_several_turns() {
        let (mut task, _listener) = client().await;
        for _ in 0..1000 {
            frames::write(&mut task.input, OpCode::Control(Control::Ping), None, b"");
        }
        let mut turns = 0;
        std::future::poll_fn(|cx| {
            turns += 1;
            let polled = task.poll_message(cx);
            assert!(polled.is_pending());
            if task.input.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        assert_eq!(turns, 1000_usize.div_ceil(FRAMES));
    }

    #[tokio::test]
    async fn signs_of_life_that_nobody_reads_do_not_pile_up() {
        let (mut task, _listener) = client().await;
        for _ in 0..10_000 {
            task.pong = Some(Bytes::from_static(&[7; 125]));
            task.ping = true;
            task.gather_control().unwrap();
        }
        assert!(task.sending.len() < CHUNK + 200, "{} bytes wait", task.sending.len());
        // The latest is not forgotten.
        task.sending.clear();
        task.gather_control().unwrap();
        assert_eq!(task.sending.len(), 2 + 4 + 125 + 2 + 4);
    }
}
