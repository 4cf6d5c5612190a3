//! The framing format of snappy, version 2015-07: a stream identifier, then chunks of up to 64 KiB, each by itself.
//!
//! ```text
//!   type (1) | length of the rest (3, little endian) | checksum (4, little endian) | data
//!   ff: the identifier "sNaPpY"   00: compressed   01: as it is   80 to fe: skipped   02 to 7f: an error
//! ```

use std::io::Result;

use bytes::{Buf, BytesMut};
use snap::raw;

use super::{Pack, Unpack, crc, cut, invalid};
use crate::{
    Out,
    stock::{self, CHUNK},
};

/// Bytes of plain data in a chunk, at the most.
const BLOCK: usize = 65_536;
/// What so many can become when compressed, at the most.
const COMPRESSED: usize = 76_490;
const HEADER: usize = 4;
const CHECKSUM: usize = 4;
const IDENTIFIER: &[u8] = b"\xff\x06\0\0sNaPpY";

/// Writes one stream.
pub(super) struct Encoder {
    blocks: raw::Encoder,
    begun: bool,
}

impl Pack for Encoder {
    fn pack(&mut self, from: &mut Out, to: &mut Out) -> Result<()> {
        if !std::mem::replace(&mut self.begun, true) {
            to.extend_from_slice(IDENTIFIER);
        }
        let len = from.remaining().min(BLOCK);
        if let Some(block) = from.chunk().get(..len) {
            self.write(block, to)?;
            from.advance(len);
            return Ok(());
        }
        // In pieces: a chunk for each would be many small ones.
        let mut block = stock::take();
        while block.len() < len {
            let piece = from.chunk();
            let piece = piece.get(..len - block.len()).unwrap_or(piece);
            block.extend_from_slice(piece);
            from.advance(piece.len());
        }
        let written = self.write(&block, to);
        stock::give(block);
        written
    }

    fn flush(&mut self, _: &mut Out) -> Result<()> {
        // Each chunk stands by itself.
        Ok(())
    }
}

impl Encoder {
    pub(super) fn new() -> Self {
        Self { blocks: raw::Encoder::new(), begun: false }
    }

    fn write(&mut self, block: &[u8], to: &mut Out) -> Result<()> {
        let tail = to.tail_mut();
        let start = tail.len();
        let data = start + HEADER + CHECKSUM;
        tail.resize(data + raw::max_compress_len(block.len()), 0);
        let compressed =
            self.blocks.compress(block, tail.get_mut(data..).unwrap_or_default()).map_err(invalid)?;
        // An eighth at least has to be saved, else the reader's work is worth more.
        let pays = compressed < block.len() - block.len() / 8;
        tail.truncate(data + if pays { compressed } else { 0 });
        if !pays {
            tail.extend_from_slice(block);
        }
        let rest = u32::try_from(tail.len() - start - HEADER).map_err(invalid)?;
        let header = [(rest << 8 | u32::from(!pays)).to_le_bytes(), crc::masked(block).to_le_bytes()];
        if let Some(place) = tail.get_mut(start..data) {
            place.copy_from_slice(header.as_flattened());
        }
        Ok(())
    }
}

/// Reads one stream.
#[derive(Default)]
pub(super) struct Decoder {
    blocks: raw::Decoder,
    begun: bool,
    /// Bytes of a chunk that are passed over.
    skip: usize,
}

/// The front of the input.
enum Chunk {
    Compressed(usize),
    Plain(usize),
    Identifier,
    Skipped(usize),
}

impl Decoder {
    /// The next chunk, as far as its header tells; `None` until that is whole.
    fn header(&self, from: &[u8]) -> Result<Option<Chunk>> {
        let Some((&[kind, a, b, c], _)) = from.split_first_chunk() else { return Ok(None) };
        let len = u32::from_le_bytes([a, b, c, 0]) as usize;
        let most = |most: usize| match len {
            CHECKSUM.. if len <= most + CHECKSUM => Ok(len),
            _ => Err(invalid(format_args!(
                "a snappy chunk of {CHECKSUM} to {} bytes was expected, one of {len} came",
                most + CHECKSUM
            ))),
        };
        if !self.begun && kind != 0xff {
            return Err(invalid(format_args!(
                "the identifier of a snappy stream was expected, a chunk of type {kind:#04x} came; does the peer compress?"
            )));
        }
        match kind {
            0x00 => most(COMPRESSED).map(|len| Some(Chunk::Compressed(len))),
            0x01 => most(BLOCK).map(|len| Some(Chunk::Plain(len))),
            0xff if len == IDENTIFIER.len() - HEADER => Ok(Some(Chunk::Identifier)),
            0x80..=0xfe => Ok(Some(Chunk::Skipped(len))),
            _ => Err(invalid(format_args!(
                "a snappy chunk of type {kind:#04x} and {len} bytes came, which is none"
            ))),
        }
    }

    fn read(&mut self, chunk: &[u8], compressed: bool, to: &mut BytesMut) -> Result<usize> {
        let Some((&checksum, data)) = chunk.split_first_chunk::<CHECKSUM>() else { return Ok(0) };
        let start = to.len();
        if compressed {
            let len = raw::decompress_len(data).map_err(invalid)?;
            if len > BLOCK {
                return Err(invalid(format_args!(
                    "a snappy chunk of {len} bytes came, at most {BLOCK} are allowed"
                )));
            }
            to.resize(start + len, 0);
            self.blocks.decompress(data, to.get_mut(start..).unwrap_or_default()).map_err(invalid)?;
        } else {
            to.extend_from_slice(data);
        }
        let plain = to.get(start..).unwrap_or_default();
        let (found, said) = (crc::masked(plain), u32::from_le_bytes(checksum));
        if found != said {
            return Err(invalid(format_args!(
                "the checksum of a snappy chunk is {found:#010x}, the peer said {said:#010x}"
            )));
        }
        Ok(plain.len())
    }
}

impl Unpack for Decoder {
    fn unpack(&mut self, from: &mut BytesMut, to: &mut BytesMut) -> Result<usize> {
        loop {
            let skipped = self.skip.min(from.len());
            from.advance(skipped);
            self.skip -= skipped;
            if self.skip > 0 {
                return Ok(0);
            }
            let Some(header) = self.header(from)? else { return Ok(0) };
            let (len, compressed) = match header {
                Chunk::Skipped(len) => {
                    self.skip = HEADER + len;
                    continue;
                }
                Chunk::Identifier => match from.get(..IDENTIFIER.len()) {
                    None => return Ok(0),
                    Some(IDENTIFIER) => {
                        self.begun = true;
                        self.skip = IDENTIFIER.len();
                        continue;
                    }
                    Some(_) => {
                        return Err(invalid(
                            "the identifier of a snappy stream was expected, other bytes came",
                        ));
                    }
                },
                Chunk::Compressed(len) => (len, true),
                Chunk::Plain(len) => (len, false),
            };
            let Some(chunk) = from.get(HEADER..HEADER + len) else { return Ok(0) };
            let appended = self.read(chunk, compressed, to)?;
            from.advance(HEADER + len);
            if appended > 0 {
                return Ok(appended);
            }
        }
    }

    fn end(&self, rest: &[u8]) -> Result<()> {
        match rest.is_empty() && self.skip == 0 {
            true => Ok(()),
            false => Err(cut("the peer finished in the middle of a snappy chunk")),
        }
    }
}

const _: () = assert!(BLOCK == CHUNK, "a fill gives at most one chunk");
