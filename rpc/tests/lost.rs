//! What becomes of calls whose connection is lost while most of them still wait to be written: each is told at once whether it
//! can have run.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    collections::BTreeSet,
    future::{Future, poll_fn},
    net::SocketAddr,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use getty_rpc::{
    Client, ErrorKind, getty::transport::Tcp, protocol::Status, registry::FixedRegistry, service,
};
use support::{Peer, ProbeClient, Provider, response, within};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, timeout},
};

/// No call waits for it.
const TIMEOUT: Duration = Duration::from_secs(30);
/// More than settling some hundred calls takes in a debug build on a busy machine, and far less than their timeout.
const SETTLED: Duration = Duration::from_secs(1);
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
    let (received, outcomes, served) = reset_while_half_is_written(|once, call, filler| async move {
        once.add(call).attach("filler", filler).await
    })
    .await;
    let lost: BTreeSet<_> =
        outcomes.iter().filter(|(_, outcome)| outcome.is_err()).map(|(call, _)| *call).collect();
    for (call, outcome) in outcomes {
        match outcome {
            Ok(answer) => assert_eq!(answer, call),
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::ConnectionLost), "{error}");
                assert!(!error.surely_not_run() && error.to_string().contains("may have run"), "{error}");
            }
        }
    }
    assert!(received.is_subset(&lost), "{received:?} {lost:?}");
    let moved: Vec<_> = (0..HALVES).filter(|call| !lost.contains(call)).collect();
    assert!(lost.len() >= 50 && moved.len() >= 50, "{} had left, {} had not", lost.len(), moved.len());
    assert_eq!(served, moved, "what had not left, and nothing else, is called at the other provider, once");
}

#[tokio::test]
async fn idempotent_calls_that_had_left_are_repeated_at_the_next_provider_too() {
    let (received, outcomes, served) = reset_while_half_is_written(|once, call, filler| async move {
        once.add_again(call).attach("filler", filler).await
    })
    .await;
    assert!(received.len() >= 10, "{received:?}");
    for (call, outcome) in outcomes {
        assert_eq!(outcome.unwrap(), call);
    }
    assert_eq!(served, Vec::from_iter(0..HALVES), "each is called at the other provider, once");
}

/// So many calls, about half of which fit into the buffers of the system.
const HALVES: i32 = 200;

#[service(interface = "com.example.Once")]
trait Once {
    async fn add(&self, call: i32) -> i32;
    #[method(idempotent)]
    async fn add_again(&self, call: i32) -> i32;
}

/// Notes which calls it was given.
#[derive(Clone, Default)]
struct Noting(Arc<Mutex<Vec<i32>>>);

impl Once for Noting {
    async fn add(&self, call: i32) -> i32 {
        self.0.lock().unwrap().push(call);
        call
    }

    async fn add_again(&self, call: i32) -> i32 {
        self.add(call).await
    }
}

/// How many bytes the buffers of the system take for a provider that reads nothing.
async fn capacity() -> usize {
    let sluggish = Sluggish::bind();
    let stream = within(TcpStream::connect(sluggish.address())).await.unwrap();
    let _unread = sluggish.only().await;
    let mut taken = 0;
    // They grow while they fill, so it is full when nothing was taken for a while.
    while let Ok(writable) = timeout(Duration::from_millis(100), stream.writable()).await {
        writable.unwrap();
        taken += stream.try_write(&[0; 64 * 1024]).unwrap_or(0);
    }
    taken
}

/// Makes calls to a provider that takes about half of them, reads ten and resets the connection; there is another provider.
/// Gives the calls that were received, what they all came to, and those that the other provider was given.
async fn reset_while_half_is_written<F>(
    call: impl Fn(OnceClient, i32, String) -> F,
) -> (BTreeSet<i32>, Vec<(i32, getty_rpc::Result<i32>)>, Vec<i32>)
where
    F: Future<Output = getty_rpc::Result<i32>> + Send + 'static,
{
    let length = capacity().await / (HALVES as usize / 2);
    let sluggish = Sluggish::bind();
    let noting = Noting::default();
    let service = OnceServer::new(noting.clone());
    let good = Provider::start(|server| server.service(service)).await;
    // A provider of weight 0 is asked only when no other can be.
    let list = format!("dubbo://{}?weight=100;dubbo://{}?weight=0", sluggish.address(), good.address());
    let list = FixedRegistry::new(list.parse().unwrap());
    let client = Client::builder().timeout(TIMEOUT).registry_with(Arc::new(list));
    let once: OnceClient = client.refer();
    within(client.connect()).await.unwrap();
    let mut stream = sluggish.only().await;

    let mut calls = JoinSet::new();
    let queued = Arc::new(Semaphore::new(0));
    for number in 0..HALVES {
        let mut call = Box::pin(call(once.clone(), number, format!("#{number:05}#{}", "x".repeat(length))));
        let queued = Arc::clone(&queued);
        calls.spawn(async move {
            let first = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await;
            queued.add_permits(1);
            match first {
                Poll::Ready(outcome) => (number, outcome),
                Poll::Pending => (number, call.await),
            }
        });
    }
    drop(within(queued.acquire_many(HALVES as u32)).await.unwrap());
    let received =
        calls_in(&read(&mut stream, 10 * length).await).into_iter().map(|call| call as i32).collect();
    assert!(noting.0.lock().unwrap().is_empty(), "nothing is lost yet");
    reset(stream);
    let lost = Instant::now();
    let outcomes = within(calls.join_all()).await;
    let settled = lost.elapsed();
    println!("{HALVES} calls of {length} bytes were settled {settled:?} after the reset");
    assert!(settled < SETTLED, "{settled:?}");
    let mut served = noting.0.lock().unwrap().clone();
    served.sort_unstable();
    (received, outcomes, served)
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
    // Only that which others end is still written to.
    let wait = if end == End::ClosedHere { Duration::ZERO } else { CLOSE_WAIT };
    assert!(lost.elapsed() < wait + SETTLED, "{end:?}: {:?}", lost.elapsed());
    // Whatever could still be written while the connection ended is among those that may have run.
    let mut rest = Vec::new();
    let _ = within(stream.read_to_end(&mut rest)).await;
    let received: BTreeSet<_> = received.union(&calls_in(&rest)).copied().collect();
    assert!(received.is_subset(&may_have_run), "{end:?}: {received:?} {may_have_run:?}");
    assert!(may_have_run.len() < 10, "{end:?}: {may_have_run:?}");
}
