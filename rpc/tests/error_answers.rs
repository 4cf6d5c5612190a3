//! Answers whose status is not OK: the caller learns at once of the status and the text, and whether its call can have run.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use getty_rpc::{
    Error, ErrorKind,
    protocol::{Header, Kind, Status},
};
use support::{Fake, Peer, ProbeClient, error_body, frame, patient, value_body, within};

/// What one call comes to that is answered like this, on a connection that then serves another.
async fn refused(status: Status, body: &[u8]) -> Error {
    refused_in(2, status, body).await
}

async fn refused_in(serialization: u8, status: Status, body: &[u8]) -> Error {
    let fake = Fake::bind().await;
    let probe: ProbeClient = patient(fake.address()).refer();
    let calls =
        tokio::spawn(async move { (probe.add(1, 0).await.unwrap_err(), probe.add(2, 0).await.unwrap()) });
    let mut provider = fake.accept().await;
    let (call, _) = provider.next_call().await.unwrap();
    let kind = Kind::Response { status };
    provider.send(&frame(Header { kind, event: false, serialization, id: call.id, length: 0 }, body)).await;
    provider.reply(Status::OK, &value_body(2)).await;
    let (error, value) = within(calls).await.unwrap();
    assert_eq!(value, 2, "the connection lives");
    error
}

/// Statuses that Java, Go and proxies send, and whether a call that is answered so surely did not run.
const STATUSES: [(u8, bool); 12] = [
    (0, false),
    (25, false),
    (30, false),
    (31, false),
    (40, true),
    (50, false),
    (60, true),
    (70, false),
    (80, false),
    (90, false),
    (99, false),
    (100, true),
];

#[tokio::test]
async fn each_status_is_told_with_its_text_and_whether_the_call_can_have_run() {
    for (code, not_run) in STATUSES {
        let error = refused(Status(code), &error_body("no such thing")).await;
        assert!(matches!(error.kind(), ErrorKind::Status(Status(came)) if *came == code), "{code}: {error}");
        assert_eq!(error.message(), "no such thing");
        assert_eq!(error.surely_not_run(), not_run, "{code}");
        let shown = error.to_string();
        assert!(shown.contains(&code.to_string()) && shown.contains("no such thing"), "{shown}");
        assert!(shown.contains(if not_run { "did not run" } else { "may have run" }), "{shown}");
    }
}

#[tokio::test]
async fn a_long_text_is_cut() {
    // As a proxy sends it: one string of 1,025 characters.
    let body = [&[0x53, 0x04, 0x01][..], &[b'A'; 1_025]].concat();
    for (code, _) in STATUSES {
        assert_eq!(refused(Status(code), &body).await.message(), "A".repeat(1_025));
    }
    // As Java sends it: a stack trace, in several chunks.
    let trace = "at com.example.中文.Main(Main.java:1)\n".repeat(10_000);
    let error = refused(Status::SERVICE_ERROR, &error_body(&trace)).await;
    assert_eq!(error.message(), trace.chars().take(4_096).collect::<String>());
}

#[tokio::test]
async fn a_text_that_is_null_or_missing_or_broken_leaves_the_status() {
    let bodies: [(&str, &[u8]); 9] = [
        ("null", b"N"),
        ("an empty text", b"\x00"),
        ("nothing", b""),
        ("invalid UTF-8", b"\x03\xff\xfe\xfd"),
        ("invalid UTF-8 in a long string", b"S\x00\x03\xc3\x28\xa0"),
        ("half a string", b"\x1fhalf"),
        ("half a length", b"S\x04"),
        ("a number", b"\x91"),
        ("a map", b"HZ"),
    ];
    for (what, body) in bodies {
        for code in [40, 50, 70, 80, 99, 100] {
            let error = refused(Status(code), body).await;
            assert!(
                matches!(error.kind(), ErrorKind::Status(Status(came)) if *came == code),
                "{what}: {error}"
            );
            assert_eq!(error.message(), "the peer gave no reason", "{what}");
        }
    }
}

