//! A client whose method gives any value and throws anything, and a provider that is a script.

use std::future::IntoFuture;

use getty_rpc::{Client, ClientBuilder, Throwable, hessian2::Value, protocol::Status, service};
use tokio::io::DuplexStream;

use super::{FakePipe, PATIENCE, Peer, value_body, within};

#[service(interface = "com.example.Any")]
pub(crate) trait Any {
    async fn call(&self) -> Result<Value, Throwable>;
}

/// A client, and a provider that has answered its first call. There is no second connection.
pub(crate) async fn connected(
    configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> (AnyClient, Peer<DuplexStream>) {
    let (pipe, mut connections) = FakePipe::accept();
    let builder = configure(Client::builder().timeout(PATIENCE));
    let any: AnyClient = builder.dial("pipe", move || pipe.clone().dial()).refer();
    let provider = async {
        let mut provider = Peer::over(within(connections.recv()).await.unwrap());
        provider.reply(Status::OK, &value_body(1)).await;
        provider
    };
    let (first, provider) = within(async { tokio::join!(any.call().into_future(), provider) }).await;
    assert_eq!(first.unwrap(), Ok(Value::from(1)));
    (any, provider)
}

/// What a call comes to that is answered like this.
pub(crate) async fn asked(
    any: &AnyClient,
    provider: &mut Peer<DuplexStream>,
    status: Status,
    body: &[u8],
) -> Outcome {
    within(async { tokio::join!(any.call().into_future(), provider.reply(status, body)) }).await.0
}

pub(crate) type Outcome = getty_rpc::Result<Result<Value, Throwable>>;
