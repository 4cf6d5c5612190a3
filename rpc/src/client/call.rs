//! One call: a builder that is awaited.
//!
//! ```text
//!            a session is there
//!   Start ------------------------> Waiting ---> answer decoded in the caller's task
//!     |  ^                             |
//!     |  |  a session, or room in it   | lost before a byte of it had left
//!     +--+---- Pausing <---------------+
//! ```
//!
//! The usual way allocates nothing but what the values need; only waiting for a connection, or for room, takes a box.

use std::{
    future::{Future, IntoFuture},
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use getty::Session;
use getty_hessian2::{DecodeState, Decoder};
use tokio::time::{Instant, timeout_at};

use super::{Reference, Returned, returned::bad_response};
use crate::{
    attachments::Attachments,
    error::{Error, ErrorKind, Result},
    exchange::{Answer, Channel, ClientProtocol, Failure, Outgoing, SendError, Waiter},
    protocol::{Header, Kind, Status},
    serialization::{
        EncodeArguments,
        hessian2::{self, Outcome},
    },
};

/// How often a call is sent again that surely did not run, because its connection ended before it had left.
const TRIES: u32 = 3;

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
        CallFuture { call: self, deadline: None, tries: 0, stage: Stage::Start }
    }
}

/// A call that is being made.
#[must_use = "futures do nothing unless polled"]
pub struct CallFuture<'r, A, R> {
    call: Call<'r, A, R>,
    deadline: Option<(Duration, Instant)>,
    tries: u32,
    stage: Stage<'r>,
}

enum Stage<'r> {
    Start,
    Pausing(Pin<Box<dyn Future<Output = Result<Session<ClientProtocol>>> + Send + 'r>>),
    Waiting(Waiter),
}

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
            let session = match &mut this.stage {
                Stage::Start => this.call.reference.client().0.try_session(),
                Stage::Pausing(pause) => Some(ready!(pause.as_mut().poll(cx))?),
                Stage::Waiting(waiter) => {
                    let (answer, state) = ready!(waiter.poll(cx));
                    match this.settle(answer, state) {
                        Some(result) => return Poll::Ready(result),
                        None => continue,
                    }
                }
            };
            match session {
                Some(session) => {
                    if let Some(result) = this.send(session) {
                        return Poll::Ready(result);
                    }
                }
                None => this.stage = Stage::Pausing(this.connected()),
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

    /// Sends the request, or finds out that this takes a pause. Some result when the call is over.
    fn send(&mut self, session: Session<ClientProtocol>) -> Option<Result<R::Output>> {
        let (timeout, deadline) = self.deadline();
        let Some((method, plan)) = self.call.reference.method(self.call.method) else {
            return Some(Err(Error::not_run(ErrorKind::BadRequest, "the stub has no such method")));
        };
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
            Ok(None) => return Some(nothing::<R>()),
            Err(SendError::Congested) => self.stage = Stage::Pausing(self.room_in(session)),
            Err(SendError::Closed) if self.again() => self.stage = Stage::Start,
            Err(SendError::Closed) => {
                let text = format!("the connection to {} ended", session.info());
                return Some(Err(Error::not_run(ErrorKind::Connect, text)));
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

    fn again(&mut self) -> bool {
        self.tries += 1;
        self.tries < TRIES
    }

    /// Waits for a session, at most until the deadline.
    fn connected(&mut self) -> Pin<Box<dyn Future<Output = Result<Session<ClientProtocol>>> + Send + 'r>> {
        let client = &self.call.reference.client().0;
        let (timeout, deadline) = self.deadline();
        Box::pin(async move {
            match timeout_at(deadline, client.session()).await {
                Ok(session) => session,
                Err(_) => {
                    let text = format!("no connection within {timeout:?}");
                    Err(Error::not_run(ErrorKind::Timeout, text))
                }
            }
        })
    }

    /// Waits for room in a session's output, at most until the deadline.
    fn room_in(
        &mut self,
        session: Session<ClientProtocol>,
    ) -> Pin<Box<dyn Future<Output = Result<Session<ClientProtocol>>> + Send + 'r>> {
        let (timeout, deadline) = self.deadline();
        Box::pin(async move {
            match timeout_at(deadline, session.ready()).await {
                Ok(_) => Ok(session),
                Err(_) => {
                    let text = format!("{} took nothing for {timeout:?}", session.info());
                    Err(Error::not_run(ErrorKind::Timeout, text))
                }
            }
        })
    }

    /// What an answer comes to; none when the call is to be sent again.
    fn settle(&mut self, answer: Answer, mut state: DecodeState) -> Option<Result<R::Output>> {
        let stage = std::mem::replace(&mut self.stage, Stage::Start);
        let Stage::Waiting(waiter) = stage else { return None };
        let result = match answer {
            Answer::Response(header, body) => read::<R>(waiter.channel(), header, &body, &mut state),
            Answer::TooLarge(header) => {
                let text = format!("it has {} bytes, more than the client's payload limit", header.length);
                Err(Error::may_have_run(ErrorKind::BadResponse, text))
            }
            Answer::Failed(Failure::Lost { not_run: true, .. }) if self.again() => return None,
            Answer::Failed(failure) => Err(self.failed(failure)),
        };
        waiter.give_back(state);
        Some(result)
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
                    false if self.call.reference.client().0.is_closed() => ErrorKind::Closed,
                    false => ErrorKind::ConnectionLost,
                };
                if not_run { Error::not_run(kind, cause) } else { Error::may_have_run(kind, cause) }
            }
        }
    }
}

/// What a method without an answer gives.
fn nothing<R: Returned>() -> Result<R::Output> {
    null::<R>()
}

fn null<R: Returned>() -> Result<R::Output> {
    let mut state = DecodeState::new();
    R::value(&mut Decoder::new(b"N", &mut state))
}

fn read<R: Returned>(
    channel: &Channel,
    header: Header,
    body: &Bytes,
    state: &mut DecodeState,
) -> Result<R::Output> {
    let Kind::Response { status } = header.kind else {
        return Err(Error::may_have_run(ErrorKind::BadResponse, "a request came instead of an answer"));
    };
    let readable = header.serialization == hessian2::ID;
    let mut d = Decoder::new(body, state);
    if status != Status::OK {
        let text = if readable { hessian2::error_text(&mut d) } else { None };
        return Err(Error::status(status, text));
    }
    if !readable {
        let text =
            format!("it is in serialization {}, the request was in {}", header.serialization, hessian2::ID);
        return Err(Error::may_have_run(ErrorKind::BadResponse, text));
    }
    let (outcome, attachments) = hessian2::outcome(&mut d).map_err(bad_response)?;
    let result = match outcome {
        Outcome::Null => null::<R>(),
        Outcome::Value => R::value(&mut d),
        Outcome::Exception => R::exception(&mut d),
    };
    // Where the result is broken nobody knows where the attachments begin.
    let whole = !matches!(&result, Err(error) if matches!(error.kind(), ErrorKind::BadResponse));
    if attachments && whole && hessian2::closing(&mut d).map_err(bad_response)? {
        channel.set_read_only(true);
    }
    result
}
