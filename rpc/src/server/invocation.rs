//! One call on its way from the wire to its handler.

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{self, Poll},
};

use getty::Session;
use tokio::{
    task::spawn_blocking,
    time::{Instant, Sleep, sleep_until},
};

use super::{
    dispatcher::{Permit, ServerProtocol, ServerShared},
    reply::{Reply, Sender},
};
use crate::{
    context::Context,
    protocol::Status,
    serialization::{BodyReader, DecodeArguments, RequestAttachments, Returned, Serialization},
    service::{Service, Target, is_same_or_both_empty},
};

/// What is known of a request before its arguments are read.
pub(super) struct Incoming<'a> {
    pub(super) sender: Sender,
    pub(super) two_way: bool,
    pub(super) attachments: bool,
    pub(super) received: Instant,
    pub(super) shared: &'a Arc<ServerShared>,
}

/// Why a request is not carried out.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: Status,
    pub(super) text: String,
}

impl Refusal {
    pub(super) fn bad_request(text: String) -> Self {
        Self { status: Status::BAD_REQUEST, text }
    }
}

/// One call. [`serve`](Self::serve) reads its arguments, runs its handler and writes its answer.
pub struct Invocation<'a> {
    pub(super) incoming: Incoming<'a>,
    pub(super) target: &'a Target,
    pub(super) service: &'a Arc<dyn Service>,
    pub(super) method: usize,
    pub(super) body: BodyReader<'a>,
    pub(super) refusal: &'a mut Option<Refusal>,
}

impl Invocation<'_> {
    /// How the arguments are written, and how the answer is to be.
    #[doc(hidden)]
    pub fn serialization(&self) -> Serialization {
        self.body.serialization()
    }

    /// Reads the arguments, runs the handler, and answers. The handler is polled where it stands; only if it has to wait does it
    /// become a task. A panic in it is answered with status 70; when its caller stops waiting it is dropped.
    #[doc(hidden)]
    pub fn serve<A, R, F, H>(mut self, handler: H)
    where
        A: DecodeArguments,
        R: Returned,
        F: Future<Output = R::Output> + Send + 'static,
        H: FnOnce(A) -> F,
    {
        let (arguments, attachments, permit) = match self.read::<A>() {
            Ok(read) => read,
            Err(refusal) => return *self.refusal = Some(refusal),
        };
        let (running, context) = self.incoming.begin(permit, attachments);
        let handler = Box::pin(context.scope(handler(arguments)));
        let handling = Handling { handler, deadline: running.deadline, late: None };
        running.session().run(handling, |_, handled| running.answer::<R>(handled));
    }

    /// As [`serve`](Self::serve), for a handler that blocks: it runs on a thread for such work. A panic in it is answered with
    /// status 70. When its caller stops waiting before it has begun, it does not run; once it has, nothing can stop it, and its
    /// place among the running calls is taken until it ends.
    #[doc(hidden)]
    pub fn serve_blocking<A, R, H>(mut self, handler: H)
    where
        A: DecodeArguments + Send + 'static,
        R: Returned<Output: Send>,
        H: FnOnce(A) -> R::Output + Send + 'static,
    {
        let (arguments, attachments, permit) = match self.read::<A>() {
            Ok(read) => read,
            Err(refusal) => return *self.refusal = Some(refusal),
        };
        let (running, context) = self.incoming.begin(permit, attachments);
        let deadline = running.deadline;
        let handler = spawn_blocking(move || match deadline {
            Some(deadline) if deadline <= Instant::now() => Handled::Late,
            _ => catch_unwind(AssertUnwindSafe(|| context.sync_scope(|| handler(arguments))))
                .map_or_else(|panic| Handled::Panicked(text_of(&*panic).to_owned()), Handled::Output),
        });
        // Only the end of the runtime takes a handler away before it has begun, and then there is nobody to be answered.
        let handled = async move { handler.await.unwrap_or(Handled::Late) };
        running.session().run(handled, |_, handled| running.answer::<R>(handled));
    }

    /// All that is in the request, and a place for the call.
    fn read<A: DecodeArguments>(&mut self) -> Result<(A, RequestAttachments, Permit), Refusal> {
        let arguments = self.arguments()?;
        let attachments = self.attachments()?;
        Ok((arguments, attachments, self.incoming.admitted()?))
    }

    fn arguments<A: DecodeArguments>(&mut self) -> Result<A, Refusal> {
        let read = catch_unwind(AssertUnwindSafe(|| A::decode_arguments(&mut self.body)));
        let call = || {
            let method = self.service.info().methods.get(self.method);
            format!("{}.{}", self.target, method.map(ToString::to_string).unwrap_or_default())
        };
        match read {
            Ok(arguments) => arguments.map_err(|error| Refusal::bad_request(format!("{}: {error}", call()))),
            Err(panic) => {
                let text = format!("{}: reading the arguments panicked: {}", call(), text_of(&*panic));
                Err(Refusal { status: Status::SERVICE_ERROR, text })
            }
        }
    }

    fn attachments(&mut self) -> Result<RequestAttachments, Refusal> {
        let attachments = self.known_attachments()?;
        let group = attachments.group.as_deref().unwrap_or_default();
        if !is_same_or_both_empty(group, &self.target.group) {
            let asked = if group.is_empty() { "no group".to_owned() } else { format!("group {group}") };
            // Java says 70 here, which leaves open whether the call ran; for a wrong version it says 40 too.
            let text = format!("Not found exported service: {asked} was asked for, there is {}", self.target);
            return Err(Refusal::bad_request(text));
        }
        Ok(attachments)
    }

    /// Reads the attachments, unless they are those of the request before.
    fn known_attachments(&mut self) -> Result<RequestAttachments, Refusal> {
        let recent = &self.incoming.sender.session().state().recent;
        let (serialization, bytes) = (self.body.serialization(), self.body.rest());
        if let Some(timeout) = recent.timeout(serialization, bytes) {
            return Ok(RequestAttachments { timeout, ..RequestAttachments::default() });
        }
        let read = self.body.attachments().map_err(|error| {
            Refusal::bad_request(format!("{}: the attachments cannot be read: {error}", self.target))
        })?;
        if read.group.is_none() && read.user.is_empty() && !read.varies {
            recent.learn_timeout(serialization, bytes, read.timeout);
        }
        Ok(read)
    }
}

