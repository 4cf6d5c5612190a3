//! Two serializations on one port.

use std::{fmt, sync::Arc};

use getty_rpc::{
    Client, ErrorKind, Hessian, ProtobufException, Serialization, Server, Stub,
    prost::Message,
    protocol::{Header, Kind, Status},
    registry::{Registry, Target},
    service,
};

use crate::{
    messages::{NamesServer, Serves},
    raw::{self, PROTOBUF},
    support::{self, Peer, patient, serve, within},
};

#[derive(Clone, PartialEq, Message, Hessian)]
#[prost(prost_path = "::getty_rpc::prost")]
#[hessian(class = "com.example.Pair")]
struct Pair {
    #[prost(string, tag = "1")]
    left: String,
    #[prost(int64, tag = "2")]
    right: i64,
}

#[derive(Debug, Clone, PartialEq, Hessian)]
#[hessian(class = "com.example.Refused", exception)]
struct Refused {
    message: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refused {}

impl ProtobufException for Refused {
    const CLASS: &'static str = "com.example.Refused";

    fn from_message(message: String) -> Self {
        Self { message }
    }
}

/// Both, and stubs use hessian2.
#[service(interface = "com.example.Pairs", serialization = "hessian2,protobuf")]
trait Pairs {
    async fn swap(&self, pair: Pair) -> Result<Pair, Refused>;
    #[method(blocking)]
    fn find(&self, left: String) -> Option<Pair>;
}

/// As above, and stubs use protobuf.
#[service(interface = "com.example.Pairs", serialization = "protobuf, hessian2")]
trait PairsFirstProtobuf {
    async fn swap(&self, pair: Pair) -> Result<Pair, Refused>;
    async fn find(&self, left: String) -> Option<Pair>;
}

struct Swaps;

impl Pairs for Swaps {
    async fn swap(&self, pair: Pair) -> Result<Pair, Refused> {
        let right =
            pair.left.parse().map_err(|_| Refused { message: format!("no number: {}", pair.left) })?;
        Ok(Pair { left: pair.right.to_string(), right })
    }

    fn find(&self, left: String) -> Option<Pair> {
        (!left.is_empty()).then_some(Pair { left, right: 1 })
    }
}

fn pair(left: &str, right: i64) -> Pair {
    Pair { left: left.to_owned(), right }
}

#[tokio::test]
async fn one_service_answers_stubs_of_both_serializations() {
    let serving = serve(|server| server.service(PairsServer::new(Swaps))).await;
    let client = patient(serving.address());
    let (hessian2, protobuf): (PairsClient, PairsFirstProtobufClient) = (client.refer(), client.refer());
    assert_eq!(PairsClient::INFO.serializations, [Serialization::Hessian2, Serialization::Protobuf]);
    assert_eq!(
        PairsFirstProtobufClient::INFO.serializations,
        [Serialization::Protobuf, Serialization::Hessian2]
    );

    let refused = Refused { message: "no number: x".into() };
    assert_eq!(hessian2.swap(pair("5", 7)).await.unwrap(), Ok(pair("7", 5)));
    assert_eq!(protobuf.swap(pair("5", 7)).await.unwrap(), Ok(pair("7", 5)));
    assert_eq!(hessian2.swap(pair("x", 7)).await.unwrap(), Err(refused.clone()));
    assert_eq!(protobuf.swap(pair("x", 7)).await.unwrap(), Err(refused));
    // What may stand for a text does not depend on the serialization.
    assert_eq!(hessian2.find("a").await.unwrap(), Some(pair("a", 1)));
    assert_eq!(protobuf.find("a").await.unwrap(), Some(pair("a", 1)));
    assert_eq!(hessian2.find("").await.unwrap(), None);
    assert_eq!(protobuf.find("").await.unwrap(), None);
}

#[tokio::test]
async fn an_answer_and_an_error_are_in_the_serialization_of_their_request() {
    let serving = serve(|server| server.service(PairsServer::new(Swaps))).await;
    let mut peer = Peer::connect(serving.address()).await;
    let in_protobuf = |method: &str| {
        let request =
            raw::Request::new("com.example.Pairs", method, "Ljava/lang/String;").argument(raw::text("a"));
        raw::request(22, &request.body())
    };
    let in_hessian2 = |method: &str| {
        support::Request::new("com.example.Pairs", method, "Ljava/lang/String;").argument("a").call(2)
    };
    for (method, status) in [("find", Status::OK), ("nope", Status::BAD_REQUEST)] {
        peer.send(&in_protobuf(method)).await;
        peer.send(&in_hessian2(method)).await;
        let mut seen = Vec::new();
        for _ in 0..2 {
            let (header, body) = peer.next().await.unwrap();
            assert_eq!(header.kind, Kind::Response { status });
            assert_eq!(i64::from(header.serialization), header.id);
            if header.serialization == PROTOBUF {
                assert_eq!(raw::items(&body).len(), if status == Status::OK { 3 } else { 1 });
            }
            seen.push(header.id);
        }
        seen.sort_unstable();
        assert_eq!(seen, [2, 22]);
    }
}

#[tokio::test]
async fn a_service_that_speaks_only_the_other_serialization_says_so() {
    #[service(interface = "com.example.Names")]
    trait NamesInHessian2 {
        async fn text(&self, text: String) -> String;
    }

    #[service(interface = "com.example.Only")]
    trait OnlyHessian2 {
        async fn text(&self, text: String) -> String;
    }

    struct Only;

    impl OnlyHessian2 for Only {
        async fn text(&self, text: String) -> String {
            text
        }
    }

    #[service(interface = "com.example.Only", serialization = "protobuf")]
    trait OnlyInProtobuf {
        async fn text(&self, text: String) -> String;
    }

    let serving = serve(|server| {
        server.service(NamesServer::new(Serves::default())).service(OnlyHessian2Server::new(Only))
    })
    .await;
    let client = patient(serving.address());
    let error = client.refer::<NamesInHessian2Client>().text("a").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Status(Status::BAD_REQUEST)));
    let text =
        "com.example.Names.text(Ljava/lang/String;): it speaks protobuf (22), the request is in hessian2 (2)";
    assert_eq!(error.message(), text);
    let error = client.refer::<OnlyInProtobufClient>().text("a").await.unwrap_err();
    let text =
        "com.example.Only.text(Ljava/lang/String;): it speaks hessian2 (2), the request is in protobuf (22)";
    assert_eq!(error.message(), text);
}

