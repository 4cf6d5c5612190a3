//! One call on its way from the wire to its handler.

use std::{
    any::Any,
    future::Future,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{self, Poll, ready},
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
    pub fn serve<A, R, F, H>(self, handler: H)
    where
        A: DecodeArguments,
        R: Returned,
        F: Future<Output = R::Output> + Send + 'static,
        H: FnOnce(A) -> F,
    {
        let mut arguments = None;
        let Some((running, context)) = self.begin(&mut arguments) else { return };
        // What was read is there.
        let Some(arguments) = arguments else { return };
        let handler = Some(Box::pin(handler(arguments)));
        let handling = Handling::<R, _> { handler, context, running, late: None, returned: PhantomData };
        handling.running.session().run(handling, |_, ()| {});
    }

    /// As [`serve`](Self::serve), for a handler that blocks: it runs on a thread for such work. A panic in it is answered with
    /// status 70. When its caller stops waiting before it has begun, it does not run; once it has, nothing can stop it, and its
    /// place among the running calls is taken until it ends.
    #[doc(hidden)]
    pub fn serve_blocking<A, R, H>(self, handler: H)
    where
        A: DecodeArguments + Send + 'static,
        R: Returned<Output: Send>,
        H: FnOnce(A) -> R::Output + Send + 'static,
    {
        let mut arguments = None;
        let Some((running, context)) = self.begin(&mut arguments) else { return };
        // What was read is there.
        let Some(arguments) = arguments else { return };
        let deadline = running.deadline;
        let handler = spawn_blocking(move || match deadline {
            Some(deadline) if deadline <= Instant::now() => Handled::Late,
            _ => catch_unwind(AssertUnwindSafe(|| context.scope(|| handler(arguments))))
                .map_or_else(Handled::Panicked, Handled::Output),
        });
        // Only the end of the runtime takes a handler away before it has begun, and then there is nobody to be answered.
        let handled = async move { handler.await.unwrap_or(Handled::Late) };
        running.session().run(handled, move |_, handled| match handled {
            Handled::Output(output) => running.answer::<R>(&output),
            Handled::Panicked(panic) => running.panicked(&*panic),
            Handled::Late => running.late(),
        });
    }

    /// Reads all that is in the request, and takes a place for the call; or notes why it is refused.
    fn begin<A: DecodeArguments>(mut self, arguments: &mut Option<A>) -> Option<(Running, Context)> {
        let read = self.arguments(arguments);
        match read.and_then(|()| Ok((self.attachments()?, self.incoming.admitted()?))) {
            Ok((attachments, permit)) => Some(self.incoming.begin(permit, attachments)),
            Err(refusal) => {
                *self.refusal = Some(refusal);
                None
            }
        }
    }

    fn arguments<A: DecodeArguments>(&mut self, arguments: &mut Option<A>) -> Result<(), Refusal> {
        let read = catch_unwind(AssertUnwindSafe(|| A::decode_arguments(&mut self.body, arguments)));
        let call = || {
            let method = self.service.info().methods.get(self.method);
            format!("{}.{}", self.target, method.map(ToString::to_string).unwrap_or_default())
        };
        match read {
            Ok(read) => read.map_err(|error| Refusal::bad_request(format!("{}: {error}", call()))),
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

    fn reply(&self) -> Reply<'_> {
        Reply::new(&self.sender, self.two_way, self.attachments, self.deadline)
    }

    fn answer<R: Returned>(&self, output: &R::Output) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.reply().output::<R>(output))) {
            let text = format!("encoding the result panicked: {}", text_of(&*panic));
            self.reply().status(Status::BAD_RESPONSE, &text);
        }
    }

    fn panicked(&self, panic: &(dyn Any + Send)) {
        let text = text_of(panic);
        tracing::error!(text, "a handler panicked");
        self.reply().status(Status::SERVICE_ERROR, &format!("the handler panicked: {text}"));
    }

    fn late(&self) {
        self.reply().late();
    }
}

/// How a handler on a thread ended.
enum Handled<T> {
    Output(T),
    Panicked(Box<dyn Any + Send>),
    /// Its caller has stopped waiting. It was dropped.
    Late,
}

/// Runs a handler to its end or to its deadline, and answers. An async block would hold the handler, and with it the request, twice:
/// once as what it has captured and once where it is pinned. What the handler gives is answered from where it is put: it may be
/// large too.
struct Handling<R, F> {
    /// Until it has ended.
    handler: Option<Pin<Box<F>>>,
    context: Context,
    running: Running,
    /// Made only for a handler that has to wait.
    late: Option<Pin<Box<Sleep>>>,
    returned: PhantomData<fn() -> R>,
}

impl<R: Returned, F: Future<Output = R::Output>> Future for Handling<R, F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<()> {
        let Self { handler, context, running, late, .. } = self.get_mut();
        let Some(future) = handler else { return Poll::Ready(()) };
        let mut output = Poll::Pending;
        let polled = catch_unwind(AssertUnwindSafe(|| {
            context.clone().scope(|| output = future.as_mut().poll(cx));
        }));
        if let Err(panic) = polled {
            running.panicked(&*panic);
        } else if let Poll::Ready(output) = &output {
            running.answer::<R>(output);
        } else {
            let Some(deadline) = running.deadline else { return Poll::Pending };
            ready!(late.get_or_insert_with(|| Box::pin(sleep_until(deadline))).as_mut().poll(cx));
            running.late();
            return Poll::Ready(());
        }
        *handler = None;
        Poll::Ready(())
    }
}

impl<R, F> Drop for Handling<R, F> {
    /// What a handler that is not at its end drops may ask whose call it was. There is no asking on a thread that is at its own end.
    fn drop(&mut self) {
        if let Some(handler) = self.handler.take() {
            let context = self.context.clone();
            let _ = catch_unwind(AssertUnwindSafe(|| context.scope(|| drop(handler))));
        }
    }
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}
