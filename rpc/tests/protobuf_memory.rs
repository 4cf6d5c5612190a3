//! What a hostile body in protobuf may cost: peak memory against the length of the body, counted by the allocator.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should end")]

#[path = "protobuf/raw.rs"]
mod raw;
mod support;

use getty_rpc::{
    Client, ErrorKind,
    java::JavaType,
    prost::{Message, encode_length_delimiter},
    protocol::Status,
    service,
};

use raw::{Request, ask, item, map, response};
use support::{FakePipe, PATIENCE, Peer, over_pipes, within};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// A large message: an empty one is two bytes on the wire.
#[derive(Clone, PartialEq, Message)]
#[prost(prost_path = "::getty_rpc::prost")]
struct Wide {
    #[prost(message, repeated, tag = "1")]
    again: Vec<Self>,
    #[prost(string, repeated, tag = "2")]
    texts: Vec<String>,
    #[prost(string, tag = "3")]
    a: String,
    #[prost(string, tag = "4")]
    b: String,
    #[prost(string, tag = "5")]
    c: String,
    #[prost(bytes = "vec", tag = "6")]
    d: Vec<u8>,
    #[prost(fixed64, repeated, tag = "7")]
    e: Vec<u64>,
    #[prost(double, tag = "8")]
    f: f64,
    #[prost(uint64, repeated, tag = "9")]
    numbers: Vec<u64>,
    #[prost(map = "string, message", tag = "10")]
    map: std::collections::HashMap<String, Self>,
}

impl JavaType for Wide {
    const DESCRIPTOR: &'static str = "Lcom/example/Wide;";
}

#[service(interface = "com.example.Wides", serialization = "protobuf")]
trait Wides {
    async fn count(&self, wide: Wide) -> i64;
    async fn give(&self) -> Wide;
}

struct Serves;

impl Wides for Serves {
    async fn count(&self, wide: Wide) -> i64 {
        [wide.again.len(), wide.texts.len(), wide.numbers.len(), wide.map.len()].into_iter().sum::<usize>()
            as i64
    }

    async fn give(&self) -> Wide {
        Wide::default()
    }
}

/// Bytes of the largest message.
const SIZE: usize = size_of::<Wide>();
/// Copies of the body on its way: with the peer, in the pipe, and in the buffer of the session, which grows by doubling.
const COPIES: usize = 8;
/// What a server, a client and the harness take.
const FLOOR: usize = 1 << 18;
/// Bytes of a hostile message.
const LENGTH: usize = 1 << 17;

/// The bound that the documentation of the serialization states.
fn bound(length: usize) -> usize {
    2 * SIZE * length + COPIES * length + FLOOR
}

/// Messages of at most [`LENGTH`] bytes that are as much as possible once they are read.
fn hostile() -> Vec<(&'static str, Vec<u8>, usize)> {
    let fill = |field: &[u8]| field.repeat(LENGTH / field.len());
    let packed = |key: u8, count: usize, one: &[u8]| {
        let mut field = vec![key];
        encode_length_delimiter(one.len() * count, &mut field).unwrap();
        field.extend(one.repeat(count));
        field
    };
    // Each level is a list of one, for which a Vec makes room for four.
    let chain =
        (0..63).fold(Vec::new(), |inner: Vec<u8>, _| [&[0x0a, inner.len() as u8], &inner[..]].concat());
    let entries: Vec<u8> = (0..LENGTH / 9)
        .flat_map(|n| {
            let key: String =
                [n % 94, n / 94 % 94, n / 8836].map(|digit| char::from(b'!' + digit as u8)).iter().collect();
            [&[0x52, 5, 0x0a, 3][..], key.as_bytes()].concat()
        })
        .collect();
    vec![
        ("empty messages", fill(&[0x0a, 0]), LENGTH / 2),
        ("empty texts", fill(&[0x12, 0]), LENGTH / 2),
        ("messages that hold one", fill(&[0x0a, 2, 0x0a, 0]), LENGTH / 4),
        ("messages with a map of one", fill(&[0x0a, 2, 0x52, 0]), LENGTH / 4),
        ("lists of one in lists of one", fill(&chain), LENGTH / chain.len()),
        ("packed numbers", packed(0x4a, LENGTH - 8, &[0]), LENGTH - 8),
        ("entries of a map", entries, LENGTH / 9),
    ]
}

fn sized(message: &[u8]) -> Vec<u8> {
    let mut item = Vec::new();
    encode_length_delimiter(message.len(), &mut item).unwrap();
    item.extend_from_slice(message);
    item
}

/// The most that was held at once while this ran, and what came of it.
async fn peak<T>(run: impl Future<Output = T>) -> (usize, T) {
    let profiler = dhat::Profiler::builder().testing().build();
    let output = run.await;
    let peak = dhat::HeapStats::get().max_bytes;
    drop(profiler);
    (peak, output)
}

// One test, since there is one allocator to count.
#[tokio::test]
async fn a_message_takes_at_most_twice_its_largest_type_for_each_byte() {
    for (name, message, count) in hostile() {
        assert!(message.len() <= LENGTH, "{name}");
        let body =
            Request::new("com.example.Wides", "count", Wide::DESCRIPTOR).argument(sized(&message)).body();
        let (peak_of_server, answer) = peak(async {
            let (_serving, connector) = over_pipes(|server| server.service(WidesServer::new(Serves)));
            ask(&mut connector.connect(), &body).await
        })
        .await;
        assert_eq!(
            (answer.0, i64::decode(answer.1[1].clone()).unwrap()),
            (Status::OK, count as i64),
            "{name}"
        );
        assert!(
            peak_of_server <= bound(message.len()),
            "{name}: {peak_of_server} of {}",
            bound(message.len())
        );

        let body = [item(&4_i32), sized(&message), map(&[])].concat();
        let (peak_of_client, wide) = peak(given(&body)).await;
        let wide = wide.unwrap();
        assert_eq!(
            wide.again.len() + wide.texts.len() + wide.numbers.len() + wide.map.len(),
            count,
            "{name}"
        );
        assert!(
            peak_of_client <= bound(message.len()),
            "{name}: {peak_of_client} of {}",
            bound(message.len())
        );
    }

    // What is over the payload limit is not read at all.
    let (_, message, _) = hostile().swap_remove(0);
    let body = Request::new("com.example.Wides", "count", Wide::DESCRIPTOR).argument(sized(&message)).body();
    let (peak_of_server, answer) = peak(async {
        let payload = LENGTH;
        let (_serving, connector) =
            over_pipes(|server| server.service(WidesServer::new(Serves)).payload(payload));
        ask(&mut connector.connect(), &body).await
    })
    .await;
    assert_eq!(answer.0, Status::BAD_REQUEST);
    assert!(peak_of_server <= COPIES * LENGTH + FLOOR, "{peak_of_server}");
}

/// What a client makes of this answer.
async fn given(body: &[u8]) -> getty_rpc::Result<Wide> {
    let (pipe, mut connections) = FakePipe::accept();
    let client = Client::builder().timeout(PATIENCE).dial("pipe", move || pipe.clone().dial());
    let wides: WidesClient = client.refer();
    let script = async {
        let mut provider = Peer::over(within(connections.recv()).await.unwrap());
        let (call, _) = provider.next_call().await.unwrap();
        provider.send(&response(call.id, Status::OK, body)).await;
        provider
    };
    let (wide, _provider) = within(async { tokio::join!(async { wides.give().await }, script) }).await;
    if let Err(error) = &wide {
        assert!(!matches!(error.kind(), ErrorKind::Timeout), "{error}");
    }
    wide
}
