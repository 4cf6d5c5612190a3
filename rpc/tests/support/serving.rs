//! Servers that run while a test needs them.

use std::{io, net::SocketAddr};

use getty_rpc::{
    Client, Server,
    getty::transport::{Listen, Tcp, TcpListen},
};
use tokio::{
    runtime::Runtime,
    sync::{oneshot, watch},
    task::JoinHandle,
};

use super::{FakePipe, PATIENCE, PipeEnd, Pipes, ProbeClient, Probing, within};

/// A client whose calls wait far longer than they need to.
pub(crate) fn patient(addresses: impl ToString) -> Client {
    Client::builder().timeout(PATIENCE).direct(&addresses.to_string()).unwrap()
}

/// A server of the probe service, and a stub that calls it.
pub(crate) async fn called() -> (Probing, Serving, ProbeClient) {
    let probing = Probing::new();
    let serving = serve(|server| server.service(probing.server())).await;
    let probe = patient(serving.address()).refer();
    (probing, serving, probe)
}

/// A server in a task of the test's runtime.
pub(crate) struct Serving {
    address: Option<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<io::Result<()>>,
}

/// Serves on a loopback port.
pub(crate) async fn serve(configure: impl FnOnce(Server) -> Server) -> Serving {
    Serving::start(configure(Server::bind("127.0.0.1:0").await.unwrap()))
}

/// Serves over pipes in memory.
pub(crate) fn over_pipes(
    configure: impl FnOnce(Server<Pipes>) -> Server<Pipes>,
) -> (Serving, FakePipe<PipeEnd>) {
    let (pipes, connector) = Pipes::listen();
    (Serving::start(configure(Server::over(pipes))), connector)
}

impl Serving {
    pub(crate) fn start<A: Listen>(server: Server<A>) -> Self {
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(server.serve_until(async { drop(stopped.await) }));
        Self { address, stop: Some(stop), task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address.unwrap()
    }

    /// As a URL for `Client::direct`.
    pub(crate) fn url(&self) -> String {
        self.address().to_string()
    }

    /// Begins the orderly end.
    pub(crate) fn stop(&mut self) {
        self.stop = None;
    }

    /// Waits for the end.
    pub(crate) async fn stopped(self) {
        within(self.task).await.unwrap().unwrap();
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.task.is_finished()
    }
}

/// A server in a runtime of its own, which can be killed as a process can: its sockets close, and nothing is said.
pub(crate) struct Provider {
    address: SocketAddr,
    accepted: watch::Receiver<usize>,
    runtime: Option<Runtime>,
}

/// Counts what it accepts.
pub(crate) struct Counted {
    listen: TcpListen,
    accepted: watch::Sender<usize>,
}

impl Listen for Counted {
    type Conn = Tcp;

    async fn accept(&mut self) -> io::Result<Tcp> {
        let accepted = self.listen.accept().await?;
        self.accepted.send_modify(|count| *count += 1);
        Ok(accepted)
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.listen.local_addr()
    }
}

impl Provider {
    /// On a free port.
    pub(crate) async fn start<F>(configure: F) -> Self
    where
        F: FnOnce(Server<Counted>) -> Server<Counted> + Send + 'static,
    {
        Self::start_at("127.0.0.1:0".parse().unwrap(), configure).await
    }

    /// On this port.
    pub(crate) async fn start_at<F>(address: SocketAddr, configure: F) -> Self
    where
        F: FnOnce(Server<Counted>) -> Server<Counted> + Send + 'static,
    {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (count, accepted) = watch::channel(0);
        let bound = runtime.spawn(async move {
            let listen = Counted { listen: TcpListen::bind(address).await.unwrap(), accepted: count };
            let server = configure(Server::over(listen));
            let address = server.local_addr().unwrap();
            tokio::spawn(server.serve());
            address
        });
        Self { address: within(bound).await.unwrap(), accepted, runtime: Some(runtime) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has accepted.
    pub(crate) fn accepted(&self) -> usize {
        *self.accepted.borrow()
    }

    /// Waits until it has accepted so many.
    pub(crate) async fn has_accepted(&self, connections: usize) {
        let mut accepted = self.accepted.clone();
        within(accepted.wait_for(|count| *count >= connections)).await.unwrap();
    }

    /// Ends it at once, and waits until its port is free.
    pub(crate) async fn kill(mut self) {
        let runtime = self.runtime.take().unwrap();
        within(tokio::task::spawn_blocking(move || runtime.shutdown_timeout(PATIENCE))).await.unwrap();
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
