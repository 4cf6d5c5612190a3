//! What becomes of calls whose connection is lost while most of them still wait to be written: each is told at once whether it
//! can have run.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use getty_rpc::{Client, ErrorKind, getty::transport::Tcp, protocol::Status};
use support::{Peer, ProbeClient, Probing, response, serve, within};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::Instant,
};

/// No call waits for it.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Far more than settling some hundred calls takes, and far less than their timeout.
const SETTLED: Duration = Duration::from_secs(10);
/// So long an ending session waits for its peer to take what is queued (`Limits::close_wait`).
const CLOSE_WAIT: Duration = Duration::from_secs(3);
/// So long is each argument: a few of them fill the buffers of the system.
const ARGUMENT: usize = 100_000;
/// More than the client's out-buffer holds, so that the last ones wait for room in it.
const CALLS: usize = 300;
/// Buffers of the system at either end.
const BUFFER: u32 = 16 * 1024;

/// A provider that reads as much as the test wants.
struct Sluggish {
    listener: TcpListener,
}

impl Sluggish {
    fn bind() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(BUFFER).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self { listener: socket.listen(16).unwrap() }
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// The first connection. There is no second one: from now on the port refuses.
    async fn only(self) -> TcpStream {
        within(self.listener.accept()).await.unwrap().0
    }
}

/// A client whose socket buffers little.
fn client(address: SocketAddr) -> Client {
    Client::builder().timeout(TIMEOUT).dial(address.to_string(), move || async move {
        let socket = TcpSocket::new_v4()?;
        socket.set_send_buffer_size(BUFFER)?;
        Tcp::new(socket.connect(address).await?)
    })
}

/// A text that tells which call it belongs to.
fn argument(call: usize) -> String {
    format!("#{call:05}#{}", "x".repeat(ARGUMENT))
}

/// The calls whose argument stands, at least with its beginning, in what a provider has read.
fn calls_in(bytes: &[u8]) -> BTreeSet<usize> {
    let marked = bytes.windows(7).filter(|window| window[0] == b'#' && window[6] == b'#');
    marked.map(|window| str::from_utf8(&window[1..6]).unwrap().parse().unwrap()).collect()
}

type Outcomes = JoinSet<(usize, getty_rpc::Result<String>)>;

fn call_all(probe: &ProbeClient, count: usize) -> Outcomes {
    let mut calls = JoinSet::new();
    for call in 0..count {
        let probe = probe.clone();
        calls.spawn(async move { (call, probe.hello(argument(call)).await) });
    }
    calls
}

async fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    within(stream.read_exact(&mut bytes)).await.unwrap();
    bytes
}

fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
}

#[tokio::test]
async fn calls_that_had_left_may_have_run_and_those_that_had_not_surely_did_not() {
    let sluggish = Sluggish::bind();
    let client = client(sluggish.address());
    let mut calls = call_all(&client.refer(), CALLS);
    let mut stream = sluggish.only().await;
    // Ten requests, and a part of the eleventh.
    let received = calls_in(&read(&mut stream, 10 * ARGUMENT + ARGUMENT / 2).await);
    assert!(received.len() >= 10, "{received:?}");
    reset(stream);
    let lost = Instant::now();

    let (mut left, mut stayed) = (BTreeSet::new(), BTreeSet::new());
    while let Some(outcome) = within(calls.join_next()).await {
        let (call, outcome) = outcome.unwrap();
        let error = outcome.unwrap_err();
        match error.kind() {
            ErrorKind::ConnectionLost => {
                assert!(!error.surely_not_run(), "{error}");
                left.insert(call);
            }
            // It was to be sent again, and nobody was there.
            ErrorKind::Connect => {
                assert!(error.surely_not_run(), "{error}");
                stayed.insert(call);
            }
            _ => panic!("{error}"),
        }
    }
    assert!(lost.elapsed() < SETTLED, "{:?}", lost.elapsed());
    assert_eq!(left.len() + stayed.len(), CALLS);
    assert!(
        received.is_subset(&left),
        "received {received:?}, but it is said of {left:?} only that they had left"
    );
    // What the buffers of the system can hold, and the one that was partly written.
    assert!(left.len() <= received.len() + 5, "{} had left, {} were received", left.len(), received.len());
}

