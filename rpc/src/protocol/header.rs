//! The sixteen bytes in front of every body.

use super::Status;

/// Length of a header in bytes.
pub const HEADER: usize = 16;

/// Where the id stands.
const ID: std::ops::Range<usize> = 4..12;
const MAGIC: [u8; 2] = [0xda, 0xbb];
const REQUEST: u8 = 0x80;
const TWO_WAY: u8 = 0x40;
const EVENT: u8 = 0x20;
const SERIALIZATION: u8 = 0x1f;

/// What stands in front of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Request or answer.
    pub kind: Kind,
    /// Whether it is an event (heartbeat, read-only) rather than a call.
    pub event: bool,
    /// Which serialization wrote the body: 2 is hessian2, 22 protobuf.
    pub serialization: u8,
    /// Chosen by the caller, echoed by the callee. Any number; Java may start at a negative one.
    pub id: i64,
    /// Length of the body in bytes.
    pub length: u32,
}

/// Request or answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request.
    Request {
        /// Whether an answer is wanted.
        two_way: bool,
    },
    /// An answer.
    Response {
        /// How it went.
        status: Status,
    },
}

/// Sixteen bytes that are no header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The first two bytes are others.
    #[error("a Dubbo frame begins with da bb, these bytes begin with {0:02x} {1:02x}")]
    Magic(u8, u8),
    /// The body length is below zero, so nobody knows where the frame ends.
    #[error("frame {id} says that its body has {length} bytes")]
    NegativeLength {
        /// The request id.
        id: i64,
        /// What the header says.
        length: i32,
    },
}

impl Header {
    /// Reads a header.
    ///
    /// # Errors
    /// When these bytes are none.
    pub fn parse(bytes: &[u8; HEADER]) -> Result<Self, HeaderError> {
        let [m0, m1, flags, status, i0, i1, i2, i3, i4, i5, i6, i7, l0, l1, l2, l3] = *bytes;
        if [m0, m1] != MAGIC {
            return Err(HeaderError::Magic(m0, m1));
        }
        let id = i64::from_be_bytes([i0, i1, i2, i3, i4, i5, i6, i7]);
        let length = i32::from_be_bytes([l0, l1, l2, l3]);
        let length = u32::try_from(length).map_err(|_| HeaderError::NegativeLength { id, length })?;
        let kind = if flags & REQUEST != 0 {
            Kind::Request { two_way: flags & TWO_WAY != 0 }
        } else {
            Kind::Response { status: Status(status) }
        };
        Ok(Self { kind, event: flags & EVENT != 0, serialization: flags & SERIALIZATION, id, length })
    }

    /// Gives a frame that is written another id.
    pub(crate) fn set_id(frame: &mut [u8], id: i64) {
        if let Some(place) = frame.get_mut(ID) {
            place.copy_from_slice(&id.to_be_bytes());
        }
    }

    /// Writes it.
    pub fn to_bytes(self) -> [u8; HEADER] {
        let (kind, status) = match self.kind {
            Kind::Request { two_way } => (REQUEST | if two_way { TWO_WAY } else { 0 }, 0),
            Kind::Response { status } => (0, status.0),
        };
        let flags = kind | if self.event { EVENT } else { 0 } | (self.serialization & SERIALIZATION);
        let [i0, i1, i2, i3, i4, i5, i6, i7] = self.id.to_be_bytes();
        let [l0, l1, l2, l3] = self.length.to_be_bytes();
        [MAGIC[0], MAGIC[1], flags, status, i0, i1, i2, i3, i4, i5, i6, i7, l0, l1, l2, l3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_those_that_java_and_go_send() {
        let request = |two_way, event| Header {
            kind: Kind::Request { two_way },
            event,
            serialization: 2,
            id: 1,
            length: 0,
        };
        let response = |event| Header {
            kind: Kind::Response { status: Status::OK },
            event,
            serialization: 2,
            id: 1,
            length: 0,
        };
        let flags = [
            (request(true, false), 0xc2),
            (request(false, false), 0x82),
            (request(true, true), 0xe2),
            (request(false, true), 0xa2),
            (response(false), 0x02),
            (response(true), 0x22),
        ];
        for (header, flag) in flags {
            let bytes = header.to_bytes();
            assert_eq!(bytes[2], flag);
            assert_eq!(Header::parse(&bytes), Ok(header));
        }
    }

    #[test]
    fn a_negative_length_and_a_wrong_magic_are_named() {
        let mut bytes = [0xff; HEADER];
        assert_eq!(Header::parse(&bytes), Err(HeaderError::Magic(0xff, 0xff)));
        bytes[..3].copy_from_slice(&[0xda, 0xbb, 0xc2]);
        assert_eq!(Header::parse(&bytes), Err(HeaderError::NegativeLength { id: -1, length: -1 }));
    }
}
