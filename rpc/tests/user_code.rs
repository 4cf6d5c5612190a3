//! Code of users that fails or panics while their values are written or read: only its own call is touched.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use getty_rpc::{
    Client, ErrorKind,
    hessian2::{self, Decode, Decoder, Encode, Encoder, JavaType, Sink},
    protocol::Status,
    service,
};
use support::{PATIENCE, patient, serve, within};

/// A type whose code fails in the ways that a user's code can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Odd {
    Good,
    FailsToEncode,
    PanicsToEncode,
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
            (
                3,
                Status::SERVICE_ERROR,
                "com.example.Oddities.take(I): reading the arguments panicked: it is odd",
            ),
            (4, Status::BAD_REQUEST, "com.example.Oddities.take(I): argument 0 cannot be read: 4 is odd"),
        ] {
            let error = plain.take(argument).await.unwrap_err();
            assert!(
                matches!(error.kind(), ErrorKind::Status(came) if *came == status),
                "{argument}: {error}"
            );
            assert!(error.message().contains(text), "{argument}: {error}");
        }
        assert_eq!(plain.take(0).await.unwrap(), 0);
    }
    assert_eq!(taken.load(Ordering::SeqCst), 15);
}
