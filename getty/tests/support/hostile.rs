//! What tests with hostile peers share: a server that tells of every end, honest peers that go on meanwhile, and raw connections
//! from other addresses.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use getty::{
    BoxError, Client, ClientBuilder, Error, EventListener, Limits, Server, ServerCounts, Session,
    transport::Listen,
};
use tokio::{
    net::{TcpSocket, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
    time::sleep,
};

use super::{Events, Frames, Recorder, until, within};

/// A server that echoes, under attack.
pub(crate) struct Target {
    pub(crate) addr: SocketAddr,
    pub(crate) counts: Arc<ServerCounts>,
    pub(crate) seen: Arc<Seen>,
    ends: UnboundedReceiver<Session<Frames>>,
}

/// What its listener has seen.
#[derive(Default)]
pub(crate) struct Seen {
    sessions: Mutex<Vec<Session<Frames>>>,
    closed: AtomicUsize,
}

struct Echo {
    seen: Arc<Seen>,
    ends: UnboundedSender<Session<Frames>>,
}

impl EventListener<Frames> for Echo {
    fn on_open(&self, session: &Session<Frames>) -> Result<(), BoxError> {
        self.seen.sessions.lock().unwrap().push(session.clone());
        Ok(())
    }

    fn on_message(&self, session: &Session<Frames>, packet: Bytes) {
        let _ = session.write(packet);
    }

    fn on_close(&self, session: &Session<Frames>) {
        self.seen.closed.fetch_add(1, Ordering::SeqCst);
        let _ = self.ends.send(session.clone());
    }
}

impl Target {
    /// Over TCP.
    pub(crate) async fn serve(limits: Limits) -> Self {
        Self::of(Server::bind("127.0.0.1:0").await.unwrap(), limits)
    }

    pub(crate) fn of<A: Listen>(server: Server<A>, limits: Limits) -> Self {
        let server = server.limits(limits);
        let (addr, counts) = (server.local_addr().unwrap(), server.counts());
        let seen = Arc::new(Seen::default());
        let (sender, ends) = unbounded_channel();
        tokio::spawn(server.serve(Frames, Echo { seen: Arc::clone(&seen), ends: sender }));
        Self { addr, counts, seen, ends }
    }

    /// Why the next session ended; `None` for no error.
    pub(crate) async fn next_end(&mut self) -> (Session<Frames>, Option<Arc<Error>>) {
        let session = within(self.ends.recv()).await.expect("the server has gone");
        let error = session.error().cloned();
        (session, error)
    }

    pub(crate) fn sessions(&self) -> Vec<Session<Frames>> {
        self.seen.sessions.lock().unwrap().clone()
    }

    /// Sessions that have opened and not closed.
    pub(crate) fn live(&self) -> usize {
        self.seen.sessions.lock().unwrap().len() - self.seen.closed.load(Ordering::SeqCst)
    }
}

/// An honest peer of an echo, which sends and compares all the time.
pub(crate) struct Honest {
    echoes: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Honest {
    /// Over TCP.
    pub(crate) async fn tcp(addr: SocketAddr) -> Self {
        let (recorder, events) = Recorder::new();
        Self::over(ClientBuilder::new(Frames, recorder).tcp(addr.to_string()), events).await
    }

    pub(crate) async fn over(client: Client<Frames>, events: Events<Frames>) -> Self {
        Self::with_sizes(client, events, &[1, 100, 5_000, 70_000]).await
    }

    /// With packets of these sizes.
    pub(crate) async fn with_sizes(
        client: Client<Frames>,
        mut events: Events<Frames>,
        sizes: &'static [usize],
    ) -> Self {
        let session = within(client.session()).await.unwrap();
        events.open().await;
        let echoes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&echoes);
        let task = tokio::spawn(async move {
            let _client = client;
            for &size in sizes.iter().cycle() {
                let body = Bytes::from(vec![size as u8; size]);
                session.write(body.clone()).unwrap();
                assert!(events.message().await == body, "{size} bytes came back otherwise");
                counted.fetch_add(1, Ordering::SeqCst);
                // It is to leave some of the machine to the others.
                sleep(Duration::from_millis(2)).await;
            }
        });
        let honest = Self { echoes, task };
        honest.goes_on().await;
        honest
    }

    /// Waits until it has got ten further answers.
    pub(crate) async fn goes_on(&self) {
        let enough = self.echoes.load(Ordering::SeqCst) + 10;
        let (echoes, task) = (Arc::clone(&self.echoes), &self.task);
        until(|| echoes.load(Ordering::SeqCst) >= enough || task.is_finished()).await;
        assert!(!self.task.is_finished(), "the honest session has ended");
    }
}

impl Drop for Honest {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A connection from `127.0.0.0/8`.
pub(crate) async fn connect_from(last: u8, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((local(last), 0).into())?;
    socket.connect(to).await
}

pub(crate) fn local(last: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, last).into()
}

/// So many connections, one after the other.
pub(crate) async fn connect(count: usize, to: SocketAddr) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..count {
        streams.push(within(TcpStream::connect(to)).await.unwrap());
    }
    streams
}
