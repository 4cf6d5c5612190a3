//! The frames that real peers sent to each other: a server and a client understand each of them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::sync::mpsc;

use bytes::Bytes;
use getty_rpc::{
    ErrorKind,
    hessian2::{DecodeState, Decoder, Value},
    protocol::{Header, Kind, Status},
};
use support::{Peer, Request, Row, asked, connected, everything, rows};
use tokio::io::DuplexStream;

/// Error texts are cut to so many characters.
const TEXT: usize = 4_096;

#[tokio::test]
async fn each_request_of_go_and_java_reaches_its_method_with_its_arguments_and_attachments() {
    let rows = rows();
    let (_serving, connector, seen) = everything(&rows, |server| server);
    let mut peer = connector.connect();
    let (mut calls, mut others) = (0, Vec::new());
    for row in rows.iter().filter(|row| row.is_request()) {
        let Row { name, header, .. } = row;
        peer.send(&row.bytes()).await;
        let two_way = matches!(header.kind, Kind::Request { two_way: true });
        match row.call() {
            Some(asked) if asked.method == "$echo" => {
                let (_, body) = answered(&mut peer, header.id).await;
                assert_eq!(result(&body), Ok(asked.arguments[0].clone()), "{name}");
            }
            Some(asked) => {
                if two_way {
                    let (status, body) = answered(&mut peer, header.id).await;
                    assert_eq!(status, Status::OK, "{name}");
                    assert_eq!(result(&body), Ok(Value::list(asked.arguments.clone())), "{name}");
                } else {
                    // The next answer shows that this call was looked at, and not answered.
                    let (status, _) = peer.ask(1, &Request::new("nobody", "", "").call(1)).await;
                    assert_eq!(status, Status::BAD_REQUEST);
                }
                let seen = seen.try_recv().expect(name);
                assert_eq!(
                    (seen.method.name, seen.method.descriptor),
                    (&*asked.method, &*asked.descriptor),
                    "{name}"
                );
                assert_eq!(seen.arguments, asked.arguments, "{name}");
                assert_eq!(seen.attachments, asked.attachments, "{name}");
                calls += 1;
            }
            None if header.event && two_way => {
                let (answer, body) = peer.next().await.unwrap();
                let kind = Kind::Response { status: Status::OK };
                assert_eq!(answer, Header { kind, length: 1, ..*header }, "{name}");
                assert_eq!(body, &b"N"[..]);
            }
            None if header.event => {}
            // What holds no call.
            None => {
                assert!(row.hand_made, "{name}");
                let (status, body) = answered(&mut peer, header.id).await;
                let text = error_text(header.serialization, &body);
                others.push((name.rsplit(" call ").next().unwrap().to_owned(), status, text));
            }
        }
    }
    assert_eq!(seen.try_recv(), Err(mpsc::TryRecvError::Empty), "nothing was called twice");
    assert_eq!(calls, 52 + 2 + 97 - 2 + 4 - 2 - 3);
    let expected =
        [("garbage body", "the request's head cannot be read"), ("serialization id 22", UNREADABLE)];
    assert_eq!(others.len(), 4);
    for (note, status, text) in others {
        assert_eq!(status, Status::BAD_REQUEST);
        assert!(
            expected.iter().any(|(of, fragment)| note == *of && text.contains(fragment)),
            "{note}: {text}"
        );
    }
}

/// What is said to a request whose header names protobuf and whose body is in hessian2.
const UNREADABLE: &str = match cfg!(feature = "protobuf") {
    true => "the request's head cannot be read",
    false => "serialization 22 is not known here, 2 (hessian2) is",
};

/// The text of an error, which is in the serialization of its request where that is known.
fn error_text(serialization: u8, body: &[u8]) -> String {
    #[cfg(feature = "protobuf")]
    if serialization == getty_rpc::Serialization::Protobuf.id() {
        return getty_rpc::prost::Message::decode_length_delimited(body).unwrap();
    }
    assert!(matches!(serialization, 2 | 22));
    let mut state = DecodeState::new();
    Decoder::new(body, &mut state).str().unwrap().into_owned()
}

/// The next answer, which must have this id.
async fn answered(peer: &mut Peer<DuplexStream>, id: i64) -> (Status, Bytes) {
    let (answered, status, body) = peer.answer().await;
    assert_eq!(answered, id);
    (status, body)
}

