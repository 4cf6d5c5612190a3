//! One call: a builder that is awaited.
//!
//! ```text
//!            a provider is chosen, a session is there
//!   Start ---------------------------------------------> Waiting ---> answer decoded in the caller's task
//!    ^  |                                                   |
//!    |  | no list yet, no session yet, no room in it        | failed, and another provider may be asked
//!    +--+---- Pausing                                       |
//!    +------------------------------------------------------+
//! ```
//!
//! The usual way allocates nothing but what the values need; only waiting for a connection, or for room, takes a box.

use std::{
    future::{Future, IntoFuture},
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use getty::Session;
use tokio::time::{Instant, timeout_at};

use super::Reference;
use crate::{
    attachments::Attachments,
    cluster::Invoker,
    error::{Error, ErrorKind, Result},
    exchange::{Answer, Channel, ClientProtocol, Failure, Outgoing, SendError, Waiter},
    protocol::{Header, Kind, Status},
    serialization::{self, AnswerBody, EncodeArguments, Returned, Serialization},
};

/// A call that is not made yet: await it. Dropped while it waits, it is cancelled: its answer is ignored, and whether it runs
/// is up to the provider.
#[must_use = "a call is made only when it is awaited"]
#[derive(Debug)]
pub struct Call<'r, A, R> {
    reference: &'r Reference,
    method: usize,
    arguments: A,
    timeout: Option<Duration>,
    attachments: Attachments,
    returned: PhantomData<fn() -> R>,
}

impl<'r, A: EncodeArguments, R: Returned> Call<'r, A, R> {
    pub(super) fn new(reference: &'r Reference, method: usize, arguments: A) -> Self {
        Self {
            reference,
            method,
            arguments,
            timeout: None,
            attachments: Attachments::new(),
            returned: PhantomData,
        }
    }

    /// How long this call waits for its answer. The provider learns of it.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Adds an attachment, which the service can read.
    pub fn attach(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attachments.set(name, value);
        self
    }
}

impl<'r, A: EncodeArguments, R: Returned> IntoFuture for Call<'r, A, R> {
    type Output = Result<R::Output>;
    type IntoFuture = CallFuture<'r, A, R>;

    fn into_future(self) -> CallFuture<'r, A, R> {
        CallFuture {
            call: self,
            deadline: None,
            retries: 0,
            asked: None,
            tried: Vec::new(),
            stage: Stage::Start,
        }
    }
}

/// A call that is being made.
#[must_use = "futures do nothing unless polled"]
pub struct CallFuture<'r, A, R> {
    call: Call<'r, A, R>,
    deadline: Option<(Duration, Instant)>,
    retries: u32,
    /// The provider that is asked.
    asked: Option<Arc<Invoker>>,
    /// Those that were asked before.
    tried: Vec<Arc<Invoker>>,
    stage: Stage<'r>,
}

enum Stage<'r> {
    Start,
    Pausing(Pause<'r>),
    Waiting(Waiter),
}

/// Gives a session to send on, or nothing when a provider is to be chosen again.
type Pause<'r> = Pin<Box<dyn Future<Output = Result<Option<Session<ClientProtocol>>>> + Send + 'r>>;

// Nothing in it is ever pinned: the box of a pause is pinned by itself.
impl<A, R> Unpin for CallFuture<'_, A, R> {}

impl<A, R> std::fmt::Debug for CallFuture<'_, A, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallFuture").field("target", self.call.reference.target()).finish_non_exhaustive()
    }
}

impl<'r, A: EncodeArguments, R: Returned> Future for CallFuture<'r, A, R> {
    type Output = Result<R::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            let step = match &mut this.stage {
                Stage::Start => this.choose(),
                Stage::Pausing(pause) => match ready!(pause.as_mut().poll(cx)) {
                    Ok(Some(session)) => this.send(session),
                    Ok(None) => {
                        this.stage = Stage::Start;
                        None
                    }
                    Err(error) => Some(Err(error)),
                },
                Stage::Waiting(waiter) => {
                    let answer = ready!(waiter.poll(cx));
                    this.settle(answer)
                }
            };
            match step {
                Some(Err(error)) if this.goes_elsewhere(&error) => this.stage = Stage::Start,
                Some(result) => return Poll::Ready(result),
                None => {}
            }
        }
    }
}

