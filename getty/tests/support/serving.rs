//! Servers with a pool, over loopback TCP and in memory.

use std::net::SocketAddr;

use getty::{
    EventListener, Full, Pool, Protocol, Server,
    transport::memory::{self, MemoryConnector},
};
use tokio::{sync::oneshot, task::JoinHandle};

/// One of each kind, small enough that every test meets its bounds.
pub(crate) const POOLS: [Pool; 4] = [
    Pool::Fixed { queues: 3, workers: 7, depth: 10 },
    Pool::Ordered { workers: 3, depth: 10 },
    Pool::Keyed { queues: 3, depth: 10 },
    Pool::Elastic { min: 0, max: 5, idle: std::time::Duration::from_secs(60), depth: 10 },
];

/// A server with a pool over TCP: where it is, what stops it, and its task.
pub(crate) async fn serve<P: Protocol>(
    protocol: P,
    pool: Pool,
    full: Full,
    listener: impl EventListener<P>,
) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<std::io::Result<()>>) {
    let server = Server::bind("127.0.0.1:0").await.unwrap().pool(pool).when_full(full);
    let address = server.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async {
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    (address, stop, tokio::spawn(server.serve_until(protocol, listener, stopped)))
}

/// A server with a pool in memory, which serves for as long as the runtime runs.
pub(crate) fn serve_in_memory<P: Protocol>(
    protocol: P,
    pool: Pool,
    listener: impl EventListener<P>,
) -> MemoryConnector {
    let (connector, listen) = memory::listen();
    tokio::spawn(Server::over(listen).pool(pool).serve(protocol, listener));
    connector
}
