//! A client that says in `on_open` who it is and what it can be asked for, and a server that pushes to it by these names: after
//! every loss of the connection the server knows it again, however often and in whatever moment it is cut.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use getty::{Attempt, Backoff, BoxError, Client, ClientBuilder, EventListener, Reader, Session, Step};
use support::{FrameReader, Frames, frame, reset, within};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::{JoinHandle, block_in_place},
    time::sleep,
};

const ROUNDS: usize = 50;

/// A server that knows who has registered what. It is no session: it must be able to cut anywhere.
#[derive(Clone, Default)]
struct Coordinator(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    /// A connection was accepted, and cut if that was to be done.
    welcomed: Condvar,
}

#[derive(Default)]
struct State {
    /// What becomes of connections to come, the next one first; those after are kept.
    next: VecDeque<Cut>,
    /// By the client's address.
    welcomed: Vec<SocketAddr>,
    /// Number of the connection, and what leads there.
    names: HashMap<String, (usize, mpsc::UnboundedSender<Order>)>,
    /// What came over each connection.
    heard: Vec<Vec<String>>,
}

/// When a connection is cut.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// While the client is in `on_open`.
    InOpen,
    /// When so many bytes of what `on_open` wrote have come.
    After(usize),
}

/// What a connection is to do.
enum Order {
    Push(Bytes),
    Finish,
    Reset,
}

impl Coordinator {
    /// Serves at an address until the task is aborted. Connections live on then.
    async fn serve(&self, address: &str) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let coordinator = self.clone();
        let accepting = tokio::spawn(async move {
            loop {
                let (socket, client) = listener.accept().await.unwrap();
                coordinator.welcome(socket, client);
            }
        });
        (address, accepting)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    fn welcome(&self, socket: TcpStream, client: SocketAddr) {
        let mut state = self.state();
        let cut = state.next.pop_front();
        let number = state.heard.len();
        state.heard.push(Vec::new());
        match cut {
            Some(Cut::InOpen) => reset(socket),
            cut => drop(tokio::spawn(self.clone().talk(socket, number, cut))),
        }
        state.welcomed.push(client);
        drop(state);
        self.0.welcomed.notify_all();
    }

    async fn talk(self, mut socket: TcpStream, number: usize, cut: Option<Cut>) {
        let (orders, mut ordered) = mpsc::unbounded_channel();
        let mut buf = BytesMut::new();
        let mut read = 0;
        let limit = if let Some(Cut::After(bytes)) = cut { bytes } else { usize::MAX };
        loop {
            while let Some(text) = next_text(&mut buf) {
                self.hear(number, &text, &orders);
            }
            if read == limit {
                return reset(socket);
            }
            let most = (limit - read).min(4096) as u64;
            tokio::select! {
                came = async { (&mut socket).take(most).read_buf(&mut buf).await } => match came {
                    Ok(n @ 1..) => read += n,
                    _ => break,
                },
                order = ordered.recv() => match order.unwrap() {
                    Order::Push(packet) => socket.write_all(&frame(&packet)).await.unwrap(),
                    Order::Finish => break,
                    Order::Reset => return reset(socket),
                },
            }
        }
    }

    fn hear(&self, number: usize, text: &str, orders: &mpsc::UnboundedSender<Order>) {
        let mut state = self.state();
        state.heard[number].push(text.to_owned());
        if let Some(name) = text.strip_prefix("REGISTER ") {
            state.names.insert(name.to_owned(), (number, orders.clone()));
        }
    }

    /// Gives an order to the connection that has registered a name, and says which one that is.
    fn order(&self, name: &str, order: Order) -> usize {
        let state = self.state();
        let (number, orders) = &state.names[name];
        orders.send(order).ok().unwrap();
        *number
    }

