//! Peers that are no sessions, and sessions to talk to them.

use bytes::BytesMut;
use getty::{
    EventListener, In, Limits, Protocol, Reader, Session, Step, accept,
    transport::{Io, Tcp},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, DuplexStream, duplex},
    net::{TcpListener, TcpStream},
};

use super::{Events, FrameReader, Recorder, within};

/// A session over a pipe in memory, and the other end of the pipe.
pub(crate) fn over_memory<P: Protocol>(
    protocol: P,
    listener: impl EventListener<P>,
    limits: Limits,
) -> (DuplexStream, Session<P>) {
    let (peer, own) = duplex(64 * 1024);
    (peer, accept(Io::new(own, "memory"), protocol, listener, limits))
}

/// The peer of a session over memory that has opened, and its further callbacks.
pub(crate) async fn open_over_memory<P: Protocol>(protocol: P, limits: Limits) -> (DuplexStream, Events<P>)
where
    In<P>: Clone,
{
    let (listener, mut events) = Recorder::new();
    let (peer, _) = over_memory(protocol, listener, limits);
    events.open().await;
    (peer, events)
}

/// A session over loopback TCP, and the socket at its other end.
pub(crate) async fn over_tcp<P: Protocol>(
    protocol: P,
    listener: impl EventListener<P>,
    limits: Limits,
) -> (TcpStream, Session<P>) {
    let (peer, own) = tcp_pair().await;
    (peer, accept(Tcp::new(own).unwrap(), protocol, listener, limits))
}

/// The two ends of a loopback connection.
pub(crate) async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dialled = TcpStream::connect(listener.local_addr().unwrap());
    let (dialled, accepted) = tokio::join!(dialled, listener.accept());
    (dialled.unwrap(), accepted.unwrap().0)
}

/// Ends a connection with a reset.
pub(crate) fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}

/// The body of the next packet.
pub(crate) async fn read_frame(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut buf = BytesMut::new();
    loop {
        let missing = match buf.is_empty() {
            true => super::HEADER,
            false => match FrameReader.read(&mut buf).unwrap() {
                Step::Packet(body) => return body.to_vec(),
                Step::Need(missing) => missing,
            },
        };
        let read = within(stream.take(missing as u64).read_buf(&mut buf)).await.unwrap();
        assert_ne!(read, 0, "the session ended, a packet was expected");
    }
}

/// The bodies of all whole packets in some bytes, and how many bytes are left over.
pub(crate) fn read_frames(bytes: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let mut buf = BytesMut::from(bytes);
    let mut bodies = Vec::new();
    while !buf.is_empty() {
        match FrameReader.read(&mut buf).unwrap() {
            Step::Packet(body) => bodies.push(body.to_vec()),
            Step::Need(_) => break,
        }
    }
    (bodies, buf.len())
}

/// All that comes until the session closes its connection, be it with a FIN or with a reset.
pub(crate) async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut all = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    while let Ok(n @ 1..) = within(stream.read(&mut chunk)).await {
        all.extend_from_slice(&chunk[..n]);
    }
    all
}
