//! Owns peer tonic: unary gRPC with prost, on the API that generated code uses, so that no `protoc` is needed.

use super::Serving;
use crate::latency::Measurement;
use crate::load::rpc::{self, Caller};
use crate::load::{BoxError, LoadError, Shape};
use crate::message::BenchmarkMessage;
use crate::tally;
use crate::window::Budget;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::client::Grpc as Client;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{Grpc, UnaryService};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{self, Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

const PATH: &str = "/com.example.benchmark.Hello/Say";
/// Streams per connection; hyper's own default is 200.
const STREAMS: u32 = 10_000;

/// The service as HTTP: finds the method, as a generated server does.
#[derive(Clone)]
struct Hello;

impl Service<http::Request<Body>> for Hello {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != PATH {
            return Box::pin(async { Ok(Status::unimplemented("only Hello/Say is served").into_http()) });
        }
        Box::pin(async { Ok(Grpc::new(ProstCodec::default()).unary(Say, request).await) })
    }
}

/// The handler.
struct Say;

impl UnaryService<BenchmarkMessage> for Say {
    type Response = BenchmarkMessage;
    type Future = BoxFuture<Response<BenchmarkMessage>, Status>;

    fn call(&mut self, request: Request<BenchmarkMessage>) -> Self::Future {
        Box::pin(async {
            tally::add(1);
            Ok(Response::new(request.into_inner().into_answer()))
        })
    }
}

impl Caller for Client<Channel> {
    async fn say(&mut self, request: &BenchmarkMessage) -> Result<BenchmarkMessage, BoxError> {
        self.ready().await?;
        let request = Request::new(request.clone());
        let answer = self.unary(request, PathAndQuery::from_static(PATH), ProstCodec::default()).await?;
        Ok(answer.into_inner())
    }
}

pub(super) async fn serve(addr: SocketAddr) -> Result<Serving, BoxError> {
    let listener = TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = Server::builder().max_concurrent_streams(STREAMS).serve_with_incoming(Hello, incoming);
    Ok(Serving::spawn(addr, async move {
        server.await?;
        Err("tonic's server ended".into())
    }))
}

pub(super) async fn load(addr: SocketAddr, shape: Shape, budget: Budget) -> Result<Measurement, LoadError> {
    let mut connections = Vec::with_capacity(shape.connections);
    for _ in 0..shape.connections {
        connections
            .push(connect(addr).await.map_err(|error| LoadError::Connect(addr.to_string(), error.into()))?);
    }
    rpc::drive(connections, shape.callers, budget).await
}

async fn connect(addr: SocketAddr) -> Result<Client<Channel>, transport::Error> {
    let channel = Endpoint::from_shared(format!("http://{addr}"))?.tcp_nodelay(true).connect().await?;
    Ok(Client::new(channel))
}
