//! What a server does with requests, good and bad, as raw peers see it.

mod support;

use std::{collections::HashMap, time::Duration};

use getty_rpc::{
    hessian2::{DecodeState, Decoder, Value},
    protocol::{HEADER, Header, Kind, Status},
};
use support::{
    Peer, Probing, Request, body, error_body, frame, heartbeat, over_pipes, response, serve, within,
};

const INT: &str = "I";
const STRING: &str = "Ljava/lang/String;";
/// A heartbeat that does not come while a test lasts.
const FOR_EVER: Duration = Duration::from_secs(1_000_000);

/// All values of a body.
fn values(bytes: &[u8]) -> Vec<Value> {
    let mut state = DecodeState::new();
    let mut decoder = Decoder::new(bytes, &mut state);
    let mut values = Vec::new();
    while decoder.remaining() > 0 {
        values.push(decoder.read().unwrap());
    }
    values
}

/// The text of an answer whose status is not OK.
fn text(bytes: &[u8]) -> String {
    let values = values(bytes);
    assert_eq!(values.len(), 1, "an error is one text: {values:?}");
    values[0].root().as_str().unwrap().to_owned()
}

/// The value of an answer with status OK.
fn value((status, bytes): (Status, impl AsRef<[u8]>)) -> Value {
    assert_eq!(status, Status::OK, "{:?}", values(bytes.as_ref()));
    let values = values(bytes.as_ref());
    match values[0].root().as_i32() {
        Some(1 | 4) => values[1].clone(),
        Some(2 | 5) => Value::NULL,
        other => panic!("a value was expected, type {other:?} came: {values:?}"),
    }
}

async fn probe() -> (Probing, support::Serving, Peer) {
    let probing = Probing::new();
    let serving = serve(|server| server.service(probing.server())).await;
    let peer = Peer::connect(serving.address()).await;
    (probing, serving, peer)
}

/// Shows that the connection still serves.
async fn assert_serves(peer: &mut Peer) {
    let answer = peer.ask(4711, &Request::hello("again").call(4711)).await;
    assert_eq!(value(answer), Value::from("hello again"));
}

#[tokio::test]
async fn a_wrong_request_is_answered_with_what_was_asked_and_what_there_is() {
    let (probing, _serving, mut peer) = probe().await;
    let hello = |name: &str| Request::probe("hello", STRING).argument(name);
    let add = Request::probe("add", "II").argument(1);
    let cases: &[(&str, Request, Status, &[&str])] = &[
        (
            "service",
            Request::new("com.example.Nope", "hello", STRING).argument("a"),
            Status::BAD_REQUEST,
            &["com.example.Nope", "com.example.Probe"],
        ),
        (
            "version",
            hello("a").version("9.9.9"),
            Status::BAD_REQUEST,
            &["com.example.Probe:9.9.9", "there is com.example.Probe"],
        ),
        (
            "group",
            hello("a").attach("group", "eu"),
            Status::SERVICE_ERROR,
            &["group eu", "there is com.example.Probe"],
        ),
        (
            "method",
            Request::probe("nope", ""),
            Status::BAD_REQUEST,
            &["com.example.Probe: ", "nope()", "hello(Ljava/lang/String;)"],
        ),
        (
            "no such number of arguments",
            Request::probe("add", "III"),
            Status::BAD_REQUEST,
            &["add(III)", "add(II)"],
        ),
        (
            "bytes for an int",
            add.clone().argument(vec![1_u8, 2, 3]),
            Status::BAD_REQUEST,
            &["com.example.Probe.add(II)", "argument 1", "int"],
        ),
        (
            "a text for an int",
            Request::probe("add", "II").argument("one").argument(2),
            Status::BAD_REQUEST,
            &["com.example.Probe.add(II)", "argument 0", "int"],
        ),
        (
            "an argument too few",
            add.clone(),
            Status::BAD_REQUEST,
            &["com.example.Probe.add(II)", "argument 1"],
        ),
        (
            "an argument too many",
            add.clone().argument(2).argument(3),
            Status::BAD_REQUEST,
            &["com.example.Probe", "attachments"],
        ),
        (
            "attachments that are no map",
            add.clone().argument(2).tail(body(|e| e.str("none"))),
            Status::BAD_REQUEST,
            &["com.example.Probe", "attachments"],
        ),
        (
            "half of the attachments",
            add.clone().argument(2).tail(*b"H\x04path"),
            Status::BAD_REQUEST,
            &["com.example.Probe", "attachments"],
        ),
    ];
    for (id, (what, request, status, fragments)) in (1..).zip(cases) {
        let (answered, body) = peer.ask(id, &request.call(id)).await;
        assert_eq!(answered, *status, "{what}: {}", text(&body));
        let text = text(&body);
        for fragment in *fragments {
            assert!(text.contains(fragment), "{what}: {fragment:?} is missing in {text:?}");
        }
        assert!(text.len() < 1_000, "{what}: {text}");
    }
    assert_eq!(probing.calls(), 0);
    assert_serves(&mut peer).await;
}

