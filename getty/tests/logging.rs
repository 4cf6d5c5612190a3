//! The log: events tell of connections, none of a packet, unless at level TRACE.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use getty::{
    ClientBuilder, Limits, Server,
    transport::{UdpListen, memory},
};
use support::{Frames, Recorder, echo, over_tcp, reset, until, within};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};

/// The texts of all events above TRACE.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Logs what this thread does. The runtime of a test has one thread.
    fn start() -> (Self, DefaultGuard) {
        let log = Self::default();
        let guard = tracing::subscriber::set_default(log.clone());
        (log, guard)
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("getty")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        self.0.lock().unwrap().push("a span".to_owned());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        if *event.metadata().level() < Level::TRACE {
            let mut text = Text::default();
            event.record(&mut text);
            self.0.lock().unwrap().push(text.0);
        }
    }

    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!("{field}={value:?} ");
    }
}

const PACKETS: u64 = 1_000;

#[tokio::test]
async fn a_thousand_packets_leave_no_event_between_that_of_the_begin_and_that_of_the_end() {
    let (log, _guard) = Log::start();
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
        let begin = log.take();
        let opened = begin.iter().filter(|text| text.contains("session opened")).count();
        assert_eq!(opened, 2, "{transport}: {begin:?}");
        for _ in 0..PACKETS {
            session.write(Bytes::from_static(b"packet")).unwrap();
            events.message().await;
        }
        assert_eq!(session.stats().read_packets, PACKETS + 1);
        assert_eq!(log.take(), [""; 0], "{transport}");
        client.close().await;
        until(|| log.0.lock().unwrap().iter().any(|text| text.contains("session ended"))).await;
        log.take();
    }
}

#[tokio::test]
async fn the_event_of_the_end_says_why() {
    let (log, _guard) = Log::start();
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
        let text = log.take().concat();
        let expected = if broken { "reason=\"io\"" } else { "reason=\"local\"" };
        assert!(text.contains("session ended") && text.contains(expected), "{text}");
        assert_eq!(text.contains("error=the connection failed"), broken, "{text}");
    }
}
