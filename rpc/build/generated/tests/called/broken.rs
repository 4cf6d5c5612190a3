//! Peers of a generated server and of a generated client that send too little, or what nobody knows.

use getty_generated::kinds::{KindsClient, KindsServer, Person};
use getty_rpc::{
    Client, ErrorKind,
    prost::{Message, encode_length_delimiter},
    protocol::Status,
};

use crate::{
    raw::{Request, ask, error_text, item, map, response},
    serves::{Serves, everything, person},
    support::{FakePipe, PATIENCE, Peer, over_pipes, within},
};

/// Fields of numbers that no message here has, one of each wire type: a number, eight bytes, a message, a group, four bytes.
const UNKNOWN: &[u8] = &[
    0xc0, 0x3e, 1, 0xc9, 0x3e, 1, 2, 3, 4, 5, 6, 7, 8, 0xd2, 0x3e, 2, 8, 1, 0xdb, 0x3e, 8, 1, 0xdc, 0x3e,
    0xe5, 0x3e, 1, 2, 3, 4,
];

/// A request for the service as it is declared.
fn asked(method: &str, message: &str, argument: Vec<u8>) -> Vec<u8> {
    let descriptor = format!("Lorg/y/kinds/AllKinds${message};");
    let mut request = Request::new("org.y.kinds.Kinds", method, &descriptor).argument(argument);
    request.head[2] = "2.0.0".to_owned();
    request.attachments(&[("group", "blue")]).body()
}

/// An item of these bytes.
fn sized(message: &[u8]) -> Vec<u8> {
    let mut item = Vec::new();
    encode_length_delimiter(message.len(), &mut item).unwrap();
    item.extend_from_slice(message);
    item
}

#[tokio::test]
async fn a_message_that_is_cut_is_refused_by_its_name_and_the_next_call_is_served() {
    let (_serving, connector) = over_pipes(|server| server.service(KindsServer::new(Serves)));
    let mut peer = connector.connect();
    let whole = everything().encode_to_vec();
    let mut refused = 0;
    for end in 0..whole.len() {
        let cut = &whole[..end];
        let (status, answer) = ask(&mut peer, &asked("echoEverything", "Everything", sized(cut))).await;
        // What ends between two fields is a message too.
        match getty_generated::kinds::Everything::decode(cut) {
            Ok(_) => assert_eq!(status, Status::OK, "{end}"),
            Err(_) => {
                assert_eq!(status, Status::BAD_REQUEST, "{end}");
                let text = error_text(&answer);
                assert!(text.contains("argument 0 cannot be read: it is no Everything"), "{text}");
                refused += 1;
            }
        }
    }
    assert!(refused > whole.len() / 2, "{refused}");
    let (status, answer) = ask(&mut peer, &asked("renamePerson", "Person", item(&person("Ada")))).await;
    assert_eq!((status, Person::decode(answer[1].clone()).unwrap()), (Status::OK, person("hello Ada")));
}

#[tokio::test]
async fn a_request_without_all_of_its_argument_is_refused() {
    let (_serving, connector) = over_pipes(|server| server.service(KindsServer::new(Serves)));
    let mut peer = connector.connect();
    let whole = asked("renamePerson", "Person", sized(b""));
    let argument = item(&person("Ada"));
    let before = whole.len() - 1 - map(&[("group", "blue")]).len();
    for end in 0..argument.len() {
        let body = [&whole[..before], &argument[..end]].concat();
        let (status, answer) = ask(&mut peer, &body).await;
        assert_eq!(status, Status::BAD_REQUEST, "{end}");
        assert!(error_text(&answer).contains("renamePerson"), "{}", error_text(&answer));
    }
}

#[tokio::test]
async fn unknown_fields_of_every_wire_type_are_skipped_by_both_sides() {
    let (_serving, connector) = over_pipes(|server| server.service(KindsServer::new(Serves)));
    let mut peer = connector.connect();
    let odd = sized(&[UNKNOWN, &person("Ada").encode_to_vec(), UNKNOWN].concat());
    let (status, answer) = ask(&mut peer, &asked("renamePerson", "Person", odd.clone())).await;
    assert_eq!((status, Person::decode(answer[1].clone()).unwrap()), (Status::OK, person("hello Ada")));

    let body = [item(&4_i32), odd, map(&[])].concat();
    assert_eq!(answered(body).await.unwrap(), person("Ada"));
}

#[tokio::test]
async fn an_answer_that_is_cut_is_an_error_that_names_the_message() {
    let whole = person("Ada").encode_to_vec();
    for end in 1..whole.len() {
        let body = [item(&4_i32), sized(&whole[..end]), map(&[])].concat();
        let error = answered(body).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::BadResponse), "{error}");
        assert!(error.message().contains("the result, which is a Person"), "{error}");
    }
    let body = [item(&4_i32), sized(&whole)].concat();
    for end in 0..body.len() {
        let error = answered(body[..end].to_vec()).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::BadResponse), "{error}");
    }
}

/// What the generated client makes of an answer with status OK.
async fn answered(body: Vec<u8>) -> getty_rpc::Result<Person> {
    let (pipe, mut connections) = FakePipe::accept();
    let client = Client::builder().timeout(PATIENCE).dial("pipe", move || pipe.clone().dial());
    let kinds: KindsClient = client.refer();
    let script = async {
        let mut provider = Peer::over(within(connections.recv()).await.unwrap());
        let (call, _) = provider.next_call().await.unwrap();
        provider.send(&response(call.id, Status::OK, &body)).await;
        provider
    };
    let call = async { kinds.rename_person(person("Ada")).await };
    let (answer, _provider) = within(async { tokio::join!(call, script) }).await;
    answer
}
