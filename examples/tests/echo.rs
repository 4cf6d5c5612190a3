//! The `echo` example, server and client as a user runs them.
#![allow(clippy::expect_used, reason = "a test that cannot go on should end")]

mod support;

use std::process::Output;

use support::{
    echo::{Certificates, Folder, OURS, assert_passed, client, load, server},
    free_port, run,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const SIZES: [usize; 6] = [0, 1, 4_000, 5_000, 70_000, 1_000_000];
const DATAGRAMS: [usize; 5] = [0, 1, 4_000, 5_000, 65_503];

#[tokio::test]
async fn every_packet_comes_back_over_every_transport_with_every_compression() {
    let certificates = Certificates::new();
    let sockets = Folder::new();
    for (transport, compressions) in [
        ("tcp", &["none", "deflate", "snappy"][..]),
        ("tls", &["none", "deflate", "snappy"]),
        ("unix", &["none", "deflate", "snappy"]),
        ("ws", &["none"]),
        ("wss", &["none"]),
        ("udp", &["none"]),
    ] {
        let (mut shown, mut known) = (Vec::new(), Vec::new());
        if ["tls", "wss"].contains(&transport) {
            shown = [certificates.shown("server"), certificates.believed()].concat();
            known = [certificates.shown("client"), certificates.believed()].concat();
        }
        let sizes = if transport == "udp" { &DATAGRAMS[..] } else { &SIZES };
        for compression in compressions {
            let socket = sockets.file(compression);
            let place = (transport == "unix").then_some(&*socket);
            let compress = ["--compress".to_owned(), (*compression).to_owned()];
            let mut serving = server(OURS, transport, place, &[&shown[..], &compress].concat()).await;
            let load = load(sizes, 2);
            let output =
                client(OURS, transport, serving.address(), &[&known[..], &compress, &load].concat()).await;
            assert_passed(&output, 2 * sizes.len(), &format!("{transport}, compression {compression}"));
            serving.signal("TERM").await;
            assert!(serving.ended().await.success(), "{transport}, compression {compression}");
        }
    }
    assert_eq!(std::fs::read_dir(sockets.path()).expect("a folder").count(), 0, "sockets were left behind");
}

#[tokio::test]
async fn sides_that_compress_differently_do_not_understand_each_other() {
    let compress = |by: &str| vec!["--compress".to_owned(), by.to_owned()];
    for (own, peers) in [("none", "deflate"), ("deflate", "none"), ("snappy", "deflate"), ("none", "snappy")]
    {
        let serving = server(OURS, "tcp", None, &compress(peers)).await;
        let told = [compress(own), load(&[10], 2)].concat();
        assert_failed(&client(OURS, "tcp", serving.address(), &told).await, 2, "the session has ended");
    }
}

#[tokio::test]
async fn a_websocket_is_at_the_path_that_both_sides_are_told() {
    let path = |path: &str| ["--path".to_owned(), path.to_owned()];
    let serving = server(OURS, "ws", None, &path("/elsewhere")).await;
    let load = load(&[10], 2);
    let there = [&path("/elsewhere")[..], &load].concat();
    assert_passed(&client(OURS, "ws", serving.address(), &there).await, 2, "the right path");
    let output = client(OURS, "ws", serving.address(), &load).await;
    assert_failed(&output, 2, "404");
}

#[tokio::test]
async fn a_server_that_demands_certificates_serves_nobody_without_one() {
    let certificates = Certificates::new();
    let strangers = Certificates::of("another authority");
    for transport in ["tls", "wss"] {
        let demanding = [certificates.shown("server"), certificates.believed()].concat();
        let serving = server(OURS, transport, None, &demanding).await;
        let load = load(&[10], 2);
        for (shown, believed, says) in [
            // The server says why, but its goodbye may be overtaken by the reset that follows it.
            (Vec::new(), &certificates, "FAIL"),
            (strangers.shown("client"), &certificates, "FAIL"),
            (certificates.shown("client"), &strangers, "of an authority that is not trusted here"),
        ] {
            let further = [&shown[..], &believed.believed(), &load].concat();
            assert_failed(&client(OURS, transport, serving.address(), &further).await, 2, says);
        }
        let welcome = [certificates.shown("client"), certificates.believed(), load].concat();
        assert_passed(&client(OURS, transport, serving.address(), &welcome).await, 2, transport);
    }
}

#[tokio::test]
async fn a_client_finds_the_one_byte_that_a_peer_has_changed_and_the_packet_that_it_has_cut() {
    for (spoil, says) in [
        (
            (|echo| echo[4 + 2_345] ^= 1) as fn(&mut Vec<u8>),
            "FAIL packet 1 of 5000 bytes: another byte at 2345",
        ),
        (
            |echo| {
                echo.truncate(4 + 4_999);
                echo[..4].copy_from_slice(&4_999_u32.to_be_bytes());
            },
            "FAIL packet 1 of 5000 bytes: 4999 bytes came back",
        ),
    ] {
        let address = echo_but_for_the_second(spoil).await;
        let output = client(OURS, "tcp", &address, &load(&[5_000], 3)).await;
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1));
        assert!(text.contains(says) && text.ends_with("\n2 passed, 1 failed\n"), "{text}");
    }
}

