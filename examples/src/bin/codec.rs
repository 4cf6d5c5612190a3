//! A codec of `tokio_util` as the protocol of sessions: netstrings, such as `5:hello,`, by a `Decoder` and an `Encoder`.
//!
//! ```sh
//! cargo run -p getty-examples --features codec --bin codec
//! ```
//!
//! prints what a client sends and what the server answers, and what becomes of a peer that speaks something else:
//!
//! ```text
//! hello, getty -> 12 characters, 12 bytes
//! 你好 -> 2 characters, 6 bytes
//! GET / HTTP/1.1 -> the reader refused the input: a netstring begins with its length, 'G' came
//! ```
//!
//! A ready-made codec needs no code at all: `Codec::new(LinesCodec::new)`, `Codec::new(LengthDelimitedCodec::new)`.

use std::io::{self, ErrorKind::InvalidData};

use bytes::{Buf, BytesMut};
use getty::{BoxError, Client, Codec, Error, EventListener, Server, Session, on_message};
use tokio::{io::AsyncWriteExt, net::TcpStream, sync::mpsc};
use tokio_util::codec::{Decoder, Encoder};

/// The protocol of the sessions: what is read with the codec, and `String`s written with it.
type Strings = Codec<Netstrings, String>;

/// Digits that a length may have, so a text has at most 9,999 bytes.
const DIGITS: usize = 4;

/// As <https://cr.yp.to/proto/netstrings.txt> has them. Nothing in it is getty's: `tokio_util::codec::Framed` would take it too.
struct Netstrings;

impl Decoder for Netstrings {
    type Item = String;
    type Error = io::Error;

    fn decode(&mut self, buf: &mut BytesMut) -> io::Result<Option<String>> {
        let digits = buf.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match (digits, buf.get(digits)) {
            (1..=DIGITS, Some(b':')) => {}
            (0..=DIGITS, None) => return Ok(None),
            (0, Some(byte)) => {
                let byte = byte.escape_ascii();
                return Err(wrong(format!("a netstring begins with its length, '{byte}' came")));
            }
            _ => return Err(wrong("a length has at most 4 digits, and a colon follows")),
        }
        let length = buf.iter().take(digits).fold(0, |sum, digit| 10 * sum + usize::from(digit - b'0'));
        let start = digits + 1;
        match buf.get(start + length) {
            None => Ok(None),
            Some(b',') => {
                buf.advance(start);
                let text = buf.split_to(length);
                buf.advance(1);
                String::from_utf8(text.into()).map(Some).map_err(wrong)
            }
            Some(_) => Err(wrong("a comma was expected after so many bytes as the length says")),
        }
    }
}

impl Encoder<String> for Netstrings {
    type Error = io::Error;

    fn encode(&mut self, text: String, buf: &mut BytesMut) -> io::Result<()> {
        let length = text.len().to_string();
        if length.len() > DIGITS {
            return Err(wrong("the text is too long"));
        }
        for part in [&length, ":", &text, ","] {
            buf.extend_from_slice(part.as_bytes());
        }
        Ok(())
    }
}

fn wrong(why: impl Into<BoxError>) -> io::Error {
    io::Error::new(InvalidData, why)
}

/// Answers each text with its length, and tells why sessions fail.
struct Counter {
    failures: mpsc::Sender<String>,
}

impl EventListener<Strings> for Counter {
    fn on_message(&self, session: &Session<Strings>, text: String) {
        let answer = format!("{} characters, {} bytes", text.chars().count(), text.len());
        // A client that has gone needs no answer.
        let _ = session.write(answer);
    }

    fn on_error(&self, _: &Session<Strings>, error: &Error) {
        let _ = self.failures.try_send(error.to_string());
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::bind("127.0.0.1:0").await?;
    let address = server.local_addr().ok_or("no address")?.to_string();
    let (failures, mut failed) = mpsc::channel(1);
    tokio::spawn(server.serve(Strings::new(|| Netstrings), Counter { failures }));

    let (answers, mut answered) = mpsc::channel(1);
    let listener = on_message(move |_: &Session<Strings>, text| drop(answers.try_send(text)));
    let client = Client::tcp(&address, 1, Strings::new(|| Netstrings), listener);
    for text in ["hello, getty", "你好"] {
        client.session().await?.send(text.to_owned()).await?;
        println!("{text} -> {}", answered.recv().await.ok_or("no answer")?);
    }
    client.close().await;

    let mut stranger = TcpStream::connect(&address).await?;
    stranger.write_all(b"GET / HTTP/1.1\r\n").await?;
    println!("GET / HTTP/1.1 -> {}", failed.recv().await.ok_or("no failure")?);
    Ok(())
}
