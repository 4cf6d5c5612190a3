//! No password in the log, at any level, of any crate, whatever goes wrong while a registry is connected to. In a test program of
//! its own, since the log is the process's.

#![cfg(any(feature = "zookeeper", feature = "etcd"))]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod support;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use getty_registry::{RegistryState, connect};
use support::servers::{Kind, Server};
use support::{Place, interface, provider, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A server that reads what comes, and answers with something.
async fn answers(with: &'static [u8], then_closes: bool) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.write_all(with).await;
                let mut buffer = [0; 4096];
                while !then_closes && stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
            });
        }
    });
    address
}

async fn fails(kind: Kind) {
    let protocol = match kind {
        Kind::ZooKeeper => "zookeeper",
        Kind::Etcd => "etcd",
    };
    let refuses = Server::prepare(kind);
    let (silent, closes) = (answers(b"", false).await, answers(b"", true).await);
    let rubbish = answers(b"HTTP/1.1 400 \xff\xff\xff\xff who are you?\r\n\r\n", false).await;
    let real = tokio::task::block_in_place(|| Server::start(kind));
    for address in [refuses.address(), silent, closes, rubbish, real.address()] {
        let at = format!("{protocol}://someone:se%23cret@{address}");
        let place = Place::new(at, "session=2s&timeout=1s");
        let checked = within("an answer", connect(&place.url(""))).await;
        let registry = place.connect_with("check=false").await;
        let registration = registry.register(provider(&interface(), 1)).unwrap();
        let mut state = registry.state();
        let tried = |state: &RegistryState| *state != RegistryState::NotYet { cause: None };
        let state = format!("{:?}", *within("a first try", state.wait_for(tried)).await.unwrap());
        within("closed", registry.close()).await;
        for text in [format!("{checked:?}"), format!("{registry:?} {registration:?}"), state] {
            assert!(!text.contains("cret"), "{kind:?} at {address}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_in_no_line_of_the_log_whatever_the_server_does() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();
    #[cfg(feature = "zookeeper")]
    fails(Kind::ZooKeeper).await;
    #[cfg(feature = "etcd")]
    fails(Kind::Etcd).await;
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(log.contains("someone:***@"), "the log is there, with the URL as it may be shown");
    for line in log.lines() {
        assert!(!line.contains("cret"), "{line}");
    }
}
