//! What a raw peer sees: errors, events, groups, and what does not come from our own client.

use std::collections::BTreeMap;

use getty_rpc::{
    Client, ErrorKind,
    prost::Message,
    prost_types::Any,
    protocol::{Kind, Status},
};

use crate::{
    messages::{Name, NamesClient, NamesServer, Serves},
    raw::{
        Attachment, Map, PROTOBUF, Request, StackFrame, ThrowableProto, answer, ask, error_text, header,
        item, items, map, request, response, text, value_body,
    },
    support::{FakePipe, PATIENCE, Peer, Serving, frame, serve, within},
};

const STRING: &str = "Ljava/lang/String;";

async fn names() -> (Serving, Peer) {
    let serving = serve(|server| server.service(NamesServer::new(Serves::default()))).await;
    let peer = Peer::connect(serving.address()).await;
    (serving, peer)
}

async fn assert_serves(peer: &mut Peer) {
    let (status, answer) = ask(peer, &Request::echo("again").body()).await;
    assert_eq!((status, String::decode(answer[1].clone()).unwrap()), (Status::OK, "again".to_owned()));
}

#[tokio::test]
async fn an_answer_has_the_type_the_message_and_the_attachments() {
    let (_serving, mut peer) = names().await;
    let rename = Request::names("rename", "Lcom/example/Name;").argument(item(&Name::new("Ada")));
    let (status, answer) = ask(&mut peer, &rename.body()).await;
    assert_eq!(status, Status::OK);
    assert_eq!(answer[0], 4_i32.encode_to_vec());
    assert_eq!(Name::decode(answer[1].clone()).unwrap(), Name::new("hello Ada"));
    let attachments = Map::decode(answer[2].clone()).unwrap();
    assert_eq!(attachments.texts, BTreeMap::from([("dubbo".to_owned(), "2.0.2".to_owned())]));
    assert!(attachments.values.is_empty() && answer.len() == 3);

    // A caller before Dubbo 2.6.3 understands no attachments.
    let mut old = rename;
    old.head[0] = "2.5.3".to_owned();
    let (status, answer) = ask(&mut peer, &old.body()).await;
    assert_eq!((status, answer.len()), (Status::OK, 2));
    assert_eq!(answer[0], 1_i32.encode_to_vec());
}

#[tokio::test]
async fn null_an_empty_message_and_an_exception_are_told_apart_by_their_type() {
    let (_serving, mut peer) = names().await;
    let maybe = Request::names("maybe", "Lcom/example/Name;").argument(item(&Name::default()));
    let (_, answer) = ask(&mut peer, &maybe.body()).await;
    assert_eq!((answer[0].to_vec(), answer.len()), (5_i32.encode_to_vec(), 2));

    let nothing = Request::names("nothing", "Lcom/google/protobuf/Empty;").argument(item(&()));
    let (_, answer) = ask(&mut peer, &nothing.body()).await;
    assert_eq!((answer[0].to_vec(), answer[1].len(), answer.len()), (4_i32.encode_to_vec(), 0, 3));

    let throw = Request::names("throw", STRING).argument(text("com.example.Odd"));
    let (status, answer) = ask(&mut peer, &throw.body()).await;
    assert_eq!((status, answer[0].to_vec()), (Status::OK, 3_i32.encode_to_vec()));
    let thrown = ThrowableProto::decode(answer[1].clone()).unwrap();
    assert_eq!((&*thrown.class, &*thrown.message), ("com.example.Odd", "outer"));
    let cause = thrown.cause.unwrap();
    assert_eq!((&*cause.class, &*cause.message), ("java.lang.IllegalStateException", "inner"));
}

#[tokio::test]
async fn a_wrong_request_is_refused_with_a_text_in_protobuf() {
    let (_serving, mut peer) = names().await;
    let broken_name = [2, 0x0a, 5];
    let cases: &[(Vec<u8>, &[&str])] = &[
        (Request::new("com.example.Nope", "text", STRING).body(), &["com.example.Nope", "com.example.Names"]),
        (Request::names("nope", "").body(), &["nope()", "rename(Lcom/example/Name;)"]),
        (
            Request::names("text", STRING).tail(vec![]).body(),
            &["argument 0", "ends where String was expected"],
        ),
        (
            Request::names("rename", "Lcom/example/Name;").argument(broken_name.to_vec()).body(),
            &["com.example.Names.rename(Lcom/example/Name;)", "argument 0", "it is no Name: "],
        ),
        (
            Request::names("add", "IJ").argument(item(&1_i32)).argument(vec![3, 0x0a, 1, b'x']).body(),
            &["com.example.Names.add(IJ)", "argument 1", "it is no i64: "],
        ),
        (
            Request::echo("a").tail(vec![0xff, 0xff, 3, 1]).body(),
            &["the attachments", "65535 bytes, 1 are left"],
        ),
        (Request::echo("a").attachments(&[("group", "eu")]).body(), &["group eu", "com.example.Names"]),
        (vec![], &["the request's head cannot be read", "ends where the protocol version was expected"]),
        (text("2.0.2"), &["ends where the service was expected"]),
        (vec![2, 0x0a, 0xff], &["head cannot be read", "a number of the protocol version has no end"]),
        (vec![3, 0x0a, 1, 0xff], &["head cannot be read", "no UTF-8"]),
    ];
    for (body, fragments) in cases {
        let (status, answer) = ask(&mut peer, body).await;
        let text = error_text(&answer);
        assert_eq!(status, Status::BAD_REQUEST, "{text}");
        assert!(fragments.iter().all(|fragment| text.contains(fragment)), "{fragments:?} in: {text}");
    }
    assert_serves(&mut peer).await;
}

