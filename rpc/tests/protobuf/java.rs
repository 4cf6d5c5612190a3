//! The frames of Dubbo Java 3.3.6 and its protobuf extension: our server and our client read them, and write the same.

use std::{collections::BTreeMap, fmt, time::Duration};

use bytes::Bytes;
use getty_rpc::{
    Client, ErrorKind, ProtobufException, StackFrame, Stub, Throwable,
    java::JavaType,
    prost::Message,
    protocol::{HEADER, Header, Kind, Status},
    service,
};

use crate::{
    raw::{Map, PROTOBUF, ThrowableProto, items},
    support::{FakePipe, PATIENCE, Peer, frame, over_pipes, within},
};

const ROWS: &str = include_str!("../vectors/dubbo_frames_java_protobuf.jsonl");

struct Row {
    name: String,
    note: String,
    from: String,
    header: Header,
    body: Bytes,
}

impl Row {
    fn bytes(&self) -> Vec<u8> {
        frame(self.header, &self.body)
    }

    fn is_request(&self) -> bool {
        matches!(self.header.kind, Kind::Request { .. })
    }

    fn is_java(&self) -> bool {
        self.from.starts_with("dubbo-java")
    }
}

fn rows() -> Vec<Row> {
    let row = |(line, text): (usize, &str)| {
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        let field = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        let hex = json["hex"].as_str().unwrap();
        let bytes: Vec<_> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        let (head, body) = bytes.split_first_chunk::<HEADER>().unwrap();
        let header = Header::parse(head).unwrap();
        assert_eq!(header.to_bytes(), *head, "line {}: the header is written as it was read", line + 1);
        Row {
            name: format!("line {}: {} {}", line + 1, field("from"), field("note")),
            note: field("note"),
            from: field("from"),
            header,
            body: Bytes::copy_from_slice(body),
        }
    };
    ROWS.lines().enumerate().map(row).collect()
}

fn protobuf_rows() -> Vec<Row> {
    rows().into_iter().filter(|row| row.header.serialization == PROTOBUF).collect()
}

#[derive(Clone, PartialEq, Message)]
#[prost(prost_path = "::getty_rpc::prost")]
struct HelloRequest {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int32, tag = "2")]
    age: i32,
    #[prost(string, repeated, tag = "3")]
    tags: Vec<String>,
    #[prost(int32, tag = "4")]
    level: i32,
}

impl JavaType for HelloRequest {
    const DESCRIPTOR: &'static str = "Lcom/example/pbprobe/HelloRequest;";
}

#[derive(Clone, PartialEq, Message)]
#[prost(prost_path = "::getty_rpc::prost")]
struct HelloReply {
    #[prost(string, tag = "1")]
    text: String,
    #[prost(int64, tag = "2")]
    id: i64,
    #[prost(btree_map = "string, int32", tag = "3")]
    counts: BTreeMap<String, i32>,
    #[prost(message, optional, tag = "4")]
    asked: Option<HelloRequest>,
    #[prost(bytes = "vec", tag = "5")]
    photo: Vec<u8>,
    #[prost(double, tag = "6")]
    score: f64,
}

#[derive(Debug, PartialEq)]
struct IllegalState(String);

impl fmt::Display for IllegalState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for IllegalState {}

impl ProtobufException for IllegalState {
    const CLASS: &'static str = "java.lang.IllegalStateException";

    fn from_message(message: String) -> Self {
        Self(message)
    }
}

/// The service of the vectors.
#[service(interface = "com.example.pbprobe.PbProbeService", serialization = "protobuf")]
trait Probe {
    async fn hello(&self, request: HelloRequest) -> HelloReply;
    async fn two(&self, first: HelloRequest, second: HelloRequest) -> HelloReply;
    #[method(descriptor = "Lcom/google/protobuf/Empty;")]
    async fn nothing(&self, nothing: ());
    async fn fail(&self, request: HelloRequest) -> Result<HelloReply, IllegalState>;
    async fn null_reply(&self, request: HelloRequest) -> Option<HelloReply>;
}

struct Probing;

