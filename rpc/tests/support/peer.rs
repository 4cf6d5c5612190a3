//! Peers that are no sessions: they send what the test wants, whole or not, and read whole frames.

use std::{io, net::SocketAddr};

use bytes::{Bytes, BytesMut};
use getty_rpc::{
    getty::{
        Step,
        transport::{Io, Listen},
    },
    protocol::{Frame, FrameReader, Header, Kind, Status},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use super::{response, within};

/// Bytes that a pipe holds in each direction.
const PIPE: usize = 64 * 1024;

/// One end of a connection, by hand.
pub(crate) struct Peer<S = TcpStream> {
    pub(crate) stream: S,
    reader: FrameReader,
    buf: BytesMut,
}

impl Peer {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::tcp(within(TcpStream::connect(address)).await.unwrap())
    }

    fn tcp(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self::over(stream)
    }

    /// Ends the connection with a reset.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self { stream, reader: FrameReader::new(usize::MAX), buf: BytesMut::new() }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        within(self.stream.write_all(bytes)).await.unwrap();
    }

    /// The next frame; none when the other side has closed, be it with a FIN or with a reset.
    pub(crate) async fn next(&mut self) -> Option<(Header, Bytes)> {
        within(self.wait_for_next()).await
    }

    /// As [`next`](Self::next), however long that takes.
    pub(crate) async fn wait_for_next(&mut self) -> Option<(Header, Bytes)> {
        loop {
            if !self.buf.is_empty()
                && let Step::Packet(Frame::Whole(header, body)) = self.reader.next(&mut self.buf).unwrap()
            {
                return Some((header, body));
            }
            if !matches!(self.stream.read_buf(&mut self.buf).await, Ok(1..)) {
                assert!(self.buf.is_empty(), "half a frame at the end: {:?}", self.buf);
                return None;
            }
        }
    }

    /// The next frame that is no event; heartbeats on the way are answered.
    pub(crate) async fn next_call(&mut self) -> Option<(Header, Bytes)> {
        loop {
            match self.next().await? {
                (Header { event: true, kind: Kind::Request { two_way: true }, id, .. }, _) => {
                    let kind = Kind::Response { status: Status::OK };
                    let header = Header { kind, event: true, serialization: 2, id, length: 0 };
                    self.send(&super::frame(header, b"N")).await;
                }
                (Header { event: true, .. }, _) => {}
                call => return Some(call),
            }
        }
    }

    /// The next frame, which must be an answer: its id, its status and its body.
    pub(crate) async fn answer(&mut self) -> (i64, Status, Bytes) {
        let (header, body) = self.next().await.expect("an answer was expected, the connection was closed");
        match header.kind {
            Kind::Response { status } if !header.event => (header.id, status, body),
            _ => panic!("an answer was expected, {header:?} came"),
        }
    }

    /// Sends and gives the answer, which must be to this id.
    pub(crate) async fn ask(&mut self, id: i64, frame: &[u8]) -> (Status, Bytes) {
        self.send(frame).await;
        let (answered, status, body) = self.answer().await;
        assert_eq!(answered, id);
        (status, body)
    }

    /// Answers the next call, and gives its body.
    pub(crate) async fn reply(&mut self, status: Status, body: &[u8]) -> Bytes {
        let (header, request) =
            self.next_call().await.expect("a call was expected, the connection was closed");
        self.send(&response(header.id, status, body)).await;
        request
    }

    /// Says that nothing more comes, and reads what still comes from the other side until it has closed.
    pub(crate) async fn finish(mut self) -> Vec<(Header, Bytes)> {
        // The other side may have closed already.
        let _ = within(self.stream.shutdown()).await;
        self.read_to_end().await
    }

    /// All frames until the other side has closed.
    pub(crate) async fn read_to_end(mut self) -> Vec<(Header, Bytes)> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next().await {
            frames.push(frame);
        }
        frames
    }
}

/// A provider that is a script, on a loopback port.
pub(crate) struct Fake {
    listener: TcpListener,
}

impl Fake {
    pub(crate) async fn bind() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// The next connection.
    pub(crate) async fn accept(&self) -> Peer {
        within(self.accept_whenever()).await
    }

    /// As [`accept`](Self::accept), however long that takes.
    pub(crate) async fn accept_whenever(&self) -> Peer {
        Peer::tcp(self.listener.accept().await.unwrap().0)
    }
}

/// One end of a pipe, as a connection.
pub(crate) type PipeEnd = Io<DuplexStream>;

/// Accepts pipes in memory whose other ends are raw.
pub(crate) struct Pipes(mpsc::UnboundedReceiver<PipeEnd>);

/// Where [`Pipes`] come from: connects to a server, or is what a client dials.
pub(crate) struct FakePipe<T>(mpsc::UnboundedSender<T>);

impl<T> Clone for FakePipe<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Pipes {
    /// For a server, and what connects to it.
    pub(crate) fn listen() -> (Self, FakePipe<PipeEnd>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(receiver), FakePipe(sender))
    }
}

impl FakePipe<PipeEnd> {
    pub(crate) fn connect(&self) -> Peer<DuplexStream> {
        let (own, theirs) = duplex(PIPE);
        self.0.send(Io::new(theirs, "pipe")).unwrap();
        Peer::over(own)
    }

    /// What a client dials, where a server is at the other end.
    pub(crate) async fn dial(self) -> io::Result<PipeEnd> {
        let (own, theirs) = duplex(PIPE);
        self.0.send(Io::new(theirs, "pipe")).map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(Io::new(own, "pipe"))
    }
}

impl FakePipe<DuplexStream> {
    /// What a client dials, and the provider's ends.
    pub(crate) fn accept() -> (Self, mpsc::UnboundedReceiver<DuplexStream>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    pub(crate) async fn dial(self) -> io::Result<PipeEnd> {
        let (own, theirs) = duplex(PIPE);
        self.0.send(theirs).map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(Io::new(own, "pipe"))
    }
}

impl Listen for Pipes {
    type Conn = PipeEnd;

    async fn accept(&mut self) -> io::Result<PipeEnd> {
        match self.0.recv().await {
            Some(pipe) => Ok(pipe),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }
}
