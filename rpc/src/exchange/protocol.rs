//! What both sides of a Dubbo connection do alike: the bounds of a session, whole frames as packets, heartbeats answered.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use getty::{BoxError, Flush, Limits, Out, Protocol, Session, Span, WriteError, Writer};

use super::heartbeat::Heartbeat;
use crate::{
    protocol::{HEADER, Header, Kind, Status},
    serialization,
};

/// Bounds of a session that carries bodies of at most `payload` bytes and looks after its heartbeat. Calls that run are counted by
/// the server, which answers those that are too many; the session must go on decoding for that.
pub(crate) fn limits(payload: usize, heartbeat: Duration) -> Limits {
    Limits::default()
        .max_packet(payload.saturating_add(HEADER))
        .cron(Some(Heartbeat::interval(heartbeat)))
        .runs(usize::MAX)
}

/// Takes frames that are whole already. Frames are encoded in place, so this is for the few that are not.
#[derive(Debug)]
pub(crate) struct FrameWriter;

impl Writer for FrameWriter {
    type Packet = Bytes;

    fn write(&mut self, frame: Bytes, out: &mut Out) -> Result<(), BoxError> {
        out.put_bytes(frame);
        Ok(())
    }
}

/// A body over the payload limit. Nothing of it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Data length too large: {length}, max payload: {limit}")]
pub(crate) struct TooLarge {
    pub(crate) length: usize,
    pub(crate) limit: usize,
}

/// Appends one frame to a session's output. `encode` says the length of the body that it wrote; when it fails, or the body is
/// over the limit, nothing is written.
pub(crate) fn write_frame<P: Protocol>(
    session: &Session<P>,
    payload: usize,
    encode: impl FnOnce(&mut BytesMut) -> Result<usize, BoxError>,
) -> Result<Span, WriteError> {
    session
        .write_with(Flush::Auto, |out| {
            let length = encode(out.tail_mut())?;
            if length > payload {
                return Err(TooLarge { length, limit: payload }.into());
            }
            Ok(())
        })
        .map(|(span, ())| span)
}

/// Answers a heartbeat, or whatever else asks for an answer to an event: status OK, a null body (an empty one in protobuf), the
/// same id and serialization.
pub(crate) fn respond_heartbeat<P: Protocol>(session: &Session<P>, request: Header, payload: usize) {
    let header = Header { kind: Kind::Response { status: Status::OK }, event: true, ..request };
    // A peer whose socket takes nothing any more learns nothing from an error either.
    let _ = write_frame(session, payload, |out| serialization::event(out, header, None));
}
