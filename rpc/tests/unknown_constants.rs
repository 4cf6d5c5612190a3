//! Enum constants that one side has and the other has not: the call fails with the name of the constant, and nothing else
//! is touched.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use getty_rpc::{Client, ErrorKind, Hessian, protocol::Status, service};
use support::{PATIENCE, Provider};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hessian)]
#[hessian(class = "x.A", rename_all = "lowercase")]
enum New {
    Name,
    Age,
    Area,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hessian)]
#[hessian(class = "x.A", rename_all = "lowercase")]
enum Old {
    Name,
    Age,
}

#[derive(Debug, Clone, PartialEq, Eq, Hessian)]
#[hessian(class = "x.A", rename_all = "lowercase")]
enum Any {
    Name,
    Age,
    #[hessian(other)]
    Other(String),
}

/// The service as the newer side declares it.
#[service(interface = "com.example.Constants")]
trait NewConstants {
    #[method(idempotent)]
    async fn one(&self, area: bool) -> New;
    #[method(idempotent)]
    async fn three(&self, area: bool) -> Vec<New>;
    #[method(idempotent)]
    async fn take(&self, constant: New) -> New;
}

/// As the older side does.
#[service(interface = "com.example.Constants")]
trait OldConstants {
    #[method(idempotent)]
    async fn one(&self, area: bool) -> Old;
    #[method(idempotent)]
    async fn three(&self, area: bool) -> Vec<Old>;
    #[method(idempotent)]
    async fn take(&self, constant: Old) -> Old;
}

/// As a side does that takes what comes.
#[service(interface = "com.example.Constants")]
trait AnyConstants {
    async fn three(&self, area: bool) -> Vec<Any>;
}

/// Counts the calls that ran.
struct Counting(Arc<AtomicUsize>);

impl NewConstants for Counting {
    async fn one(&self, area: bool) -> New {
        self.0.fetch_add(1, Ordering::SeqCst);
        if area { New::Area } else { New::Name }
    }

    async fn three(&self, area: bool) -> Vec<New> {
        self.0.fetch_add(1, Ordering::SeqCst);
        vec![New::Name, if area { New::Area } else { New::Name }, New::Age]
    }

    async fn take(&self, constant: New) -> New {
        self.0.fetch_add(1, Ordering::SeqCst);
        constant
    }
}

impl OldConstants for Counting {
    async fn one(&self, _: bool) -> Old {
        Old::Name
    }

    async fn three(&self, _: bool) -> Vec<Old> {
        vec![Old::Name; 3]
    }

    async fn take(&self, constant: Old) -> Old {
        self.0.fetch_add(1, Ordering::SeqCst);
        constant
    }
}

/// What the codec says about the constant, without the place.
const TEXT: &str = "unknown constant `area` of enum x.A";

fn client(provider: &Provider) -> Client {
    Client::builder().timeout(PATIENCE).connections(1).direct(&provider.address().to_string()).unwrap()
}

#[tokio::test]
async fn an_unknown_constant_in_an_answer_fails_that_call_alone_and_is_not_called_again() {
    let ran = Arc::new(AtomicUsize::new(0));
    let counting = Counting(Arc::clone(&ran));
    let provider = Provider::start(|server| server.service(NewConstantsServer::new(counting))).await;
    let client = client(&provider);
    let old: OldConstantsClient = client.refer();

    let error = old.one(true).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::BadResponse), "{error}");
    assert!(error.to_string().contains(TEXT), "{error}");
    assert_eq!(ran.load(Ordering::SeqCst), 1, "an idempotent call is not sent again");
    assert_eq!(old.one(false).await.unwrap(), Old::Name);

    let error = old.three(true).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::BadResponse), "{error}");
    assert!(error.to_string().contains(&format!("[1]: {TEXT}")), "{error}");
    assert_eq!(ran.load(Ordering::SeqCst), 3);
    assert_eq!(old.three(false).await.unwrap(), [Old::Name, Old::Name, Old::Age]);

    let any: AnyConstantsClient = client.refer();
    assert_eq!(any.three(true).await.unwrap(), [Any::Name, Any::Other("area".into()), Any::Age]);
    assert_eq!(provider.accepted(), 1, "all calls went over one connection");
}

#[tokio::test]
async fn an_unknown_constant_in_an_argument_is_answered_with_its_name_and_never_runs() {
    let ran = Arc::new(AtomicUsize::new(0));
    let counting = Counting(Arc::clone(&ran));
    let provider = Provider::start(|server| server.service(OldConstantsServer::new(counting))).await;
    let client = client(&provider);
    let new: NewConstantsClient = client.refer();
    for _ in 0..3 {
        let error = new.take(New::Area).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Status(Status::BAD_REQUEST)), "{error}");
        assert!(error.message().contains(TEXT), "{error}");
        assert!(error.message().contains("argument 0 cannot be read"), "{error}");
        assert_eq!(new.take(New::Age).await.unwrap(), New::Age);
    }
    assert_eq!(ran.load(Ordering::SeqCst), 3, "only the good calls ran");
    assert_eq!(provider.accepted(), 1, "all calls went over one connection");
}
