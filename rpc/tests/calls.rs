//! Calls of a client to a server: what callers get, what handlers see, and what a call costs.

mod support;

use std::{
    future::{Future, IntoFuture},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use getty_rpc::{
    Client, Context, ErrorKind, Hessian, Server, Stub, Throwable,
    getty::transport::memory,
    hessian2::{self, Decode, Decoder, Encode, Encoder, JavaType, Sink, Value},
    protocol::{Kind, Status},
    service,
};
use support::{
    Asked, Fake, FakePipe, NotFound, PATIENCE, Peer, ProbeClient, Probing, Serving, patient, response, serve,
    value_body, within,
};
use tokio::task::JoinSet;

async fn probe() -> (Probing, Serving, ProbeClient) {
    let probing = Probing::new();
    let serving = serve(|server| server.service(probing.server())).await;
    let probe = patient(serving.address()).refer();
    (probing, serving, probe)
}

/// The same service as others may declare it: without its exceptions, and without its nulls.
#[service(interface = "com.example.Probe")]
trait Loose {
    async fn find(&self, id: i64) -> String;
    async fn maybe(&self, text: Option<String>) -> String;
    #[method(name = "maybe")]
    async fn maybe_number(&self, text: Option<String>) -> i32;
    #[method(name = "hello")]
    async fn hello_number(&self, name: String) -> i32;
    #[method(name = "find", descriptor = "J")]
    async fn find_any(&self, id: i64) -> Result<String, Throwable>;
}

#[tokio::test]
async fn an_exception_that_the_method_declares_is_a_value() {
    let (_probing, _serving, probe) = probe().await;
    assert_eq!(probe.find(7).await.unwrap(), Ok("user 7".to_owned()));
    let expected = NotFound { message: "nobody has id -7".into(), id: -7 };
    assert_eq!(probe.find(-7).await.unwrap(), Err(expected));
}

#[tokio::test]
async fn an_exception_that_the_method_does_not_declare_is_an_error_with_class_and_message() {
    let (_probing, serving, _probe) = probe().await;
    let loose: LooseClient = patient(serving.address()).refer();
    assert_eq!(loose.find(7).await.unwrap(), "user 7");
    let error = loose.find(-7).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Exception(_)) && !error.surely_not_run(), "{error}");
    let thrown = error.as_exception().unwrap();
    assert_eq!((thrown.class(), thrown.message()), ("com.example.NotFound", Some("nobody has id -7")));
    assert!(error.to_string().contains("com.example.NotFound: nobody has id -7"), "{error}");
}

#[tokio::test]
async fn a_method_that_declares_throwable_gets_every_exception_as_a_value() {
    let (_probing, serving, probe) = probe().await;
    let loose: LooseClient = patient(serving.address()).refer();
    let thrown = loose.find_any(-7).await.unwrap().unwrap_err();
    assert_eq!(thrown.class(), "com.example.NotFound");
    let thrown = probe.throw("java.lang.IllegalStateException").await.unwrap().unwrap_err();
    assert_eq!((thrown.class(), thrown.message()), ("java.lang.IllegalStateException", Some("thrown")));
    assert_eq!(thrown.cause().and_then(Throwable::message), Some("the cause"));
}

#[tokio::test]
async fn null_is_none_or_zero_or_an_error_as_the_declared_type_has_it() {
    let (_probing, serving, probe) = probe().await;
    let loose: LooseClient = patient(serving.address()).refer();
    assert_eq!(probe.maybe(None).await.unwrap(), None);
    assert_eq!(probe.maybe(Some("text".to_owned())).await.unwrap().as_deref(), Some("text"));
    assert_eq!(loose.maybe_number(None).await.unwrap(), 0);
    let error = loose.maybe(None).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::BadResponse) && !error.surely_not_run(), "{error}");
    assert!(error.message().contains("null"), "{error}");
}

