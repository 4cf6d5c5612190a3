//! Providers of tickets: in processes of their own, and in the test's.

use std::{io::ErrorKind, sync::Arc, time::Duration};

use getty_examples::tickets::{Machine, TicketsServer};
use getty_rpc::{Server, registry::Registry};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

use super::{PATIENCE, Program, free_port};

/// Calls take a moment, so that there are always some in flight.
const WORK_MS: u64 = 10;

/// One in a process of its own, as soon as the registry knows it.
pub(crate) async fn process(registry: &str, port: u16) -> Program {
    let (port_text, work) = (port.to_string(), WORK_MS.to_string());
    let arguments = ["provider", "--registry", registry, "--port", &port_text, "--work", &work];
    Program::start(env!("CARGO_BIN_EXE_registry"), &arguments, port).await
}

/// One in this process, over real sockets.
pub(crate) struct Provider {
    pub(crate) port: u16,
    pub(crate) registry: Arc<dyn Registry>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Provider {
    pub(crate) async fn start(registry: &Arc<dyn Registry>) -> Self {
        let (port, server) = loop {
            let port = free_port();
            match Server::bind(("127.0.0.1", port)).await {
                Ok(server) => break (port, server),
                // A process that another test starts has the socket that looked for it, until it runs its own program.
                Err(error) if error.kind() == ErrorKind::AddrInUse => {}
                Err(error) => panic!("port {port}: {error}"),
            }
        };
        let machine = Machine::new(format!("127.0.0.1:{port}"), Duration::from_millis(WORK_MS));
        let server = server.service(TicketsServer::new(machine)).registry_with(Arc::clone(registry));
        // News is quick within a process.
        let server = server.notice(Duration::from_millis(300));
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server.serve_until(async { drop(stopped.await) }));
        Self { port, registry: Arc::clone(registry), stop, serving }
    }

    /// Its end in good order.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        timeout(PATIENCE, self.serving).await.expect("ended in time").expect("no panic").expect("a good end");
    }
}