/// What an answer with status OK holds, taken apart by hand: a value, or class and message of an exception.
fn result(body: &[u8]) -> Result<Value, (String, String)> {
    let mut state = DecodeState::new();
    let mut d = Decoder::new(body, &mut state);
    let code = d.i32().unwrap();
    match code {
        0 | 3 => {
            let exception: Value = d.read().unwrap();
            let exception = exception.root();
            let message = exception.get("detailMessage").as_str().unwrap_or_default();
            Err((exception.class().unwrap().to_owned(), message.to_owned()))
        }
        1 | 4 => Ok(d.read().unwrap()),
        2 | 5 => Ok(Value::NULL),
        other => panic!("type {other}"),
    }
}

#[tokio::test]
async fn each_answer_of_go_and_java_gives_its_value_its_exception_or_its_status_and_text() {
    let (any, mut provider) = connected(|builder| builder).await;
    let (mut counts, mut closing) = ([0; 4], 0);
    for row in rows().iter().filter(|row| !row.is_request()) {
        let Row { name, header, body, .. } = row;
        let Kind::Response { status } = header.kind else { unreachable!() };
        if header.event {
            // Wakes nobody; the next answer shows that the connection lives.
            provider.send(&row.bytes()).await;
            counts[3] += 1;
            continue;
        }
        let outcome = asked(&any, &mut provider, status, body).await;
        if body.windows(7).any(|bytes| bytes == b"closing") {
            // dubbo-go's word for being about to stop. The test's provider takes it back.
            let error = any.call().await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Connect), "{name}: {error}");
            provider.send(&[support::event(0, false, b"\x01W"), support::heartbeat(-5)].concat()).await;
            assert_eq!(provider.next().await.unwrap().0.id, -5);
            closing += 1;
        }
        match (status, outcome) {
            (Status::OK, Ok(Ok(value))) => {
                assert_eq!(Ok(value), result(body), "{name}");
                counts[0] += 1;
            }
            (Status::OK, Ok(Err(thrown))) => {
                let said = (thrown.class().to_owned(), thrown.message().unwrap_or_default().to_owned());
                assert_eq!(Err(said), result(body), "{name}");
                counts[1] += 1;
            }
            (Status::OK, Err(error)) => panic!("{name}: {error}"),
            (status, outcome) => {
                let error = outcome.unwrap_err();
                assert!(
                    matches!(error.kind(), ErrorKind::Status(came) if *came == status),
                    "{name}: {error}"
                );
                let mut state = DecodeState::new();
                let text = Decoder::new(body, &mut state).str().unwrap();
                let cut: String = text.chars().take(TEXT).collect();
                assert_eq!(error.message(), cut, "{name}");
                assert_eq!(error.surely_not_run(), status == Status::BAD_REQUEST, "{name}");
                counts[2] += 1;
            }
        }
    }
    assert_eq!(counts.iter().sum::<i32>(), 52 + 6 + 78 + 21 + 3);
    assert_eq!((counts[2], counts[3], closing), (21, 9, 1));
}

#[test]
fn arguments_and_results_of_known_methods_belong_together() {
    let rows = rows();
    let (mut checked, mut calls) = (0, rows.iter());
    while let Some(row) = calls.next() {
        let answer = calls.as_slice().first().filter(|answer| {
            answer.header.id == row.header.id && answer.header.kind == Kind::Response { status: Status::OK }
        });
        let (Some(asked), Some(answer)) = (row.call(), answer) else { continue };
        let Row { name, body, .. } = answer;
        let arguments: Vec<_> = asked.arguments.iter().map(Value::root).collect();
        let expected = match (&*asked.method, &arguments[..]) {
            ("hello" | "say", [text]) if text.is_null() => Value::NULL,
            ("hello" | "say", [text]) => Value::from(format!("hello {}", text.as_str().unwrap())),
            ("add", [a, b]) => match (a.as_i32(), b.as_i32()) {
                (Some(a), Some(b)) => Value::from(a.wrapping_add(b)),
                _ => Value::NULL,
            },
            ("date" | "money" | "time" | "longs" | "texts" | "any" | "$echo", [_]) => {
                asked.arguments[0].clone()
            }
            ("bytes", [_]) if arguments[0].as_i32() == Some(5_000) => {
                assert_eq!(result(body).unwrap().root().as_bytes().map(<[u8]>::len), Some(5_000), "{name}");
                continue;
            }
            _ => continue,
        };
        match result(body) {
            Ok(value) => assert_eq!(value, expected, "{name}"),
            // Providers that lacked the service or the method, or could not take null.
            Err((class, _)) => assert!(class.starts_with("java.lang."), "{name}: {class}"),
        }
        checked += 1;
    }
    assert!(checked >= 50, "{checked}");
}