#[tokio::test]
async fn an_answer_of_another_type_is_an_error_and_the_connection_lives() {
    let (_probing, serving, _probe) = probe().await;
    let loose: LooseClient = patient(serving.address()).refer();
    for _ in 0..10 {
        let error = loose.hello_number("a").await.unwrap_err();
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
    async fn store(&self, items: Vec<Item>, marks: Vec<i64>, raw: Vec<u8>, item: Item, note: Option<String>) -> i32;
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

    async fn store(&self, items: Vec<Item>, marks: Vec<i64>, raw: Vec<u8>, item: Item, note: Option<String>) -> i32 {
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
        [a, b, c, d, e, f, g, h, i, j, k, l].iter().enumerate().map(|(n, value)| value * 2_i32.pow(n as u32)).sum()
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
    let names: Vec<_> = DeskClient::INFO.methods.iter().map(|method| (method.name, method.descriptor)).collect();
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
    assert!(error.message().contains("nope") && error.message().contains("g/com.example.Desk:1.0.0"), "{error}");
}

#[tokio::test]
async fn attachments_and_the_time_that_is_left_are_seen_by_the_handler_and_by_nobody_else() {
    let serving = serve(|server| server.service(DeskServer::new(Desking("desk")))).await;
    let desk: DeskClient = patient(serving.address()).refer();
    assert_eq!(desk.whoami().attach("user", "Ann").attach("user", "Bob").await.unwrap(), "desk Bob true true");
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
    let (probing, _serving, probe) = probe().await;
    for _ in 0..100 {
        probe.note("a").await.unwrap();
    }
    probing.noted(100).await;
    assert_eq!(probing.calls(), 100);
}

/// The attachments of a request, all of which must be text.
fn attachments(body: &[u8]) -> String {
    let (start, end) = Asked::read(body).unwrap().ends;
    assert_eq!(end, body.len());
    let mut state = hessian2::DecodeState::new();
    let mut d = Decoder::new(body, &mut state);
    while d.position() < start {
        d.skip().unwrap();
    }
    let map: Value = d.read().unwrap();
    let texts = map.root().entries();
    let texts = texts.map(|(name, value)| format!("{}={}", name.as_str().unwrap(), value.as_str().expect("a text")));
    texts.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn what_goes_over_the_wire_is_what_java_and_go_send() {
    let fake = Fake::bind().await;
    let client = patient(fake.address());
    let desk: DeskClient = client.refer();
    let probe: ProbeClient = client.reference(ProbeClient::INFO).timeout(Duration::from_millis(1_500)).refer();
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
        let mut state = hessian2::DecodeState::new();
        let mut d = Decoder::new(&body, &mut state);
        assert_eq!(d.str().unwrap(), "2.0.2");
        let asked = Asked::read(&body).unwrap();
        heads.push((asked.interface, asked.version, asked.method, two_way, attachments(&body)));
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
        ("com.example.Desk", "1.0.0", "get", true, format!("{desk} timeout={} user=中文", PATIENCE.as_millis())),
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

#[tokio::test(start_paused = true)]
async fn a_timeout_below_a_millisecond_is_not_sent_as_zero_which_would_be_none() {
    let (any, mut provider) = support::connected(|builder| builder).await;
    let call = any.call().timeout(Duration::from_micros(1)).into_future();
    let (outcome, sent) = tokio::join!(call, provider.next_call());
    assert!(outcome.unwrap_err().is_timeout());
    let sent = attachments(&sent.unwrap().1);
    assert!(sent.ends_with(" timeout=1"), "{sent}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_answered_ends_at_its_own_timeout_and_a_late_answer_reaches_nobody() {
    let (any, mut provider) = support::connected(|builder| builder.heartbeat(PATIENCE * 1_000)).await;
    let mut late = Vec::new();
    for timeout in [20, 300, 5_000] {
        let timeout = Duration::from_millis(timeout);
        let begun = tokio::time::Instant::now();
        let (outcome, sent) =
            tokio::join!(any.call().timeout(timeout).into_future(), provider.next_call());
        let error = outcome.unwrap_err();
        assert!(error.is_timeout() && !error.surely_not_run(), "{error}");
        assert!(error.message().contains("com.example.Any.call"), "{error}");
        let took = begun.elapsed();
        assert!(took >= timeout && took <= timeout + Duration::from_millis(50), "{took:?} for {timeout:?}");
        late.push(sent.unwrap().0.id);
    }
    // Their answers come when another call waits, in the slot that they had, and with ids nobody ever sent.
    let asking = async {
        let (header, _) = provider.next_call().await.unwrap();
        for id in late.into_iter().chain([0, -1, i64::MAX, header.id ^ 1]) {
            assert_ne!(id, header.id);
            provider.send(&response(id, Status::OK, &value_body("late"))).await;
        }
        let own = response(header.id, Status::OK, &value_body("own"));
        provider.send(&[own.clone(), response(header.id, Status::OK, &value_body("twice"))].concat()).await;
    };
    let (outcome, ()) = tokio::join!(any.call().into_future(), asking);
    assert_eq!(outcome.unwrap(), Ok("own".into()));
    let outcome = support::asked(&any, &mut provider, Status::OK, &value_body("next")).await;
    assert_eq!(outcome.unwrap(), Ok("next".into()));
}

#[tokio::test]
async fn a_call_that_is_dropped_gives_its_place_back_and_its_answer_reaches_nobody() {
    let (any, mut provider) = support::connected(|builder| builder.pending(2)).await;
    let mut dropped = Vec::new();
    for _ in 0..100 {
        let (mut first, mut second) = (any.call().into_future(), any.call().into_future());
        for call in [&mut first, &mut second] {
            assert!(std::future::poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *call).poll(cx))).await.is_pending());
        }
        let error = any.call().await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Busy) && error.surely_not_run(), "{error}");
        assert!(error.message().contains('2'), "{error}");
        drop((first, second));
        for _ in 0..2 {
            dropped.push(provider.next_call().await.unwrap().0.id);
        }
    }
    for id in dropped {
        provider.send(&response(id, Status::OK, &value_body("dropped"))).await;
    }
    let outcome = support::asked(&any, &mut provider, Status::OK, &value_body("own")).await;
    assert_eq!(outcome.unwrap(), Ok("own".into()));
}

