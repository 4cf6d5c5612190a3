//! Handshakes of WebSocket over real sockets: whom a server upgrades, and what a client takes for an upgrade.

#![cfg(feature = "ws")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::io;

use getty::{
    Limits, Server,
    transport::{Listen, WsClient, WsListen, WsServer},
};
use support::{
    Frames, Recorder, assert_echoes, echo, frame, within,
    ws::{BINARY, RawWs, cause, client, header, read_head, serve, serve_once, upgrade, ws_to},
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

const ANY: &str = "127.0.0.1:0";

// Handshakes of the server.

#[tokio::test]
async fn requests_that_are_no_upgrade_get_the_status_that_says_why() {
    let (told, mut refused) = mpsc::unbounded_channel();
    let listen = WsListen::bind(ANY, WsServer::new("/echo").origins(["https://good.example"])).await.unwrap();
    let listen = listen.on_refused(move |_, error: &io::Error| drop(told.send(error.to_string())));
    let addr = listen.local_addr().unwrap();
    tokio::spawn(Server::over(listen).serve(Frames, echo()));
    let without = |name: &str| {
        let lines = upgrade("/echo", "");
        lines.split_inclusive("\r\n").filter(|line| !line.starts_with(name)).collect::<String>()
    };
    let huge = format!("X-Huge: {}\r\n", "x".repeat(20_000));
    for (request, status) in [
        (upgrade("/other", ""), 404),
        (upgrade("/echo/", ""), 404),
        (upgrade("/echo", "Origin: https://evil.example\r\n"), 403),
        (upgrade("/echo", "Origin: null\r\n"), 403),
        (upgrade("/echo", "Origin: https://good.example\r\nOrigin: https://evil.example\r\n"), 400),
        (without("Sec-WebSocket-Key"), 400),
        (upgrade("/echo", "").replace("dGhlIHNhbXBsZSBub25jZQ==", "short"), 400),
        (without("Sec-WebSocket-Version"), 426),
        (without("Upgrade"), 426),
        (without("Connection"), 426),
        (upgrade("/echo", "no colon\r\n"), 400),
        (upgrade("/echo", "").replace("HTTP/1.1", "HTTP/1.0"), 400),
        (upgrade("/echo", "").replace("GET", "POST"), 405),
        ("\x16\x03\x01\x02\x00".to_owned(), 405),
        (upgrade("/echo", &huge), 431),
        (upgrade("/echo", "") + "more", 400),
    ] {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_head(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
        assert_eq!(header(&answer, "Connection"), Some("close"));
        let told = within(refused.recv()).await.unwrap();
        assert!(told.ends_with(&format!("; answered with {status}")), "{told}");
    }
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.shutdown().await.unwrap();
    let told = within(refused.recv()).await.unwrap();
    assert!(told.contains("in the middle of the WebSocket handshake"), "{told}");
}

#[tokio::test]
async fn no_web_site_may_connect_unless_it_was_allowed() {
    let addr = serve(WsServer::new("/echo"), echo()).await;
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(upgrade("/echo", "Origin: https://any.example\r\n").as_bytes()).await.unwrap();
    let answer = read_head(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[tokio::test]
async fn a_session_knows_what_its_handshake_said() {
    for (server, headers, origin, subprotocol) in [
        (WsServer::new("/echo"), "", None, None),
        (WsServer::new("/echo").any_origin(), "Origin: null\r\n", Some("null"), None),
        (
            WsServer::new("/echo").origins(["https://good.example"]).subprotocols(["best", "good"]),
            "Origin: https://good.example\r\nSec-WebSocket-Protocol: bad, good\r\nSec-WebSocket-Protocol: best\r\n",
            Some("https://good.example"),
            Some("best"),
        ),
        (WsServer::new("/echo").subprotocols(["best"]), "Sec-WebSocket-Protocol: bad\r\n", None, None),
    ] {
        let (recorder, mut events) = Recorder::new();
        let addr = serve_once(Frames, server, Limits::default(), recorder).await;
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(upgrade("/echo?a=b", headers).as_bytes()).await.unwrap();
        let answer = read_head(&mut stream).await;
        assert_eq!(header(&answer, "Sec-WebSocket-Protocol"), subprotocol);
        let session = events.open().await;
        assert_eq!(session.info().transport, "ws");
        assert_eq!(session.peer(), Some(stream.local_addr().unwrap()));
        let ws = session.info().ws.clone().unwrap();
        assert_eq!(ws.path, "/echo?a=b");
        assert_eq!((ws.origin.as_deref(), ws.subprotocol.as_deref()), (origin, subprotocol));
    }
}

#[tokio::test]
async fn two_hundred_stalled_handshakes_hold_nobody_up() {
    let addr = serve(WsServer::new("/echo"), echo()).await;
    let mut stalled = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(b"GET /echo HTTP/1.1\r\nHost: ").await.unwrap();
        stalled.push(stream);
    }
    for _ in 0..10 {
        let (client, mut events) = client(ws_to(addr));
        assert_echoes(&client, &mut events).await;
        within(client.close()).await;
    }
    // They are still being listened to.
    let rest = upgrade("/echo", "");
    let rest = rest.split_once("Host: ").unwrap().1;
    stalled[0].write_all(rest.as_bytes()).await.unwrap();
    assert!(read_head(&mut stalled[0]).await.starts_with("HTTP/1.1 101 "));
}

// Handshakes of the client.

#[tokio::test]
async fn a_client_says_what_it_was_told_to() {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let ws = WsClient::new(&format!("ws://{addr}/a/b?c=d")).unwrap();
    let ws = ws
        .header("Authorization", "Basic c2VjcmV0")
        .unwrap()
        .header("Origin", "https://site.example")
        .unwrap();
    assert!(!format!("{ws:?}").contains("c2VjcmV0"));
    let (client, mut events) = client(ws);
    let (connected, (raw, request)) = tokio::join!(within(client.connect()), RawWs::server(&listener));
    connected.unwrap();
    assert!(request.starts_with("GET /a/b?c=d HTTP/1.1\r\n"), "{request}");
    assert_eq!(header(&request, "Host"), Some(addr.to_string().as_str()));
    assert_eq!(header(&request, "authorization"), Some("Basic c2VjcmV0"));
    let ws = events.open().await.info().ws.clone().unwrap();
    assert_eq!((ws.path.as_str(), ws.origin.as_deref()), ("/a/b?c=d", Some("https://site.example")));
    drop(raw);
}

#[tokio::test]
async fn frames_that_come_right_after_the_answer_are_not_lost() {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let (client, mut events) = client(ws_to(listener.local_addr().unwrap()));
    let serving = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_head(&mut stream).await;
        let accept = tungstenite::handshake::derive_accept_key(
            header(&request, "Sec-WebSocket-Key").unwrap().as_bytes(),
        );
        let mut answer = format!("HTTP/1.1 101 Fine\r\nupgrade: WebSocket\r\nconnection: upgrade\r\nsec-websocket-accept: {accept}\r\n\r\n").into_bytes();
        answer.extend_from_slice(&[BINARY, 8]);
        answer.extend_from_slice(&frame(b"hey"));
        stream.write_all(&answer).await.unwrap();
        stream
    };
    let (connected, _stream) = tokio::join!(within(client.connect()), serving);
    connected.unwrap();
    events.open().await;
    assert_eq!(events.message().await, "hey");
}

#[tokio::test]
async fn a_server_that_does_not_upgrade_is_a_failed_dial_that_says_why() {
    let good = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n";
    for (answer, expected) in [
        (
            "HTTP/1.1 404 Not Found\r\n\r\n".to_owned(),
            "expected the status 101, the server answered 404 Not Found; is /echo right",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: ws://elsewhere/\r\n\r\n".to_owned(),
            "the server answered 302 Found",
        ),
        (
            "220 smtp.example ready\r\n\r\n".to_owned(),
            "expected an answer of HTTP/1.1, the server sent something else",
        ),
        (good.replace("Upgrade: websocket\r\n", "") + "\r\n", "does not upgrade to websocket"),
        (good.replace("Connection: Upgrade\r\n", "") + "\r\n", "does not upgrade to websocket"),
        (
            good.replace("ACCEPT", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") + "\r\n",
            "does not belong to the key that was sent",
        ),
        (
            format!("{good}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
            "uses an extension that was not offered",
        ),
        (format!("{good}\r\n"), "the server agreed to none of the subprotocols lines"),
        (
            format!("{good}Sec-WebSocket-Protocol: other\r\n\r\n"),
            r#"chose the subprotocol "other", which was not offered"#,
        ),
        (
            format!("{good}X: {}\r\n\r\n", "x".repeat(20_000)),
            "the head of the server's answer has more than 16384 bytes",
        ),
        (String::new(), "closed the connection in the middle of the WebSocket handshake"),
    ] {
        let listener = TcpListener::bind(ANY).await.unwrap();
        let ws = ws_to(listener.local_addr().unwrap()).subprotocols(["lines"]).unwrap();
        let serving = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let request = read_head(&mut stream).await;
            let key = header(&request, "Sec-WebSocket-Key").unwrap();
            let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
            stream.write_all(answer.replace("ACCEPT", &accept).as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            stream
        };
        let (cause, _stream) = tokio::join!(cause(ws), serving);
        assert!(cause.contains(expected), "{expected}: {cause}");
    }
}

#[test]
fn urls_and_headers_that_cannot_be_used_are_named() {
    for (url, reason) in [
        ("http://host/", "its scheme is not ws"),
        ("wss://host/", "WsClient::over_tls"),
        ("/path", "its scheme is not ws"),
        ("ws://", "it is no URL"),
        ("ws://ho st/", "it is no URL"),
        ("ws://host/#part", "has no fragment"),
        ("ws://user:secret@host/", "users and passwords do not belong into it"),
    ] {
        let error = WsClient::new(url).unwrap_err().to_string();
        assert!(error.contains(reason) && !error.contains("secret"), "{url}: {error}");
    }
    let client = || WsClient::new("ws://host").unwrap();
    for (name, value) in [("bad name", "x"), ("X", "a\r\nY: b"), ("Sec-WebSocket-Key", "x"), ("Host", "x")] {
        let error = client().header(name, value).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
    assert!(client().subprotocols(["a, b"]).is_err() && client().subprotocols([""]).is_err());
}
