//! A quiet session among flooding ones, and how many of their packets it waits for.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use getty::{EventListener, Server, Session};
use tokio::{io::AsyncWriteExt, net::TcpStream, sync::Notify};

use super::{Frames, HEADER, frame, until, within};

/// Has `floods` sessions send `packets` without end, and returns how many of these are handled, at most, before a packet of
/// another session that came meanwhile. For a runtime of one thread, where whatever runs keeps all others waiting.
pub(crate) async fn packets_before_a_quiet_one(floods: usize, packets: Vec<u8>) -> usize {
    let listener = Arc::new(Counting::default());
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let addr = server.local_addr().unwrap();
    tokio::spawn(server.serve(Frames, Arc::clone(&listener)));
    let quiet = TcpStream::connect(addr).await.unwrap();
    for _ in 0..floods {
        let (mut flood, packets) = (TcpStream::connect(addr).await.unwrap(), packets.clone());
        tokio::spawn(async move { while flood.write_all(&packets).await.is_ok() {} });
    }
    until(|| listener.floods.load(Ordering::SeqCst) >= 100_000).await;
    let mut longest = 0;
    for _ in 0..300 {
        let before = listener.floods.load(Ordering::SeqCst);
        // Nothing is awaited in here, so the packet is there before any other task runs.
        assert_eq!(quiet.try_write(&frame(b"")).unwrap(), HEADER);
        within(listener.handled.notified()).await;
        longest = longest.max(listener.at_quiet.load(Ordering::SeqCst) - before);
        // At another point of the others' round each time.
        for _ in 0..before % 7 {
            tokio::task::yield_now().await;
        }
    }
    longest
}

/// Counts full packets, and notes their count when an empty one comes.
#[derive(Default)]
struct Counting {
    floods: AtomicUsize,
    at_quiet: AtomicUsize,
    handled: Notify,
}

impl EventListener<Frames> for Counting {
    fn on_message(&self, _: &Session<Frames>, packet: Bytes) {
        if packet.is_empty() {
            self.at_quiet.store(self.floods.load(Ordering::SeqCst), Ordering::SeqCst);
            self.handled.notify_one();
        } else {
            self.floods.fetch_add(1, Ordering::SeqCst);
        }
    }
}
