//! Frames of RFC 6455 in and out, without a socket: cutting the input into messages, and what breaks the rules.
//!
//! ```text
//!   input --> header --> payload, unmasked --> control frame
//!               ^            |            \--> fragment --> message
//!               +------------+
//! ```
//!
//! Memory grows with the bytes that have come, never with the length that a header claims.

use std::io::Cursor;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, Data, OpCode},
};

/// Frames that one message may come in.
const FRAGMENTS: u32 = 1024;
/// Longest payload of a control frame (RFC 6455, 5.5).
const CONTROL: u64 = 125;
/// Payload of the close frame of Go's getty, which has no code; as one it would be the invalid 25209.
const GO_BYE: &[u8] = b"bye-bye!!!";

/// Which side this is: a client masks what it sends, a server does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Server,
    Client,
}

/// What a frame of the peer came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A whole message, text or binary.
    Message(BytesMut),
    /// A part of a message.
    Fragment,
    Ping(Bytes),
    Pong,
    /// With the code and the reason, where the peer gave one.
    Close(Option<(u16, String)>),
}

/// How the peer broke the rules.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Violation {
    TooLong {
        length: usize,
        limit: usize,
    },
    /// The close code to answer with, and what it was.
    Rule(u16, String),
}

impl Violation {
    fn protocol(text: impl Into<String>) -> Self {
        Self::Rule(1002, text.into())
    }

    pub(super) fn code(&self) -> u16 {
        match self {
            Self::TooLong { .. } => 1009,
            Self::Rule(code, _) => *code,
        }
    }
}

/// The peer's frames.
#[derive(Debug)]
pub(super) struct Inbound {
    role: Role,
    /// Longest message in bytes.
    pub(super) limit: usize,
    /// The frame whose payload is coming.
    frame: Option<Open>,
    /// What has come of the message, unmasked.
    message: BytesMut,
    /// Of which kind the unfinished message is.
    kind: Option<Data>,
    fragments: u32,
}

#[derive(Debug)]
struct Open {
    opcode: OpCode,
    last: bool,
    mask: Option<[u8; 4]>,
    left: usize,
}

impl Inbound {
    pub(super) fn new(role: Role, limit: usize) -> Self {
        Self { role, limit, frame: None, message: BytesMut::new(), kind: None, fragments: 0 }
    }

    /// Bytes of a message that has begun, at least one if one has.
    pub(super) fn unfinished(&self) -> usize {
        self.message.len().max(usize::from(self.frame.is_some() || self.kind.is_some()))
    }

    /// What the next frame in `input` comes to; `None` when it is not whole yet.
    pub(super) fn next(&mut self, input: &mut BytesMut) -> Result<Option<Event>, Violation> {
        let mut frame = match self.frame.take() {
            Some(frame) => frame,
            None => match self.open(input)? {
                Some(frame) => frame,
                None => return Ok(None),
            },
        };
        match frame.opcode {
            OpCode::Control(control) => {
                if input.len() < frame.left {
                    self.frame = Some(frame);
                    return Ok(None);
                }
                self.control(control, frame.payload(input, frame.left).freeze()).map(Some)
            }
            OpCode::Data(_) => {
                if self.message.is_empty() && frame.last && input.len() >= frame.left {
                    // The usual case: it is whole, and taken as it lies there.
                    self.message = frame.payload(input, frame.left);
                } else {
                    let here = frame.left.min(input.len());
                    self.message.extend_from_slice(&frame.payload(input, here));
                    frame.left -= here;
                    if frame.left > 0 {
                        frame.mask = frame.mask.map(|mask| rotated(mask, here));
                        self.frame = Some(frame);
                        return Ok(None);
                    }
                }
                if frame.last { self.message().map(Some) } else { Ok(Some(Event::Fragment)) }
            }
        }
    }

