//! Owns the frame of mode `echo`: 600 bytes, a Dubbo header of 16 bytes and a body that nobody decodes. Does no I/O.
//!
//! ```text
//! 0      2      3        4            12             16                600
//! | dabb | flag | status | request id | body length  | body            |
//! ```

use bytes::BufMut;
use thiserror::Error;

/// Bytes of one frame.
pub(crate) const FRAME: usize = 600;
/// The longest frame that an echoing server takes: what its buffer holds.
pub(crate) const LONGEST: usize = 64 * 1024;

const HEADER: usize = 16;
const ID: std::ops::Range<usize> = 4..12;
const TEMPLATE: [u8; FRAME] = template();

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

/// Appends the frame with this request id.
pub(crate) fn put(out: &mut impl BufMut, id: u64) {
    out.put_slice(&TEMPLATE[..ID.start]);
    out.put_slice(&id.to_be_bytes());
    out.put_slice(&TEMPLATE[ID.end..]);
}

/// Bytes of the frame at the front of `buf`, or `None` while the header is not whole.
pub(crate) fn length(buf: &[u8]) -> Result<Option<usize>, FrameError> {
    let Some(&[magic0, magic1, _, _, _, _, _, _, _, _, _, _, a, b, c, d]) = buf.first_chunk::<HEADER>()
    else {
        return Ok(None);
    };
    if [magic0, magic1] != TEMPLATE[..2] {
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

/// Whether `frame` is what [`put`] made for `id`, byte for byte.
pub(crate) fn is_echo(frame: &[u8], id: u64) -> bool {
    frame.len() == FRAME
        && frame.starts_with(&TEMPLATE[..ID.start])
        && frame.get(ID) == Some(&id.to_be_bytes()[..])
        && frame.ends_with(&TEMPLATE[ID.end..])
}

const fn template() -> [u8; FRAME] {
    let mut frame = [b'.'; FRAME];
    let length = ((FRAME - HEADER) as u32).to_be_bytes();
    // A two-way request in hessian2, status unset.
    let start = [0xda, 0xbb, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, length[0], length[1], length[2], length[3]];
    let mut at = 0;
    while at < HEADER {
        frame[at] = start[at];
        at += 1;
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(ids: std::ops::Range<u64>) -> Vec<u8> {
        let mut out = Vec::new();
        ids.for_each(|id| put(&mut out, id));
        out
    }

    #[test]
    fn a_frame_is_600_bytes_and_says_so() {
        let frame = frames(7..8);
        assert_eq!(frame.len(), FRAME);
        assert_eq!(length(&frame), Ok(Some(FRAME)));
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
        assert!(is_echo(&frame, 7));
        assert!(!is_echo(&frame, 8));
        assert!(!is_echo(&frame[..FRAME - 1], 7));
        for at in 0..FRAME {
            let mut bent = frame.clone();
            bent[at] ^= 1;
            assert!(!is_echo(&bent, 7), "byte {at}");
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
