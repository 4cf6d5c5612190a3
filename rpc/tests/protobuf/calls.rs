//! Calls from Rust to Rust.

use getty_rpc::{Client, ErrorKind, Throwable, protocol::Status, service};

use crate::{
    messages::{
        Choice, Empty, Everything, Name, NamesClient, NamesServer, NewName, NotFound, Serves, everything,
    },
    support::{PATIENCE, Serving, patient, serve},
};

async fn names() -> (Serving, NamesClient) {
    let serving = serve(|server| server.service(NamesServer::new(Serves::default()))).await;
    let client = patient(serving.address());
    (serving, client.refer())
}

#[tokio::test]
async fn every_kind_of_field_arrives_as_it_was_sent() {
    let (_serving, names) = names().await;
    let sent = everything();
    assert_eq!(names.everything(&sent).await.unwrap(), sent);
    assert_eq!(names.everything(sent.clone()).await.unwrap(), sent, "owned");
    for choice in [Choice::Text(String::new()), Choice::Flag(false)] {
        let sent = Everything { choice: Some(choice), ..Default::default() };
        assert_eq!(names.everything(&sent).await.unwrap(), sent);
    }
    let default = Everything::default();
    assert_eq!(names.everything(&default).await.unwrap(), default);
    let deep = (0..40).fold(default, |inner, _| Everything { again: Some(Box::new(inner)), ..everything() });
    assert_eq!(names.everything(&deep).await.unwrap(), deep);
}

#[tokio::test]
async fn messages_without_fields_texts_bytes_and_numbers_are_arguments_and_results() {
    let (_serving, names) = names().await;
    assert_eq!(names.empty(Empty {}).await.unwrap(), Empty {});
    names.nothing(()).await.unwrap();
    assert_eq!(names.number().await.unwrap(), -7);
    assert_eq!(names.add(-1, i64::MAX).await.unwrap(), i64::MAX - 1);
    assert_eq!(names.add(0, &0).await.unwrap(), 0);
    for text in ["", "a", "中文😀", &"x".repeat(100_000)] {
        assert_eq!(names.text(text).await.unwrap(), text);
        assert_eq!(names.text(text.to_owned()).await.unwrap(), text);
        assert_eq!(names.bytes(text.as_bytes()).await.unwrap(), text.as_bytes());
    }
    assert_eq!(names.rename(Name::new("Ada")).await.unwrap(), Name::new("hello Ada"));
}

#[tokio::test]
async fn null_is_none_where_the_method_declares_an_option_and_an_error_where_it_does_not() {
    #[service(interface = "com.example.Names", serialization = "protobuf")]
    trait Strict {
        async fn maybe(&self, name: Name) -> Name;
    }

    let (serving, names) = names().await;
    assert_eq!(names.maybe(Name::new("a")).await.unwrap(), Some(Name::new("a")));
    assert_eq!(names.maybe(Name::default()).await.unwrap(), None);
    assert_eq!(names.find(0).await.unwrap(), Ok(None));
    let strict: StrictClient = patient(serving.address()).refer();
    assert_eq!(strict.maybe(Name::new("a")).await.unwrap(), Name::new("a"));
    let error = strict.maybe(Name::default()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::BadResponse));
    assert!(error.message().contains("null came, and the method gives a Name"), "{error}");
}

#[tokio::test]
async fn an_exception_is_the_error_of_its_class_where_it_is_declared_and_an_exception_of_any_class_where_not()
{
    #[service(interface = "com.example.Names", serialization = "protobuf")]
    trait Undeclared {
        async fn find(&self, id: i64) -> Option<Name>;
        async fn throw(&self, class: String) -> Result<(), NotFound>;
    }

    let (serving, names) = names().await;
    assert_eq!(names.find(5).await.unwrap(), Ok(Some(Name::new("5"))));
    assert_eq!(names.find(-5).await.unwrap(), Err(NotFound("nobody has -5".into())));

    let thrown = names.throw("com.example.Odd").await.unwrap().unwrap_err();
    assert_eq!((thrown.class(), thrown.message()), ("com.example.Odd", Some("outer")));
    let cause = thrown.cause().unwrap();
    assert_eq!((cause.class(), cause.message()), ("java.lang.IllegalStateException", Some("inner")));

    let undeclared: UndeclaredClient = patient(serving.address()).refer();
    let error = undeclared.find(-5).await.unwrap_err();
    let exception = error.as_exception().expect("an exception");
    assert_eq!(
        (exception.class(), exception.message()),
        ("com.example.NotFoundException", Some("nobody has -5"))
    );
    assert!(!error.surely_not_run());
    let error = undeclared.throw("com.example.Other").await.unwrap_err();
    assert_eq!(error.as_exception().map(Throwable::class), Some("com.example.Other"));
    let declared = undeclared.throw("com.example.NotFoundException").await.unwrap();
    assert_eq!(declared, Err(NotFound("outer".into())));
}

#[tokio::test]
async fn a_field_that_one_side_does_not_know_is_ignored() {
    #[service(interface = "com.example.Names", serialization = "protobuf")]
    trait Newer {
        async fn rename(&self, name: NewName) -> NewName;
    }

    let (serving, _) = names().await;
    let newer: NewerClient = patient(serving.address()).refer();
    let sent = NewName { name: "Ada".into(), title: "Countess".into() };
    let expected = NewName { name: "hello Ada".into(), title: String::new() };
    assert_eq!(newer.rename(sent).await.unwrap(), expected);
}

#[tokio::test]
async fn what_is_over_the_payload_limit_is_refused_by_whoever_sees_it_first() {
    let limit = 2_000;
    let serving = serve(|server| server.service(NamesServer::new(Serves::default())).payload(limit)).await;
    let names: NamesClient = patient(serving.address()).refer();
    let error = names.text("x".repeat(3_000)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Status(Status::BAD_REQUEST)), "{error}");
    assert!(error.message().contains("max payload: 2000"), "the server's text in protobuf: {error}");
    let error = names.large(3_000).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Status(Status::SERIALIZATION_ERROR)), "{error}");
    assert!(error.message().contains("max payload: 2000"), "{error}");

    let careful = Client::builder().timeout(PATIENCE).payload(limit).direct(&serving.url()).unwrap();
    let careful: NamesClient = careful.refer();
    let error = careful.text("x".repeat(3_000)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::BadRequest) && error.surely_not_run(), "{error}");
    for names in [names, careful] {
        assert_eq!(names.text("still here").await.unwrap(), "still here");
    }
}

#[tokio::test]
async fn attachments_one_way_calls_and_many_at_a_time_work() {
    let (_serving, names) = names().await;
    assert_eq!(
        names.attachment("k").attach("k", "中文").attach("empty", "").await.unwrap().as_deref(),
        Some("中文")
    );
    assert_eq!(names.attachment("empty").attach("empty", "").await.unwrap().as_deref(), Some(""));
    assert_eq!(names.attachment("absent").await.unwrap(), None);
    names.note("one").await.unwrap();
    names.note("two").await.unwrap();
    assert_eq!(names.notes().await.unwrap(), "one,two");
    let calls = (0..200_i32).map(|n| {
        let names = names.clone();
        tokio::spawn(async move { names.add(n, 1).await.unwrap() })
    });
    for (n, call) in calls.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(call.await.unwrap(), n as i64 + 1);
    }
}
