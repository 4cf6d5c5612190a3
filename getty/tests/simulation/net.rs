//! The simulated network, as getty sees it.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, Weak},
    task::{Context, Poll},
    time::Duration,
};

use getty::transport::{Io, Listen};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil::{
    Builder, Sim,
    net::{TcpListener, TcpStream},
};

/// Where the server of a simulation is.
pub(crate) const SERVER: &str = "server";
const PORT: u16 = 7001;

/// A network whose latency, and whatever else is up to chance, comes from the seed.
pub(crate) fn network<'a>(seed: u64, at_most: Duration) -> Sim<'a> {
    Builder::new()
        .rng_seed(seed)
        .tick_duration(Duration::from_millis(10))
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(20))
        .tcp_capacity(1_024)
        .simulation_duration(at_most)
        .build()
}

/// How long the simulation has run.
pub(crate) fn now() -> Duration {
    turmoil::sim_elapsed().expect("this runs on a host of the simulation")
}

pub(crate) async fn dial() -> io::Result<Io<TcpStream>> {
    TcpStream::connect((SERVER, PORT)).await.map(|stream| Io::new(stream, "simulated"))
}

pub(crate) struct Listening {
    listener: TcpListener,
    sockets: Sockets,
}

/// Whatever the server accepts is among `sockets`.
pub(crate) async fn listen(sockets: Sockets) -> io::Result<Listening> {
    TcpListener::bind(("0.0.0.0", PORT)).await.map(|listener| Listening { listener, sockets })
}

impl Listen for Listening {
    type Conn = Io<Socket>;

    async fn accept(&mut self) -> io::Result<Io<Socket>> {
        let (stream, _) = self.listener.accept().await?;
        Ok(Io::new(self.sockets.add(stream), "simulated"))
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }
}

/// The sockets of a server, which can crash: they end in the order in which they came. Without them tokio would choose the order, by
/// the numbers of the tasks that hold them, and those go on from one run to the next.
#[derive(Clone, Default)]
pub(crate) struct Sockets(Arc<Mutex<Open>>);

#[derive(Default)]
struct Open {
    streams: Vec<Weak<Stream>>,
    crashing: bool,
}

type Stream = Mutex<Option<TcpStream>>;

impl Sockets {
    pub(crate) fn crash(&self, sim: &mut Sim<'_>) {
        self.0.lock().unwrap().crashing = true;
        sim.crash(SERVER);
        self.0.lock().unwrap().crashing = false;
    }

    fn add(&self, stream: TcpStream) -> Socket {
        let stream = Arc::new(Mutex::new(Some(stream)));
        let mut open = self.0.lock().unwrap();
        open.streams.retain(|stream| stream.strong_count() > 0);
        open.streams.push(Arc::downgrade(&stream));
        Socket { stream, all: self.clone() }
    }
}

/// One of them.
pub(crate) struct Socket {
    stream: Arc<Stream>,
    all: Sockets,
}

impl Socket {
    /// Only a socket that has crashed has no stream, and nobody polls it any more.
    fn poll<T>(&self, poll: impl FnOnce(Pin<&mut TcpStream>) -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match &mut *self.stream.lock().unwrap() {
            Some(stream) => poll(Pin::new(stream)),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let mut open = self.all.0.lock().unwrap();
        if open.crashing {
            // The first one that goes takes all along.
            open.streams.drain(..).filter_map(|stream| stream.upgrade()).for_each(|stream| {
                stream.lock().unwrap().take();
            });
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll(|stream| stream.poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(|stream| stream.poll_shutdown(cx))
    }
}
