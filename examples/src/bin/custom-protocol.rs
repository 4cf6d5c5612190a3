//! A protocol of one's own, server and client in one process: four bytes of length (big endian), then so many of UTF-8 text.
//! `cargo run -p getty-examples --bin custom-protocol` prints `HELLO, GETTY!`, which the server made of what the client sent.

use bytes::{Buf, BytesMut};
use getty::{BoxError, Client, Opened, Out, Protocol, Reader, Server, Session, Step, Writer, on_message};
use tokio::sync::mpsc;

const HEADER: usize = 4;

/// Reader and Writer remember nothing between two packets, so one type without fields is both, and the protocol that makes them.
struct Texts;

impl Protocol for Texts {
    type Reader = Self;
    type Writer = Self;
    type State = ();

    fn open(&self, _: &getty::ConnInfo) -> Opened<Self, Self, ()> {
        Opened::new(Self, Self, ())
    }
}

impl Reader for Texts {
    type Packet = String;

    fn read(&mut self, buf: &mut BytesMut) -> Result<Step<String>, BoxError> {
        let Some(header) = buf.first_chunk::<HEADER>() else { return Ok(Step::Need(HEADER - buf.len())) };
        let length = usize::try_from(u32::from_be_bytes(*header))?;
        if buf.len() - HEADER < length {
            // A length is only a claim: where this is more than Limits::max_packet allows, getty ends the session.
            return Ok(Step::Need(length - (buf.len() - HEADER)));
        }
        buf.advance(HEADER);
        Ok(Step::Packet(String::from_utf8(buf.split_to(length).into())?))
    }
}

impl Writer for Texts {
    type Packet = String;

    fn write(&mut self, text: String, out: &mut Out) -> Result<(), BoxError> {
        out.extend_from_slice(&u32::try_from(text.len())?.to_be_bytes());
        out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::bind("127.0.0.1:0").await?;
    let address = server.local_addr().ok_or("no address")?.to_string();
    let shout = on_message(|session: &Session<Texts>, text: String| drop(session.write(text.to_uppercase())));
    tokio::spawn(server.serve(Texts, shout));
    let (answers, mut answered) = mpsc::channel(1);
    let client = Client::tcp(address, 1, Texts, on_message(move |_, text| drop(answers.try_send(text))));
    client.session().await?.send("hello, getty!".to_owned()).await?;
    println!("{}", answered.recv().await.ok_or("no answer")?);
    client.close().await;
    Ok(())
}
