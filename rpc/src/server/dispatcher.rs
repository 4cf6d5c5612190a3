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
use getty_hessian2::DecodeState;
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};

use super::{
    Invocation,
    invocation::{Incoming, Refusal},
    recent::{Recent, Route},
    registry::{Offer, Services, find_method},
    reply::Sender,
};
use crate::{
    exchange::{Beat, DecodeStates, FrameWriter, limits, respond_heartbeat, write_frame},
    java,
    protocol::{Frame, FrameReader, Header, Kind, READ_ONLY, Status, takes_attachments},
    serialization::{self, BodyReader, Head, Serialization, hessian2},
    service::{Method, Target},
};

/// Answered by every provider with its own argument.
const ECHO: &str = "$echo";
/// Id of the heartbeat that follows the read-only event; those that look after a silent peer have others.
const KNOWS: i64 = i64::MIN;
/// How long a peer has to answer it. One that answers no heartbeats holds up the shutdown so long.
const KNOWS_WAIT: Duration = Duration::from_secs(3);

/// What all connections of a server share.
pub(crate) struct ServerShared {
    services: Services,
    pub(super) payload: usize,
    heartbeat: Duration,
    limit: usize,
    running: AtomicUsize,
    draining: AtomicBool,
    /// Peers that have not shown yet that they know of the shutdown.
    unaware: AtomicUsize,
    /// The last running call has ended, or the last peer knows.
    changed: Notify,
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
            draining: AtomicBool::new(false),
            unaware: AtomicUsize::new(0),
            changed: Notify::new(),
            sessions: Mutex::default(),
        }
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<u64, Session<ServerProtocol>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Tells all callers to send nothing more, and from now on each that connects.
    pub(super) fn announce(&self) {
        self.draining.store(true, Ordering::Relaxed);
        let all: Vec<_> = self.sessions().values().cloned().collect();
        for session in all {
            self.say_read_only(&session);
        }
    }

    /// Waits for the calls in flight, those included that were sent before the caller knew.
    /// Takes at least the `notice`, in which late calls are served too, and at most `wait`.
    pub(super) async fn drain(&self, wait: Duration, notice: Duration) {
        let done = async {
            sleep(notice).await;
            let _ = timeout(KNOWS_WAIT, self.until_none(&self.unaware)).await;
            self.until_none(&self.running).await;
        };
        if timeout(wait, done).await.is_err() {
            let running = self.running.load(Ordering::Acquire);
            tracing::warn!(running, ?wait, "calls are still running, closing all the same");
        }
    }

    async fn until_none(&self, count: &AtomicUsize) {
        loop {
            let changed = self.changed.notified();
            if count.load(Ordering::Acquire) == 0 {
                return;
            }
            changed.await;
        }
    }

    /// Says that nothing further is to be sent, and asks for a sign of life behind it: once that comes, everything has come that the
    /// peer had sent before it knew.
    fn say_read_only(&self, session: &Session<ServerProtocol>) {
        if !session.state().unaware.swap(true, Ordering::AcqRel) {
            self.unaware.fetch_add(1, Ordering::AcqRel);
        }
        let written = [(0, false, Some(READ_ONLY)), (KNOWS, true, None)].map(|(id, two_way, text)| {
            let kind = Kind::Request { two_way };
            let header = Header { kind, event: true, serialization: hessian2::ID, id, length: 0 };
            write_frame(session, self.payload, |out| serialization::event(out, header, text))
        });
        if written.iter().any(Result::is_err) {
            self.is_aware(session);
        }
    }

    /// The peer knows of the shutdown, or has gone.
    fn is_aware(&self, session: &Session<ServerProtocol>) {
        if session.state().unaware.swap(false, Ordering::AcqRel)
            && self.unaware.fetch_sub(1, Ordering::AcqRel) == 1
        {
            self.changed.notify_waiters();
        }
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
            self.0.changed.notify_waiters();
        }
    }
}

/// A Dubbo connection, seen from the server.
pub(crate) struct ServerProtocol(pub(super) Arc<ServerShared>);

/// The state of one connection.
pub(crate) struct Connection {
    beat: Beat,
    /// The peer was told of the shutdown and has not answered yet.
    unaware: AtomicBool,
    states: DecodeStates,
    pub(super) recent: Recent,
}

impl Protocol for ServerProtocol {
    type Reader = FrameReader;
    type Writer = FrameWriter;
    type State = Connection;

