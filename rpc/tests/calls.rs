//! Calls of a client to a server: what callers get, what handlers see, and what goes over the wire.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::time::Duration;

use getty_rpc::{
    Client, Context, ErrorKind, Hessian, Server, Stub, Throwable,
    getty::transport::memory,
    hessian2::{DecodeState, Decoder},
    protocol::{Kind, Status},
    service,
};
use support::{
    Asked, Fake, NotFound, PATIENCE, ProbeClient, Probing, called, patient, request_attachments, response,
    serve, within,
};

/// The same service as others may declare it: without its exceptions, and without its nulls.
#[service(interface = "com.example.Probe")]
trait Loose {
    async fn find(&self, id: i64) -> String;
    async fn maybe(&self, text: Option<String>) -> String;
    async fn hello(&self, name: String) -> i32;
}

/// And again: with every exception, and with nulls that are numbers.
#[service(interface = "com.example.Probe")]
trait Looser {
    async fn find(&self, id: i64) -> Result<String, Throwable>;
    async fn maybe(&self, text: Option<String>) -> i32;
}

#[tokio::test]
async fn an_exception_that_the_method_declares_is_a_value() {
    let (_probing, _serving, probe) = called().await;
    assert_eq!(probe.find(7).await.unwrap(), Ok("user 7".to_owned()));
    let expected = NotFound { message: "nobody has id -7".into(), id: -7 };
    assert_eq!(probe.find(-7).await.unwrap(), Err(expected));
}

#[tokio::test]
async fn an_exception_that_the_method_does_not_declare_is_an_error_with_class_and_message() {
    let (_probing, serving, _probe) = called().await;
    let loose: LooseClient = patient(serving.address()).refer();
    assert_eq!(loose.find(7).await.unwrap(), "user 7");
    let error = loose.find(-7).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Exception(_)) && !error.surely_not_run(), "{error}");
    let thrown = error.as_exception().unwrap();
    assert_eq!((thrown.class(), thrown.message()), ("com.example.NotFound", Some("nobody has id -7")));
    assert!(error.to_string().contains("com.example.NotFound: nobody has id -7"), "{error}");
}

#[derive(Debug, Clone, PartialEq, Hessian)]
#[hessian(class = "com.example.Gone", exception)]
struct Gone {
    message: String,
}

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Gone {}

/// And once more: with another exception than the one that is thrown.
#[service(interface = "com.example.Probe")]
trait Wrong {
    async fn find(&self, id: i64) -> Result<String, Gone>;
    #[method(name = "throw")]
    async fn raise(&self, class: String) -> Result<String, Gone>;
}

#[tokio::test]
async fn an_exception_of_another_class_than_the_declared_one_is_not_taken_for_it() {
    let (_probing, serving, _probe) = called().await;
    let wrong: WrongClient = patient(serving.address()).refer();
    let error = wrong.find(-7).await.unwrap_err();
    assert_eq!(error.as_exception().map(Throwable::class), Some("com.example.NotFound"), "{error}");
    let gone = wrong.raise("com.example.Gone").await.unwrap().unwrap_err();
    assert_eq!(gone, Gone { message: "thrown".into() });
}

#[tokio::test]
async fn a_method_that_declares_throwable_gets_every_exception_as_a_value() {
    let (_probing, serving, probe) = called().await;
    let looser: LooserClient = patient(serving.address()).refer();
    let thrown = looser.find(-7).await.unwrap().unwrap_err();
    assert_eq!(thrown.class(), "com.example.NotFound");
    let thrown = probe.throw("java.lang.IllegalStateException").await.unwrap().unwrap_err();
    assert_eq!((thrown.class(), thrown.message()), ("java.lang.IllegalStateException", Some("thrown")));
    assert_eq!(thrown.cause().and_then(Throwable::message), Some("the cause"));
}

#[tokio::test]
async fn null_is_none_or_zero_or_an_error_as_the_declared_type_has_it() {
    let (_probing, serving, probe) = called().await;
    let client = patient(serving.address());
    let (loose, looser): (LooseClient, LooserClient) = (client.refer(), client.refer());
    assert_eq!(probe.maybe(None).await.unwrap(), None);
    assert_eq!(probe.maybe(Some("text".to_owned())).await.unwrap().as_deref(), Some("text"));
    assert_eq!(looser.maybe(None).await.unwrap(), 0);
    let error = loose.maybe(None).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::BadResponse) && !error.surely_not_run(), "{error}");
    assert!(error.message().contains("null"), "{error}");
}

