//! Methods that block: their handlers hold up no other call, and nothing that holds for other handlers is lost.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    sync::{
        Arc, Barrier, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use getty_rpc::{Client, Context, ErrorKind, Pool, Service, protocol::Status, service};
use support::{PATIENCE, Serving, patient, serve, within};
use tokio::{sync::Semaphore, task::JoinSet};

/// Handlers that wait for each other.
const PARTIES: usize = 20;

#[service(interface = "com.example.Slow")]
trait Slow {
    /// Waits on its thread until as many calls are here as there are parties.
    #[method(blocking)]
    fn meet(&self, number: i32) -> i32;
    /// Waits on its thread until the test opens the gate.
    #[method(blocking, idempotent, name = "pass")]
    fn pass_the_gate(&self) -> Result<String, getty_rpc::Throwable>;
    #[method(blocking)]
    fn attachment(&self, name: String) -> Option<String>;
    #[method(blocking)]
    fn panic(&self, text: String) -> i32;
    #[method(blocking)]
    fn refuse(&self) -> Result<(), getty_rpc::Throwable> {
        Err(getty_rpc::Throwable::new("refused"))
    }
    /// Calls something that is async.
    #[method(blocking)]
    fn asleep(&self, millis: i64) -> i64;
    #[method(blocking, oneway)]
    fn note(&self, text: String);
    async fn quick(&self, number: i32) -> i32;
}

#[derive(Clone)]
struct Slowly(Arc<Inner>);

struct Inner {
    meeting: Barrier,
    /// How many may pass, and who is told of it.
    gate: (Mutex<usize>, Condvar),
    entered: Semaphore,
    passed: AtomicUsize,
    noted: Semaphore,
}

impl Slowly {
    fn new() -> Self {
        Self(Arc::new(Inner {
            meeting: Barrier::new(PARTIES),
            gate: (Mutex::new(0), Condvar::new()),
            entered: Semaphore::new(0),
            passed: AtomicUsize::new(0),
            noted: Semaphore::new(0),
        }))
    }

    fn server(&self) -> impl Service {
        SlowServer::new(self.clone())
    }

    /// Waits until so many further calls stand at the gate.
    async fn entered(&self, calls: u32) {
        within(self.0.entered.acquire_many(calls)).await.unwrap().forget();
    }

    /// Lets so many calls pass the gate.
    fn open(&self, calls: usize) {
        *self.0.gate.0.lock().unwrap() += calls;
        self.0.gate.1.notify_all();
    }
}

impl Slow for Slowly {
    fn meet(&self, number: i32) -> i32 {
        self.0.meeting.wait();
        number
    }

    fn pass_the_gate(&self) -> Result<String, getty_rpc::Throwable> {
        self.0.entered.add_permits(1);
        let (open, opened) = &self.0.gate;
        // A test that fails must come to its end, and its runtime waits for this.
        let (mut open, time) =
            opened.wait_timeout_while(open.lock().unwrap(), PATIENCE, |open| *open == 0).unwrap();
        assert!(!time.timed_out());
        *open -= 1;
        self.0.passed.fetch_add(1, Ordering::SeqCst);
        Ok("passed".to_owned())
    }

    fn attachment(&self, name: String) -> Option<String> {
        let context = Context::current()?;
        assert!(context.peer().is_some() && context.deadline().is_some());
        context.attachments().get(&name).map(str::to_owned)
    }

    fn panic(&self, text: String) -> i32 {
        panic!("{text}")
    }

    fn asleep(&self, millis: i64) -> i64 {
        let sleep = tokio::time::sleep(Duration::from_millis(millis.unsigned_abs()));
        tokio::runtime::Handle::current().block_on(sleep);
        millis
    }

    fn note(&self, _text: String) {
        self.0.noted.add_permits(1);
    }

    async fn quick(&self, number: i32) -> i32 {
        number
    }
}

