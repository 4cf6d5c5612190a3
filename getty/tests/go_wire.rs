//! Every row of bytes that Go's getty 1.4.10 sent decodes to its packets, over the transport that it was sent over.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use bytes::Bytes;
use getty::{
    Limits, Server, accept,
    transport::{
        Compressed, Compression, Io, Listen, Transport, UdpListen, WsListen, WsServer, dial_udp, dial_ws,
    },
};
use support::{
    Events, Lengths, Recorder, Row, What, rows,
    ws::{RawWs, read_head, ws_to},
};
use tokio::{
    io::{AsyncWriteExt, DuplexStream, duplex},
    net::{TcpListener, TcpStream, UdpSocket},
};

const ANY: &str = "127.0.0.1:0";
const TO_SERVER: &str = "client to server";
const TO_CLIENT: &str = "server to client";

/// What the bytes of a row come to.
enum Comes {
    /// These packets, and the session goes on.
    Packets(Vec<Bytes>),
    /// The end of the session, without an error.
    End,
    /// An error that says this, which ends the session.
    Error(&'static str),
    /// It cannot be sent to us.
    Unsent,
}

#[tokio::test]
async fn every_row_decodes_to_its_packets_in_the_session_that_it_belongs_to() {
    let rows = rows();
    let mut met = 0;
    for transport in ["tcp", "tcp-none", "tcp-zip", "tcp-snappy", "ws", "ws-zip", "udp"] {
        for direction in [TO_SERVER, TO_CLIENT] {
            let rows = rows.iter().filter(|row| row.transport == transport && row.direction == direction);
            let rows: Vec<_> = rows.collect();
            read_all(&rows).await;
            met += rows.len();
        }
    }
    assert_eq!(met, rows.len(), "there are rows of another transport or direction");
}

/// Sends the rows of one direction, as many connections as they are of.
async fn read_all(rows: &[&Row]) {
    let handshake = rows.iter().find(|row| row.what == "opening handshake");
    let mut connection = None;
    for row in rows {
        let expected = comes(row);
        if let Comes::Unsent = expected {
            continue;
        }
        if row.transport.starts_with("ws") && is_end(row) {
            assert!(connection.is_none(), "{row:?}: a close frame comes before it, and ends the session");
            continue;
        }
        let Connection { mut wire, mut events } = match connection.take() {
            Some(connection) => connection,
            None => Connection::open(row, handshake).await,
        };
        if row.what != "opening handshake" {
            wire.send(&row.bytes).await;
        }
        match expected {
            Comes::Packets(packets) => {
                for packet in packets {
                    assert!(message(&mut events, row).await == packet, "{row:?}");
                }
                connection = Some(Connection { wire, events });
            }
            Comes::End => {
                wire.finish().await;
                assert_eq!(end(&mut events).await, None, "{row:?}");
            }
            Comes::Error(says) => {
                wire.finish().await;
                let error = end(&mut events).await.unwrap_or_else(|| panic!("{row:?} is no error"));
                assert!(error.contains(says), "{row:?}: {error}");
            }
            Comes::Unsent => {}
        }
    }
    if let Some(Connection { mut events, .. }) = connection {
        assert!(events.drain().is_empty(), "more came than the rows hold");
    }
}

fn is_end(row: &Row) -> bool {
    row.what.ends_with(": end of stream")
}

/// What a row must come to. Rows that are no packets stand first, by name and with the reason.
fn comes(row: &Row) -> Comes {
    let hello = Bytes::from_static(b"hello getty");
    let short = || vec![hello.clone()];
    let twice = || vec![hello.clone(), hello.clone()];
    let zs = |count| Bytes::from(vec![b'z'; count]);
    let begins = |text: &str| row.what.starts_with(text);
    match (row.transport.as_str(), row.direction.as_str()) {
        // It sends several slices past the compressor. No receiver can know that, and Go's own fails too.
        ("tcp-none" | "tcp-zip", TO_SERVER) if begins("WriteBytesArray of packet 1 twice: past the") => {
            Comes::Error("no deflate stream")
        }
        // Its end of a session loses what the compressor has kept: the large packet was never sent whole.
        ("tcp-snappy", TO_SERVER) if begins("client's Client.Close after packet 1 and 66,000") => {
            Comes::Error("in the middle of a packet")
        }
        // The answer to the key of another client; and it accepts permessage-deflate, which ours does not offer.
        ("ws" | "ws-zip", TO_CLIENT) if begins("opening handshake") => Comes::Unsent,
        // permessage-deflate, which Go's side uses only where both sides have agreed to it, and ours never does.
        ("ws-zip", _) if begins("packet ") || begins("WriteBytesArray") => Comes::Error("reserved bits"),
        // Its server says that the goodbye of its own client breaks the rules.
        ("ws" | "ws-zip", TO_CLIENT) if begins("client's Client.Close") && !is_end(row) => {
            Comes::Error("invalid close code")
        }
        // Its server refuses a message that is too long.
        ("ws", TO_CLIENT) if begins("message of 1,100 bytes") && !is_end(row) => Comes::Error("1009"),

        _ if is_end(row) => Comes::End,
        ("ws" | "ws-zip", TO_SERVER) if begins("client's Client.Close") => Comes::End,
        ("ws", _) if begins("server's Session.Close") || begins("close frame 1000") => Comes::End,
        ("ws" | "ws-zip", _) if begins("opening handshake") || begins("ping") => Comes::Packets(vec![]),
        ("ws", TO_SERVER) if begins("WriteBytesArray of two frames") => Comes::Packets(twice()),
        // Go's own server handles the first of the two in a message, so there is one echo.
        ("ws", TO_CLIENT) if begins("WriteBytesArray of two frames") => Comes::Packets(short()),
        ("ws", TO_SERVER) if begins("message of 1,100 bytes") => Comes::Packets(vec![unmasked(&row.bytes)]),
        ("udp", TO_SERVER) if begins("connect: probe") => Comes::Packets(vec![]),
        ("tcp", _) if begins("WriteBytesArray of packet 1 twice, and") => Comes::Packets(twice()),
        ("tcp-snappy", _) if begins("client's Client.Close after packets 1, 2, 3 (write timeout") => {
            Comes::Packets([twice(), vec![zs(64)]].concat())
        }
        ("tcp-snappy", _) if begins("client's Client.Close after packet 1") => Comes::Packets(short()),
        ("tcp-snappy", _) if begins("one packet of 66,000 bytes 'z' on an") => {
            Comes::Packets(vec![zs(66_000)])
        }
        // The rest of the second one stays in the buffer.
        ("tcp-snappy", _) if begins("one packet of 66,000 bytes 'z' behind") => Comes::Packets(short()),
        (_, _) if begins("packet 1 and") || begins("packet 2 and") => Comes::Packets(short()),
        (_, _) if begins("packet 3 and") => Comes::Packets(vec![zs(64)]),
        _ => panic!("nobody has said what this row comes to: {row:?}"),
    }
}

/// The payload of the one packet in a masked frame of 126 to 65,535 bytes.
fn unmasked(frame: &[u8]) -> Bytes {
    let (header, masked) = frame.split_at(8);
    let message = masked.iter().zip(header[4..].iter().cycle()).map(|(byte, mask)| byte ^ mask);
    message.skip(4).collect()
}

/// A session of ours, and the raw side that Go's bytes are sent from.
struct Connection {
    wire: Wire,
    events: Events<Lengths>,
}

enum Wire {
    Pipe(DuplexStream),
    Tcp(TcpStream),
    Udp(UdpSocket),
}

impl Connection {
    /// For the side that this row was sent to.
    async fn open(row: &Row, handshake: Option<&&Row>) -> Self {
        let (recorder, events) = Recorder::new();
        let wire = match (row.transport.as_str(), row.direction.as_str()) {
            ("ws" | "ws-zip", TO_SERVER) => {
                let mut listen = WsListen::bind(ANY, WsServer::new("/echo")).await.unwrap();
                let mut stream = TcpStream::connect(listen.local_addr().unwrap()).await.unwrap();
                stream.write_all(&handshake.unwrap().bytes).await.unwrap();
                accept(listen.accept().await.unwrap(), Lengths, recorder, Limits::default());
                let answer = read_head(&mut stream).await;
                assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
                Wire::Tcp(stream)
            }
            ("ws" | "ws-zip", _) => {
                let listener = TcpListener::bind(ANY).await.unwrap();
                let ws = ws_to(listener.local_addr().unwrap());
                let (dialled, (raw, _)) = tokio::join!(dial_ws(&ws), RawWs::server(&listener));
                accept(dialled.unwrap(), Lengths, recorder, Limits::default());
                Wire::Tcp(raw.stream)
            }
            ("udp", TO_SERVER) => {
                let server = Server::over(UdpListen::bind(ANY).await.unwrap());
                let address = server.local_addr().unwrap();
                tokio::spawn(server.serve(Lengths, recorder));
                let socket = UdpSocket::bind(ANY).await.unwrap();
                socket.connect(address).await.unwrap();
                Wire::Udp(socket)
            }
            ("udp", _) => {
                let socket = UdpSocket::bind(ANY).await.unwrap();
                let dialled = dial_udp(&socket.local_addr().unwrap().to_string()).await.unwrap();
                socket.connect(dialled.info().local.unwrap()).await.unwrap();
                accept(dialled, Lengths, recorder, Limits::default());
                Wire::Udp(socket)
            }
            (transport, _) => {
                let (peer, own) = duplex(64 * 1024);
                let own = Io::new(own, "memory");
                let by = match transport {
                    "tcp" => None,
                    "tcp-snappy" => Some(Compression::Snappy),
                    _ => Some(Compression::default()),
                };
                match by {
                    None => accept(own, Lengths, recorder, Limits::default()),
                    Some(by) => accept(Compressed::new(own, by), Lengths, recorder, Limits::default()),
                };
                Wire::Pipe(peer)
            }
        };
        Self { wire, events }
    }
}

impl Wire {
    async fn send(&mut self, bytes: &[u8]) {
        match self {
            Self::Pipe(pipe) => pipe.write_all(bytes).await.unwrap(),
            Self::Tcp(stream) => stream.write_all(bytes).await.unwrap(),
            Self::Udp(socket) => assert_eq!(socket.send(bytes).await.unwrap(), bytes.len()),
        }
    }

    /// Says that nothing more comes. A session that has ended with an error may have hung up already.
    async fn finish(&mut self) {
        match self {
            Self::Pipe(pipe) => drop(pipe.shutdown().await),
            Self::Tcp(stream) => drop(stream.shutdown().await),
            Self::Udp(_) => panic!("nothing over UDP says that"),
        }
    }
}

/// The next packet.
async fn message(events: &mut Events<Lengths>, row: &Row) -> Bytes {
    loop {
        match events.next().await.what {
            What::Open => {}
            What::Message(packet) => return packet,
            other => panic!("{row:?}: on_message was expected, {} came", other.name()),
        }
    }
}

/// The error that the session ends with, if any.
async fn end(events: &mut Events<Lengths>) -> Option<String> {
    loop {
        let event = events.next().await;
        match event.what {
            What::Open | What::Error(_) => {}
            What::Close => return event.session.error().map(|error| error.to_string()),
            other => panic!("on_close was expected, {} came", other.name()),
        }
    }
}