/// A server for one client, which does something to the second packet that it sends back.
async fn echo_but_for_the_second(spoil: fn(&mut Vec<u8>)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        for number in 0.. {
            let Ok(length) = stream.read_u32().await else { return };
            let mut echo = length.to_be_bytes().to_vec();
            let body = u64::from(length);
            (&mut stream).take(body).read_to_end(&mut echo).await.expect("a whole packet");
            if number == 1 {
                spoil(&mut echo);
            }
            stream.write_all(&echo).await.expect("a client that waits");
        }
    });
    address
}

#[tokio::test]
async fn packets_without_an_answer_have_failed_and_the_client_says_why() {
    let load = load(&[1, 100], 3);
    let nobody = format!("127.0.0.1:{}", free_port());
    for transport in ["tcp", "ws", "udp"] {
        assert_failed(&client(OURS, transport, &nobody, &load).await, 6, "efused");
    }
    // One that hangs up after the first packet.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let peer = async {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let mut packet = [0; 5];
        stream.read_exact(&mut packet).await.expect("a packet");
        stream.write_all(&packet).await.expect("a client that waits");
        stream.shutdown().await.expect("a client that waits");
        // Unread bytes would make it a reset, which may overtake the answer.
        stream.read_to_end(&mut Vec::new()).await.expect("the client's end");
    };
    let (output, ()) = tokio::join!(client(OURS, "tcp", &address, &load), peer);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("the session has ended") && text.ends_with("\n1 passed, 5 failed\n"), "{text}");
}

#[tokio::test]
async fn what_does_not_go_together_is_refused_in_words_that_say_what_does() {
    let encrypted = ["--cert", "c.pem", "--key", "k.pem"];
    for (arguments, says) in [
        (&["server", "--transport", "udp", "--compress", "snappy"][..], "udp carries messages"),
        (&["client", "--transport", "ws", "--compress", "deflate"], "only a stream of bytes is compressed"),
        (&["server", "--transport", "tls"], "a server of tls needs a certificate: --cert FILE --key FILE"),
        (&["server", "--transport", "wss", "--cert", "c.pem"], "--key <FILE>"),
        (&["client", "--transport", "wss"], "needs the authorities that it believes: --ca FILE"),
        (&[&["server", "--transport", "tcp"][..], &encrypted].concat(), "tcp is not encrypted"),
        (&["client", "--transport", "udp", "--sizes", "1,65504"], "at most 65503 bytes of payload"),
        (&["client", "--transport", "tcp", "--sizes", "9000000"], "at most 8454140 bytes of payload"),
        (&["client", "--transport", "ws", "--path", "echo"], "a path begins with /"),
        (&["client", "--transport", "sctp"], "tcp, tls, ws, wss, udp, unix"),
    ] {
        let output = run(OURS, &[arguments, &["--addr", "127.0.0.1:1"]].concat()).await;
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(says), "{arguments:?}: {text}");
    }
    let missing = [&["server", "--transport", "tls", "--addr", "127.0.0.1:0"][..], &encrypted].concat();
    let output = run(OURS, &missing).await;
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("cannot read c.pem"), "{text}");
}

/// Nothing passed, and the reason was printed.
fn assert_failed(output: &Output, packets: usize, says: &str) {
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains(says), "{says}: {text}");
    assert!(text.ends_with(&format!("\n0 passed, {packets} failed\n")), "{text}");
}
