//! WebSocket servers and clients, and the raw side: handshakes and frames byte by byte.

use std::{net::SocketAddr, time::Duration};

use getty::{
    Client, ClientBuilder, EventListener, Limits, Protocol, Server, SessionError, on_message,
    transport::{Listen, WsClient, WsListen, WsServer},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tungstenite::handshake::derive_accept_key;

use super::{Events, Frames, Recorder, within};

const ANY: &str = "127.0.0.1:0";
const SECOND: Duration = Duration::from_secs(1);
/// Final frames by their first byte.
pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;
/// Set in the first byte of a message's last frame.
pub(crate) const FIN: u8 = 0x80;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const MASK: [u8; 4] = [0x2c, 0x77, 0xee, 0x05];

/// A peer that says what the test wants.
pub(crate) struct RawWs {
    pub(crate) stream: TcpStream,
    masks: bool,
}

/// A request for an upgrade, with further headers, each with its line end.
pub(crate) fn upgrade(path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{headers}\r\n"
    )
}

impl RawWs {
    /// A client whose handshake is done.
    pub(crate) async fn client(addr: SocketAddr, path: &str) -> Self {
        Self::over(TcpStream::connect(addr).await.unwrap(), path).await
    }

    /// A client over a socket that the test has configured.
    pub(crate) async fn over(mut stream: TcpStream, path: &str) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.write_all(upgrade(path, "").as_bytes()).await.unwrap();
        let answer = read_head(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        assert!(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{answer}");
        Self { stream, masks: true }
    }

    /// A server whose handshake with the first client is done.
    pub(crate) async fn server(listener: &TcpListener) -> (Self, String) {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let request = read_head(&mut stream).await;
        let key = header(&request, "Sec-WebSocket-Key").unwrap();
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
            derive_accept_key(key.as_bytes())
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        (Self { stream, masks: false }, request)
    }

    pub(crate) async fn send(&mut self, first: u8, payload: &[u8]) {
        let frame = self.frame(first, payload);
        self.send_raw(&frame).await;
    }

    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        within(self.stream.write_all(bytes)).await.unwrap();
    }

    /// A frame with this first byte, masked where this is a client.
    pub(crate) fn frame(&self, first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        let flag = if self.masks { 0x80 } else { 0 };
        match payload.len() {
            length @ 0..126 => frame.push(length as u8 | flag),
            length @ 126..65_536 => {
                frame.push(126 | flag);
                frame.extend_from_slice(&(length as u16).to_be_bytes());
            }
            length => {
                frame.push(127 | flag);
                frame.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        if self.masks {
            frame.extend_from_slice(&MASK);
            frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        } else {
            frame.extend_from_slice(payload);
        }
        frame
    }

    /// First byte and payload of the next frame, which must be masked exactly if it is a client's.
    pub(crate) async fn receive(&mut self) -> (u8, Vec<u8>) {
        within(async {
            let first = self.stream.read_u8().await.unwrap();
            let second = self.stream.read_u8().await.unwrap();
            let length = match second & 0x7f {
                126 => usize::from(self.stream.read_u16().await.unwrap()),
                127 => self.stream.read_u64().await.unwrap() as usize,
                length => usize::from(length),
            };
            assert_eq!(second & 0x80 == 0, self.masks, "a client masks, a server does not");
            let mut mask = [0; 4];
            if second & 0x80 != 0 {
                self.stream.read_exact(&mut mask).await.unwrap();
            }
            let mut payload = vec![0; length];
            self.stream.read_exact(&mut payload).await.unwrap();
            payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
            (first, payload)
        })
        .await
    }
}

/// All bytes up to the empty line that ends a head.
pub(crate) async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match within(stream.read_u8()).await {
            Ok(byte) => head.push(byte),
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&head)),
        }
    }
    String::from_utf8(head).unwrap()
}

/// The value of a header.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// A client of the path `/echo`.
pub(crate) fn ws_to(addr: SocketAddr) -> WsClient {
    WsClient::new(&format!("ws://{addr}/echo")).unwrap()
}

pub(crate) async fn serve(ws: WsServer, listener: impl EventListener<Frames>) -> SocketAddr {
    let server = Server::over(WsListen::bind(ANY, ws).await.unwrap());
    let addr = server.local_addr().unwrap();
    tokio::spawn(server.serve(Frames, listener));
    addr
}

/// Accepts one connection only, so that the listener is dropped with its session.
pub(crate) async fn serve_once<P: Protocol>(
    protocol: P,
    ws: WsServer,
    limits: Limits,
    listener: impl EventListener<P>,
) -> SocketAddr {
    let mut listen = WsListen::bind(ANY, ws).await.unwrap();
    let addr = listen.local_addr().unwrap();
    tokio::spawn(async move {
        let conn = listen.accept().await.unwrap();
        getty::accept(conn, protocol, listener, limits);
    });
    addr
}

pub(crate) fn client(ws: WsClient) -> (Client<Frames>, Events<Frames>) {
    let (recorder, events) = Recorder::new();
    // Longer than by default: the machine may be busy with the other tests.
    let limits = Limits::default().dial(20 * SECOND);
    (ClientBuilder::new(Frames, recorder).limits(limits).ws(ws), events)
}

/// Why the first dial fails.
pub(crate) async fn cause(ws: WsClient) -> String {
    let limits = Limits::default().dial(20 * SECOND);
    let client = ClientBuilder::new(Frames, on_message(|_, _| {})).limits(limits).ws(ws);
    match within(client.session()).await {
        Err(SessionError::Unreachable { cause, .. }) => cause,
        other => panic!("the dial should have failed, it came to {other:?}"),
    }
}
