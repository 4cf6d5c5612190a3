//! The log: events tell of connections, none of a packet, unless at level TRACE.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use bytes::Bytes;
use getty::{
    ClientBuilder, Limits, Server,
    transport::{UdpListen, memory},
};
use support::{
    Frames, Recorder, echo,
    logs::{Logs, SPAN},
    over_tcp, reset, until, within,
};
use tracing::Level;

/// The texts of what has been logged since: spans, and all events above TRACE.
fn take(logs: &Logs) -> Vec<String> {
    let lines = logs.take_all().into_iter();
    lines.filter(|line| line.level < Level::TRACE || line.text == SPAN).map(|line| line.text).collect()
}

const PACKETS: u64 = 1_000;

#[tokio::test]
async fn a_thousand_packets_leave_no_event_between_that_of_the_begin_and_that_of_the_end() {
    let logs = Logs::down_to(Level::TRACE);
    for transport in ["tcp", "memory", "udp"] {
        let (recorder, mut events) = Recorder::new();
        let builder = ClientBuilder::new(Frames, recorder);
        let client = match transport {
            "tcp" => {
                let server = Server::bind("127.0.0.1:0").await.unwrap();
                let address = server.local_addr().unwrap().to_string();
                tokio::spawn(server.serve(Frames, echo()));
                builder.tcp(address)
            }
            "udp" => {
                let server = Server::over(UdpListen::bind("127.0.0.1:0").await.unwrap());
                let address = server.local_addr().unwrap().to_string();
                tokio::spawn(server.serve(Frames, echo()));
                builder.udp(address)
            }
            _ => {
                let (connector, listen) = memory::listen();
                tokio::spawn(Server::over(listen).serve(Frames, echo()));
                builder.dial(transport, move || {
                    let connector = connector.clone();
                    async move { connector.connect().await }
                })
            }
        };
        let session = within(client.session()).await.unwrap();
        events.open().await;
        // Over UDP the server's session begins with the first packet.
        session.write(Bytes::from_static(b"packet")).unwrap();
        events.message().await;
        let begin = take(&logs);
        let opened = begin.iter().filter(|text| text.contains("session opened")).count();
        assert_eq!(opened, 2, "{transport}: {begin:?}");
        for _ in 0..PACKETS {
            session.write(Bytes::from_static(b"packet")).unwrap();
            events.message().await;
        }
        assert_eq!(session.stats().read_packets, PACKETS + 1);
        assert_eq!(take(&logs), [""; 0], "{transport}");
        client.close().await;
        until(|| logs.has("session ended")).await;
        take(&logs);
    }
}

#[tokio::test]
async fn the_event_of_the_end_says_why() {
    let logs = Logs::down_to(Level::TRACE);
    for broken in [false, true] {
        let (recorder, mut events) = Recorder::new();
        let (peer, session) = over_tcp(Frames, recorder, Limits::default()).await;
        events.open().await;
        if broken {
            reset(peer);
        } else {
            session.close();
        }
        events.close().await;
        let text = take(&logs).concat();
        let expected = if broken { "reason=\"io\"" } else { "reason=\"local\"" };
        assert!(text.contains("session ended") && text.contains(expected), "{text}");
        assert_eq!(text.contains("error=the connection failed"), broken, "{text}");
    }
}
