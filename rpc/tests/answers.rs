//! What a server answers, as raw peers see it: once to each request, and in the form that its peer understands.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::collections::HashMap;

use getty_rpc::{
    hessian2::Value,
    protocol::{HEADER, Header, Kind, Status},
};
use support::{
    INT, Peer, Probing, Request, STRING, assert_serves, frame, probe, serve, text, value, values, within,
};

#[tokio::test]
async fn each_request_gets_one_answer_with_its_id() {
    let (probing, _serving, mut peer) = probe().await;
    let mut expected = Vec::new();
    let mut bytes = Vec::new();
    let ids = [i64::MIN, -1, 0, 1, i64::MAX].into_iter().chain(1_000..1_300);
    for (n, id) in ids.enumerate() {
        let request = match n % 7 {
            0 => Request::probe("nope", ""),
            1 => Request::probe("panic", STRING).argument("on purpose"),
            2 => Request::probe("panicLater", STRING).argument("on purpose"),
            3 => Request::probe("find", "J").argument(-1_i64),
            4 => Request::probe("wait", ""),
            5 => Request::probe("add", "II").argument("a").argument(1),
            _ => Request::hello("a"),
        };
        bytes.extend(request.call(id));
        expected.push(id);
    }
    probing.open(expected.len());
    // Both ways at once: answers may fill the pipe while requests are still written.
    let (mut read, mut write) = peer.stream.split();
    let sending = async {
        tokio::io::AsyncWriteExt::write_all(&mut write, &bytes).await.unwrap();
        tokio::io::AsyncWriteExt::shutdown(&mut write).await.unwrap();
    };
    let mut all = Vec::new();
    let reading = tokio::io::AsyncReadExt::read_to_end(&mut read, &mut all);
    let (_, read) = within(async { tokio::join!(sending, reading) }).await;
    read.unwrap();
    let mut answered = Vec::new();
    let mut rest = &all[..];
    while let Some((head, tail)) = rest.split_first_chunk::<HEADER>() {
        let header = Header::parse(head).unwrap();
        answered.push(header.id);
        rest = &tail[header.length as usize..];
    }
    answered.sort_unstable();
    expected.sort_unstable();
    assert_eq!(answered, expected);
}

#[tokio::test]
async fn a_one_way_call_is_never_answered() {
    let probing = Probing::new();
    let serving = serve(|server| server.service(probing.server()).payload(4_096)).await;
    let mut peer = Peer::connect(serving.address()).await;
    let one_way = |serialization| Header {
        kind: Kind::Request { two_way: false },
        event: false,
        serialization,
        id: 5,
        length: 0,
    };
    let frames = [
        Request::probe("note", STRING).argument("declared one-way").oneway(1),
        Request::hello("a method that gives something").oneway(2),
        Request::probe("nope", "").oneway(3),
        Request::new("com.example.Nope", "nope", "").oneway(4),
        frame(one_way(2), b""),
        frame(one_way(2), &[0xff; 30]),
        frame(one_way(22), &Request::hello("a").body()),
        Request::hello(&"too long".repeat(1_000)).oneway(6),
        Request::probe("panic", STRING).argument("on purpose").oneway(7),
        Request::probe("panicLater", STRING).argument("on purpose").oneway(8),
        Request::probe("text", INT).argument(1_000_000).oneway(9),
        Request::probe("find", "J").argument(-1_i64).oneway(10),
        Request::probe("$echo", "Ljava/lang/Object;").argument(1).oneway(11),
    ];
    for frame in &frames {
        peer.send(frame).await;
    }
    // Also where the caller waits for the answer of a method that is declared one-way.
    probing.noted(1).await;
    assert_serves(&mut peer).await;
    assert_eq!(peer.finish().await, []);
}

#[tokio::test]
async fn a_caller_that_waits_for_a_one_way_method_is_answered() {
    let (probing, _serving, mut peer) = probe().await;
    let request = Request::probe("note", STRING).argument("wait for me");
    assert_eq!(value(peer.ask(1, &request.call(1)).await), Value::NULL);
    probing.noted(1).await;
}

