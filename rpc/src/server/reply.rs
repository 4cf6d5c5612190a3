//! Writes the answer to one call, unless its caller has stopped waiting.

use std::sync::Arc;

use bytes::BytesMut;
use getty::{BoxError, Session, WriteError};
use tokio::time::Instant;

use super::dispatcher::{ServerProtocol, ServerShared};
use crate::{
    exchange::{TooLarge, write_frame},
    protocol::{Header, Kind, Status},
    serialization::{self, Returned, Serialization, Trailer},
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

    /// The id is the request's.
    fn answer(&self, status: Status, serialization: Serialization) -> Header {
        let serialization = serialization.id();
        Header { kind: Kind::Response { status }, event: false, serialization, ..self.request }
    }

    pub(super) fn status(&self, status: Status, text: &str) {
        self.write(|out| self.error(out, status, text));
    }

    /// In the serialization of the request, or in hessian2 where that is not known.
    fn error(&self, out: &mut BytesMut, status: Status, text: &str) -> Result<usize, BoxError> {
        let serialization = Serialization::of(self.request.serialization).unwrap_or(Serialization::Hessian2);
        serialization::error_answer(out, serialization, self.answer(status, serialization), text)
    }

    /// Writes an answer; one that cannot be written is replaced by one that says so.
    fn write(&self, encode: impl FnOnce(&mut BytesMut) -> Result<usize, BoxError>) {
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
        let _ = write_frame(&self.session, self.shared.payload, |out| self.error(out, status, &text));
    }
}

/// The answer to one call.
pub(super) struct Reply<'a> {
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

    /// Answers with what a method gave.
    pub(super) fn output<R: Returned>(self, output: &R::Output) {
        self.answer(R::SERIALIZATION, |out, header, trailer| R::write(output, out, header, trailer));
    }

    /// Answers with a value that is encoded already.
    pub(super) fn echo(self, serialization: Serialization, value: &[u8]) {
        self.answer(serialization, |out, header, trailer| {
            serialization::bytes_answer(out, serialization, header, trailer, value)
        });
    }

    fn answer(
        self,
        serialization: Serialization,
        encode: impl FnOnce(&mut BytesMut, Header, Trailer) -> Result<usize, BoxError>,
    ) {
        if self.is_awaited() {
            let (header, trailer) = (self.sender.answer(Status::OK, serialization), self.trailer());
            self.sender.write(|out| encode(out, header, trailer));
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