#[tokio::test]
async fn a_call_that_is_dropped_before_it_is_polled_sends_nothing() {
    let (any, mut provider) = support::connected(|builder| builder).await;
    drop(any.call());
    drop(any.call().into_future());
    let outcome = support::asked(&any, &mut provider, Status::OK, &value_body("own")).await;
    assert_eq!(outcome.unwrap(), Ok("own".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_ten_thousand_answers_goes_to_its_own_caller() {
    let probing = Probing::new();
    let serving = serve(|server| server.service(probing.server())).await;
    let client = Client::builder().timeout(PATIENCE).connections(2).direct(&serving.url()).unwrap();
    let probe: ProbeClient = client.refer();
    let mut callers = JoinSet::new();
    for caller in 0..200 {
        let probe = probe.clone();
        callers.spawn(async move {
            for call in 0..50 {
                let name = format!("{caller}/{call}{}", "x".repeat(call * 7));
                match call % 5 {
                    0 => assert_eq!(probe.add(caller * 1_000, call as i32).await.unwrap(), caller * 1_000 + call as i32),
                    1 => {
                        let id = -i64::from(caller * 1_000 + call as i32) - 1;
                        assert_eq!(probe.find(id).await.unwrap().unwrap_err().id, id);
                    }
                    2 => {
                        // Given up at once: its answer comes while others wait.
                        let mut given_up = probe.hello("nobody").into_future();
                        std::future::poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut given_up).poll(cx).is_ready())).await;
                        drop(given_up);
                        assert_eq!(probe.hello(&name).await.unwrap(), format!("hello {name}"));
                    }
                    _ => assert_eq!(probe.hello(&name).await.unwrap(), format!("hello {name}")),
                }
            }
        });
    }
    while let Some(caller) = within(callers.join_next()).await {
        caller.unwrap();
    }
    assert!(probing.calls() >= 10_000);
}