#[tokio::test]
async fn answers_carry_attachments_only_to_callers_that_understand_them() {
    let (_probing, _serving, mut peer) = probe().await;
    let methods = [
        (Request::hello("a"), 1),
        (Request::probe("maybe", STRING).argument(Value::NULL), 2),
        (Request::probe("find", "J").argument(-1_i64), 0),
    ];
    let mut id = 0;
    for (protocol, understands) in
        [("2.0.2", true), ("2.0.10", true), ("2.0.1", false), ("2.6.2", false), ("", false)]
    {
        for (request, plain) in &methods {
            id += 1;
            let (status, body) = peer.ask(id, &request.clone().protocol(protocol).call(id)).await;
            assert_eq!(status, Status::OK);
            let values = values(&body);
            let kind = values[0].root().as_i32();
            let expected = usize::from(*plain != 2) + 1;
            if understands {
                assert_eq!((kind, values.len()), (Some(plain + 3), expected + 1), "{protocol}: {values:?}");
                // dubbo-go closes the connection when they are null.
                let attachments = values.last().unwrap().root();
                assert_eq!(attachments.get("dubbo").as_str(), Some("2.0.2"));
                assert!(attachments.get("closing").is_missing());
            } else {
                assert_eq!((kind, values.len()), (Some(*plain), expected), "{protocol}: {values:?}");
            }
        }
    }
}

#[tokio::test]
async fn exceptions_carry_all_fields_of_a_throwable() {
    let (_probing, _serving, mut peer) = probe().await;
    let thrown = |class: &str| Request::probe("throw", STRING).argument(class);
    let cases = [
        (Request::probe("find", "J").argument(-1_i64), "com.example.NotFound", "nobody has id -1"),
        (thrown("java.lang.RuntimeException"), "java.lang.RuntimeException", "thrown"),
        (thrown("com.example.Odd"), "com.example.Odd", "thrown"),
    ];
    for (id, (request, class, message)) in (1..).zip(cases) {
        let (status, body) = peer.ask(id, &request.call(id)).await;
        assert_eq!(status, Status::OK);
        let values = values(&body);
        assert_eq!(values[0].root().as_i32(), Some(3));
        let exception = values[1].root();
        assert_eq!(exception.class(), Some(class));
        assert_eq!(exception.get("detailMessage").as_str(), Some(message));
        for field in ["cause", "stackTrace", "suppressedExceptions"] {
            assert!(!exception.get(field).is_missing(), "{class} has no {field}");
        }
    }
}

#[tokio::test]
async fn an_answer_over_the_payload_limit_is_replaced_and_the_connection_lives() {
    let probing = Probing::new();
    let serving = serve(|server| server.service(probing.server()).payload(4_096)).await;
    let mut peer = Peer::connect(serving.address()).await;
    for (id, length) in [(1, 4_097), (2, 1_000_000)] {
        let request = Request::probe("text", INT).argument(length);
        let (status, body) = peer.ask(id, &request.call(id)).await;
        assert_eq!(status, Status::SERIALIZATION_ERROR);
        let text = text(&body);
        assert!(text.contains("4096"), "{text}");
    }
    assert_serves(&mut peer).await;
}

#[tokio::test]
async fn calls_in_flight_on_one_connection_do_not_hold_up_others() {
    let (probing, _serving, mut peer) = probe().await;
    peer.send(&Request::probe("wait", "").call(1)).await;
    probing.entered(1).await;
    for id in 2..50 {
        assert_eq!(value(peer.ask(id, &Request::hello("a").call(id)).await), Value::from("hello a"));
    }
    probing.open(1);
    assert_eq!(peer.answer().await.0, 1);
}

#[tokio::test]
async fn a_peer_that_closes_its_half_still_gets_its_answers() {
    let (probing, _serving, mut peer) = probe().await;
    peer.send(&Request::probe("wait", "").call(1)).await;
    peer.send(&Request::hello("a").call(2)).await;
    probing.entered(1).await;
    tokio::io::AsyncWriteExt::shutdown(&mut peer.stream).await.unwrap();
    probing.open(1);
    let mut answers: HashMap<_, _> =
        peer.read_to_end().await.into_iter().map(|(h, body)| (h.id, body)).collect();
    assert_eq!(values(&answers.remove(&1).unwrap())[1], Value::from(7));
    assert_eq!(values(&answers.remove(&2).unwrap())[1], Value::from("hello a"));
    assert!(answers.is_empty());
}