#[tokio::test]
async fn the_status_is_told_even_when_the_text_is_in_a_serialization_that_is_not_known() {
    let error = refused_in(22, Status::BAD_REQUEST, b"\x0a\x04what").await;
    assert!(matches!(error.kind(), ErrorKind::Status(Status::BAD_REQUEST)), "{error}");
    assert_eq!(error.message(), "the peer gave no reason");
    assert!(error.surely_not_run());
}

#[tokio::test]
async fn an_answer_in_another_serialization_than_the_request_is_refused() {
    let error = refused_in(23, Status::OK, &value_body(1)).await;
    assert!(matches!(error.kind(), ErrorKind::BadResponse), "{error}");
    assert!(error.message().contains("23"), "{error}");
}

#[tokio::test]
async fn an_answer_of_an_unknown_type_or_with_broken_attachments_is_refused() {
    let bodies: [(&str, &[u8]); 7] = [
        ("type 6", b"\x96N"),
        ("type -1", b"\x8fN"),
        ("a text for the type", b"\x014"),
        ("no value", b"\x94"),
        ("no exception", b"\x93"),
        ("no attachments", b"\x94\x91"),
        ("half of the attachments", b"\x94\x91H\x05dubbo"),
    ];
    for (what, body) in bodies {
        let error = refused(Status::OK, body).await;
        assert!(matches!(error.kind(), ErrorKind::BadResponse), "{what}: {error}");
        assert!(!error.surely_not_run() && !error.message().is_empty(), "{what}: {error}");
    }
}

#[tokio::test]
async fn answers_as_lenient_peers_send_them_are_read() {
    let bodies: [(&str, &[u8]); 6] = [
        ("the type as a long", b"\xe4\x91HZ"),
        ("attachments null", b"\x94\x91N"),
        ("attachments typed", b"\x94\x91M\x11java.util.HashMap\x05dubbo\x052.0.2Z"),
        ("no attachments", b"\x91\x91"),
        ("something behind the answer", b"\x94\x91HZNN"),
        ("a value as a long", b"\x91\xe1"),
    ];
    for (what, body) in bodies {
        let fake = Fake::bind().await;
        let probe: ProbeClient = patient(fake.address()).refer();
        let call = tokio::spawn(async move { probe.add(1, 0).await });
        fake.accept().await.reply(Status::OK, body).await;
        assert_eq!(within(call).await.unwrap().expect(what), 1, "{what}");
    }
}

#[tokio::test]
async fn an_answer_over_the_payload_limit_fails_its_call_when_its_header_is_there_and_the_connection_lives() {
    let fake = Fake::bind().await;
    let client = getty_rpc::Client::builder().timeout(support::PATIENCE).payload(1_000);
    let probe: ProbeClient = client.direct(&fake.address().to_string()).unwrap().refer();
    let call = |a| {
        let probe = probe.clone();
        tokio::spawn(async move { probe.add(a, 0).await })
    };
    let (long, short) = (call(1), call(2));
    let mut provider: Peer = fake.accept().await;
    let (first, _) = provider.next_call().await.unwrap();
    let (second, _) = provider.next_call().await.unwrap();
    let answer = support::response(first.id, Status::OK, &value_body("t".repeat(5_000)));
    let (head, rest) = answer.split_at(16);
    provider.send(head).await;
    // The body has not come yet, and one call fails.
    let (failed, other) = within(async {
        let (mut long, mut short) = (long, short);
        tokio::select! {
            outcome = &mut long => (outcome.unwrap(), short),
            outcome = &mut short => (outcome.unwrap(), long),
        }
    })
    .await;
    provider.send(rest).await;
    provider.send(&support::response(second.id, Status::OK, &value_body(7))).await;
    assert_eq!(within(other).await.unwrap().unwrap(), 7);
    let error = failed.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::BadResponse) && !error.surely_not_run(), "{error}");
    assert!(error.message().contains("payload"), "{error}");
}
