//! Sessions at rest cost nobody anything: no wake-up, and one task each. What has ended leaves no task behind.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use getty::{Client, Full, Limits, Pool, Server, accept, transport::Io};
use support::{Frames, POOLS, Recorder, echo, frame, read_frame, serve, until, within};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex},
    net::TcpStream,
    runtime::Handle,
    time::sleep,
};

const HOUR: Duration = Duration::from_secs(3600);
const PEERS: usize = 50;

#[tokio::test(start_paused = true)]
async fn an_idle_session_is_woken_by_nobody_for_an_hour() {
    let polls = Arc::<AtomicUsize>::default();
    let (own, theirs) = duplex(1024);
    let accepted = accept(counted(theirs, &polls), Frames, echo(), Limits::default());
    let (recorder, mut events) = Recorder::new();
    let client = {
        let own = Mutex::new(Some(counted(own, &polls)));
        Client::new(1, Frames, recorder, move || {
            let own = own.lock().unwrap().take().ok_or(io::ErrorKind::ConnectionRefused);
            async move { Ok(own?) }
        })
    };
    let session = client.session().await.unwrap();
    session.write(Bytes::from_static(b"hello")).unwrap();
    events.open().await;
    assert_eq!(events.message().await, "hello");
    // What is waited for until a peer is taken for good is over by then.
    sleep(HOUR).await;
    let before = polls.load(Ordering::SeqCst);
    assert!(before > 0);
    sleep(HOUR).await;
    assert_eq!(polls.load(Ordering::SeqCst), before, "somebody looked for input that was not there");
    assert!(session.is_open() && accepted.is_open());
}

#[tokio::test]
async fn a_session_is_one_task() {
    for cron in [None, Some(HOUR)] {
        let nothing = alive();
        let (recorder, mut events) = Recorder::new();
        let server = Server::bind("127.0.0.1:0").await.unwrap().limits(Limits::default().cron(cron));
        let address = server.local_addr().unwrap();
        let serving = tokio::spawn(server.serve(Frames, recorder));
        let first = TcpStream::connect(address).await.unwrap();
        events.open().await;
        let before = alive();
        let mut peers = Vec::new();
        for _ in 0..PEERS {
            peers.push(TcpStream::connect(address).await.unwrap());
            events.open().await;
        }
        assert_eq!(alive(), before + PEERS);
        drop(peers);
        until(|| alive() == before).await;
        // What was recorded holds handles of the sessions.
        drop((first, events));
        serving.abort();
        until(|| alive() == nothing).await;
    }
}

#[tokio::test]
async fn a_server_that_has_stopped_leaves_no_task_behind_whatever_its_pool() {
    for pool in POOLS.into_iter().chain([Pool::Inline]) {
        let before = alive();
        let (address, stop, serving) = serve(Frames, pool, Full::Wait, echo()).await;
        let mut peers = Vec::new();
        for _ in 0..5 {
            let mut peer = TcpStream::connect(address).await.unwrap();
            peer.write_all(&frame(b"hello")).await.unwrap();
            assert_eq!(read_frame(&mut peer).await, b"hello");
            peers.push(peer);
        }
        assert!(alive() > before + peers.len(), "the server has tasks, else there is nothing to see here");
        stop.send(()).unwrap();
        within(serving).await.unwrap().unwrap();
        until(|| alive() == before).await;
    }
}

/// Tasks of this test's runtime.
fn alive() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

fn counted(stream: DuplexStream, polls: &Arc<AtomicUsize>) -> Io<Counted> {
    Io::new(Counted { stream, polls: Arc::clone(polls) }, "memory")
}

/// A stream that counts how often somebody looks for input.
struct Counted {
    stream: DuplexStream,
    polls: Arc<AtomicUsize>,
}

impl AsyncRead for Counted {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.polls.fetch_add(1, Ordering::SeqCst);
        Pin::new(&mut this.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
