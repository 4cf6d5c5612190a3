//! Our echo against a running Go getty, both ways, over every transport that both have. `scripts/test` builds the Go program and
//! says where it is.
#![allow(clippy::expect_used, reason = "a test that cannot go on should end")]

mod support;

use std::io::{Write, stderr};

use support::echo::{Certificates, OURS, assert_passed, client, load, server};

/// Packets of each size.
const COUNT: usize = 4;

/// One way to connect, and the sizes that the Go side can do over it.
struct Way {
    transport: &'static str,
    compress: &'static str,
    sizes: &'static [usize],
    /// Who shows a certificate: nobody, or the server, or both.
    shown: &'static [&'static str],
}

/// The one that its release does over every stream.
const ALL: &[usize] = &[1, 4_000, 5_000, 70_000, 1_000_000];
/// What fits into a datagram.
const DATAGRAMS: &[usize] = &[1, 4_000, 5_000, 65_503];
/// It keeps compressed packets until it has 64 KiB of them; longer ones leave at once.
const LONG: &[usize] = &[70_000, 1_000_000];

const PLAIN: Way = Way { transport: "tcp", compress: "none", sizes: ALL, shown: &[] };
const WAYS: [Way; 6] = [
    PLAIN,
    Way { compress: "deflate", ..PLAIN },
    Way { compress: "snappy", sizes: LONG, ..PLAIN },
    Way { transport: "tls", shown: &["server", "client"], ..PLAIN },
    Way { transport: "ws", ..PLAIN },
    Way { transport: "udp", sizes: DATAGRAMS, ..PLAIN },
];
const WSS: Way = Way { transport: "wss", shown: &["server", "client"], ..PLAIN };
/// Its client sends its certificate without the key, so nobody may demand one.
const WSS_OF_A_GO_CLIENT: Way = Way { shown: &["server"], ..WSS };

#[tokio::test]
async fn every_packet_of_our_client_comes_back_from_a_go_server() {
    assert_all_come_back("our client, Go's server", OURS, &go(), &WSS).await;
}

#[tokio::test]
async fn every_packet_of_a_go_client_comes_back_from_our_server() {
    assert_all_come_back("Go's client, our server", &go(), OURS, &WSS_OF_A_GO_CLIENT).await;
}

async fn assert_all_come_back(sides: &str, clients: &str, servers: &str, wss: &Way) {
    let certificates = Certificates::new();
    for way in WAYS.iter().chain([wss]) {
        let Way { transport, compress, sizes, shown } = way;
        let show = |side: &str| if shown.contains(&side) { certificates.shown(side) } else { Vec::new() };
        let mut told = show("server");
        if shown.contains(&"client") {
            told.extend(certificates.believed());
        }
        let compression = ["--compress".to_owned(), (*compress).to_owned()];
        told.extend_from_slice(&compression);
        let serving = server(servers, transport, None, &told).await;
        let mut told = show("client");
        if shown.contains(&"server") {
            told.extend(certificates.believed());
        }
        let told = [&told[..], &compression, &load(sizes, COUNT)].concat();
        let output = client(clients, transport, serving.address(), &told).await;
        let what = format!("{sides}: {transport}, compression {compress}, certificates of {shown:?}");
        assert_passed(&output, COUNT * sizes.len(), &what);
        // Not captured, so that whoever runs the tests sees what has been run.
        let _ = writeln!(stderr(), "getty-go, {what}: {COUNT} packets each of {sizes:?} bytes");
    }
}

fn go() -> String {
    std::env::var("GETTY_GETTY_GO").expect("GETTY_GETTY_GO names the Go program; scripts/test builds it")
}
