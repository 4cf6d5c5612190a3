//! The client's side of one connection: sends requests and hands answers to those who wait for them.
//!
//! ```text
//!   Call ---- send ----> session's out-buffer ====> peer
//!    ^  |   (frame encoded)   (slot taken, frame appended, both under the session's lock)
//!    |  +-- Waiter ---> Pending <--- answered --- on_message <==== peer
//!    |                    ^  <------ expire ----- on_cron
//!    +------ wake --------+  <------ lost ------- on_close
//! ```

use std::{
    cell::Cell,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use getty::{BoxError, ConnInfo, Error, EventListener, Flush, Opened, Out, Protocol, Session, WriteError};
use tokio::time::Instant;

use super::{
    Answer, Beat, DecodeStates, FrameWriter, TooLarge, limits,
    pending::{Full, Pending},
    respond_heartbeat, write_frame,
};
use crate::{
    attachments::Attachments,
    protocol::{Frame, FrameError, FrameReader, Header, Kind, READ_ONLY, Status, WRITEABLE},
    serialization::{self, EncodeArguments, Plan, Request, Serialization},
};

/// How often deadlines are looked at while calls wait. Java's wheel turns every 30 ms.
const TICK: Duration = Duration::from_millis(20);
/// A larger body is kept as a slice of what was read, a smaller one is copied: it would pin 64 KiB until its caller reads it.
const COPY: usize = 8 * 1024;

/// Bytes of a frame that is copied into the out-buffer, and of the room for it that a thread keeps.
const KEEP: usize = 64 * 1024;

thread_local! {
    /// Where requests are encoded.
    static FRAME: Cell<BytesMut> = Cell::default();
}

/// How the connections of a client are.
#[derive(Debug, Clone)]
pub(crate) struct ClientSettings {
    pub(crate) payload: usize,
    pub(crate) heartbeat: Duration,
    /// Calls that may wait on one connection.
    pub(crate) pending: usize,
}

/// What all connections of a client share.
#[derive(Debug)]
pub(crate) struct ClientShared {
    settings: ClientSettings,
    closed: AtomicBool,
}

impl ClientShared {
    pub(crate) fn new(settings: ClientSettings) -> Self {
        Self { settings, closed: AtomicBool::new(false) }
    }

    /// Notes that the client is closed: a connection on which a call waits ends at once from now on.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

/// A Dubbo connection, seen from the client.
#[derive(Debug)]
pub(crate) struct ClientProtocol(pub(crate) Arc<ClientShared>);

/// The state of one connection.
pub(crate) struct Channel {
    pending: Pending,
    states: DecodeStates,
    beat: Beat,
    /// The provider said that it is shutting down.
    read_only: AtomicBool,
    /// Nobody calls here any more; it closes when its last call has ended.
    retiring: AtomicBool,
    /// Set by whatever ends it first.
    end: OnceLock<End>,
    shared: Arc<ClientShared>,
}

impl Protocol for ClientProtocol {
    type Reader = FrameReader;
    type Writer = FrameWriter;
    type State = Channel;

    fn open(&self, _: &ConnInfo) -> Opened<FrameReader, FrameWriter, Channel> {
        let settings = &self.0.settings;
        let channel = Channel {
            pending: Pending::new(settings.pending),
            states: DecodeStates::default(),
            beat: Beat::new(settings.heartbeat, Instant::now()),
            read_only: AtomicBool::new(false),
            retiring: AtomicBool::new(false),
            end: OnceLock::new(),
            shared: Arc::clone(&self.0),
        };
        let mut opened = Opened::new(FrameReader::new(settings.payload), FrameWriter, channel);
        opened.limits = Some(limits(settings.payload, settings.heartbeat));
        opened
    }
}

/// Why a connection ended, where its session does not know it.
struct End {
    /// The peer's bytes were no frames.
    bad_frame: bool,
    cause: String,
}

/// The provider is shutting down, so nothing further is sent to it.
#[derive(Debug, thiserror::Error)]
#[error("the provider is shutting down")]
struct ReadOnly;

/// Why a request was not queued. It surely did not run.
#[derive(Debug)]
pub(crate) enum SendError {
    /// The session has ended, or the provider is shutting down.
    Closed,
    /// The out-buffer is full; waiting for room helps.
    Congested,
    /// As many calls wait as may.
    Full(Full),
    TooLarge(TooLarge),
    Encode(BoxError),
}

/// A request as it is sent.
pub(crate) struct Outgoing<'a, A> {
    pub(crate) plan: &'a Plan,
    pub(crate) arguments: &'a A,
    pub(crate) attachments: &'a Attachments,
    pub(crate) timeout: Duration,
    pub(crate) deadline: Instant,
}

impl Channel {
    /// Whether further calls may go here.
    pub(crate) fn is_usable(&self) -> bool {
        !self.read_only.load(Ordering::Relaxed)
    }

    /// Notes that the provider is shutting down, or that it is not after all.
    pub(crate) fn set_read_only(&self, read_only: bool) {
        self.read_only.store(read_only, Ordering::Relaxed);
    }

    /// What answers are decoded with.
    pub(crate) fn states(&self) -> &DecodeStates {
        &self.states
    }

    /// Closes the session when its calls in flight have ended. Further calls must not be sent there.
    pub(crate) fn close_when_done(session: &Session<ClientProtocol>) {
        session.state().retiring.store(true, Ordering::SeqCst);
        session.state().close_if_done(session);
    }

    /// Ends the session of a client that is closed: at once where calls wait, so that they fail; else as soon as what is queued,
    /// one-way calls, is written.
    pub(crate) fn close(session: &Session<ClientProtocol>) {
        match session.state().pending.is_idle() {
            true => session.close(),
            false => session.abort(),
        }
    }

    fn close_if_done(&self, session: &Session<ClientProtocol>) {
        if self.retiring.load(Ordering::SeqCst) && self.pending.is_idle() {
            session.close();
        }
    }

    /// Queues a request that is answered. Once it is queued, some answer comes: the peer's, a timeout, or the connection's end.
    pub(crate) fn send<A: EncodeArguments>(
        session: &Session<ClientProtocol>,
        request: &Outgoing<'_, A>,
    ) -> Result<Waiter, SendError> {
        let channel = session.state();
        let id = channel.encoded(true, request, |frame| {
            let (_, id) = session.write_with(Flush::Auto, |out| {
                channel.still_usable()?;
                let start_timer = || session.set_cron(Some(TICK));
                let id = channel.pending.begin(out.offset(), request.deadline, start_timer)?;
                Header::set_id(frame, id);
                put(out, frame);
                Ok(id)
            })?;
            Ok(id)
        })?;
        if channel.shared.is_closed() {
            // Whoever closed the client may have looked before this call was there.
            session.abort();
        }
        Ok(Waiter { session: session.clone(), id, answered: false })
    }

    /// Queues a request that is not answered.
    pub(crate) fn send_oneway<A: EncodeArguments>(
        session: &Session<ClientProtocol>,
        request: &Outgoing<'_, A>,
    ) -> Result<(), SendError> {
        let channel = session.state();
        channel.encoded(false, request, |frame| {
            session.write_with(Flush::Auto, |out| {
                channel.still_usable()?;
                put(out, frame);
                Ok(())
            })?;
            Ok(())
        })
    }

    /// Asked once more under the session's lock: the heartbeat that a provider sends behind its read-only event is answered under
    /// it too, so no request follows that answer.
    fn still_usable(&self) -> Result<(), BoxError> {
        if self.is_usable() { Ok(()) } else { Err(ReadOnly.into()) }
    }

    /// Longest body.
    fn payload(&self) -> usize {
        self.shared.settings.payload
    }

    /// Encodes a request whose id is still zero, and hands the frame on. That is done before the session is locked: encoding takes
    /// longer than all else, and callers on other threads, and the session's task, would wait for it.
    fn encoded<A: EncodeArguments, T>(
        &self,
        two_way: bool,
        request: &Outgoing<'_, A>,
        send: impl FnOnce(&mut BytesMut) -> Result<T, SendError>,
    ) -> Result<T, SendError> {
        let mut frame = FRAME.take();
        let encoded = self.encode(&mut frame, two_way, request);
        let sent = encoded.and_then(|()| send(&mut frame));
        frame.clear();
        if frame.capacity() <= KEEP {
            FRAME.set(frame);
        }
        sent
    }

    fn encode<A: EncodeArguments>(
        &self,
        frame: &mut BytesMut,
        two_way: bool,
        request: &Outgoing<'_, A>,
    ) -> Result<(), SendError> {
        let kind = Kind::Request { two_way };
        let header = Header { kind, event: false, serialization: A::SERIALIZATION.id(), id: 0, length: 0 };
        let Outgoing { plan, arguments, attachments, timeout, .. } = *request;
        let length = arguments
            .write_request(frame, &Request { header, plan, timeout, attachments })
            .map_err(SendError::Encode)?;
        let limit = self.payload();
        if length > limit {
            return Err(SendError::TooLarge(TooLarge { length, limit }));
        }
        Ok(())
    }
}

/// Appends a frame, a long one without a copy.
fn put(out: &mut Out, frame: &mut BytesMut) {
    if frame.len() < KEEP {
        out.extend_from_slice(frame);
    } else {
        out.put_bytes(std::mem::take(frame).freeze());
    }
}

impl From<WriteError> for SendError {
    fn from(error: WriteError) -> Self {
        let error = match error {
            WriteError::Full { .. } => return Self::Congested,
            WriteError::Encode(error) => error,
            _ => return Self::Closed,
        };
        let Err(error) = error.downcast::<ReadOnly>() else { return Self::Closed };
        match error.downcast::<Full>() {
            Ok(full) => Self::Full(*full),
            Err(error) => Self::Encode(error),
        }
    }
}

/// Waits for one answer. Dropped, it gives its slot back and the answer is ignored.
pub(crate) struct Waiter {
    session: Session<ClientProtocol>,
    id: i64,
    /// The answer was taken, and its slot may be another call's by now.
    answered: bool,
}

impl Waiter {
    /// The answer, once.
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<Answer> {
        let answer = self.session.state().pending.poll(self.id, cx);
        self.answered = answer.is_ready();
        answer
    }

    pub(crate) fn channel(&self) -> &Channel {
        self.session.state()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if !self.answered {
            self.channel().pending.cancel(self.id);
        }
        self.channel().close_if_done(&self.session);
    }
}

/// Hears what happens on a client's connections.
#[derive(Debug)]
pub(crate) struct ClientListener;

impl EventListener<ClientProtocol> for ClientListener {
    fn on_message(&self, session: &Session<ClientProtocol>, frame: Frame) {
        let channel = session.state();
        match frame {
            Frame::Whole(header, body) => match header.kind {
                Kind::Response { .. } if header.event => {}
                Kind::Response { .. } => {
                    channel.pending.answered(header, kept(body));
                    channel.close_if_done(session);
                }
                Kind::Request { .. } if header.event => channel.event(session, header, &body),
                Kind::Request { two_way } => refuse(session, header, two_way),
            },
            Frame::TooLarge(header) => match header.kind {
                Kind::Response { .. } => channel.pending.too_large(header),
                Kind::Request { two_way } => refuse(session, header, two_way),
            },
            Frame::TooLong(header) => {
                let cause = format!(
                    "frame {} has a body of {} bytes, too long even to skip",
                    header.id, header.length
                );
                let _ = channel.end.set(End { bad_frame: true, cause });
                session.close();
            }
            Frame::Skipped => {}
        }
    }

    fn on_cron(&self, session: &Session<ClientProtocol>) {
        let channel = session.state();
        let now = Instant::now();
        channel.pending.expire(now, || session.set_cron(Some(channel.beat.interval())));
        channel.close_if_done(session);
        if let Some(cause) = channel.beat.tick(session, now) {
            let _ = channel.end.set(End { bad_frame: false, cause });
        }
    }

    fn on_error(&self, session: &Session<ClientProtocol>, error: &Error) {
        if let Error::Read(error) = error
            && error.is::<FrameError>()
        {
            let _ = session.state().end.set(End { bad_frame: true, cause: error.to_string() });
        }
    }

    fn on_close(&self, session: &Session<ClientProtocol>) {
        let channel = session.state();
        let end = channel.end.get_or_init(|| End {
            bad_frame: false,
            cause: match session.error() {
                Some(error) => error.to_string(),
                None => "the peer closed the connection, or it was closed here".to_owned(),
            },
        });
        channel.pending.lost(session.taken(), end.bad_frame, &end.cause);
    }
}

impl Channel {
    fn event(&self, session: &Session<ClientProtocol>, header: Header, body: &[u8]) {
        if matches!(header.kind, Kind::Request { two_way: true }) {
            respond_heartbeat(session, header, self.payload());
        }
        match serialization::event_text(header.serialization, body).as_deref() {
            Some(READ_ONLY) => self.set_read_only(true),
            Some(WRITEABLE) => self.set_read_only(false),
            _ => {}
        }
    }
}

/// A client serves nothing; a peer that calls it is told so.
fn refuse(session: &Session<ClientProtocol>, header: Header, two_way: bool) {
    if two_way {
        let header = Header { kind: Kind::Response { status: Status::BAD_REQUEST }, ..header };
        let text = "this side of the connection is a client and serves nothing";
        let payload = session.state().payload();
        let serialization = Serialization::of(header.serialization).unwrap_or(Serialization::Hessian2);
        let _ = write_frame(session, payload, |out| {
            serialization::error_answer(out, serialization, header, text)
        });
    }
}

fn kept(body: Bytes) -> Bytes {
    if body.len() < COPY { Bytes::copy_from_slice(&body) } else { body }
}