async fn slow() -> (Slowly, Serving, SlowClient) {
    let slowly = Slowly::new();
    let serving = serve(|server| server.service(slowly.server())).await;
    let slow = patient(serving.address()).refer();
    (slowly, serving, slow)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn handlers_that_wait_for_each_other_all_end_while_others_on_the_connection_are_answered() {
    for pool in [Pool::Inline, Pool::Fixed { queues: 1, workers: 1, depth: 4 }] {
        let slowly = Slowly::new();
        let serving = serve(|server| server.service(slowly.server()).pool(pool)).await;
        let slow: SlowClient = patient(serving.address()).refer();
        let mut meeting = JoinSet::new();
        for number in 1..PARTIES as i32 {
            let slow = slow.clone();
            meeting.spawn(async move { slow.meet(number).await });
        }
        // One is missing, so they wait.
        for number in 0..100 {
            assert_eq!(within(slow.quick(number)).await.unwrap(), number);
        }
        assert!(meeting.try_join_next().is_none());
        assert_eq!(within(slow.meet(0)).await.unwrap(), 0);
        let mut met: Vec<_> = within(meeting.join_all()).await.into_iter().map(Result::unwrap).collect();
        met.sort_unstable();
        assert_eq!(met, Vec::from_iter(1..PARTIES as i32));
    }
}

#[tokio::test]
async fn the_handler_sees_its_call_and_gives_and_throws_as_others_do() {
    let (slowly, _serving, slow) = slow().await;
    let answer = within(slow.attachment("who").attach("who", "Ada")).await.unwrap();
    assert_eq!(answer.as_deref(), Some("Ada"));
    let error = within(slow.refuse()).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
    assert_eq!(within(slow.asleep(1)).await.unwrap(), 1);
    within(slow.note("one way")).await.unwrap();
    within(slowly.0.noted.acquire()).await.unwrap().forget();
}

#[tokio::test]
async fn a_panic_is_answered_and_the_connection_lives() {
    let (_slowly, _serving, slow) = slow().await;
    for _ in 0..3 {
        let error = within(slow.panic("on purpose")).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Status(Status::SERVICE_ERROR)), "{error}");
        assert!(error.message().contains("panicked") && error.message().contains("on purpose"), "{error}");
    }
    assert_eq!(within(slow.quick(1)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_handler_whose_caller_has_stopped_waiting_keeps_its_place_until_it_ends() {
    let slowly = Slowly::new();
    let serving = serve(|server| server.service(slowly.server()).running(1)).await;
    let slow: SlowClient = patient(serving.address()).refer();
    let error = within(slow.pass_the_gate().timeout(Duration::from_millis(20))).await.unwrap_err();
    assert!(error.is_timeout() && !error.surely_not_run(), "{error}");
    slowly.entered(1).await;
    for _ in 0..10 {
        let error = within(slow.quick(1)).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Status(Status::SERVER_THREADPOOL_EXHAUSTED)), "{error}");
    }
    slowly.open(1);
    // Its place is free right after it has ended.
    within(async { while slow.quick(1).await.is_err() {} }).await;
    assert_eq!(slowly.0.passed.load(Ordering::SeqCst), 1);
}

#[test]
fn a_call_that_finds_no_thread_until_its_deadline_does_not_run() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().max_blocking_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let (slowly, _serving, slow) = slow().await;
        let first = tokio::spawn({
            let slow = slow.clone();
            async move { slow.pass_the_gate().await }
        });
        slowly.entered(1).await;
        let error = within(slow.pass_the_gate().timeout(Duration::from_millis(20))).await.unwrap_err();
        assert!(error.is_timeout(), "{error}");
        slowly.open(2);
        assert_eq!(within(first).await.unwrap().unwrap().unwrap(), "passed");
        // It has its turn on the thread before this one.
        assert_eq!(within(slow.asleep(0)).await.unwrap(), 0);
        assert_eq!(slowly.0.passed.load(Ordering::SeqCst), 1);
    });
}

#[tokio::test]
async fn an_orderly_shutdown_waits_for_handlers_and_their_answers_are_sent() {
    let (slowly, mut serving, slow) = slow().await;
    let passing = tokio::spawn({
        let slow = slow.clone();
        async move { slow.pass_the_gate().await }
    });
    slowly.entered(1).await;
    serving.stop();
    // The read-only event has come once no further call is sent.
    within(async { while slow.quick(1).await.is_ok() {} }).await;
    assert!(!serving.has_stopped());
    slowly.open(1);
    assert_eq!(within(passing).await.unwrap().unwrap().unwrap(), "passed");
    serving.stopped().await;
}

#[tokio::test]
async fn a_call_that_is_dropped_runs_to_its_end_all_the_same() {
    let (slowly, _serving, slow) = slow().await;
    let client = Client::builder().timeout(PATIENCE).direct(&_serving.url()).unwrap();
    let other: SlowClient = client.refer();
    let passing = tokio::spawn(async move { other.pass_the_gate().await });
    slowly.entered(1).await;
    within(client.close()).await;
    assert!(matches!(within(passing).await.unwrap().unwrap_err().kind(), ErrorKind::Closed));
    slowly.open(1);
    within(async {
        while slowly.0.passed.load(Ordering::SeqCst) == 0 {
            slow.quick(1).await.unwrap();
        }
    })
    .await;
}
