//! How Java and a registry know what was made.

use getty_generated::{
    kinds::{KindsClient, everything::Inner},
    newer,
    odd::com::x::{
        self, EmptyClient, Greeter, GreeterClient, GreeterServer, HelloReply, HelloRequest,
        common::{Query, query::Page},
        hello_request::r#type::Self_,
    },
};
use getty_rpc::{Method, Serialization, ServiceInfo, Stub, java::JavaType, prost_types};

use crate::support::{patient, serve};

fn methods(info: &ServiceInfo) -> Vec<String> {
    info.methods.iter().map(Method::to_string).collect()
}

#[test]
fn a_service_and_its_methods_have_the_java_names_that_the_options_of_the_file_give() {
    let info = KindsClient::INFO;
    assert_eq!((info.interface, info.version, info.group), ("org.y.kinds.Kinds", "2.0.0", "blue"));
    assert_eq!(info.serializations, [Serialization::Protobuf]);
    assert_eq!(
        methods(info),
        [
            "echoEverything(Lorg/y/kinds/AllKinds$Everything;)",
            "echoNothing(Lorg/y/kinds/AllKinds$Nothing;)",
            "ping(Lcom/google/protobuf/Empty;)",
            "renamePerson(Lorg/y/kinds/AllKinds$Person;)",
            "takeURL(Lorg/y/kinds/AllKinds$Everything$Inner$Deeper;)",
            "find(Lorg/y/kinds/AllKinds$Person;)",
            "throw(Lcom/google/protobuf/StringValue;)",
            "large(Lcom/google/protobuf/Int32Value;)",
        ]
    );
    assert_eq!(Inner::DESCRIPTOR, "Lorg/y/kinds/AllKinds$Everything$Inner;");
    let newer = newer::KindsClient::INFO;
    assert_eq!((newer.interface, newer.version, newer.group), (info.interface, info.version, info.group));
}

#[test]
fn names_that_are_keywords_or_have_several_capitals_are_java_names_all_the_same() {
    let info = GreeterClient::INFO;
    assert_eq!((info.interface, info.version, info.group), ("com.x.Greeter", "1.0.0", ""));
    assert_eq!(
        methods(info),
        [
            "sayHello(Lcom/x/HelloRequest;)",
            "check(Lcom/x/HelloRequest$Type$Self;)",
            "ping(Lcom/google/protobuf/Empty;)",
            "hTTPName(Lcom/google/protobuf/StringValue;)",
            "type(Lcom/google/protobuf/Timestamp;)",
            "find(Lorg/common/Common$Query;)",
        ]
    );
    assert_eq!((EmptyClient::INFO.interface, EmptyClient::INFO.methods.len()), ("com.x.Empty", 0));
}

struct Odd;

impl Greeter for Odd {
    async fn say_hello(&self, request: HelloRequest) -> HelloReply {
        HelloReply { text: request.name }
    }

    async fn check(&self, _request: Self_) -> Result<(), getty_generated::NotFound> {
        Err(getty_generated::NotFound("no".into()))
    }

    async fn ping(&self, _request: ()) {}

    async fn http_name(&self, request: String) -> i64 {
        i64::try_from(request.len()).unwrap()
    }

    async fn r#type(&self, request: prost_types::Timestamp) -> prost_types::Any {
        prost_types::Any { type_url: request.seconds.to_string(), value: vec![1] }
    }

    async fn find(&self, request: Query) -> Page {
        Page { hits: vec![request.text] }
    }
}

#[tokio::test]
async fn methods_with_odd_names_and_messages_of_other_packages_are_called() {
    let serving = serve(|server| server.service(GreeterServer::new(Odd))).await;
    let greeter: GreeterClient = patient(serving.address()).refer();
    let request = HelloRequest {
        name: "Ada".into(),
        self_: Some(x::hello_request::Self_::Async(x::hello_request::Type::default())),
        ..Default::default()
    };
    assert_eq!(greeter.say_hello(&request).await.unwrap(), HelloReply { text: "Ada".into() });
    assert!(greeter.check(Self_::default()).await.unwrap().is_err());
    greeter.ping(()).await.unwrap();
    assert_eq!(greeter.http_name("abc").await.unwrap(), 3);
    let any = greeter.r#type(prost_types::Timestamp { seconds: 7, nanos: 0 }).await.unwrap();
    assert_eq!((&*any.type_url, &*any.value), ("7", &[1][..]));
    let page = greeter.find(Query { text: "a".into() }).await.unwrap();
    assert_eq!(page, Page { hits: vec!["a".into()] });
}