impl<'r, A: EncodeArguments, R: Returned> CallFuture<'r, A, R> {
    fn deadline(&mut self) -> (Duration, Instant) {
        let reference = self.call.reference;
        let (timeout, method) = (self.call.timeout, self.call.method);
        *self.deadline.get_or_insert_with(|| {
            let default =
                || reference.method(method).map_or(Duration::ZERO, |(method, _)| reference.timeout(method));
            let timeout = timeout.unwrap_or_else(default);
            let now = Instant::now();
            // A timeout beyond what the clock can hold is a year.
            let deadline = now.checked_add(timeout).unwrap_or(now + Duration::from_secs(365 * 24 * 3600));
            (timeout, deadline)
        })
    }

    /// Chooses a provider and sends the request there if it can be sent at once.
    fn choose(&mut self) -> Option<Result<R::Output>> {
        let directory = self.call.reference.directory();
        let Some(invoker) = directory.choose(&self.tried) else {
            let directory = Arc::clone(directory);
            self.stage = self.pause(async move { directory.known().await.map(|()| None) });
            return None;
        };
        let invoker = self.asked.insert(invoker);
        match invoker.try_session() {
            Some(session) => self.send(session),
            None => {
                let (directory, invoker) = (Arc::clone(directory), Arc::clone(invoker));
                self.stage = self.pause(async move {
                    let session = Arc::clone(&invoker).session().await;
                    session.map(Some).map_err(|error| directory.unreachable(&invoker, error))
                });
                None
            }
        }
    }

    /// Whether a failed call is sent to another provider, which the next choice then finds.
    fn goes_elsewhere(&mut self, error: &Error) -> bool {
        let reference = self.call.reference;
        if reference.client().0.is_closed() {
            return false;
        }
        let method = reference.method(self.call.method);
        let may_repeat = error.surely_not_run() || method.is_some_and(|(method, _)| method.idempotent);
        let others = reference.directory().has_others(&self.tried, self.asked.as_ref());
        let retries = reference.cluster().retries();
        let (again, counts) = match error.kind() {
            // It never left, so to choose another provider repeats nothing. Each is asked once.
            ErrorKind::Connect | ErrorKind::ConnectionLost | ErrorKind::BadFrame
                if error.surely_not_run() && others =>
            {
                (true, false)
            }
            // The same one will do, if there is no other: its next connection.
            ErrorKind::ConnectionLost | ErrorKind::BadFrame => (may_repeat && self.retries < retries, true),
            // One other is asked without retries too. More would be a storm where all are busy.
            ErrorKind::Status(Status::SERVER_THREADPOOL_EXHAUSTED) => {
                (may_repeat && others && self.retries < retries.max(1), true)
            }
            _ => (false, false),
        };
        if again {
            self.retries += u32::from(counts);
            self.tried.extend(self.asked.take());
        }
        again
    }

