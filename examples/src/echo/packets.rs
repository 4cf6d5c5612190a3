//! What a packet is on the wire: its length in four bytes, big endian, and its payload. Every language can write that in a few lines.

use bytes::{Buf, Bytes, BytesMut};
use getty::{BoxError, ConnInfo, Opened, Out, Protocol, Reader, Step, Writer};

/// Bytes before the payload.
pub(super) const HEADER: usize = 4;

/// Payloads with their length in front.
#[derive(Debug, Clone, Copy)]
pub struct Packets;

impl Protocol for Packets {
    type Reader = Self;
    type Writer = Self;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<Self, Self, ()> {
        Opened::new(Self, Self, ())
    }
}

impl Reader for Packets {
    type Packet = Bytes;

    fn read(&mut self, buf: &mut BytesMut) -> Result<Step<Bytes>, BoxError> {
        let Some(&header) = buf.first_chunk::<HEADER>() else { return Ok(Step::Need(HEADER - buf.len())) };
        let length = usize::try_from(u32::from_be_bytes(header))?;
        let missing = length.saturating_sub(buf.len() - HEADER);
        if missing > 0 {
            return Ok(Step::Need(missing));
        }
        buf.advance(HEADER);
        Ok(Step::Packet(buf.split_to(length).freeze()))
    }
}

impl Writer for Packets {
    type Packet = Bytes;

    fn write(&mut self, payload: Bytes, out: &mut Out) -> Result<(), BoxError> {
        out.extend_from_slice(&u32::try_from(payload.len())?.to_be_bytes());
        out.put_bytes(payload);
        Ok(())
    }
}