#[tokio::test]
async fn an_answer_in_the_other_serialization_is_refused() {
    let (pipe, mut connections) = support::FakePipe::accept();
    let client = Client::builder().timeout(support::PATIENCE).dial("pipe", move || pipe.clone().dial());
    let protobuf: PairsFirstProtobufClient = client.refer();
    let provider = async {
        let mut provider = Peer::over(within(connections.recv()).await.unwrap());
        let (header, _) = provider.next_call().await.unwrap();
        assert_eq!(header.serialization, PROTOBUF);
        let kind = Kind::Response { status: Status::OK };
        let answer = Header { kind, serialization: 2, ..header };
        provider.send(&support::frame(answer, &support::null_body())).await;
        provider
    };
    let (error, _provider) =
        within(async { tokio::join!(async { protobuf.find("a").await }, provider) }).await;
    let error = error.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::BadResponse), "{error}");
    assert!(error.message().contains("it is in serialization 2, the request was in 22"), "{error}");
}

#[tokio::test]
async fn consumers_learn_from_the_registry_what_a_service_speaks() {
    let registry: Arc<dyn Registry> =
        getty_rpc::registry::connect(&getty_rpc::registry::registry_url("memory://serializations").unwrap())
            .await
            .unwrap();
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let serving = support::Serving::start(
        server
            .service(PairsServer::new(Swaps))
            .service(NamesServer::new(Serves::default()))
            .registry_with(Arc::clone(&registry)),
    );
    for (interface, preferred, all) in [
        ("com.example.Pairs", "hessian2", "hessian2,protobuf"),
        ("com.example.Names", "protobuf", "protobuf"),
    ] {
        let mut subscription = registry.subscribe(&Target::new(interface));
        let update = within(async {
            loop {
                let update = subscription.next().await.unwrap();
                if update.snapshot.iter().next().is_some() {
                    break update;
                }
            }
        })
        .await;
        let provider = update.snapshot.iter().next().unwrap();
        assert_eq!(provider.url().parameter("serialization"), Some(preferred));
        assert_eq!(provider.url().parameter("prefer.serialization"), Some(all));
    }
    drop(serving);
}
