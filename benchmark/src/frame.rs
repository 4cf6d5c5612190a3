//! Owns the frame of mode `echo`: a Dubbo header of 16 bytes and a body that nobody decodes. Does no I/O.
//!
//! ```text
//! 0      2      3        4            12             16                 600, or what was asked for
//! | dabb | flag | status | request id | body length  | body            |
//! ```

use bytes::BufMut;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The longest frame that an echoing server takes: what its buffer holds.
pub(crate) const LONGEST: usize = 64 * 1024;

const HEADER: usize = 16;
/// A two-way request in hessian2, status unset.
const START: [u8; 4] = [0xda, 0xbb, 0xc2, 0];
static BODY: [u8; LONGEST - HEADER] = [b'.'; LONGEST - HEADER];

/// Bytes of a frame, header included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(usize);

/// The peer sent bytes that are no frames.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum FrameError {
    /// The first two bytes are not Dubbo's.
    #[error("expected a frame that begins with da bb, got {0:02x} {1:02x}")]
    Magic(u8, u8),
    /// The length in the header is over the limit.
    #[error("expected a frame of at most {LONGEST} bytes, the header announces {0}")]
    TooLong(u64),
}

impl Size {
    /// Where nothing else is asked for.
    pub(crate) const USUAL: Self = Self(600);
    /// A header alone.
    pub(crate) const SMALLEST: Self = Self(HEADER);
    /// A good deal, and less than a read.
    pub(crate) const PAGE: Self = Self(4 * 1024);
    /// As long as a server takes it.
    pub(crate) const LONGEST: Self = Self(LONGEST);

    pub(crate) fn bytes(self) -> usize {
        self.0
    }

    /// Appends the frame with this request id.
    pub(crate) fn put(self, out: &mut impl BufMut, id: u64) {
        out.put_slice(&self.header(id));
        out.put_slice(self.body());
    }

    /// So many frames, with ids from 0 on.
    pub(crate) fn frames(self, count: u64) -> Vec<u8> {
        let mut frames = Vec::new();
        (0..count).for_each(|id| self.put(&mut frames, id));
        frames
    }

    /// Whether `frame` is what [`put`](Self::put) made for `id`, byte for byte.
    pub(crate) fn is_echo(self, frame: &[u8], id: u64) -> bool {
        frame
            .split_first_chunk()
            .is_some_and(|(header, body)| *header == self.header(id) && body == self.body())
    }

    fn header(self, id: u64) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        let (start, rest) = header.split_at_mut(START.len());
        let (own, length) = rest.split_at_mut(size_of::<u64>());
        start.copy_from_slice(&START);
        own.copy_from_slice(&id.to_be_bytes());
        length.copy_from_slice(&(self.body().len() as u32).to_be_bytes());
        header
    }

    fn body(self) -> &'static [u8] {
        BODY.get(..self.0 - HEADER).unwrap_or(&BODY)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(bytes) if (HEADER..=LONGEST).contains(&bytes) => Ok(Self(bytes)),
            _ => Err(format!("expected from {HEADER} to {LONGEST} bytes a frame, got {text:?}")),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Bytes of the frame at the front of `buf`, or `None` while the header is not whole.
pub(crate) fn length(buf: &[u8]) -> Result<Option<usize>, FrameError> {
    let Some(&[magic0, magic1, _, _, _, _, _, _, _, _, _, _, a, b, c, d]) = buf.first_chunk::<HEADER>()
    else {
        return Ok(None);
    };
    if [magic0, magic1] != START[..2] {
        return Err(FrameError::Magic(magic0, magic1));
    }
    let total = u64::from(u32::from_be_bytes([a, b, c, d])) + HEADER as u64;
    match usize::try_from(total) {
        Ok(total) if total <= LONGEST => Ok(Some(total)),
        _ => Err(FrameError::TooLong(total)),
    }
}

/// The whole frames at the front of `buf`, and how many they are.
pub(crate) fn whole(buf: &[u8]) -> Result<(&[u8], u64), FrameError> {
    let (mut rest, mut frames) = (buf, 0);
    while let Some(length) = length(rest)?
        && let Some((_, after)) = rest.split_at_checked(length)
    {
        rest = after;
        frames += 1;
    }
    let (whole, _) = buf.split_at(buf.len() - rest.len());
    Ok((whole, frames))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: usize = Size::USUAL.0;

    fn frames(ids: std::ops::Range<u64>) -> Vec<u8> {
        let mut out = Vec::new();
        ids.for_each(|id| Size::USUAL.put(&mut out, id));
        out
    }

    #[test]
    fn a_frame_is_600_bytes_and_says_so() {
        let frame = frames(7..8);
        assert_eq!(frame.len(), 600);
        assert_eq!(length(&frame), Ok(Some(600)));
    }

    #[test]
    fn a_frame_is_as_long_as_was_asked_for_and_no_other_is_its_echo() {
        for text in ["16", "17", "915", "65536"] {
            let size: Size = text.parse().unwrap();
            let mut frame = Vec::new();
            size.put(&mut frame, 7);
            assert_eq!((frame.len().to_string(), length(&frame)), (text.to_owned(), Ok(Some(size.bytes()))));
            assert!(size.is_echo(&frame, 7) && !Size(601).is_echo(&frame, 7));
        }
        for text in ["", "15", "65537", "-1", "x"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn whole_frames_are_taken_at_every_cut() {
        let three = frames(0..3);
        for cut in 0..=three.len() {
            let (taken, count) = whole(&three[..cut]).unwrap();
            assert_eq!((taken.len(), count), (cut / FRAME * FRAME, (cut / FRAME) as u64));
        }
    }

    #[test]
    fn only_the_same_bytes_with_the_same_id_are_an_echo() {
        let frame = frames(7..8);
        assert!(Size::USUAL.is_echo(&frame, 7));
        assert!(!Size::USUAL.is_echo(&frame, 8));
        assert!(!Size::USUAL.is_echo(&frame[..FRAME - 1], 7));
        for at in 0..FRAME {
            let mut bent = frame.clone();
            bent[at] ^= 1;
            assert!(!Size::USUAL.is_echo(&bent, 7), "byte {at}");
        }
    }

    #[test]
    fn foreign_bytes_and_endless_frames_are_refused() {
        assert_eq!(length(b"GET / HTTP/1.1\r\n"), Err(FrameError::Magic(b'G', b'E')));
        let mut frame = frames(0..1);
        frame[12..16].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(length(&frame), Err(FrameError::TooLong(u64::from(u32::MAX) + 16)));
    }
}
