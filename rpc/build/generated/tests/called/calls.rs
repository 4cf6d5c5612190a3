//! From the generated client to the generated server.

use getty_generated::{
    NotFound,
    kinds::{
        Everything, KindsClient, KindsServer, Nothing,
        everything::{Choice, Inner, Level, inner::Deeper},
    },
    newer,
};
use getty_rpc::{Client, ErrorKind, Throwable, protocol::Status};

use crate::{
    serves::{Serves, everything, kinds, person},
    support::{PATIENCE, patient, serve},
};

#[tokio::test]
async fn every_kind_of_field_arrives_as_it_was_sent() {
    let (_serving, kinds) = kinds().await;
    let sent = everything();
    assert_eq!(kinds.echo_everything(&sent).await.unwrap(), sent);
    assert_eq!(kinds.echo_everything(sent.clone()).await.unwrap(), sent, "owned");
    assert_eq!(kinds.echo_everything(Everything::default()).await.unwrap(), Everything::default());
    for choice in [
        Choice::Text(String::new()),
        Choice::Number(0.0),
        Choice::Chosen(Inner::default()),
        Choice::ChosenLevel(Level::Low.into()),
    ] {
        let sent = Everything { choice: Some(choice), ..Default::default() };
        assert_eq!(kinds.echo_everything(&sent).await.unwrap(), sent);
    }
    let deep =
        (0..40).fold(sent, |inner, _| Everything { again: Some(Box::new(inner)), ..Default::default() });
    assert_eq!(kinds.echo_everything(&deep).await.unwrap(), deep);
}

#[tokio::test]
async fn each_scalar_arrives_at_both_ends_of_its_range() {
    let (_serving, kinds) = kinds().await;
    macro_rules! ends {
        ($($field:ident: $($value:expr),*;)*) => {$($(
            let sent = Everything { $field: $value, ..Default::default() };
            assert_eq!(kinds.echo_everything(&sent).await.unwrap(), sent, stringify!($field));
        )*)*};
    }
    ends! {
        double: f64::MIN, f64::MAX, f64::INFINITY, f64::EPSILON;
        float: f32::MIN, f32::NEG_INFINITY, f32::EPSILON;
        int32: i32::MIN, -1, i32::MAX;
        int64: i64::MIN, -1, i64::MAX;
        uint32: 1, u32::MAX;
        uint64: 1, u64::MAX;
        sint32: i32::MIN, -1, i32::MAX;
        sint64: i64::MIN, -1, i64::MAX;
        fixed32: 1, u32::MAX;
        fixed64: 1, u64::MAX;
        sfixed32: i32::MIN, i32::MAX;
        sfixed64: i64::MIN, i64::MAX;
        bool: true;
        string: "x".repeat(100_000);
        bytes: vec![0; 100_000];
    }
}

#[tokio::test]
async fn messages_without_fields_nested_ones_and_well_known_types_are_arguments_and_results() {
    let (_serving, kinds) = kinds().await;
    assert_eq!(kinds.echo_nothing(Nothing {}).await.unwrap(), Nothing {});
    kinds.ping(()).await.unwrap();
    let deeper = Deeper { text: "a".into() };
    let answer = kinds.take_url(&deeper).await.unwrap();
    assert_eq!(answer, Inner { all: vec![deeper.clone(), deeper], deeper: None });
    assert_eq!(kinds.large(3).await.unwrap(), "xxx");
}

#[tokio::test]
async fn a_field_that_one_side_does_not_know_is_ignored() {
    let (serving, _) = kinds().await;
    let newer: newer::KindsClient = patient(serving.address()).refer();
    let friends = vec![newer::Person { name: "Charles".into(), ..Default::default() }];
    let sent = newer::Person { name: "Ada".into(), title: "Countess".into(), friends };
    let expected = newer::Person { name: "hello Ada".into(), ..Default::default() };
    assert_eq!(newer.rename_person(sent).await.unwrap(), expected);
}

#[tokio::test]
async fn a_business_exception_is_the_error_that_the_build_script_names() {
    let (_serving, kinds) = kinds().await;
    assert_eq!(kinds.find(person("Ada")).await.unwrap(), Ok(person("Ada")));
    assert_eq!(kinds.find(person("")).await.unwrap(), Err(NotFound("nobody has no name".into())));
    let thrown = kinds.throw("com.x.Odd").await.unwrap().unwrap_err();
    let cause = thrown.cause().map(Throwable::class);
    assert_eq!(
        (thrown.class(), thrown.message(), cause),
        ("com.x.Odd", Some("outer"), Some("java.lang.IllegalStateException"))
    );
}

#[tokio::test]
async fn what_is_over_the_payload_limit_is_refused_and_the_service_goes_on() {
    let limit = 2_000;
    let serving = serve(|server| server.service(KindsServer::new(Serves)).payload(limit)).await;
    let long = person(&"x".repeat(3_000));
    let kinds: KindsClient = patient(serving.address()).refer();
    let error = kinds.rename_person(&long).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Status(Status::BAD_REQUEST)), "{error}");
    assert!(error.message().contains("max payload: 2000"), "{error}");
    let error = kinds.large(3_000).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Status(Status::SERIALIZATION_ERROR)), "{error}");

    let careful = Client::builder().timeout(PATIENCE).payload(limit).direct(&serving.url()).unwrap();
    let careful: KindsClient = careful.refer();
    let error = careful.rename_person(&long).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::BadRequest) && error.surely_not_run(), "{error}");
    for kinds in [kinds, careful] {
        assert_eq!(kinds.rename_person(person("Ada")).await.unwrap(), person("hello Ada"));
    }
}