    /// Reads a header, and checks all that can be checked before the payload comes.
    fn open(&mut self, input: &mut BytesMut) -> Result<Option<Open>, Violation> {
        let mut cursor = Cursor::new(&input[..]);
        let (header, length) = match FrameHeader::parse(&mut cursor) {
            Ok(Some(parsed)) => parsed,
            Ok(None) => return Ok(None),
            Err(error) => return Err(Violation::protocol(error.to_string())),
        };
        let size = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
        if size != header.len(length) {
            return Err(Violation::protocol("the length of a frame was not written in the shortest form"));
        }
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(Violation::protocol("a frame had reserved bits set, but no extension was agreed on"));
        }
        match (self.role, header.mask) {
            (Role::Server, None) => {
                return Err(Violation::protocol("a client's frame was not masked, as it must be"));
            }
            (Role::Client, Some(_)) => return Err(Violation::protocol("a server's frame was masked")),
            _ => {}
        }
        match header.opcode {
            OpCode::Control(_) if !header.is_final => {
                return Err(Violation::protocol("a control frame came in fragments"));
            }
            OpCode::Control(_) if length > CONTROL => {
                return Err(Violation::protocol(format!(
                    "a control frame had {length} bytes, at most {CONTROL} are allowed"
                )));
            }
            OpCode::Control(_) => {}
            OpCode::Data(data) => self.check_data(data, length)?,
        }
        input.advance(size);
        Ok(Some(Open {
            opcode: header.opcode,
            last: header.is_final,
            mask: header.mask,
            left: usize::try_from(length).unwrap_or(usize::MAX),
        }))
    }

    fn check_data(&mut self, data: Data, length: u64) -> Result<(), Violation> {
        match (data, self.kind) {
            (Data::Continue, None) => {
                return Err(Violation::protocol("a continuation came, but no message was begun"));
            }
            (Data::Continue, Some(_)) => self.fragments += 1,
            (_, Some(_)) => {
                return Err(Violation::protocol("a message began before the one before it was whole"));
            }
            (_, None) => {
                self.kind = Some(data);
                self.fragments = 1;
            }
        }
        if self.fragments > FRAGMENTS {
            let text = format!("a message came in more than {FRAGMENTS} fragments");
            return Err(Violation::Rule(1008, text));
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(self.message.len());
        if length > self.limit {
            return Err(Violation::TooLong { length, limit: self.limit });
        }
        Ok(())
    }

    fn message(&mut self) -> Result<Event, Violation> {
        let message = std::mem::take(&mut self.message);
        if self.kind.take() == Some(Data::Text) && std::str::from_utf8(&message).is_err() {
            return Err(Violation::Rule(1007, "a text message was not UTF-8".to_owned()));
        }
        Ok(Event::Message(message))
    }

    fn control(&self, control: Control, payload: Bytes) -> Result<Event, Violation> {
        match control {
            Control::Ping => Ok(Event::Ping(payload)),
            Control::Pong => Ok(Event::Pong),
            Control::Close => closed(&payload).map(Event::Close),
            Control::Reserved(code) => Err(Violation::protocol(format!("unknown opcode {code}"))),
        }
    }
}

impl Open {
    /// Takes that many bytes of the payload, unmasked.
    fn payload(&self, input: &mut BytesMut, count: usize) -> BytesMut {
        let mut payload = input.split_to(count.min(input.len()));
        if let Some(mask) = self.mask {
            apply(mask, &mut payload);
        }
        payload
    }
}

/// What a close frame says.
fn closed(mut payload: &[u8]) -> Result<Option<(u16, String)>, Violation> {
    if payload.is_empty() {
        return Ok(None);
    }
    if payload == GO_BYE {
        return Ok(Some((1000, "bye-bye!!!".to_owned())));
    }
    let code = payload
        .try_get_u16()
        .map_err(|_| Violation::protocol("a close frame of one byte, which is no code"))?;
    // Those that a peer may send (RFC 6455, 7.4, and the registry of IANA).
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::protocol(format!("a close frame with the invalid code {code}")));
    }
    let reason = std::str::from_utf8(payload)
        .map_err(|_| Violation::Rule(1007, "the reason of a close frame was not UTF-8".to_owned()))?;
    Ok(Some((code, reason.to_owned())))
}

