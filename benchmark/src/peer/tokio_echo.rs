//! Owns the bare tokio loop of mode `echo`, the ceiling for everything built on tokio: one task per connection, read
//! as much as there is, write once. Must stay free of any framework.

use super::Serving;
use crate::frame::{self, FrameError};
use crate::latency::Measurement;
use crate::load::echo::{self, Flight};
use crate::load::{BoxError, LoadError, Shape};
use crate::tally;
use crate::window::Budget;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Bytes that one read takes at most.
const CHUNK: usize = frame::LONGEST;

pub(super) async fn serve(addr: SocketAddr) -> Result<Serving, BoxError> {
    let listener = TcpListener::bind(addr).await?;
    Ok(Serving::spawn(listener.local_addr()?, accept(listener)))
}

pub(super) async fn load(addr: SocketAddr, shape: Shape, budget: Budget) -> Result<Measurement, LoadError> {
    let mut connections = Vec::with_capacity(shape.connections);
    for _ in 0..shape.connections {
        connections
            .push(connect(addr).await.map_err(|error| LoadError::Connect(addr.to_string(), error.into()))?);
    }
    echo::drive(connections, shape, budget, flood).await
}

async fn accept(listener: TcpListener) -> Result<Infallible, BoxError> {
    loop {
        let (stream, peer) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            if let Err(error) = answer(stream).await {
                eprintln!("connection of {peer} ended: {error}");
            }
        });
    }
}

/// Sends every whole frame back, until the peer is done.
async fn answer(mut stream: TcpStream) -> Result<(), BoxError> {
    let mut buffer = vec![0; CHUNK];
    let mut filled = 0;
    loop {
        let (_, free) = buffer.split_at_mut(filled);
        let count = stream.read(free).await?;
        if count == 0 {
            return Ok(());
        }
        filled += count;
        let (received, _) = buffer.split_at(filled);
        let (whole, frames) = frame::whole(received)?;
        stream.write_all(whole).await?;
        tally::add(frames);
        let taken = whole.len();
        buffer.copy_within(taken..filled, 0);
        filled -= taken;
    }
}

async fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn flood(mut stream: TcpStream, mut flight: Flight) -> Result<Flight, LoadError> {
    let (mut reader, mut writer) = stream.split();
    let (mut inbox, mut outbox) = (Vec::with_capacity(CHUNK), Vec::new());
    loop {
        let size = flight.size();
        flight.refill(Instant::now()).for_each(|id| size.put(&mut outbox, id));
        write(&mut writer, &mut reader, &outbox, &mut inbox).await.map_err(broken)?;
        outbox.clear();
        if flight.is_done() {
            return Ok(flight);
        }
        read(&mut reader, &mut inbox).await.map_err(broken)?;
        let taken = take(&inbox, &mut flight, Instant::now()).map_err(broken)?;
        inbox.drain(..taken);
    }
}

/// Writes all of `outbox`. Reads meanwhile if the socket takes no more, else both sides could wait for each other.
async fn write(
    writer: &mut WriteHalf<'_>,
    reader: &mut ReadHalf<'_>,
    mut outbox: &[u8],
    inbox: &mut Vec<u8>,
) -> io::Result<()> {
    while !outbox.is_empty() {
        tokio::select! {
            biased;
            written = writer.write(outbox) => (_, outbox) = outbox.split_at(written?),
            received = read(reader, inbox) => received?,
        }
    }
    Ok(())
}

async fn read(reader: &mut ReadHalf<'_>, inbox: &mut Vec<u8>) -> io::Result<()> {
    inbox.reserve(CHUNK);
    match reader.read_buf(inbox).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// Hands all whole frames to `flight`; returns how many bytes they take.
fn take(inbox: &[u8], flight: &mut Flight, now: Instant) -> Result<usize, FrameError> {
    let size = flight.size();
    let mut rest = inbox;
    while let Some(length) = frame::length(rest)?
        && let Some((frame, after)) = rest.split_at_checked(length)
    {
        flight.echoed(now, |id| size.is_echo(frame, id));
        rest = after;
    }
    flight.settle(now);
    Ok(inbox.len() - rest.len())
}

fn broken(error: impl Into<BoxError>) -> LoadError {
    LoadError::Broken(error.into())
}
