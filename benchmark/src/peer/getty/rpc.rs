//! Owns mode `rpc` of peer getty: the service as a trait, hessian2 over the dubbo protocol.

use super::super::Serving;
use crate::latency::Measurement;
use crate::load::rpc::{self, Caller};
use crate::load::{BoxError, LoadError, Shape};
use crate::message::BenchmarkMessage;
use crate::tally;
use crate::window::Budget;
use getty_rpc::{Client, Server, service};
use std::net::SocketAddr;
use std::time::Duration;

/// No call here takes long; a lost one must not be taken for a slow one.
const TIMEOUT: Duration = Duration::from_secs(10);

#[service(interface = "com.example.benchmark.Hello")]
trait Hello {
    async fn say(&self, request: BenchmarkMessage) -> BenchmarkMessage;
}

struct Handler;

impl Hello for Handler {
    async fn say(&self, request: BenchmarkMessage) -> BenchmarkMessage {
        tally::add(1);
        request.into_answer()
    }
}

impl Caller for HelloClient {
    async fn say(&mut self, request: &BenchmarkMessage) -> Result<BenchmarkMessage, BoxError> {
        Ok(Self::say(self, request).await?)
    }
}

pub(in crate::peer) async fn serve(addr: SocketAddr) -> Result<Serving, BoxError> {
    let server = Server::bind(addr).await?.service(HelloServer::new(Handler));
    let addr = server.local_addr().ok_or("the server has no address")?;
    Ok(Serving::spawn(addr, async move {
        server.serve().await?;
        Err("the server ended by itself".into())
    }))
}

pub(in crate::peer) async fn load(
    addr: SocketAddr,
    shape: Shape,
    budget: Budget,
) -> Result<Measurement, LoadError> {
    let cannot = |error: getty_rpc::Error| LoadError::Connect(addr, error.into());
    let client = Client::builder()
        .connections(shape.connections)
        .timeout(TIMEOUT)
        .direct(&addr.to_string())
        .map_err(cannot)?;
    client.connect().await.map_err(cannot)?;
    // One stub: it takes the client's connections in turn.
    rpc::drive(vec![client.refer::<HelloClient>()], shape.callers, budget).await
}