#[tokio::test]
async fn calls_are_futures_that_can_be_sent_and_are_small() {
    fn sendable<T: Send>(call: T) -> T {
        call
    }
    let (_probing, _serving, probe) = probe().await;
    let call = sendable(sendable(probe.hello("spawned")).into_future());
    // The bound is what a call has today, rounded up; a caller's own future holds one of these for each call that it awaits.
    assert!(size_of_val(&call) <= 192, "{}", size_of_val(&call));
    assert!(size_of_val(&probe.add(1, 2)) <= 128, "{}", size_of_val(&probe.add(1, 2)));
    let spawned = tokio::spawn({
        let probe = probe.clone();
        async move { probe.hello("spawned").await }
    });
    assert_eq!(within(spawned).await.unwrap().unwrap(), "hello spawned");
    assert_eq!(call.await.unwrap(), "hello spawned");
}

#[tokio::test]
async fn closing_a_client_fails_its_calls_at_once() {
    let (probing, serving, _probe) = probe().await;
    let client = Client::builder().timeout(PATIENCE).connections(2).direct(&serving.url()).unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let probe: ProbeClient = client.refer();
        calls.spawn(async move { probe.wait().await });
    }
    probing.entered(20).await;
    within(client.close()).await;
    while let Some(outcome) = within(calls.join_next()).await {
        let error = outcome.unwrap().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Closed) && !error.surely_not_run(), "{error}");
    }
    let probe: ProbeClient = client.refer();
    for _ in 0..3 {
        let error = probe.hello("late").await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Closed) && error.surely_not_run(), "{error}");
    }
    within(client.close()).await;
    // Closing before anything was dialled.
    let client = patient(serving.address());
    within(client.close()).await;
    let error = client.refer::<ProbeClient>().hello("late").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Closed), "{error}");
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
async fn megabytes_go_both_ways_while_short_calls_are_answered() {
    let (_probing, _serving, probe) = probe().await;
    let mut calls = JoinSet::new();
    for length in [10_000, 1_000_000, 8_000_000, 3_000_000] {
        let probe = probe.clone();
        calls.spawn(async move {
            let name = "n".repeat(length);
            assert!(probe.hello(&name).await.unwrap().ends_with(&name));
        });
    }
    for n in 0..200 {
        assert_eq!(probe.add(n, 1).await.unwrap(), n + 1);
    }
    while let Some(call) = within(calls.join_next()).await {
        call.unwrap();
    }
}

/// A type whose code fails in the ways that a user's code can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Odd {
    Good,
    FailsToEncode,
    PanicsToEncode,
    PanicsToDecode,
}

impl Encode for Odd {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> hessian2::Result<()> {
        e.i32(*self as i32);
        match self {
            Self::FailsToEncode => Err(hessian2::Error::custom("it is odd")),
            Self::PanicsToEncode => panic!("it is odd"),
            _ => Ok(()),
        }
    }
}

impl<'de> Decode<'de> for Odd {
    fn decode_from(d: &mut Decoder<'de, '_>) -> hessian2::Result<Self> {
        match d.i32()? {
            0 => Ok(Self::Good),
            // What a handler is to give back.
            11 => Ok(Self::FailsToEncode),
            12 => Ok(Self::PanicsToEncode),
            3 => panic!("it is odd"),
            other => Err(hessian2::Error::custom(format!("{other} is odd"))),
        }
    }
}

impl JavaType for Odd {
    const DESCRIPTOR: &'static str = "I";
}

#[service(interface = "com.example.Oddities")]
trait Oddities {
    async fn take(&self, odd: Odd) -> Odd;
}

