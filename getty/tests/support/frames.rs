//! Packets with a header: one byte of magic, four of length (big endian).

use bytes::{Buf, Bytes, BytesMut};
use getty::{BoxError, ConnInfo, Opened, Out, Protocol, Reader, Step, Writer};

pub(crate) const HEADER: usize = 5;
const MAGIC: u8 = 0xc5;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Frames;

impl Protocol for Frames {
    type Reader = FrameReader;
    type Writer = FrameWriter;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<FrameReader, FrameWriter, ()> {
        Opened::new(FrameReader, FrameWriter, ())
    }
}

#[derive(Debug)]
pub(crate) struct FrameReader;

impl Reader for FrameReader {
    type Packet = Bytes;

    fn read(&mut self, buf: &mut BytesMut) -> Result<Step<Bytes>, BoxError> {
        if buf[0] != MAGIC {
            return Err(format!("{MAGIC:#x} was expected, {:#x} came", buf[0]).into());
        }
        if buf.len() < HEADER {
            return Ok(Step::Need(HEADER - buf.len()));
        }
        let length = HEADER + u32::from_be_bytes([buf[1], buf[2], buf[3], buf[4]]) as usize;
        if buf.len() < length {
            return Ok(Step::Need(length - buf.len()));
        }
        let mut packet = buf.split_to(length).freeze();
        packet.advance(HEADER);
        Ok(Step::Packet(packet))
    }
}

#[derive(Debug)]
pub(crate) struct FrameWriter;

impl Writer for FrameWriter {
    type Packet = Bytes;

    fn write(&mut self, body: Bytes, out: &mut Out) -> Result<(), BoxError> {
        out.extend_from_slice(&header(body.len()));
        out.put_bytes(body);
        Ok(())
    }
}

/// The bytes of one packet.
pub(crate) fn frame(body: &[u8]) -> Vec<u8> {
    [&header(body.len()), body].concat()
}

fn header(length: usize) -> [u8; HEADER] {
    let [a, b, c, d] = u32::try_from(length).unwrap().to_be_bytes();
    [MAGIC, a, b, c, d]
}
