//! Headers whose length is none: decided when the header is there, and only their own connection is touched.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use getty_rpc::{
    Error, ErrorKind,
    protocol::{HEADER, Status},
};
use support::{Fake, Peer, ProbeClient, Probing, Request, patient, response, serve, value_body, within};

/// The header of a two-way request with this id and this length.
fn request(id: i64, length: u32) -> Vec<u8> {
    [&[0xda, 0xbb, 0xc2, 0][..], &id.to_be_bytes(), &length.to_be_bytes()].concat()
}

/// The header of an answer with this id and this length.
fn answer(id: i64, length: u32) -> Vec<u8> {
    [&[0xda, 0xbb, 0x02, 20][..], &id.to_be_bytes(), &length.to_be_bytes()].concat()
}

/// Lengths after which nobody knows where the next frame begins.
const NEGATIVE: [u32; 3] = [0xffff_ffff, 0x8000_0000, 0xff00_0000];
/// Lengths that are far above what is worth skipping.
const ENDLESS: [u32; 2] = [0x7fff_ffff, 0x4000_0000];

#[tokio::test]
async fn a_server_closes_on_a_negative_length_at_once_and_other_connections_live() {
    let probing = Probing::new();
    let serving = serve(|server| server.service(probing.server())).await;
    let mut other = Peer::connect(serving.address()).await;
    other.send(&Request::probe("wait", "").call(1)).await;
    probing.entered(1).await;
    for length in NEGATIVE {
        for behind in [&b""[..], &Request::hello("a").call(2)] {
            let mut peer = Peer::connect(serving.address()).await;
            peer.send(&[&request(-1, length)[..], behind].concat()).await;
            // The peer does not close its side, so this is the server's doing.
            assert_eq!(peer.next().await, None, "length {length:#x}");
        }
    }
    assert_eq!(probing.calls(), 1, "nothing behind such a header is looked at");
    probing.open(1);
    assert_eq!(other.answer().await.0, 1);
    assert_eq!(other.ask(3, &Request::hello("a").call(3)).await.0, Status::OK);
}

#[tokio::test]
async fn what_came_before_a_bad_length_is_answered() {
    let probing = Probing::new();
    let serving = serve(|server| server.service(probing.server())).await;
    let mut peer = Peer::connect(serving.address()).await;
    let input = [Request::hello("a").call(1), Request::hello("b").call(2), request(-1, NEGATIVE[0])].concat();
    peer.send(&input).await;
    assert_eq!(peer.answer().await.0, 1);
    assert_eq!(peer.answer().await.0, 2);
    assert_eq!(peer.next().await, None);
}

#[tokio::test]
async fn a_server_refuses_an_endless_length_when_its_header_is_there_and_closes() {
    let probing = Probing::new();
    let serving = serve(|server| server.service(probing.server())).await;
    for length in ENDLESS {
        for behind in [&b""[..], &Request::hello("a").call(2)] {
            let mut peer = Peer::connect(serving.address()).await;
            let (status, body) = peer.ask(-1, &[&request(-1, length)[..], behind].concat()).await;
            assert_eq!(status, Status::BAD_REQUEST);
            let text = String::from_utf8_lossy(&body);
            assert!(text.contains(&length.to_string()) && text.contains("8388608"), "{text}");
            assert_eq!(peer.next().await, None, "length {length:#x}");
        }
    }
    assert_eq!(probing.calls(), 0);
}

#[tokio::test]
async fn a_request_without_a_body_is_refused_and_the_next_one_served() {
    let probing = Probing::new();
    let serving = serve(|server| server.service(probing.server())).await;
    let mut peer = Peer::connect(serving.address()).await;
    assert_eq!(peer.ask(-1, &request(-1, 0)).await.0, Status::BAD_REQUEST);
    peer.send(&[request(-1, 0), Request::hello("a").call(2)].concat()).await;
    let (first, status, _) = peer.answer().await;
    assert_eq!((first, status), (-1, Status::BAD_REQUEST));
    let (second, status, _) = peer.answer().await;
    assert_eq!((second, status), (2, Status::OK));
}

#[tokio::test]
async fn half_a_header_is_waited_for_and_the_rest_served() {
    let probing = Probing::new();
    let serving = serve(|server| server.service(probing.server())).await;
    let mut peer = Peer::connect(serving.address()).await;
    let call = Request::hello("a").call(1);
    for at in 1..HEADER {
        let (head, rest) = call.split_at(at);
        peer.send(head).await;
        tokio::task::yield_now().await;
        assert_eq!(peer.ask(1, rest).await.0, Status::OK);
    }
}

/// What two calls come to when one of them is answered with this header, and the other has none.
async fn calls_answered_with(header: impl Fn(i64) -> Vec<u8>) -> (Error, Error) {
    let fake = Fake::bind().await;
    let probe: ProbeClient = patient(fake.address()).refer();
    let [first, second] = [1, 2].map(|a| {
        let probe = probe.clone();
        tokio::spawn(async move { probe.add(a, 0).await.unwrap_err() })
    });
    let mut provider = fake.accept().await;
    let (call, _) = provider.next_call().await.unwrap();
    provider.next_call().await.unwrap();
    provider.send(&header(call.id)).await;
    let errors = (within(first).await.unwrap(), within(second).await.unwrap());
    assert_eq!(provider.next().await, None, "the client closes");
    // And connects again.
    let mut provider = fake.accept().await;
    let again = tokio::spawn(async move { probe.add(1, 0).await });
    provider.reply(Status::OK, &value_body(1)).await;
    assert_eq!(within(again).await.unwrap().unwrap(), 1);
    errors
}

#[tokio::test]
async fn a_client_fails_all_calls_of_the_connection_at_once_with_a_kind_that_says_bad_frame() {
    for length in NEGATIVE.into_iter().chain(ENDLESS) {
        // What follows an endless length is its body, however short.
        for glued in if NEGATIVE.contains(&length) { &[false, true][..] } else { &[false] } {
            let header = move |id| {
                let good = if *glued { response(id, Status::OK, &value_body(1)) } else { Vec::new() };
                [answer(id, length), good].concat()
            };
            let (first, second) = calls_answered_with(header).await;
            for error in [first, second] {
                assert!(matches!(error.kind(), ErrorKind::BadFrame), "length {length:#x}: {error}");
                assert!(!error.surely_not_run(), "{error}");
                assert!(error.message().contains("body"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn bytes_that_are_no_frame_fail_all_calls_at_once_with_what_came() {
    let (first, second) = calls_answered_with(|_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).await;
    for error in [first, second] {
        assert!(matches!(error.kind(), ErrorKind::BadFrame), "{error}");
        assert!(error.message().contains("da bb") && error.message().contains("48 54"), "{error}");
    }
}

#[tokio::test]
async fn an_answer_without_a_body_is_one_that_cannot_be_read_and_the_connection_lives() {
    let fake = Fake::bind().await;
    let probe: ProbeClient = patient(fake.address()).refer();
    let call = tokio::spawn({
        let probe = probe.clone();
        async move { (probe.add(1, 0).await.unwrap_err(), probe.add(2, 0).await) }
    });
    let mut provider = fake.accept().await;
    provider.reply(Status::OK, b"").await;
    provider.reply(Status::OK, &value_body(2)).await;
    let (error, value) = within(call).await.unwrap();
    assert!(matches!(error.kind(), ErrorKind::BadResponse), "{error}");
    assert_eq!(value.unwrap(), 2);
}