/// Appends one whole frame, masked if there is a mask.
pub(super) fn write(out: &mut BytesMut, opcode: OpCode, mask: Option<[u8; 4]>, payload: &[u8]) {
    let header = FrameHeader { opcode, mask, ..FrameHeader::default() };
    let length = payload.len() as u64;
    out.reserve(header.len(length) + payload.len());
    // Writing to memory cannot fail.
    let _ = header.format(length, &mut (&mut *out).writer());
    let start = out.len();
    out.extend_from_slice(payload);
    if let (Some(mask), Some(payload)) = (mask, out.get_mut(start..)) {
        apply(mask, payload);
    }
}

/// Masks or unmasks (RFC 6455, 5.3).
fn apply(mask: [u8; 4], bytes: &mut [u8]) {
    let key = u32::from_ne_bytes(mask);
    let (words, rest) = bytes.as_chunks_mut::<4>();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ key).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask) {
        *byte ^= key;
    }
}

/// The mask for what follows so many masked bytes.
fn rotated(mut mask: [u8; 4], bytes: usize) -> [u8; 4] {
    mask.rotate_left(bytes % 4);
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    const BINARY: OpCode = OpCode::Data(Data::Binary);

    fn masked(payload: &[u8]) -> BytesMut {
        let mut bytes = BytesMut::new();
        write(&mut bytes, BINARY, Some([0x2c, 0x77, 0xee, 0x05]), payload);
        bytes
    }

    #[test]
    fn a_masked_message_is_the_same_however_it_is_cut() {
        let payload: Vec<u8> = (0..300_u32).map(|i| i as u8).collect();
        let whole = masked(&payload);
        for first in 0..whole.len() {
            let mut inbound = Inbound::new(Role::Server, 1000);
            let mut input = BytesMut::from(&whole[..first]);
            assert_eq!(inbound.next(&mut input), Ok(None));
            input.extend_from_slice(&whole[first..]);
            assert_eq!(inbound.next(&mut input), Ok(Some(Event::Message(BytesMut::from(&payload[..])))));
        }
        let mut inbound = Inbound::new(Role::Server, 1000);
        let mut input = BytesMut::new();
        let mut messages = Vec::new();
        for byte in whole {
            input.extend_from_slice(&[byte]);
            messages.extend(inbound.next(&mut input).unwrap());
        }
        assert_eq!(messages, [Event::Message(BytesMut::from(&payload[..]))]);
    }

    #[test]
    fn a_header_that_claims_much_reserves_nothing() {
        let mut inbound = Inbound::new(Role::Server, 1 << 30);
        let mut input = BytesMut::from(&[0x82, 0xff, 0, 0, 0, 0, 0x3f, 0, 0, 0, 1, 2, 3, 4, 5][..]);
        assert_eq!(inbound.next(&mut input), Ok(None));
        assert!(inbound.message.capacity() < 100 && input.capacity() < 100);
    }

    #[test]
    fn no_input_panics_or_is_kept_beyond_the_limit() {
        const LIMIT: usize = 500;
        let mut random = fastrand::Rng::with_seed(1);
        let (mut messages, mut broken) = (0, 0);
        for _ in 0..5_000 {
            let mut input = BytesMut::new();
            for _ in 0..random.usize(1..6) {
                let opcode = OpCode::from(random.u8(..16));
                let payload = vec![random.u8(..); random.usize(..LIMIT)];
                let start = input.len();
                write(&mut input, opcode, Some([1, 2, 3, 4]), &payload);
                if random.bool() {
                    // A fragment.
                    input[start] &= 0x7f;
                }
            }
            if random.bool() {
                let at = random.usize(..input.len());
                input[at] = random.u8(..);
            }
            let mut inbound = Inbound::new(Role::Server, LIMIT);
            let mut part = BytesMut::new();
            while !input.is_empty() {
                part.extend_from_slice(&input.split_to(random.usize(1..=input.len())));
                loop {
                    let event = inbound.next(&mut part);
                    assert!(inbound.message.len() <= LIMIT);
                    match event {
                        Ok(Some(Event::Message(message))) => {
                            assert!(message.len() <= LIMIT);
                            messages += 1;
                        }
                        Ok(Some(_)) => {}
                        Ok(None) => break,
                        Err(_) => {
                            broken += 1;
                            input.clear();
                            break;
                        }
                    }
                }
            }
        }
        assert!(messages > 100 && broken > 100, "{messages} messages, {broken} broken");
    }
}