impl Probe for Probing {
    async fn hello(&self, request: HelloRequest) -> HelloReply {
        hello(request)
    }

    async fn two(&self, first: HelloRequest, second: HelloRequest) -> HelloReply {
        HelloReply { text: format!("{} and {}", first.name, second.name), ..Default::default() }
    }

    async fn nothing(&self, _nothing: ()) {}

    async fn fail(&self, request: HelloRequest) -> Result<HelloReply, IllegalState> {
        Err(IllegalState(format!("failed for {}", request.name)))
    }

    async fn null_reply(&self, _request: HelloRequest) -> Option<HelloReply> {
        None
    }
}

fn hello(request: HelloRequest) -> HelloReply {
    HelloReply {
        text: format!("hello {}", request.name),
        id: 1 << 40,
        counts: [("tags".to_owned(), i32::try_from(request.tags.len()).unwrap())].into(),
        photo: vec![0, 255, 2],
        score: 0.5,
        asked: Some(request),
    }
}

fn ann() -> HelloRequest {
    HelloRequest { name: "Ann".into(), age: 30, tags: vec!["a".into(), "中文😀".into()], level: 1 }
}

#[tokio::test]
async fn our_server_answers_javas_requests_as_java_does() {
    let rows = protobuf_rows();
    let (_serving, connector) = over_pipes(|server| server.service(ProbeServer::new(Probing)));
    let mut peer = connector.connect();
    let mut answered = 0;
    for row in rows.iter().filter(|row| row.is_request()) {
        let name = &row.name;
        peer.send(&row.bytes()).await;
        let (header, body) = peer.next().await.unwrap();
        assert_eq!(
            (header.id, header.serialization, header.event),
            (row.header.id, PROTOBUF, row.header.event),
            "{name}"
        );
        let java = rows
            .iter()
            .find(|other| !other.is_request() && other.header.id == row.header.id)
            .unwrap_or_else(|| panic!("{name} has no answer"));
        let (ours, theirs) = (items(&body), items(&java.body));
        if row.note == "attachments absent" {
            // Java refuses it; here nothing is missed.
            assert_eq!(header.kind, Kind::Response { status: Status::OK }, "{name}");
        } else {
            assert_eq!(header.kind, java.header.kind, "{name}");
            assert_eq!(ours.len(), theirs.len(), "{name}");
        }
        match java.header.kind {
            Kind::Response { status: Status::OK } if !row.header.event => same_result(name, &ours, &theirs),
            // Java does not tell why; a text it is on both sides.
            Kind::Response { status: Status::BAD_REQUEST } if row.note != "attachments absent" => {
                assert!(!String::decode(ours[0].clone()).unwrap().is_empty(), "{name}");
            }
            _ => {}
        }
        answered += 1;
    }
    assert_eq!(answered, 8 + 2 + 8 + 1);
}

fn same_result(name: &str, ours: &[Bytes], theirs: &[Bytes]) {
    assert_eq!(ours[0], theirs[0], "{name}: the type of the result");
    match i32::decode(ours[0].clone()).unwrap() {
        3 => {
            let [ours, theirs] =
                [&ours[1], &theirs[1]].map(|item| ThrowableProto::decode(item.clone()).unwrap());
            assert_eq!((ours.class, ours.message), (theirs.class, theirs.message), "{name}");
        }
        // Not byte by byte: Java also writes values of maps that are zero.
        4 => {
            let [ours, theirs] = [&ours[1], &theirs[1]].map(|item| HelloReply::decode(item.clone()).unwrap());
            assert_eq!(ours, theirs, "{name}");
        }
        5 => {}
        other => panic!("{name}: type {other}"),
    }
    let [ours, theirs] = [ours, theirs].map(|items| Map::decode(items[items.len() - 1].clone()).unwrap());
    assert!(ours.values.is_empty(), "{name}");
    for (key, value) in ours.texts {
        assert_eq!(theirs.texts.get(&key), Some(&value), "{name}: {key}");
    }
}