    /// Waits until a name was registered over a connection with this number or a later one.
    async fn registered(&self, name: &str, number: usize) {
        within(async {
            while self.state().names.get(name).is_none_or(|(now, _)| *now < number) {
                sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }

    /// In the client's `on_open`: until this side has accepted, and cut the connection if it was to. A connection that was
    /// waiting to be accepted when the server stopped is not waited for any longer than this.
    fn wait_for_welcome(&self, client: SocketAddr) {
        let patience = Duration::from_millis(200);
        let waits = |state: &mut State| !state.welcomed.contains(&client);
        let mut state = self.0.welcomed.wait_timeout_while(self.state(), patience, waits).unwrap().0;
        // The address may come again.
        state.welcomed.retain(|welcomed| *welcomed != client);
    }
}

/// Takes the next whole packet.
fn next_text(buf: &mut BytesMut) -> Option<String> {
    if !buf.has_remaining() {
        return None;
    }
    match FrameReader.read(buf).unwrap() {
        Step::Packet(body) => Some(String::from_utf8(body.to_vec()).unwrap()),
        Step::Need(_) => None,
    }
}

/// A client that can be asked for what it has registered.
struct Resources {
    names: Mutex<Vec<&'static str>>,
    coordinator: Coordinator,
    attempts: Mutex<Vec<Attempt>>,
    /// How many further times `on_open` is to fail in its middle.
    failures: AtomicUsize,
    pushed: mpsc::UnboundedSender<Bytes>,
}

impl EventListener<Frames> for Resources {
    fn on_open(&self, session: &Session<Frames>) -> Result<(), BoxError> {
        let attempt = session.info().attempt;
        self.attempts.lock().unwrap().push(attempt);
        let hello = if attempt == Attempt::First { "HELLO first" } else { "HELLO again" };
        session.write(Bytes::from(hello))?;
        block_in_place(|| self.coordinator.wait_for_welcome(session.info().local.unwrap()));
        let fails = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if fails.is_ok() {
            return Err("the user's own set-up failed".into());
        }
        for name in &*self.names.lock().unwrap() {
            session.write(Bytes::from(format!("REGISTER {name}")))?;
        }
        Ok(())
    }

    fn on_message(&self, _: &Session<Frames>, packet: Bytes) {
        self.pushed.send(packet).unwrap();
    }
}

/// What `on_open` writes once both names are known, and its length in bytes.
const OPENING: [&str; 3] = ["HELLO again", "REGISTER a", "REGISTER b"];
const LENGTH: usize = 3 * support::HEADER + 11 + 10 + 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_on_open_registers_is_there_after_every_cut_and_comes_before_all_else() {
    let mut rng = fastrand::Rng::with_seed(22);
    let coordinator = Coordinator::default();
    let (address, mut accepting) = coordinator.serve("127.0.0.1:0").await;
    let (pushed, mut pushes) = mpsc::unbounded_channel();
    let resources = Arc::new(Resources {
        names: Mutex::new(vec!["a"]),
        coordinator: coordinator.clone(),
        attempts: Mutex::default(),
        failures: AtomicUsize::new(0),
        pushed,
    });
    // Fast, as nothing here depends on how long it takes.
    let backoff = Backoff::default()
        .first(Duration::from_millis(1))
        .max(Duration::from_millis(20))
        .brief(Duration::ZERO);
    let client = ClientBuilder::new(Frames, Arc::clone(&resources)).backoff(backoff).tcp(address.to_string());
    let session = within(client.session()).await.unwrap();
    // A name that comes later is registered at once, and from then on in `on_open`.
    resources.names.lock().unwrap().push("b");
    session.write(Bytes::from_static(b"REGISTER b")).unwrap();
    coordinator.registered("b", 0).await;
    for _ in 0..2 {
        tokio::spawn(use_always(client.clone()));
    }

    for round in 0..ROUNDS {
        // What becomes of the connections after this one, until one is kept.
        let cuts = (0..rng.usize(0..3)).map(|_| match rng.bool() {
            true => Cut::InOpen,
            false => Cut::After(rng.usize(1..LENGTH)),
        });
        let cuts: Vec<_> = cuts.collect();
        resources.failures.store(rng.usize(0..2), Ordering::SeqCst);
        coordinator.state().next = cuts.iter().copied().collect();
        let restarts = rng.bool();
        if restarts {
            accepting.abort();
            assert!((&mut accepting).await.unwrap_err().is_cancelled());
        }
        let cut = coordinator.order("b", if rng.bool() { Order::Finish } else { Order::Reset });
        if restarts {
            accepting = coordinator.serve(&address.to_string()).await.1;
        }
        coordinator.registered("b", cut + cuts.len() + 1).await;
        let packet = format!("push {round}");
        coordinator.order("b", Order::Push(packet.clone().into()));
        assert_eq!(within(pushes.recv()).await.unwrap(), packet, "after {cuts:?}");
    }
    assert!(pushes.try_recv().is_err());
    assert!(coordinator.state().next.is_empty());

    let heard = coordinator.state().heard.clone();
    assert_eq!(heard[0][..2], ["HELLO first", "REGISTER a"]);
    for heard in &heard[1..] {
        let opening = heard.len().min(OPENING.len());
        assert!(heard[..opening].iter().eq(&OPENING[..opening]), "{heard:?}");
        assert!(heard[opening..].iter().all(|text| text == "user"), "{heard:?}");
    }
    let attempts = resources.attempts.lock().unwrap().clone();
    assert_eq!(attempts[0], Attempt::First);
    assert!(attempts.len() > ROUNDS && attempts[1..].iter().all(|attempt| *attempt == Attempt::Again));
}

/// Writes whenever there is a session.
async fn use_always(client: Client<Frames>) {
    loop {
        if let Ok(session) = client.session().await {
            let _ = session.write(Bytes::from_static(b"user"));
        }
        sleep(Duration::from_millis(1)).await;
    }
}
