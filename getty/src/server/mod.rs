//! Accepts connections and runs a session on each; at the end it waits for all of them.

mod gate;
mod rarely;
mod reserve;

use std::{
    collections::HashMap,
    fmt,
    future::{Future, pending, poll_fn},
    io::{self, Result},
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use tokio::{net::ToSocketAddrs, sync::Notify, task::yield_now, time::timeout};

use crate::{
    EndpointKind, EventListener, Full, Limits, Observer, Pool, Protocol, Session,
    endpoint::Endpoint,
    error::panicked,
    observer::Observing,
    session::Driver,
    transport::{Listen, TcpListen, Transport},
};

use rarely::Rarely;
use reserve::Reserve;

pub use gate::{Gate, ServerCounts};

/// Pauses after a failed accept (no descriptors left), from the first to the longest. The end of a session, which frees one, ends
/// a pause too.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));
/// After how many connections those who wait are turned away no further, until the next pause is over.
const AWAY: u64 = 1_024;

/// Accepts sessions.
pub struct Server<A = TcpListen> {
    listen: A,
    limits: Limits,
    pool: Pool,
    full: Full,
    observing: Observing,
    counts: Arc<ServerCounts>,
}

impl Server {
    /// Binds to a TCP address; port 0 takes a free one. It accepts nothing before [`serve`](Self::serve).
    ///
    /// # Errors
    /// Those of the system, such as an address in use.
    pub async fn bind(addr: impl ToSocketAddrs) -> Result<Self> {
        Ok(Self::over(TcpListen::bind(addr).await?))
    }
}

impl<A: Listen> Server<A> {
    /// Over any source of connections, such as a [`UdpListen`](crate::transport::UdpListen).
    pub fn over(listen: A) -> Self {
        Self {
            listen,
            limits: Limits::default(),
            pool: Pool::Inline,
            full: Full::Wait,
            observing: Observing::new(EndpointKind::Server),
            counts: Arc::default(),
        }
    }

    /// Compresses all connections. Their peers have to do the same.
    #[cfg(feature = "compression")]
    pub fn compressed(
        self,
        by: crate::transport::Compression,
    ) -> Server<crate::transport::CompressedListen<A>> {
        let Self { listen, limits, pool, full, observing, counts } = self;
        Server {
            listen: crate::transport::CompressedListen::new(listen, by),
            limits,
            pool,
            full,
            observing,
            counts,
        }
    }

    /// Bounds of all its sessions.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where `on_message` runs. Default [`Pool::Inline`].
    #[must_use]
    pub fn pool(mut self, pool: Pool) -> Self {
        self.pool = pool;
        self
    }

    /// What becomes of a packet for which the pool has no place. Default [`Full::Wait`].
    #[must_use]
    pub fn when_full(mut self, full: Full) -> Self {
        self.full = full;
        self
    }

    /// Its name, for logs and metrics: [`Session::name`] and [`EndpointInfo::name`](crate::EndpointInfo::name). Default `server`.
    #[must_use]
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.observing.endpoint.name = name.into();
        self
    }

    /// Who is told what becomes of its connections. One; a second call replaces the first. Default: nobody.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observing.observer = Some(Arc::new(observer));
        self
    }

    /// Where it listens; `None` where the transport has no addresses.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.listen.local_addr()
    }

    /// What it accepts and refuses. They go on counting while it serves.
    pub fn counts(&self) -> Arc<ServerCounts> {
        Arc::clone(&self.counts)
    }

    /// Serves for ever.
    ///
    /// # Errors
    /// None at present: a failed accept is logged and tried again.
    pub async fn serve<P: Protocol>(self, protocol: P, listener: impl EventListener<P>) -> Result<()> {
        self.serve_until(protocol, listener, pending()).await
    }

    /// Serves until `stop` is ready, then stops accepting, closes all sessions and waits for every `on_close`; that takes at
    /// most [`Limits::close_wait`](field@Limits::close_wait). Dropped before, it stops accepting and the sessions live on.
    ///
    /// # Errors
    /// None at present: a failed accept is logged and tried again.
    pub async fn serve_until<P: Protocol>(
        mut self,
        protocol: P,
        listener: impl EventListener<P>,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<()> {
        let observing = self.observing.clone();
        if observing.observer.is_some() {
            self.listen.on_handshake_failed(Arc::new(move |peer, error| {
                observing.tell(|observer, endpoint| observer.handshake_failed(endpoint, peer, error));
            }));
        }
        let endpoint =
            Endpoint::new(protocol, listener, self.limits, self.pool, self.full, self.observing.clone());
        let gate = Gate::new(&self.limits, Arc::clone(&self.counts), self.observing.clone());
        self.listen.gate(gate.clone());
        let sessions = Arc::new(Sessions { gate, live: Mutex::default(), gone: Notify::new() });
        {
            let mut accepting = pin!(self.accept_all(&endpoint, &sessions));
            let mut stop = pin!(stop);
            poll_fn(|cx| match stop.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(()),
                Poll::Pending => accepting.as_mut().poll(cx),
            })
            .await;
        }
        drop(self.listen);
        sessions.close().await;
        Ok(())
    }

    async fn accept_all<P: Protocol>(&mut self, endpoint: &Arc<Endpoint<P>>, sessions: &Arc<Sessions<P>>) {
        let mut pause = PAUSE.0;
        let mut told = Rarely::default();
        let mut reserve = Reserve::default();
        loop {
            reserve.refill();
            match self.listen.accept().await {
                Ok(conn) => {
                    pause = PAUSE.0;
                    // `Protocol::open` runs here, and must not end the accepting.
                    let made = catch_unwind(AssertUnwindSafe(|| {
                        let info = conn.info();
                        let admitted = sessions.gate.admits(info.peer);
                        admitted.then(|| Driver::new(endpoint, conn, info, Some(Arc::clone(sessions))))
                    }));
                    match made {
                        Ok(Some(driver)) => drop(endpoint.runtime.spawn(driver)),
                        Ok(None) => {}
                        Err(panic) => tracing::error!("{}", panicked("making a session", panic)),
                    }
                }
                Err(error) if per_connection(&error) => {
                    self.counts.count_failed();
                    self.observing.tell(|observer, endpoint| observer.accept_failed(endpoint, &error));
                    tracing::debug!(%error, "a connection was lost before it was accepted")
                }
                Err(error) => {
                    let gone = sessions.gone.notified();
                    self.counts.count_failed();
                    self.observing.tell(|observer, endpoint| observer.accept_failed(endpoint, &error));
                    if let Some(untold) = told.now() {
                        let turned_away = self.counts.turned_away();
                        tracing::warn!(%error, ?pause, untold, turned_away, "cannot accept");
                    }
                    if pause == PAUSE.1 && reserve.is_last() {
                        // Who has waited through all the shorter ones may find a place elsewhere.
                        self.turn_away(&mut reserve, &sessions.gate).await;
                    }
                    pause = match timeout(pause, gone).await {
                        Ok(()) => PAUSE.0,
                        Err(_) => (pause * 2).min(PAUSE.1),
                    };
                }
            }
        }
    }

    /// Accepts those who wait by means of the reserve, and closes their connections. A handshake that ends in this very moment is
    /// one of them.
    async fn turn_away(&mut self, reserve: &mut Reserve, gate: &Gate) {
        let counts = Arc::clone(&self.counts);
        let enough = counts.turned_away() + AWAY;
        gate.shut(true);
        reserve.give_up();
        loop {
            let before = counts.turned_away();
            poll_fn(|cx| {
                // Each is closed before the next one is accepted: there is one descriptor for all of them. The runtime lets a task
                // accept 128 at a time.
                while counts.turned_away() < enough
                    && let Poll::Ready(Ok(conn)) = pin!(self.listen.accept()).poll(cx)
                {
                    drop(conn);
                    gate.turned_away();
                }
                Poll::Ready(())
            })
            .await;
            if counts.turned_away() == before || counts.turned_away() >= enough {
                break;
            }
            yield_now().await;
        }
        reserve.refill();
        gate.shut(false);
    }
}

