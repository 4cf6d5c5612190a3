//! The server's side of a connection: takes requests apart, finds the method, and hands the call over.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use getty::{BoxError, ConnInfo, EventListener, Opened, Protocol, Session};
use getty_hessian2::{DecodeState, Decoder};
use tokio::{sync::Notify, time::Instant};

use super::{
    Invocation,
    invocation::{Incoming, Refusal},
    registry::{Services, find_method},
    reply::Sender,
};
use crate::{
    exchange::{Beat, FrameWriter, limits, respond_heartbeat, write_frame},
    protocol::{Frame, FrameReader, Header, Kind, READ_ONLY, Status, takes_attachments},
    serialization::hessian2::{self, Head, RequestAttachments},
    service::{Service, Target},
};

/// Answered by every provider with its own argument.
const ECHO: &str = "$echo";

/// What all connections of a server share.
pub(crate) struct ServerShared {
    services: Services,
    pub(super) payload: usize,
    heartbeat: Duration,
    limit: usize,
    running: AtomicUsize,
    idle: Notify,
    draining: AtomicBool,
    sessions: Mutex<HashMap<u64, Session<ServerProtocol>>>,
}

impl ServerShared {
    pub(super) fn new(services: Services, payload: usize, heartbeat: Duration, limit: usize) -> Self {
        Self {
            services,
            payload,
            heartbeat,
            limit,
            running: AtomicUsize::new(0),
            idle: Notify::new(),
            draining: AtomicBool::new(false),
            sessions: Mutex::default(),
        }
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<u64, Session<ServerProtocol>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Tells all callers to send nothing more, and waits for the calls in flight.
    pub(super) async fn drain(&self, wait: Duration) {
        self.draining.store(true, Ordering::Relaxed);
        let all: Vec<_> = self.sessions().values().cloned().collect();
        for session in all {
            self.say_read_only(&session);
        }
        let done = async {
            loop {
                let idle = self.idle.notified();
                if self.running.load(Ordering::Acquire) == 0 {
                    return;
                }
                idle.await;
            }
        };
        if tokio::time::timeout(wait, done).await.is_err() {
            let running = self.running.load(Ordering::Acquire);
            tracing::warn!(running, ?wait, "calls are still running, closing all the same");
        }
    }

    fn say_read_only(&self, session: &Session<ServerProtocol>) {
        let kind = Kind::Request { two_way: false };
        let header = Header { kind, event: true, serialization: hessian2::ID, id: 0, length: 0 };
        let _ = write_frame(session, self.payload, |out| hessian2::event(out, header, Some(READ_ONLY)));
    }

    /// Counts a call in, if there is room for it.
    pub(super) fn admit(self: &Arc<Self>) -> Option<Permit> {
        let before = self.running.fetch_add(1, Ordering::AcqRel);
        let permit = Permit(Arc::clone(self));
        (before < self.limit).then_some(permit)
    }
}

/// One running call. Dropped, however the call ends, it makes room for another.
pub(super) struct Permit(Arc<ServerShared>);

impl Drop for Permit {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

/// A Dubbo connection, seen from the server.
pub(crate) struct ServerProtocol(pub(super) Arc<ServerShared>);

/// The state of one connection.
pub(crate) struct Connection {
    beat: Beat,
    /// Used by one request after the other; it keeps the class definitions of this peer, and of no other.
    decode: Mutex<DecodeState>,
}

impl Protocol for ServerProtocol {
    type Reader = FrameReader;
    type Writer = FrameWriter;
    type State = Connection;

    fn open(&self, _: &ConnInfo) -> Opened<FrameReader, FrameWriter, Connection> {
        let beat = Beat::new(self.0.heartbeat, Instant::now());
        let connection = Connection { beat, decode: Mutex::default() };
        let mut opened = Opened::new(FrameReader::new(self.0.payload), FrameWriter, connection);
        opened.limits = Some(limits(self.0.payload, self.0.heartbeat));
        opened
    }
}

/// Hears what happens on a server's connections.
pub(super) struct Dispatcher(pub(super) Arc<ServerShared>);

impl EventListener<ServerProtocol> for Dispatcher {
    fn on_open(&self, session: &Session<ServerProtocol>) -> Result<(), BoxError> {
        self.0.sessions().insert(session.id(), session.clone());
        if self.0.is_draining() {
            self.0.say_read_only(session);
        }
        Ok(())
    }

