//! The service that most tests call.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use getty_rpc::{Context, Hessian, Throwable, service};
use tokio::sync::Semaphore;

#[derive(Debug, Clone, PartialEq, Eq, Hessian)]
#[hessian(class = "com.example.NotFound", exception)]
pub(crate) struct NotFound {
    pub(crate) message: String,
    pub(crate) id: i64,
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for NotFound {}

#[service(interface = "com.example.Probe")]
pub(crate) trait Probe {
    async fn hello(&self, name: String) -> String;
    async fn add(&self, a: i32, b: i32) -> i32;
    async fn maybe(&self, text: Option<String>) -> Option<String>;
    /// Throws what it declares for a negative id.
    async fn find(&self, id: i64) -> Result<String, NotFound>;
    /// Throws an exception of this class.
    async fn throw(&self, class: String) -> Result<String, Throwable>;
    /// A text of that many bytes.
    async fn text(&self, length: i32) -> String;
    /// Panics at once.
    async fn panic(&self, text: String) -> i32;
    /// Panics after it has waited.
    async fn panic_later(&self, text: String) -> i32;
    /// Waits until the test opens the gate.
    async fn wait(&self) -> i32;
    /// Waits for ever.
    async fn hang(&self) -> i32;
    /// Holds its thread for so many milliseconds, and never waits.
    async fn block(&self, millis: i64) -> i32;
    /// What it knows of its caller.
    async fn attachment(&self, name: String) -> Option<String>;
    /// What it knows of its caller, whole.
    async fn context(&self) -> String;
    #[method(oneway)]
    async fn note(&self, text: String);
}

/// Serves it, and can be watched.
#[derive(Clone)]
pub(crate) struct Probing(Arc<Inner>);

struct Inner {
    entered: Semaphore,
    gate: Semaphore,
    noted: Semaphore,
    calls: AtomicUsize,
    dropped: AtomicUsize,
    known: AtomicUsize,
}

impl Probing {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            entered: Semaphore::new(0),
            gate: Semaphore::new(0),
            noted: Semaphore::new(0),
            calls: AtomicUsize::new(0),
            dropped: AtomicUsize::new(0),
            known: AtomicUsize::new(0),
        }))
    }

    pub(crate) fn server(&self) -> ProbeServer<Self> {
        ProbeServer::new(self.clone())
    }

    /// Waits until so many further calls are in `wait` or `hang`.
    pub(crate) async fn entered(&self, calls: u32) {
        super::within(self.0.entered.acquire_many(calls)).await.unwrap().forget();
    }

    /// Lets so many calls of `wait` go on.
    pub(crate) fn open(&self, calls: usize) {
        self.0.gate.add_permits(calls);
    }

    /// Waits until `note` was called so many further times.
    pub(crate) async fn noted(&self, calls: u32) {
        super::within(self.0.noted.acquire_many(calls)).await.unwrap().forget();
    }

    /// How many handlers have begun.
    pub(crate) fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// How many of `wait` and `hang` were dropped before their end.
    pub(crate) fn dropped(&self) -> usize {
        self.0.dropped.load(Ordering::SeqCst)
    }

    /// How many of those knew their call when they were dropped.
    pub(crate) fn known(&self) -> usize {
        self.0.known.load(Ordering::SeqCst)
    }

    fn count(&self) {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
    }
}

/// Counts the handlers that are dropped before their end, and those of them that know their call then.
struct Unfinished<'a> {
    dropped: &'a AtomicUsize,
    known: &'a AtomicUsize,
    finished: bool,
}

impl<'a> Unfinished<'a> {
    fn of(inner: &'a Inner) -> Self {
        Self { dropped: &inner.dropped, known: &inner.known, finished: false }
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.dropped.fetch_add(1, Ordering::SeqCst);
            self.known.fetch_add(usize::from(Context::current().is_some()), Ordering::SeqCst);
        }
    }
}

impl Probe for Probing {
    async fn hello(&self, name: String) -> String {
        self.count();
        format!("hello {name}")
    }

    async fn add(&self, a: i32, b: i32) -> i32 {
        self.count();
        a.wrapping_add(b)
    }

    async fn maybe(&self, text: Option<String>) -> Option<String> {
        self.count();
        text
    }

    async fn find(&self, id: i64) -> Result<String, NotFound> {
        self.count();
        if id < 0 {
            Err(NotFound { message: format!("nobody has id {id}"), id })
        } else {
            Ok(format!("user {id}"))
        }
    }

    async fn throw(&self, class: String) -> Result<String, Throwable> {
        self.count();
        Err(Throwable::of_class(class, Some("thrown".into())).with_cause(Throwable::new("the cause")))
    }

    async fn text(&self, length: i32) -> String {
        self.count();
        "t".repeat(usize::try_from(length).unwrap())
    }

    async fn panic(&self, text: String) -> i32 {
        self.count();
        panic!("{text}")
    }

    async fn panic_later(&self, text: String) -> i32 {
        self.count();
        tokio::task::yield_now().await;
        panic!("{text}")
    }

    async fn wait(&self) -> i32 {
        self.count();
        let mut unfinished = Unfinished::of(&self.0);
        self.0.entered.add_permits(1);
        self.0.gate.acquire().await.unwrap().forget();
        unfinished.finished = true;
        7
    }

    async fn hang(&self) -> i32 {
        self.count();
        let _unfinished = Unfinished::of(&self.0);
        self.0.entered.add_permits(1);
        std::future::pending().await
    }

    async fn block(&self, millis: i64) -> i32 {
        self.count();
        std::thread::sleep(std::time::Duration::from_millis(millis.unsigned_abs()));
        8
    }

    async fn attachment(&self, name: String) -> Option<String> {
        self.count();
        Context::current()?.attachments().get(&name).map(str::to_owned)
    }

    async fn context(&self) -> String {
        self.count();
        format!("{:?}", Context::current().unwrap().attachments())
    }

    async fn note(&self, _text: String) {
        self.count();
        self.0.noted.add_permits(1);
    }
}