    /// Waits, at most until the deadline.
    fn pause(
        &mut self,
        wait: impl Future<Output = Result<Option<Session<ClientProtocol>>>> + Send + 'r,
    ) -> Stage<'r> {
        let (timeout, deadline) = self.deadline();
        Stage::Pausing(Box::pin(async move {
            match timeout_at(deadline, wait).await {
                Ok(result) => result,
                Err(_) => {
                    let text = format!("no connection to send it on within {timeout:?}");
                    Err(Error::not_run(ErrorKind::Timeout, text))
                }
            }
        }))
    }

    /// Sends the request, or finds out that this takes a pause. Some result when the call is over.
    fn send(&mut self, session: Session<ClientProtocol>) -> Option<Result<R::Output>> {
        let (timeout, deadline) = self.deadline();
        let Some((method, plan)) = self.call.reference.method(self.call.method) else {
            return Some(Err(Error::not_run(ErrorKind::BadRequest, "the stub has no such method")));
        };
        if plan.serialization() != A::SERIALIZATION {
            let text = format!(
                "the service is in {}, the stub's arguments in {}",
                plan.serialization(),
                A::SERIALIZATION
            );
            return Some(Err(Error::not_run(ErrorKind::BadRequest, text)));
        }
        let request = Outgoing {
            plan,
            arguments: &self.call.arguments,
            attachments: &self.call.attachments,
            timeout,
            deadline,
        };
        let sent = if method.oneway {
            Channel::send_oneway(&session, &request).map(|()| None)
        } else {
            Channel::send(&session, &request).map(Some)
        };
        match sent {
            Ok(Some(waiter)) => self.stage = Stage::Waiting(waiter),
            Ok(None) => return Some(R::nothing()),
            Err(SendError::Congested) => {
                let ready = async move { session.ready().await.map(|()| session) };
                // One that ended meanwhile says so when the request is sent on it.
                self.stage = self.pause(async move { Ok(ready.await.ok()) });
            }
            Err(SendError::Closed) => {
                let text = format!("the connection to {} ended", session.info());
                return Some(Err(Error::not_run(self.lost(), text)));
            }
            Err(SendError::Full(full)) => {
                return Some(Err(Error::not_run(ErrorKind::Busy, full.to_string())));
            }
            Err(SendError::TooLarge(error)) => {
                return Some(Err(Error::not_run(ErrorKind::BadRequest, error.to_string())));
            }
            Err(SendError::Encode(error)) => {
                return Some(Err(Error::not_run(ErrorKind::BadRequest, error.to_string()).caused_by(error)));
            }
        }
        None
    }

    /// What an answer comes to.
    fn settle(&mut self, answer: Answer) -> Option<Result<R::Output>> {
        let stage = std::mem::replace(&mut self.stage, Stage::Start);
        let Stage::Waiting(waiter) = stage else { return None };
        Some(match answer {
            Answer::Response(header, body) => read::<R>(waiter.channel(), header, &body),
            Answer::TooLarge(header) => {
                let text = format!("it has {} bytes, more than the client's payload limit", header.length);
                Err(Error::may_have_run(ErrorKind::BadResponse, text))
            }
            Answer::Failed(failure) => Err(self.failed(failure)),
        })
    }

    fn failed(&mut self, failure: Failure) -> Error {
        match failure {
            Failure::Timeout => {
                let (timeout, _) = self.deadline();
                let what = self.call.reference.method(self.call.method).map_or("", |(method, _)| method.name);
                let text =
                    format!("no answer from {}.{what} within {timeout:?}", self.call.reference.target());
                Error::may_have_run(ErrorKind::Timeout, text)
            }
            Failure::Lost { not_run, bad_frame, cause } => {
                let kind = match bad_frame {
                    true => ErrorKind::BadFrame,
                    false => self.lost(),
                };
                if not_run { Error::not_run(kind, cause) } else { Error::may_have_run(kind, cause) }
            }
        }
    }
}

impl<A, R> CallFuture<'_, A, R> {
    /// What it means that the connection ended.
    fn lost(&self) -> ErrorKind {
        match self.call.reference.client().0.is_closed() {
            true => ErrorKind::Closed,
            false => ErrorKind::ConnectionLost,
        }
    }
}

fn read<R: Returned>(channel: &Channel, header: Header, body: &Bytes) -> Result<R::Output> {
    let Kind::Response { status } = header.kind else {
        return Err(Error::may_have_run(ErrorKind::BadResponse, "a request came instead of an answer"));
    };
    if status != Status::OK {
        let text = channel
            .states()
            .lend(header.serialization, |state| serialization::error_text(header.serialization, body, state));
        return Err(Error::status(status, text));
    }
    if Serialization::of(header.serialization) != Some(R::SERIALIZATION) {
        let text = format!(
            "it is in serialization {}, the request was in {}",
            header.serialization,
            R::SERIALIZATION.id()
        );
        return Err(Error::may_have_run(ErrorKind::BadResponse, text));
    }
    channel.states().lend(header.serialization, |state| {
        let mut answer = AnswerBody::new(body, state);
        let result = R::read(&mut answer);
        if answer.is_closing() {
            channel.set_read_only(true);
        }
        result
    })
}
