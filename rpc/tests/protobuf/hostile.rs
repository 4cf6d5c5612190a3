//! Every byte of a frame changed, and every body cut: nobody panics, and the connection goes on.

use getty_rpc::{
    Client,
    protocol::{Kind, Status},
};
use tokio::io::DuplexStream;

use crate::{
    messages::{Everything, NamesClient, NamesServer, Serves, everything},
    raw::{Request, ThrowableProto, item, map, request, response, value_body},
    support::{FakePipe, PATIENCE, Peer, count_panics, over_pipes, within},
};

/// What a byte may become.
fn mutations(byte: u8) -> impl Iterator<Item = u8> {
    [byte ^ 0x01, byte ^ 0x80, byte ^ 0xff, 0, 0x7f, byte.wrapping_add(1)]
        .into_iter()
        .filter(move |new| *new != byte)
}

/// Each body with one byte changed, and each that ends too early.
fn broken(body: &[u8]) -> Vec<Vec<u8>> {
    let changed = body.iter().enumerate().flat_map(|(at, byte)| {
        mutations(*byte).map(move |new| {
            let mut changed = body.to_vec();
            changed[at] = new;
            changed
        })
    });
    changed.chain((0..body.len()).map(|end| body[..end].to_vec())).collect()
}

/// Sends a request and then one that is answered for sure: requests are answered in order, so nothing is left behind.
async fn still_serves(peer: &mut Peer<DuplexStream>, body: &[u8]) {
    peer.send(&request(1, body)).await;
    peer.send(&request(2, &Request::echo("alive").body())).await;
    loop {
        let (header, _) = peer.next().await.expect("the connection is closed");
        match (header.id, header.kind) {
            (2, Kind::Response { status }) => return assert_eq!(status, Status::OK),
            (1, Kind::Response { .. }) => {}
            _ => panic!("{header:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_takes_any_bytes_for_a_request_and_goes_on() {
    let panics = count_panics();
    let (_serving, connector) = over_pipes(|server| server.service(NamesServer::new(Serves::default())));
    let mut peer = connector.connect();
    let small = Everything { again: None, texts: Vec::new(), bytes: vec![1], ..everything() };
    let asked = Request::names("everything", "Lcom/example/Everything;").argument(item(&small));
    for body in broken(&asked.attachments(&[("group", ""), ("timeout", "60000"), ("k", "v")]).body()) {
        still_serves(&mut peer, &body).await;
    }
    assert_eq!(count_panics(), panics);
}

#[tokio::test]
async fn lengths_that_lie_nesting_without_end_and_floods_cost_no_memory_and_no_stack() {
    let panics = count_panics();
    let (_serving, connector) = over_pipes(|server| server.service(NamesServer::new(Serves::default())));
    let mut peer = connector.connect();
    let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let asked =
        |argument: Vec<u8>| Request::names("everything", "Lcom/example/Everything;").argument(argument);
    let sized = |bytes: Vec<u8>| [varint(bytes.len()), bytes].concat();
    // Field 14 is a text, 15 bytes, 21 packed numbers, 24 a list of messages: each says that it is longer than all memory.
    let lies = [0x72_u8, 0x7a].map(|key| vec![key]).into_iter().chain([vec![0xaa, 0x01], vec![0xc2, 0x01]]);
    for lie in lies {
        still_serves(&mut peer, &asked(sized([&lie[..], &most].concat())).body()).await;
        still_serves(&mut peer, &asked([&most[..], &lie].concat()).body()).await;
    }
    // Field 19 nests, 20,000 deep.
    let mut nested = Vec::new();
    for _ in 0..20_000 {
        nested = [&[0x9a, 0x01][..], &varint(nested.len()), &nested].concat();
    }
    still_serves(&mut peer, &asked(sized(nested)).body()).await;
    // Groups inside groups, which are unknown fields.
    still_serves(&mut peer, &asked(sized([0xa3, 0x1f].repeat(100_000))).body()).await;
    // Many attachments: all but some are left out.
    let many: Vec<_> = (0..50_000).map(|n| n.to_string()).collect();
    let many: Vec<_> = many.iter().map(|name| (&**name, "")).collect();
    still_serves(&mut peer, &Request::echo("a").attachments(&many).body()).await;
    assert_eq!(count_panics(), panics);
}

#[tokio::test]
async fn a_client_takes_any_bytes_for_an_answer_and_goes_on() {
    let panics = count_panics();
    let (pipe, mut connections) = FakePipe::accept();
    let client = Client::builder().timeout(PATIENCE).dial("pipe", move || pipe.clone().dial());
    let names: NamesClient = client.refer();
    let cause = ThrowableProto { class: "java.lang.Error".into(), message: "b".into(), ..Default::default() };
    let thrown = ThrowableProto {
        class: "com.example.E".into(),
        message: "a".into(),
        cause: Some(Box::new(cause)),
        ..Default::default()
    };
    let bodies = [
        (Status::OK, value_body(&"text".to_owned())),
        (Status::OK, [item(&3_i32), item(&thrown), map(&[("closing", "false")])].concat()),
        (Status::BAD_REQUEST, item(&"no".to_owned())),
    ];
    let answers: Vec<_> = bodies
        .iter()
        .flat_map(|(status, body)| broken(body).into_iter().map(|body| (*status, body)))
        // This one would be believed, and the connection left.
        .filter(|(_, body)| !body.windows(4).any(|text| text == b"true"))
        .collect();
    let count = answers.len();
    let script = async {
        let mut provider = Peer::over(within(connections.recv()).await.unwrap());
        for (status, body) in answers {
            let (call, _) = provider.next_call().await.unwrap();
            provider.send(&response(call.id, status, &body)).await;
        }
        let (call, _) = provider.next_call().await.unwrap();
        provider.send(&response(call.id, Status::OK, &value_body(&"alive".to_owned()))).await;
        provider
    };
    let calls = async {
        for _ in 0..count {
            let _ = names.text("a").await;
        }
        names.text("a").await
    };
    let (last, _provider) = within(async { tokio::join!(calls, script) }).await;
    assert_eq!(last.unwrap(), "alive");
    assert_eq!(count_panics(), panics);
}

fn varint(number: usize) -> Vec<u8> {
    let mut out = Vec::new();
    getty_rpc::prost::encode_length_delimiter(number, &mut out).unwrap();
    out
}
