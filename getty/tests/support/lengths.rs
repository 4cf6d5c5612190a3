//! The packets in the vectors of Go's getty: a length of four bytes, big endian, then the body.

use bytes::{Buf, Bytes, BytesMut};
use getty::{BoxError, ConnInfo, Opened, Out, Protocol, Reader, Step, Writer};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Lengths;

impl Protocol for Lengths {
    type Reader = Self;
    type Writer = Self;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<Self, Self, ()> {
        Opened::new(Self, Self, ())
    }
}

impl Reader for Lengths {
    type Packet = Bytes;

    fn read(&mut self, buf: &mut BytesMut) -> Result<Step<Bytes>, BoxError> {
        let Some(&length) = buf.first_chunk() else { return Ok(Step::Need(4 - buf.len())) };
        let length = 4 + u32::from_be_bytes(length) as usize;
        if buf.len() < length {
            return Ok(Step::Need(length - buf.len()));
        }
        let mut packet = buf.split_to(length).freeze();
        packet.advance(4);
        Ok(Step::Packet(packet))
    }
}

impl Writer for Lengths {
    type Packet = Bytes;

    fn write(&mut self, body: Bytes, out: &mut Out) -> Result<(), BoxError> {
        out.extend_from_slice(&u32::try_from(body.len())?.to_be_bytes());
        out.put_bytes(body);
        Ok(())
    }
}
