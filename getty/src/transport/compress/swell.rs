//! How much may come of how little: owns the count of bytes before and behind the decompression of a packet. Knows no format.

use std::io::{Error as IoError, ErrorKind, Result};

use crate::Error;

/// Bytes of output below which no ratio is too high: a packet of a mebibyte, and the part of the next one that came with it.
const FLOOR: usize = 2 * 1024 * 1024;

/// Since the last packet.
pub(super) struct Swell {
    ratio: usize,
    /// Compressed bytes that were taken.
    taken: usize,
    /// What they became.
    made: usize,
}

impl Swell {
    pub(super) fn new(ratio: usize) -> Self {
        Self { ratio, taken: 0, made: 0 }
    }

    /// A packet is whole.
    pub(super) fn restart(&mut self) {
        *self = Self::new(self.ratio);
    }

    /// Counts a step of decompression.
    ///
    /// # Errors
    /// When too much came of too little.
    pub(super) fn count(&mut self, taken: usize, made: usize) -> Result<()> {
        self.taken = self.taken.saturating_add(taken);
        self.made = self.made.saturating_add(made);
        if self.made <= FLOOR || self.made <= self.taken.saturating_mul(self.ratio) {
            return Ok(());
        }
        let text = format!(
            "{} bytes of a packet that is not whole came of {} compressed ones, at most {} times as many are allowed (Limits::compression_ratio)",
            self.made, self.taken, self.ratio
        );
        Err(IoError::new(ErrorKind::InvalidData, Error::Transport(text.into())))
    }
}
