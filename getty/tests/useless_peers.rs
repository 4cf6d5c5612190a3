//! Peers that accept and are of no use, on real sockets: they are dialled seldom, what calls there fails, and a good one on the
//! same port is used in the end. A minute is three seconds here: all waits are a twentieth of the default ones.
//!
//! One test alone: see `Logs`.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use getty::{
    Backoff, ClientBuilder, ClientState, Limits, Session, SessionError, accept, on_message,
    transport::{Tcp, dial_tcp},
};
use support::{Frames, Logs, echo, frame, reset, within};
use tokio::{
    io::AsyncWriteExt,
    net::TcpListener,
    sync::mpsc,
    time::{Instant, sleep},
};
use tracing::Level;

/// How much faster than by default everything is.
const FASTER: u32 = 20;
const MINUTE: Duration = Duration::from_secs(60 / FASTER as u64);
/// So long that no machine is so slow.
const HOUR: Duration = Duration::from_secs(3600);

/// How a connection is welcomed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Welcome {
    /// Closed at once.
    Fin,
    /// Reset at once.
    Reset,
    /// Closed after 50 ms.
    Late,
    /// Closed behind a first packet.
    AfterPacket,
}

/// Accepts for ever, badly until it is told to be good.
async fn provide(listener: TcpListener, welcome: Welcome, good: Arc<AtomicBool>) {
    loop {
        let (mut socket, _) = listener.accept().await.unwrap();
        if good.load(Ordering::SeqCst) {
            accept(Tcp::new(socket).unwrap(), Frames, echo(), Limits::default());
            continue;
        }
        match welcome {
            Welcome::Fin => drop(socket),
            Welcome::Reset => reset(socket),
            Welcome::Late => drop(tokio::spawn(async move {
                sleep(Duration::from_millis(50)).await;
                drop(socket);
            })),
            Welcome::AfterPacket => socket.write_all(&frame(b"heartbeat")).await.unwrap(),
        }
    }
}

async fn dialled_seldom_then_used(welcome: Welcome, logs: &Logs) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let name = address.to_string();
    let good = Arc::new(AtomicBool::new(false));
    let providing = tokio::spawn(provide(listener, welcome, Arc::clone(&good)));

    let dials = Arc::new(Mutex::new(Vec::new()));
    let backoff = Backoff::default();
    let backoff = backoff
        .first(backoff.first / FASTER)
        .max(backoff.max / FASTER)
        .on_demand(backoff.on_demand / FASTER)
        .spread(backoff.spread / FASTER)
        // However long this machine takes to see that a connection was closed, it was no good one.
        .brief(HOUR)
        .proof(HOUR);
    let (answers, mut answered) = mpsc::unbounded_channel();
    let listener = on_message(move |_: &Session<Frames>, packet: Bytes| answers.send(packet).unwrap());
    let client = {
        let dials = Arc::clone(&dials);
        let dial = move || {
            dials.lock().unwrap().push(Instant::now());
            dial(address)
        };
        ClientBuilder::new(Frames, listener).connections(4).backoff(backoff).dial(name.clone(), dial)
    };
    let dialled = || dials.lock().unwrap().len();
    // Somebody calls all the time.
    while dialled() < 21 {
        match within(client.session()).await {
            // It lives for a moment.
            Ok(session) => drop(session.write(Bytes::from_static(b"lost"))),
            Err(SessionError::Unreachable { address, .. }) => assert_eq!(address, name),
            Err(error) => panic!("{error}"),
        }
        sleep(Duration::from_millis(5)).await;
    }
    let minute = {
        let dials = dials.lock().unwrap();
        dials[20] - dials[0]
    };
    assert!(minute > MINUTE, "{welcome:?}: more than 20 dials in a minute, namely within {minute:?}");
    assert_eq!(logs.of(&name), [Level::WARN], "{welcome:?}");

    good.store(true, Ordering::SeqCst);
    while answered.try_recv().ok().is_none_or(|answer| answer != "found") {
        if let Ok(session) = within(client.session()).await {
            drop(session.write(Bytes::from_static(b"found")));
        }
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(client.state(), ClientState::Ready);
    within(client.close()).await;
    providing.abort();
}

async fn dial(address: SocketAddr) -> std::io::Result<Tcp> {
    dial_tcp(&address.to_string()).await
}

#[tokio::test]
async fn a_port_that_accepts_and_closes_is_dialled_twenty_times_a_minute_at_most_and_used_once_it_is_good() {
    let logs = Logs::here();
    tokio::join!(
        dialled_seldom_then_used(Welcome::Fin, &logs),
        dialled_seldom_then_used(Welcome::Reset, &logs),
        dialled_seldom_then_used(Welcome::Late, &logs),
        dialled_seldom_then_used(Welcome::AfterPacket, &logs),
    );
}
