//! Owns mode `rpc` of peer getty: the service as a trait, hessian2 or protobuf over the dubbo protocol, with or without a
//! registry between client and server.

use super::super::Serving;
use crate::latency::Measurement;
use crate::load::rpc::{self, Caller};
use crate::load::{BoxError, LoadError, Shape};
use crate::message::BenchmarkMessage;
use crate::setup::{self, Serialization, Setup};
use crate::tally;
use crate::window::Budget;
use getty_rpc::registry::{self, Address, ProviderUrl, Registry, Target, advertised_address, registry_url};
use getty_rpc::{Client, ClientBuilder, Server, ServiceInfo, Stub, service};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// No call here takes long; a lost one must not be taken for a slow one.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a registry may take to show what was registered.
const LISTED: Duration = Duration::from_secs(10);

/// Both serializations; its stub uses hessian2.
#[service(interface = "com.example.benchmark.Hello", serialization = "hessian2,protobuf")]
trait Hello {
    async fn say(&self, request: BenchmarkMessage) -> BenchmarkMessage;
}

/// The same service; its stub uses protobuf.
#[service(interface = "com.example.benchmark.Hello", serialization = "protobuf,hessian2")]
trait HelloInProtobuf {
    async fn say(&self, request: BenchmarkMessage) -> BenchmarkMessage;
}

struct Handler;

impl Handler {
    fn handle(request: BenchmarkMessage) -> BenchmarkMessage {
        tally::add(1);
        request.into_answer()
    }
}

impl Hello for Handler {
    async fn say(&self, request: BenchmarkMessage) -> BenchmarkMessage {
        Self::handle(request)
    }
}

impl HelloInProtobuf for Handler {
    async fn say(&self, request: BenchmarkMessage) -> BenchmarkMessage {
        Self::handle(request)
    }
}

impl Caller for HelloClient {
    async fn say(&mut self, request: &BenchmarkMessage) -> Result<BenchmarkMessage, BoxError> {
        Ok(Self::say(self, request).await?)
    }
}

impl Caller for HelloInProtobufClient {
    async fn say(&mut self, request: &BenchmarkMessage) -> Result<BenchmarkMessage, BoxError> {
        Ok(Self::say(self, request).await?)
    }
}

/// The service as stubs of that serialization declare it.
fn info(serialization: Serialization) -> &'static ServiceInfo {
    match serialization {
        Serialization::Hessian2 => HelloClient::INFO,
        Serialization::Protobuf => HelloInProtobufClient::INFO,
    }
}

/// A server for each address, as providers of their own.
pub(in crate::peer) async fn serve(setup: Setup) -> Result<Serving, BoxError> {
    let serialization = setup.serialization.unwrap_or_default();
    let registry = match &setup.registry {
        Some(url) => Some(open(url).await?),
        None => None,
    };
    let mut servers = JoinSet::new();
    let mut addrs = Vec::with_capacity(setup.addrs.len());
    for addr in setup.addrs {
        let mut server = Server::bind(addr).await?;
        addrs.push(server.local_addr().ok_or("the server has no address")?);
        if let Some(registry) = &registry {
            server = server.registry_with(Arc::clone(registry));
        }
        let server = match serialization {
            Serialization::Hessian2 => server.service(HelloServer::new(Handler)),
            Serialization::Protobuf => server.service(HelloInProtobufServer::new(Handler)),
        };
        servers.spawn(server.serve());
    }
    let failure = tokio::spawn(async move {
        match servers.join_next().await {
            Some(ended) => ended??,
            None => return Err("there is no address to listen on".into()),
        }
        Err("the server ended by itself".into())
    });
    if let Some(registry) = &registry {
        tokio::time::timeout(LISTED, listed(registry, info(serialization), &addrs)).await??;
    }
    Ok(Serving { addrs, failure })
}

pub(in crate::peer) async fn load(
    setup: Setup,
    shape: Shape,
    budget: Budget,
) -> Result<Measurement, LoadError> {
    let serialization = setup.serialization.unwrap_or_default();
    let place = setup.registry.clone().unwrap_or_else(|| setup::list(&setup.addrs));
    let cannot = |error: BoxError| LoadError::Connect(place, error);
    let builder = Client::builder().connections(shape.connections).timeout(TIMEOUT);
    // One stub: it takes the client's connections in turn.
    let stubs = async {
        let client = client(builder, &setup, info(serialization)).await?;
        let stubs: (HelloClient, HelloInProtobufClient) = (client.refer(), client.refer());
        client.connect().await?;
        Ok(stubs)
    };
    let (hessian2, protobuf) = stubs.await.map_err(cannot)?;
    match serialization {
        Serialization::Hessian2 => rpc::drive(vec![hessian2], shape.callers, budget).await,
        Serialization::Protobuf => rpc::drive(vec![protobuf], shape.callers, budget).await,
    }
}

/// Finds the server at its addresses, or in a registry. One in this process alone is filled with the addresses first.
async fn client(
    builder: ClientBuilder,
    setup: &Setup,
    info: &'static ServiceInfo,
) -> Result<Client, BoxError> {
    let Some(url) = &setup.registry else {
        return Ok(builder.direct(&setup::list(&setup.addrs))?);
    };
    let registry = open(url).await?;
    for addr in &setup.addrs {
        let address = Address::new(&addr.ip().to_string(), addr.port())?;
        let provider = ProviderUrl::new(&address, info.interface).build()?;
        registry.register(provider)?.registered().await?;
    }
    Ok(builder.registry_with(registry))
}

async fn open(url: &str) -> Result<Arc<dyn Registry>, BoxError> {
    Ok(registry::connect(&registry_url(url)?).await?)
}

/// Waits until clients can find the service at all of these addresses.
async fn listed(
    registry: &Arc<dyn Registry>,
    info: &ServiceInfo,
    addrs: &[SocketAddr],
) -> Result<(), BoxError> {
    let own = addrs.iter().map(|addr| advertised_address(*addr)).collect::<Result<Vec<_>, _>>()?;
    let mut providers = registry.subscribe(&Target::new(info.interface));
    while let Some(update) = providers.next().await {
        let is_there = |own: &Address| update.snapshot.iter().any(|provider| provider.address() == own);
        if own.iter().all(is_there) {
            return Ok(());
        }
    }
    Err("the registry was closed".into())
}
