//! Owns the two clients that take as much as one connection and one thread give: a hostile one, and an honest one to compare it with.

use super::beside::Place;
use crate::frame::Size;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::time::sleep;

/// Smallest frames that the flood writes at a time.
const TINY: u64 = 1_000;
/// Frames that the honest one has in flight.
const IN_FLIGHT: u64 = 64;
/// What a client reads at a time.
const READ: usize = 64 * 1024;
/// When it comes back after the server has closed its connection.
const AGAIN: Duration = Duration::from_millis(100);

/// Sends the smallest frames without end, whatever comes back. It reads that too, so that the server never has to wait.
pub(super) async fn flood(mut stream: TcpStream) {
    let tiny = Size::SMALLEST.frames(TINY);
    let (mut input, mut output) = stream.split();
    let write = async { while output.write_all(&tiny).await.is_ok() {} };
    let read = async { copy(&mut input, &mut sink()).await };
    tokio::select! {
        () = write => {}
        _ = read => {}
    }
}

/// Sends usual frames, and each again when it has come back.
pub(super) async fn client(mut stream: TcpStream) {
    let mut echo = vec![0; READ];
    let mut sent = stream.write_all(&Size::USUAL.frames(IN_FLIGHT)).await;
    while sent.is_ok()
        && let Ok(read @ 1..) = stream.read(&mut echo).await
    {
        let (echo, _) = echo.split_at(read);
        sent = stream.write_all(echo).await;
    }
}

/// Runs one of these, and again when the server has closed its connection.
pub(super) async fn go_on<F: Future<Output = ()>>(place: Place, client: impl Fn(TcpStream) -> F) {
    loop {
        if let Some(stream) = place.connect(0, None).await {
            // What is written leaves at once, as from a client of getty.
            let _ = stream.set_nodelay(true);
            client(stream).await;
            place.closed();
        }
        sleep(AGAIN).await;
    }
}
