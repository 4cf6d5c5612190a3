//! What a server does with requests, good and bad, as raw peers see it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use getty_rpc::{
    hessian2::Value,
    protocol::{HEADER, Header, Kind, Status},
};
use support::{
    Peer, Probing, Request, STRING, assert_serves, body, error_body, frame, heartbeat, probe, response,
    serve, text, value, values,
};

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
            Status::BAD_REQUEST,
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
async fn what_one_request_says_is_not_taken_for_what_the_next_says() {
    let (_probing, _serving, mut peer) = probe().await;
    let attachment = Request::probe("attachment", STRING).argument("key");
    let context = Request::probe("context", "");
    let requests = [
        (Request::hello("a"), Some("hello a")),
        (Request::hello("b").attach("timeout", "3000"), Some("hello b")),
        (Request::hello("c").attach("group", "eu"), None),
        (Request::probe("hello", "I").argument("d"), None),
        (attachment.clone().attach("key", "one"), Some("one")),
        (attachment.clone().attach("key", "two"), Some("two")),
        (context.clone().attach("user", "u1"), Some(r#"{"user": "u1"}"#)),
        (context.clone().attach("timeout", "3000"), Some("{}")),
        (context.tail([]), Some("{}")),
    ];
    // Each behind each, and behind itself.
    let pairs = requests.iter().flat_map(|first| requests.iter().map(move |second| [first, second]));
    for (id, (request, expected)) in (1..).zip(pairs.flatten()) {
        let (status, body) = peer.ask(id, &request.call(id)).await;
        match expected {
            Some(text) => assert_eq!(value((status, body)), Value::from(*text), "{id}"),
            None => assert_eq!(status, Status::BAD_REQUEST, "{id}"),
        }
    }
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
    // 22 is a feature.
    for serialization in [0, 1, 3, 21, 23, 31] {
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
        assert_eq!(status, Status::BAD_REQUEST, "{id}");
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
        assert_eq!(status, Status::BAD_REQUEST, "{id}");
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