#[tokio::test]
async fn a_body_that_is_none_is_answered_and_the_connection_lives() {
    let (probing, _serving, mut peer) = probe().await;
    let bodies: [&[u8]; 7] = [b"", &[0xff; 40], b"N", b"\x05", b"\x052.0.2\x30", &[0x56; 5], b"C\x30\x80"];
    for (id, body) in (1..).zip(bodies) {
        let kind = Kind::Request { two_way: true };
        let header = Header { kind, event: false, serialization: 2, id, length: 0 };
        let (status, answer) = peer.ask(id, &frame(header, body)).await;
        assert_eq!(status, Status::BAD_REQUEST, "{body:?}");
        assert!(!text(&answer).is_empty());
    }
    assert_eq!(probing.calls(), 0);
    assert_serves(&mut peer).await;
}

#[tokio::test]
async fn odd_requests_of_real_peers_are_served() {
    let (_probing, _serving, mut peer) = probe().await;
    let add = |descriptor: &str| Request::probe("add", descriptor).argument(1).argument(2);
    let typed = |class: &str| {
        let entries = [("path", Value::from("com.example.Probe")), ("timeout", Value::from(3_000))];
        support::body(|e| e.write(&Value::typed_map(class, entries)).unwrap())
    };
    let mut with_more = add("II").body();
    with_more.extend_from_slice(b"NN");
    let cases = [
        ("Go's guess for int", add("JJ").body()),
        ("boxed", add("Ljava/lang/Integer;Ljava/lang/Integer;").body()),
        ("Go's guess for nil", add("VV").body()),
        ("a descriptor that is none", add("Ljava/util/Date").body()),
        ("longs", Request::probe("add", "JJ").argument(1_i64).argument(2_i64).body()),
        ("no protocol version", add("II").head(0, Value::NULL).body()),
        ("an old protocol version", add("II").protocol("2.5.3").body()),
        ("no version", add("II").head(2, Value::NULL).body()),
        ("an empty version", add("II").head(2, "").body()),
        ("any version", add("II").head(2, "*").body()),
        ("attachments absent", add("II").tail([]).body()),
        ("attachments null", add("II").tail(*b"N").body()),
        ("attachments empty", add("II").tail(*b"HZ").body()),
        ("attachments typed", add("II").tail(typed("java.util.HashMap")).body()),
        ("attachments typed otherwise", add("II").tail(typed("java.util.LinkedHashMap")).body()),
        ("attachments of every kind", {
            let request = add("II")
                .attach("int", 1)
                .attach("long", 1_i64)
                .attach("bool", true)
                .attach("none", Value::NULL);
            request.attach("list", Value::list([1, 2])).attach("timeout", 3_000).attach("group", "").body()
        }),
        ("something behind the attachments", with_more),
    ];
    for (id, (what, body)) in (1..).zip(cases) {
        let kind = Kind::Request { two_way: true };
        let header = Header { kind, event: false, serialization: 2, id, length: 0 };
        let (status, answer) = peer.ask(id, &frame(header, &body)).await;
        assert_eq!(status, Status::OK, "{what}: {:?}", values(&answer));
        assert_eq!(values(&answer)[1], Value::from(3), "{what}");
    }
}