    fn on_message(&self, session: &Session<ServerProtocol>, frame: Frame) {
        match frame {
            Frame::Whole(header, body) => match header.kind {
                Kind::Request { two_way } if header.event => {
                    if two_way {
                        respond_heartbeat(session, header, self.0.payload);
                    }
                }
                Kind::Request { two_way } => self.request(session, header, two_way, &body),
                // Answers to heartbeats; a server asks for nothing else.
                Kind::Response { .. } => {}
            },
            Frame::TooLarge(header) => {
                if let Kind::Request { two_way: true } = header.kind {
                    let text =
                        format!("Data length too large: {}, max payload: {}", header.length, self.0.payload);
                    Sender::new(session, &self.0, header).status(Status::BAD_REQUEST, &text);
                }
            }
            Frame::Skipped => {}
        }
    }

    fn on_cron(&self, session: &Session<ServerProtocol>) {
        session.state().beat.tick(session, Instant::now());
    }

    fn on_close(&self, session: &Session<ServerProtocol>) {
        self.0.sessions().remove(&session.id());
    }
}

impl Dispatcher {
    fn request(&self, session: &Session<ServerProtocol>, header: Header, two_way: bool, body: &Bytes) {
        let mut state = session.state().decode.lock().unwrap_or_else(PoisonError::into_inner);
        state.reset();
        let sender = Sender::new(session, &self.0, header);
        if let Err(Refusal { status, text }) = self.dispatch(sender.clone(), body, &mut state, two_way) {
            tracing::debug!(peer = ?session.peer(), %status, text, "refused a request");
            if two_way {
                sender.status(status, &text);
            }
        }
    }

    fn dispatch(
        &self,
        sender: Sender,
        body: &Bytes,
        state: &mut DecodeState,
        two_way: bool,
    ) -> Result<(), Refusal> {
        if sender.header().serialization != hessian2::ID {
            let id = sender.header().serialization;
            return Err(Refusal::bad_request(format!(
                "serialization {id} is not known here, 2 (hessian2) is"
            )));
        }
        let received = Instant::now();
        let mut d = Decoder::new(body, state);
        let head = Head::read(&mut d)
            .map_err(|error| Refusal::bad_request(format!("the request's head cannot be read: {error}")))?;
        let incoming = Incoming {
            sender,
            two_way,
            attachments: takes_attachments(&head.protocol),
            received,
            shared: &self.0,
        };
        let (target, service) = self.find_service(&head, &mut d)?;
        if head.method == ECHO {
            return incoming.echo(body, &mut d);
        }
        let method = find_method(service.info().methods, &head.method, &head.descriptor)
            .map_err(|text| Refusal::bad_request(format!("{target}: {text}")))?;
        let refusal = &mut None;
        service.invoke(method, Invocation { incoming, target, service, method, decoder: d, refusal });
        refusal.take().map_or(Ok(()), Err)
    }

    /// The service that a request is for. Only where several groups offer it must the arguments be skipped to find the group.
    fn find_service<'s>(
        &'s self,
        head: &Head<'_>,
        d: &mut Decoder<'_, '_>,
    ) -> Result<(&'s Target, &'s Arc<dyn Service>), Refusal> {
        let mut candidates = self.0.services.candidates(&head.path, &head.version);
        let all = candidates.clone();
        let asked = |group: Option<String>| Target {
            interface: head.path.to_string(),
            version: head.version.to_string(),
            group: group.unwrap_or_default(),
        };
        match (candidates.next(), candidates.next()) {
            (None, _) => Err(Refusal::bad_request(self.0.services.no_service(&asked(None)))),
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) => {
                let arguments = d.mark();
                let group = self.group_behind(head, d);
                d.rewind(arguments);
                let group = group?.unwrap_or_default();
                all.clone()
                    .find(|(target, _)| target.group == group)
                    .ok_or_else(|| Refusal::bad_request(self.0.services.no_service(&asked(Some(group)))))
            }
        }
    }

    fn group_behind(&self, head: &Head<'_>, d: &mut Decoder<'_, '_>) -> Result<Option<String>, Refusal> {
        let unreadable = |error| Refusal::bad_request(format!("the request cannot be read: {error}"));
        for _ in crate::java::parameters(&head.descriptor).unwrap_or_default() {
            d.skip().map_err(unreadable)?;
        }
        Ok(RequestAttachments::read(d).map_err(unreadable)?.group)
    }
}
