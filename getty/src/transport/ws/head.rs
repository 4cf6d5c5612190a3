//! Heads of HTTP requests and answers: read within a bound, and taken apart.

use std::io::{Error, ErrorKind, Result};

use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tungstenite::http::{HeaderMap, header::AsHeaderName};

/// Longest head in bytes.
pub(super) const HEAD: usize = 16 * 1024;
const END: &[u8] = b"\r\n\r\n";

/// What there is instead of a head.
pub(super) enum NoHead {
    /// The bytes that came are no HTTP.
    Foreign,
    /// It is longer than [`HEAD`].
    TooLong,
    Io(Error),
}

/// Reads a head. Gives it, and whatever came after it.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    begins: &[u8],
) -> std::result::Result<(BytesMut, BytesMut), NoHead> {
    let mut bytes = BytesMut::with_capacity(1024);
    let mut searched = 0;
    loop {
        let room = HEAD.saturating_sub(bytes.len());
        if stream.read_buf(&mut (&mut bytes).limit(room)).await.map_err(NoHead::Io)? == 0 {
            return Err(NoHead::Io(Error::new(
                ErrorKind::UnexpectedEof,
                "the peer closed the connection in the middle of the WebSocket handshake",
            )));
        }
        if bytes.iter().zip(begins).any(|(came, expected)| came != expected) {
            return Err(NoHead::Foreign);
        }
        let unsearched = bytes.get(searched..).unwrap_or_default();
        if let Some(at) = unsearched.windows(END.len()).position(|window| window == END) {
            let head = bytes.split_to(searched + at + END.len());
            return Ok((head, bytes));
        }
        if bytes.len() >= HEAD {
            return Err(NoHead::TooLong);
        }
        // The end may have begun in what was searched.
        searched = bytes.len().saturating_sub(END.len() - 1);
    }
}

/// The only value of a header; `None` if there is none. Several are an error, as nobody could say which one counts.
pub(super) fn only(headers: &HeaderMap, name: impl AsHeaderName + Copy) -> Result<Option<&str>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Error::new(ErrorKind::InvalidData, format!("the header {} came twice", name.as_str())));
    }
    match first.map(|value| value.to_str()) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(_)) => {
            Err(Error::new(ErrorKind::InvalidData, format!("the header {} is no plain text", name.as_str())))
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn a_head_is_found_however_it_is_cut() {
        // As wide as a read: every cut of the end is met by one of the widths.
        for width in 1..=8 {
            let (mut peer, mut own) = duplex(width);
            tokio::spawn(async move { peer.write_all(b"GET / HTTP/1.1\r\nA: b\r\n\r\nmore").await });
            let Ok((head, more)) = read(&mut own, b"GET ").await else {
                panic!("no head with a width of {width}")
            };
            assert_eq!(head, "GET / HTTP/1.1\r\nA: b\r\n\r\n");
            assert!(b"more".starts_with(&more));
        }
    }

    #[tokio::test]
    async fn a_head_without_an_end_is_given_up() {
        let (mut peer, mut own) = duplex(64 * 1024);
        peer.write_all(&[&b"GET "[..], &[b'x'; HEAD - 4]].concat()).await.unwrap();
        assert!(matches!(read(&mut own, b"GET ").await, Err(NoHead::TooLong)));
        let (mut peer, mut own) = duplex(64 * 1024);
        peer.write_all(&[&b"GET "[..], &[b'x'; HEAD - 8], b"\r\n\r\n"].concat()).await.unwrap();
        assert!(read(&mut own, b"GET ").await.is_ok_and(|(head, _)| head.len() == HEAD));
    }
}