#[tokio::test]
async fn an_answer_of_another_type_is_an_error_and_the_connection_lives() {
    let (_probing, serving, _probe) = called().await;
    let loose: LooseClient = patient(serving.address()).refer();
    for _ in 0..10 {
        let error = loose.hello("a").await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::BadResponse), "{error}");
        assert!(error.message().contains("int"), "{error}");
        assert_eq!(loose.find(1).await.unwrap(), "user 1");
    }
}

#[derive(Debug, Clone, PartialEq, Hessian)]
#[hessian(class = "com.example.Item")]
struct Item {
    name: String,
    count: i32,
}

#[service(interface = "com.example.Desk", version = "1.0.0", group = "g")]
trait Desk {
    /// Two methods with one Java name.
    #[method(name = "get")]
    async fn get_by_id(&self, id: i64) -> String;
    #[method(name = "get")]
    async fn get_by_name(&self, name: String) -> String;
    #[method(name = "get")]
    async fn get_by_both(&self, id: i64, name: String) -> String;
    async fn store(
        &self,
        items: Vec<Item>,
        marks: Vec<i64>,
        raw: Vec<u8>,
        item: Item,
        note: Option<String>,
    ) -> i32;
    #[method(timeout_ms = 250)]
    async fn hurry(&self) -> i32;
    #[allow(clippy::too_many_arguments)] // As many as there may be.
    async fn sum(
        &self,
        a: i32,
        b: i32,
        c: i32,
        d: i32,
        e: i32,
        f: i32,
        g: i32,
        h: i32,
        i: i32,
        j: i32,
        k: i32,
        l: i32,
    ) -> i32;
    async fn nothing(&self);
    /// Who is asked, and of what attachments the handler knows.
    async fn whoami(&self) -> String;
    /// Milliseconds that the caller still waits; none when it named no timeout.
    async fn remaining(&self) -> Option<i64>;
}

