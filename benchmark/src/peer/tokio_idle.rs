//! Owns the bare tokio loop of mode `idle`, the floor of what a connection costs: one task each, and no buffer while it waits.
//! Must stay free of any framework.

use super::Serving;
use crate::frame;
use crate::load::BoxError;
use crate::tally;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

/// Bytes that one read takes at most. They lie on the stack.
const CHUNK: usize = 16 * 1024;

pub(super) async fn serve(addr: SocketAddr) -> Result<Serving, BoxError> {
    let listener = TcpListener::bind(addr).await?;
    Ok(Serving::spawn(listener.local_addr()?, accept(listener)))
}

async fn accept(listener: TcpListener) -> Result<Infallible, BoxError> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(answer(stream));
    }
}

/// Sends every whole frame back, until the peer is done or sends something else.
async fn answer(mut stream: TcpStream) {
    let mut rest = Vec::new();
    while stream.readable().await.is_ok() {
        match read(&stream, &mut rest) {
            Ok(whole) if stream.write_all(&whole).await.is_ok() => {}
            _ => return,
        }
    }
}

/// Takes what has come, and gives the whole frames of it.
fn read(stream: &TcpStream, rest: &mut Vec<u8>) -> Result<Vec<u8>, BoxError> {
    let mut chunk = [0; CHUNK];
    let count = match stream.try_read(&mut chunk) {
        Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        Ok(count) => count,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
        Err(error) => return Err(error.into()),
    };
    let mut whole = std::mem::take(rest);
    whole.extend(chunk.iter().take(count));
    let (frames, count) = frame::whole(&whole)?;
    let end = frames.len();
    tally::add(count);
    if end < whole.len() {
        *rest = whole.split_off(end);
    }
    Ok(whole)
}