#[tokio::test]
async fn absent_and_odd_attachments_are_taken() {
    let (_serving, mut peer) = names().await;
    let echo = Request::echo("a");
    // Unknown fields of every wire type, which have no meaning here.
    let unknown = vec![0x18, 1, 0x21, 0, 0, 0, 0, 0, 0, 0, 0, 0x2a, 1, 0, 0x35, 0, 0, 0, 0];
    let tails = [
        vec![],
        vec![0],
        [vec![unknown.len() as u8], unknown].concat(),
        [map(&[("a", "b")]), b"behind".to_vec()].concat(),
    ];
    for tail in tails {
        let (status, answer) = ask(&mut peer, &echo.clone().tail(tail).body()).await;
        assert_eq!((status, String::decode(answer[1].clone()).unwrap()), (Status::OK, "a".to_owned()));
    }
}

#[tokio::test]
async fn attachments_that_stand_in_javas_second_map_alone_are_read_as_text() {
    let (_serving, mut peer) = names().await;
    let wrapped = |class: &str, wrapper: &str, value: Vec<u8>| {
        let url = |name: &str| format!("type.googleapis.com/{name}");
        let data = Any { type_url: url(&format!("google.protobuf.{wrapper}")), value };
        let attachment = Attachment { class: class.to_owned(), data: Some(data) };
        let name = "org.apache.dubbo.common.serialize.protobuf.support.wrapper.Attachment";
        Any { type_url: url(name), value: attachment.encode_to_vec() }
    };
    let values = [
        ("text", wrapped("java.lang.String", "StringValue", "中文".to_owned().encode_to_vec())),
        ("int", wrapped("java.lang.Integer", "Int32Value", (-3_i32).encode_to_vec())),
        ("long", wrapped("java.lang.Long", "Int64Value", i64::MAX.encode_to_vec())),
        ("flag", wrapped("java.lang.Boolean", "BoolValue", true.encode_to_vec())),
        ("double", wrapped("java.lang.Double", "DoubleValue", 0.5_f64.encode_to_vec())),
        ("other", wrapped("com.example.Name", "Duration", Name::new("a").encode_to_vec())),
    ];
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let attachments = item(&Map { texts: BTreeMap::new(), values });
    let expected = [
        ("text", Some("中文")),
        ("int", Some("-3")),
        ("long", Some("9223372036854775807")),
        ("flag", Some("true")),
        ("double", Some("0.5")),
        ("other", None),
    ];
    for (name, value) in expected {
        let asked = Request::names("attachment", STRING).argument(text(name)).tail(attachments.clone());
        let (status, answer) = ask(&mut peer, &asked.body()).await;
        assert_eq!(status, Status::OK);
        match value {
            Some(value) => assert_eq!(String::decode(answer[1].clone()).unwrap(), value, "{name}"),
            None => assert_eq!(answer[0], 5_i32.encode_to_vec(), "{name}"),
        }
    }
}

#[tokio::test]
async fn a_service_is_found_by_the_group_behind_the_arguments() {
    let serving = serve(|server| {
        ["", "eu", "us"].into_iter().fold(server, |server, group| {
            server.service_as(NamesServer::new(Serves::default()), "1.0.0", group)
        })
    })
    .await;
    let mut peer = Peer::connect(serving.address()).await;
    for (group, expected) in
        [("eu", Status::OK), ("us", Status::OK), ("", Status::OK), ("cn", Status::BAD_REQUEST)]
    {
        let mut asked = Request::names("add", "IJ").argument(item(&1_i32)).argument(item(&2_i64));
        asked.head[2] = "1.0.0".to_owned();
        let (status, answer) = ask(&mut peer, &asked.attachments(&[("group", group)]).body()).await;
        assert_eq!(status, expected, "{group}");
        if expected == Status::OK {
            assert_eq!(i64::decode(answer[1].clone()).unwrap(), 3);
        } else {
            assert!(error_text(&answer).contains("cn/com.example.Names:1.0.0"));
        }
    }
}

#[tokio::test]
async fn echo_gives_its_argument_back() {
    let (_serving, mut peer) = names().await;
    let argument = item(&Name::new("anything"));
    let echo = Request::names("$echo", "Ljava/lang/Object;").argument(argument.clone());
    let (status, answer) = ask(&mut peer, &echo.body()).await;
    assert_eq!((status, &answer[1][..]), (Status::OK, &items(&argument)[0][..]));
}