#[tokio::test]
async fn calls_that_had_not_left_go_to_the_next_provider_once_and_the_others_are_not_called_again() {
    let sluggish = Sluggish::bind();
    let probing = Probing::new();
    let good = serve(|server| server.service(probing.server())).await;
    let addresses = format!("{},{}", sluggish.address(), good.address());
    let client = Client::builder().timeout(TIMEOUT).direct(&addresses).unwrap();
    let mut calls = call_all(&client.refer(), CALLS);
    let mut stream = sluggish.only().await;
    let received = calls_in(&read(&mut stream, 3 * ARGUMENT).await);
    // The others go to the good provider.
    let mut served = 0;
    let mut next = async || {
        let (call, outcome) = within(calls.join_next()).await?.unwrap();
        match outcome {
            Ok(hello) => {
                assert!(hello.starts_with(&format!("hello #{call:05}#")));
                Some(None)
            }
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::ConnectionLost), "{error}");
                assert!(!error.surely_not_run(), "{error}");
                Some(Some(call))
            }
        }
    };
    while served < CALLS / 4 {
        assert_eq!(next().await, Some(None), "nothing is lost yet");
        served += 1;
    }
    reset(stream);
    let lost_at = Instant::now();
    let mut lost = BTreeSet::new();
    while let Some(outcome) = next().await {
        match outcome {
            None => served += 1,
            Some(call) => drop(lost.insert(call)),
        }
    }
    assert!(lost_at.elapsed() < SETTLED, "{:?}", lost_at.elapsed());
    assert_eq!(served + lost.len(), CALLS);
    assert_eq!(probing.calls(), served, "each was called once");
    assert!(received.is_subset(&lost), "{received:?} {lost:?}");
    // No more than what the buffers of the system can hold.
    assert!(lost.len() < 60, "{served} were served, {} lost", lost.len());
}

#[tokio::test]
async fn calls_that_were_answered_before_the_loss_keep_their_answers() {
    let sluggish = Sluggish::bind();
    let client = client(sluggish.address());
    let mut calls = call_all(&client.refer(), 20);
    let mut peer = Peer::over(sluggish.only().await);
    for _ in 0..5 {
        let (header, _) = peer.next_call().await.unwrap();
        peer.send(&response(header.id, Status::OK, b"\x94\x04doneHZ")).await;
    }
    for _ in 0..5 {
        assert_eq!(within(calls.join_next()).await.unwrap().unwrap().1.unwrap(), "done");
    }
    peer.reset();
    let lost = Instant::now();
    while let Some(outcome) = within(calls.join_next()).await {
        let error = outcome.unwrap().1.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::ConnectionLost | ErrorKind::Connect), "{error}");
    }
    assert!(lost.elapsed() < SETTLED, "{:?}", lost.elapsed());
}

/// What else can end a connection whose peer reads nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    BadFrame,
    Finished,
    ClosedHere,
}

#[tokio::test]
async fn a_peer_that_reads_nothing_holds_up_the_end_of_a_connection_for_seconds_and_not_for_the_timeout() {
    within(async {
        tokio::join!(ended_by(End::BadFrame), ended_by(End::Finished), ended_by(End::ClosedHere))
    })
    .await;
}

async fn ended_by(end: End) {
    let sluggish = Sluggish::bind();
    let client = client(sluggish.address());
    let mut calls = call_all(&client.refer(), 20);
    let mut stream = sluggish.only().await;
    let received = calls_in(&read(&mut stream, ARGUMENT / 2).await);
    let lost = Instant::now();
    match end {
        End::BadFrame => within(stream.write_all(&[0xff; 16])).await.unwrap(),
        End::Finished => within(stream.shutdown()).await.unwrap(),
        End::ClosedHere => within(client.close()).await,
    }
    let mut may_have_run = BTreeSet::new();
    while let Some(outcome) = within(calls.join_next()).await {
        let (call, outcome) = outcome.unwrap();
        let error = outcome.unwrap_err();
        match (end, error.kind()) {
            (End::BadFrame, ErrorKind::BadFrame)
            | (End::Finished, ErrorKind::ConnectionLost)
            | (End::ClosedHere, ErrorKind::Closed) => {}
            (End::BadFrame | End::Finished, ErrorKind::Connect) => {
                assert!(error.surely_not_run(), "{end:?}: {error}")
            }
            _ => panic!("{end:?}: {error}"),
        }
        if !error.surely_not_run() {
            may_have_run.insert(call);
        }
    }
    assert!(lost.elapsed() < CLOSE_WAIT + SETTLED, "{end:?}: {:?}", lost.elapsed());
    // Whatever could still be written while the connection ended is among those that may have run.
    let mut rest = Vec::new();
    let _ = within(stream.read_to_end(&mut rest)).await;
    let received: BTreeSet<_> = received.union(&calls_in(&rest)).copied().collect();
    assert!(received.is_subset(&may_have_run), "{end:?}: {received:?} {may_have_run:?}");
    assert!(may_have_run.len() < 10, "{end:?}: {may_have_run:?}");
}
