//! Lines of UTF-8 text, ended by `\n` or `\r\n`.

use bytes::BytesMut;

use super::{ConnInfo, Opened, Protocol, Reader, Step, Writer};
use crate::{BoxError, Out};

/// A line a packet, without its end. Written lines get `\n`.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    scanned: usize,
}

/// What cannot be a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// The input is no UTF-8.
    #[error("a line of UTF-8 text was expected, it breaks off after {valid} bytes")]
    NotUtf8 {
        /// Bytes that were right.
        valid: usize,
    },
    /// A line to be written holds a line end, so it would arrive as two.
    #[error("a line may not hold a line end; split it and write each line by itself")]
    LineEnd,
}

impl Protocol for Lines {
    type Reader = Self;
    type Writer = Self;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<Self, Self, ()> {
        Opened::new(Self::default(), Self::default(), ())
    }
}

impl Reader for Lines {
    type Packet = String;

    fn read(&mut self, buf: &mut BytesMut) -> Result<Step<String>, BoxError> {
        let fresh = buf.get(self.scanned..).unwrap_or_default();
        let Some(at) = fresh.iter().position(|&b| b == b'\n') else {
            self.scanned = buf.len();
            return Ok(Step::Need(0));
        };
        let line = buf.split_to(self.scanned + at + 1);
        self.scanned = 0;
        let text = line.strip_suffix(b"\r\n").or_else(|| line.strip_suffix(b"\n")).unwrap_or(&line);
        match std::str::from_utf8(text) {
            Ok(text) => Ok(Step::Packet(text.to_owned())),
            Err(e) => Err(LineError::NotUtf8 { valid: e.valid_up_to() }.into()),
        }
    }

    fn reset(&mut self) {
        self.scanned = 0;
    }
}

impl Writer for Lines {
    type Packet = String;

    fn write(&mut self, line: String, out: &mut Out) -> Result<(), BoxError> {
        if line.contains('\n') {
            return Err(LineError::LineEnd.into());
        }
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(b"\n");
        Ok(())
    }
}