struct Desking(&'static str);

impl Desk for Desking {
    async fn get_by_id(&self, id: i64) -> String {
        format!("id {id}")
    }

    async fn get_by_name(&self, name: String) -> String {
        format!("name {name}")
    }

    async fn get_by_both(&self, id: i64, name: String) -> String {
        format!("both {id} {name}")
    }

    async fn store(
        &self,
        items: Vec<Item>,
        marks: Vec<i64>,
        raw: Vec<u8>,
        item: Item,
        note: Option<String>,
    ) -> i32 {
        let counts: i32 = items.iter().map(|item| item.count).sum();
        let lengths = marks.len() + raw.len() + note.map_or(0, |note| note.len());
        counts + item.count + i32::try_from(lengths).unwrap()
    }

    async fn hurry(&self) -> i32 {
        std::future::pending().await
    }

    async fn sum(
        &self,
        a: i32,
        b: i32,
        c: i32,
        d: i32,
        e: i32,
        f: i32,
        g: i32,
        h: i32,
        i: i32,
        j: i32,
        k: i32,
        l: i32,
    ) -> i32 {
        [a, b, c, d, e, f, g, h, i, j, k, l]
            .iter()
            .enumerate()
            .map(|(n, value)| value * 2_i32.pow(n as u32))
            .sum()
    }

    async fn nothing(&self) {}

    async fn whoami(&self) -> String {
        // Also after it had to wait, and so became a task.
        tokio::task::yield_now().await;
        let context = Context::current().unwrap();
        let user = context.attachments().get("user").unwrap_or("nobody").to_owned();
        let spawned = tokio::spawn(async { Context::current().is_none() }).await.unwrap();
        format!("{} {user} {} {spawned}", self.0, context.peer().is_some())
    }

    async fn remaining(&self) -> Option<i64> {
        let context = Context::current().unwrap();
        assert_eq!(context.deadline().is_some(), context.remaining().is_some());
        context.remaining().map(|time| i64::try_from(time.as_millis()).unwrap())
    }
}

#[tokio::test]
async fn overloads_are_told_apart_by_their_parameters() {
    let serving = serve(|server| server.service(DeskServer::new(Desking("desk")))).await;
    let desk: DeskClient = patient(serving.address()).refer();
    assert_eq!(desk.get_by_id(7).await.unwrap(), "id 7");
    assert_eq!(desk.get_by_name("Ann").await.unwrap(), "name Ann");
    assert_eq!(desk.get_by_both(7, "Ann").await.unwrap(), "both 7 Ann");
    let names: Vec<_> =
        DeskClient::INFO.methods.iter().map(|method| (method.name, method.descriptor)).collect();
    let text = "Ljava/lang/String;";
    assert_eq!(names[..3], [("get", "J"), ("get", text), ("get", "JLjava/lang/String;")]);
    assert_eq!(names[3].1, "Ljava/util/List;Ljava/util/List;[BLcom/example/Item;Ljava/lang/String;");
}

#[tokio::test]
async fn arguments_may_be_borrowed_or_owned() {
    let serving = serve(|server| server.service(DeskServer::new(Desking("desk")))).await;
    let desk: DeskClient = patient(serving.address()).refer();
    let item = Item { name: "pen".into(), count: 10 };
    let items = vec![item.clone(), item.clone()];
    let (marks, raw, note) = ([1_i64, 2], [3_u8, 4, 5], "six".to_owned());
    assert_eq!(desk.store(&items, &marks, &raw, &item, &Some(note.clone())).await.unwrap(), 38);
    assert_eq!(desk.store(&items[..], &marks[..], &raw[..], item.clone(), Some(note)).await.unwrap(), 38);
    assert_eq!(desk.store(items, vec![1], vec![], item, None).await.unwrap(), 31);
    assert_eq!(desk.sum(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1).await.unwrap(), 4_095);
    desk.nothing().await.unwrap();
}

#[tokio::test]
async fn groups_of_one_interface_are_called_each_by_its_reference() {
    let serving = serve(|server| {
        server
            .service(DeskServer::new(Desking("first")))
            .service_as(DeskServer::new(Desking("second")), "1.0.0", "h")
            .service_as(DeskServer::new(Desking("third")), "2.0.0", "")
    })
    .await;
    let client = patient(serving.address());
    let first: DeskClient = client.refer();
    let second: DeskClient = client.reference(DeskClient::INFO).group("h").refer();
    let third: DeskClient = client.reference(DeskClient::INFO).group("").version("2.0.0").refer();
    let fourth: DeskClient = client.reference(DeskClient::INFO).group("nope").refer();
    assert_eq!(first.whoami().await.unwrap(), "first nobody true true");
    assert_eq!(second.whoami().await.unwrap(), "second nobody true true");
    assert_eq!(third.whoami().await.unwrap(), "third nobody true true");
    let error = fourth.whoami().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Status(_)), "{error}");
    assert!(
        error.message().contains("nope") && error.message().contains("g/com.example.Desk:1.0.0"),
        "{error}"
    );
}

#[tokio::test]
async fn attachments_and_the_time_that_is_left_are_seen_by_the_handler_and_by_nobody_else() {
    let serving = serve(|server| server.service(DeskServer::new(Desking("desk")))).await;
    let desk: DeskClient = patient(serving.address()).refer();
    assert_eq!(
        desk.whoami().attach("user", "Ann").attach("user", "Bob").await.unwrap(),
        "desk Bob true true"
    );
    assert_eq!(desk.whoami().await.unwrap(), "desk nobody true true");
    assert!(Context::current().is_none());
    for timeout in [PATIENCE, PATIENCE * 2] {
        let left = desk.remaining().timeout(timeout).await.unwrap().unwrap();
        let sent = i64::try_from(timeout.as_millis()).unwrap();
        assert!(left <= sent && left > sent / 2, "{left} of {sent}");
    }
}

#[tokio::test]
async fn a_one_way_call_is_made_and_not_waited_for() {
    let (probing, _serving, probe) = called().await;
    for _ in 0..100 {
        probe.note("a").await.unwrap();
    }
    probing.noted(100).await;
    assert_eq!(probing.calls(), 100);
}