/// What our client sends, and what it makes of Java's answer.
#[tokio::test]
async fn our_client_asks_what_java_asks_and_reads_what_java_answers() {
    let rows = protobuf_rows();
    let (pipe, mut connections) = FakePipe::accept();
    let client = Client::builder().timeout(PATIENCE).dial("pipe", move || pipe.clone().dial());
    // Java sends this version for none, and its timeout.
    let reference = client.reference(ProbeClient::INFO).version("0.0.0").timeout(Duration::from_secs(3));
    let probe: ProbeClient = reference.refer();
    let java = |note: &str| {
        let request = rows.iter().find(|row| row.is_java() && row.is_request() && row.note == note).unwrap();
        let answer = rows.iter().find(|row| !row.is_request() && row.header.id == request.header.id).unwrap();
        (note.to_owned(), request.body.clone(), answer.body.clone())
    };
    let asked = [
        "hello",
        "hello empty message",
        "hello with attachment",
        "two",
        "nothing (google.protobuf.Empty)",
        "fail (exception)",
        "null reply",
    ]
    .map(java);
    let script = async {
        let mut provider = Peer::over(within(connections.recv()).await.unwrap());
        for (note, request, answer) in asked {
            let (header, body) = provider.next_call().await.unwrap();
            assert_eq!(header.serialization, PROTOBUF);
            same_request(&note, &body, &request);
            let header = Header { kind: Kind::Response { status: Status::OK }, ..header };
            provider.send(&frame(header, &answer)).await;
        }
        provider
    };
    let calls = async {
        assert_eq!(probe.hello(&ann()).await.unwrap(), hello(ann()));
        assert_eq!(probe.hello(HelloRequest::default()).await.unwrap(), hello(HelloRequest::default()));
        assert_eq!(probe.hello(ann()).attach("probe", "中文😀").await.unwrap(), hello(ann()));
        let bob = HelloRequest { name: "Bob".into(), ..Default::default() };
        assert_eq!(probe.two(ann(), bob).await.unwrap().text, "Ann and Bob");
        probe.nothing(()).await.unwrap();
        assert_eq!(probe.fail(ann()).await.unwrap(), Err(IllegalState("failed for Ann".into())));
        assert_eq!(probe.null_reply(ann()).await.unwrap(), None);
    };
    within(async { tokio::join!(calls, script) }).await;
}

#[tokio::test]
async fn an_exception_of_java_keeps_its_stack_and_is_thrown_again_byte_by_byte() {
    #[service(interface = "com.example.pbprobe.PbProbeService", serialization = "protobuf")]
    trait Throwing {
        async fn fail(&self, request: HelloRequest) -> Result<HelloReply, Throwable>;
    }

    struct Throws(Throwable);

    impl Throwing for Throws {
        async fn fail(&self, _request: HelloRequest) -> Result<HelloReply, Throwable> {
            Err(self.0.clone())
        }
    }

    let java =
        protobuf_rows().into_iter().find(|row| !row.is_request() && row.note == "fail (exception)").unwrap();
    let (pipe, mut connections) = FakePipe::accept();
    let client = Client::builder().timeout(PATIENCE).dial("pipe", move || pipe.clone().dial());
    let throwing: ThrowingClient = client.refer();
    let script = async {
        let mut provider = Peer::over(within(connections.recv()).await.unwrap());
        let (header, _) = provider.next_call().await.unwrap();
        let header = Header { kind: Kind::Response { status: Status::OK }, ..header };
        provider.send(&frame(header, &java.body)).await;
        provider
    };
    let call = async { throwing.fail(ann()).await };
    let (thrown, _provider) = within(async { tokio::join!(call, script) }).await;
    let thrown = thrown.unwrap().unwrap_err();
    assert_eq!((thrown.class(), thrown.message()), (IllegalState::CLASS, Some("failed for Ann")));
    assert_eq!(thrown.stack().len(), 46);
    assert_eq!(
        thrown.stack()[0],
        StackFrame::new("com.example.pbprobe.PbMain$Impl", "fail").at("PbMain.java", 99)
    );
    assert_eq!(thrown.stack()[45], StackFrame::new("java.lang.Thread", "run").at("Thread.java", 840));

    let (_serving, connector) = over_pipes(|server| server.service(ThrowingServer::new(Throws(thrown))));
    let mut peer = connector.connect();
    let asked =
        protobuf_rows().into_iter().find(|row| row.is_request() && row.note == "fail (exception)").unwrap();
    peer.send(&asked.bytes()).await;
    let (_, body) = peer.next().await.unwrap();
    assert_eq!(items(&body)[1], items(&java.body)[1]);
}