#[service(interface = "com.example.Oddities")]
trait Plainly {
    async fn take(&self, odd: i32) -> i32;
}

struct Taking(Arc<AtomicUsize>);

impl Oddities for Taking {
    async fn take(&self, odd: Odd) -> Odd {
        self.0.fetch_add(1, Ordering::SeqCst);
        odd
    }
}

#[tokio::test]
async fn an_argument_that_cannot_be_encoded_or_panics_leaves_the_connection_whole() {
    let taken = Arc::new(AtomicUsize::new(0));
    let serving = serve(|server| server.service(OdditiesServer::new(Taking(Arc::clone(&taken))))).await;
    let client = Client::builder().timeout(PATIENCE).pending(1).direct(&serving.url()).unwrap();
    let odd: OdditiesClient = client.refer();
    for _ in 0..5 {
        let error = odd.take(Odd::FailsToEncode).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::BadRequest) && error.surely_not_run(), "{error}");
        assert!(error.message().contains("it is odd"), "{error}");
        let panics = tokio::spawn({
            let odd = odd.clone();
            async move { odd.take(Odd::PanicsToEncode).await }
        });
        assert!(within(panics).await.unwrap_err().is_panic(), "the panic is the caller's");
        assert_eq!(odd.take(Odd::Good).await.unwrap(), Odd::Good);
    }
    assert_eq!(taken.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn a_result_that_cannot_be_encoded_or_panics_and_arguments_that_panic_are_answered() {
    let taken = Arc::new(AtomicUsize::new(0));
    let serving =
        serve(|server| server.service(OdditiesServer::new(Taking(Arc::clone(&taken)))).running(1)).await;
    let plain: PlainlyClient = patient(serving.address()).refer();
    for _ in 0..5 {
        for (argument, status, text) in [
            (11, Status::BAD_RESPONSE, "the result cannot be encoded: it is odd"),
            (12, Status::BAD_RESPONSE, "encoding the result panicked: it is odd"),
            (3, Status::SERVICE_ERROR, "com.example.Oddities.take(I): reading the arguments panicked: it is odd"),
            (4, Status::BAD_REQUEST, "com.example.Oddities.take(I): argument 0 cannot be read: 4 is odd"),
        ] {
            let error = plain.take(argument).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Status(came) if *came == status), "{argument}: {error}");
            assert!(error.message().contains(text), "{argument}: {error}");
        }
        assert_eq!(plain.take(0).await.unwrap(), 0);
    }
    assert_eq!(taken.load(Ordering::SeqCst), 15);
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

#[tokio::test]
async fn calls_that_come_before_a_connection_is_there_wait_for_it() {
    let (pipe, mut connections) = FakePipe::accept();
    let dial = Arc::new(tokio::sync::Notify::new());
    let may_dial = Arc::clone(&dial);
    let client = Client::builder().timeout(PATIENCE).dial("slowly", move || {
        let (pipe, may_dial) = (pipe.clone(), Arc::clone(&may_dial));
        async move {
            may_dial.notified().await;
            pipe.dial().await
        }
    });
    let mut calls = JoinSet::new();
    for n in 0..50 {
        let probe: ProbeClient = client.refer();
        calls.spawn(async move { probe.add(n, 0).await.unwrap() });
    }
    tokio::task::yield_now().await;
    dial.notify_one();
    let mut provider = Peer::over(within(connections.recv()).await.unwrap());
    for _ in 0..50 {
        provider.reply(Status::OK, &value_body(7)).await;
    }
    assert_eq!(within(calls.join_all()).await, [7; 50]);
}

#[test]
fn addresses_that_are_none_are_refused_with_what_is_wrong() {
    for addresses in ["", "nonsense", "127.0.0.1", "dubbo://", "a:99999", "a:1,,b:2"] {
        let error = Client::direct(addresses).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::BadRequest) && error.surely_not_run(), "{addresses}: {error}");
        assert!(!error.message().is_empty());
    }
}
