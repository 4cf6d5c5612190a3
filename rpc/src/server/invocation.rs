//! One call on its way from the wire to its handler.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use getty_hessian2::Decoder;
use tokio::time::Instant;

use super::{
    dispatcher::{Permit, ServerShared},
    reply::{Reply, Sender},
};
use crate::{
    client::Returned,
    context::Context,
    protocol::Status,
    serialization::{
        DecodeArguments,
        hessian2::{self, RequestAttachments},
    },
    service::{Service, Target},
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
    pub(super) decoder: Decoder<'a, 'a>,
    pub(super) refusal: &'a mut Option<Refusal>,
}

impl Invocation<'_> {
    /// Reads the arguments, runs the handler, and answers. The handler is polled where it stands; only if it has to wait does it
    /// become a task. A panic in it is answered with status 70.
    #[doc(hidden)]
    pub fn serve<A, R, F, H>(mut self, handler: H)
    where
        A: DecodeArguments,
        R: Returned,
        F: Future<Output = R::Output> + Send + 'static,
        H: FnOnce(A) -> F,
    {
        let arguments = match self.arguments::<A>() {
            Ok(arguments) => arguments,
            Err(refusal) => return *self.refusal = Some(refusal),
        };
        let attachments = match self.attachments() {
            Ok(attachments) => attachments,
            Err(refusal) => return *self.refusal = Some(refusal),
        };
        match self.incoming.admitted() {
            Ok(permit) => self.incoming.run::<R, F>(permit, attachments, || handler(arguments)),
            Err(refusal) => *self.refusal = Some(refusal),
        }
    }

    fn arguments<A: DecodeArguments>(&mut self) -> Result<A, Refusal> {
        A::decode_arguments(&mut self.decoder).map_err(|(index, error)| {
            let method = self.service.info().methods.get(self.method);
            let name = method.map(ToString::to_string).unwrap_or_default();
            Refusal::bad_request(format!("{}.{name}: argument {index} cannot be read: {error}", self.target))
        })
    }

    fn attachments(&mut self) -> Result<RequestAttachments, Refusal> {
        if self.decoder.remaining() == 0 {
            return Ok(RequestAttachments::default());
        }
        let attachments = RequestAttachments::read(&mut self.decoder).map_err(|error| {
            Refusal::bad_request(format!("{}: the attachments cannot be read: {error}", self.target))
        })?;
        let group = attachments.group.as_deref().unwrap_or_default();
        if group != self.target.group {
            let asked = if group.is_empty() { "no group".to_owned() } else { format!("group {group}") };
            return Err(Refusal {
                status: Status::SERVICE_ERROR,
                text: format!("Not found exported service: {asked} was asked for, there is {}", self.target),
            });
        }
        Ok(attachments)
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
    pub(super) fn echo(self, body: &[u8], d: &mut Decoder<'_, '_>) -> Result<(), Refusal> {
        let argument = hessian2::skipped(body, d).map_err(|error| {
            Refusal::bad_request(format!("the argument of $echo cannot be read: {error}"))
        })?;
        Reply::new(&self.sender, self.two_way, self.attachments, None).bytes(argument);
        Ok(())
    }

    fn run<R, F>(self, permit: Permit, read: RequestAttachments, handler: impl FnOnce() -> F)
    where
        R: Returned,
        F: Future<Output = R::Output> + Send + 'static,
    {
        let Self { sender, two_way, attachments, received, .. } = self;
        let deadline = read.timeout.and_then(|timeout| received.checked_add(timeout));
        let session = sender.session().clone();
        let context = Context::new(session.peer(), deadline, read.user);
        let handled = caught(context.scope(handler()));
        session.run(handled, move |_, result| {
            let reply = Reply::new(&sender, two_way, attachments, deadline);
            match result {
                Ok(output) => R::reply(output, reply),
                Err(panic) => reply.status(Status::SERVICE_ERROR, &panic),
            }
            drop(permit);
        });
    }
}

/// The future's output, or the text of its panic.
async fn caught<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => {
            let text = panic
                .downcast_ref::<&str>()
                .copied()
                .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
                .unwrap_or("no text");
            tracing::error!(text, "a handler panicked");
            Poll::Ready(Err(format!("the handler panicked: {text}")))
        }
    })
    .await
}
