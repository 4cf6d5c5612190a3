//! Writes the answer to one call, unless its caller has stopped waiting.

use std::sync::Arc;

use bytes::BytesMut;
use getty::{Session, WriteError};
use getty_hessian2::{Encode, Exception};
use tokio::time::Instant;

use super::dispatcher::{ServerProtocol, ServerShared};
use crate::{
    exchange::{TooLarge, write_frame},
    protocol::{Header, Kind, Status},
    serialization::hessian2::{self, Trailer},
};

/// Where the answer to one request goes.
#[derive(Clone)]
pub(super) struct Sender {
    session: Session<ServerProtocol>,
    shared: Arc<ServerShared>,
    request: Header,
}

impl Sender {
    pub(super) fn new(
        session: &Session<ServerProtocol>,
        shared: &Arc<ServerShared>,
        request: Header,
    ) -> Self {
        Self { session: session.clone(), shared: Arc::clone(shared), request }
    }

    pub(super) fn header(&self) -> Header {
        self.request
    }

    pub(super) fn session(&self) -> &Session<ServerProtocol> {
        &self.session
    }

    /// The id is the request's, and the serialization is that of all answers.
    fn answer(&self, status: Status) -> Header {
        Header { kind: Kind::Response { status }, event: false, serialization: hessian2::ID, ..self.request }
    }

    pub(super) fn status(&self, status: Status, text: &str) {
        let header = self.answer(status);
        self.write(|out| hessian2::error_answer(out, header, text));
    }

    /// Writes an answer; one that cannot be written is replaced by one that says so.
    fn write(&self, encode: impl FnOnce(&mut BytesMut) -> getty_hessian2::Result<usize>) {
        let (status, text) = match write_frame(&self.session, self.shared.payload, encode) {
            Ok(_) => return,
            Err(WriteError::Encode(error)) if error.is::<TooLarge>() => {
                (Status::SERIALIZATION_ERROR, error.to_string())
            }
            Err(WriteError::Encode(error)) => {
                (Status::BAD_RESPONSE, format!("the result cannot be encoded: {error}"))
            }
            Err(error) => {
                tracing::debug!(peer = ?self.session.peer(), id = self.request.id, %error, "an answer was dropped");
                // A caller whose answers pile up does not read them; it would wait for this one for ever.
                return self.session.close();
            }
        };
        tracing::warn!(peer = ?self.session.peer(), id = self.request.id, text, "an answer was replaced");
        let header = self.answer(status);
        let _ =
            write_frame(&self.session, self.shared.payload, |out| hessian2::error_answer(out, header, &text));
    }
}

/// The answer to one call.
pub struct Reply<'a> {
    sender: &'a Sender,
    two_way: bool,
    attachments: bool,
    deadline: Option<Instant>,
}

impl<'a> Reply<'a> {
    pub(super) fn new(
        sender: &'a Sender,
        two_way: bool,
        attachments: bool,
        deadline: Option<Instant>,
    ) -> Self {
        Self { sender, two_way, attachments, deadline }
    }

    /// Answers with a value.
    pub fn value<T: Encode + ?Sized>(self, value: &T) {
        if self.is_awaited() {
            let (header, trailer) = (self.sender.answer(Status::OK), self.trailer());
            self.sender.write(|out| hessian2::value_answer(out, header, trailer, value));
        }
    }

    /// Answers with a value that is encoded already.
    pub(super) fn bytes(self, value: &[u8]) {
        if self.is_awaited() {
            let (header, trailer) = (self.sender.answer(Status::OK), self.trailer());
            self.sender.write(|out| hessian2::bytes_answer(out, header, trailer, value));
        }
    }

    /// Answers with an exception.
    pub fn exception<E: Exception>(self, exception: &E) {
        if self.is_awaited() {
            let (header, trailer) = (self.sender.answer(Status::OK), self.trailer());
            self.sender.write(|out| hessian2::exception_answer(out, header, trailer, exception));
        }
    }

    pub(super) fn status(self, status: Status, text: &str) {
        if self.is_awaited() {
            self.sender.status(status, text);
        }
    }

    /// A late answer is not sent: dubbo-go closes the connection on one.
    fn is_awaited(&self) -> bool {
        let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if late {
            self.late();
        }
        self.two_way && !late
    }

    pub(super) fn late(&self) {
        let (peer, id) = (self.sender.session.peer(), self.sender.request.id);
        tracing::debug!(?peer, id, "the caller stopped waiting before the answer was there");
    }

    fn trailer(&self) -> Trailer {
        Trailer { attachments: self.attachments, closing: self.sender.shared.is_draining() }
    }
}

impl std::fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply")
            .field("two_way", &self.two_way)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