/// Errors that say nothing of the listener itself.
fn per_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, InvalidInput};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted | InvalidInput
    )
}

impl<A> fmt::Debug for Server<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Runs one session on a connection that was made elsewhere. Must be called in a tokio runtime.
///
/// `on_open` runs in the session's task, so what is written through the handle right away may go out before what it writes.
pub fn accept<P: Protocol>(
    conn: impl Transport,
    protocol: P,
    listener: impl EventListener<P>,
    limits: Limits,
) -> Session<P> {
    let observing = Observing::new(EndpointKind::Server);
    let endpoint = Endpoint::new(protocol, listener, limits, Pool::Inline, Full::Wait, observing);
    let info = conn.info();
    let driver = Driver::new(&endpoint, conn, info, None);
    let session = driver.session().clone();
    endpoint.runtime.spawn(driver);
    session
}

/// The sessions that a server has.
pub(crate) struct Sessions<P: Protocol> {
    gate: Gate,
    live: Mutex<HashMap<u64, Session<P>>>,
    /// Woken by every session that ends.
    gone: Notify,
}

impl<P: Protocol> Sessions<P> {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Session<P>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, session: &Session<P>) {
        self.gate.enter(session.peer());
        self.lock().insert(session.id(), session.clone());
    }

    pub(crate) fn remove(&self, session: &Session<P>) {
        self.gate.leave(session.peer());
        self.lock().remove(&session.id());
        self.gone.notify_waiters();
    }

    /// Closes all, the oldest first, and waits until none is left.
    async fn close(&self) {
        let mut all: Vec<_> = self.lock().values().cloned().collect();
        // The map's own order is another one in every run, which no seed of a simulation would change.
        all.sort_unstable_by_key(Session::id);
        for session in all {
            session.close();
        }
        loop {
            let gone = self.gone.notified();
            if self.lock().is_empty() {
                return;
            }
            gone.await;
        }
    }
}