impl std::fmt::Debug for Invocation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invocation")
            .field("target", self.target)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Incoming<'_> {
    fn admitted(&self) -> Result<Permit, Refusal> {
        self.shared.admit().ok_or_else(|| Refusal {
            status: Status::SERVER_THREADPOOL_EXHAUSTED,
            text: "thread pool is exhausted: this server runs as many calls as it may".to_owned(),
        })
    }

    /// `$echo` gives its argument back.
    pub(super) fn echo(self, body: &mut BodyReader<'_>) -> Result<(), Refusal> {
        let argument = body.skipped().map_err(|error| {
            Refusal::bad_request(format!("the argument of $echo cannot be read: {error}"))
        })?;
        Reply::new(&self.sender, self.two_way, self.attachments, None).echo(body.serialization(), argument);
        Ok(())
    }

    fn begin(self, permit: Permit, read: RequestAttachments) -> (Running, Context) {
        let Self { sender, two_way, attachments, received, .. } = self;
        // Nobody waits for a one-way call, so its timeout means nothing.
        let timeout = read.timeout.filter(|_| two_way);
        let deadline = timeout.and_then(|timeout| received.checked_add(timeout));
        let context = Context::new(sender.session().peer(), deadline, read.user);
        (Running { sender, two_way, attachments, deadline, _permit: permit }, context)
    }
}

/// A call whose handler runs.
struct Running {
    sender: Sender,
    two_way: bool,
    attachments: bool,
    deadline: Option<Instant>,
    /// Its place among the running calls.
    _permit: Permit,
}

impl Running {
    fn session(&self) -> Session<ServerProtocol> {
        self.sender.session().clone()
    }

    fn answer<R: Returned>(self, handled: Handled<R::Output>) {
        let reply = || Reply::new(&self.sender, self.two_way, self.attachments, self.deadline);
        match handled {
            Handled::Output(output) => {
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| reply().output::<R>(output))) {
                    let text = format!("encoding the result panicked: {}", text_of(&*panic));
                    reply().status(Status::BAD_RESPONSE, &text);
                }
            }
            Handled::Panicked(text) => {
                tracing::error!(text, "a handler panicked");
                reply().status(Status::SERVICE_ERROR, &format!("the handler panicked: {text}"));
            }
            Handled::Late => reply().late(),
        }
    }
}

/// How a handler ended.
enum Handled<T> {
    Output(T),
    Panicked(String),
    /// Its caller has stopped waiting. It was dropped.
    Late,
}

/// Runs a handler to its end or to its deadline. An async block would hold the handler, and with it the request, twice: once as
/// what it has captured and once where it is pinned.
struct Handling<F> {
    handler: Pin<Box<F>>,
    deadline: Option<Instant>,
    /// Made only for a handler that has to wait.
    late: Option<Pin<Box<Sleep>>>,
}

impl<F: Future> Future for Handling<F> {
    type Output = Handled<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let Self { handler, deadline, late } = self.get_mut();
        match catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(cx))) {
            Ok(Poll::Ready(output)) => Poll::Ready(Handled::Output(output)),
            Ok(Poll::Pending) => {
                let Some(deadline) = *deadline else { return Poll::Pending };
                let late = late.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
                late.as_mut().poll(cx).map(|()| Handled::Late)
            }
            Err(panic) => Poll::Ready(Handled::Panicked(text_of(&*panic).to_owned())),
        }
    }
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}
