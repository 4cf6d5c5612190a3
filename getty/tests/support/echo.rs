//! Echoes over a transport, byte by byte.

use bytes::Bytes;
use getty::{Client, EventListener, Session, on_message};

use super::{Events, Frames, within};

/// A listener that answers with what it gets.
pub(crate) fn echo() -> impl EventListener<Frames> {
    on_message(|session: &Session<Frames>, packet| {
        let _ = session.write(packet);
    })
}

/// Sends packets of many sizes to an [`echo`] and compares every byte of what comes back.
pub(crate) async fn assert_echoes(client: &Client<Frames>, events: &mut Events<Frames>) {
    let session = within(client.session()).await.unwrap();
    events.open().await;
    for size in [1, 4_000, 5_000, 70_000, 1_000_000] {
        let bodies: Vec<Bytes> = (0..3).map(|seed| pattern(size, seed)).collect();
        for body in &bodies {
            session.write(body.clone()).unwrap();
        }
        for body in bodies {
            assert!(events.message().await == body, "{size} bytes did not come back as they were");
        }
    }
}

fn pattern(size: usize, seed: usize) -> Bytes {
    (0..size).map(|i| ((i + seed) % 251) as u8).collect()
}