    fn open(&self, _: &ConnInfo) -> Opened<FrameReader, FrameWriter, Connection> {
        let beat = Beat::new(self.0.heartbeat, Instant::now());
        let connection = Connection {
            beat,
            unaware: AtomicBool::new(false),
            states: DecodeStates::default(),
            recent: Recent::default(),
        };
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
                Kind::Response { .. } if header.event && header.id == KNOWS => self.0.is_aware(session),
                Kind::Response { .. } => {}
            },
            Frame::TooLarge(header) => self.too_large(session, header),
            Frame::TooLong(header) => {
                self.too_large(session, header);
                session.close();
            }
            Frame::Skipped => {}
        }
    }

    fn on_cron(&self, session: &Session<ServerProtocol>) {
        // Whether it ends is all the same to a server: on_close tells.
        let _ = session.state().beat.tick(session, Instant::now());
    }

    fn on_close(&self, session: &Session<ServerProtocol>) {
        self.0.sessions().remove(&session.id());
        self.0.is_aware(session);
    }
}

impl Dispatcher {
    fn too_large(&self, session: &Session<ServerProtocol>, header: Header) {
        if let Kind::Request { two_way: true } = header.kind {
            let text = format!("Data length too large: {}, max payload: {}", header.length, self.0.payload);
            Sender::new(session, &self.0, header).status(Status::BAD_REQUEST, &text);
        }
    }

    fn request(&self, session: &Session<ServerProtocol>, header: Header, two_way: bool, body: &Bytes) {
        let sender = Sender::new(session, &self.0, header);
        let dispatched = session
            .state()
            .states
            .lend(header.serialization, |state| self.dispatch(sender.clone(), body, state, two_way));
        if let Err(Refusal { status, text }) = dispatched {
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
        let id = sender.header().serialization;
        let serialization =
            Serialization::of(id).ok_or_else(|| Refusal::bad_request(Serialization::unknown(id)))?;
        let received = Instant::now();
        let recent = &sender.session().state().recent;
        let known = recent.route(serialization, body);
        let mut body = BodyReader::new(serialization, body, state);
        if let Some((length, Route { service, method, attachments })) = known
            && let Some(offer) = self.0.services.get(service)
        {
            body.skip_head(length);
            let incoming = Incoming { sender, two_way, attachments, received, shared: &self.0 };
            return invoke(incoming, offer, method, body);
        }
        let whole = body.rest();
        let head = body
            .head()
            .map_err(|error| Refusal::bad_request(format!("the request's head cannot be read: {error}")))?;
        let length = whole.len() - body.rest().len();
        let attachments = takes_attachments(&head.protocol);
        let (offer, is_only) = self.find_service(&head, &mut body)?;
        if head.method == ECHO {
            let incoming = Incoming { sender, two_way, attachments, received, shared: &self.0 };
            return incoming.echo(&mut body);
        }
        let method = find_method(offer.service.info().methods, &head.method, &head.descriptor)
            .map_err(|text| Refusal::bad_request(format!("{}: {text}", offer.target)))?;
        if is_only && let Some(head) = whole.get(..length) {
            let route = Route { service: offer.index, method, attachments };
            sender.session().state().recent.learn_route(serialization, head, route);
        }
        let incoming = Incoming { sender, two_way, attachments, received, shared: &self.0 };
        invoke(incoming, offer, method, body)
    }

    /// The service that a request is for, and whether its head alone says so. Only where several groups offer it must the arguments
    /// be skipped to find the group.
    fn find_service<'s>(
        &'s self,
        head: &Head<'_>,
        body: &mut BodyReader<'_>,
    ) -> Result<(Offer<'s>, bool), Refusal> {
        let mut candidates = self.0.services.candidates(&head.path, &head.version);
        let mut all = candidates.clone();
        let asked = |group: Option<String>| Target {
            interface: head.path.to_string(),
            version: head.version.to_string(),
            group: group.unwrap_or_default(),
        };
        match (candidates.next(), candidates.next()) {
            (None, _) => Err(Refusal::bad_request(self.0.services.no_service(&asked(None)))),
            (Some(only), None) => Ok((only, true)),
            (Some(first), Some(_)) => {
                let count = arguments(first.service.info().methods, head);
                let group = body
                    .group_behind(count)
                    .map_err(|error| Refusal::bad_request(format!("the request cannot be read: {error}")))?
                    .unwrap_or_default();
                all.find(|offer| offer.target.group == group)
                    .map(|offer| (offer, false))
                    .ok_or_else(|| Refusal::bad_request(self.0.services.no_service(&asked(Some(group)))))
            }
        }
    }
}

/// Hands a call over to its service.
fn invoke(
    incoming: Incoming<'_>,
    offer: Offer<'_>,
    method: usize,
    body: BodyReader<'_>,
) -> Result<(), Refusal> {
    let Offer { target, service, .. } = offer;
    let mut refusal = None;
    service.invoke(method, Invocation { incoming, target, service, method, body, refusal: &mut refusal });
    refusal.map_or(Ok(()), Err)
}

/// How many arguments a request has.
fn arguments(methods: &[Method], head: &Head<'_>) -> usize {
    let method =
        find_method(methods, &head.method, &head.descriptor).ok().and_then(|index| methods.get(index));
    match method {
        Some(method) => method.parameters,
        None => java::parameters(&head.descriptor).map_or(0, |parameters| parameters.len()),
    }
}
