//! The simulated network, as getty sees it.

use std::{io, net::SocketAddr, time::Duration};

use getty::transport::{Io, Listen};
use turmoil::{
    Builder, Sim,
    net::{TcpListener, TcpStream},
};

/// Where the server of a simulation is.
pub(crate) const SERVER: &str = "server";
const PORT: u16 = 7001;

pub(crate) type Conn = Io<TcpStream>;

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

pub(crate) async fn dial() -> io::Result<Conn> {
    TcpStream::connect((SERVER, PORT)).await.map(|stream| Io::new(stream, "simulated"))
}

pub(crate) struct Listening(TcpListener);

pub(crate) async fn listen() -> io::Result<Listening> {
    TcpListener::bind(("0.0.0.0", PORT)).await.map(Listening)
}

impl Listen for Listening {
    type Conn = Conn;

    async fn accept(&mut self) -> io::Result<Conn> {
        self.0.accept().await.map(|(stream, _)| Io::new(stream, "simulated"))
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.0.local_addr().ok()
    }
}
