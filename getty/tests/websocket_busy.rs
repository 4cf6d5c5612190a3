//! WebSocket sessions that many write to at once, and a server of many that stops.

#![cfg(feature = "ws")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use getty::{
    ClientBuilder, Limits, Server,
    transport::{WsClient, WsListen, WsServer},
};
use support::{
    Frames, Recorder, What, echo, within,
    ws::{client, serve_once, ws_to},
};
use tokio::sync::oneshot;

const WRITERS: usize = 8;
const PACKETS: usize = 4_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_and_pings_at_once_lose_no_message() {
    // Pings all the time, from both sides.
    let limits = Limits::default()
        .cron(Some(Duration::from_millis(10)))
        .control_frames(usize::MAX)
        .dial(Duration::from_secs(20));
    let addr = serve_once(Frames, WsServer::new("/echo"), limits, echo()).await;
    let (recorder, mut events) = Recorder::new();
    let client = ClientBuilder::new(Frames, recorder).limits(limits).ws(ws_to(addr));
    let session = within(client.session()).await.unwrap();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let session = session.clone();
            tokio::spawn(async move {
                for number in (writer..PACKETS).step_by(WRITERS) {
                    session.send(Bytes::copy_from_slice(&number.to_be_bytes())).await.unwrap();
                }
            })
        })
        .collect();
    let mut answers = BTreeSet::new();
    within(async {
        while answers.len() < PACKETS {
            match events.next().await.what {
                What::Open | What::Cron => {}
                What::Message(packet) => assert!(answers.insert(packet), "an answer came twice"),
                other => panic!("{} came", other.name()),
            }
        }
    })
    .await;
    for writer in writers {
        within(writer).await.unwrap();
    }
    assert!(answers.iter().map(|answer| &answer[..]).eq((0..PACKETS).map(usize::to_be_bytes)));
}

#[tokio::test]
async fn a_server_that_stops_says_goodbye_to_every_client() {
    stop_a_server(WsServer::new("/echo"), |port| {
        WsClient::new(&format!("ws://127.0.0.1:{port}/echo")).unwrap()
    })
    .await;
    #[cfg(feature = "tls")]
    {
        use getty::transport::{TlsClient, TlsServer};
        let own = support::Authority::new().certify("localhost");
        let ws = WsServer::new("/echo").tls(TlsServer::new(own.identity()));
        stop_a_server(ws, |port| {
            let tls = TlsClient::dangerous_trust_anyone();
            WsClient::over_tls(&format!("wss://localhost:{port}/echo"), tls).unwrap()
        })
        .await;
    }
}

/// Stops a server with five clients. It ends without an error, and so do all sessions.
async fn stop_a_server(ws: WsServer, to: fn(u16) -> WsClient) {
    let (recorder, mut accepted) = Recorder::new();
    let server = Server::over(WsListen::bind("127.0.0.1:0", ws).await.unwrap());
    let port = server.local_addr().unwrap().port();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve_until(Frames, recorder, async { drop(stopped.await) }));
    let mut clients = Vec::new();
    for _ in 0..5 {
        let (client, mut events) = client(to(port));
        within(client.session()).await.unwrap();
        events.open().await;
        accepted.open().await;
        // It does not come back.
        client.leave();
        clients.push((client, events));
    }
    stop.send(()).unwrap();
    within(serving).await.unwrap().unwrap();
    assert_eq!(accepted.names_to_the_end().await, ["close"; 5]);
    for (client, mut events) in clients {
        drop(client);
        assert_eq!(events.names_to_the_end().await, ["close"]);
    }
}