#[tokio::test]
async fn what_goes_over_the_wire_is_what_java_and_go_send() {
    let fake = Fake::bind().await;
    let client = patient(fake.address());
    let desk: DeskClient = client.refer();
    let probe: ProbeClient =
        client.reference(ProbeClient::INFO).timeout(Duration::from_millis(1_500)).refer();
    let calls = tokio::spawn(async move {
        let patience = desk.get_by_both(7, "Ann").attach("user", "中文").await;
        let own = desk.hurry().await;
        let called = desk.hurry().timeout(Duration::from_micros(10_700)).await;
        probe.note("one-way").await.unwrap();
        let referred = probe.add(1, 2).await;
        (patience, own, called, referred)
    });
    let mut provider = fake.accept().await;
    let mut heads = Vec::new();
    for _ in 0..5 {
        let (header, body) = provider.next_call().await.unwrap();
        let Kind::Request { two_way } = header.kind else { panic!("{header:?}") };
        let mut state = DecodeState::new();
        let mut d = Decoder::new(&body, &mut state);
        assert_eq!(d.str().unwrap(), "2.0.2");
        let asked = Asked::read(&body).unwrap();
        heads.push((asked.interface, asked.version, asked.method, two_way, request_attachments(&body)));
        assert!(!two_way || header.id > 0);
        if two_way {
            provider.send(&response(header.id, Status::OK, b"\x92")).await;
        }
    }
    let (patience, own, called, referred) = within(calls).await.unwrap();
    assert!(patience.is_err(), "null is no text");
    assert_eq!((own.unwrap(), called.unwrap(), referred.unwrap()), (0, 0, 0));
    let desk = "path=com.example.Desk interface=com.example.Desk version=1.0.0 group=g";
    let probe = "path=com.example.Probe interface=com.example.Probe timeout=1500";
    let expected = [
        (
            "com.example.Desk",
            "1.0.0",
            "get",
            true,
            format!("{desk} timeout={} user=中文", PATIENCE.as_millis()),
        ),
        ("com.example.Desk", "1.0.0", "hurry", true, format!("{desk} timeout=250")),
        ("com.example.Desk", "1.0.0", "hurry", true, format!("{desk} timeout=10")),
        ("com.example.Probe", "", "note", false, probe.to_owned()),
        ("com.example.Probe", "", "add", true, probe.to_owned()),
    ]
    .map(|(interface, version, method, two_way, text)| {
        (interface.to_owned(), version.to_owned(), method.to_owned(), two_way, text)
    });
    assert_eq!(heads, expected);
}

#[tokio::test]
async fn a_request_over_the_payload_limit_fails_before_anything_of_it_is_sent() {
    let probing = Probing::new();
    let serving = serve(|server| server.service(probing.server())).await;
    let client = Client::builder().timeout(PATIENCE).payload(10_000).direct(&serving.url()).unwrap();
    let probe: ProbeClient = client.refer();
    for _ in 0..10 {
        let error = probe.hello("n".repeat(10_001)).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::BadRequest) && error.surely_not_run(), "{error}");
        assert!(error.message().contains("10000"), "{error}");
        assert_eq!(probe.hello("short").await.unwrap(), "hello short");
    }
    assert_eq!(probing.calls(), 10);
}

#[tokio::test]
async fn client_and_server_talk_over_memory_too() {
    let probing = Probing::new();
    let (connector, listen) = memory::listen();
    let server = tokio::spawn(Server::over(listen).service(probing.server()).serve());
    let client = Client::builder().timeout(PATIENCE).connections(3).dial("memory", move || {
        let connector = connector.clone();
        async move { connector.connect().await }
    });
    let probe: ProbeClient = client.refer();
    for n in 0..100 {
        assert_eq!(probe.add(n, 1).await.unwrap(), n + 1);
        assert_eq!(probe.find(-1).await.unwrap().unwrap_err().id, -1);
    }
    probe.note("memory").await.unwrap();
    probing.noted(1).await;
    within(client.close()).await;
    server.abort();
}

#[test]
fn addresses_that_are_none_are_refused_with_what_is_wrong() {
    for addresses in ["", "nonsense", "127.0.0.1", "dubbo://", "a:99999", "a:1,,b:2"] {
        let error = Client::direct(addresses).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::BadRequest) && error.surely_not_run(),
            "{addresses}: {error}"
        );
        assert!(!error.message().is_empty());
    }
}