#[tokio::test]
async fn attachments_that_are_no_text_reach_the_service_as_text() {
    let (_probing, _serving, mut peer) = probe().await;
    let cases = [
        (Value::from(7), Value::from("7")),
        (Value::from(-7_000_000_000_i64), Value::from("-7000000000")),
        (Value::from(true), Value::from("true")),
        (Value::from("中文"), Value::from("中文")),
        (Value::list([1]), Value::NULL),
        (Value::NULL, Value::NULL),
    ];
    for (id, (sent, seen)) in (1..).zip(cases) {
        let request = Request::probe("attachment", STRING).argument("key").attach("key", sent);
        assert_eq!(value(peer.ask(id, &request.call(id)).await), seen);
    }
    // What the framework itself needs is not the service's.
    let request =
        Request::probe("context", "").attach("timeout", "3000").attach("user", "u1").version("0.0.0");
    assert_eq!(value(peer.ask(99, &request.call(99)).await), Value::from(r#"{"user": "u1"}"#));
}

#[tokio::test]
async fn echo_gives_back_whatever_it_is_given() {
    let (_probing, _serving, mut peer) = probe().await;
    let user = || Value::object("com.example.User", [("name", "Ann"), ("city", "Bern")]);
    let arguments = [
        Value::from("text"),
        Value::from(7),
        Value::NULL,
        Value::list([user(), user()]),
        Value::typed_map("java.util.TreeMap", [("a", 1)]),
        Value::from(vec![0_u8; 100_000]),
    ];
    for (id, argument) in (1..).zip(arguments) {
        let request = Request::probe("$echo", "Ljava/lang/Object;").argument(argument.clone());
        let (status, body) = peer.ask(id, &request.call(id)).await;
        assert_eq!(status, Status::OK);
        assert_eq!(values(&body)[1], argument);
    }
    let nobody = Request::new("com.example.Nope", "$echo", "Ljava/lang/Object;").argument(1);
    assert_eq!(peer.ask(99, &nobody.call(99)).await.0, Status::BAD_REQUEST);
}

#[tokio::test]
async fn a_serialization_that_is_not_known_is_refused_with_the_id_of_the_request() {
    let (probing, _serving, mut peer) = probe().await;
    for serialization in [0, 1, 3, 21, 22, 23, 31] {
        let id = 100 + i64::from(serialization);
        let kind = Kind::Request { two_way: true };
        let header = Header { kind, event: false, serialization, id, length: 0 };
        peer.send(&frame(header, &Request::hello("a").body())).await;
        let (header, body) = peer.next().await.unwrap();
        assert_eq!((header.id, header.kind), (id, Kind::Response { status: Status::BAD_REQUEST }));
        // The text is in hessian2, and the header says so.
        assert_eq!(header.serialization, 2);
        let text = text(&body);
        assert!(
            text.contains(&format!("serialization {serialization} ")) && text.contains("hessian2"),
            "{text}"
        );
    }
    assert_eq!(probing.calls(), 0);
    assert_serves(&mut peer).await;
}

#[tokio::test]
async fn a_request_over_the_payload_limit_is_skipped_and_refused_and_one_at_the_limit_is_served() {
    let probing = Probing::new();
    let body = Request::hello(&"n".repeat(3_000)).body();
    let limit = body.len();
    let serving = serve(|server| server.service(probing.server()).payload(limit)).await;
    let mut peer = Peer::connect(serving.address()).await;
    let over = Request::hello(&"n".repeat(3_001));
    assert_eq!(over.body().len(), limit + 1);
    for id in 1..4 {
        let (status, body) = peer.ask(id, &over.call(id)).await;
        assert_eq!(status, Status::BAD_REQUEST);
        let text = text(&body);
        assert!(text.contains(&(limit + 1).to_string()) && text.contains(&limit.to_string()), "{text}");
    }
    assert_eq!(probing.calls(), 0);
    let at = Request::hello(&"n".repeat(3_000));
    assert_eq!(peer.ask(5, &at.call(5)).await.0, Status::OK);
    assert_eq!(probing.calls(), 1);
    assert_serves(&mut peer).await;
}

#[tokio::test]
async fn a_request_of_many_times_the_limit_is_skipped_in_parts() {
    let probing = Probing::new();
    let serving = serve(|server| server.service(probing.server()).payload(64 * 1024)).await;
    let mut peer = Peer::connect(serving.address()).await;
    let big = Request::hello(&"n".repeat(1_000_000)).call(1);
    // The refusal comes when the header does, and not when the body has ended.
    let (head, rest) = big.split_at(HEADER);
    let (status, _) = peer.ask(1, head).await;
    assert_eq!(status, Status::BAD_REQUEST);
    for part in rest.chunks(100_000) {
        peer.send(part).await;
    }
    assert_serves(&mut peer).await;
    assert_eq!(probing.calls(), 1);
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
async fn a_panic_in_a_handler_is_answered_and_the_connection_lives() {
    let (_probing, _serving, mut peer) = probe().await;
    for (id, method) in [(1, "panic"), (2, "panicLater"), (3, "panic")] {
        let request = Request::probe(method, STRING).argument("on purpose");
        let (status, body) = peer.ask(id, &request.call(id)).await;
        assert_eq!(status, Status::SERVICE_ERROR);
        let text = text(&body);
        assert!(text.contains("panicked") && text.contains("on purpose"), "{text}");
    }
    assert_serves(&mut peer).await;
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

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_after_the_deadline_and_other_calls_on_the_connection_succeed() {
    let probing = Probing::new();
    let (_serving, connector) = over_pipes(|server| server.service(probing.server()));
    let mut peer = connector.connect();
    let wait = Request::probe("wait", "");
    peer.send(&wait.clone().attach("timeout", "300").call(1)).await;
    peer.send(&wait.clone().attach("timeout", 300).call(2)).await;
    peer.send(&wait.clone().attach("timeout", "60000").call(3)).await;
    probing.entered(3).await;
    tokio::time::sleep(Duration::from_millis(301)).await;
    probing.open(3);
    let (id, status, body) = peer.answer().await;
    assert_eq!((id, value((status, body))), (3, Value::from(7)));
    assert_eq!(value(peer.ask(4, &Request::hello("a").call(4)).await), Value::from("hello a"));
    assert_eq!(peer.finish().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_zero_or_of_no_number_is_no_limit() {
    let probing = Probing::new();
    let (_serving, connector) = over_pipes(|server| server.service(probing.server()).heartbeat(FOR_EVER));
    let mut peer = connector.connect();
    let timeouts = ["0", "", "-1", "3s", "99999999999999999999999", "18446744073709551615"];
    for (id, timeout) in (1..).zip(timeouts) {
        peer.send(&Request::probe("wait", "").attach("timeout", timeout).call(id)).await;
    }
    probing.entered(timeouts.len() as u32).await;
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    probing.open(timeouts.len());
    let mut ids = Vec::new();
    for _ in timeouts {
        let (id, status, _) = peer.answer().await;
        assert_eq!(status, Status::OK);
        ids.push(id);
    }
    ids.sort_unstable();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6]);
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
async fn a_full_server_refuses_and_room_comes_back_after_returns_and_panics() {
    let probing = Probing::new();
    let serving = serve(|server| server.service(probing.server()).running(4)).await;
    let mut peer = Peer::connect(serving.address()).await;
    for round in 0..50 {
        let ids: Vec<_> = (0..4).map(|i| round * 10 + i).collect();
        for &id in &ids {
            peer.send(&Request::probe("wait", "").call(id)).await;
        }
        probing.entered(4).await;
        let before = probing.calls();
        let (status, body) = peer.ask(-1, &Request::hello("one too many").call(-1)).await;
        assert_eq!(status, Status::SERVER_THREADPOOL_EXHAUSTED);
        assert!(text(&body).contains("exhausted"), "{}", text(&body));
        assert_eq!(probing.calls(), before, "it did not run");
        // A one-way call is refused in silence, and what is answered without a handler still is.
        peer.send(&Request::probe("note", STRING).argument("one too many").oneway(-2)).await;
        assert_eq!(peer.ask(-3, &Request::probe("nope", "").call(-3)).await.0, Status::BAD_REQUEST);
        probing.open(4);
        let mut answered = Vec::new();
        for _ in &ids {
            answered.push(peer.answer().await.0);
        }
        answered.sort_unstable();
        assert_eq!(answered, ids);
        for (id, method) in [(-4, "panic"), (-5, "panicLater")] {
            let panics = Request::probe(method, STRING).argument("on purpose");
            assert_eq!(peer.ask(id, &panics.call(id)).await.0, Status::SERVICE_ERROR);
        }
    }
    assert_serves(&mut peer).await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_never_ends_is_dropped_at_its_deadline_and_makes_room() {
    let probing = Probing::new();
    let (_serving, connector) = over_pipes(|server| server.service(probing.server()).running(64));
    let mut peer = connector.connect();
    for round in 1..=10 {
        for id in 0..64 {
            peer.send(&Request::probe("hang", "").attach("timeout", "500").call(id)).await;
        }
        probing.entered(64).await;
        let (status, _) = peer.ask(99, &Request::hello("no room").call(99)).await;
        assert_eq!(status, Status::SERVER_THREADPOOL_EXHAUSTED);
        tokio::time::sleep(Duration::from_millis(501)).await;
        assert_eq!(probing.dropped(), round * 64);
        let answer = peer.ask(100, &Request::hello("room").call(100)).await;
        assert_eq!(value(answer), Value::from("hello room"));
    }
    assert_eq!(peer.finish().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_one_way_call_has_no_deadline_as_nobody_waits_for_it() {
    let probing = Probing::new();
    let (_serving, connector) = over_pipes(|server| server.service(probing.server()));
    let mut peer = connector.connect();
    peer.send(&Request::probe("wait", "").attach("timeout", "500").oneway(1)).await;
    probing.entered(1).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(probing.dropped(), 0);
    probing.open(1);
    assert_eq!(peer.finish().await, []);
}

#[tokio::test]
async fn groups_and_versions_of_one_interface_are_told_apart() {
    let [plain, first, second] = [(); 3].map(|()| Probing::new());
    let serving = serve(|server| {
        server.service(plain.server()).service_as(first.server(), "1.0.0", "g1").service_as(
            second.server(),
            "1.0.0",
            "g2",
        )
    })
    .await;
    let mut peer = Peer::connect(serving.address()).await;
    let hello = Request::hello("a");
    let g1 = hello.clone().version("1.0.0").attach("group", "g1");
    let g2 = hello.clone().version("1.0.0").attach("group", "g2");
    // dubbo-go's descriptor of a date in an array lacks its end, so nobody can count the arguments by it.
    let odd = g2.clone().head(4, "[Ljava/util/Date");
    for (id, request) in [(1, &hello), (2, &g1), (3, &g2), (4, &odd), (5, &g2)] {
        let answer = peer.ask(id, &request.call(id)).await;
        assert_eq!(value(answer), Value::from("hello a"), "{id}");
    }
    assert_eq!([plain.calls(), first.calls(), second.calls()], [1, 1, 3]);
    let wrong = [
        hello.clone().version("1.0.0"),
        hello.clone().version("1.0.0").attach("group", "g3"),
        hello.clone().attach("group", "g1"),
        hello.clone().version("1.0.0").tail([]),
    ];
    for (id, request) in (10..).zip(&wrong) {
        let (status, body) = peer.ask(id, &request.call(id)).await;
        assert!(matches!(status, Status::BAD_REQUEST | Status::SERVICE_ERROR), "{id}: {status}");
        let text = text(&body);
        assert!(text.contains("com.example.Probe"), "{text}");
    }
}

#[tokio::test]
async fn a_service_with_a_group_does_not_serve_callers_that_name_none() {
    let probing = Probing::new();
    let serving = serve(|server| server.service_as(probing.server(), "", "g1")).await;
    let mut peer = Peer::connect(serving.address()).await;
    let requests = [Request::hello("a"), Request::hello("a").tail([]), Request::hello("a").tail(*b"N")];
    for (id, request) in (1..).zip(requests) {
        let (status, body) = peer.ask(id, &request.call(id)).await;
        assert_eq!(status, Status::SERVICE_ERROR, "{id}");
        assert!(text(&body).contains("g1/com.example.Probe"), "{}", text(&body));
    }
    assert_eq!(probing.calls(), 0);
}

#[tokio::test]
async fn answers_and_unknown_frames_from_a_client_are_ignored() {
    let (_probing, _serving, mut peer) = probe().await;
    peer.send(&response(1, Status::OK, b"\x91N")).await;
    peer.send(&response(2, Status::BAD_REQUEST, &error_body("no"))).await;
    peer.send(&support::event(3, false, b"N")).await;
    peer.send(&support::read_only()).await;
    assert_serves(&mut peer).await;
    peer.send(&heartbeat(-9)).await;
    let (header, body) = peer.next().await.unwrap();
    assert_eq!((header.id, header.event, &body[..]), (-9, true, &b"N"[..]));
    assert_eq!(peer.finish().await, []);
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
