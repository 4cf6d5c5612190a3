//! Owns peer tarpc: its service macro, bincode in length-delimited frames over TCP. Limits are raised where the
//! defaults would make callers wait for each other; everything else is as tarpc comes.

use super::Serving;
use crate::latency::Measurement;
use crate::load::rpc::{self, Caller};
use crate::load::{BoxError, LoadError, Shape};
use crate::message::BenchmarkMessage;
use crate::tally;
use crate::window::Budget;
use futures_util::StreamExt;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use tarpc::client;
use tarpc::context::{self, Context};
use tarpc::serde_transport::new as transport;
use tarpc::server::{self, BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::tokio_util::codec::LengthDelimitedCodec;
use tokio::net::{TcpListener, TcpStream};

/// Calls in flight and answers queued per connection; tarpc's own defaults are 1,000 and 100.
const IN_FLIGHT: usize = 10_000;

#[tarpc::service]
trait Hello {
    async fn say(request: BenchmarkMessage) -> BenchmarkMessage;
}

#[derive(Clone)]
struct Handler;

impl Hello for Handler {
    async fn say(self, _: Context, request: BenchmarkMessage) -> BenchmarkMessage {
        tally::add(1);
        request.into_answer()
    }
}

impl Caller for HelloClient {
    async fn say(&mut self, request: &BenchmarkMessage) -> Result<BenchmarkMessage, BoxError> {
        Ok(Self::say(self, context::current(), request.clone()).await?)
    }
}

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
    rpc::drive(connections, shape.callers, budget).await
}

async fn accept(listener: TcpListener) -> Result<Infallible, BoxError> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let transport = transport(LengthDelimitedCodec::builder().new_framed(stream), Bincode::default());
        let config = server::Config { pending_response_buffer: IN_FLIGHT };
        let answers = BaseChannel::new(config, transport).execute(Handler.serve());
        tokio::spawn(answers.for_each(async |answer| {
            tokio::spawn(answer);
        }));
    }
}

async fn connect(addr: SocketAddr) -> io::Result<HelloClient> {
    let stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    let transport = transport(LengthDelimitedCodec::builder().new_framed(stream), Bincode::default());
    let mut config = client::Config::default();
    config.max_in_flight_requests = IN_FLIGHT;
    config.pending_request_buffer = IN_FLIGHT;
    Ok(HelloClient::new(config, transport).spawn())
}
