//! What stands in an answer, and a server of the probe service to ask.

use getty_rpc::{
    hessian2::{DecodeState, Decoder, Value},
    protocol::Status,
};

use super::{Peer, Probing, Request, Serving, serve};

/// Descriptor of an `int`.
pub(crate) const INT: &str = "I";
/// Descriptor of a `String`.
pub(crate) const STRING: &str = "Ljava/lang/String;";

/// All values of a body.
pub(crate) fn values(bytes: &[u8]) -> Vec<Value> {
    let mut state = DecodeState::new();
    let mut decoder = Decoder::new(bytes, &mut state);
    let mut values = Vec::new();
    while decoder.remaining() > 0 {
        values.push(decoder.read().unwrap());
    }
    values
}

/// The text of an answer whose status is not OK.
pub(crate) fn text(bytes: &[u8]) -> String {
    let values = values(bytes);
    assert_eq!(values.len(), 1, "an error is one text: {values:?}");
    values[0].root().as_str().unwrap().to_owned()
}

/// The value of an answer with status OK.
pub(crate) fn value((status, bytes): (Status, impl AsRef<[u8]>)) -> Value {
    assert_eq!(status, Status::OK, "{:?}", values(bytes.as_ref()));
    let values = values(bytes.as_ref());
    match values[0].root().as_i32() {
        Some(1 | 4) => values[1].clone(),
        Some(2 | 5) => Value::NULL,
        other => panic!("a value was expected, type {other:?} came: {values:?}"),
    }
}

pub(crate) async fn probe() -> (Probing, Serving, Peer) {
    let probing = Probing::new();
    let serving = serve(|server| server.service(probing.server())).await;
    let peer = Peer::connect(serving.address()).await;
    (probing, serving, peer)
}

/// Shows that the connection still serves.
pub(crate) async fn assert_serves(peer: &mut Peer) {
    let answer = peer.ask(4711, &Request::hello("again").call(4711)).await;
    assert_eq!(value(answer), Value::from("hello again"));
}
