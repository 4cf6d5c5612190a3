//! WebSocket over real sockets: messages, handshakes, ends, and what hostile peers can and cannot do.

#![cfg(feature = "ws")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use getty::{
    Chunks, Error, Limits, Protocol, Server, Session,
    transport::{WsListen, WsServer},
};
use support::{
    Events, Frames, Recorder, What, assert_echoes, echo, frame, reset, until, within,
    ws::{BINARY, CLOSE, FIN, PING, PONG, RawWs, TEXT, client, header, read_head, serve, serve_once, ws_to},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::spawn_blocking,
};
use tungstenite::Message;

const ANY: &str = "127.0.0.1:0";
const SECOND: Duration = Duration::from_secs(1);

// Messages.

#[tokio::test]
async fn packets_of_every_size_go_there_and_back() {
    let addr = serve(WsServer::new("/echo"), echo()).await;
    let (client, mut events) = client(ws_to(addr));
    assert_echoes(&client, &mut events).await;
    within(client.close()).await;
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn packets_of_every_size_go_there_and_back_over_tls() {
    use getty::transport::{TlsClient, TlsServer, WsClient};
    use support::ws::cause;
    let authority = support::Authority::new();
    let tls = TlsServer::new(authority.certify("localhost").identity());
    let (recorder, mut accepted) = Recorder::new();
    let recorder = recorder.on_message(|session: &Session<Frames>, packet| drop(session.write(packet)));
    let addr = serve(WsServer::new("/echo").tls(tls), recorder).await;
    let url = format!("wss://localhost:{}/echo", addr.port());
    let (client, mut events) = client(WsClient::over_tls(&url, TlsClient::new(authority.roots())).unwrap());
    assert_echoes(&client, &mut events).await;
    let session = accepted.open().await;
    assert_eq!(session.info().transport, "wss");
    assert_eq!(session.info().tls.as_ref().unwrap().server_name.as_deref(), Some("localhost"));
    assert_eq!(session.info().ws.as_ref().unwrap().path, "/echo");
    within(client.close()).await;

    let stranger = TlsClient::new(support::Authority::named("another").roots());
    let refused = cause(WsClient::over_tls(&url, stranger).unwrap()).await;
    assert!(refused.contains("of an authority that is not trusted here"), "{refused}");
    let plain = cause(WsClient::new(&format!("ws://localhost:{}/echo", addr.port())).unwrap()).await;
    assert!(plain.contains("does it speak TLS?"), "{plain}");
}

#[tokio::test]
async fn one_packet_is_one_binary_message_whole_and_masked_by_clients_alone() {
    for by_the_server in [true, false] {
        let (mut raw, session, _events) = raw(by_the_server, Limits::default()).await;
        session.run(async {}, |session, ()| {
            // Written together, and still apart on the wire.
            session.write("one".into()).unwrap();
            session.write_bytes(Bytes::from(vec![2; 70_000])).unwrap();
            session.write_bytes(Bytes::from_static(b"three")).unwrap();
            session.write_bytes(Bytes::new()).unwrap();
        });
        assert_eq!(raw.receive().await, (BINARY, frame(b"one")));
        assert_eq!(raw.receive().await, (BINARY, vec![2; 70_000]));
        assert_eq!(raw.receive().await, (BINARY, b"three".to_vec()));
        assert_eq!(raw.receive().await, (BINARY, Vec::new()));
    }
}

#[tokio::test]
async fn masks_do_not_repeat() {
    let (mut raw, session, _events) = raw(false, Limits::default()).await;
    let mut masks = std::collections::HashSet::new();
    for _ in 0..100 {
        session.write_bytes(Bytes::from_static(b"same")).unwrap();
        let mut bytes = [0; 10];
        within(raw.stream.read_exact(&mut bytes)).await.unwrap();
        masks.insert(<[u8; 4]>::try_from(&bytes[2..6]).unwrap());
    }
    assert!(masks.len() > 90, "{} masks for 100 frames", masks.len());
}

#[tokio::test]
async fn fragments_and_text_are_messages_too_and_pings_may_come_between() {
    for by_the_server in [true, false] {
        let (mut raw, _session, mut events) = raw(by_the_server, Limits::default()).await;
        let message = frame(b"in three parts");
        raw.send(BINARY & !FIN, &message[..3]).await;
        raw.send(PING, b"between").await;
        raw.send(0, b"").await;
        raw.send(0, &message[3..8]).await;
        raw.send(FIN, &message[8..]).await;
        assert_eq!(events.message().await, "in three parts");
        assert_eq!(raw.receive().await, (PONG, b"between".to_vec()));
        // An empty message is no packet.
        raw.send(BINARY, b"").await;
        raw.send(PONG, b"nobody asked").await;
        raw.send(BINARY, &frame(b"after both")).await;
        assert_eq!(events.message().await, "after both");
        let (mut raw, _session, mut events) = raw_over(Chunks, by_the_server, Limits::default()).await;
        raw.send(TEXT, "schön".as_bytes()).await;
        assert_eq!(events.message().await, "schön");
        raw.send(BINARY, b"next").await;
        assert_eq!(events.message().await, "next");
    }
}

#[tokio::test]
async fn another_implementation_understands_both_sides() {
    let addr = serve(WsServer::new("/echo"), echo()).await;
    let sizes = [0, 1, 125, 126, 65_535, 65_536, 1_000_000];
    within(spawn_blocking(move || {
        let stream = std::net::TcpStream::connect(addr).unwrap();
        let (mut ws, _) = tungstenite::client(format!("ws://{addr}/echo"), stream).unwrap();
        for size in sizes {
            ws.send(Message::binary(frame(&vec![7; size]))).unwrap();
            assert_eq!(ws.read().unwrap(), Message::binary(frame(&vec![7; size])));
        }
        ws.close(None).unwrap();
        while ws.read().is_ok() {}
    }))
    .await
    .unwrap();

    let listener = std::net::TcpListener::bind(ANY).unwrap();
    let addr = listener.local_addr().unwrap();
    let server = spawn_blocking(move || {
        let mut ws = tungstenite::accept(listener.accept().unwrap().0).unwrap();
        while let Ok(message) = ws.read() {
            if message.is_binary() {
                ws.send(message).unwrap();
            }
        }
    });
    let (client, mut events) = client(ws_to(addr));
    assert_echoes(&client, &mut events).await;
    within(client.close()).await;
    assert_eq!(events.next().await.what.name(), "close");
    within(server).await.unwrap();
}

/// What a client of Go's getty 1.4.10 sent on the wire, and what its server answered to all but the last.
#[tokio::test]
async fn a_client_of_gos_getty_is_understood() {
    let request = "GET /echo HTTP/1.1\r\nHost: 127.0.0.1:39423\r\nUser-Agent: Go-http-client/1.1\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n\
         Sec-WebSocket-Key: VrOkncf4MyJAK77PZwUTDg==\r\nSec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n\r\n";
    let packet = b"\x82\x8f\x2c\x77\xee\x0e\x2c\x77\xee\x05\x44\x12\x82\x62\x43\x57\x89\x6b\x58\x03\x97";
    let echoed = b"\x82\x0f\x00\x00\x00\x0bhello getty";
    let (ping, pong) = (b"\x89\x80\xd2\x99\xf9\xd3", b"\x8a\x00");
    let bye = b"\x88\x8a\xf0\x46\xaf\x25\x92\x3f\xca\x08\x92\x3f\xca\x04\xd1\x67";

    let (recorder, mut events) = Recorder::new();
    let recorder = recorder.on_message(|session: &Session<Chunks>, packet| drop(session.write(packet)));
    let addr = serve_once(Chunks, WsServer::new("/echo"), Limits::default(), recorder).await;
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = read_head(&mut stream).await;
    assert_eq!(header(&answer, "Sec-WebSocket-Accept"), Some("xIpY6bTYoyLdx0zZS48w6vpfQMQ="), "{answer}");
    assert_eq!(header(&answer, "Sec-WebSocket-Extensions"), None);
    for (sent, expected) in [(&packet[..], &echoed[..]), (ping, pong), (bye, b"\x88\x02\x03\xe8")] {
        stream.write_all(sent).await.unwrap();
        let mut came = vec![0; expected.len()];
        within(stream.read_exact(&mut came)).await.unwrap();
        assert_eq!(came, expected);
    }
    assert_eq!(within(stream.read_to_end(&mut Vec::new())).await.unwrap(), 0);
    assert_eq!(events.names_to_the_end().await, ["open", "message", "close"]);
}

// Signs of life.

#[tokio::test]
async fn both_sides_ping_once_a_cron_period_and_before_on_cron() {
    for by_the_server in [true, false] {
        let period = Duration::from_millis(20);
        let (mut raw, _session, mut events) = raw(by_the_server, Limits::default().cron(Some(period))).await;
        for _ in 0..3 {
            assert_eq!(raw.receive().await, (PING, Vec::new()));
            assert_eq!(events.next().await.what.name(), "cron");
        }
    }
}

// Ends.

#[tokio::test]
async fn a_close_frame_of_the_peer_is_answered_and_no_error() {
    for by_the_server in [true, false] {
        for said in [&b""[..], b"\x03\xe8", b"\x03\xe9going away", b"bye-bye!!!"] {
            let (mut raw, session, mut events) = raw(by_the_server, Limits::default()).await;
            drop(session);
            raw.send(BINARY, &frame(b"last words")).await;
            raw.send(CLOSE, said).await;
            let answer = match said {
                b"bye-bye!!!" => b"\x03\xe8",
                _ => said.get(..2).unwrap_or_default(),
            };
            assert_eq!(raw.receive().await, (CLOSE, answer.to_vec()));
            assert_eq!(within(raw.stream.read_to_end(&mut Vec::new())).await.unwrap(), 0);
            assert_eq!(events.names_to_the_end().await, ["message", "close"]);
        }
    }
}

#[tokio::test]
async fn answers_are_still_written_after_the_peers_close_frame() {
    let (recorder, mut events) = Recorder::new();
    let (open_gate, gate) = tokio::sync::watch::channel(false);
    let recorder = recorder.on_message(move |session: &Session<Frames>, packet| {
        let mut gate = gate.clone();
        session.run(async move { gate.wait_for(|open| *open).await.map(drop) }, |session, _| {
            session.write(packet).unwrap();
        });
    });
    let addr = serve_once(Frames, WsServer::new("/echo"), Limits::default(), recorder).await;
    let mut raw = RawWs::client(addr, "/echo").await;
    let session = events.open().await;
    raw.send(BINARY, &frame(b"question")).await;
    raw.send(CLOSE, b"\x03\xe8").await;
    until(|| !session.is_open()).await;
    open_gate.send(true).unwrap();
    assert_eq!(raw.receive().await, (BINARY, frame(b"question")));
    assert_eq!(raw.receive().await, (CLOSE, b"\x03\xe8".to_vec()));
}

#[tokio::test]
async fn an_end_without_a_close_frame_a_reset_and_a_bad_code_are_errors() {
    for by_the_server in [true, false] {
        for (end, expected) in [
            (
                "eof",
                "the connection failed: the peer ended the connection without a close frame (WebSocket code 1006)",
            ),
            ("reset", "the connection failed: Connection reset"),
            ("1011", r#"the transport failed: the peer closed the WebSocket with code 1011: "on fire""#),
        ] {
            let (mut raw, session, mut events) = raw(by_the_server, Limits::default()).await;
            drop(session);
            match end {
                "eof" => raw.stream.shutdown().await.unwrap(),
                "reset" => reset(raw.stream),
                _ => raw.send(CLOSE, b"\x03\xf3on fire").await,
            }
            let error = error(&mut events).await;
            assert!(error.starts_with(expected), "{end}: {error}");
            assert_eq!(events.names_to_the_end().await, ["close"]);
        }
    }
}

#[tokio::test]
async fn close_says_goodbye_and_waits_for_the_answer() {
    for by_the_server in [true, false] {
        let (mut raw, session, mut events) =
            raw(by_the_server, Limits::default().close_wait(60 * SECOND)).await;
        session.write("last words".into()).unwrap();
        session.close();
        assert_eq!(raw.receive().await, (BINARY, frame(b"last words")));
        assert_eq!(raw.receive().await, (CLOSE, b"\x03\xe8".to_vec()));
        // What crosses the goodbye is not delivered.
        raw.send(BINARY, &frame(b"too late")).await;
        raw.send(PING, b"too").await;
        assert!(events.try_next().is_none());
        raw.send(CLOSE, b"\x03\xe8").await;
        assert_eq!(within(raw.stream.read_to_end(&mut Vec::new())).await.unwrap(), 0);
        drop(session);
        assert_eq!(events.names_to_the_end().await, ["close"]);
    }
}

#[tokio::test]
async fn a_peer_that_does_not_say_goodbye_is_not_waited_for_longer_than_close_wait() {
    let limits = Limits::default().close_wait(Duration::from_millis(50));
    for sends in [false, true] {
        let (mut raw, session, mut events) = raw(true, limits).await;
        session.close();
        drop(session);
        assert_eq!(raw.receive().await, (CLOSE, b"\x03\xe8".to_vec()));
        let flood = raw.frame(BINARY, &[0; 1000]);
        // Until the session has ended, and hangs up.
        let sending = async { while sends && raw.stream.write_all(&flood).await.is_ok() {} };
        let (names, ()) = tokio::join!(events.names_to_the_end(), sending);
        assert_eq!(names, ["close"]);
    }
}

// Peers that break the rules.

#[tokio::test]
async fn whoever_breaks_the_rules_is_told_which_and_closed() {
    let masked = |first: u8, second: u8, rest: &[u8]| [&[first, second | 0x80], rest, &[0; 4][..]].concat();
    let payload =
        |first: u8, payload: &[u8]| [&[first, payload.len() as u8 | 0x80, 0, 0, 0, 0], payload].concat();
    for (bytes, code, text) in [
        (vec![BINARY, 1, b'x'], 1002, "a client's frame was not masked"),
        (masked(BINARY | 0x40, 0, b""), 1002, "reserved bits set"),
        (masked(BINARY | 0x10, 0, b""), 1002, "reserved bits set"),
        (masked(0x83, 0, b""), 1002, "opcode"),
        (masked(0x8b, 0, b""), 1002, "opcode"),
        (masked(PING & !FIN, 0, b""), 1002, "a control frame came in fragments"),
        (masked(PING, 126, &[0, 126]), 1002, "a control frame had 126 bytes"),
        (masked(BINARY, 126, &[0, 125]), 1002, "not written in the shortest form"),
        (masked(BINARY, 127, &[0, 0, 0, 0, 0, 0, 0xff, 0xff]), 1002, "not written in the shortest form"),
        (masked(FIN, 0, b""), 1002, "no message was begun"),
        (
            [masked(BINARY & !FIN, 0, b""), masked(TEXT, 0, b"")].concat(),
            1002,
            "before the one before it was whole",
        ),
        (payload(TEXT, b"\xff"), 1007, "a text message was not UTF-8"),
        (payload(CLOSE, b"\x03"), 1002, "a close frame of one byte"),
        (payload(CLOSE, b"\x03\xed"), 1002, "the invalid code 1005"),
        (payload(CLOSE, b"\x03\xe7"), 1002, "the invalid code 999"),
        (payload(CLOSE, b"\x03\xe8\xff"), 1007, "the reason of a close frame was not UTF-8"),
        (
            payload(BINARY & !FIN, b"").into_iter().chain((0..1024).flat_map(|_| payload(0, b""))).collect(),
            1008,
            "more than 1024 fragments",
        ),
        (
            masked(BINARY, 126, &[0x03, 0xe9]),
            1009,
            "a packet of at least 1001 bytes came, at most 1000 are allowed",
        ),
        (masked(BINARY, 127, &[0xff; 8]), 1009, "at most 1000 are allowed"),
        (
            [payload(BINARY & !FIN, &[0; 100]), masked(0, 126, &[0x03, 0x85])].concat(),
            1009,
            "a packet of at least 1001 bytes",
        ),
    ] {
        let (mut raw, session, mut events) = raw(true, Limits::default().max_packet(1000)).await;
        drop(session);
        raw.send_raw(&bytes).await;
        assert_eq!(raw.receive().await, (CLOSE, u16::to_be_bytes(code).to_vec()), "{text}");
        let error = error(&mut events).await;
        assert!(error.contains(text), "{text}: {error}");
        assert_eq!(events.names_to_the_end().await, ["close"]);
    }
    let (mut raw, session, mut events) = raw(false, Limits::default()).await;
    drop(session);
    raw.send_raw(&masked(BINARY, 0, b"")).await;
    assert_eq!(raw.receive().await, (CLOSE, b"\x03\xea".to_vec()));
    assert!(error(&mut events).await.contains("a server's frame was masked"));
}

#[tokio::test]
async fn a_message_that_is_too_long_is_an_error_of_its_own() {
    let (mut raw, session, mut events) = raw(true, Limits::default().max_packet(1000)).await;
    raw.send(BINARY, &frame(&[0; 995])).await;
    assert_eq!(events.message().await.len(), 995);
    raw.send(BINARY, &frame(&[0; 996])).await;
    error(&mut events).await;
    assert!(matches!(**session.error().unwrap(), Error::TooLong { length: 1001, limit: 1000 }));
}

#[tokio::test]
async fn peers_that_send_pings_fragments_or_nothing_without_end_hold_nobody_up() {
    let listen = WsListen::bind("127.0.0.1:0", WsServer::new("/echo")).await.unwrap();
    // They are to go on as long as the test does.
    let server = Server::over(listen).limits(Limits::default().control_frames(usize::MAX));
    let addr = server.local_addr().unwrap();
    tokio::spawn(server.serve(Frames, echo()));
    let mut floods = Vec::new();
    for first in [PING, PONG, BINARY] {
        let mut raw = RawWs::client(addr, "/echo").await;
        let flood = raw.frame(first, b"").repeat(10_000);
        floods.push(tokio::spawn(async move { while raw.stream.write_all(&flood).await.is_ok() {} }));
    }
    // Long messages in tiny pieces, one after the other.
    let mut raw = RawWs::client(addr, "/echo").await;
    let mut flood = raw.frame(BINARY & !FIN, b"\xc5");
    for byte in [0, 0, 3, 0xe8].into_iter().chain([7; 999]) {
        flood.extend(raw.frame(0, &[byte]));
    }
    flood.extend(raw.frame(FIN, &[7]));
    floods.push(tokio::spawn(async move {
        let mut sink = vec![0; 1 << 16];
        while raw.stream.write_all(&flood).await.is_ok() && raw.stream.read(&mut sink).await.is_ok() {}
    }));
    // All run on one thread, so this would take for ever if one of them kept it.
    for _ in 0..3 {
        let (client, mut events) = client(ws_to(addr));
        assert_echoes(&client, &mut events).await;
    }
    for flood in &floods {
        assert!(!flood.is_finished(), "the flood went on all the time");
        flood.abort();
    }
}

#[tokio::test]
async fn many_pings_at_once_get_an_answer_to_the_latest() {
    let (mut raw, session, mut events) = raw(true, Limits::default()).await;
    let count = 10_000_u32;
    let pings: Vec<u8> = (0..count).flat_map(|ping| raw.frame(PING, &ping.to_be_bytes())).collect();
    raw.send_raw(&pings).await;
    raw.send(BINARY, &frame(b"read on")).await;
    assert_eq!(events.message().await, "read on");
    assert!(session.is_open());
    let mut pongs = 0;
    loop {
        let (first, payload) = raw.receive().await;
        assert_eq!(first, PONG);
        pongs += 1;
        if payload == (count - 1).to_be_bytes() {
            break;
        }
    }
    assert!(pongs < count / 10, "{pongs} answers to {count} pings");
}

async fn raw(by_the_server: bool, limits: Limits) -> (RawWs, Session<Frames>, Events<Frames>) {
    raw_over(Frames, by_the_server, limits).await
}

/// A session of a server, or of a client, that has opened, and its raw peer.
async fn raw_over<P: Protocol + Clone>(
    protocol: P,
    by_the_server: bool,
    limits: Limits,
) -> (RawWs, Session<P>, Events<P>)
where
    getty::In<P>: Clone,
{
    let (recorder, mut events) = Recorder::new();
    let raw = if by_the_server {
        let addr = serve_once(protocol, WsServer::new("/echo"), limits, recorder).await;
        RawWs::client(addr, "/echo").await
    } else {
        let listener = TcpListener::bind(ANY).await.unwrap();
        let ws = ws_to(listener.local_addr().unwrap());
        let (conn, (raw, _)) = tokio::join!(getty::transport::dial_ws(&ws), RawWs::server(&listener));
        getty::accept(conn.unwrap(), protocol, recorder, limits);
        raw
    };
    let session = events.open().await;
    (raw, session, events)
}

async fn error<P: Protocol>(events: &mut Events<P>) -> String
where
    getty::In<P>: Clone,
{
    match events.next().await.what {
        What::Error(error) => error.to_string(),
        other => panic!("on_error was expected, {} came", other.name()),
    }
}
