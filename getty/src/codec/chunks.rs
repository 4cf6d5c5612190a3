//! The protocol without a protocol: whatever arrives is a packet, whatever is written goes out as it is.

use bytes::{Bytes, BytesMut};

use super::{ConnInfo, Opened, Protocol, Reader, Step, Writer};
use crate::{BoxError, Out};

/// Raw bytes. Boundaries of packets are those of reads and mean nothing; a read brings up to 64 KiB, so a smaller
/// [`Limits::max_packet`](field@crate::Limits::max_packet) ends sessions of peers that send much at a time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Chunks;

impl Protocol for Chunks {
    type Reader = Self;
    type Writer = Self;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<Self, Self, ()> {
        Opened::new(Self, Self, ())
    }
}

impl Reader for Chunks {
    type Packet = Bytes;

    fn read(&mut self, buf: &mut BytesMut) -> Result<Step<Bytes>, BoxError> {
        Ok(Step::Packet(buf.split().freeze()))
    }
}

impl Writer for Chunks {
    type Packet = Bytes;

    fn write(&mut self, packet: Bytes, out: &mut Out) -> Result<(), BoxError> {
        out.put_bytes(packet);
        Ok(())
    }
}
