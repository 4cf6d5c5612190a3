//! Cuts a stream of bytes into frames.
//!
//! ```text
//!            length <= payload                     whole
//!   header ------------------------> waits for it -------> Frame::Whole
//!      |     length >  payload, worth skipping
//!      +---------------------------> Frame::TooLarge, then Frame::Skipped until its end
//!      |     too long even to skip
//!      +---------------------------> Frame::TooLong, then FrameError
//!      |     no header, or length < 0
//!      +---------------------------> FrameError, the session ends
//! ```

use bytes::{Buf, Bytes, BytesMut};
use getty::{BoxError, Reader, Step};

use super::{HEADER, Header, HeaderError};

/// A body over the limit is read and thrown away up to so many times the limit; beyond that the connection is not worth it.
const SKIP: usize = 16;

/// One frame, or part of one that is too large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A header and its whole body.
    Whole(Header, Bytes),
    /// A header whose body is over the limit. The body will be skipped.
    TooLarge(Header),
    /// A header whose body is so long that it is not even skipped. Nothing behind it can be read, so the connection is to end.
    TooLong(Header),
    /// Bytes of a body that is skipped.
    Skipped,
}

/// Why the input is no sequence of frames. Nobody knows where the next frame begins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The header is none.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The body is so long that it is not even skipped.
    #[error("frame {id} has a body of {length} bytes, more than {limit} are not even skipped")]
    TooLong {
        /// The request id.
        id: i64,
        /// Length of the body.
        length: u32,
        /// What would still be skipped.
        limit: usize,
    },
}

/// The Reader of both sides of a Dubbo connection.
#[derive(Debug)]
pub struct FrameReader {
    payload: usize,
    skipping: usize,
    /// What the next read ends with.
    hopeless: Option<FrameError>,
}

impl FrameReader {
    /// For bodies of at most so many bytes.
    pub fn new(payload: usize) -> Self {
        Self { payload, skipping: 0, hopeless: None }
    }

    /// In pieces that are no longer than a frame may be.
    fn skip(&mut self, buf: &mut BytesMut) -> Frame {
        let count = self.skipping.min(buf.len()).min(self.payload.saturating_add(HEADER));
        buf.advance(count);
        self.skipping -= count;
        Frame::Skipped
    }

    /// As [`Reader::read`], with an error of its own.
    ///
    /// # Errors
    /// When what stands at the front is no frame.
    pub fn next(&mut self, buf: &mut BytesMut) -> Result<Step<Frame>, FrameError> {
        if let Some(error) = self.hopeless.clone() {
            return Err(error);
        }
        if self.skipping > 0 && !buf.is_empty() {
            return Ok(Step::Packet(self.skip(buf)));
        }
        let Some(header) = buf.first_chunk::<HEADER>() else {
            return Ok(Step::Need(HEADER - buf.len()));
        };
        let header = Header::parse(header)?;
        let length = usize::try_from(header.length).unwrap_or(usize::MAX);
        if length > self.payload {
            buf.advance(HEADER);
            let limit = self.payload.saturating_mul(SKIP);
            if length > limit {
                self.hopeless = Some(FrameError::TooLong { id: header.id, length: header.length, limit });
                return Ok(Step::Packet(Frame::TooLong(header)));
            }
            self.skipping = length;
            return Ok(Step::Packet(Frame::TooLarge(header)));
        }
        let missing = HEADER.saturating_add(length).saturating_sub(buf.len());
        if missing > 0 {
            return Ok(Step::Need(missing));
        }
        buf.advance(HEADER);
        Ok(Step::Packet(Frame::Whole(header, buf.split_to(length).freeze())))
    }
}

impl Reader for FrameReader {
    type Packet = Frame;

    fn read(&mut self, buf: &mut BytesMut) -> Result<Step<Frame>, BoxError> {
        Ok(self.next(buf)?)
    }
}
