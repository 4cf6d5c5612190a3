//! The models, and what they share: how a model is run, a protocol of one byte, and a listener that counts. A wire is in
//! [`wire`].

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a model fails by a panic")]

pub mod end;
pub mod out;
pub mod pool;
mod wire;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use bytes::BytesMut;

use crate::{
    BoxError, ConnInfo, Error, EventListener, Full, Limits, Opened, Out, Pool, Protocol, Reader, Session,
    Span, Step, WriteError, Writer,
    endpoint::{Endpoint, EndpointKind},
    observer::Observing,
    session::Driver,
};
use wire::{End, Wire};

/// Orders with more preemptions than this are not looked at: nearly every race shows with two, and each further one multiplies the
/// time. `LOOM_MAX_PREEMPTIONS` in the environment is another number.
const PREEMPTIONS: usize = 2;

/// Operations of one run of a model. A poll of a session's task has many.
const OPERATIONS: usize = 20_000;

/// Runs a model in every order of its threads' operations.
fn check(model: impl Fn() + Send + Sync + 'static) {
    check_with(PREEMPTIONS, model);
}

/// As [`check`], with another number of preemptions.
fn check_with(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    // Sessions make timers, which need a runtime. Nobody drives it, so the clock of a model stands still.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(preemptions);
    builder.max_branches = OPERATIONS;
    let orders = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&orders);
    builder.check(move || {
        seen.fetch_add(1, Ordering::Relaxed);
        model();
    });
    println!("{} orders", orders.load(Ordering::Relaxed));
}

/// A packet is one byte when it is read, and the same byte twice when it is written, so that torn ones show.
#[derive(Debug, Clone, Copy)]
struct Twice;

impl Protocol for Twice {
    type Reader = Self;
    type Writer = Self;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<Self, Self, ()> {
        Opened::new(Self, Self, ())
    }
}

impl Reader for Twice {
    type Packet = u8;

    fn read(&mut self, buf: &mut BytesMut) -> Result<Step<u8>, BoxError> {
        let byte = buf.split_to(1);
        Ok(byte.first().map_or(Step::Need(1), |byte| Step::Packet(*byte)))
    }
}

impl Writer for Twice {
    type Packet = u8;

    fn write(&mut self, packet: u8, out: &mut Out) -> Result<(), BoxError> {
        out.extend_from_slice(&[packet, packet]);
        Ok(())
    }
}

/// The callbacks of one session, in order. A packet is there twice, when its callback begins and when it ends. Behind std's lock: it
/// is no part of what is modelled.
type Calls = Arc<Mutex<Vec<&'static str>>>;

type OnMessage = Box<dyn Fn(&Session<Twice>, u8) + Send + Sync>;

/// Notes each callback. It asserts nothing: its panic would be the end of the session, and not of the model.
struct Listener {
    calls: Calls,
    on_message: OnMessage,
}

impl Listener {
    fn note(&self, call: &'static str) {
        self.calls.lock().unwrap().push(call);
    }
}

impl EventListener<Twice> for Listener {
    fn on_open(&self, _: &Session<Twice>) -> Result<(), BoxError> {
        self.note("open");
        Ok(())
    }

    fn on_message(&self, session: &Session<Twice>, packet: u8) {
        self.note("message");
        (self.on_message)(session, packet);
        self.note("handled");
    }

    fn on_error(&self, _: &Session<Twice>, _: &Error) {
        self.note("error");
    }

    fn on_close(&self, session: &Session<Twice>) {
        self.note(if session.write(9).is_ok() { "written in on_close" } else { "close" });
    }
}

/// A session on a wire, its task not begun.
struct Bench {
    wire: Arc<Wire>,
    session: Session<Twice>,
    calls: Calls,
}

/// The task of a session.
type Task = Driver<Twice, End>;

impl Bench {
    fn new(wire: Wire) -> (Self, Task) {
        Self::with(wire, Limits::default(), Pool::Inline, |_, _| {})
    }

    fn with(
        wire: Wire,
        limits: Limits,
        pool: Pool,
        on_message: impl Fn(&Session<Twice>, u8) + Send + Sync + 'static,
    ) -> (Self, Task) {
        let calls = Calls::default();
        let listener = Listener { calls: Arc::clone(&calls), on_message: Box::new(on_message) };
        let observing = Observing::new(EndpointKind::Server);
        let endpoint = Endpoint::new(Twice, listener, limits, pool, Full::Wait, observing);
        let wire = Arc::new(wire);
        let info = ConnInfo::accepted("wire", None, None);
        let task = Driver::new(&endpoint, End(Arc::clone(&wire)), info, None);
        (Self { wire, session: task.session().clone(), calls }, task)
    }

    /// After its task has ended: the callbacks came in order, `on_close` once and last, and nothing can be written.
    fn assert_closed(&self, messages: usize, errors: usize) {
        let calls = self.calls.lock().unwrap().clone();
        let count = |name| calls.iter().filter(|call| **call == name).count();
        assert_eq!((calls.first(), calls.last()), (Some(&"open"), Some(&"close")), "{calls:?}");
        assert_eq!((count("open"), count("close"), count("error")), (1, 1, errors), "{calls:?}");
        assert_eq!((count("message"), count("handled")), (messages, messages), "{calls:?}");
        assert!(matches!(self.session.write(8), Err(WriteError::Closed)));
    }

    /// What was accepted is on the wire, whole, once and at its place, as far as the wire took it; and nothing else is.
    fn assert_wire_has(&self, written: &[(u8, Result<Span, WriteError>)]) {
        let sent = self.wire.sent();
        assert_eq!(sent.len() as u64, self.session.taken(), "the session counts what has left");
        let mut known = 0;
        for (packet, result) in written {
            let Ok(span) = result else {
                assert!(!sent.contains(packet), "{packet} was refused, and left: {sent:?}");
                continue;
            };
            assert_eq!(span.end - span.start, 2);
            if span.end <= self.session.taken() {
                let at = span.start as usize;
                assert_eq!(sent.get(at..at + 2), Some(&[*packet, *packet][..]), "{sent:?}");
                known += 2;
            } else {
                assert!(span.start >= self.session.taken(), "only a part of {packet} left: {sent:?}");
                assert!(!sent.contains(packet), "{packet} left twice: {sent:?}");
            }
        }
        assert_eq!(sent.len(), known, "only what was written leaves: {sent:?}");
    }
}