fn same_request(note: &str, ours: &[u8], theirs: &[u8]) {
    let (ours, theirs) = (items(ours), items(theirs));
    assert_eq!(ours.len(), theirs.len(), "{note}");
    let (attachments, before) = ours.split_last().unwrap();
    assert_eq!(before, &theirs[..before.len()], "{note}: head and arguments, byte by byte");
    // The first map in the order of the wire, without what names the caller's application.
    let first_map = |map: &[u8]| -> Vec<Vec<u8>> {
        let fields = fields_of(map).into_iter().filter(|(key, _)| *key == 0x0a);
        let entries = fields.map(|(_, entry)| entry);
        entries.filter(|entry| !entry.windows(18).any(|text| text == b"remote.application")).collect()
    };
    let (ours, theirs) = (first_map(attachments), first_map(&theirs[before.len()]));
    let (fixed, own) = ours.split_at(4);
    assert_eq!((fixed, own), theirs.split_at(4), "{note}: the attachments");
}

/// The fields of a message whose fields are messages: the byte in front of each, and its bytes.
fn fields_of(mut message: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut fields = Vec::new();
    while let [key, rest @ ..] = message {
        message = rest;
        let length = getty_rpc::prost::decode_length_delimiter(&mut message).unwrap();
        fields.push((*key, message[..length].to_vec()));
        message = &message[length..];
    }
    fields
}

#[tokio::test]
async fn javas_refusals_are_read_with_their_text() {
    let (pipe, mut connections) = FakePipe::accept();
    let client = Client::builder().timeout(PATIENCE).dial("pipe", move || pipe.clone().dial());
    let probe: ProbeClient = client.refer();
    let refusals: Vec<_> = protobuf_rows()
        .into_iter()
        .filter(|row| row.header.kind == Kind::Response { status: Status::BAD_REQUEST })
        .collect();
    assert_eq!(refusals.len(), 4);
    let bodies: Vec<_> = refusals.iter().map(|row| row.body.clone()).collect();
    let script = async {
        let mut provider = Peer::over(within(connections.recv()).await.unwrap());
        for body in bodies {
            let (header, _) = provider.next_call().await.unwrap();
            let header = Header { kind: Kind::Response { status: Status::BAD_REQUEST }, ..header };
            provider.send(&frame(header, &body)).await;
        }
        provider
    };
    let calls = async {
        for _ in &refusals {
            let error = probe.hello(ann()).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Status(Status::BAD_REQUEST)));
            assert!(error.message().starts_with("Fail to decode request due to: RpcInvocation"), "{error}");
        }
    };
    within(async { tokio::join!(calls, script) }).await;
}

#[tokio::test]
async fn requests_in_other_serializations_of_java_are_refused_in_hessian2() {
    let (_serving, connector) = over_pipes(|server| server.service(ProbeServer::new(Probing)));
    let mut peer = connector.connect();
    let calls = rows().into_iter().filter(|row| row.is_request() && !row.header.event);
    let mut refused = 0;
    for row in calls.filter(|row| row.header.serialization != PROTOBUF) {
        peer.send(&row.bytes()).await;
        let (header, body) = peer.next().await.unwrap();
        assert_eq!((header.id, header.serialization), (row.header.id, 2), "{}", row.name);
        assert_eq!(header.kind, Kind::Response { status: Status::BAD_REQUEST });
        let known = format!("serialization {} is not known here", row.header.serialization);
        assert!(String::from_utf8_lossy(&body).contains(&known), "{}", row.name);
        refused += 1;
    }
    assert_eq!(refused, 8 + 4 * 4);
}