#[tokio::test]
async fn a_heartbeat_in_protobuf_has_no_body_in_either_direction() {
    let (_serving, mut peer) = names().await;
    peer.send(&frame(header(Kind::Request { two_way: true }, true, -5), b"")).await;
    let (answer, body) = peer.next().await.unwrap();
    assert_eq!(answer.kind, Kind::Response { status: Status::OK });
    assert_eq!((answer.event, answer.id, answer.serialization, body.len()), (true, -5, PROTOBUF, 0));
    // One that asks for nothing, with the text that Java has for it.
    peer.send(&frame(header(Kind::Request { two_way: false }, true, 0), &text("H"))).await;
    assert_serves(&mut peer).await;
}

#[tokio::test]
async fn a_client_understands_events_in_protobuf_and_refuses_calls_in_it() {
    let (pipe, mut connections) = FakePipe::accept();
    let client = Client::builder().timeout(PATIENCE).dial("pipe", move || pipe.clone().dial());
    let names: NamesClient = client.refer();
    let script = async {
        let mut first = Peer::over(within(connections.recv()).await.unwrap());
        let (call, _) = first.next_call().await.unwrap();
        first.send(&response(call.id, Status::OK, &value_body(&1_i32))).await;

        first.send(&request(9, &Request::echo("a").body())).await;
        let (status, refusal) = answer(&mut first, 9).await;
        assert_eq!(status, Status::BAD_REQUEST);
        assert!(error_text(&refusal).contains("serves nothing"));

        first.send(&frame(header(Kind::Request { two_way: false }, true, 0), &text("R"))).await;
        first.send(&frame(header(Kind::Request { two_way: true }, true, 1), b"")).await;
        let (heartbeat, body) = first.next().await.unwrap();
        assert_eq!((heartbeat.id, heartbeat.serialization, body.len()), (1, PROTOBUF, 0));
        first
    };
    let number = async { names.number().await };
    let (number, _first) = within(async { tokio::join!(number, script) }).await;
    assert_eq!(number.unwrap(), 1);

    let error = names.number().await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Connect) && error.message().contains("shutting down"),
        "{error}"
    );
}

#[tokio::test]
async fn a_client_reads_what_java_may_answer() {
    let (pipe, mut connections) = FakePipe::accept();
    let client = Client::builder().timeout(PATIENCE).dial("pipe", move || pipe.clone().dial());
    let names: NamesClient = client.refer();
    let frame =
        |line| StackFrame { class: "com.example.A".into(), method: "f".into(), file: "A.java".into(), line };
    let cause = ThrowableProto { class: "java.lang.Error".into(), ..Default::default() };
    let thrown = ThrowableProto {
        class: "com.example.NotFoundException".into(),
        message: "gone".into(),
        stack: vec![frame(12), frame(-1)],
        cause: Some(Box::new(cause)),
    };
    let ada = Name::new("Ada");
    let answers = [
        ([item(&1_i32), item(&ada)].concat(), "Ok(Ok(Some(Name { name: \"Ada\" })))"),
        ([item(&4_i32), item(&ada), vec![0]].concat(), "Ok(Ok(Some(Name { name: \"Ada\" })))"),
        (item(&2_i32), "Ok(Ok(None))"),
        ([item(&5_i32), vec![0]].concat(), "Ok(Ok(None))"),
        ([item(&0_i32), item(&thrown)].concat(), "Ok(Err(NotFound(\"gone\")))"),
        ([item(&3_i32), item(&thrown), vec![0]].concat(), "Ok(Err(NotFound(\"gone\")))"),
        (vec![], "ends where the type of the result was expected"),
        (item(&6_i32), "0 to 5, not 6"),
        (item(&-1_i32), "0 to 5, not -1"),
        (item(&4_i32), "ends where Name was expected"),
        ([item(&4_i32), item(&ada)].concat(), "the body ends where the attachments"),
        ([item(&4_i32), vec![2, 0x0a, 9], vec![0]].concat(), "the result, which is a Name: "),
        (vec![2, 0x0a, 0], "field 1 of the type of the result has the wire type 2"),
    ];
    let asked = answers.clone();
    let script = async {
        let mut provider = Peer::over(within(connections.recv()).await.unwrap());
        for (body, _) in asked {
            let (call, _) = provider.next_call().await.unwrap();
            provider.send(&response(call.id, Status::OK, &body)).await;
        }
        provider
    };
    let calls = async {
        for (_, expected) in answers {
            let got = names.find(1).await;
            let shown = got.as_ref().map_or_else(|error| error.message().to_owned(), |_| format!("{got:?}"));
            assert!(shown.contains(expected), "{expected} in: {shown}");
        }
    };
    within(async { tokio::join!(calls, script) }).await;
}
